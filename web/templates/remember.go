package templates

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"

	"github.com/a-h/templ"
)

// A page of fifty rows has hundreds of icons and statuses, but only a few
// dozen different ones. Each is drawn once and then written as it is.

// drawn is markup that a component has drawn.
type drawn string

// Render writes the markup.
func (d drawn) Render(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, string(d))
	return err
}

// memory keeps what components were drawn as: a component is a function of its
// key, so the same key is the same markup. With keys of this package alone it
// cannot grow without bound; with content from outside it has a max, beyond
// which any one is forgotten for the next. It is safe for concurrent use.
type memory[K comparable] struct {
	max  int // 0 for none
	mu   sync.RWMutex
	seen map[K]templ.Component
}

// remember returns the markup that draw gives for key, and draws it the first
// time. What cannot be drawn is left to fail where it is used.
func (m *memory[K]) remember(key K, draw func() templ.Component) templ.Component {
	m.mu.RLock()
	c, ok := m.seen[key]
	m.mu.RUnlock()
	if ok {
		return c
	}
	var b strings.Builder
	fresh := draw()
	if err := fresh.Render(context.Background(), &b); err != nil {
		return fresh
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[K]templ.Component{}
	}
	if m.max > 0 && len(m.seen) >= m.max {
		for k := range m.seen {
			delete(m.seen, k)
			break
		}
	}
	m.seen[key] = drawn(b.String())
	return m.seen[key]
}

var (
	icons         memory[string]
	healthMarkups memory[statusKey[Health]]
	resultMarkups memory[statusKey[Verdict]]
	helpMarkups   memory[[2]bool]

	entryRows = memory[EntryRow]{max: 1024}
	times     = memory[Time]{max: 1024}
	topbars   = memory[Frame]{max: 128}
	heads     = memory[EntryHead]{max: 128}
	valueRows = memory[valueRowKey]{max: 512}
	standings = memory[standingKey]{max: 256}
	compares  = memory[compareKey]{max: 64}
	sidebars  = memory[Frame]{max: 32}
)

type statusKey[S any] struct {
	status S
	soft   bool
}

// icon draws a symbol of icons.svg. It is always hidden from screen readers:
// the word beside it is the name.
func icon(name string) templ.Component {
	return icons.remember(name, func() templ.Component { return iconMarkup(name) })
}

// verdict draws a status as icon and word in its tone.
func verdict(s status) templ.Component { return statusMarkup(s, false) }

// softVerdict is verdict for rows: what is well stays quiet.
func softVerdict(s status) templ.Component { return statusMarkup(s, true) }

// statusMarkup remembers the statuses that this package knows; one with a word
// of its own is drawn each time.
func statusMarkup(s status, soft bool) templ.Component {
	draw := func() templ.Component {
		if soft {
			return softMarkup(s)
		}
		return verdictMarkup(s)
	}
	switch known := s.(type) {
	case Health:
		if known.known() {
			return healthMarkups.remember(statusKey[Health]{known, soft}, draw)
		}
	case Verdict:
		if known.known() {
			return resultMarkups.remember(statusKey[Verdict]{known, soft}, draw)
		}
	}
	return draw()
}

// entryRow draws one line of /config. Most lines are those of the last request.
func entryRow(r EntryRow) templ.Component {
	return entryRows.remember(r, func() templ.Component { return entryRowMarkup(r) })
}

// entryTop draws the name, the state and the tabs of an entry.
func entryTop(h EntryHead) templ.Component {
	return heads.remember(h, func() templ.Component { return entryTopMarkup(h) })
}

// A valueRowKey is a row of the tab Values with what it says of its page.
type valueRowKey struct {
	id, version, against string
	row                  ValueRow
}

func (k valueRowKey) revealURL() string {
	q := url.Values{"version": {k.version}, "key": {k.row.Key}}
	return entryPath(k.id, "reveal") + "?" + q.Encode()
}

// valueRow draws one key of a version. A sealed value is its fingerprint here.
func valueRow(k valueRowKey) templ.Component {
	return valueRows.remember(k, func() templ.Component { return valueRowMarkup(k) })
}

type standingKey struct {
	version StandingVersion
	label   Label
}

// standingVersion draws a version that a label points at.
func standingVersion(s StandingVersion, l Label) templ.Component {
	return standings.remember(standingKey{s, l}, func() templ.Component { return standingVersionMarkup(s, l) })
}

type compareKey struct{ id, keys string }

// comparePaste draws the form that compares a paste. Before a comparison it is
// the same for every version of an entry that has the same keys.
func comparePaste(id string, c CompareForm) templ.Component {
	if c.Error != "" || len(c.Result) > 0 {
		return comparePasteMarkup(id, c)
	}
	key := compareKey{id: id}
	for _, k := range c.Keys {
		key.keys += fmt.Sprintf("%q %q %t\n", k.Name, k.Label, k.Selected)
	}
	return compares.remember(key, func() templ.Component { return comparePasteMarkup(id, c) })
}

// when draws an instant as people say it, with the exact time behind it.
func when(t Time) templ.Component {
	return times.remember(t, func() templ.Component { return whenMarkup(t) })
}

// DrawTestBody draws what stands below the head of EntryTest, for a caller that
// knows when it is the same again.
func DrawTestBody(p EntryTestPage) (templ.Component, error) {
	var b strings.Builder
	if err := testBody(p).Render(context.Background(), &b); err != nil {
		return nil, fmt.Errorf("drawing a report: %w", err)
	}
	return drawn(b.String()), nil
}

// topbar and sidebar are the same on most pages that a person opens in a row.
// What they do not draw is taken out of the key.
func topbar(f Frame) templ.Component {
	f.Trouble, f.Note = "", ""
	f.Title, f.Toast, f.ToastRecord, f.AddressWarning, f.Refresh, f.Rehearsal, f.Section = "", "", "", "", "", false, SectionNone
	f.EventCount, f.EntryCount, f.ConnectorCount, f.Version = "", "", "", ""
	return topbars.remember(f, func() templ.Component { return topbarMarkup(f) })
}

func sidebar(f Frame) templ.Component {
	f.Trouble, f.Note = "", ""
	f.Title, f.Toast, f.ToastRecord, f.AddressWarning, f.Refresh, f.Rehearsal, f.Path, f.User, f.Environment = "", "", "", "", "", false, "", "", ""
	return sidebars.remember(f, func() templ.Component { return sidebarMarkup(f) })
}

// shortcuts is the list of keyboard shortcuts, without those to pages that the
// person may not open.
func shortcuts(may May) templ.Component {
	return helpMarkups.remember([2]bool{may.News, may.Audit}, func() templ.Component { return shortcutsMarkup(may.News, may.Audit) })
}
