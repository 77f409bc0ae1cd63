package oauth

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/secret"
)

// ProbeLimits keep the probes of a run from being a nuisance to the provider, and
// from keeping somebody waiting.
type ProbeLimits struct {
	Whole time.Duration // of all probes of a run
	Call  time.Duration // of one
	Wait  time.Duration // how long a run waits for the provider's next window, at most
	Lanes int           // calls at a time
}

// DefaultProbeLimits are those of a callback that a person waits for.
func DefaultProbeLimits() ProbeLimits {
	return ProbeLimits{Whole: 8 * time.Second, Call: 4 * time.Second, Wait: 2 * time.Second, Lanes: 3}
}

// A probing is the probes of one run under way. Only its calls are made beside each
// other: what they bring is read in the run's own goroutine.
type probing struct {
	*run
	token  secret.Text
	limits ProbeLimits
	queue  []int // probes that are still to be sent
	flying int
	back   chan probed
	tries  []int // of each probe
	seen   []sighting
	begun  int // steps of the run before the probes

	left    int       // calls that the provider's last answer left; -1 if it did not say
	reserve int       // of those, what is left to others
	until   time.Time // the provider's next window; zero if it did not say
	waited  bool
	stop    string // why no more is sent
}

// probeName begins the name of the step of a probe.
const probeName = "Probe: "

// Probed is how many probes the run sent, of what a token may do.
func (r Report) Probed() (n int) {
	for _, st := range r.Steps {
		if strings.HasPrefix(st.Name, probeName) {
			n++
		}
	}
	return n
}

// A probed is what one call brought.
type probed struct {
	probe int
	got   capture
	trace *egress.Trace
	start time.Duration
	took  time.Duration
}

// probe asks each probe of the definition with the token and weighs what comes back,
// with what the token answer and the identity call said. It never changes what the
// run says about the credentials.
func (r *run) probe(ctx context.Context, token secret.Text) {
	if r.def.Identity == nil {
		r.report.Grants = weigh(nil, r.told, r.declared())
		return
	}
	p := &probing{run: r, token: token, limits: r.probeLimits, back: make(chan probed), tries: make([]int, len(r.def.Probes)), begun: len(r.report.Steps), left: -1, seen: r.identitySightings()}
	for i := range r.def.Probes {
		p.queue = append(p.queue, i)
	}
	if p.stop = r.unworthy(); p.stop == "" && len(p.queue) > 0 {
		p.read(r.who.got.header)
		ctx, cancel := context.WithTimeout(ctx, p.limits.Whole)
		p.send(ctx)
		cancel()
	}
	p.giveUp()
	p.inOrder()
	r.report.Grants = weigh(p.seen, r.told, r.declared())
}

// declared are the permissions that the tested version declares, by ID.
func (r *run) declared() (out []string) {
	for _, name := range r.version.Scopes {
		if p, ok := r.def.Permission(name); ok {
			name = p.ID()
		}
		out = append(out, name)
	}
	return out
}

// unworthy says why no probe is sent at all after this identity call, or "".
func (r *run) unworthy() string {
	switch r.who.class {
	case issued, scopeMissing, forbidden, unauthorized, otherRefusal, noToken:
		return ""
	case tooMany:
		return "Not probed: the provider asked for a pause."
	case unsendable:
		return "Not probed: no request can carry the token."
	}
	return "Not probed: the identity call before it had no answer of the provider."
}

// identitySightings is what the identity call says about the permission that it
// needs.
func (r *run) identitySightings() []sighting {
	id := r.def.Identity
	perm, ok := r.def.Permission(id.Permission)
	if !ok || len(r.report.Steps) == 0 {
		return nil
	}
	s := sighting{permissions: []string{perm.ID()}, confirmed: id.Confirmed, call: connector.Call(id.URL), step: len(r.report.Steps) - 1}
	r.sort(&s, r.who)
	return []sighting{s}
}

// A met is an answer with its class.
type met struct {
	class  class
	got    capture
	answer answer
}

// sort writes what an answer says into s.
func (r *run) sort(s *sighting, m met) {
	c, got, a := m.class, &m.got, m.answer
	s.words = s.call + " gave no answer."
	if got.status != 0 {
		s.words = fmt.Sprintf("%s gave %d.", s.call, got.status)
	}
	named, others := namedPermissions(r.def, got.header, a)
	switch {
	case c == issued:
		s.outcome = allowed
		return
	case namesPlan(a):
	case got.status == http.StatusForbidden && len(named) == 1 && !others:
		s.outcome, s.named = refusedBy, named[0]
	case c == scopeMissing && len(named) == 0 && !others:
		s.outcome = refusedSome
	}
	if quote := r.quote(r.shortCode(a.code), a); quote != "" && got.status != 0 {
		s.words += " " + quote
	}
}

// send sends the probes, some at a time, until none is left or something says stop.
func (p *probing) send(ctx context.Context) {
	for {
		for p.stop == "" && p.flying < p.limits.Lanes && len(p.queue) > 0 && p.mayAsk(ctx) {
			next := p.queue[0]
			p.queue, p.flying = p.queue[1:], p.flying+1
			p.tries[next]++
			go p.ask(ctx, next)
		}
		if p.flying == 0 {
			return
		}
		b := <-p.back
		p.flying--
		p.take(b)
	}
}

// ask makes one call. It touches nothing of the run that changes.
func (p *probing) ask(ctx context.Context, probe int) {
	b := probed{probe: probe, trace: &egress.Trace{}, start: time.Since(p.began)}
	c := p.guard.Client(egress.CallOptions{Timeout: p.limits.Call})
	b.got.next = c.Transport
	if req, err := p.bearerRequest(egress.WithTrace(ctx, b.trace), p.ends.Probes[probe], p.token); err == nil { // it was for the identity call
		b.got.get(req)
	}
	b.took = time.Since(p.began) - b.start
	p.back <- b
}

// take reads what a call brought.
func (p *probing) take(b probed) {
	def := p.def.Probes[b.probe]
	a := parseAnswer(b.got.header.Get("Content-Type"), b.got.body, nil)
	p.scrub.add(a.secrets...)
	st := Step{Name: probeName + lowerFirst(def.Label), Start: b.start, Took: b.took, Sent: p.probeSent(b.probe)}
	if x := b.trace.Exchanges(); len(x) > 0 {
		st.Exchange = p.shown(x[0])
	}
	st.Received = append(p.head(&b.got), p.errorLines(a)...)
	p.readRateLimit(b.got.header)
	p.read(b.got.header)
	m := met{classifyProbe(&b.got, a), b.got, a}
	s := sighting{permissions: def.Permissions, confirmed: def.Confirmed, call: connector.Call(def.URL), step: len(p.report.Steps), probe: b.probe + 1}
	p.sort(&s, m)
	p.mark(&st, m.class, s)
	p.report.Steps = append(p.report.Steps, st)
	if m.class == tooMany && p.again(b) {
		return
	}
	p.seen = append(p.seen, s)
	switch m.class {
	case unauthorized:
		p.end("Not probed: the provider refused the token in the middle of the probes.")
	case tooMany:
		p.end("Not probed: the provider asked for a pause.")
	}
}

func (p *probing) end(why string) { p.stop = cmp.Or(p.stop, why) }

// mark says in the step what it brought.
func (p *probing) mark(st *Step, c class, s sighting) {
	label := func(id string) string {
		if perm, ok := p.def.Permission(id); ok {
			return fmt.Sprintf("%q", perm.Label)
		}
		return fmt.Sprintf("%q", id)
	}
	switch {
	case s.outcome == allowed:
		st.Verdict, st.Hint, st.Why = OK, "allowed", "The token may make this call."
		if len(s.permissions) == 0 {
			st.Why += " No permission is known for it, so that proves none."
		}
	case s.outcome == refusedBy:
		st.Verdict, st.Hint, st.Why = Warning, "refused", "The refusal names the permission "+label(s.named)+"."
	case s.outcome == refusedSome:
		st.Verdict, st.Hint, st.Why = Warning, "refused", "The refusal speaks of a permission, without naming one that is known here."
	case c == forbidden || c == scopeMissing:
		st.Verdict, st.Hint, st.Why = Inconclusive, "forbidden", "The refusal names no permission that is known here: the app, its plan or this server's address may be limited in another way."
	default:
		st.Verdict, st.Hint, st.Why = Inconclusive, probeHints[c], "That says nothing about permissions."
		st.Hint = cmp.Or(st.Hint, "not decided")
	}
}

var probeHints = map[class]string{unauthorized: "token refused", tooMany: "too many requests", serverError: "server error", nowhere: "nothing at this address",
	redirected: "redirect", aPage: "a page, no answer", unreadable: "not readable", tooLarge: "too large", timedOut: "no answer in time", cutOff: "connection cut", otherRefusal: "refused"}

func (p *probing) probeSent(probe int) []Line {
	address := p.ends.Probes[probe]
	lines := []Line{p.line("GET", withoutQuery(address))}
	if u, err := url.Parse(address); err == nil {
		q := u.Query()
		for _, name := range slices.Sorted(maps.Keys(q)) {
			lines = append(lines, p.line(name, q.Get(name)).in(InQuery))
		}
	}
	return append(lines, p.bearerLines(p.token)...)
}

// giveUp says of each probe that was not sent why.
func (p *probing) giveUp() {
	for _, i := range p.queue {
		def := p.def.Probes[i]
		p.report.Unprobed = cmp.Or(p.stop, "Not probed: there was no time left for it.")
		p.seen = append(p.seen, sighting{permissions: def.Permissions, words: p.report.Unprobed, call: connector.Call(def.URL), step: max(p.begun-1, 0), probe: i + 1})
	}
}

// inOrder puts the steps in the order in which they began, each sighting with its
// own, and the sightings in the order of the definition: what is made of them must
// not depend on which answer was quicker.
func (p *probing) inOrder() {
	steps := p.report.Steps[p.begun:]
	from, place := make([]int, len(steps)), make([]int, len(steps))
	for i := range from {
		from[i] = i
	}
	slices.SortStableFunc(from, func(a, b int) int { return cmp.Compare(steps[a].Start, steps[b].Start) })
	sorted := make([]Step, len(steps))
	for to, i := range from {
		sorted[to], place[i] = steps[i], to
	}
	copy(steps, sorted)
	for i, s := range p.seen {
		if s.step >= p.begun {
			p.seen[i].step = p.begun + place[s.step-p.begun]
		}
	}
	slices.SortStableFunc(p.seen, func(a, b sighting) int { return a.probe - b.probe })
}

// read notes what an answer says about how much may still be asked.
func (p *probing) read(h http.Header) {
	l, told := p.rateLimit(h)
	if !told {
		return
	}
	left, err := strconv.Atoi(strings.TrimSpace(l.Remaining))
	if err != nil || left < 0 {
		return
	}
	p.left, p.until = left, l.ResetAt
	p.reserve = 1
	if whole, err := strconv.Atoi(strings.TrimSpace(l.Limit)); err == nil && whole > 0 {
		p.reserve = max(whole/10, 1) // others live on the same limit
	}
}

// mayAsk reports whether the provider's limit leaves room for one more call. It
// waits for the next window if that is near, once.
func (p *probing) mayAsk(ctx context.Context) bool {
	if ctx.Err() != nil {
		p.end("Not probed: there was no time left for it.")
		return false
	}
	if p.left < 0 || p.left-p.flying > p.reserve {
		return true
	}
	if p.flying > 0 {
		return false // what comes back says more
	}
	if !p.waited && p.rest(ctx, p.until) {
		p.left = -1 // a new window
		return true
	}
	p.end("Not probed: the provider's limit is nearly used up.")
	return false
}

// again puts a probe back that was asked too early, once, if the provider says that
// the wait is short.
func (p *probing) again(b probed) bool {
	at, told := p.retryAt(b.got.header)
	if p.waited || p.stop != "" || p.tries[b.probe] > 1 || !told || at.Sub(p.now()) > p.limits.Wait {
		return false
	}
	p.queue, p.left, p.until = append([]int{b.probe}, p.queue...), 0, at
	return true
}

// rest waits until at, if that is near. A run does it once.
func (p *probing) rest(ctx context.Context, at time.Time) bool {
	wait := at.Sub(p.now())
	if at.IsZero() || wait > p.limits.Wait {
		return false
	}
	p.waited = true
	st := Step{Name: "Wait for the provider's next window", Hint: "limit", Why: "The provider says that its limit is nearly used up, and when it starts anew."}
	ok := true
	p.timed(&st, func() {
		t := time.NewTimer(max(wait, 0))
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			ok = false
		}
	})
	p.report.Steps = append(p.report.Steps, st)
	return ok
}
