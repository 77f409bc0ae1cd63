package outside

import "fmt"

// An Aspect is one thing about the way from the public URL to this program. Its
// text is stored and is never renamed.
type Aspect string

// The aspects, in the order of a report.
const (
	Reach       Aspect = "reach"       // our own requests come back to this instance
	Name        Aspect = "name"        // the host of the public URL has an address
	Certificate Aspect = "certificate" // its name, its chain, its expiry
	Scheme      Aspect = "scheme"      // http or https, as this program believes it
	Host        Aspect = "host"
	Port        Aspect = "port"
	Path        Aspect = "path"     // no prefix stripped, doubled or added
	Query       Aspect = "query"    // byte for byte
	Redirect    Aspect = "redirect" // a redirect of ours leads to where we said
	Cookie      Aspect = "cookie"   // it reaches the browser and comes back
	Cache       Aspect = "cache"    // nobody answers in our place
	Head        Aspect = "head"     // HEAD of the webhook address
	Body        Aspect = "body"     // POST to the webhook address, byte for byte
	Header      Aspect = "header"   // a signature header arrives
	Speed       Aspect = "speed"    // of the answer to a notification
	Clock       Aspect = "clock"    // ours, compared with the Date of the answer
)

// aspects has every Aspect in the order of a report, with what pages call it.
var aspects = []struct {
	aspect Aspect
	label  string
}{
	{Reach, "Answers from outside"}, {Name, "Name"}, {Certificate, "Certificate"}, {Scheme, "Scheme"}, {Host, "Host"}, {Port, "Port"},
	{Path, "Path"}, {Query, "Query"}, {Redirect, "Redirects"}, {Cookie, "Cookies"}, {Cache, "No caching"}, {Head, "HEAD for webhooks"},
	{Body, "Body of webhooks"}, {Header, "Signature header"}, {Speed, "Speed of webhooks"}, {Clock, "Clock"},
}

// Aspects lists every aspect in the order of a report.
func Aspects() []Aspect {
	out := make([]Aspect, len(aspects))
	for i, a := range aspects {
		out[i] = a.aspect
	}
	return out
}

// Label is what pages call a. An unknown aspect is called by its own text.
func (a Aspect) Label() string {
	for _, row := range aspects {
		if row.aspect == a {
			return row.label
		}
	}
	return string(a)
}

// A Verdict says how an aspect stands. The zero Verdict is NotChecked.
type Verdict int

// The verdicts, from the mildest to the gravest.
const (
	NotChecked   Verdict = iota // not looked at, or it cannot be seen from where we looked
	OK                          // it arrived as it was sent
	Warning                     // it arrived, and is still worth a look
	Inconclusive                // looked at, and what came back does not decide
	Wrong                       // it arrived changed, or not at all
)

var verdictNames = [...]string{"not checked", "ok", "warning", "inconclusive", "wrong"}

func (v Verdict) String() string {
	if v < 0 || int(v) >= len(verdictNames) {
		return fmt.Sprintf("verdict %d", int(v))
	}
	return verdictNames[v]
}

// MarshalText refuses a verdict that does not exist.
func (v Verdict) MarshalText() ([]byte, error) {
	if v < 0 || int(v) >= len(verdictNames) {
		return nil, fmt.Errorf("there is no verdict %d", int(v))
	}
	return []byte(verdictNames[v]), nil
}

// UnmarshalText refuses unknown text.
func (v *Verdict) UnmarshalText(text []byte) error {
	for n, s := range verdictNames {
		if s == string(text) {
			*v = Verdict(n)
			return nil
		}
	}
	return fmt.Errorf("%q is no verdict", text)
}

// A Proxy is what stands in front of this program, or the program itself, where
// lines of configuration may have to change. Its text is stored.
type Proxy string

// The proxies.
const (
	Nginx      Proxy = "nginx"
	Caddy      Proxy = "Caddy"
	Traefik    Proxy = "Traefik"
	BackOffice Proxy = "BackOffice" // its own settings
)

// Proxies lists every Proxy in the order in which pages show their lines.
func Proxies() []Proxy { return []Proxy{BackOffice, Nginx, Caddy, Traefik} }
