package audit

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"backoffice/internal/store"
)

const shipPrefix = "audit/ship/"

// A Shipper copies each event, as its exact bytes and a line feed, to a
// destination that collects logs. It follows the log by itself and takes no part
// in a change, so that a destination that is slow or gone holds up nothing but
// the copies. Where it is stands in the store, by the name of the destination:
//
//	audit/ship/<name>               number of the next event to be shipped, in decimal
//
// It is written after the events are out: each event is shipped at least once,
// in order, and after a crash at most the last portion is shipped again.
type Shipper struct {
	store store.Store
	to    Destination

	mu    sync.Mutex
	state ShipState
}

// A Destination takes lines. Name is its own for ever: another name gets the
// whole log. Write returns when the lines are taken.
type Destination struct {
	Name  string
	Write func(lines []byte) error
}

// FileDestination appends to a file, which it opens for each portion: it may be
// renamed away at any time.
func FileDestination(path string) Destination {
	return Destination{Name: "file:" + path, Write: func(b []byte) error { return appendLines(path, b) }}
}

// A ShipState is how far the copies are.
type ShipState struct {
	To       string
	Next     int64  // events that are out
	Failures int64  // since the program started
	Failing  string // why the last try failed, in words; "" if it did not
}

// NewShipper returns a Shipper that goes on where the last one for this
// destination stopped.
func NewShipper(s store.Store, to Destination) *Shipper {
	return &Shipper{store: s, to: to, state: ShipState{To: to.Name}}
}

// State is how far the copies are.
func (s *Shipper) State() ShipState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Run ships until ctx ends. A destination that takes nothing cannot be
// interrupted, and is left alone at the end. It tells report of errors, each of
// them once in a row.
func (s *Shipper) Run(ctx context.Context, report func(error)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.follow(ctx, report)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (s *Shipper) follow(ctx context.Context, report func(error)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	said := ""
	for {
		more, err := s.Step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			report(err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Step ships one portion, and reports whether there is more.
func (s *Shipper) Step(ctx context.Context) (more bool, err error) {
	more, err = s.step(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Failing = ""
	if err != nil && ctx.Err() == nil {
		s.state.Failures++
		s.state.Failing = words(err)
	}
	return more, err
}

// key is where it stands how far the copies are.
func (s *Shipper) key() string { return shipPrefix + url.PathEscape(s.to.Name) }

func (s *Shipper) step(ctx context.Context) (more bool, err error) {
	key := s.key()
	var b bytes.Buffer
	var next, total int64
	err = s.store.View(ctx, func(r store.Reader) error {
		if total, err = size(r); err != nil {
			return err
		}
		if next, err = number(r, key, 0); err != nil {
			return err
		}
		if next > total {
			return faultf("%d events were shipped to %s, and the log has %d: an older copy of the data file was put back", next, s.to.Name, total)
		}
		border, err := dropped(r)
		if err != nil {
			return err
		}
		next, err = lift(r, max(next, border), &b)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("shipping the audit log: %w", err)
	}
	if b.Len() > 0 {
		if err := s.to.Write(b.Bytes()); err != nil {
			return false, fmt.Errorf("shipping the audit log: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return false, err // at the end the store may be closed by now
		}
		err = s.store.Update(ctx, func(tx store.Tx) error {
			tx.Put(key, strconv.AppendInt(nil, next, 10))
			return nil
		})
		if err != nil {
			return false, fmt.Errorf("noting what was shipped of the audit log: %w", err)
		}
	}
	s.mu.Lock()
	s.state.Next = next
	s.mu.Unlock()
	return next < total, nil
}

// lift writes a portion of the events from next on, and returns the number of
// the one behind it.
func lift(r store.Reader, next int64, to *bytes.Buffer) (int64, error) {
	rng := store.Range{Prefix: eventPrefix, Limit: portion}
	if next > 0 {
		rng.After = eventKey(next - 1)
	}
	items, err := r.Scan(rng)
	if err != nil {
		return next, err
	}
	for _, it := range items {
		if it.Key != eventKey(next) {
			return next, faultf("event %d is missing from the log", next)
		}
		to.Write(it.Value)
		to.WriteByte('\n')
		next++
	}
	return next, nil
}
