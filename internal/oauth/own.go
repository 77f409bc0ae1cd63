package oauth

import (
	"context"
	"slices"
	"strings"
	"time"

	"backoffice/internal/audit"
)

// An OwnAddress is whether our own public URL brings to us what is sent to it.
type OwnAddress struct {
	Verdict  Verdict
	Headline string // in words, without a full stop
	Time     time.Time
}

// A CheckOwn finds out, or tells what was found out not long ago.
type CheckOwn func(ctx context.Context, by audit.Actor) (OwnAddress, error)

// ourAddress asks whether the redirect URI brings the browser back to us. It is
// left out for one that is not ours.
func (d *diagnosis) ourAddress(ctx context.Context) {
	check, name := d.service.checkOwn, "Reach our own public address from outside"
	if check == nil {
		return
	}
	d.tell(name)
	st := Step{Name: name}
	if !strings.HasPrefix(d.redirect, d.service.publicURL+"/") {
		st.Hint, st.Why = "not ours", "The redirect URI of this entry is not at our public address, so whoever is there receives the code."
		d.add(st)
		return
	}
	var own OwnAddress
	var err error
	d.timed(&st, func() { own, err = check(ctx, d.by) })
	if err != nil {
		st.Verdict, st.Hint, st.Why = NotChecked, "not checked", "It could not be checked now. Settings has the whole check."
		d.add(st)
		return
	}
	d.own = own
	st.Verdict, st.Hint = own.Verdict, "checked at "+clock(own.Time)+" UTC"
	st.Why = own.Headline + ". The settings of this program have every part of it, with the lines to change."
	d.add(st)
}

// ownFault adds a fault of our own address to what the provider was found to say:
// the best credentials do not help if the code does not arrive.
func (d *diagnosis) ownFault() {
	r := &d.report
	if d.own.Verdict != Wrong {
		return
	}
	r.Remedies = slices.Insert(r.Remedies, 0, d.own.Headline+". See Settings, Check from outside.")
	if r.Verdict == OK {
		r.Verdict = Warning
		r.Headline += ", but our own address has a fault"
	}
}
