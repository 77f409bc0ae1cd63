package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"backoffice/internal/audit"
)

// An act is one change of an entry that a test asks for.
type act struct {
	action  audit.Action
	version int    // that it makes or moves
	force   bool   // a save that puts in force
	accept  bool   // a move that lets the version before count on
	client  string // client ID that a save makes
	tag     string // in the client secret that a save makes
}

// mark is the act as its event in the log says it.
func (a act) mark() string { return fmt.Sprintf("%s %d", a.action, a.version) }

// A model is an entry as it must be after the acts that were acknowledged. Only one
// goroutine changes the entry, so that it is known exactly; but for the act that
// was under way when the program was killed, which may have happened or not.
type model struct {
	id                               string
	there                            bool
	current, pending, previous, next int
	revision                         int64
	clients, tags                    map[int]string // by version
	log                              []string       // marks of all events about it

	doubt *act
}

func newModel(id string) *model {
	return &model{id: id, next: 1, clients: map[int]string{}, tags: map[int]string{}}
}

// after changes the model as the act changes the entry.
func (m *model) after(a act) {
	m.log = append(m.log, a.mark())
	m.revision++
	switch a.action {
	case audit.EntryCreated, audit.EntrySaved:
		m.there = true
		m.clients[a.version], m.tags[a.version], m.next = a.client, a.tag, a.version+1
		if !a.force {
			m.pending = a.version
			return
		}
		if m.pending == m.newest() && m.pending != 0 {
			m.pending = 0 // it was made from it
		}
		m.inForce(a.version, false)
	case audit.EntryPromoted, audit.EntryRolledBack:
		if m.pending == a.version {
			m.pending = 0
		}
		m.inForce(a.version, a.accept)
	case audit.EntryDiscarded:
		m.pending = 0
	case audit.EntryDeleted:
		m.revision-- // the next one of this id goes on from here
		*m = model{id: m.id, next: 1, revision: m.revision, log: m.log, clients: map[int]string{}, tags: map[int]string{}}
	}
}

func (m *model) inForce(n int, accept bool) {
	m.previous = 0
	if accept {
		m.previous = m.current
	}
	m.current = n
}

// newest is the version that a form is made from.
func (m *model) newest() int {
	switch {
	case m.pending != 0:
		return m.pending
	case m.current != 0:
		return m.current
	}
	return m.next - 1
}

// copied is the model, for trying an act on.
func (m *model) copied() *model {
	c := *m
	c.log = slices.Clone(m.log)
	c.clients, c.tags = map[int]string{}, map[int]string{}
	for n := range m.clients {
		c.clients[n], c.tags[n] = m.clients[n], m.tags[n]
	}
	c.doubt = nil
	return &c
}

// choose decides on the next act from random numbers.
func (m *model) choose(pick func(n int) int, tag string) act {
	save := act{action: audit.EntrySaved, version: m.next, force: pick(3) == 0, client: "client-" + tag, tag: tag}
	if !m.there {
		save.action = audit.EntryCreated
		return save
	}
	var earlier []int
	for n := 1; n < m.next; n++ {
		if n != m.current && n != m.pending {
			earlier = append(earlier, n)
		}
	}
	switch n := pick(20); {
	case n == 0 || m.next > 40:
		return act{action: audit.EntryDeleted, version: m.current}
	case n < 8 && m.pending != 0:
		return act{action: audit.EntryPromoted, version: m.pending, accept: pick(2) == 0}
	case n < 10 && m.pending != 0:
		return act{action: audit.EntryDiscarded, version: m.pending}
	case n < 12 && len(earlier) > 0:
		return act{action: audit.EntryRolledBack, version: earlier[pick(len(earlier))]}
	}
	return save
}

// form is the request that asks for the act.
func (m *model) form(a act) (path string, form url.Values) {
	form = url.Values{"revision": {strconv.FormatInt(m.revision, 10)}, "version": {strconv.Itoa(a.version)}}
	if a.accept {
		form.Set("hours", "168")
	}
	path = "/config/" + m.id
	switch a.action {
	case audit.EntryCreated, audit.EntrySaved:
		form.Del("version")
		for k, v := range map[string]string{"f.clientId": a.client, "f.clientSecret": secretOf(a.tag), "f.region": "US", "f.apiVersion": "2.10",
			"then": map[bool]string{true: "current", false: "pending"}[a.force], "reason": "Under load"} {
			form.Set(k, v)
		}
		form.Set("base", strconv.Itoa(m.newest()))
		form.Set("other-app", "yes") // each save has another client ID
		if a.action == audit.EntryCreated {
			form.Del("revision")
			form.Del("base")
			form.Set("id", m.id)
			form.Set("connector", "intercom")
			path = "/config"
		}
	case audit.EntryPromoted:
		path += "/promote"
	case audit.EntryRolledBack:
		path += "/rollback"
	case audit.EntryDiscarded:
		path += "/discard"
	case audit.EntryDeleted:
		path += "/delete"
		form.Set("confirm", m.id)
	}
	return path, form
}

func secretOf(tag string) string { return "secret-of-" + tag + "-0123456789abcdef" }

// A stored is an entry as the data file has it.
type stored struct {
	there                            bool
	current, pending, previous, next int
	revision                         int64
	clients, secrets                 map[int]string
}

// holds says what of the entry is not as the model has it.
func (m *model) holds(s stored) error {
	if s.there != m.there {
		return fmt.Errorf("%s: there %v, want %v", m.id, s.there, m.there)
	}
	if !m.there {
		return nil
	}
	var faults []error
	for _, f := range []struct {
		what      string
		got, want int64
	}{{"current", int64(s.current), int64(m.current)}, {"pending", int64(s.pending), int64(m.pending)}, {"previous", int64(s.previous), int64(m.previous)},
		{"next", int64(s.next), int64(m.next)}, {"revision", s.revision, m.revision}, {"versions", int64(len(s.clients)), int64(len(m.clients))}} {
		if f.got != f.want {
			faults = append(faults, fmt.Errorf("%s: %s is %d, want %d", m.id, f.what, f.got, f.want))
		}
	}
	for n, want := range m.clients {
		if s.clients[n] != want || s.secrets[n] != secretOf(m.tags[n]) {
			faults = append(faults, fmt.Errorf("version %d of %s opens as %q and %q, want %q and %q", n, m.id, s.clients[n], s.secrets[n], want, secretOf(m.tags[n])))
		}
	}
	return errors.Join(faults...)
}

// settle compares the entry with what was acknowledged, and finds out whether the
// act in doubt happened. Its event must say the same as its state.
func (m *model) settle(s stored, log []string) (happened bool, err error) {
	err = errors.Join(m.holds(s), m.recorded(log))
	if m.doubt == nil || err == nil {
		m.doubt = nil
		return false, err
	}
	other := m.copied()
	other.after(*m.doubt)
	if otherErr := errors.Join(other.holds(s), other.recorded(log)); otherErr != nil {
		return false, fmt.Errorf("neither without %s: %w; nor with it: %w", m.doubt.mark(), err, otherErr)
	}
	*m = *other
	return true, nil
}

func (m *model) recorded(log []string) error {
	if slices.Equal(log, m.log) {
		return nil
	}
	return fmt.Errorf("the log has %d events about %s, want %d; the last of them %v, want %v", len(log), m.id, len(m.log), last(log), last(m.log))
}

func last(log []string) []string { return log[max(0, len(log)-4):] }
