package signin

import (
	"sync"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
)

// A limiter lets so many requests of one network through in a period. It
// remembers a bounded number of networks. It is safe for concurrent use.
type limiter struct {
	now    func() time.Time
	most   int
	period time.Duration

	mu   sync.Mutex
	seen map[string]window
}

type window struct {
	began time.Time
	n     int
}

// maxWindows is how many networks a limiter remembers. Beyond that those whose
// period is over go, and if there are none, all: who floods from so many networks
// gains one more period.
const maxWindows = 4096

func newLimiter(now func() time.Time, most int, period time.Duration) *limiter {
	return &limiter{now: now, most: most, period: period, seen: map[string]window{}}
}

// allow returns an errs.TooMany if addr has had its share.
func (l *limiter) allow(addr string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, net := l.now(), auth.Network(addr)
	w := l.seen[net]
	if now.Sub(w.began) >= l.period || now.Before(w.began) {
		w = window{began: now}
	}
	if w.n >= l.most {
		return errs.Newf(errs.TooMany, "Too many attempts in a short time. Try again in a minute.")
	}
	if _, known := l.seen[net]; !known && len(l.seen) >= maxWindows {
		l.forget(now)
	}
	w.n++
	l.seen[net] = w
	return nil
}

func (l *limiter) forget(now time.Time) {
	for net, w := range l.seen {
		if now.Sub(w.began) >= l.period {
			delete(l.seen, net)
		}
	}
	if len(l.seen) >= maxWindows {
		clear(l.seen)
	}
}
