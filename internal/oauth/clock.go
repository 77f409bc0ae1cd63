package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// clockSlack is how far two clocks may differ before it is worth a word. Headers
// tell whole seconds.
const clockSlack = time.Minute

// A tick is what the Date header of an answer says beside our own clock.
type tick struct {
	host string
	off  time.Duration // theirs less ours
	step int
}

// heard notes the clock of whoever answered from an address.
func (d *diagnosis) heard(address string, got *capture) {
	at, err := http.ParseTime(got.header.Get("Date"))
	u, bad := url.Parse(address)
	if err != nil || bad != nil {
		return
	}
	d.ticks = append(d.ticks, tick{host: u.Host, off: at.Sub(d.now().Truncate(time.Second)), step: len(d.report.Steps)})
}

// judgeClock compares our clock with those that were heard. One host that
// differs may be wrong itself; two that agree are right.
func judgeClock(ticks []tick) FieldVerdict {
	v := FieldVerdict{Field: Clock, Reason: "No answer told the time."}
	var off, seen []tick
	for _, t := range ticks {
		if t.off.Abs() > clockSlack {
			off = append(off, t)
		}
		v.Verdict = OK
		if !slices.ContainsFunc(seen, func(s tick) bool { return s.host == t.host }) { // one answer of each host is enough to look at
			seen, v.Evidence = append(seen, t), append(v.Evidence, t.step)
		}
	}
	switch {
	case len(ticks) == 0:
		return v
	case len(off) == 0:
		v.Reason = "It agrees with the time that the provider tells, to within a minute."
		return v
	}
	for _, a := range off {
		for _, b := range off {
			if a.host != b.host && (a.off-b.off).Abs() <= clockSlack && len(off) == len(ticks) {
				v.Verdict, v.Confidence = Wrong, High
				v.Reason = fmt.Sprintf("%s and %s agree that this server's clock is %s.", a.host, b.host, offBy(a.off))
				v.Remedy = "Set this server's clock, and have it kept right (NTP). A wrong clock breaks certificates, codes and signatures."
				return v
			}
		}
	}
	v.Verdict = Inconclusive
	v.Reason = fmt.Sprintf("Beside the time that %s tells, this server's clock is %s. One of the two is wrong.", off[0].host, offBy(off[0].off))
	v.Remedy = "Compare this server's clock with another one."
	return v
}

// offBy says how wrong our clock is if theirs is right.
func offBy(off time.Duration) string {
	word := "slow"
	if off < 0 {
		off, word = -off, "fast"
	}
	return fmt.Sprintf("%s %s", off.Round(time.Second), word)
}
