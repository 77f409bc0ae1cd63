package audit

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/store"
)

// mostTallied is how many names of a text are counted one by one.
const mostTallied = 12

// A tally counts the events of a filter between two numbers.
type tally struct {
	filter Filter
	// The events of these indexes are those of the filter, if counted is set: an
	// index knows how many it has before each.
	indexes []string
	counted bool
	but     bool  // the events of the filter are all others
	twice   bool  // an event may be in two of them
	finer   int64 // the first event that they count
	last    map[string]ranking
}

// A ranking is how many events an index has before a number.
type ranking struct{ at, count int64 }

// tally finds out how the filter's events can be counted.
func (f Filter) tally(r store.Reader) (t tally, err error) {
	f.From, f.To, f.Before, f.Limit = time.Time{}, time.Time{}, 0, 0
	t = tally{filter: f, last: map[string]ranking{}}
	total, err := size(r)
	if err != nil {
		return t, err
	}
	if t.finer, err = finer(r, total); err != nil {
		return t, err
	}
	if prefix := f.prefix(); prefix != eventPrefix {
		t.indexes, t.counted = []string{prefix}, f.single()
		return t, nil
	}
	if f.Outcome == Done && f.single() { // all but the others
		t.indexes, t.counted, t.but = []string{indexPrefix("outcome", string(Failed)), indexPrefix("outcome", string(Refused))}, true, true
		return t, nil
	}
	if f.Text == "" || !f.single() {
		return t, nil
	}
	names, sure, err := namesWith(r, f.Text)
	if err != nil || !sure || len(names) > mostTallied {
		return t, err
	}
	t.counted, t.indexes = true, names
	fields := map[string]bool{}
	for _, ix := range names {
		fields[field(ix)] = true
	}
	t.twice = len(fields) > 1
	return t, nil
}

// single reports whether the filter has nothing but what its index is of.
func (f Filter) single() bool {
	switch {
	case f.Target != "":
		f.Target = ""
	case f.Who != "":
		f.Who = ""
	case f.Addr != "":
		f.Addr = ""
	case f.Action != "":
		f.Action = ""
	case f.Outcome != "":
		f.Outcome = ""
	default:
		f.Text = ""
	}
	return f.All()
}

// count is how many of the events in [lo, hi) the filter chooses. about says that
// it is an estimate.
func (t tally) count(r store.Reader, lo, hi int64) (n int64, about bool, err error) {
	if t.filter.All() {
		return hi - lo, false, nil
	}
	border, err := indexed(r, hi)
	if err != nil {
		return 0, false, err
	}
	border = min(max(lo, border), hi)
	early := min(max(lo, t.finer), border)
	old, oldAbout, err := t.sample(r, lo, early)
	if err != nil {
		return 0, false, err
	}
	waiting, _, err := t.every(r, border, hi)
	if err != nil {
		return 0, false, err
	}
	var middle int64
	switch {
	case early >= border:
	case t.counted:
		middle, err = t.ranked(r, early, border)
		about = t.twice && middle > 0
	case len(t.indexes) == 1 && t.filter.prefix() != eventPrefix:
		middle, about, err = t.estimate(r, early, border)
	default:
		middle, about, err = t.sample(r, early, border)
	}
	return old + middle + waiting, about || oldAbout, err
}

// ranked counts by the indexes alone.
func (t tally) ranked(r store.Reader, lo, hi int64) (n int64, err error) {
	for _, ix := range t.indexes {
		last, ok := t.last[ix]
		if !ok || last.at != lo {
			if _, last.count, err = rank(r, ix, lo); err != nil {
				return 0, err
			}
		}
		_, after, err := rank(r, ix, hi)
		if err != nil {
			return 0, err
		}
		n += after - last.count
		t.last[ix] = ranking{hi, after}
	}
	if t.but {
		n = hi - lo - n
	}
	return min(n, hi-lo), nil
}

// rank returns the first event of an index from number n on, and how many were
// indexed before it.
func rank(r store.Reader, ix string, n int64) (next, before int64, err error) {
	rng := store.Range{Prefix: ix, Limit: 1}
	if n > 0 {
		rng.After = fmt.Sprintf("%s%016d", ix, n-1)
	}
	items, err := r.Scan(rng)
	if err != nil || len(items) == 0 {
		return n, 0, err
	}
	if next, err = strconv.ParseInt(strings.TrimPrefix(items[0].Key, ix), 10, 64); err == nil {
		before, err = strconv.ParseInt(string(items[0].Value), 36, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("key %q of the audit log is damaged", items[0].Key)
	}
	return next, before, nil
}

// estimate looks at some events of the one index, as others of the filter's names
// have to hold too.
func (t tally) estimate(r store.Reader, lo, hi int64) (n int64, about bool, err error) {
	all, err := t.ranked(r, lo, hi)
	if err != nil || all == 0 {
		return 0, false, err
	}
	var looked, chosen int64
	last := int64(-1)
	for i := range min(int64(sampled), hi-lo) {
		at := max(last+1, lo+i*(hi-lo)/sampled)
		if all <= sampled {
			at = max(last+1, lo)
		}
		next, _, err := rank(r, t.indexes[0], at)
		if err != nil {
			return 0, false, err
		}
		if next >= hi {
			break
		}
		e, err := read(r, next)
		if err != nil {
			return 0, false, err
		}
		if last, looked = next, looked+1; t.filter.matches(e) {
			chosen++
		}
	}
	if looked == all || looked == 0 {
		return chosen, false, nil
	}
	return chosen * all / looked, true, nil
}

// sample looks at some of all events.
func (t tally) sample(r store.Reader, lo, hi int64) (n int64, about bool, err error) {
	if hi-lo <= sampled {
		return t.every(r, lo, hi)
	}
	for i := range int64(sampled / inRow) { // events in a row are on one page of the file
		at := lo + i*(hi-lo-inRow)/(sampled/inRow-1)
		some, _, err := t.every(r, at, at+inRow)
		if err != nil {
			return 0, false, err
		}
		n += some
	}
	return n * (hi - lo) / sampled, true, nil
}

// every looks at all events.
func (t tally) every(r store.Reader, lo, hi int64) (n int64, about bool, err error) {
	if lo >= hi {
		return 0, false, nil
	}
	rng := store.Range{Prefix: eventPrefix, Limit: int(hi - lo)}
	if lo > 0 {
		rng.After = eventKey(lo - 1)
	}
	items, err := r.Scan(rng)
	if err != nil {
		return 0, false, err
	}
	for i, it := range items {
		e, err := decode(it.Value, lo+int64(i))
		if err != nil {
			return 0, false, err
		}
		if t.filter.matches(e) {
			n++
		}
	}
	return n, false, nil
}

// firstFrom returns the number, in [lo, hi], of the first event that is not before t.
// It begins where that event is if the rest of the log went on evenly, and looks
// wider and wider around that.
func firstFrom(r getter, t time.Time, lo, hi int64) (int64, error) {
	before := func(n int64) (bool, error) {
		at, err := timeOf(r, n)
		return at.Before(t), err
	}
	guess, err := evenly(r, t, lo, hi)
	if err != nil || lo >= hi {
		return lo, err
	}
	for wide := int64(1); lo < hi; wide *= 4 {
		early, err := before(guess)
		if err != nil {
			return 0, err
		}
		if early {
			if lo = guess + 1; lo >= hi {
				return hi, nil
			}
			guess = min(guess+wide, hi-1)
		} else {
			if hi = guess; hi <= lo {
				return lo, nil
			}
			guess = max(guess-wide, lo)
		}
		if wide > 4 && wide >= (hi-lo)/4 {
			break
		}
	}
	n := lo + int64(sort.Search(int(hi-lo), func(i int) bool {
		early, readErr := before(lo + int64(i))
		err = errors.Join(err, readErr)
		return !early
	}))
	return n, err
}

// evenly is the number, in [lo, hi), that an event at t has if times rise evenly.
func evenly(r getter, t time.Time, lo, hi int64) (int64, error) {
	if lo >= hi {
		return lo, nil
	}
	first, err := timeOf(r, lo)
	if err != nil {
		return 0, err
	}
	last, err := timeOf(r, hi-1)
	if err != nil {
		return 0, err
	}
	if !t.After(first) || !last.After(first) {
		return lo, nil
	}
	share := min(1, float64(t.Sub(first))/float64(last.Sub(first)))
	return lo + int64(share*float64(hi-1-lo)), nil
}

// timeOf is the time of event n. It stands at the beginning of its bytes, where it
// can be read without the rest.
func timeOf(r getter, n int64) (time.Time, error) {
	b, err := r.Get(eventKey(n))
	if err != nil {
		return time.Time{}, fmt.Errorf("event %d: %w", n, err)
	}
	if rest, ok := bytes.CutPrefix(b, fmt.Appendf(nil, `{"n":%d,"time":"`, n)); ok {
		if end := bytes.IndexByte(rest, '"'); end > 0 {
			if t, err := time.Parse(time.RFC3339Nano, string(rest[:end])); err == nil {
				return t, nil
			}
		}
	}
	e, err := decode(b, n)
	return e.Time, err
}
