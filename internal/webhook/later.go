package webhook

import (
	"context"
	"sync"
)

// later is what is done after answers: one thing at a time out of a queue that
// has an end, and pruning beside it.
type later struct {
	life  context.Context
	stop  context.CancelFunc
	under sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	working bool
	waiting []func(context.Context)
}

// maxWaiting is how many notifications wait to be explained. More are not
// explained by themselves: [Service.Explain] does it when somebody looks.
const maxWaiting = 256

func (x *later) begin() { x.life, x.stop = context.WithCancel(context.Background()) }

func (x *later) close() {
	x.mu.Lock()
	x.closed, x.waiting = true, nil
	x.mu.Unlock()
	x.stop()
	x.under.Wait()
}

// do runs f by itself, and reports whether it does.
func (x *later) do(f func(context.Context)) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return false
	}
	x.under.Go(func() { f(x.life) })
	return true
}

// queue runs f when those before it are done, or never if there are too many.
func (x *later) queue(f func(context.Context)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed || len(x.waiting) >= maxWaiting {
		return
	}
	x.waiting = append(x.waiting, f)
	if !x.working {
		x.working = true
		x.under.Go(x.work)
	}
}

func (x *later) work() {
	for {
		x.mu.Lock()
		if len(x.waiting) == 0 {
			x.working = false
			x.mu.Unlock()
			return
		}
		f := x.waiting[0]
		x.waiting = x.waiting[1:]
		x.mu.Unlock()
		f(x.life)
	}
}
