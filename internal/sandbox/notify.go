package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"backoffice/internal/errs"
)

// Limits of the notifications that the sandbox sends.
const (
	MaxBurst     = 500             // notifications of one press
	MaxAgain     = 5               // times that each is sent again
	DefaultRetry = 2 * time.Second // instead of the documented minute, so that a rehearsal need not wait
	MaxRetry     = 2 * time.Minute

	answerWithin  = 5 * time.Second // documented
	maxThrottle   = 120             // retries' waits: two hours, if the wait is the documented minute
	sendersAtOnce = 8
	maxUnderWay   = 1000
	maxSent       = 200 // deliveries in the log
	maxTopic      = 100
	maxHook       = 500 // bytes
)

// A Delivery is what to send. Its zero value is one ping, signed as documented.
type Delivery struct {
	Topic     string        // "" for ping
	Uninstall bool          // the notification of an uninstallation instead, which has no topic
	Count     int           // notifications, each with an id of its own; 0 for one
	Again     int           // times that each is sent again, with the same id
	Signing   Signing       // how it is signed
	Rewriting Rewriting     // what a proxy makes of the body after it was signed
	Secret    string        // signs instead of the client secret; for tests of a secret that was changed
	Retry     time.Duration // before the one retry; 0 for DefaultRetry
}

// Signing says how a notification is signed.
type Signing int

// How a notification is signed. All but the first and the last two are refused by
// a receiver that does as Intercom documents.
const (
	SignedRight  Signing = iota
	WrongSecret          // with a secret that nobody has
	OtherHash            // SHA-256 in the header for SHA-1
	SignedBase64         // base64 instead of hex
	NoPrefix             // without sha1=
	Unsigned             // no signature at all
	SignedFirst          // as documented, with the first of the two client secrets
	SignedSecond         // the same with the second
	signings
)

// Rewriting says what becomes of a body between signing and sending.
type Rewriting int

// What becomes of a body.
const (
	AsSigned  Rewriting = iota
	Spaced              // a space after each comma and colon, as Python writes JSON
	Reordered           // members in alphabetical order
	Escaped             // everything beyond ASCII as \u
	LineBreak           // a line break at its end
	rewritings
)

// Sent is one attempt to deliver, in the log.
type Sent struct {
	Time    time.Time
	Topic   string // "uninstall" for the notification of that
	ID      string // "" for that too
	Attempt int    // from 1
	Status  int    // 0 if there was no answer
	Took    time.Duration
	Note    string // what follows, in words
}

// A sender sends notifications to one address. It has a mutex of its own: it
// waits for receivers, and nothing else shall.
type sender struct {
	client *http.Client // nil: it sends nothing
	within time.Duration
	home   string // host and port that the operator has named, beside this machine's
	slots  chan struct{}

	mu       sync.Mutex
	ctx      context.Context // of what is under way; replaced by reset
	cancel   context.CancelFunc
	address  string
	disabled bool // by a 410
	underWay int
	settled  chan struct{} // closed when nothing is under way any more
	throttle time.Duration // of the last 429
	resumes  time.Time     // before that nothing is sent
	log      []Sent        // oldest first
}

func newSender(o Options) (*sender, error) {
	s := &sender{client: o.Client, within: answerWithin, slots: make(chan struct{}, sendersAtOnce)}
	if o.NotifyURL != "" {
		u, err := url.Parse(o.NotifyURL)
		if err != nil || !plainHost.MatchString(u.Host) {
			return nil, errs.Field("hook", "The address for notifications must be a whole one, such as http://localhost:8080/webhooks/intercom.")
		}
		s.home = u.Host
		if err := s.check(o.NotifyURL); err != nil {
			return nil, err
		}
	}
	s.reset(o.NotifyURL)
	return s, nil
}

// reset ends what is under way and forgets what was sent.
func (s *sender) reset(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.address, s.disabled, s.throttle, s.resumes, s.log = address, false, 0, time.Time{}, nil
}

func (s *sender) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel()
}

// check returns an errs.Invalid on the field "hook" if address is none that the
// sandbox sends to: this machine, or the host that the operator has named.
func (s *sender) check(address string) error {
	bad := func(msg string) error { return errs.Field("hook", msg) }
	u, err := url.Parse(address)
	switch {
	case err != nil || len(address) > maxHook || u.Opaque != "" || !plainHost.MatchString(u.Host) || u.Scheme != "http" && u.Scheme != "https":
		return bad("Write a whole address, such as http://localhost:8080/webhooks/intercom.")
	case u.User != nil || strings.Contains(address, "#"):
		return bad("The address has no user name and no fragment (no #).")
	case u.Host != s.home && !loopbackHost(u.Hostname()):
		return bad("The sandbox sends to this machine alone: localhost, 127.0.0.1 or [::1].")
	}
	return nil
}

// NotifyURL is the address that notifications are sent to, "" if none is set or
// the receiver has switched it off.
func (p *Provider) NotifyURL() string {
	p.sender.mu.Lock()
	defer p.sender.mu.Unlock()
	if p.sender.disabled {
		return ""
	}
	return p.sender.address
}

// SetNotifyURL sets that address, after a HEAD request to it was answered with
// success; which status Intercom wants is unconfirmed. It returns an errs.Invalid
// on the field "hook" if the address cannot be used.
func (p *Provider) SetNotifyURL(ctx context.Context, address string) error {
	s := p.sender
	if s.client == nil {
		return errNoClient
	}
	if err := s.check(address); err != nil {
		return err
	}
	if status, err := s.head(ctx, address); err != nil {
		return errs.Field("hook", "Nobody answers there. Start what is to receive, and set the address again.")
	} else if status < 200 || status > 299 {
		return errs.Field("hook", fmt.Sprintf("A HEAD request to it was answered with %d, where success is expected. Correct the address, or the receiver.", status))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address, s.disabled, s.throttle, s.resumes = address, false, 0, time.Time{}
	return nil
}

var errNoClient = errs.Field("hook", "This sandbox was started without a way to send anything. Start it with backoffice rehearse or backoffice sandbox.")

var topicName = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*$`)

// Send begins to send notifications to [Provider.NotifyURL] and returns at once;
// [Provider.Settle] waits for them. It returns an errs.Invalid with the field
// that cannot be used, or if no more can be sent now.
func (p *Provider) Send(d Delivery) error {
	d, err := d.complete()
	if err != nil {
		return err
	}
	s := p.sender
	s.mu.Lock()
	defer s.mu.Unlock()
	n := d.Count * (1 + d.Again)
	switch {
	case s.client == nil:
		return errNoClient
	case s.address == "":
		return errs.Field("hook", "Set an address first.")
	case s.disabled:
		return errs.Field("hook", "The receiver has answered 410, which switches the subscription off. Set the address again.")
	case s.underWay+n > maxUnderWay:
		return errs.Field("count", fmt.Sprintf("That makes %d notifications under way, and %d are the most. Send fewer, or wait until others have arrived.", s.underWay+n, maxUnderWay))
	}
	if s.underWay == 0 {
		s.settled = make(chan struct{})
	}
	s.underWay += n
	for range d.Count {
		m := p.newNotification(d)
		for range 1 + d.Again {
			go s.deliver(s.ctx, p.now, m)
		}
	}
	return nil
}

// complete puts in what was left out, and reports what cannot be.
func (d Delivery) complete() (Delivery, error) {
	if d.Topic == "" {
		d.Topic = "ping"
	}
	if d.Count == 0 {
		d.Count = 1
	}
	if d.Retry == 0 {
		d.Retry = DefaultRetry
	}
	switch {
	case len(d.Topic) > maxTopic || !topicName.MatchString(d.Topic):
		return d, errs.Field("topic", "Topic: small letters with dots between them, such as contact.user.created.")
	case d.Count < 1 || d.Count > MaxBurst:
		return d, errs.Field("count", fmt.Sprintf("How many: a whole number from 1 to %d.", MaxBurst))
	case d.Again < 0 || d.Again > MaxAgain:
		return d, errs.Field("again", fmt.Sprintf("Each again: a whole number from 0 to %d.", MaxAgain))
	case d.Retry < 0 || d.Retry > MaxRetry:
		return d, errs.Field("retry", fmt.Sprintf("Retry after: a whole number of seconds from 1 to %d.", int(MaxRetry/time.Second)))
	case d.Signing < 0 || d.Signing >= signings:
		return d, errs.Field("signing", "Signature: choose one of the list.")
	case d.Rewriting < 0 || d.Rewriting >= rewritings:
		return d, errs.Field("rewriting", "Body: choose one of the list.")
	}
	return d, nil
}

// Settle waits until nothing is under way any more, retries included.
func (p *Provider) Settle(ctx context.Context) error {
	s := p.sender
	s.mu.Lock()
	n, settled := s.underWay, s.settled
	s.mu.Unlock()
	if n == 0 {
		return nil
	}
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Sent returns the last 200 attempts to deliver, newest first.
func (p *Provider) Sent() []Sent {
	p.sender.mu.Lock()
	defer p.sender.mu.Unlock()
	out := slices.Clone(p.sender.log)
	slices.Reverse(out)
	return out
}
