package signin

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"backoffice/internal/audit"
	"backoffice/internal/egress"
	"backoffice/internal/errs"

	"golang.org/x/oauth2"
)

// A Verdict is what a test says of one field.
type Verdict string

// The verdicts.
const (
	OK        Verdict = "ok"
	Wrong     Verdict = "wrong"
	Undecided Verdict = "undecided"
)

// A Step is one thing that a test did, with what it found, in words.
type Step struct {
	Verdict Verdict
	Name    string
	Text    string
}

// A Report is what a test without anybody's sign-in found out. A verdict says only
// what a comparison of answers proves.
type Report struct {
	Pending                            bool // the pending setting was tested, not the one in force
	Issuer, ClientID, Secret, Redirect Verdict
	Steps                              []Step
}

func (r *Report) add(v Verdict, name, text string) { r.Steps = append(r.Steps, Step{v, name, text}) }

// Test asks the provider of the pending setting, or of the one in force, all that
// can be asked without a person: what it says of itself, its keys, whether it goes
// on with our redirect URI and not with one that nobody registered, and whether it
// takes client ID and secret, by a code that nobody was given: once as they are,
// once with a corrupted secret, once with a made-up client ID. It is at most seven
// calls. It returns an errs.NotFound if there is no setting, and an errs.TooMany.
func (s *Service) Test(ctx context.Context, by audit.Actor) (Report, error) {
	if err := s.tests.allow(by.Addr); err != nil {
		return Report{}, err
	}
	k, p, err := s.both(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("reading how people sign in: %w", err)
	}
	r := Report{Issuer: Undecided, ClientID: Undecided, Secret: Undecided, Redirect: Undecided, Pending: p.Issuer != ""}
	if r.Pending {
		k = p.kept
	}
	if k.Issuer == "" {
		return Report{}, errs.New(errs.NotFound, "There is no setting to test. Save one first.")
	}
	if m, ok := s.testIssuer(ctx, k, &r); ok {
		s.testRedirect(ctx, k, m, &r)
		if err := s.testClient(ctx, k, m, &r); err != nil {
			return Report{}, err
		}
	}
	e := audit.Event{Time: s.now(), Actor: by, Action: audit.SignInTested, Target: k.Issuer, Outcome: audit.Done,
		Note: fmt.Sprintf("Issuer %s, client ID %s, client secret %s, redirect URI %s.", r.Issuer, r.ClientID, r.Secret, r.Redirect)}
	if err := audit.Record(ctx, s.store, e); err != nil {
		return Report{}, fmt.Errorf("recording a test: %w", err)
	}
	return r, nil
}

// testIssuer looks at what the provider says of itself.
func (s *Service) testIssuer(ctx context.Context, k kept, r *Report) (metadata, bool) {
	m, err := s.discover(ctx, k.Issuer)
	if err != nil {
		_, words := errs.Of(err)
		r.Issuer = Wrong
		if errs.Is(err, errs.Unavailable) {
			r.Issuer = Undecided
		}
		r.add(r.Issuer, "Read what the provider says of itself", words)
		return m, false
	}
	r.Issuer = OK
	r.add(OK, "Read what the provider says of itself", "It calls itself by the same issuer, and its addresses are encrypted.")
	r.add(OK, "Compare algorithms", "It signs with "+strings.Join(m.signing(), ", ")+".")
	switch {
	case slices.Contains(m.Challenges, "S256"):
		r.add(OK, "Look for PKCE", "It knows S256, which every sign-in uses.")
	case len(m.Challenges) == 0:
		r.add(Undecided, "Look for PKCE", "It does not say whether it knows S256. Every sign-in sends it anyway; most providers that do not know it ignore it.")
	default:
		r.add(Wrong, "Look for PKCE", "It knows only "+shorten(strings.Join(m.Challenges, ", "))+", and every sign-in uses S256. It may refuse them.")
	}
	var keys struct {
		Keys []struct {
			Kind string `json:"kty"`
		} `json:"keys"`
	}
	switch err := s.fetch(ctx, m.Keys, &keys); {
	case err != nil:
		_, words := errs.Of(err)
		r.Issuer = Wrong
		r.add(Wrong, "Read its keys", words)
	case len(keys.Keys) == 0:
		r.Issuer = Wrong
		r.add(Wrong, "Read its keys", "There is none, so no token can be verified.")
	default:
		r.add(OK, "Read its keys", fmt.Sprintf("It publishes %d.", len(keys.Keys)))
	}
	return m, true
}

// testRedirect asks for a sign-in that must not ask anybody anything: a provider
// that knows client ID and redirect URI sends the browser back with an error. One
// that sends it to an address which nobody can have registered tells nothing.
func (s *Service) testRedirect(ctx context.Context, k kept, m metadata, r *Report) {
	const name = "Ask for a sign-in without a person"
	ours, err := s.goesBack(ctx, k, m, s.redirect)
	if err != nil {
		_, words := errs.Of(err)
		r.add(Undecided, name, words)
		return
	}
	foreign, err := s.goesBack(ctx, k, m, s.redirect+"/"+strings.ToLower(rand.Text()))
	switch {
	case err != nil || ours && foreign:
		r.add(Undecided, name, "It would go on with any redirect URI, so this tells nothing about ours.")
	case ours:
		r.Redirect, r.ClientID = OK, OK
		r.add(OK, name, "It comes back to our redirect URI, and not to one that nobody registered: it knows client ID and redirect URI.")
	default:
		r.add(Undecided, name, "It does not come back by itself. Either it shows its page first, or it does not know the client ID or the redirect URI.")
	}
}

// goesBack reports whether the provider sends the browser back to the address.
func (s *Service) goesBack(ctx context.Context, k kept, m metadata, address string) (bool, error) {
	conf := s.config(k, m)
	conf.RedirectURL = address
	to := conf.AuthCodeURL(newToken(), oauth2.SetAuthURLParam("prompt", "none"), oauth2.SetAuthURLParam("nonce", newToken()), oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return false, errs.Wrap(errs.Invalid, "The address of the provider's page cannot be asked.", err)
	}
	resp, err := egress.Do(s.client, req)
	if err != nil {
		return false, unreachable(req.URL.Host, err)
	}
	defer resp.Body.Close()
	at, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode < 300 || resp.StatusCode > 399 {
		return false, nil
	}
	at.RawQuery, at.Fragment = "", ""
	return at.String() == address, nil
}

// reply is what the token address answers to a code that nobody was given.
type reply struct {
	status int
	code   string // of the error, if it is one of the standard's
}

// blames reports whether the client is refused.
func (r reply) blames() bool { return r.code == "invalid_client" || r.code == "unauthorized_client" }

func (r reply) words() string {
	if r.code == "" {
		return fmt.Sprintf("%d", r.status)
	}
	return fmt.Sprintf("%d %s", r.status, r.code)
}

// testClient compares what the token address answers to the real values, to a
// corrupted secret and to a made-up client ID.
func (s *Service) testClient(ctx context.Context, k kept, m metadata, r *Report) error {
	const name = "Send a code that nobody was given"
	plain, err := s.open(k, m)
	if errors.Is(err, errMoved) {
		_, words := errs.Of(err)
		r.add(Undecided, name, words)
		return nil
	}
	if err != nil {
		return err
	}
	var got [4]reply
	made := strings.ToLower(rand.Text())
	for i, c := range [4]struct{ id, secret string }{{k.ClientID, plain}, {k.ClientID, corrupted(plain)}, {made, plain}, {k.ClientID, plain}} {
		if got[i], err = s.impossible(ctx, m, c.id, c.secret); err != nil {
			_, words := errs.Of(err)
			r.add(Undecided, name, words)
			return nil
		}
	}
	right, spoilt, made2, again := got[0], got[1], got[2], got[3]
	said := fmt.Sprintf("The answers: %s to these values, %s to a corrupted secret, %s to a made-up client ID.", right.words(), spoilt.words(), made2.words())
	v := Undecided
	switch {
	case right != again:
		said += " Asked again it answers otherwise, so this tells nothing."
	case right.code == "invalid_grant" && spoilt.blames() && made2.blames():
		v, r.ClientID, r.Secret = OK, OK, OK
		said += " Only these values pass."
	case right.blames() && right == spoilt && made2.blames() && r.ClientID == OK:
		v, r.Secret = Wrong, Wrong
		said += " It knows the client ID, and refuses the secret."
	case right.blames() && right == spoilt && right != made2:
		v, r.ClientID, r.Secret = Wrong, OK, Wrong
		said += " It tells our client ID from a made-up one, and refuses the secret."
	case right.blames():
		v = Wrong
		said += " It refuses client ID or secret, and does not tell which."
	default:
		said += " It looks at the code first, so only a sign-in tells."
	}
	r.add(v, name, said)
	return nil
}

// corrupted is a secret of the same length and look that is another one.
func corrupted(s string) string {
	b := []byte(s)
	for i := range b {
		switch c := b[i]; {
		case c >= 'a' && c < 'z' || c >= 'A' && c < 'Z' || c >= '0' && c < '9':
			b[i] = c + 1
			return string(b)
		}
	}
	return s + "x"
}

// impossible asks for a token for a code that nobody was given.
func (s *Service) impossible(ctx context.Context, m metadata, id, plain string) (reply, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {strings.ToLower(rand.Text())}, "redirect_uri": {s.redirect}, "code_verifier": {oauth2.GenerateVerifier()}}
	if m.style() == oauth2.AuthStyleInParams {
		form.Set("client_id", id)
		form.Set("client_secret", plain)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return reply{}, errs.Wrap(errs.Invalid, "The token address cannot be asked.", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if m.style() == oauth2.AuthStyleInHeader {
		req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(plain))
	}
	resp, err := egress.Do(s.client, req)
	if err != nil {
		return reply{}, unreachable(req.URL.Host, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}, unreachable(req.URL.Host, egress.Clean(err))
	}
	var said struct {
		Error string `json:"error"`
	}
	out := reply{status: resp.StatusCode}
	if json.Unmarshal(bytes.TrimSpace(body), &said) == nil && said.Error != "" {
		out.code = known(said.Error, tokenErrors)
	}
	return out, nil
}
