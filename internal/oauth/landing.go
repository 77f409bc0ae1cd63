package oauth

import (
	"bytes"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"backoffice/internal/egress"
)

// A landing is where a browser without cookies ends up that is sent to the
// authorize address. A server must not redirect for an unknown client or to an
// unregistered redirect URI but tell the person (RFC 6749 section 4.1.2.1): that
// difference is what the questions D, E and F look for.
type landing struct {
	kind  landingKind
	hops  []hop
	code  string // of an error, in the address or the answer
	about mention
	title string // of the page, without what changes from call to call
}

// A hop is one answer on the way.
type hop struct {
	status int
	to     string // host and path of the redirect, without what changes; "" for none
}

// A doorEvidence is the landings of the questions to the authorize address. One
// that was not asked is nil.
type doorEvidence struct{ d, e, f *landing }

// A landingKind is what sort of place it is.
type landingKind int

const (
	unclear   landingKind = iota // a block page, a challenge, a server error
	goesOn                       // to a login or consent page
	turnsAway                    // an error page, or a redirect to one
	comesBack                    // to the redirect URI, with an error
	strays                       // to the redirect URI that nobody can have registered
)

var landingHints = [...]string{"unclear", "goes on to a login", "turned away", "sent back with an error", "accepts any redirect URI"}

// same reports whether two landings are the same place, for certain. Titles do
// not count: some pages choose their words at random.
func (l landing) same(o landing) bool {
	if l.kind != o.kind || l.code != o.code || len(l.hops) != len(o.hops) || l.about&(mentionsID|mentionsRedirect) != o.about&(mentionsID|mentionsRedirect) {
		return false
	}
	for i := range l.hops {
		if l.hops[i] != o.hops[i] {
			return false
		}
	}
	return true
}

// A visitLog is what a chain of requests to the authorize address met.
type visitLog struct {
	hops     []egress.Exchange
	location []*url.URL // of each hop; nil for none
	last     *capture
}

// land reads where a chain ended. own is the redirect URI that was sent.
func land(v visitLog, own string, sent []string) landing {
	var l landing
	for i, x := range v.hops {
		h := hop{status: x.Status}
		if u := v.location[i]; u != nil {
			h.to, _ = steady(u.Host+u.Path, sent)
		}
		l.hops = append(l.hops, h)
	}
	if v.last.err != nil && v.last.err.Class != egress.TooLarge || v.last.status == 0 {
		return l
	}
	l.readPage(v.last, sent)
	if at := v.location[len(v.location)-1]; at != nil {
		l.readRedirect(at, own)
		return l
	}
	l.judgePage(v)
	return l
}

// readRedirect judges a redirect that is not followed.
func (l *landing) readRedirect(to *url.URL, own string) {
	q := parseQuery(to.RawQuery)
	code, _ := q.one("error")
	l.code, _ = steady(code, nil)
	switch {
	case strings.HasSuffix(strings.ToLower(to.Hostname()), ".invalid"):
		l.kind = strays
	case samePlace(to, own):
		l.kind = comesBack
		l.about = mentions(strings.Join(q["error_description"], " "))
	case l.code != "" || pathTells(to.Path):
		l.kind = turnsAway
		l.about = mentions(strings.Join(q["error_description"], " ") + " " + spaced(to.Path))
	default:
		l.kind = goesOn
	}
}

func samePlace(to *url.URL, own string) bool {
	u, err := url.Parse(own)
	return err == nil && strings.EqualFold(u.Scheme, to.Scheme) && strings.EqualFold(u.Host, to.Host) && u.Path == to.Path
}

// judgePage judges an answer that is no redirect.
func (l *landing) judgePage(v visitLog) {
	status := v.last.status
	tells := l.code != "" || refusing(l.title) || v.hops != nil && pathTells(lastPath(v.hops))
	switch {
	case status == http.StatusTooManyRequests || status >= 500 || challenge(l.title):
		l.kind = unclear
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		if tells && l.about.has(mentionsCredentials|mentionsRedirect) {
			l.kind = turnsAway
		}
	case status >= 400:
		l.kind = turnsAway
	case tells:
		l.kind = turnsAway
	case status >= 200 && status < 300 && (l.title != "" || looksLikePage(v.last)):
		l.kind = goesOn
	}
}

func lastPath(hops []egress.Exchange) string {
	u, err := url.Parse(hops[len(hops)-1].URL)
	if err != nil {
		return ""
	}
	return u.Path
}

var (
	titleTag = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	formTag  = regexp.MustCompile(`(?i)<(form|input|button|main|h1)[\s>]`)
)

// readPage takes the title of a page, or the error of an API.
func (l *landing) readPage(c *capture, sent []string) {
	if a := parseAnswer(c.header.Get("Content-Type"), c.body, nil); a.form == formJSON || a.form == formEncoded {
		l.code, _ = steady(a.code, sent)
		l.title, _ = steady(a.description, sent)
	} else if m := titleTag.FindSubmatch(c.body[:min(len(c.body), 256<<10)]); m != nil {
		l.title, _ = steady(html.UnescapeString(string(bytes.TrimSpace(m[1]))), sent)
	}
	l.about = mentions(l.title + " " + spaced(l.code))
}

func looksLikePage(c *capture) bool { return formTag.Match(c.body) }

func spaced(s string) string { return strings.NewReplacer("_", " ", "-", " ", "/", " ").Replace(s) }

// errorWords in the title or the path say that a page is an error page.
var errorWords = []string{"error", "errors", "invalid", "mismatch", "not found", "unknown", "denied", "refused", "failed", "failure", "problem", "wrong", "unauthorized",
	"forbidden", "not registered", "bad request", "not allowed", "unregistered", "does not exist", "no app", "oops"}

func refusing(text string) bool { return wordsIn(text, errorWords) }

func pathTells(path string) bool { return wordsIn(spaced(path), errorWords) }

// challenge reports whether a page asks whether a person is there at all.
func challenge(title string) bool {
	return wordsIn(title, []string{"just a moment", "attention required", "captcha", "are you human", "access denied", "robot", "security check", "blocked"})
}

func wordsIn(text string, phrases []string) bool {
	padded := " " + strings.Trim(notAWord.ReplaceAllString(strings.ToLower(text), " "), " ") + " "
	for _, p := range phrases {
		if strings.Contains(padded, " "+p+" ") {
			return true
		}
	}
	return false
}
