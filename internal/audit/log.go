package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

func sortedKeys(m map[Action]string) []Action { return slices.Sorted(maps.Keys(m)) }

// A Log reads the events. It is safe for concurrent use.
type Log struct {
	store   store.Store
	archive *Archive // nil: none
}

// NewLog returns the log that Append writes in s.
func NewLog(s store.Store) *Log { return &Log{store: s} }

// With returns the log as it is with the files of an archive.
func (l *Log) With(a *Archive) *Log { return &Log{l.store, a} }

// A Filter chooses events. Empty fields choose all; the others must all hold.
type Filter struct {
	Who     string // the account's address, exactly
	Action  Action
	Target  string // exactly
	Outcome Outcome
	Addr    string    // the address that the request came from, exactly
	Text    string    // in one of the names: person, target or action; case does not matter
	From    time.Time // inclusive
	To      time.Time // exclusive
	Before  int64     // only events with a smaller number; 0 means from the newest on
	Limit   int       // at most so many events; 0 means 50

	Only func(Event) bool // what the reader may see; nil for everything
}

// A Page is a part of the log, newest first. If More is set, the next page is
// the one with Before set to Next.
type Page struct {
	Events []Event
	More   bool
	Next   int64
	Total  int64 // events in the whole log, whatever the filter

	// Missing says, for each archive file that could not be read and may have
	// events of this page, which one it is and what to do.
	Missing []string
}

// examined bounds the work of one page: a rare combination of filters ends a
// page early, with More set, instead of reading a million events.
const examined = 20_000

// clockSlack is how far the times of events may be out of order in any log, because
// a time is taken before the transaction that gives the number. Where the clock of
// the machine went back, it is more: see slack.
const clockSlack = time.Minute

// List returns the events that f chooses. It returns an error only if the store
// fails or an event cannot be read.
func (l *Log) List(ctx context.Context, f Filter) (Page, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	li := lister{filter: f}
	err := l.store.View(ctx, func(r store.Reader) error {
		li.r = r
		return li.inStore()
	})
	if err == nil && !li.full {
		err = li.inArchive(l.archive)
	}
	if err != nil {
		return Page{}, fmt.Errorf("listing the audit log: %w", err)
	}
	return li.page, nil
}

// inStore goes through the events that are in the store, and finds out which
// archive files may have more.
func (l *lister) inStore() (err error) {
	if l.page.Total, err = size(l.r); err != nil {
		return err
	}
	border, err := dropped(l.r)
	if err != nil {
		return err
	}
	if l.lo, l.hi, err = l.filter.bounds(l.r, l.page.Total); err != nil {
		return err
	}
	l.page.Next = l.hi
	if l.full, err = l.search(max(l.lo, border)); l.full || err != nil {
		return err
	}
	l.page.More = false
	if l.lo < border {
		l.files, err = volumes(l.r, l.lo, min(l.hi, border))
	}
	l.hi = min(l.hi, border)
	return err
}

// search goes through the events in the store, from number lo on.
func (l *lister) search(lo int64) (full bool, err error) {
	if l.filter.Text != "" && l.filter.prefix() == eventPrefix {
		return l.byName(lo)
	}
	stretches, err := l.filter.stretches(l.r, lo, l.hi)
	if err != nil {
		return false, err
	}
	for _, s := range slices.Backward(stretches) {
		if full, err = l.list(s); full || err != nil {
			return full, err
		}
	}
	return false, nil
}

// inArchive goes through the archive files, newest first. There are no indexes:
// what cannot match is passed over by its bytes.
func (l *lister) inArchive(a *Archive) error {
	marks, err := l.filter.marks()
	if err != nil {
		return err
	}
	for _, v := range slices.Backward(l.files) {
		if v.outside(l.filter) {
			continue
		}
		leaves, err := a.leaves(v)
		if err != nil {
			kind, msg := errs.Of(err)
			if kind != errs.Unavailable {
				return err
			}
			l.page.Missing = append(l.page.Missing, msg)
			continue
		}
		for n := min(v.To, l.hi) - 1; n >= max(v.From, l.lo); n-- {
			if l.done >= examined || len(l.page.Events) == l.filter.Limit {
				l.page.More = true
				return nil
			}
			l.page.Next = n
			l.done++
			if leaf := leaves[n-v.From]; has(leaf, marks) {
				e, err := decode(leaf, n)
				if err != nil {
					return err
				}
				if l.filter.matches(e) {
					l.page.Events = append(l.page.Events, e)
				}
			}
		}
	}
	return nil
}

// marks are bytes that every event of the filter has.
func (f Filter) marks() (out [][]byte, err error) {
	for _, s := range []string{f.Who, string(f.Action), f.Target, string(f.Outcome)} {
		if s == "" {
			continue
		}
		b, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// A stretch is a part of the log, [lo, hi), and the prefix of the keys that name
// its events.
type stretch struct {
	prefix string
	lo, hi int64
}

// late reports whether the filter's index is younger than the log may be.
func (f Filter) late() bool { return f.Target == "" && f.Who == "" && f.Addr != "" }

// stretches are where the filter's events in [lo, hi) are, the oldest first: those
// that are indexed, and those that are not yet.
func (f Filter) stretches(r getter, lo, hi int64) ([]stretch, error) {
	prefix := f.prefix()
	if prefix == eventPrefix {
		return []stretch{{prefix, lo, hi}}, nil
	}
	border, err := indexed(r, hi)
	if err != nil {
		return nil, err
	}
	border = max(lo, border)
	begin := lo
	if f.late() {
		if begin, err = finer(r, border); err != nil {
			return nil, err
		}
		begin = max(lo, begin)
	}
	return []stretch{{eventPrefix, lo, begin}, {prefix, begin, border}, {eventPrefix, border, hi}}, nil
}

// A lister fills one page.
type lister struct {
	r      store.Reader
	filter Filter
	page   Page
	done   int // events that were looked at
	full   bool
	lo, hi int64    // where the filter's events are
	files  []volume // that may have some of them
}

// list goes through a stretch, newest first, and reports whether the page ends in it.
func (l *lister) list(s stretch) (full bool, err error) {
	for next := s.hi; next > s.lo; {
		if l.page.More = true; l.done >= examined {
			return true, nil
		}
		keys, err := l.r.Scan(store.Range{Prefix: s.prefix, After: fmt.Sprintf("%s%016d", s.prefix, next), Reverse: true, Limit: l.filter.Limit + 1})
		if err != nil || len(keys) == 0 {
			return false, err
		}
		had := len(l.page.Events)
		for _, k := range keys {
			if next, err = strconv.ParseInt(strings.TrimPrefix(k.Key, s.prefix), 10, 64); err != nil {
				return false, fmt.Errorf("key %q of the audit log is damaged", k.Key)
			}
			if next < s.lo {
				return false, nil
			}
			if len(l.page.Events) == l.filter.Limit {
				return true, nil
			}
			e, err := event(l.r, s.prefix, k, next)
			if err != nil {
				return false, err
			}
			l.page.Next = next
			l.done++
			if l.filter.matches(e) {
				l.page.Events = append(l.page.Events, e)
			}
		}
		if len(l.page.Events) == had && s.prefix == eventPrefix && l.filter.Outcome == Done {
			if next, err = l.doneBelow(next); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// doneBelow returns the end of the row of events before number n that were done:
// the one after its last. None of those between was done.
func (l *lister) doneBelow(n int64) (int64, error) {
	border, err := indexed(l.r, l.page.Total)
	if err != nil || n > border {
		return n, err
	}
	last, err := below(l.r, indexPrefix("outcome", string(Done)), n, 1)
	if err != nil || len(last) == 0 {
		return 0, err
	}
	return last[0] + 1, nil
}

// prefix is the narrowest index that has all events of the filter.
func (f Filter) prefix() string {
	switch {
	case f.Target != "":
		return indexPrefix("target", f.Target)
	case f.Who != "":
		return indexPrefix("who", f.Who)
	case f.Addr != "":
		return indexPrefix("addr", f.Addr)
	case f.Action != "":
		return indexPrefix("action", string(f.Action))
	case f.Outcome != "" && f.Outcome != Done:
		return indexPrefix("outcome", string(f.Outcome))
	}
	return eventPrefix
}

func (f Filter) matches(e Event) bool {
	return (f.Only == nil || f.Only(e)) &&
		(f.Who == "" || e.Actor.Name == f.Who) &&
		(f.Action == "" || e.Action == f.Action) &&
		(f.Target == "" || e.Target == f.Target) &&
		(f.Outcome == "" || e.Outcome == f.Outcome) &&
		(f.Addr == "" || e.Actor.Addr == f.Addr) &&
		(f.Text == "" || e.named(strings.ToLower(f.Text))) &&
		(f.From.IsZero() || !e.Time.Before(f.From)) &&
		(f.To.IsZero() || e.Time.Before(f.To))
}

// named reports whether one of the event's names has a text, in lower case. The
// words of an action are not among them: they may change, and an export has to be
// found to follow its filter for ever.
func (e Event) named(text string) bool {
	for _, name := range []string{e.Actor.Name, e.Target, string(e.Action)} {
		if strings.Contains(strings.ToLower(name), text) {
			return true
		}
	}
	return false
}

// bounds returns the range of numbers [lo, hi) in which the filter's events
// are, found by bisection, as times rise with the numbers (but for the slack).
func (f Filter) bounds(r getter, total int64) (lo, hi int64, err error) {
	hi = total
	if f.Before > 0 && f.Before < hi {
		hi = f.Before
	}
	border, err := dropped(r)
	if err != nil || hi <= border { // archive files know their times
		return 0, hi, err
	}
	slack, err := slack(r)
	if err != nil {
		return 0, hi, err
	}
	firstAt := func(t time.Time) int64 {
		return border + int64(sort.Search(int(hi-border), func(n int) bool {
			at, readErr := timeOf(r, border+int64(n))
			if readErr != nil {
				err = readErr
				return true
			}
			return !at.Before(t)
		}))
	}
	if !f.From.IsZero() {
		if lo = firstAt(f.From.Add(-slack)); lo == border {
			lo = 0
		}
	}
	if !f.To.IsZero() {
		hi = firstAt(f.To.Add(slack))
	}
	return lo, hi, err
}

// event is the event that an item of an index, or of the log itself, names.
func event(r getter, prefix string, k store.Item, n int64) (Event, error) {
	if prefix == eventPrefix {
		return decode(k.Value, n)
	}
	return read(r, n)
}

func read(r getter, n int64) (Event, error) {
	b, err := r.Get(eventKey(n))
	if err != nil {
		return Event{}, fmt.Errorf("event %d: %w", n, err)
	}
	return decode(b, n)
}

func decode(b []byte, n int64) (Event, error) {
	var e Event
	if err := json.Unmarshal(b, &e); err != nil {
		return Event{}, fmt.Errorf("event %d: %w", n, err)
	}
	return e, nil
}

// A Leaf is an event with its place in the tree: Hash is the RFC 6962 hash of
// its bytes, and Root the hash of the tree of Size events, in which the event
// has been proven to stand.
type Leaf struct {
	Event Event
	Hash  tlog.Hash
	Size  int64
	Root  tlog.Hash
	Proof []Step // from the event up to the root
}

// Get returns event n, after proving from the stored hashes that it is the n-th
// leaf of the tree. It returns an errs.NotFound for a number that the log does
// not have (yet), and an error if event and tree disagree.
func (l *Log) Get(ctx context.Context, n int64) (Leaf, error) {
	b, err := l.bytes(ctx, n)
	if err != nil {
		return Leaf{}, err
	}
	var leaf Leaf
	err = l.store.View(ctx, func(r store.Reader) error {
		leaf, err = prove(r, n, b)
		return err
	})
	return leaf, err
}

// bytes returns event n as it was hashed, from the store or from its archive file.
func (l *Log) bytes(ctx context.Context, n int64) (leaf []byte, err error) {
	var v *volume
	err = l.store.View(ctx, func(r store.Reader) error {
		total, err := size(r)
		if err != nil {
			return err
		}
		if n < 0 || n >= total {
			return errs.Newf(errs.NotFound, "The audit log has no event %d. Its newest is %d.", n, total-1)
		}
		if v, err = archivedAt(r, n); v != nil || err != nil {
			return err
		}
		if leaf, err = r.Get(eventKey(n)); errors.Is(err, store.ErrNotFound) {
			err = fmt.Errorf("event %d is missing from a log of %d", n, total)
		}
		return err
	})
	if err != nil || v == nil {
		return leaf, err
	}
	leaves, err := l.archive.leaves(*v)
	if err != nil {
		return nil, err
	}
	return leaves[n-v.From], nil
}

// prove is Get for an event whose bytes are known.
func prove(r getter, n int64, b []byte) (Leaf, error) {
	total, err := size(r)
	if err != nil {
		return Leaf{}, err
	}
	leaf := Leaf{Hash: tlog.RecordHash(b), Size: total}
	if err := json.Unmarshal(b, &leaf.Event); err != nil {
		return Leaf{}, fmt.Errorf("event %d: %w", n, err)
	}
	if leaf.Root, err = tlog.TreeHash(total, hashReader{r}); err != nil {
		return Leaf{}, fmt.Errorf("audit tree of %d: %w", total, err)
	}
	proof, err := tlog.ProveRecord(total, n, hashReader{r})
	if err != nil {
		return Leaf{}, fmt.Errorf("audit tree of %d: %w", total, err)
	}
	leaf.Proof, _ = stepsOf(proof, 0, total, n, leaf.Hash)
	if err := tlog.CheckRecord(proof, total, leaf.Root, n, leaf.Hash); err != nil {
		return Leaf{}, errs.Wrap(errs.Unavailable, fmt.Sprintf("Event %d was changed after it was written, so it is not shown. Compare the data file with your backups and anchors.", n), err)
	}
	return leaf, nil
}

// recent is how many of the newest events OfRequest looks through.
const recent = 64

// OfRequest returns the number of the newest event that a request has written. It
// looks through few events only, so that it is for the request itself, right after
// the change.
func (l *Log) OfRequest(ctx context.Context, id string) (n int64, ok bool, err error) {
	err = l.store.View(ctx, func(r store.Reader) error {
		items, err := r.Scan(store.Range{Prefix: eventPrefix, Reverse: true, Limit: recent})
		if err != nil {
			return err
		}
		for _, it := range items {
			if !bytes.Contains(it.Value, []byte(id)) {
				continue
			}
			var e Event
			if err := json.Unmarshal(it.Value, &e); err != nil {
				return fmt.Errorf("%s: %w", it.Key, err)
			}
			if e.Actor.RequestID == id {
				n, ok = e.N, true
				return nil
			}
		}
		return nil
	})
	return n, ok, err
}

// Size returns the number of events.
func (l *Log) Size(ctx context.Context) (n int64, err error) {
	err = l.store.View(ctx, func(r store.Reader) error {
		n, err = size(r)
		return err
	})
	return n, err
}
