package keyring

import (
	"context"
	"errors"
	"slices"
	"time"

	"backoffice/internal/store"
)

// A State is how the keys stand.
type State struct {
	Keys     []Key // the one that seals first, then the newest; retired ones last
	Writable bool
	Count    Count // Time is the zero time if it is not known yet
	Work     Work
}

// A Key is one key. Its id is no secret.
type Key struct {
	ID      string
	Primary bool      // it seals
	Since   time.Time // when the data met it: for a key older than the list of keys, when that began
	Retired time.Time // the zero time: it is there
	Sealed  int       // values that it has sealed, as of the count
}

// Work is a re-sealing.
type Work struct {
	UnderWay bool
	Begun    time.Time
	By       string
	Done     int // values
	Total    int // 0 if it is not known yet
}

// recount is how old the count of a State may be.
const recount = 20 * time.Second

// countPatience is how long a State waits for its count. One that takes longer is in
// the next.
const countPatience = 400 * time.Millisecond

// State returns how the keys stand. What they have sealed is counted beside the
// request if it takes long, and then not known yet.
func (r *Ring) State(ctx context.Context) (State, error) {
	r.recount()
	wait := time.NewTimer(countPatience)
	defer wait.Stop()
	r.mu.Lock()
	counting := r.counting
	r.mu.Unlock()
	if counting != nil {
		select {
		case <-counting:
		case <-wait.C:
		case <-ctx.Done():
		}
	}
	return r.state(ctx)
}

func (r *Ring) state(ctx context.Context) (s State, err error) {
	var rec ring
	var w work
	err = r.Store.View(ctx, func(rd store.Reader) error {
		var err1, err2 error
		rec, _, err1 = get(rings, rd, ringID)
		w, s.Work.UnderWay, err2 = get(works, rd, workID)
		return errors.Join(err1, err2)
	})
	if err != nil {
		return State{}, err
	}
	r.mu.Lock()
	s.Count, s.Work.Total = r.counted, r.total
	r.mu.Unlock()
	s.Work.Begun, s.Work.By, s.Work.Done = w.Begun, w.By.Name, w.total()
	s.Work.Total = max(s.Work.Total, s.Work.Done)
	s.Writable = r.Keeper.Writable()
	keys := r.Box.Keys()
	for _, k := range rec.Keys {
		s.Keys = append(s.Keys, Key{ID: k.ID, Primary: k.ID == keys.ID(), Since: k.Since, Retired: k.Retired, Sealed: s.Count.Of(k.ID)})
	}
	slices.Reverse(s.Keys) // the newest first
	rank := func(k Key) int {
		switch {
		case k.Primary:
			return 0
		case k.Retired.IsZero():
			return 1
		}
		return 2
	}
	slices.SortStableFunc(s.Keys, func(a, b Key) int { return rank(a) - rank(b) })
	return s, nil
}

// glance is the state without an error: for telling of progress.
func (r *Ring) glance(ctx context.Context) State {
	s, _ := r.state(ctx)
	return s
}

// recount has the count made anew if it is old, beside the request.
func (r *Ring) recount() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counting != nil || !r.counted.Time.IsZero() && r.Now().Sub(r.counted.Time) < recount {
		return
	}
	done := make(chan struct{})
	r.counting = done
	go func() {
		c, err := count(context.Background(), r.Store)
		r.Rest()
		if err != nil && !errors.Is(err, store.ErrClosed) {
			r.Failed("counting what is sealed", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if err == nil && r.counting == done {
			c.Time = r.Now()
			r.counted = c
		}
		if r.counting == done {
			r.counting = nil
		}
		close(done)
	}()
}

// forget makes the next State count anew: much has changed.
func (r *Ring) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counted, r.counting = Count{}, nil
}

// expect sets how many values the re-sealing under way has to change in all.
func (r *Ring) expect(total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total = total
}
