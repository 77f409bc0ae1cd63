package config_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
)

const id config.ID = "acme:anything"

// An act is one call on the entry, as it stands or as somebody believes it to.
type act struct {
	do      string // pend, force, promote, rollback, discard, delete
	version int
	accept  time.Duration
	base    int   // for pend and force; 0 means the newest
	stale   int64 // how many revisions behind the caller is
}

// perform does a as by. n makes the values of a save differ from any other.
func (r *room) perform(a act, by audit.Actor, n int) error {
	r.t.Helper()
	d := draft(id, n)
	d.Accept, d.Reason = a.accept, "because"
	m := config.Move{ID: id, Version: a.version, Accept: a.accept, Reason: "because"}
	if e, err := r.Get(r.t.Context(), id); err == nil {
		d.Revision, d.Base = e.Revision-a.stale, e.Newest()
		m.Revision = e.Revision - a.stale
	}
	if a.base != 0 {
		d.Base = a.base
	}
	var err error
	switch a.do {
	case "pend":
		_, err = r.Save(r.t.Context(), by, d)
	case "force":
		d.Then = config.PutInForce
		_, err = r.Save(r.t.Context(), by, d)
	case "promote":
		_, err = r.Promote(r.t.Context(), by, m)
	case "rollback":
		_, err = r.RollBack(r.t.Context(), by, m)
	case "discard":
		_, err = r.Discard(r.t.Context(), by, m)
	case "delete":
		err = r.Delete(r.t.Context(), by, m)
	default:
		r.t.Fatalf("no such act: %q", a.do)
	}
	return err
}

func labels(e config.Entry) string {
	return fmt.Sprintf("current %d pending %d previous %d next %d", e.Current, e.Pending, e.Previous, e.Next)
}

// Every act, from every state that matters: the labels, the revision, and the
// one event, or that nothing was written.
func TestLabels(t *testing.T) {
	pend, force := act{do: "pend"}, act{do: "force"}
	forceHour := act{do: "force", accept: time.Hour}
	for _, tt := range []struct {
		name    string
		before  []act
		act     act
		kind    string // of the error
		want    string // labels; "" if there is no entry
		action  audit.Action
		version int
		changes string
		note    string
	}{
		{"create as pending", nil, pend, "", "current 0 pending 1 previous 0 next 2", audit.EntryCreated, 1,
			"pending version:>1, note:>#, password:>#", "Saved as pending."},
		{"create in force", nil, forceHour, "", "current 1 pending 0 previous 0 next 2", audit.EntryCreated, 1,
			"current version:>1, note:>#, password:>#", "Saved and put in force."},
		{"save as pending beside current", []act{force}, pend, "", "current 1 pending 2 previous 0 next 3", audit.EntrySaved, 2,
			"pending version:>2, note:#>#, password:#>#", "Saved as pending. Made from version 1."},
		{"save as pending over pending", []act{force, pend}, pend, "", "current 1 pending 3 previous 0 next 4", audit.EntrySaved, 3,
			"pending version:2>3, note:#>#, password:#>#", "Saved as pending. Made from version 2."},
		{"save in force from the pending one", []act{force, pend}, force, "", "current 3 pending 0 previous 0 next 4", audit.EntrySaved, 3,
			"current version:1>3, pending version:2>, note:#>#, password:#>#", "Saved and put in force. Made from version 2."},
		{"save in force beside a pending one", []act{force, pend}, act{do: "force", base: 1}, "", "current 3 pending 2 previous 0 next 4", audit.EntrySaved, 3,
			"current version:1>3, note:#>#, password:#>#", "Saved and put in force. Made from version 1."},
		{"save in force, previous accepted", []act{force}, forceHour, "", "current 2 pending 0 previous 1 next 3", audit.EntrySaved, 2,
			"current version:1>2, previous version:>1, note:#>#, password:#>#", "Saved and put in force. Made from version 1. Version 1 stays accepted until 2026-09-17 13:02 UTC."},
		{"save in force, previous no longer accepted", []act{force, forceHour}, force, "", "current 3 pending 0 previous 0 next 4", audit.EntrySaved, 3,
			"current version:2>3, previous version:1>, note:#>#, password:#>#", "Saved and put in force. Made from version 2."},
		{"save from a version that is not there", []act{force}, act{do: "pend", base: 9}, "not found", "current 1 pending 0 previous 0 next 2", "", 0, "", ""},
		{"save on an old revision", []act{force, pend}, act{do: "pend", stale: 1}, "conflict", "current 1 pending 2 previous 0 next 3", "", 0, "", ""},

		{"promote the first", []act{pend}, act{do: "promote", version: 1, accept: time.Hour}, "", "current 1 pending 0 previous 0 next 2", audit.EntryPromoted, 1,
			"current version:>1, pending version:1>, note:>#, password:>#", ""},
		{"promote over current", []act{force, pend}, act{do: "promote", version: 2}, "", "current 2 pending 0 previous 0 next 3", audit.EntryPromoted, 2,
			"current version:1>2, pending version:2>, note:#>#, password:#>#", ""},
		{"promote, previous accepted", []act{force, pend}, act{do: "promote", version: 2, accept: 24 * time.Hour}, "", "current 2 pending 0 previous 1 next 3", audit.EntryPromoted, 2,
			"current version:1>2, pending version:2>, previous version:>1, note:#>#, password:#>#", "Version 1 stays accepted until 2026-09-18 12:03 UTC."},
		{"promote what is not pending", []act{force, pend}, act{do: "promote", version: 1}, "conflict", "current 1 pending 2 previous 0 next 3", "", 0, "", ""},
		{"promote with nothing pending", []act{force}, act{do: "promote", version: 1}, "conflict", "current 1 pending 0 previous 0 next 2", "", 0, "", ""},
		{"promote a version that is not there", []act{force, pend}, act{do: "promote", version: 3}, "not found", "current 1 pending 2 previous 0 next 3", "", 0, "", ""},
		{"promote version 0", []act{force}, act{do: "promote", version: 0}, "not found", "current 1 pending 0 previous 0 next 2", "", 0, "", ""},
		{"promote on an old revision", []act{force, pend}, act{do: "promote", version: 2, stale: 1}, "conflict", "current 1 pending 2 previous 0 next 3", "", 0, "", ""},
		{"promote and accept too long", []act{force, pend}, act{do: "promote", version: 2, accept: config.MaxAccept + 1}, "invalid", "current 1 pending 2 previous 0 next 3", "", 0, "", ""},
		{"promote no entry", nil, act{do: "promote", version: 1}, "not found", "", "", 0, "", ""},

		{"roll back", []act{force, force}, act{do: "rollback", version: 1}, "", "current 1 pending 0 previous 0 next 3", audit.EntryRolledBack, 1,
			"current version:2>1, note:#>#, password:#>#", ""},
		{"roll back to the previous one", []act{force, forceHour}, act{do: "rollback", version: 1, accept: time.Hour}, "", "current 1 pending 0 previous 2 next 3", audit.EntryRolledBack, 1,
			"current version:2>1, previous version:1>2, note:#>#, password:#>#", "Version 2 stays accepted until 2026-09-17 13:03 UTC."},
		{"roll back beside a pending one", []act{force, force, pend}, act{do: "rollback", version: 1}, "", "current 1 pending 3 previous 0 next 4", audit.EntryRolledBack, 1,
			"current version:2>1, note:#>#, password:#>#", ""},
		{"roll back to a discarded one", []act{pend, {do: "discard", version: 1}}, act{do: "rollback", version: 1}, "", "current 1 pending 0 previous 0 next 2", audit.EntryRolledBack, 1,
			"current version:>1, note:>#, password:>#", ""},
		{"roll back to current", []act{force, force}, act{do: "rollback", version: 2}, "invalid", "current 2 pending 0 previous 0 next 3", "", 0, "", ""},
		{"roll back to pending", []act{force, pend}, act{do: "rollback", version: 2}, "invalid", "current 1 pending 2 previous 0 next 3", "", 0, "", ""},
		{"roll back to nothing", []act{force}, act{do: "rollback", version: 2}, "not found", "current 1 pending 0 previous 0 next 2", "", 0, "", ""},
		{"roll back on an old revision", []act{force, force}, act{do: "rollback", version: 1, stale: 1}, "conflict", "current 2 pending 0 previous 0 next 3", "", 0, "", ""},
		{"roll back and accept a negative time", []act{force, force}, act{do: "rollback", version: 1, accept: -1}, "invalid", "current 2 pending 0 previous 0 next 3", "", 0, "", ""},

		{"discard", []act{force, pend}, act{do: "discard", version: 2}, "", "current 1 pending 0 previous 0 next 3", audit.EntryDiscarded, 2, "pending version:2>", ""},
		{"discard keeps previous", []act{force, forceHour, pend}, act{do: "discard", version: 3}, "", "current 2 pending 0 previous 1 next 4", audit.EntryDiscarded, 3, "pending version:3>", ""},
		{"discard another", []act{force, pend}, act{do: "discard", version: 1}, "conflict", "current 1 pending 2 previous 0 next 3", "", 0, "", ""},
		{"discard nothing", []act{force}, act{do: "discard", version: 0}, "conflict", "current 1 pending 0 previous 0 next 2", "", 0, "", ""},
		{"discard on an old revision", []act{force, pend}, act{do: "discard", version: 2, stale: 1}, "conflict", "current 1 pending 2 previous 0 next 3", "", 0, "", ""},
		{"discard no entry", nil, act{do: "discard", version: 1}, "not found", "", "", 0, "", ""},

		{"delete", []act{force, forceHour, pend}, act{do: "delete"}, "", "", audit.EntryDeleted, 2,
			"current version:2>, pending version:3>, previous version:1>", "Versions deleted with it: 3."},
		{"delete on an old revision", []act{force, pend}, act{do: "delete", stale: 1}, "conflict", "current 1 pending 2 previous 0 next 3", "", 0, "", ""},
		{"delete no entry", nil, act{do: "delete"}, "not found", "", "", 0, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := open(t)
			for i, a := range tt.before {
				if err := r.perform(a, owner, i); err != nil {
					t.Fatalf("%s before: %v", a.do, err)
				}
			}
			old, _ := r.Get(t.Context(), id)
			dump, events := r.dump(), r.events()
			err := r.perform(tt.act, editor, 99)
			if kindOf(err) != tt.kind {
				t.Fatalf("error %v, want kind %q", err, tt.kind)
			}
			e, getErr := r.Get(t.Context(), id)
			if (tt.want == "") != (kindOf(getErr) == "not found") || tt.want != "" && labels(e) != tt.want {
				t.Errorf("%s, %v; want %q", labels(e), getErr, tt.want)
			}
			if tt.kind != "" {
				r.unchanged(dump)
				return
			}
			if tt.want != "" && (e.Revision != old.Revision+1 || e.ChangedBy != editor.Name || !e.Changed.Equal(r.time)) {
				t.Errorf("revision %d after %d, changed by %s at %v", e.Revision, old.Revision, e.ChangedBy, e.Changed)
			}
			now := r.events()
			if len(now) != len(events)+1 {
				t.Fatalf("%d events after %d, want one more", len(now), len(events))
			}
			want := audit.Event{N: int64(len(events)), Time: r.time, Actor: editor, Action: tt.action, Target: string(id), Version: tt.version,
				Outcome: audit.Done, Reason: "because", Note: tt.note}
			got := now[0]
			if changes(got) != tt.changes {
				t.Errorf("changes %q, want %q", changes(got), tt.changes)
			}
			if got.Changes = nil; !reflect.DeepEqual(got, want) {
				t.Errorf("event %+v, want %+v", got, want)
			}
		})
	}
}

// The entry says since when and by whom the current version is in force, and
// the content hashes of the two that can be tested.
func TestEntryRemembersWhoPutInForce(t *testing.T) {
	r := open(t)
	first := r.save(draft(id, 1))
	e, err := r.Promote(t.Context(), editor, config.Move{ID: id, Revision: 1, Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	since := r.time
	second := r.save(draft(id, 2))
	want := e
	want.Pending, want.PendingHash, want.Next, want.Revision = 2, second.ContentHash, 3, 3
	want.Changed, want.ChangedBy, want.ChangedByID = second.Time, owner.Name, owner.ID
	if e.InForceSince != since || e.InForceBy != editor.Name || e.CurrentHash != first.ContentHash || e.PendingHash != "" || e.Created != first.Time {
		t.Errorf("after the promotion: %+v", e)
	}
	if got := r.get(id); !reflect.DeepEqual(got, want) {
		t.Errorf("after another save: %+v, want %+v", got, want)
	}
}

func TestAccepted(t *testing.T) {
	until := start.Add(time.Hour)
	for _, tt := range []struct {
		e    config.Entry
		at   time.Time
		want []int
	}{
		{config.Entry{}, start, nil},
		{config.Entry{Pending: 1}, start, nil},
		{config.Entry{Current: 3}, start, []int{3}},
		{config.Entry{Current: 3, Previous: 1, PreviousUntil: until}, start, []int{3, 1}},
		{config.Entry{Current: 3, Previous: 1, PreviousUntil: until}, until.Add(-1), []int{3, 1}},
		{config.Entry{Current: 3, Previous: 1, PreviousUntil: until}, until, []int{3}},
	} {
		if got := tt.e.Accepted(tt.at); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s at %v: %v, want %v", labels(tt.e), tt.at, got, tt.want)
		}
	}
}

func TestNewest(t *testing.T) {
	for _, tt := range []struct {
		e    config.Entry
		want int
	}{
		{config.Entry{Current: 2, Pending: 4, Next: 6}, 4},
		{config.Entry{Current: 2, Next: 6}, 2},
		{config.Entry{Next: 6}, 5},
	} {
		if got := tt.e.Newest(); got != tt.want {
			t.Errorf("%s: newest %d, want %d", labels(tt.e), got, tt.want)
		}
	}
}
