package oauth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
)

// Callback ends a consent run: a browser came back to
// /auth/{service}/callback?{rawQuery}. It accepts the state, exchanges the code
// and asks whose token it is, and returns where the report is.
//
// Its errors are about the state: errs.Invalid, errs.Refused (another browser
// session), errs.Conflict (used before, or the entry has changed) and
// errs.NotFound (the entry is gone). Whatever goes wrong after that is a report.
// It does not stop when ctx is cancelled: the code is used up then, and the
// admin would never learn what came of it.
func (s *Service) Callback(ctx context.Context, by audit.Actor, session Binding, service, rawQuery string) (Ref, error) {
	if len(rawQuery) > maxQuery {
		return Ref{}, errs.New(errs.Invalid, "The provider's answer is too long to be one. Start the test again.")
	}
	began, at := time.Now(), s.now().UTC()
	p := parseQuery(rawQuery)
	state, ok := p.one("state")
	if !ok {
		return Ref{}, errs.New(errs.Invalid, "The answer has more than one state, so it belongs to no test. Start the test again.")
	}
	ctx = context.WithoutCancel(ctx)
	f, err := s.take(ctx, visit{by: by, session: session, service: service, state: state, at: at})
	if err != nil {
		return Ref{}, err
	}
	sub, err := s.tested(ctx, by, f, at)
	if err != nil {
		return Ref{}, err
	}
	verifier, err := s.verifier(f, state)
	if err != nil {
		return Ref{}, err
	}
	r := s.newRun(sub, by, ConsentRun, began, at)
	r.report.Consent = max(at.Sub(f.Started), 0)
	r.handshake(ctx, p, secret.NewText(state), verifier)
	return s.finish(ctx, r)
}

// tested is the version that f started with, as it is now. Versions never
// change, but an entry can be deleted and made again.
func (s *Service) tested(ctx context.Context, by audit.Actor, f flow, at time.Time) (subject, error) {
	sub, err := s.subject(ctx, f.Entry, f.Version)
	if err == nil && sub.version.ContentHash != f.ContentHash {
		err = errs.Newf(errs.Conflict, "Version %d of %s is not the one that the test was started with. Start it again.", f.Version, f.Entry)
	}
	if err == nil {
		sub.redirect = f.RedirectURI
		err = sub.ready()
	}
	if kind, _ := errs.Of(err); err == nil || kind == errs.Internal {
		return sub, err
	}
	v := visit{by: by, at: at}
	if logged := audit.Record(ctx, s.store, v.refused(f.Entry, f.Version, err)); logged != nil {
		return subject{}, fmt.Errorf("recording a refused callback of %s: %w", f.Entry, errors.Join(logged, err))
	}
	return subject{}, err
}

func (s *Service) verifier(f flow, state string) (secret.Text, error) {
	if len(f.Verifier) == 0 {
		return secret.Text{}, nil
	}
	plain, err := s.box.Open(f.Verifier, flows.Prefix+hash(state))
	return secret.NewText(string(plain)), err
}

// handshake is a consent run from the moment the state is accepted.
func (r *run) handshake(ctx context.Context, p params, state, verifier secret.Text) {
	r.judge(State, OK, "It came back unchanged, for the first time, in the browser session that started the test.")
	code, once := p.one("code")
	r.scrub.add(p["code"]...)
	r.scrub.add(state.Reveal(), verifier.Reveal())
	r.consentStep(p, state, !verifier.IsZero())
	switch {
	case len(p["error"]) > 0:
		r.notConsented(p["error"][0])
	case !once:
		r.conclude(codeTwice, &r.report.Steps[0])
	case code == "":
		r.conclude(codeMissing, &r.report.Steps[0])
	default:
		if token := r.exchange(ctx, secret.NewText(code), verifier); !token.IsZero() {
			r.identify(ctx, token)
			r.probe(ctx, token)
		}
	}
}

// consentStep is the part that the browser carried.
func (r *run) consentStep(p params, state secret.Text, pkce bool) {
	st := Step{Name: "Ask for consent at " + r.provider(), Verdict: OK, Hint: "code received",
		Why: "The state is the one that we gave the browser, so this answer belongs to this test."}
	query := []Line{r.clientIDLine(), r.line("redirect_uri", r.redirect), r.line("response_type", "code"), gone("state", state)}
	if scopes, err := r.scopes(); err == nil && scopes != "" {
		query = append(query, r.line("scope", scopes))
	}
	if pkce {
		query = append(query, r.line("code_challenge_method", "S256"))
	}
	st.Sent = append(st.Sent, r.line("GET", withoutQuery(r.ends.Authorize)))
	st.Sent = append(st.Sent, placed(InQuery, query...)...)
	for _, code := range p["code"] {
		st.Received = append(st.Received, gone("code", secret.NewText(code)))
	}
	st.Received = append(st.Received, gone("state", state))
	for _, name := range []string{"error", "error_description"} {
		for _, v := range p[name] {
			st.Received = append(st.Received, r.foreignLine(name, v))
		}
	}
	placed(InQuery, st.Received...)
	r.report.Steps = append(r.report.Steps, st)
}

// notConsented judges an answer of RFC 6749 section 4.1.2.1.
func (r *run) notConsented(code string) {
	c, known := classOfConsentError[strings.TrimSpace(code)]
	if !known {
		c = consentFailed
	}
	r.report.Denied = c == consentDenied
	r.conclude(c, &r.report.Steps[0])
}
