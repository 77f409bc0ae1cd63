package webhook

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/egress"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// Options are what a Service is made of. Keep, Rate and Failed may be left out.
type Options struct {
	Store     store.Store
	Box       *secret.Box
	Config    *config.Service
	Guard     *egress.Guard // for replays
	Own       *egress.Guard // for test notifications: it may call the host and port of PublicURL wherever they are
	PublicURL *url.URL
	Now       func() time.Time
	Keep      Keep
	Rate      int // requests a second that one source may send; 0 means DefaultRate, less means no limit

	// Failed is told of what went wrong after an answer, for the log. Nil: nobody is told.
	Failed func(what string, err error)
}

// Keep is how much is kept of one entry. What is 0 has its default.
type Keep struct {
	Notifications int           // accepted ones; a fifth as many refused and repeated ones are kept beside them
	Age           time.Duration // of all
	Bytes         int64         // of the bodies of accepted ones; and a fifth as many of the others
}

// The defaults of Options.
const (
	DefaultNotifications = 1000
	DefaultAge           = 30 * 24 * time.Hour
	DefaultBytes         = 32 << 20
	DefaultRate          = 300
)

// junkShare is how many times more is kept of accepted notifications than of
// refused and repeated ones.
const junkShare = 5

// orDefault fills in what is 0.
func (k Keep) orDefault() Keep {
	if k.Notifications == 0 {
		k.Notifications = DefaultNotifications
	}
	if k.Age == 0 {
		k.Age = DefaultAge
	}
	if k.Bytes == 0 {
		k.Bytes = DefaultBytes
	}
	return k
}

// A Service keeps notifications. It is safe for concurrent use.
type Service struct {
	store     store.Store
	box       *secret.Box
	config    *config.Service
	guard     *egress.Guard
	own       *egress.Guard
	publicURL *url.URL
	now       func() time.Time
	keeping   Keep
	failed    func(what string, err error)

	routing  atomic.Pointer[routing]
	building sync.Mutex // one goroutine makes the routing
	holdings holdings
	logs     logs
	sources  *sources
	watchers watchers
	tests    tests
	counts   counts
	later    later
	lastID   atomic.Int64
}

// New returns a Service over o. From now on, deleting an entry deletes its
// notifications too. Close it before the store.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Box == nil || o.Config == nil || o.Guard == nil || o.Own == nil || o.PublicURL == nil || o.Now == nil {
		return nil, errors.New("webhook: Store, Box, Config, Guard, Own, PublicURL and Now are needed")
	}
	s := &Service{store: o.Store, box: o.Box, config: o.Config, guard: o.Guard, own: o.Own, publicURL: o.PublicURL, now: o.Now,
		keeping: o.Keep.orDefault(), failed: o.Failed, sources: newSources(o.Rate)}
	if s.failed == nil {
		s.failed = func(string, error) {}
	}
	s.later.begin()
	o.Config.AlsoDelete(deleteAll)
	return s, nil
}

// Keeping is how much is kept of one entry.
func (s *Service) Keeping() Keep { return s.keeping }

// Close ends what is done after answers, and waits for it.
func (s *Service) Close() { s.later.close() }

// complain tells of a failure after an answer, but not of the end of the program,
// nor of what is gone by now.
func (s *Service) complain(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, store.ErrClosed) && !errs.Is(err, errs.NotFound) {
		s.failed(what, err)
	}
}
