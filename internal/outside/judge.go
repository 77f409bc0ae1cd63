package outside

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// judge has one finding an aspect, in the order of a report. c.mu is held.
func (c *Checker) judge(r *run) []Finding {
	j := judge{c: c, r: r, public: c.public, callback: c.origin() + "/auth/…/callback", webhook: c.origin() + "/webhooks/…"}
	how := map[Aspect]func() Finding{Reach: j.reach, Name: j.name, Certificate: j.certificate, Scheme: j.scheme, Host: j.host, Port: j.port, Path: j.path,
		Query: j.query, Redirect: j.redirect, Cookie: j.cookie, Cache: j.cache, Head: j.head, Body: j.body, Header: j.signature, Speed: j.speed, Clock: j.clock}
	out := make([]Finding, 0, len(aspects))
	for _, a := range Aspects() {
		f := how[a]()
		f.Aspect, f.Sent, f.Delivered = a, r.masked(f.Sent), r.masked(f.Delivered)
		if f.Lines == nil && f.Verdict == Wrong {
			f.Lines = c.lines(a)
		}
		out = append(out, f)
	}
	return out
}

// A judge compares what was sent with what came, for one run.
type judge struct {
	c                 *Checker
	r                 *run
	public            *url.URL
	callback, webhook string // as registered with providers
}

func (j judge) visiting() bool { return j.r.visitor != "" }

// unseen is the finding for an aspect about which nothing can be known.
func unseen(reason string) Finding { return Finding{Verdict: NotChecked, Reason: reason} }

const (
	nothingCame = "No request of this check arrived, so this could not be looked at."
	browserOnly = "A browser cannot show this. Only a check by the server can."
	elsewhere   = "The requests came to another path, so this could not be looked at. Put the path right first."
)

// any is the first request of the run that arrived.
func (j judge) any() (seen, bool) {
	for _, s := range j.r.seen {
		if s.arrived {
			return s, true
		}
	}
	return seen{}, false
}

func (j judge) reach() Finding {
	f := Finding{Registered: j.callback, Sent: j.c.origin() + CallbackPath}
	if _, ok := j.any(); ok {
		f.Verdict, f.Reason = OK, "What is sent to the public address comes to this instance."
		return f
	}
	s := j.r.seen[first]
	switch {
	case j.visiting():
		f.Verdict, f.Reason = Inconclusive, "The browser’s request did not arrive here."
		f.Remedy = "Look at what the browser showed after the link: an error of the proxy names the cause. If it was our own page for an address that does not exist, " +
			"you are signed in under another address: open the public URL, sign in there, and start the check again."
	case s.failed != nil:
		f.Verdict, f.Reason = Inconclusive, "This server could not reach its own public address: "+s.failed.Msg
		f.Remedy = "Many networks do not let a server call its own public address, and it may well work from outside. Have your browser make the check."
	case s.status >= 300 && s.status < 400:
		f.Verdict, f.Delivered = Wrong, fmt.Sprintf("status %d to %s", s.status, shownLocation(s.header.Get("Location")))
		f.Reason = "Something in front of this instance redirects elsewhere, and providers’ requests do not arrive."
		f.Remedy = "Set --public-url to the address that it leads to, or take the redirect out of the proxy."
	default:
		f.Verdict, f.Delivered = Wrong, fmt.Sprintf("status %d", s.status)
		f.Reason = "Something else answers at the public address: the request did not come to this instance."
		f.Remedy = "Check that the name leads to the proxy of this instance, and that the proxy passes every path on to it."
	}
	return f
}

// shownLocation is where a redirect leads, without its query.
func shownLocation(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "an address that cannot be read"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func (j judge) scheme() Finding {
	s, ok := j.any()
	if !ok {
		return unseen(nothingCame)
	}
	a := s.arrival
	f := Finding{Registered: j.public.Scheme, Sent: j.public.Scheme, Delivered: a.Scheme}
	switch {
	case a.Scheme == j.public.Scheme && a.Scheme == "http":
		f.Verdict, f.Reason = Warning, "It arrives as http, as configured. Providers ask for https: this address is for rehearsals on this machine."
	case a.Scheme == j.public.Scheme:
		f.Verdict, f.Reason = OK, "Requests are seen as https."
	default:
		f.Verdict = Wrong
		f.Reason = fmt.Sprintf("Sent as %s, seen as %s. %s", j.public.Scheme, a.Scheme, forwarded("X-Forwarded-Proto", a.ForwardedProto, a.Trusted))
		f.Remedy = j.trustRemedy(a, a.ForwardedProto == j.public.Scheme, "Have the proxy send X-Forwarded-Proto.")
		f.Lines = j.c.linesFor(Scheme, a)
	}
	return f
}

// forwarded says what a forwarding header did.
func forwarded(name, value string, trusted bool) string {
	switch {
	case value == "":
		return "The header " + name + " is missing."
	case !trusted:
		return "The header " + name + " says " + printable(value) + ", but the proxy that sent it is not trusted."
	}
	return "The header " + name + " says " + printable(value) + "."
}

// trustRemedy tells apart a proxy that says nothing right from one that is not
// believed. right says that believing it would be enough.
func (j judge) trustRemedy(a Arrival, right bool, otherwise string) string {
	if a.Trusted {
		return otherwise
	}
	trust := "Start BackOffice with the proxy’s address in --trusted-proxies; the connection came from " + a.Peer + "."
	if right {
		return trust
	}
	return otherwise + " " + trust
}

// hostPort splits a believed host. Without a port it is that of the scheme of
// the public URL: a wrong scheme is said once.
func (j judge) hostPort(s string) (host, port string) {
	u := &url.URL{Scheme: j.public.Scheme, Host: s}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), portOf(u)
}

func (j judge) host() Finding {
	s, ok := j.any()
	if !ok {
		return unseen(nothingCame)
	}
	got, _ := j.hostPort(s.arrival.Host)
	want := strings.ToLower(j.public.Hostname())
	f := Finding{Registered: want, Sent: want, Delivered: got}
	if got == want {
		f.Verdict, f.Reason = OK, "Requests are seen with the host that they were sent to."
		return f
	}
	fh, _ := j.hostPort(firstOf(s.arrival.ForwardedHost))
	f.Verdict = Wrong
	f.Reason = fmt.Sprintf("Sent to %s, seen as %s. %s", want, printable(got), forwarded("X-Forwarded-Host", s.arrival.ForwardedHost, s.arrival.Trusted))
	f.Remedy = j.trustRemedy(s.arrival, fh == want, "Have the proxy pass the Host header on.")
	f.Lines = j.c.linesFor(Host, s.arrival)
	return f
}

func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

func (j judge) port() Finding {
	s, ok := j.any()
	if !ok {
		return unseen(nothingCame)
	}
	host, got := j.hostPort(s.arrival.Host)
	want := portOf(j.public)
	f := Finding{Registered: want, Sent: want, Delivered: got}
	switch {
	case host != strings.ToLower(j.public.Hostname()):
		f.Reason = "The host is another one, so its port says nothing. Put the host right first."
	case got == want:
		f.Verdict, f.Reason = OK, "Requests are seen with the port that they were sent to."
	default:
		f.Verdict = Wrong
		f.Reason = fmt.Sprintf("Sent to port %s, seen with port %s: a port of the inner network leaks into the address.", want, printable(got))
		f.Remedy = "Have the proxy pass the Host header on as it came, with its port."
		f.Lines = j.c.linesFor(Port, s.arrival)
	}
	return f
}

func (j judge) path() Finding {
	f := Finding{Registered: j.callback, Sent: CallbackPath, Delivered: CallbackPath}
	came := false
	for l, s := range j.r.seen {
		if !s.arrived {
			continue
		}
		came = true
		if s.arrival.Stray {
			f.Verdict, f.Delivered = Wrong, s.arrival.Path
			if leg(l) >= head {
				f.Registered, f.Sent = j.webhook, WebhookPath
			}
			f.Reason = fmt.Sprintf("Sent to %s, delivered to %s: %s.", f.Sent, printable(f.Delivered), pathFault(f.Sent, f.Delivered))
			f.Remedy = "Have the proxy pass the path on as it came. BackOffice answers at the root of its own host."
			return f
		}
	}
	if !came {
		return unseen(nothingCame)
	}
	f.Verdict, f.Reason = OK, "Paths arrive as they were sent."
	return f
}

// pathFault says what a proxy did to a path.
func pathFault(sent, got string) string {
	switch {
	case got == sent+"/":
		return "a slash is added at the end"
	case strings.HasSuffix(got, sent):
		return "a prefix is added"
	case strings.HasSuffix(sent, got):
		return "a prefix is stripped"
	}
	return "the path is rewritten"
}

func (j judge) query() Finding {
	s := j.r.seen[first]
	if !s.arrived {
		return unseen(nothingCame)
	}
	f := Finding{Registered: j.callback, Sent: s.query, Delivered: s.arrival.Query}
	if s.query == s.arrival.Query {
		f.Verdict, f.Reason = OK, "Queries arrive byte for byte."
		return f
	}
	f.Verdict, f.Reason = Wrong, queryFault(s.query, s.arrival.Query)
	if f.Delivered == "" {
		f.Delivered = "no query"
	}
	f.Remedy = "Have the proxy pass the address on as it came. A code or a state that was changed is refused."
	return f
}

// queryFault says what a proxy did to a query.
func queryFault(sent, got string) string {
	if got == "" {
		return "The query is dropped: no code and no state would arrive."
	}
	if loose, err := url.PathUnescape(sent); err == nil && loose == got {
		return "The query is decoded: a code with “+”, “=” or “/” in it would arrive changed."
	}
	a, err1 := url.ParseQuery(sent)
	b, err2 := url.ParseQuery(got)
	if err1 == nil && err2 == nil && a.Encode() == b.Encode() {
		return "The query means the same, but was written anew: its parameters have another order or other escapes."
	}
	return "The query is changed on the way."
}

func (j judge) head() Finding {
	if j.visiting() {
		return unseen(browserOnly)
	}
	s := j.r.seen[head]
	_, came := j.any()
	f := Finding{Registered: j.webhook, Sent: "HEAD " + WebhookPath, Delivered: s.arrival.Method}
	switch {
	case !s.sent, !came:
		return unseen(nothingCame)
	case s.arrived && s.arrival.Stray:
		return unseen(elsewhere)
	case s.arrived && s.arrival.Method != http.MethodHead:
		f.Verdict, f.Reason = Wrong, "HEAD is turned into "+printable(s.arrival.Method)+". The webhook address answers HEAD and POST alone."
		f.Remedy = "Have the proxy pass HEAD on as it is: some providers ask with it before they accept a webhook address."
	case s.arrived && s.status == http.StatusOK:
		f.Verdict, f.Reason = OK, "HEAD is answered with 200."
	case s.answered && s.status >= 400:
		f.Verdict, f.Delivered, f.Reason = Wrong, fmt.Sprintf("status %d", s.status), fmt.Sprintf("HEAD is answered with %d before it comes here.", s.status)
		f.Remedy = "Let HEAD through: some providers ask with it before they accept a webhook address."
	default:
		f.Verdict, f.Reason = Inconclusive, "HEAD did not come here, and nothing refused it in words. "+j.failure(s)
	}
	return f
}

func (j judge) failure(s seen) string {
	if s.failed != nil {
		return s.failed.Msg
	}
	return fmt.Sprintf("The answer has status %d.", s.status)
}

func (j judge) body() Finding {
	s, tiny := j.r.seen[posting], j.r.seen[small]
	sum := sha256.Sum256(s.body)
	f := Finding{Registered: j.webhook, Sent: fmt.Sprintf("POST, %d bytes, SHA-256 %x…", len(s.body), sum[:6])}
	if s.arrived && !s.arrival.Stray {
		f.Delivered = fmt.Sprintf("%s, %d bytes, SHA-256 %x…", s.arrival.Method, s.arrival.Length, s.arrival.Sum[:6])
	}
	_, came := j.any()
	switch {
	case !came:
		return unseen(nothingCame)
	case s.arrived && s.arrival.Stray:
		return unseen(elsewhere)
	case s.arrived && s.arrival.Sum == sum && s.arrival.Length == len(s.body):
		f.Verdict, f.Reason = OK, "Bodies arrive byte for byte."
	case s.arrived:
		f.Verdict, f.Reason = Wrong, "The body is changed on the way. A provider’s signature is over the bytes as it sent them, so every notification would be refused."
		f.Remedy = "Have the proxy pass bodies on untouched: no decompression, no filter, no rewriting of JSON."
	case j.visiting():
		f.Verdict, f.Reason = Inconclusive, "The form did not arrive here."
		f.Remedy = "If the browser showed an error of the proxy after the form was sent, that names the cause. Else start the check again and send the form."
	case !s.sent:
		return unseen(nothingCame)
	case s.answered && s.status >= 400:
		refusedPost(&f, s.status)
	case tiny.arrived && !tiny.arrival.Stray:
		f.Verdict, f.Delivered = Wrong, "nothing"
		f.Reason = fmt.Sprintf("A body of %d bytes comes here, one of %d KiB does not. %s", len(tiny.body), len(s.body)>>10, j.failure(s))
		f.Remedy = "Allow bodies of at least 1 MiB for /webhooks/."
	case tiny.answered && tiny.status >= 400:
		refusedPost(&f, tiny.status)
	default:
		f.Verdict, f.Reason = Inconclusive, "POST did not come here. "+j.failure(s)
	}
	return f
}

func refusedPost(f *Finding, status int) {
	f.Verdict, f.Delivered, f.Reason = Wrong, fmt.Sprintf("status %d", status), fmt.Sprintf("POST is answered with %d before it comes here.", status)
	f.Remedy = "Let POST through to /webhooks/ without a sign-in of the proxy’s own."
	if status == http.StatusRequestEntityTooLarge {
		f.Reason = "A body of 48 KiB is refused as too large before it comes here."
		f.Remedy = "Allow bodies of at least 1 MiB for /webhooks/."
	}
}

func (j judge) signature() Finding {
	if j.visiting() {
		return unseen(browserOnly)
	}
	s := j.r.seen[posting]
	f := Finding{Registered: j.webhook, Sent: sigHeader + ": sha256=…"}
	switch {
	case !s.arrived:
		return unseen("The request with the header did not arrive, so this could not be looked at.")
	case s.arrival.Signature == j.c.signature(s.nonce):
		f.Verdict, f.Delivered, f.Reason = OK, f.Sent, "Signature headers arrive."
	case s.arrival.Signature == "":
		f.Verdict, f.Delivered, f.Reason = Wrong, "no "+sigHeader, "The header with the signature is filtered out: notifications could not be verified."
		f.Remedy = "Have the proxy pass on all headers of requests to /webhooks/."
	default:
		f.Verdict, f.Delivered, f.Reason = Wrong, sigHeader+" with another value", "The header with the signature is changed: notifications could not be verified."
		f.Remedy = "Have the proxy pass on all headers of requests to /webhooks/ as they came."
	}
	return f
}

// isLoopback reports whether the public URL is for this machine alone.
func (j judge) isLoopback() bool {
	h := strings.ToLower(j.public.Hostname())
	ip := net.ParseIP(h)
	return h == "localhost" || strings.HasSuffix(h, ".localhost") || ip != nil && ip.IsLoopback()
}
