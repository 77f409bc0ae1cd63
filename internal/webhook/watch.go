package webhook

import (
	"context"
	"sync"
	"sync/atomic"
)

// watchers are those who want to know that something was kept.
type watchers struct {
	count atomic.Int32
	mu    sync.Mutex
	all   map[chan struct{}]bool
	ended bool
}

// Watch returns a channel that ticks after something was kept, explained,
// replayed or pruned. Ticks that are not taken in time are one. It is closed when
// ctx ends, or with EndWatches.
func (s *Service) Watch(ctx context.Context) <-chan struct{} {
	c := make(chan struct{}, 1)
	x := &s.watchers
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		close(c)
		return c
	}
	if x.all == nil {
		x.all = map[chan struct{}]bool{}
	}
	x.all[c] = true
	x.count.Add(1)
	context.AfterFunc(ctx, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.end(c)
	})
	return c
}

// EndWatches closes the channels of all who watch, and of all who ask from now on.
// Pages that watch would otherwise hold up the end of the program.
func (s *Service) EndWatches() {
	x := &s.watchers
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ended = true
	for c := range x.all {
		x.end(c)
	}
}

// end closes a channel once. The lock is held.
func (x *watchers) end(c chan struct{}) {
	if !x.all[c] {
		return
	}
	delete(x.all, c)
	x.count.Add(-1)
	close(c)
}

func (x *watchers) tick() {
	if x.count.Load() == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for c := range x.all {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
