package outside

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"unicode"
)

// An Arrival is a request of a check as this program sees it: scheme and host as
// it believes them, which is what decides whether anything works.
type Arrival struct {
	Method string
	Scheme string // as believed
	Host   string // as believed, with its port if it has one
	Path   string // escaped, as it came
	Query  string // raw, as it came
	Peer   string // the address that the connection came from
	// Trusted says whether that address is a trusted proxy, whose forwarding
	// headers are believed. They are here as they came, believed or not.
	Trusted        bool
	ForwardedProto string
	ForwardedHost  string

	Cookie    string // value of the cookie named CookieName
	Signature string // of the header that SignatureOf returns
	Length    int    // of the body
	Sum       [sha256.Size]byte
	Stray     bool // it came to a path that has another answer
}

// SignatureOf is the signature header of a request, as it came.
func SignatureOf(h http.Header) string { return h.Get(sigHeader) }

// An Answer is what a request of a check gets.
type Answer struct {
	Status   int
	Location string       // of a redirect; "" for none
	Cookie   *http.Cookie // nil for none
	Text     string
	Finish   bool // a visit is complete: call Finish, and send the browser to the report
}

// Arrive takes note of what came with the ticket's nonce, and returns what to
// answer. The answer to a stray arrival is the one of the path that it came to.
func (t *Ticket) Arrive(a Arrival) Answer {
	c := t.c
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &t.run.seen[t.leg]
	s.arrived, s.arrival = true, a
	out := Answer{Status: http.StatusOK, Text: c.answerFor(t.nonce)}
	visiting := t.run.visitor != ""
	switch t.leg {
	case first:
		out.Status, out.Location = http.StatusSeeOther, c.callback(t.run.seen[back].nonce)
		out.Cookie = &http.Cookie{Name: c.cookieName(), Value: c.cookieFor(t.run), Path: "/", MaxAge: int(nonceLife.Seconds()), HttpOnly: true,
			Secure: c.secure(), SameSite: http.SameSiteLaxMode}
	case back:
		if visiting {
			out.Status, out.Location = http.StatusSeeOther, VisitPath
		}
	case posting:
		out.Finish = visiting
	}
	return out
}

// callback is the address of the callback with a nonce, as a path: as all our
// redirects are written. Its query has what proxies like to change: escapes,
// "+", and parameters that are not in the order of their names.
func (c *Checker) callback(nonce string) string { return CallbackPath + "?" + callbackQuery(nonce) }

func callbackQuery(nonce string) string {
	return "code=a%2Bb%3D%2Fc&" + stateParam + "=" + nonce + "&scope=read+write"
}

// cookieFor is the value of a run's cookie.
func (c *Checker) cookieFor(r *run) string { return c.answerFor("cookie " + r.seen[first].nonce)[:32] }

// printable cuts foreign text and drops what could disturb a page.
func printable(s string) string {
	const most = 300
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
