package outside

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/egress"
	"backoffice/internal/errs"
	"backoffice/internal/store"

	"golang.org/x/time/rate"
)

// Options are what a Checker is made of. Upstream and GoodSpeed may be left out.
type Options struct {
	Store     store.Store
	PublicURL *url.URL      // as configured: the only address that is called
	Guard     *egress.Guard // of the checker alone: it may call the host and port of PublicURL wherever they are
	Now       func() time.Time
	Upstream  string // host:port that this program listens on, for the lines that a proxy needs
	// GoodSpeed is within what a notification should be answered; 0 means 500 ms.
	GoodSpeed time.Duration
}

// The limits of a check.
const (
	pause       = 10 * time.Second // between two checks of the server
	callTimeout = 8 * time.Second
	visitsLimit = 100 // under way at the same time
)

// A Checker checks the public URL. It is safe for concurrent use.
type Checker struct {
	store    store.Store
	public   *url.URL
	client   *http.Client
	now      func() time.Time
	upstream string
	key      []byte // signs nonces; a nonce does not outlive the process
	good     time.Duration
	guesses  *rate.Limiter
	last     atomic.Pointer[Report]

	mu          sync.Mutex
	outstanding map[string]*Ticket // by nonce
	visits      map[string]*run    // by session
	busy        bool
	ended       time.Time // of the last check of the server
}

// New returns a Checker.
func New(o Options) (*Checker, error) {
	if o.Store == nil || o.PublicURL == nil || o.Guard == nil || o.Now == nil {
		return nil, errors.New("outside: Store, PublicURL, Guard and Now are needed")
	}
	c := &Checker{store: o.Store, public: o.PublicURL, now: o.Now, upstream: localAddress(o.Upstream), key: make([]byte, 32), good: o.GoodSpeed,
		client:  o.Guard.Client(egress.CallOptions{Timeout: callTimeout, MaxBody: MaxBody}),
		guesses: rate.NewLimiter(2, 60), outstanding: map[string]*Ticket{}, visits: map[string]*run{}}
	if c.good == 0 {
		c.good = goodSpeed
	}
	_, _ = rand.Read(c.key) // it never fails; see crypto/rand
	return c, nil
}

// Guarded returns the one entry that the allow-list of the checker's own Guard
// needs: the host and port of the public URL.
func Guarded(public *url.URL) string { return net.JoinHostPort(public.Hostname(), portOf(public)) }

// localAddress is where a proxy on the same machine finds this program.
func localAddress(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "127.0.0.1:8080"
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

func (c *Checker) origin() string { return c.public.Scheme + "://" + c.public.Host }

func (c *Checker) secure() bool { return c.public.Scheme == "https" }

// A leg is one request of a check.
type leg int

const (
	first   leg = iota // GET of the callback address: it gets a cookie and a redirect
	back               // where that redirect leads: it brings the cookie
	again              // the first one once more: whoever answers it as before has kept a copy
	head               // HEAD of the webhook address
	posting            // POST to the webhook address
	small              // the same with a few bytes, if that one was cut off without an answer
	legs
)

// A run is one check under way.
type run struct {
	by      audit.Actor
	visitor string // the session of a visit; "" for the server's own requests
	began   time.Time
	expires time.Time
	seen    [legs]seen
}

// seen is what is known about one request of a run.
type seen struct {
	nonce     string
	query     string // as sent
	body      []byte // as sent
	sent      bool
	arrived   bool
	arrival   Arrival
	answered  bool // with status, header and body below
	status    int
	header    http.Header
	body1     string // the beginning of the answer's body
	failed    *egress.Error
	exchange  egress.Exchange
	answeredA time.Time
}

// newRun makes the nonces of a run. c.mu is held.
func (c *Checker) newRun(by audit.Actor, visitor string, of ...leg) *run {
	now := c.now()
	r := &run{by: by, visitor: visitor, began: now, expires: now.Add(nonceLife)}
	for _, l := range of {
		n := c.newNonce()
		r.seen[l].nonce = n
		c.outstanding[n] = &Ticket{c: c, run: r, leg: l, nonce: n}
	}
	return r
}

// forget takes the nonces of a run away. c.mu is held.
func (c *Checker) forget(r *run) {
	for _, s := range r.seen {
		delete(c.outstanding, s.nonce)
	}
}

// Run checks the public URL from this server, keeps the report with its audit
// event, and returns it. It takes some seconds. One runs at a time, and not one
// right after the other: TooMany says so. It is finished even if ctx ends.
func (c *Checker) Run(ctx context.Context, by audit.Actor) (Report, error) {
	ctx = context.WithoutCancel(ctx)
	r, err := c.enter(by)
	if err != nil {
		return Report{}, err
	}
	c.callAll(ctx, r)
	c.mu.Lock()
	c.forget(r)
	c.busy, c.ended = false, c.now()
	report := c.report(r, c.ended)
	c.mu.Unlock()
	return report, c.keep(ctx, report, by)
}

func (c *Checker) enter(by audit.Actor) (*run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy {
		return nil, errs.New(errs.TooMany, "A check of the public address is under way. Reload the settings in a few seconds to see its result.")
	}
	if wait := pause - c.now().Sub(c.ended); !c.ended.IsZero() && wait > 0 {
		return nil, errs.New(errs.TooMany, "The public address was checked a moment ago. Wait ten seconds and check again.")
	}
	c.busy = true
	return c.newRun(by, "", first, back, head, posting, small), nil
}

// report judges a run. c.mu is held.
func (c *Checker) report(r *run, ended time.Time) Report {
	out := Report{Time: r.began.UTC(), Took: max(ended.Sub(r.began), 0), By: r.by.Name, ByBrowser: r.visitor != "", PublicURL: c.origin()}
	out.Findings = c.judge(r)
	for _, s := range r.seen {
		if s.exchange.Done {
			out.Exchanges = append(out.Exchanges, s.exchange)
		}
	}
	return out
}

// cookieName is that of the cookie that a check sends along. The prefix has
// browsers refuse it if anything about it was changed.
func (c *Checker) cookieName() string {
	if c.secure() {
		return "__Host-backoffice-outside-in"
	}
	return "backoffice-outside-in"
}

// CookieName is the cookie whose value an Arrival has.
func (c *Checker) CookieName() string { return c.cookieName() }

// masked is foreign text as a report shows it: without nonces, cut, printable.
func (r *run) masked(s string) string {
	for _, l := range r.seen {
		if l.nonce != "" {
			s = strings.ReplaceAll(s, l.nonce, "<nonce>")
		}
	}
	return printable(s)
}
