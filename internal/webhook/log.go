package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A mark is the record of the n-th notification of an owner: as little as pruning
// and recognising repetitions need.
type mark struct {
	ID      string  `json:"id"`
	Bytes   int64   `json:"b"`           // of the body
	Verdict Verdict `json:"v"`           //
	Code    string  `json:"c,omitempty"` // of the provider's id; "" if there is none
	Repeats bool    `json:"r,omitempty"`

	n       int64
	pending bool // not committed yet
}

func (m *mark) good() bool { return m.Verdict == OK }

// fresh reports whether it is accepted and new. Anybody who saw an accepted one can
// send it again, so repetitions are kept with the refused ones.
func (m *mark) fresh() bool { return m.good() && !m.Repeats }

// at is when it arrived, by its id.
func (m *mark) at() time.Time { return timeOf(m.ID) }

// A span says that no number of an owner outside of First ≤ n < Limit is in use.
// Born is the id of its first notification, which tells it from that of an entry
// that was deleted and made anew.
type span struct {
	Born  string `json:"born"`
	First int64  `json:"first"`
	Limit int64  `json:"limit"`
}

// spanStep is by how much a span grows: most notifications do not write it.
const spanStep = 256

var (
	notes = store.Table[Notification]{Prefix: "webhook/note/"}
	marks = store.Table[mark]{Prefix: "webhook/of/"}
	spans = store.Table[span]{Prefix: "webhook/span/", Memo: store.NewMemo[span](256, nil)}
)

func bodyKey(id string) string { return bodies.Prefix + id }

var bodies = secret.Declare(secret.Kind{Prefix: "webhook/body/", Words: "bodies of notifications", Find: secret.Whole})

func marksOf(owner string) string { return ownerKey(owner) + "/" }

func markID(owner string, n int64) string { return marksOf(owner) + pad(n) }

// pad writes a number so that the order of the texts is that of the numbers.
func pad(n int64) string {
	const digits = "000000000000"
	s := strconv.FormatInt(n, 10)
	return digits[:max(0, len(digits)-len(s))] + s
}

// newID returns an id that is greater than all before, and tells the time.
func (s *Service) newID(now time.Time) string {
	for {
		last := s.lastID.Load()
		next := max(last+1, now.UnixNano())
		if s.lastID.CompareAndSwap(last, next) {
			return idOf(next)
		}
	}
}

func idOf(nanos int64) string {
	const digits = "0000000000000000"
	s := strconv.FormatInt(max(nanos, 0), 16)
	return digits[:max(0, len(digits)-len(s))] + s
}

// timeOf is when the notification with this id arrived; the zero time for what is no id.
func timeOf(id string) time.Time {
	nanos, err := strconv.ParseInt(id, 16, 64)
	if err != nil || len(id) != 16 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}

// isID reports whether s may be a part of a store key.
func isID(s string) bool { return len(s) == 16 && strings.Trim(s, "0123456789abcdef") == "" }

// codeOf is what is compared of a provider's id, which may be long.
func codeOf(providerID string) string {
	if providerID == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(providerID))
	return hex.EncodeToString(sum[:12])
}

// A log is what is known in memory of one owner's notifications. It is read from
// the marks when it is first needed, and then follows what is written.
type log struct {
	owner string

	mu    sync.Mutex
	born  string // of the span; "" if there is none yet
	next  int64
	good  share             // fresh ones
	junk  share             // refused ones and repetitions
	first map[string]*first // by code: the accepted one that others repeat

	pruning bool
}

// A share is a part of what is kept, oldest first.
type share struct {
	marks []*mark
	bytes int64
}

func (x *share) add(m *mark) {
	x.marks = append(x.marks, m)
	x.bytes += m.Bytes
}

// remove takes out one that was not kept after all, which is at the end or near it.
func (x *share) remove(m *mark) {
	for i := len(x.marks) - 1; i >= 0; i-- {
		if x.marks[i] == m {
			x.marks = append(x.marks[:i], x.marks[i+1:]...)
			x.bytes -= m.Bytes
			return
		}
	}
}

// A first is an accepted notification whose provider's id was new.
type first struct {
	mark *mark
	done chan struct{} // closed when it is known whether it was kept
}

func (l *log) share(fresh bool) *share {
	if fresh {
		return &l.good
	}
	return &l.junk
}

// logs are those of the owners that somebody has asked for.
type logs struct {
	mu sync.Mutex
	of map[string]*log
}

// forget drops the logs of entries that are gone.
func (x *logs) forget(there map[config.ID]bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for owner := range x.of {
		if isEntry(owner) && !there[config.ID(owner)] {
			delete(x.of, owner)
		}
	}
}

// drop forgets one log, unless another has taken its place.
func (x *logs) drop(l *log) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.of[l.owner] == l {
		delete(x.of, l.owner)
	}
}

// log returns the owner's log, and reads it if nobody has yet. Others wait
// meanwhile, so that there are never two of one owner.
func (s *Service) log(ctx context.Context, owner string) (*log, error) {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	if l := s.logs.of[owner]; l != nil {
		return l, nil
	}
	l, err := s.readLog(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("reading what is kept of %s: %w", owner, err)
	}
	if s.logs.of == nil {
		s.logs.of = map[string]*log{}
	}
	s.logs.of[owner] = l
	return l, nil
}

func (s *Service) readLog(ctx context.Context, owner string) (*log, error) {
	l := &log{owner: owner, first: map[string]*first{}}
	err := s.store.View(ctx, func(r store.Reader) error {
		sp, err := spans.Get(r, ownerKey(owner))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		l.born, l.next = sp.Born, sp.First
		records, err := marks.Scan(r, store.Range{Prefix: marksOf(owner)})
		for i := range records {
			if err := l.known(&records[i]); err != nil {
				return err
			}
		}
		return err
	})
	if n := max(len(l.good.marks), len(l.junk.marks)); n > 0 { // ids go on from the newest, also if the clock was set back
		for _, x := range []share{l.good, l.junk} {
			if len(x.marks) > 0 {
				s.noteID(x.marks[len(x.marks)-1].ID)
			}
		}
	}
	return l, err
}

func (s *Service) noteID(id string) {
	nanos := timeOf(id).UnixNano()
	for last := s.lastID.Load(); last < nanos && !s.lastID.CompareAndSwap(last, nanos); last = s.lastID.Load() {
	}
}

// known takes a mark from the store.
func (l *log) known(rec *store.Record[mark]) error {
	n, err := strconv.ParseInt(strings.TrimPrefix(rec.ID, marksOf(l.owner)), 10, 64)
	if err != nil {
		return fmt.Errorf("the record %s%s is damaged: its key has no number", marks.Prefix, rec.ID)
	}
	m := &rec.Value
	m.n = n
	l.next = max(l.next, n+1)
	l.share(m.fresh()).add(m)
	if m.good() && m.Code != "" && l.first[m.Code] == nil {
		l.first[m.Code] = &first{mark: m, done: closed}
	}
	return nil
}

// closed is the done of what is in the store already.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
