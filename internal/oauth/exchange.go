package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/secret"

	"golang.org/x/oauth2"
)

// A capture sends one request and keeps what came back. It is the only thing
// that sees a provider's bytes: whoever called gets a body that was made here.
type capture struct {
	next    http.RoundTripper
	rewrite func(*capture) *http.Response // nil: the caller does not look at the response

	used   bool
	status int
	header http.Header
	body   []byte
	err    *egress.Error // why there is no whole answer; status may be set
}

var errTwice = errors.New("a request of the handshake is sent once")

// RoundTrip refuses a second request: a code that is sent twice may revoke what
// the first brought.
func (c *capture) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.used {
		return nil, errTwice
	}
	c.used = true
	out := req.Clone(req.Context())
	if out.Header.Get("Accept") == "" {
		out.Header.Set("Accept", "application/json")
	}
	resp, err := c.next.RoundTrip(out)
	if err != nil {
		c.fail(err)
		return nil, c.err
	}
	defer resp.Body.Close()
	c.status, c.header = resp.StatusCode, resp.Header
	if c.body, err = io.ReadAll(resp.Body); err != nil {
		c.body = nil
		c.fail(err)
		return nil, c.err
	}
	if c.rewrite == nil {
		return made(req, http.StatusNoContent, nil), nil
	}
	plain := c.rewrite(c)
	plain.Request = req
	return plain, nil
}

// get sends req for a caller that looks at nothing but the capture.
func (c *capture) get(req *http.Request) {
	resp, err := c.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close() // it was made here
	}
}

func (c *capture) fail(err error) {
	if !errors.As(err, &c.err) {
		c.err = &egress.Error{Class: egress.Protocol, Msg: "The call failed before an answer could be read."}
	}
}

func made(req *http.Request, status int, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req}
}

// A question is one request to the token address.
type question struct {
	clientID secret.Text
	secret   secret.Text
	auth     connector.ClientAuth
	code     secret.Text
	verifier secret.Text // of PKCE; empty without
	madeUp   madeUp
}

// A madeUp says which part of a question is a control.
type madeUp int

const (
	nothing madeUp = iota
	theID
	theSecret
)

// question is the entry's own, with a code.
func (r *run) question(code, verifier secret.Text) question {
	return question{clientID: secret.NewText(r.clientID), secret: r.secret, auth: r.def.OAuth.ClientAuth, code: code, verifier: verifier}
}

// exchange sends the code, once, and judges the answer. It returns the access
// token, or an empty text. The token is in nothing else that this leaves behind.
func (r *run) exchange(ctx context.Context, code, verifier secret.Text) secret.Text {
	st := Step{Name: "Exchange the code for a token"}
	got, a, token := r.ask(ctx, &st, r.question(code, verifier))
	r.readRateLimit(got.header)
	r.report.Steps = append(r.report.Steps, st)
	if classify(&got, a) == issued {
		r.told = r.tokenGrants(a, len(r.report.Steps)-1)
	}
	r.judgeExchange(&got, a, &r.report.Steps[len(r.report.Steps)-1])
	return token
}

// ask sends a question and fills its step. The token, if there is one, is in
// nothing else that it leaves behind.
func (r *run) ask(ctx context.Context, st *Step, q question) (capture, answer, secret.Text) {
	st.Sent = r.questionLines(q)
	conf := oauth2.Config{ClientID: q.clientID.Reveal(), ClientSecret: q.secret.Reveal(), RedirectURL: r.redirect,
		Endpoint: oauth2.Endpoint{TokenURL: r.ends.Token, AuthStyle: authStyle(q.auth)}}
	var opts []oauth2.AuthCodeOption
	if !q.verifier.IsZero() {
		opts = append(opts, oauth2.VerifierOption(q.verifier.Reveal()))
	}
	var a answer
	var token secret.Text
	got := r.call(ctx, st, func(ctx context.Context, c *http.Client, got *capture) {
		got.rewrite = func(got *capture) *http.Response {
			a = parseAnswer(got.header.Get("Content-Type"), got.body, r.def.OAuth.TokenFields)
			return plainAnswer(classify(got, a), a)
		}
		// The error is not looked at: the capture has seen more, and its text
		// could quote the answer.
		if t, err := conf.Exchange(context.WithValue(ctx, oauth2.HTTPClient, c), q.code.Reveal(), opts...); err == nil {
			token = secret.NewText(t.AccessToken)
		}
	})
	r.scrub.add(append(a.secrets, a.token.Reveal())...)
	if st.Exchange != nil {
		st.Exchange = r.shown(*st.Exchange)
	}
	st.Received = r.exchangeReceived(&got, a)
	return got, a, token
}

// plainAnswer is the answer in the one form that x/oauth2 reads: it knows only
// access_token, and would put a foreign body into its error.
func plainAnswer(c class, a answer) *http.Response {
	if c != issued {
		return made(nil, http.StatusBadRequest, []byte("{}"))
	}
	body, err := json.Marshal(map[string]string{"access_token": a.token.Reveal(), "token_type": "Bearer"})
	if err != nil {
		return made(nil, http.StatusBadRequest, []byte("{}"))
	}
	return made(nil, http.StatusOK, body)
}

// authStyle pins the method. There is no auto-detection: it sends the code twice.
func authStyle(a connector.ClientAuth) oauth2.AuthStyle {
	if a == connector.ClientSecretBasic {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams
}

func (r *run) questionLines(q question) []Line {
	begin, form := []Line{r.line("POST", withoutQuery(r.ends.Token))}, []Line{}
	basic := q.auth == connector.ClientSecretBasic
	if basic {
		line := r.secretLine("Authorization: Basic", q).in(InHeader)
		line.Note = "client ID and secret; the secret has " + line.Note
		if q.madeUp == theID {
			line.Note = "a made-up client ID, and the secret; the secret has " + characters(q.secret.Len())
		}
		begin = append(begin, line)
	}
	form = append(form, r.line("grant_type", "authorization_code"), r.codeLine(q), r.line("redirect_uri", r.redirect))
	if !basic {
		form = append(form, r.idLine(q))
		if !q.secret.IsZero() {
			form = append(form, r.secretLine("client_secret", q))
		}
	}
	if !q.verifier.IsZero() {
		form = append(form, gone("code_verifier", q.verifier))
	}
	return append(begin, placed(InForm, form...)...)
}

// idLine is the client ID that was sent. One that is made up may share its
// beginning with one that the entry hides.
func (r *run) idLine(q question) Line {
	switch {
	case q.madeUp != theID:
		return r.clientIDLine()
	case r.hideID:
		return Line{Name: "client_id", Value: "[made up]", Redacted: true, Note: characters(q.clientID.Len())}
	}
	line := r.line("client_id", q.clientID.Reveal())
	line.Note = "made up, of the same shape"
	return line
}

// secretLine is the secret that was sent. A corrupted one still has its ends.
func (r *run) secretLine(name string, q question) Line {
	if q.madeUp == theSecret {
		return Line{Name: name, Value: "[corrupted]", Redacted: true, Note: characters(q.secret.Len()) + ", wrong in the middle"}
	}
	return r.fingerprinted(name, q.secret)
}

// codeLine is the code that was sent. One that a test made up is no secret.
func (r *run) codeLine(q question) Line {
	if strings.HasPrefix(q.code.Reveal(), impossible) {
		line := r.line("code", q.code.Reveal())
		line.Note = "made up for this run"
		return line
	}
	return gone("code", q.code)
}

// exchangeReceived is what may be shown of the answer: the named fields alone.
func (r *run) exchangeReceived(got *capture, a answer) []Line {
	lines := r.head(got)
	if !a.token.IsZero() {
		lines = append(lines, gone(a.tokenField, a.token).in(a.form.place()))
	}
	for _, l := range []struct{ name, value string }{{"token_type", a.tokenType}, {"expires_in", a.expiresIn}, {"scope", a.scope}} {
		if l.value != "" && !a.token.IsZero() {
			lines = append(lines, r.foreignLine(l.name, l.value).in(a.form.place()))
		}
	}
	return append(lines, r.errorLines(a)...)
}

// shownHeaders are the headers of an answer that help in a provider's ticket.
var shownHeaders = []string{"Content-Type", "X-Request-Id", "Request-Id", "X-Correlation-Id", "Retry-After"}

// head is the status and the allowed headers of an answer.
func (r *run) head(got *capture) []Line {
	if got.status == 0 {
		return nil
	}
	lines := []Line{{Name: "Status", Value: strings.TrimSpace(fmt.Sprintf("%d %s", got.status, http.StatusText(got.status)))}}
	for _, name := range shownHeaders {
		if v := got.header.Get(name); v != "" {
			lines = append(lines, r.foreignLine(name, v).in(InHeader))
		}
	}
	if u, err := url.Parse(got.header.Get("Location")); err == nil && u.Host != "" {
		lines = append(lines, r.foreignLine("Location", u.Scheme+"://"+u.Host+"/…").in(InHeader))
	}
	return lines
}

// errorLines are the parts of an error, each under the path that it stood at.
func (r *run) errorLines(a answer) (lines []Line) {
	for _, l := range []struct{ name, value string }{{a.at.code, a.code}, {a.at.description, a.description}, {a.at.requestID, a.requestID}} {
		if l.value != "" && (a.failed || a.token.IsZero()) {
			lines = append(lines, r.foreignLine(l.name, l.value).in(a.form.place()))
		}
	}
	return lines
}

func withoutQuery(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}
