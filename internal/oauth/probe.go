package oauth

import (
	"context"
	"net/url"
	"time"

	"backoffice/internal/connector"
	"backoffice/internal/secret"

	"golang.org/x/oauth2"
)

// impossible begins every code that a test makes up. It is never one that a
// provider gave: a real code may be good for one use, and to send it twice may
// revoke what it brought (RFC 6749 section 4.1.2).
const impossible = "probe-"

func impossibleCode() secret.Text {
	return secret.NewText(impossible + randomHex(16))
}

// probes asks the token address: S first, in the other method too if S looks
// refused, then the controls in whichever method went further.
func (d *diagnosis) probes(ctx context.Context) {
	q := d.question(impossibleCode(), secret.Text{})
	if d.def.OAuth.PKCE {
		q.verifier = secret.NewText(oauth2.GenerateVerifier())
		d.scrub.add(q.verifier.Reveal())
	}
	d.tokens.public = d.secret.IsZero()
	d.method.own = d.probe(ctx, "S", "Ask with the entry's values and an impossible code", q)
	if d.stopped || d.method.own == nil {
		return
	}
	d.base, d.tokens.s = q, d.method.own
	if d.method.own.class == issued {
		d.stopped = true // each further question would bring another token
		return
	}
	if !d.tokens.public && d.method.own.maybeMethod() && d.worthTheOtherMethod() {
		d.otherMethod(ctx, q)
	}
	if d.stopped {
		return
	}
	d.controls(ctx)
	if c := d.tokens.compare(); !d.stopped && d.tokens.again == nil && (d.tokens.byWords() || c == acceptedOnce) {
		d.repeat(ctx)
	}
}

// worthTheOtherMethod is false if the provider itself says that it knows ours
// alone.
func (d *diagnosis) worthTheOtherMethod() bool {
	return d.method.published == nil || d.metadataAllows(otherMethod(d.def.OAuth.ClientAuth))
}

func otherMethod(a connector.ClientAuth) connector.ClientAuth {
	if a == connector.ClientSecretPost {
		return connector.ClientSecretBasic
	}
	return connector.ClientSecretPost
}

func (d *diagnosis) otherMethod(ctx context.Context, q question) {
	q.auth = otherMethod(q.auth)
	d.method.other = d.probe(ctx, "S′", "Ask again with the other client authentication method ("+q.auth.String()+")", q)
	switch {
	case d.stopped || d.method.other == nil:
	case d.method.other.pastClient():
		d.base, d.tokens.s = q, d.method.other
	case d.method.own.refusesClient() && d.method.other.same(*d.method.own) && d.method.other.words == d.method.own.words:
		d.tokens.again = d.method.other
	}
}

// controls asks B and A, in the order in which two servers behind one name that
// take turns, and answer differently, do not make a pattern that proves anything.
func (d *diagnosis) controls(ctx context.Context) {
	if d.method.other != nil {
		d.controlID(ctx)
		d.controlSecret(ctx)
		return
	}
	d.controlSecret(ctx)
	d.controlID(ctx)
}

func (d *diagnosis) controlSecret(ctx context.Context) {
	if d.stopped || d.tokens.public {
		return
	}
	b := d.base
	b.madeUp, b.secret = theSecret, secret.NewText(corrupted(b.secret.Reveal()))
	d.conceal(b)
	d.tokens.b = d.probe(ctx, "B", "Control: the same with a corrupted secret", b)
}

func (d *diagnosis) controlID(ctx context.Context) {
	if d.stopped {
		return
	}
	a := d.base
	a.madeUp, a.clientID = theID, secret.NewText(lookalike(a.clientID.Reveal()))
	d.conceal(a)
	d.strange = a.clientID
	d.tokens.a = d.probe(ctx, "A", "Control: the same with a made-up client ID", a)
}

// repeat asks S once more: a server that answers the same question differently
// proves nothing.
func (d *diagnosis) repeat(ctx context.Context) {
	d.tokens.again = d.probe(ctx, "S2", "Ask the first question again", d.base)
}

// conceal keeps what a control shares with the entry's values out of the report,
// should the provider repeat it.
func (d *diagnosis) conceal(q question) {
	id, s := q.clientID.Reveal(), q.secret.Reveal()
	if q.madeUp == theID && !d.hideID {
		d.scrub.add(id+":"+s, url.QueryEscape(id)+":"+url.QueryEscape(s))
		return
	}
	d.scrub.add(s, id+":"+s, url.QueryEscape(id)+":"+url.QueryEscape(s))
	if d.hideID {
		d.scrub.add(id)
	}
}

// probe sends one question and returns the reading of the answer. It sets
// stopped if there was nothing to read, which ends the run.
func (d *diagnosis) probe(ctx context.Context, letter, name string, q question) *reading {
	if !d.turn(ctx, name) {
		return nil
	}
	st := Step{Name: name, Probe: letter}
	got, a, token := d.ask(ctx, &st, q)
	d.heard(d.ends.Token, &got)
	_ = token // dropped: it was never asked for
	r := read(&got, a, []string{q.clientID.Reveal(), q.secret.Reveal(), q.code.Reveal(), d.redirect})
	d.describe(&st, r)
	d.asked = d.asked || r.lockedOut()
	i := d.add(st)
	d.evidence[letter] = i
	d.replies[letter] = reply{r, a, got}
	if !r.isAnswer() {
		d.end(stopping{class: r.class, step: i, reply: d.replies[letter]})
		return nil
	}
	return &r
}

// turn waits before another call to the provider, and refuses it beyond the
// limit of the run or after its end.
func (d *diagnosis) turn(ctx context.Context, doing string) bool {
	if d.stopped || d.report.Calls >= d.lease.limits.Calls {
		return false
	}
	d.tell(doing)
	if d.report.Calls > 0 && !sleep(ctx, d.lease.limits.Pause()) || ctx.Err() != nil {
		d.end(stopping{class: outOfTime, step: -1, door: d.tokens.compare() != notCompared})
		return false
	}
	d.report.Calls++
	return true
}

// left is how many calls the run may still make.
func (d *diagnosis) left() int { return d.lease.limits.Calls - d.report.Calls }

// sleep reports whether it slept for all of t.
func sleep(ctx context.Context, t time.Duration) bool {
	if t <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// describe says on the step what sort of answer came.
func (d *diagnosis) describe(st *Step, r reading) {
	st.Verdict, st.Hint = NotChecked, findings[r.class].hint
	switch {
	case r.class == issued:
		st.Verdict, st.Hint = Wrong, "a token for an impossible code"
	case !r.isAnswer():
		st.Verdict = Inconclusive
	case r.refusesClient():
		st.Hint = "client refused"
	}
	if r.code != "" {
		if code := d.shortCode(r.code); code != "" {
			st.Hint += " (" + code + ")"
		}
	}
	st.Why = "One answer proves nothing by itself. " + meaning[st.Probe]
}

// meaning is what each question is good for.
var meaning = map[string]string{
	"S":  "It is compared with the answers to the controls, which differ from this question in one thing each.",
	"S′": "If this method goes further than the other, the method was what is wrong.",
	"B":  "If it is the same as with the entry's own secret, that secret is no better than a corrupted one, or the provider did not look at secrets yet.",
	"A":  "If it differs from the answer to the entry's own client ID, the provider knows that one.",
	"S2": "If it differs from the first answer, the provider contradicts itself, and the comparison counts for nothing.",
}

// randomHost is a host that nobody can have registered: RFC 2606 keeps .invalid
// free for ever.
func randomHost() string {
	return randomHex(8) + ".invalid"
}
