package config_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A model is an entry as anybody would describe it: no store, no seals.
type model struct {
	exists                     bool
	current, pending, previous int
	until                      time.Time
	revision                   int64
	passwords                  []string // of version 1 on
	revisions                  int64    // of the entries of this id that are gone
	events                     int
}

// expect says how a should end, and does it to the model if it succeeds. at is
// the time of a success.
func (m *model) expect(a act, n int, at time.Time) string {
	isSave := a.do == "pend" || a.do == "force"
	switch {
	case !m.exists && !isSave:
		return "not found"
	case m.exists && a.stale != 0:
		return "conflict"
	case !isSave && a.do != "discard" && a.do != "delete" && (a.version < 1 || a.version > len(m.passwords)):
		return "not found"
	case (a.do == "promote" || a.do == "discard") && (a.version == 0 || a.version != m.pending):
		return "conflict"
	case a.do == "rollback" && (a.version == m.current || a.version == m.pending):
		return "invalid"
	}
	m.do(a, n, at)
	m.events++
	return ""
}

func (m *model) do(a act, n int, at time.Time) {
	if !m.exists {
		*m = model{exists: true, revision: m.revisions, revisions: m.revisions, events: m.events}
	}
	m.revision++
	newest := len(m.passwords) + 1
	switch a.do {
	case "pend":
		m.pending = newest
	case "force": // the form starts from the newest: from a pending one, if there is one
		m.pending = 0
		m.force(newest, a.accept, at)
	case "promote":
		m.pending = 0
		m.force(a.version, a.accept, at)
	case "rollback":
		m.force(a.version, a.accept, at)
	case "discard":
		m.pending = 0
	case "delete":
		*m = model{revisions: m.revision - 1, events: m.events}
	}
	if a.do == "pend" || a.do == "force" {
		m.passwords = append(m.passwords, fmt.Sprint("pass-", n))
	}
}

func (m *model) force(n int, accept time.Duration, at time.Time) {
	m.previous, m.until = 0, time.Time{}
	if m.current != 0 && accept > 0 {
		m.previous, m.until = m.current, at.Add(accept)
	}
	m.current = n
}

// Random acts on an entry and on its model end in the same way and leave the
// same state.
func TestAgainstTheModel(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r, m := open(t), &model{}
			random := rand.New(rand.NewPCG(seed, 2))
			for n := range 60 {
				a := randomAct(random, m)
				got := kindOf(r.perform(a, owner, n))
				if want := m.expect(a, n, r.time); got != want {
					t.Fatalf("act %d, %+v on %+v: %q, want %q", n, a, m, got, want)
				}
				r.agrees(m, n, a)
			}
		})
	}
}

func randomAct(random *rand.Rand, m *model) act {
	a := act{do: []string{"pend", "pend", "force", "promote", "promote", "rollback", "rollback", "discard", "delete"}[random.IntN(9)]}
	if a.do == "delete" && random.IntN(3) > 0 {
		a.do = "pend"
	}
	a.version = random.IntN(len(m.passwords) + 2)
	if m.pending != 0 && random.IntN(2) == 0 {
		a.version = m.pending
	}
	a.accept = time.Duration(random.IntN(3)) * time.Hour
	if random.IntN(8) == 0 && m.revision > 1 {
		a.stale = 1
	}
	return a
}

func (r *room) agrees(m *model, n int, a act) {
	r.t.Helper()
	if got := len(r.events()); got != m.events {
		r.t.Fatalf("act %d, %+v: %d events, want %d", n, a, got, m.events)
	}
	e, err := r.Get(r.t.Context(), id)
	if !m.exists {
		if kindOf(err) != "not found" {
			r.t.Fatalf("act %d, %+v: the entry is there: %v", n, a, err)
		}
		return
	}
	if e.Current != m.current || e.Pending != m.pending || e.Previous != m.previous || !e.PreviousUntil.Equal(m.until) ||
		e.Revision != m.revision || e.Next != len(m.passwords)+1 {
		r.t.Fatalf("act %d, %+v: %+v, want %+v", n, a, e, m)
	}
	vs, err := r.Versions(r.t.Context(), id, 0, 1000)
	if err != nil || len(vs) != len(m.passwords) {
		r.t.Fatalf("act %d, %+v: %d versions, %v; want %d", n, a, len(vs), err, len(m.passwords))
	}
	slices.Reverse(vs)
	for i, v := range vs {
		if k, _ := v.Key("password"); k.Fingerprint != r.box.Fingerprint(m.passwords[i]) ||
			v.Number == e.Current && v.ContentHash != e.CurrentHash || v.Number == e.Pending && v.ContentHash != e.PendingHash {
			r.t.Fatalf("act %d, %+v: version %d is another", n, a, v.Number)
		}
	}
	if o, err := r.Open(r.t.Context(), id, e.Newest()); err != nil || o.Values["password"].Text().Reveal() != m.passwords[e.Newest()-1] {
		r.t.Fatalf("act %d, %+v: version %d opens as another: %v", n, a, e.Newest(), err)
	}
}
