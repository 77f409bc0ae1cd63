package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/egress"
)

// certificateSoon is how near the end of a certificate is worth a warning.
const certificateSoon = 14 * 24 * time.Hour

// reach resolves, connects to and shakes hands with the hosts of both addresses.
// It reports whether both can be asked.
func (d *diagnosis) reach(ctx context.Context) bool {
	both := config.OriginOf(d.ends.Authorize) == config.OriginOf(d.ends.Token)
	if both {
		return d.reachOne(ctx, "Reach the authorize and token addresses", d.ends.Token)
	}
	authorize := d.reachOne(ctx, "Reach the authorize address", d.ends.Authorize)
	return d.reachOne(ctx, "Reach the token address", d.ends.Token) && authorize
}

func (d *diagnosis) reachOne(ctx context.Context, name, address string) bool {
	d.tell(name)
	st := Step{Name: name, Sent: []Line{d.line("CONNECT", config.OriginOf(address))}}
	u, err := url.Parse(address)
	if err != nil {
		err = &egress.Error{Class: egress.Refused, Msg: "The address cannot be read."}
	}
	trace := &egress.Trace{}
	d.timed(&st, func() {
		if err == nil {
			err = d.guard.Reach(egress.WithTrace(ctx, trace), u)
		}
	})
	for _, x := range trace.Exchanges() {
		st.Exchange = d.shown(x)
		st.Received = d.reachLines(*st.Exchange)
	}
	st.Verdict, st.Hint, st.Why = OK, "reached", "The name resolves, a connection can be made, and the certificate is good."
	if st.Exchange != nil && st.Exchange.TLS == nil {
		st.Why = "The name resolves and a connection can be made. It is not encrypted: that is for rehearsals alone."
	}
	d.certificateSoon(&st)
	if err != nil {
		var failed *egress.Error
		if !errors.As(err, &failed) {
			failed = &egress.Error{Class: egress.Protocol, Msg: "The address could not be reached."}
		}
		c := classOfEgress[failed.Class]
		st.Verdict, st.Hint, st.Why = findings[c].step, findings[c].hint, failed.Msg
		d.unreached = append(d.unreached, missed{class: c, why: failed.Msg, step: len(d.report.Steps), authorize: address == d.ends.Authorize && address != d.ends.Token})
	}
	d.reached = append(d.reached, d.add(st))
	return err == nil
}

// missed is an address that could not be reached.
type missed struct {
	class     class
	why       string
	step      int
	authorize bool // it is the authorize address alone
}

func (d *diagnosis) certificateSoon(st *Step) {
	x := st.Exchange
	if x == nil || x.TLS == nil || x.Class != egress.None {
		return
	}
	for _, c := range x.TLS.Chain {
		if left := c.NotAfter.Sub(d.now()); left < certificateSoon {
			st.Verdict, st.Hint = Warning, "certificate ends soon"
			d.endsSoon = fmt.Sprintf("The certificate of %s ends on %s. Whoever runs that host must renew it, or calls to it will fail.", d.scrub.foreign(c.Subject), c.NotAfter.UTC().Format("2006-01-02"))
			st.Why = d.endsSoon
		}
	}
}

// reachLines is what was met on the way to a host.
func (d *diagnosis) reachLines(x egress.Exchange) []Line {
	var lines []Line
	add := func(name, value string) {
		if value != "" {
			l := d.foreignLine(name, value)
			l.In = Beside
			lines = append(lines, l)
		}
	}
	if x.Resolved > 0 {
		add("addresses", fmt.Sprintf("%d, of which %d public", x.Resolved, x.Public))
	}
	add("connected to", x.Remote)
	if x.TLS == nil {
		return lines
	}
	add("protocol", x.TLS.Version)
	add("certificate for", strings.Join(x.TLS.Names, ", "))
	add("good from", x.TLS.NotBefore.UTC().Format("2006-01-02 15:04 UTC"))
	add("good until", x.TLS.NotAfter.UTC().Format("2006-01-02 15:04 UTC"))
	for i, c := range x.TLS.Chain {
		add(fmt.Sprintf("chain %d", i+1), fmt.Sprintf("%s, signed by %s, until %s", c.Subject, c.Issuer, c.NotAfter.UTC().Format("2006-01-02")))
	}
	return lines
}
