package config_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// A third person, beside owner and editor.
var second = audit.Actor{ID: "u3", Name: "second@acme.example", Addr: "203.0.113.9", RequestID: "r3"}

// again is the room's service with another rule of the instance. Which contents have a
// good test is in records of the test's own.
func (r *room) again(rule config.Rule) *config.Service {
	r.t.Helper()
	definitions, err := catalogue()
	if err != nil {
		r.t.Fatal(err)
	}
	s := config.New(config.Options{Store: r.store, Box: r.box, Catalogue: definitions, Now: r.now, Approval: rule})
	s.ProveWith(func(g store.Getter, id config.ID, hash string, now time.Time) (bool, error) {
		b, err := g.Get("test/" + string(id) + "/" + hash)
		if err != nil {
			return false, nil
		}
		until, err := time.Parse(time.RFC3339, string(b))
		return err == nil && now.Before(until), err
	})
	return s
}

// rule has the room's service follow another rule of the instance.
func (r *room) rule(rule config.Rule) *room { r.Service = r.again(rule); return r }

// tested notes a good test of the pending version, which is stale after a day.
func (r *room) tested() {
	r.t.Helper()
	e := r.get(id)
	r.put("test/"+string(id)+"/"+e.PendingHash, r.time.Add(24*time.Hour).Format(time.RFC3339))
}

func (r *room) ruling(comment string) config.Ruling {
	e := r.get(id)
	return config.Ruling{ID: id, Revision: e.Revision, Version: e.Pending, Hash: e.PendingHash, Comment: comment}
}

func (r *room) approve(by audit.Actor) error {
	_, err := r.Approve(r.t.Context(), by, r.ruling("looks right"))
	return err
}

func (r *room) reject(by audit.Actor) error {
	_, err := r.Reject(r.t.Context(), by, r.ruling("the secret is of another app"))
	return err
}

func (r *room) setRule(by audit.Actor, rule config.Rule, isOwner bool) error {
	_, err := r.SetRule(r.t.Context(), by, config.RuleChange{ID: id, Revision: r.get(id).Revision, Rule: rule, Reason: "as agreed", Owner: isOwner})
	return err
}

func (r *room) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// inForceAndPending makes version 1, in force, and version 2, pending, by the owner.
func (r *room) inForceAndPending() {
	r.t.Helper()
	rule := r.Service
	r.rule(config.RuleNone)
	r.must(r.perform(act{do: "force"}, owner, 1))
	r.must(r.perform(act{do: "pend"}, owner, 2))
	r.Service = rule
}

// What each rule lets through, by a promotion and by saving in force.
func TestRules(t *testing.T) {
	for _, tt := range []struct {
		rule             config.Rule
		approved, tested bool
		want             string // of the refusal; "" for none
	}{
		{config.RuleNone, false, false, ""},
		{config.RulePerson, false, false, "lacks the approval of a second person"},
		{config.RulePerson, false, true, "lacks the approval of a second person"},
		{config.RulePerson, true, false, ""},
		{config.RuleTest, false, false, "lacks a good test of these values"},
		{config.RuleTest, false, true, ""},
		{config.RuleBoth, false, false, "lacks the approval of a second person and a good test of these values"},
		{config.RuleBoth, true, false, "lacks a good test of these values"},
		{config.RuleBoth, false, true, "lacks the approval of a second person"},
		{config.RuleBoth, true, true, ""},
	} {
		for _, own := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s of its own %v, approved %v, tested %v", tt.rule, own, tt.approved, tt.tested), func(t *testing.T) {
				r := open(t).rule(tt.rule)
				r.inForceAndPending()
				if own {
					r.rule(config.RuleNone)
					if tt.rule != config.RuleNone {
						r.must(r.setRule(owner, tt.rule, true))
					}
				}
				if tt.approved {
					r.must(r.approve(editor))
				}
				if tt.tested {
					r.tested()
				}
				ready, err := r.Readiness(t.Context(), r.get(id))
				if want := (config.Readiness{Rule: tt.rule, Approved: tt.approved, Tested: tt.tested && tt.rule.Test()}); err != nil || ready != want || ready.Ready() != (tt.want == "") {
					t.Errorf("Readiness = %+v, %v; want %+v", ready, err, want)
				}
				n := len(r.events())
				err = r.perform(act{do: "promote", version: 2}, owner, 0)
				if tt.want == "" {
					r.must(err)
					if e := r.get(id); e.Current != 2 || e.Decision != (config.Decision{}) {
						t.Errorf("entry %+v", e)
					}
					return
				}
				if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Promote = %v, want %q", err, tt.want)
				}
				if e := r.get(id); e.Current != 1 || e.Pending != 2 {
					t.Errorf("entry %+v", e)
				}
				events := r.events()
				if e := events[0]; len(events) != n+1 || e.Action != audit.EntryPromoted || e.Outcome != audit.Refused || e.Version != 2 || e.Actor != owner || !strings.Contains(e.Note, tt.want) || e.Reason != "because" || e.Changes != nil {
					t.Errorf("%d events more, the last %+v", len(events)-n, e)
				}
				err = r.perform(act{do: "force"}, owner, 7)
				if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "Save it as pending first") || r.get(id).Next != 3 {
					t.Errorf("Save in force = %v", err)
				}
				if e := r.events()[0]; e.Action != audit.EntrySaved || e.Outcome != audit.Refused || e.Actor != owner {
					t.Errorf("event %+v", e)
				}
			})
		}
	}
}

// A new entry follows the rule of the instance from its first version on.
func TestRuleOfTheFirstVersion(t *testing.T) {
	r := open(t).rule(config.RulePerson)
	if err := r.perform(act{do: "force"}, owner, 1); !errs.Is(err, errs.Invalid) {
		t.Errorf("a first version in force: %v", err)
	}
	r.must(r.perform(act{do: "pend"}, owner, 1))
	r.must(r.approve(editor))
	r.must(r.perform(act{do: "promote", version: 1}, owner, 0))
}

// What an approval records, and what an event says of it.
func TestApprove(t *testing.T) {
	r := open(t).rule(config.RulePerson)
	r.inForceAndPending()
	before := r.get(id)
	r.must(r.approve(editor))
	e := r.get(id)
	want := config.Decision{Approved: true, Version: 2, Hash: before.PendingHash, Base: 1, BaseHash: before.CurrentHash, ByID: "u2", By: editor.Name, Time: r.time, Comment: "looks right"}
	if e.Decision != want || !e.Approved() || e.Rejected() || e.Revision != before.Revision+1 || e.ChangedBy != owner.Name || !e.Changed.Equal(before.Changed) || e.TouchedBy != editor.Name {
		t.Errorf("entry %+v", e)
	}
	got := r.events()[0]
	if got.Action != audit.EntryApproved || got.Actor != editor || got.Target != string(id) || got.Version != 2 || got.Reason != "looks right" || got.Outcome != audit.Done || !got.Time.Equal(want.Time) ||
		got.Changes[0] != (audit.Change{Key: "content hash", Before: before.CurrentHash, After: before.PendingHash}) || !strings.HasSuffix(changes(got), ", note:#>#, password:#>#") {
		t.Errorf("event %+v", got)
	}
	history, err := r.Reviews(t.Context(), id, 1, 2, 3)
	if err != nil || len(history[2].Decisions) != 1 || history[2].Decisions[0] != want || len(history[1].Decisions) != 0 || history[1].InForce.IsZero() || !history[2].InForce.IsZero() {
		t.Errorf("Reviews = %+v, %v", history, err)
	}
	if err := r.approve(second); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), editor.Name) {
		t.Errorf("approved twice: %v", err)
	}
	stale := r.ruling("x")
	stale.Revision--
	other := r.ruling("x")
	other.Hash = e.CurrentHash
	elsewhere := r.ruling("x")
	elsewhere.Version = 1
	for name, u := range map[string]config.Ruling{"an old revision": stale, "another content": other, "another version": elsewhere} {
		if _, err := r.Reject(t.Context(), second, u); !errs.Is(err, errs.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.perform(act{do: "pend", stale: 1}, second, 9); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), editor.Name) {
		t.Errorf("a form of before the approval: %v", err)
	}
	r.must(r.perform(act{do: "promote", version: 2}, owner, 0))
	if history, _ := r.Reviews(t.Context(), id, 2); len(history[2].Decisions) != 1 || history[2].InForce.IsZero() {
		t.Errorf("after the promotion: %+v", history)
	}
	r.rule(config.RuleTest)
	r.must(r.perform(act{do: "pend"}, owner, 5))
	if err := r.approve(editor); !errs.Is(err, errs.Invalid) {
		t.Errorf("nobody's approval is asked for: %v", err)
	}
	if _, err := r.Approve(t.Context(), editor, config.Ruling{ID: "acme:none", Version: 1}); !errs.Is(err, errs.NotFound) {
		t.Errorf("no entry: %v", err)
	}
}

// Neither who saved the version nor who changed the entry last can approve it, and
// the attempt is on record.
func TestNobodyApprovesTheOwn(t *testing.T) {
	r := open(t).rule(config.RulePerson)
	r.inForceAndPending()
	if err := r.approve(owner); !errs.Is(err, errs.Refused) || !strings.Contains(err.Error(), "You saved this version") {
		t.Errorf("the own version: %v", err)
	}
	if e := r.events()[0]; e.Action != audit.EntryApproved || e.Outcome != audit.Refused || e.Actor != owner || e.Version != 2 {
		t.Errorf("event %+v", e)
	}
	renamed := owner
	renamed.Name = "other@acme.example"
	if err := r.approve(renamed); !errs.Is(err, errs.Refused) {
		t.Errorf("the own version under another address: %v", err)
	}
	r.rule(config.RuleNone)
	r.must(r.perform(act{do: "force", base: 1}, second, 3)) // leaves 2 pending
	r.rule(config.RulePerson)
	if err := r.approve(second); !errs.Is(err, errs.Refused) || !strings.Contains(err.Error(), "You changed this entry last") {
		t.Errorf("the last to change the entry: %v", err)
	}
	if r.get(id).Approved() {
		t.Error("it is approved")
	}
	r.must(r.approve(editor))
}

// An approval is void as soon as anything changes.
func TestApprovalIsVoid(t *testing.T) {
	for name, change := range map[string]func(*room) error{
		"another version is saved": func(r *room) error { return r.perform(act{do: "pend"}, second, 5) },
		"the same values are saved again": func(r *room) error {
			r.must(r.perform(act{do: "pend"}, second, 5))
			return r.perform(act{do: "pend"}, second, 2)
		},
		"it is discarded":                 func(r *room) error { return r.perform(act{do: "discard", version: 3}, second, 0) },
		"what is in force is rolled back": func(r *room) error { return r.perform(act{do: "rollback", version: 1}, second, 0) },
		"it is rejected":                  func(r *room) error { return r.reject(second) },
		"the entry is made anew": func(r *room) error {
			r.must(r.perform(act{do: "delete"}, second, 0))
			return r.perform(act{do: "pend"}, second, 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			r.must(r.perform(act{do: "force"}, owner, 0))
			r.must(r.perform(act{do: "force"}, owner, 1))
			r.must(r.perform(act{do: "pend"}, owner, 2))
			r.rule(config.RulePerson)
			r.must(r.approve(editor))
			if !r.get(id).Approved() {
				t.Fatal("it is not approved")
			}
			r.must(change(r))
			e := r.get(id)
			if e.Approved() {
				t.Errorf("still approved: %+v", e)
			}
			if e.Pending == 0 {
				return
			}
			if err := r.perform(act{do: "promote", version: e.Pending}, owner, 0); !errs.Is(err, errs.Invalid) {
				t.Errorf("Promote = %v", err)
			}
		})
	}
	// An approval over what was in force, in a record that says so, is none over another.
	r := open(t).rule(config.RulePerson)
	r.inForceAndPending()
	r.must(r.approve(editor))
	e := r.get(id)
	for name, change := range map[string]func(*config.Entry){
		"another hash": func(e *config.Entry) { e.PendingHash = "x" }, "another version": func(e *config.Entry) { e.Pending = 9 },
		"another base": func(e *config.Entry) { e.Current = 9 }, "another content in force": func(e *config.Entry) { e.CurrentHash = "x" },
		"nothing pending": func(e *config.Entry) { e.Pending = 0 }, "a rejection": func(e *config.Entry) { e.Decision.Approved = false },
	} {
		other := e
		if change(&other); other.Approved() {
			t.Errorf("%s is approved", name)
		}
	}
}

func TestReject(t *testing.T) {
	r := open(t).rule(config.RulePerson)
	r.inForceAndPending()
	if _, err := r.Reject(t.Context(), editor, r.ruling(" ")); errs.Fields(err)["reason"] == "" {
		t.Errorf("without words: %v", err)
	}
	if _, err := r.Reject(t.Context(), editor, r.ruling(strings.Repeat("x", config.MaxReason+1))); errs.Fields(err)["reason"] == "" {
		t.Errorf("with too many words: %v", err)
	}
	r.must(r.reject(editor))
	if e := r.get(id); !e.Rejected() || e.Approved() || e.Decision.Comment != "the secret is of another app" || r.events()[0].Action != audit.EntryRejected {
		t.Errorf("rejected: %+v, %s", e, r.events()[0].Action)
	}
	r.must(r.approve(second)) // the last word counts
	r.must(r.reject(owner))   // also of who saved it
	e := r.events()[0]
	if e.Action != audit.ApprovalWithdrawn || !strings.Contains(e.Note, "It had the approval of "+second.Name) || !r.get(id).Rejected() {
		t.Errorf("withdrawn: %+v", e)
	}
	if history, _ := r.Reviews(t.Context(), id, 2); len(history[2].Decisions) != 3 {
		t.Errorf("history %+v", history)
	}
	if err := r.perform(act{do: "promote", version: 2}, second, 0); !errs.Is(err, errs.Invalid) {
		t.Errorf("Promote = %v", err)
	}
}

// A test that has grown stale since is none.
func TestStaleTestHolds(t *testing.T) {
	r := open(t).rule(config.RuleTest)
	r.inForceAndPending()
	r.tested()
	r.mu.Lock()
	r.time = r.time.Add(25 * time.Hour)
	r.mu.Unlock()
	if err := r.perform(act{do: "promote", version: 2}, owner, 0); !errs.Is(err, errs.Invalid) {
		t.Errorf("Promote = %v", err)
	}
}

// In an emergency what was in force comes back without a new approval, for a reason.
// What never was does not.
func TestRollBackUnderARule(t *testing.T) {
	r := open(t).rule(config.RuleBoth)
	r.inForceAndPending() // 1 in force, 2 pending
	r.must(r.approve(editor))
	r.tested()
	r.must(r.perform(act{do: "promote", version: 2}, owner, 0))
	r.must(r.perform(act{do: "pend"}, owner, 3))
	r.must(r.perform(act{do: "discard", version: 3}, owner, 0))
	err := r.perform(act{do: "rollback", version: 3}, owner, 0)
	if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "not known to have been in force") {
		t.Errorf("to what never was in force: %v", err)
	}
	if e := r.events()[0]; e.Action != audit.EntryRolledBack || e.Outcome != audit.Refused || e.Version != 3 {
		t.Errorf("event %+v", e)
	}
	m := config.Move{ID: id, Version: 1, Revision: r.get(id).Revision}
	if _, err := r.RollBack(t.Context(), owner, m); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "Say why") {
		t.Errorf("without a reason: %v", err)
	}
	r.must(r.perform(act{do: "rollback", version: 1}, owner, 0))
	if e := r.events()[0]; e.Outcome != audit.Done || e.Reason != "because" || e.Note != "Without a new approval: the version was in force before." {
		t.Errorf("event %+v", e)
	}
	r.must(r.perform(act{do: "rollback", version: 2}, owner, 0))
	if e := r.events()[0]; e.Note != "Without a new approval: the version was in force before, approved by "+editor.Name+"." {
		t.Errorf("event %+v", e)
	}
}

func TestSetRule(t *testing.T) {
	for _, tt := range []struct {
		instance, from, to config.Rule
		owner              bool
		reason             string
		want               string // a kind, a field, or ""
		changes            string
	}{
		{config.RuleNone, "", config.RulePerson, false, "", "", "approval rule:as the instance>person"},
		{config.RuleNone, config.RulePerson, config.RuleBoth, false, "", "", "approval rule:person>both"},
		{config.RuleNone, config.RuleTest, config.RuleNone, false, "", "reason", ""},
		{config.RuleNone, config.RuleTest, config.RuleNone, false, "why", "", "approval rule:test>none"},
		{config.RuleNone, config.RulePerson, config.RuleNone, false, "why", "refused", ""},
		{config.RuleNone, config.RulePerson, config.RuleTest, false, "why", "refused", ""},
		{config.RuleNone, config.RulePerson, "", false, "why", "refused", ""},
		{config.RuleNone, config.RuleBoth, config.RuleTest, false, "why", "refused", ""},
		{config.RuleNone, config.RuleBoth, config.RulePerson, false, "why", "", "approval rule:both>person"},
		{config.RuleNone, config.RulePerson, config.RuleNone, true, "", "reason", ""},
		{config.RuleNone, config.RulePerson, config.RuleNone, true, "why", "", "approval rule:person>none"},
		{config.RulePerson, "", config.RuleNone, false, "why", "refused", ""},
		{config.RulePerson, "", config.RuleNone, true, "why", "", "approval rule:as the instance>none"},
		{config.RulePerson, config.RulePerson, "", false, "", "", "approval rule:person>as the instance"},
		{config.RuleNone, config.RulePerson, config.RulePerson, true, "why", "invalid", ""},
		{config.RuleNone, "", "four eyes", true, "why", "rule", ""},
	} {
		t.Run(fmt.Sprintf("%+v", tt), func(t *testing.T) {
			r := open(t)
			r.inForceAndPending()
			r.rule(tt.instance)
			if tt.from != "" {
				r.must(r.setRule(owner, tt.from, true))
			}
			before := r.get(id)
			_, err := r.SetRule(t.Context(), editor, config.RuleChange{ID: id, Revision: before.Revision, Rule: tt.to, Reason: tt.reason, Owner: tt.owner})
			got := kindOf(err)
			for field := range errs.Fields(err) {
				got = field
			}
			if got != tt.want {
				t.Fatalf("SetRule = %v, want %q", err, tt.want)
			}
			e, last := r.get(id), r.events()[0]
			if err != nil {
				if e.Rule != before.Rule || tt.want == "refused" && (last.Outcome != audit.Refused || last.Action != audit.RuleChanged) {
					t.Errorf("rule %q, event %+v", e.Rule, last)
				}
				return
			}
			if e.Rule != tt.to || e.Revision != before.Revision+1 || e.ChangedBy != before.ChangedBy || last.Action != audit.RuleChanged || last.Actor != editor || changes(last) != tt.changes || last.Reason != tt.reason {
				t.Errorf("entry %+v, event %+v", e, last)
			}
		})
	}
}

// Deleting an entry and making it anew is no way past its rule.
func TestRuleOutlivesTheEntry(t *testing.T) {
	r := open(t)
	r.inForceAndPending()
	r.must(r.setRule(owner, config.RulePerson, true))
	r.must(r.perform(act{do: "delete"}, owner, 0))
	if err := r.perform(act{do: "force"}, owner, 1); !errs.Is(err, errs.Invalid) {
		t.Errorf("in force at once: %v", err)
	}
	r.must(r.perform(act{do: "pend"}, owner, 1))
	if e := r.get(id); e.Rule != config.RulePerson || e.Decision != (config.Decision{}) {
		t.Errorf("entry %+v", e)
	}
	if history, _ := r.Reviews(t.Context(), id, 1, 2); !history[1].InForce.IsZero() || len(history[2].Decisions) != 0 {
		t.Errorf("history of the one before: %+v", history)
	}
}

// The rule that an entry has again is the one that it had at last.
func TestRuleOfTheDeletedEntryIsItsLast(t *testing.T) {
	r := open(t).rule(config.RulePerson)
	r.must(r.perform(act{do: "pend"}, owner, 0))
	r.must(r.setRule(owner, config.RuleNone, true))
	r.must(r.perform(act{do: "delete"}, owner, 0))
	r.must(r.perform(act{do: "pend"}, owner, 0))
	if e := r.get(id); e.Rule != config.RuleNone {
		t.Fatalf("made anew once: %+v", e)
	}
	r.must(r.setRule(editor, "", false)) // as the instance: a second person
	r.must(r.perform(act{do: "delete"}, editor, 0))
	if err := r.perform(act{do: "force"}, editor, 1); !errs.Is(err, errs.Invalid) {
		t.Errorf("in force at once: %v", err)
	}
	r.must(r.perform(act{do: "pend"}, editor, 1))
	if e := r.get(id); e.Rule != "" {
		t.Errorf("made anew twice: %+v", e)
	}
}

func TestRuleOfTheInstanceIsOnRecord(t *testing.T) {
	r := open(t)
	console := audit.Actor{Name: "console"}
	for _, tt := range []struct{ rule, before config.Rule }{{"", ""}, {config.RuleNone, ""}, {config.RuleBoth, config.RuleNone}, {config.RuleBoth, ""}, {config.RuleNone, config.RuleBoth}} {
		n := len(r.events())
		r.must(r.again(tt.rule).Begin(t.Context(), console))
		events := r.events()
		if tt.before == "" {
			if len(events) != n {
				t.Errorf("%q: %d events more", tt.rule, len(events)-n)
			}
			continue
		}
		if len(events) != n+1 || events[0].Action != audit.InstanceRule || events[0].Actor != console || changes(events[0]) != fmt.Sprintf("approval rule:%s>%s", tt.before, tt.rule) {
			t.Errorf("%q: %+v", tt.rule, events)
		}
	}
}

// Of an approval and a save at the same moment, and of a promotion and a withdrawal,
// one wins, and nothing is ever in force that was not approved.
func TestApprovalRaces(t *testing.T) {
	for round := range 20 {
		r := open(t).rule(config.RulePerson)
		r.inForceAndPending()
		hash := r.get(id).PendingHash
		ruling, d := r.ruling("fine"), r.onto(draft(id, 50+round))
		var approved, saved error
		both(func() { _, approved = r.Approve(t.Context(), editor, ruling) }, func() { _, saved = r.Save(t.Context(), second, d) })
		if (approved == nil) == (saved == nil) {
			t.Fatalf("approved %v, saved %v", approved, saved)
		}
		if e := r.get(id); e.Approved() != (approved == nil) || e.Approved() && e.PendingHash != hash {
			t.Fatalf("entry %+v", e)
		}
		if approved != nil {
			r.must(r.approve(editor))
		}
		m := config.Move{ID: id, Revision: r.get(id).Revision, Version: r.get(id).Pending}
		reject := r.ruling("no")
		var promoted, rejected error
		both(func() { _, promoted = r.Promote(t.Context(), owner, m) }, func() { _, rejected = r.Reject(t.Context(), editor, reject) })
		e := r.get(id)
		switch {
		case (promoted == nil) == (rejected == nil):
			t.Fatalf("promoted %v, rejected %v", promoted, rejected)
		case promoted == nil && e.Current != m.Version, rejected == nil && (e.Current != 1 || !e.Rejected()):
			t.Fatalf("entry %+v", e)
		}
	}
}

// both runs f and g at once.
func both(f, g func()) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for _, do := range []func(){f, g} {
		all.Go(func() { <-begin; do() })
	}
	close(begin)
	all.Wait()
}

func TestParseRule(t *testing.T) {
	for _, rule := range config.Rules() {
		if got, err := config.ParseRule(string(rule)); err != nil || got != rule || rule.Words() == "" {
			t.Errorf("%s: %s, %v", rule, got, err)
		}
	}
	for _, bad := range []string{"", "None", "four eyes"} {
		if _, err := config.ParseRule(bad); err == nil {
			t.Errorf("%q is a rule", bad)
		}
	}
}
