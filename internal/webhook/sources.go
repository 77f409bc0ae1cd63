package webhook

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The limits of one source.
const (
	maxSources   = 4096 // that are remembered
	burst        = 2    // seconds of the rate that may come at once
	badRate      = 1    // a second, while too much of what it sends is not signed
	badBurst     = 20   // refused ones, until then
	forgetSource = 10 * time.Minute
)

// sources limits how much one sender may send. Who sends many notifications that
// nobody signed gets a much smaller allowance, until one is signed or time has passed.
type sources struct {
	rate int // less than 1: no limit

	mu sync.Mutex
	of map[netip.Prefix]*source
}

type source struct {
	all  *rate.Limiter
	bad  *rate.Limiter // one token for each refused one
	seen time.Time
}

func newSources(perSecond int) *sources {
	if perSecond == 0 {
		perSecond = DefaultRate
	}
	return &sources{rate: perSecond, of: map[netip.Prefix]*source{}}
}

// Admit reports whether a request from this address may be read now, and if not,
// after how long it may be sent again. It is asked before any of a body is read.
func (s *Service) Admit(from string) (wait time.Duration, ok bool) {
	return s.sources.admit(from, s.now())
}

func (x *sources) admit(from string, now time.Time) (time.Duration, bool) {
	if x.rate < 1 {
		return 0, true
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	o := x.get(from, now)
	if !o.all.AllowN(now, 1) {
		return time.Second, false
	}
	if missing := 1 - o.bad.TokensAt(now); missing > 0 {
		return time.Duration(missing / badRate * float64(time.Second)), false
	}
	return 0, true
}

// judge notes whether what a source sent was signed. That it repeats what was signed
// once says nothing for it.
func (x *sources) judge(from string, n Notification, now time.Time) {
	if x.rate < 1 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	o := x.get(from, now)
	if !n.Good() {
		o.bad.AllowN(now, 1)
	} else if n.Repeats == "" && o.bad.TokensAt(now) < badBurst { // it has the secret now
		o.bad = rate.NewLimiter(badRate, badBurst)
	}
}

// Blame counts against a source what it did that is as bad as an unsigned notification.
func (s *Service) Blame(from string) { s.sources.judge(from, Notification{}, s.now()) }

// get returns what is known of a source. x.mu is held.
func (x *sources) get(from string, now time.Time) *source {
	key := SourceOf(from)
	o := x.of[key]
	if o == nil {
		if len(x.of) >= maxSources {
			x.makeRoom()
		}
		o = &source{all: rate.NewLimiter(rate.Limit(x.rate), burst*x.rate), bad: rate.NewLimiter(badRate, badBurst)}
		x.of[key] = o
	}
	o.seen = now
	return o
}

// SourceOf is what counts as one source: an IPv4 address, or the network of 64 bits
// that one IPv6 customer has at least.
func SourceOf(from string) netip.Prefix {
	a, err := netip.ParseAddr(from)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 64
	if a = a.Unmap(); a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits)
	return p
}

// makeRoom forgets the one that was quiet for the longest time among a few.
func (x *sources) makeRoom() {
	const among = 16
	var oldest netip.Prefix
	var since time.Time
	n := 0
	for key, o := range x.of { // in no order
		if n == 0 || o.seen.Before(since) {
			oldest, since = key, o.seen
		}
		if n++; n == among {
			break
		}
	}
	delete(x.of, oldest)
}

// sweep forgets who was quiet for so long that its allowance is whole again.
func (x *sources) sweep(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key, o := range x.of {
		if now.Sub(o.seen) > forgetSource {
			delete(x.of, key)
		}
	}
}
