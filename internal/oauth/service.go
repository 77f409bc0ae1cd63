package oauth

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A Service tests connections and keeps the reports. It is safe for concurrent
// use.
type Service struct {
	store       store.Store
	box         *secret.Box
	config      *config.Service
	guard       *egress.Guard
	publicURL   string
	now         func() time.Time
	timeout     time.Duration
	limits      Limits
	probeLimits ProbeLimits
	checkOwn    CheckOwn
	panicked    func(run, what string, stack []byte)
	index       healthIndex
	radar       radar
	watching    watching
	lives       lives
	life        context.Context // of the diagnoses: they outlive the request that started them
	stop        context.CancelFunc
}

// Options are what a Service is made of. All but
// CallTimeout, Limits, CheckOwn and Panicked are needed.
type Options struct {
	Store       store.Store
	Box         *secret.Box
	Config      *config.Service
	Guard       *egress.Guard
	PublicURL   string // the origin that browsers see: "https://backoffice.example.com"
	Now         func() time.Time
	CallTimeout time.Duration // of one call to a provider; 0 means egress.DefaultTimeout
	Limits      Limits        // of diagnoses; the zero Limits mean DefaultLimits
	ProbeLimits ProbeLimits   // of probes; the zero ones mean DefaultProbeLimits
	RadarOff    bool          // the operator wants nothing sent unattended
	CheckOwn    CheckOwn      // nil: diagnoses say nothing about our own address

	// Panicked is told of a diagnosis that panicked, for the log: the type of what it
	// panicked with, whose text may be foreign, and the stack. Nil: nobody is told.
	Panicked func(run, what string, stack []byte)
}

// New returns a Service over o. From now on, deleting an entry deletes its
// reports too.
func New(o Options) *Service {
	s := &Service{store: o.Store, box: o.Box, config: o.Config, guard: o.Guard,
		publicURL: strings.TrimRight(o.PublicURL, "/"), now: o.Now, timeout: o.CallTimeout, limits: o.Limits, checkOwn: o.CheckOwn, panicked: o.Panicked}
	s.radar.off, s.index.radar = o.RadarOff, &s.radar.index
	if s.limits.Calls == 0 {
		s.limits = DefaultLimits()
	}
	s.probeLimits = o.ProbeLimits
	if s.probeLimits.Lanes == 0 {
		s.probeLimits = DefaultProbeLimits()
	}
	if o.CallTimeout > 0 {
		s.probeLimits.Call = min(s.probeLimits.Call, o.CallTimeout)
	}
	s.life, s.stop = context.WithCancel(context.Background())
	o.Config.AlsoDelete(deleteReports)
	o.Config.ProveWith(Proven)
	return s
}

// RedirectURI is the redirect URI of a version, to be registered with the
// provider verbatim: the version's own value if it has one, else our callback
// for the definition. It is "" for a definition without OAuth.
func (s *Service) RedirectURI(def *connector.Definition, o config.Opened) string {
	if def == nil || def.OAuth == nil {
		return ""
	}
	if v, ok := o.Values[def.OAuth.RedirectKey]; ok && v.Kind() == connector.Text && !v.Text().IsZero() {
		return v.Text().Reveal()
	}
	return s.publicURL + "/auth/" + def.Key + "/callback"
}

// callbackService is the {service} of a path that ends in
// /auth/{service}/callback, or "".
func callbackService(u *url.URL) string {
	segments := strings.Split(u.Path, "/")
	if n := len(segments); n >= 4 && segments[n-3] == "auth" && segments[n-1] == "callback" {
		return segments[n-2]
	}
	return ""
}

// A subject is a version of an entry as a run needs it.
type subject struct {
	def      *connector.Definition
	version  config.Opened
	ends     connector.Endpoints
	clientID string
	hideID   bool // the entry holds the client id as a secret
	secret   secret.Text
	redirect string
}

// subject reads version n of the entry with its definition. It returns an
// errs.NotFound, or an errs.Invalid for an entry that cannot be tested at all.
func (s *Service) subject(ctx context.Context, id config.ID, n int) (subject, error) {
	o, err := s.config.Open(ctx, id, n)
	if err != nil {
		return subject{}, err
	}
	return s.subjectOf(id, o)
}

// subjectOf is subject for a version that is open.
func (s *Service) subjectOf(id config.ID, o config.Opened) (subject, error) {
	def := s.config.Definition(id)
	if def == nil {
		return subject{}, errs.Newf(errs.Invalid, "There is no connector definition for %s, so there is nothing to test it against. Ask the operator to add one.", id)
	}
	if def.OAuth == nil {
		return subject{}, errs.Newf(errs.Invalid, "The definition of %s has no OAuth handshake, so there is nothing to test.", def.Name)
	}
	ends, err := def.Resolve(o.Texts())
	if err != nil {
		return subject{}, fmt.Errorf("resolving the addresses of %s: %w", id, err)
	}
	k, _ := o.Key(def.OAuth.ClientIDKey)
	return subject{def: def, version: o, ends: ends, hideID: k.Secret, clientID: text(o, def.OAuth.ClientIDKey).Reveal(),
		secret: text(o, def.OAuth.ClientSecretKey), redirect: s.RedirectURI(def, o)}, nil
}

// text is a value that must be a text; any other scalar is no credential.
func text(o config.Opened, key string) secret.Text {
	if v := o.Values[key]; v.Kind() == connector.Text {
		return v.Text()
	}
	return secret.Text{}
}

// ready returns an errs.Invalid, with a remedy, if the subject misses what a
// handshake needs.
func (s subject) ready() error {
	for _, need := range []struct {
		key     string
		missing bool
	}{
		{s.def.OAuth.ClientIDKey, s.clientID == ""},
		{s.def.OAuth.ClientSecretKey, s.secret.IsZero() && !s.public()},
	} {
		if need.missing {
			return errs.Newf(errs.Invalid, "%s has no %s, so there is nothing to test. Edit the entry and fill it in.", s.what(), s.label(need.key))
		}
	}
	if now := config.OriginOf(s.ends.Token); s.version.TokenOrigin != now {
		return errs.Newf(errs.Invalid, "The token address is at %s now, but the client secret of version %d was saved for %s. Edit the entry and paste the secret again, so that it never goes to a new address unnoticed.",
			now, s.version.Number, cmp.Or(s.version.TokenOrigin, "no address"))
	}
	u, err := url.Parse(s.redirect)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Fragment != "" || u.User != nil {
		return errs.Newf(errs.Invalid, "The redirect URI of version %d is no web address without a fragment. Edit %s, or remove it to use our own callback.",
			s.version.Number, s.def.OAuth.RedirectKey)
	}
	return nil
}

// what names the values in a sentence.
func (s subject) what() string {
	if s.version.Number == 0 {
		return "The form"
	}
	return fmt.Sprintf("Version %d of %s", s.version.Number, s.version.Entry)
}

// public reports whether the definition allows a client without a secret, which
// PKCE protects instead (RFC 7636).
func (s subject) public() bool {
	f, _ := s.def.Field(s.def.OAuth.ClientSecretKey)
	return s.def.OAuth.PKCE && !f.Required
}

func (s subject) label(key string) string {
	if f, ok := s.def.Field(key); ok && f.Label != "" {
		return f.Label
	}
	return key
}
