package oauth

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"

	"backoffice/internal/egress"

	"golang.org/x/oauth2"
)

// doors asks the authorize address as a browser without cookies would: D with
// the entry's values, E with a redirect URI that nobody can have registered, F
// with a made-up client ID.
func (d *diagnosis) doors(ctx context.Context) {
	d.door.d = d.knock(ctx, "D", "Open the authorize address as a browser would", d.clientID, d.redirect)
	if d.stopped || d.door.d == nil {
		return
	}
	strange := "https://" + randomHost() + "/cb"
	needF := d.undecidedID()
	if needF && d.left() < 2 { // no room for both: the id comes first
		d.door.f = d.knock(ctx, "F", "Control: the same with a made-up client ID", d.madeUpID(), d.redirect)
		return
	}
	d.door.e = d.knock(ctx, "E", "Control: the same with a redirect URI that nobody has registered", d.clientID, strange)
	if d.stopped || d.left() == 0 {
		return
	}
	turnedAway := d.door.d.kind == turnsAway && d.door.e != nil && d.door.e.kind == turnsAway
	if needF || turnedAway {
		d.door.f = d.knock(ctx, "F", "Control: the same with a made-up client ID", d.madeUpID(), d.redirect)
	}
}

// undecidedID reports whether the token address left the client ID open.
func (d *diagnosis) undecidedID() bool { return !d.tokens.decidesID() }

// madeUpID is the one of the controls, so that both addresses get the same.
func (d *diagnosis) madeUpID() string {
	if !d.strange.IsZero() {
		return d.strange.Reveal()
	}
	id := lookalike(d.clientID)
	if d.hideID {
		d.scrub.add(id)
	}
	return id
}

// knock sends one question to the authorize address and reads where it ends.
func (d *diagnosis) knock(ctx context.Context, letter, name, clientID, redirect string) *landing {
	if !d.turn(ctx, name) {
		return nil
	}
	asked := d.subject
	asked.clientID, asked.redirect = clientID, redirect
	state, verifier := randomHex(16), ""
	if d.def.OAuth.PKCE {
		verifier = oauth2.GenerateVerifier()
	}
	scopes, err := d.scopes()
	if err != nil {
		scopes = ""
	}
	st := Step{Name: name, Probe: letter, Sent: d.doorLines(letter, clientID, redirect, scopes, verifier != "")}
	v := d.visit(ctx, &st, asked.authorizeURL(state, verifier, scopes))
	sent := []string{clientID, redirect, state, url.QueryEscape(redirect)}
	l := land(v, redirect, sent)
	d.heard(d.ends.Authorize, v.last)
	st.Received = d.landingLines(v)
	st.Verdict, st.Hint = NotChecked, landingHints[l.kind]
	if l.kind == unclear {
		st.Verdict = Inconclusive
	}
	st.Why = doorMeaning[letter]
	i := d.add(st)
	d.evidence[letter] = i
	if c := classOfLanding(v.last); c == tooMany || c == serverError || c == timedOut || c == cutOff {
		d.asked = d.asked || c == tooMany
		d.end(stopping{class: c, step: i, reply: reply{got: *v.last}, door: true})
	}
	return &l
}

// classOfLanding is the class of an answer that ends the questions.
func classOfLanding(got *capture) class {
	switch {
	case got.err != nil:
		return classOfEgress[got.err.Class]
	case got.status == http.StatusTooManyRequests:
		return tooMany
	case got.status >= 500:
		return serverError
	}
	return otherRefusal
}

var doorMeaning = map[string]string{
	"D": "A provider that knows the client ID and the redirect URI goes on, to a login or a consent page. It is compared with the controls.",
	"E": "If the provider goes on here as it does with ours, it looks at the redirect URI only after the login.",
	"F": "If this ends elsewhere than the question with our client ID, the provider knows ours.",
}

// visit opens an address, follows redirects on the same origin, and no others.
func (d *diagnosis) visit(ctx context.Context, st *Step, address string) visitLog {
	v := visitLog{last: &capture{}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		v.last.err = &egress.Error{Class: egress.Refused, Msg: "The authorize address cannot be read."}
		return v
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5")
	trace := &egress.Trace{Keep: keepLocation}
	d.timed(st, func() {
		c := d.guard.Client(egress.CallOptions{Timeout: d.timeout, FollowSameOrigin: true, LeaveForeign: true})
		v.last.next = c.Transport
		v.last.get(req.WithContext(egress.WithTrace(ctx, trace)))
	})
	for i, x := range trace.Exchanges() {
		v.location = append(v.location, locationOf(x, v.last, i == len(trace.Exchanges())-1))
		v.hops = append(v.hops, x)
		shown := d.shown(x)
		if i == 0 {
			st.Exchange = shown
		} else {
			st.Further = append(st.Further, *shown)
		}
	}
	if len(v.location) == 0 {
		v.location = []*url.URL{nil}
	}
	return v
}

// keepLocation keeps of a redirect where it leads, without its query.
func keepLocation(name, value string) (string, bool) {
	if http.CanonicalHeaderKey(name) != "Location" {
		return "", false
	}
	u, err := url.Parse(value)
	if err != nil {
		return "", false
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(), true
}

// locationOf is where hop x leads. Of the last one the whole address is known.
func locationOf(x egress.Exchange, last *capture, isLast bool) *url.URL {
	base, err := url.Parse(x.URL)
	if err != nil || x.Status < 300 || x.Status >= 400 {
		return nil
	}
	text := ""
	for _, h := range x.ResponseHeaders {
		if http.CanonicalHeaderKey(h.Name) == "Location" {
			text = h.Value
		}
	}
	if isLast {
		text = last.header.Get("Location")
	}
	if text == "" {
		return nil
	}
	u, err := base.Parse(text)
	if err != nil {
		return nil
	}
	return u
}

func (d *diagnosis) doorLines(letter, clientID, redirect, scopes string, pkce bool) []Line {
	id := d.clientIDLine()
	if letter == "F" {
		id = Line{Name: "client_id", In: InQuery, Value: clientID, Note: "made up, of the same shape"}
		if d.hideID {
			id = Line{Name: "client_id", In: InQuery, Value: "[made up]", Redacted: true}
		}
	}
	id.In = InQuery
	uri := d.line("redirect_uri", redirect)
	uri.In = InQuery
	if letter == "E" {
		uri.Note = "made up; names under .invalid belong to nobody"
	}
	start := d.line("GET", withoutQuery(d.ends.Authorize))
	lines := []Line{start, id, uri, {Name: "response_type", In: InQuery, Value: "code"}, {Name: "state", In: InQuery, Value: removed, Redacted: true}}
	if scopes != "" {
		l := d.line("scope", scopes)
		l.In = InQuery
		lines = append(lines, l)
	}
	if pkce {
		lines = append(lines, Line{Name: "code_challenge_method", In: InQuery, Value: "S256"})
	}
	return lines
}

// landingLines is the way that an answer took, and what stands at its end.
func (d *diagnosis) landingLines(v visitLog) []Line {
	var lines []Line
	for i, x := range v.hops {
		if x.Status == 0 {
			continue
		}
		lines = append(lines, Line{Name: "Status", Value: strings.TrimSpace(fmt.Sprintf("%d %s", x.Status, http.StatusText(x.Status)))})
		if u := v.location[i]; u != nil {
			line := d.foreignLine("Location", u.Scheme+"://"+u.Host+u.Path)
			line.In, line.Note = InHeader, "without its query"
			lines = append(lines, line)
			if code := u.Query().Get("error"); code != "" {
				l := d.foreignLine("error", code)
				l.In, l.Note = Beside, "in the query of the redirect"
				lines = append(lines, l)
			}
		}
	}
	if v.last.status == 0 || v.location[len(v.location)-1] != nil {
		return lines
	}
	a := parseAnswer(v.last.header.Get("Content-Type"), v.last.body, d.def.OAuth.TokenFields)
	d.scrub.add(append(a.secrets, a.token.Reveal())...)
	if m := titleTag.FindSubmatch(v.last.body[:min(len(v.last.body), 256<<10)]); m != nil && a.form != formJSON {
		l := d.foreignLine("title", html.UnescapeString(string(m[1])))
		l.In = Beside
		lines = append(lines, l)
	}
	return append(lines, d.errorLines(a)...)
}
