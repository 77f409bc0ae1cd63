package outside

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/egress"
)

// The limits beyond which an answer is worth a word.
const (
	goodSpeed  = 500 * time.Millisecond // providers wish an answer within this
	mostSpeed  = 5 * time.Second        // and give up after this
	clockLimit = time.Minute
	renewSoon  = 14 * 24 * time.Hour
)

func (j judge) name() Finding {
	host := j.public.Hostname()
	f := Finding{Registered: host, Sent: host}
	s := j.r.seen[first]
	switch {
	case j.isLoopback():
		f.Verdict, f.Reason = Warning, "This address leads to this machine alone: good for a rehearsal, but providers cannot reach it."
		return f
	case j.visiting():
		return unseen("The browser looked the name up. Whether providers find it too cannot be seen from here.")
	case net.ParseIP(host) != nil:
		return unseen("The public URL has an address in numbers, so there is no name to look up.")
	case s.failed != nil && s.failed.Class == egress.DNS:
		f.Verdict, f.Reason = Inconclusive, s.failed.Msg
		f.Remedy = "Check the name in --public-url and its record at your name service. If this server uses other name servers than the world, have your browser make the check."
		return f
	case s.exchange.Resolved == 0:
		return unseen("The name was not looked up.")
	}
	f.Delivered = s.exchange.Remote
	if s.exchange.Public == 0 {
		f.Verdict, f.Reason = Warning, "From here the name leads to an address that is not public, so these requests may have gone another way than a provider’s."
		f.Remedy = "Nothing has to change if that is on purpose. Have your browser make the check from another network, to see the way from outside."
		return f
	}
	f.Verdict, f.Reason = OK, "The name leads to a public address."
	return f
}

var certificateRemedies = map[egress.Fault]string{
	egress.Expired:          "Renew the certificate, and have it renewed by itself from then on.",
	egress.NotYetValid:      "Set the clock of this server (NTP). If it is right, the certificate was made too early: wait, or make it again.",
	egress.WrongName:        "Get a certificate for the host of the public URL, or correct --public-url.",
	egress.UnknownAuthority: "Use a certificate of a public authority, and serve its whole chain: the certificate and the intermediate ones.",
	egress.NotTLS:           "Have the proxy speak TLS on this port, or correct the port in --public-url.",
	egress.Handshake:        "Allow TLS 1.2 and 1.3 in the proxy.",
}

func (j judge) certificate() Finding {
	switch {
	case j.visiting():
		return unseen(browserOnly)
	case !j.c.secure():
		return unseen("The public URL begins with http, so there is no certificate.")
	}
	s := j.r.seen[first]
	f := Finding{Registered: j.public.Host, Sent: j.public.Host, Delivered: shownCertificate(s.exchange.TLS)}
	switch {
	case s.failed != nil && s.failed.Class == egress.TLS:
		f.Verdict, f.Reason, f.Remedy = Wrong, s.failed.Msg, certificateRemedies[s.failed.Fault]
		return f
	case s.exchange.TLS == nil:
		return unseen("No connection was made, so no certificate was seen.")
	}
	left := s.exchange.TLS.NotAfter.Sub(j.r.began)
	days := fmt.Sprintf("%d days left", int(left.Hours()/24))
	if left < renewSoon {
		f.Verdict, f.Reason, f.Remedy = Warning, "The certificate ends soon: "+days+".", "Renew it, and have it renewed by itself from then on."
		return f
	}
	f.Verdict, f.Reason = OK, "Valid for this host, "+days+"."
	return f
}

func shownCertificate(s *egress.Security) string {
	if s == nil {
		return ""
	}
	out := "for " + strings.Join(s.Names, ", ") + ", until " + s.NotAfter.Format(time.DateOnly)
	if s.Version != "" {
		out = s.Version + ", " + out
	}
	return out
}

// redirect compares where a redirect of ours leads with where it should.
func (j judge) redirect() Finding {
	s, next := j.r.seen[first], j.r.seen[back]
	if !s.arrived {
		return unseen(nothingCame)
	}
	if s.arrival.Stray {
		return unseen(elsewhere)
	}
	want := j.c.origin() + j.c.callback(next.nonce)
	f := Finding{Registered: j.callback, Sent: want}
	switch {
	case j.visiting() && next.arrived:
		f.Verdict, f.Reason = OK, "The browser was led back to the public address."
	case j.visiting():
		f.Verdict, f.Reason = Inconclusive, "The browser was redirected and did not come back."
		f.Remedy = "Compare the address bar with the public URL: a port or a host of the inner network there means that the proxy changes redirects."
	case !s.answered:
		return unseen("There was no answer to look at. " + j.failure(s))
	default:
		j.compareLocation(&f, s.header.Get("Location"), want)
	}
	return f
}

func (j judge) compareLocation(f *Finding, location, want string) {
	u, err := j.public.Parse(location)
	if err == nil && location != "" && sameAddress(u, want) {
		f.Verdict, f.Delivered, f.Reason = OK, u.String(), "Redirects lead to where this program said."
		return
	}
	f.Verdict, f.Delivered, f.Reason = Wrong, location, "A redirect of this program is changed on its way out, and leads browsers elsewhere."
	if location == "" {
		f.Delivered, f.Reason = "no redirect", "A redirect of this program does not reach the browser."
	}
	f.Remedy = "Have the proxy leave the Location header of answers as it is."
}

func sameAddress(u *url.URL, want string) bool {
	w, err := url.Parse(want)
	return err == nil && u.Scheme == w.Scheme && strings.EqualFold(u.Hostname(), w.Hostname()) && portOf(u) == portOf(w) && u.RequestURI() == w.RequestURI()
}

func (j judge) cookie() Finding {
	s, next := j.r.seen[first], j.r.seen[back]
	want := j.c.cookieFor(j.r)
	f := Finding{Sent: j.c.cookieName() + "=…; Path=/; HttpOnly; SameSite=Lax"}
	if j.c.secure() {
		f.Sent += "; Secure"
	}
	switch {
	case !s.arrived:
		return unseen(nothingCame)
	case s.arrival.Stray:
		return unseen(elsewhere)
	case !j.visiting() && !s.answered:
		return unseen("There was no answer to look at. " + j.failure(s))
	case !j.visiting():
		if fault, shown := j.cookieFault(s.cookies(j.c.cookieName()), want); fault != "" {
			f.Verdict, f.Reason, f.Delivered = Wrong, fault, shown
			f.Remedy = "Have the proxy leave the Set-Cookie headers of answers as they are. Without its cookie, nobody stays signed in when a provider sends them back."
			return f
		}
	}
	switch {
	case !next.arrived:
		return unseen("The request that was to bring the cookie back did not arrive.")
	case next.arrival.Stray:
		return unseen(elsewhere)
	case next.arrival.Cookie == want:
		f.Verdict, f.Delivered, f.Reason = OK, f.Sent, "A cookie reaches the browser and comes back."
	default:
		f.Verdict, f.Delivered, f.Reason = Wrong, "no cookie came back", "A cookie that was set does not come back with the next request."
		f.Remedy = "Have the proxy pass Cookie and Set-Cookie on as they are. Without its cookie, nobody stays signed in when a provider sends them back."
	}
	return f
}

// cookieFault compares the cookie that reached us with the one that was set.
func (j judge) cookieFault(got []*http.Cookie, want string) (fault, shown string) {
	if len(got) != 1 {
		return "The cookie that this program sets does not reach the browser.", fmt.Sprintf("%d cookies", len(got))
	}
	k := got[0]
	var lost []string
	for what, is := range map[string]bool{"its value is another": k.Value != want, "it has a domain": k.Domain != "",
		"it lost Secure": j.c.secure() && !k.Secure, "it lost HttpOnly": !k.HttpOnly, "SameSite is not Lax": k.SameSite != http.SameSiteLaxMode,
		"its path is not /": k.Path != "/"} {
		if is {
			lost = append(lost, what)
		}
	}
	if len(lost) == 0 {
		return "", ""
	}
	return "The cookie that this program sets is changed on its way out.", strings.Join(sorted(lost), ", ")
}

func (j judge) cache() Finding {
	s, next, repeat := j.r.seen[first], j.r.seen[back], j.r.seen[again]
	mine := j.c.answerFor(s.nonce)
	f := Finding{Registered: j.callback, Sent: "Cache-Control: no-store"}
	switch {
	case !s.arrived:
		return unseen(nothingCame)
	case s.arrival.Stray:
		return unseen(elsewhere)
	case !next.arrived && next.answered && strings.Contains(next.body1, mine):
		f.Verdict, f.Delivered = Wrong, "one answer for two requests"
		f.Reason = "Two requests with different queries got the same answer: the second one never came here."
	case repeat.answered && strings.Contains(repeat.body1, mine):
		f.Verdict, f.Delivered = Wrong, "an answer that was kept"
		f.Reason = "A request that was repeated got the old answer instead of coming here."
	case !next.arrived:
		return unseen("The second request did not arrive, so this could not be looked at.")
	default:
		f.Verdict, f.Delivered, f.Reason = OK, "each request came here", "Each request came here; none was answered from a cache."
		return f
	}
	f.Remedy = "Switch caching off for this host: pages here are made for one person, and the proxy may show them to others."
	return f
}

func (j judge) speed() Finding {
	if j.visiting() {
		return unseen(browserOnly)
	}
	s := j.r.seen[posting]
	took := s.exchange.Total.Round(time.Millisecond)
	f := Finding{Registered: j.webhook, Sent: fmt.Sprintf("POST, %d KiB", len(s.body)>>10), Delivered: took.String()}
	switch {
	case s.arrived && s.arrival.Stray:
		return unseen(elsewhere)
	case !s.sent || !s.arrived:
		return unseen("No notification arrived, so its answer could not be timed.")
	case s.failed != nil && s.failed.Class != egress.Timeout:
		return unseen("There was no answer to time. " + j.failure(s))
	case s.failed != nil || took > mostSpeed:
		f.Verdict, f.Reason = Wrong, "The answer to a notification takes "+spaced(took)+". Providers give up after a few seconds and send it again."
		f.Remedy = "Look for what is slow between the public address and this program: a scanner, a proxy that waits, a far network."
	case took > j.c.good:
		f.Verdict, f.Reason = Warning, "The answer to a notification takes "+spaced(took)+"; less than "+spaced(j.c.good)+" is good."
		f.Remedy = "Check again. If it stays so, look for what is slow between the public address and this program."
	default:
		f.Verdict, f.Reason = OK, "A notification is answered in "+spaced(max(took, time.Millisecond))+"."
	}
	return f
}

// clock compares our clock with the Date of the newest answer to a request that
// came here: whoever wrote it, wrote it just now.
func (j judge) clock() Finding {
	if j.visiting() {
		return unseen(browserOnly)
	}
	for _, l := range []leg{posting, head, back, first} {
		s := j.r.seen[l]
		if !s.arrived || !s.answered {
			continue
		}
		date, err := http.ParseTime(s.header.Get("Date"))
		if err != nil {
			continue
		}
		off := s.answeredA.Sub(date).Round(time.Second)
		f := Finding{Sent: s.answeredA.UTC().Format(time.DateTime) + " UTC", Delivered: date.UTC().Format(time.DateTime) + " UTC"}
		if off.Abs() > clockLimit {
			f.Verdict, f.Reason = Warning, "The clock of this program and that of the answer are "+off.Abs().String()+" apart."
			f.Remedy = "Have both this server and the proxy set their clocks by NTP: codes and signatures expire by the clock."
			return f
		}
		f.Verdict, f.Reason = OK, "This server’s clock agrees with that of the answer."
		return f
	}
	return unseen("No answer to a request that came here has a date.")
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// spaced writes a duration of more than a millisecond: "12 ms", "1.2 s".
func spaced(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return strconv.FormatFloat(d.Round(100*time.Millisecond).Seconds(), 'f', -1, 64) + " s"
}
