package server

import (
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
)

// The second press of a button is answered as the first was, and changes
// nothing.
func TestPressedTwice(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	twice := func(said, to, action string, form ...string) {
		t.Helper()
		p.post(action, form...).leadsTo(to)
		p.get(to).want(200, said)
		before := h.dump()
		p.post(action, form...).leadsTo(to)
		h.unchanged(before, action+" once more")
		p.get(to).want(200, said)
		h.pass(time.Second)
	}
	slackForm := []string{"connector", "slack", "id", "acme:slack", "f.clientId", "c ", "f.clientSecret", "s", "key", "n", "value", "1", "secret", "no", "reason", "r"}
	edit := func(id, then string, revision, base string) []string {
		return append([]string{"other-app", "yes", "revision", revision, "base", base, "then", then, "f.clientId", id}, slackForm[6:]...)
	}
	twice("Saved as version 1, pending. Spaces at the end", slack, "/config", append(slackForm, "then", "pending")...)
	twice("Version 1 is in force", slack, slack+"/promote", "version", "1", "revision", "1", "hours", "24", "reason", "go")
	twice("Saved as version 2, pending", slack, slack, edit("two", "pending", "2", "1")...)
	twice("Version 2 is discarded", slack, slack+"/discard", "version", "2", "revision", "3")
	twice("Version 3 is saved and in force", slack, slack, edit("three", "current", "4", "1")...)
	twice("Rolled back: version 1 is in force", slack, slack+"/rollback", "version", "1", "revision", "5", "hours", "0")
	twice("Saved as version 4, pending", slack+"/scopes", slack+"/scopes", "revision", "6", "base", "1", "then", "pending", "scope", "b", "scope", "a")
	for a, n := range map[audit.Action]int{audit.EntryCreated: 1, audit.EntrySaved: 3, audit.EntryPromoted: 1, audit.EntryDiscarded: 1, audit.EntryRolledBack: 1} {
		if got := h.events(a); len(got) != n {
			t.Errorf("%d events of %s, want %d", len(got), a, n)
		}
	}
}

// What only looks like a repeat is told as the conflict that it is.
func TestNotARepeat(t *testing.T) {
	t.Parallel()
	const saved, promoted, discarded, same = "saved", "promoted", "discarded", "the same"
	form := []string{"revision", "1", "base", "1", "then", "pending", "f.clientId", "two", "f.clientSecret", "s", "reason", "r"}
	for _, tt := range []struct {
		name   string
		first  string // what was done before
		by     string // "" for the owner
		after  time.Duration
		action string
		form   []string
	}{
		{same, saved, "", 30 * time.Second, slack, form},
		{same + " promotion", promoted, "", time.Hour, slack + "/promote", []string{"version", "2", "revision", "2", "hours", "1", "reason", "r"}},
		{same + " discard", discarded, "", time.Hour, slack + "/discard", []string{"version", "2", "revision", "2", "reason", "r"}},
		{"another value", saved, "", 0, slack, append([]string{"f.clientId", "other"}, form...)},
		{"another secret", saved, "", 0, slack, append([]string{"f.clientSecret", "other"}, form...)},
		{"one key more", saved, "", 0, slack, append([]string{"key", "n", "value", "1", "secret", "no"}, form...)},
		{"another reason", saved, "", 0, slack, append([]string{"reason", "other"}, form...)},
		{"another scope", saved, "", 0, slack, append([]string{"scope", "x"}, form...)},
		{"the other button", saved, "", 0, slack, append([]string{"then", "current"}, form...)},
		{"somebody else", saved, "other@acme.example", 0, slack, form},
		{"long after", saved, "", time.Minute + time.Second, slack, form},
		{"promoted by somebody else", promoted, "other@acme.example", 0, slack + "/promote", []string{"version", "2", "revision", "2", "hours", "1", "reason", "r"}},
		{"promoted for another time", promoted, "", 0, slack + "/promote", []string{"version", "2", "revision", "2", "hours", "24", "reason", "r"}},
		{"promoted for another reason", promoted, "", 0, slack + "/promote", []string{"version", "2", "revision", "2", "hours", "1", "reason", "other"}},
		{"promoted, not discarded", promoted, "", 0, slack + "/discard", []string{"version", "2", "revision", "2", "reason", "r"}},
		{"discarded, not promoted", discarded, "", 0, slack + "/promote", []string{"version", "2", "revision", "2", "hours", "1", "reason", "r"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, plan{})
			first := audit.Actor{ID: must(seeded())(t).owner.ID, Name: ownerEmail}
			if tt.by != "" {
				first = audit.Actor{ID: "u2", Name: tt.by}
			}
			value := func(id string) []config.Input {
				return []config.Input{{Key: "clientId", Value: text(id)}, {Key: "clientSecret", Value: text("s")}}
			}
			h.save("acme:slack", func(d *config.Draft) { d.Values = value("one") })
			h.pass(time.Second)
			must(h.deps.Config.Save(t.Context(), first, config.Draft{ID: "acme:slack", Revision: 1, Base: 1, Values: value("two"), Reason: "r"}))(t)
			h.pass(time.Second)
			m := config.Move{ID: "acme:slack", Revision: 2, Version: 2, Accept: time.Hour, Reason: "r"}
			switch tt.first {
			case promoted:
				must(h.deps.Config.Promote(t.Context(), first, m))(t)
			case discarded:
				must(h.deps.Config.Discard(t.Context(), first, m))(t)
			}
			h.pass(tt.after)
			a := h.owner().post(tt.action, firstValues(tt.form)...)
			if strings.HasPrefix(tt.name, same) {
				a.leadsTo(slack)
				return
			}
			a.want(409)
			if strings.HasSuffix(tt.action, "mote") || strings.HasSuffix(tt.action, "card") {
				a.want(409, "This form was not carried out").lacks("Nothing was changed")
			}
			if n := len(h.events(audit.EntrySaved)); n != 1 {
				t.Errorf("%d saves, want the first alone", n)
			}
		})
	}
}

// firstValues keeps the first value of each field.
func firstValues(form []string) (out []string) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(form); i += 2 {
		if seen[form[i]] {
			continue
		}
		seen[form[i]], out = true, append(out, form[i], form[i+1])
	}
	return out
}
