package server

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/oauth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// A listRow is an entry with what lists know of it, before it is formatted.
type listRow struct {
	entry    *config.Entry
	name     string // of the connector
	standing standing
	pending  *standing // nil if nothing is pending
}

// A listing is every entry with its standing. It is shared by all requests until
// something changes, so that a list of 10,000 entries costs a request no more
// than the rows that it shows.
type listing struct {
	rows    []*listRow // in the order of the ids
	counts  map[templates.Health]int
	waiting int // entries with a pending version

	mu     sync.Mutex
	sorted map[string][]*listRow // by the column and the direction
}

// A listCache keeps a listing for all entries, and one for each pattern that
// somebody's role has, for as long as the entries and their health are those that
// it was made from. Both rooms hand out the same slice and the same map until
// something changes.
type listCache struct {
	mu sync.Mutex
	of map[auth.Pattern]*keptList
}

// maxLists is how many are kept.
const maxLists = 32

type keptList struct {
	all     []config.Entry // that entries was chosen from
	entries []config.Entry
	healths map[config.ID]oauth.Health
	listing *listing
}

// at is what is kept for a pattern, with the entries of now. The caller holds mu.
func (l *listCache) at(p auth.Pattern, all []config.Entry) *keptList {
	k := l.of[p]
	if k != nil && sameSlice(k.all, all) {
		return k
	}
	if l.of == nil || k == nil && len(l.of) >= maxLists {
		l.of = map[auth.Pattern]*keptList{}
	}
	k = &keptList{all: all, entries: all}
	if !p.All() {
		k.entries = slices.DeleteFunc(slices.Clone(all), func(e config.Entry) bool { return !p.Covers(string(e.ID)) })
	}
	l.of[p] = k
	return k
}

// entries is every entry that the person's role is for, in the order of the ids. A page asks for them more than
// once, so a request asks the store once; nothing asks before it has changed
// what it came to change.
func (g gate) entries(c echo.Context) (_ []config.Entry, err error) {
	v := visitOf(c)
	if v.entries != nil {
		return v.entries, nil
	}
	if v.all, err = g.Config.All(c.Request().Context()); err != nil {
		return nil, err
	}
	g.lists.mu.Lock()
	defer g.lists.mu.Unlock()
	v.entries = g.lists.at(v.user.Entries, v.all).entries
	return v.entries, nil
}

// healths is the health of every entry that was tested, whoever may see it, once a request.
func (g gate) healths(c echo.Context) (_ map[config.ID]oauth.Health, err error) {
	v := visitOf(c)
	if v.healths != nil {
		return v.healths, nil
	}
	if _, err := g.entries(c); err != nil {
		return nil, err
	}
	v.healths, err = g.OAuth.HealthOfAll(c.Request().Context(), v.all)
	return v.healths, err
}

// open is config.Open, and version config.Version: a page that shows a version asks
// for it again for its head and for its labels.
func (g gate) open(c echo.Context, id config.ID, n int) (config.Opened, error) {
	o, err := g.Config.Open(c.Request().Context(), id, n)
	if err == nil {
		visitOf(c).version = o.Version
	}
	return o, err
}

func (g gate) version(c echo.Context, id config.ID, n int) (config.Version, error) {
	if v := visitOf(c).version; v.Entry == id && v.Number == n {
		return v, nil // versions never change
	}
	return g.Config.Version(c.Request().Context(), id, n)
}

// listed is the listing of now.
func (g gate) listed(c echo.Context) (*listing, error) {
	if _, err := g.entries(c); err != nil {
		return nil, err
	}
	tested, err := g.healths(c)
	if err != nil {
		return nil, err
	}
	v := visitOf(c)
	g.lists.mu.Lock()
	defer g.lists.mu.Unlock()
	k := g.lists.at(v.user.Entries, v.all)
	if k.listing == nil || reflect.ValueOf(k.healths).Pointer() != reflect.ValueOf(tested).Pointer() {
		k.healths, k.listing = tested, g.list(k.entries, tested)
	}
	return k.listing, nil
}

func sameSlice(a, b []config.Entry) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func (g gate) list(all []config.Entry, tested map[config.ID]oauth.Health) *listing {
	l := &listing{rows: make([]*listRow, len(all)), counts: map[templates.Health]int{}, sorted: map[string][]*listRow{}}
	rows := make([]listRow, len(all)) // one piece of memory: less for the garbage collector to follow
	for i := range all {
		e := &all[i]
		rows[i] = listRow{entry: e, name: "No definition", standing: g.entryStanding(*e, tested[e.ID])}
		r := &rows[i]
		if d, ok := g.Catalogue.Get(e.Connector); ok {
			r.name = d.Name
		}
		if e.Pending != 0 {
			s := g.checked(*e, tested[e.ID].Pending)
			r.pending = &s
			l.waiting++
		}
		l.rows[i] = r
		l.counts[r.standing.Health]++
	}
	return l
}

// choose returns the rows that q asks for, in its order, and how many of those
// that its text finds have each health. The results are shared.
func (l *listing) choose(q listQuery) ([]*listRow, map[templates.Health]int) {
	rows := l.order(q)
	if q.text == "" && q.health == "" {
		return rows, l.counts
	}
	text, counts := strings.ToLower(q.text), map[templates.Health]int{}
	var out []*listRow
	for _, r := range rows {
		if !r.has(text) {
			continue
		}
		counts[r.standing.Health]++
		if q.health == "" || r.standing.Health.String() == q.health {
			out = append(out, r)
		}
	}
	return out, counts
}

// has reports whether a filter in lower case finds the row.
func (r *listRow) has(text string) bool {
	return strings.Contains(strings.ToLower(string(r.entry.ID)), text) || strings.Contains(strings.ToLower(r.name), text)
}

// order is all rows as q sorts them; each order is made once.
func (l *listing) order(q listQuery) []*listRow {
	if (q.sort == "" || q.sort == "id") && !q.down {
		return l.rows
	}
	key := q.sort
	if q.down {
		key += " down"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sorted[key] == nil {
		rows := slices.Clone(l.rows)
		slices.SortStableFunc(rows, q.compare())
		l.sorted[key] = rows
	}
	return l.sorted[key]
}

// comparisons has one order for each column of the list.
var comparisons = map[string]func(a, b *listRow) int{
	"id":        func(a, b *listRow) int { return cmp.Compare(a.entry.ID, b.entry.ID) },
	"connector": func(a, b *listRow) int { return cmp.Compare(a.name, b.name) },
	"health":    func(a, b *listRow) int { return cmp.Compare(harm(a), harm(b)) },
	"version":   func(a, b *listRow) int { return cmp.Compare(a.entry.Current, b.entry.Current) },
	"tested":    func(a, b *listRow) int { return a.standing.Tested.Compare(b.standing.Tested) },
	"changed":   func(a, b *listRow) int { return a.entry.Changed.Compare(b.entry.Changed) },
	"by":        func(a, b *listRow) int { return cmp.Compare(a.entry.ChangedBy, b.entry.ChangedBy) },
}

// harm is the place of a row's health among all, most harm first.
func harm(r *listRow) int { return slices.Index(templates.Healths(), r.standing.Health) }

// compare compares two rows as q sorts them.
func (q listQuery) compare() func(a, b *listRow) int {
	by := comparisons[cmp.Or(q.sort, "id")]
	if q.down {
		return func(a, b *listRow) int { return by(b, a) }
	}
	return by
}
