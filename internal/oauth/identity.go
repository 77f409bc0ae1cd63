package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

// identify makes the identity call with a token and judges it. The token is in
// nothing that this leaves behind.
func (r *run) identify(ctx context.Context, token secret.Text) {
	if r.def.Identity == nil {
		r.judge(Permission, NotChecked, "The connector's definition has no call that asks whose token it is.")
		return
	}
	r.scrub.add(token.Reveal())
	st := Step{Name: "Ask whose token it is", Sent: r.identitySent(token)}
	req, err := r.bearerRequest(ctx, r.ends.Identity, token)
	if err != nil {
		st.Start = time.Since(r.began)
		r.report.Steps, r.who.class = append(r.report.Steps, st), unsendable
		r.judgeIdentity(unsendable, &capture{}, answer{}, &r.report.Steps[len(r.report.Steps)-1])
		return
	}
	got := r.call(ctx, &st, func(ctx context.Context, c *http.Client, _ *capture) {
		if resp, err := c.Do(req.WithContext(ctx)); err == nil {
			resp.Body.Close()
		}
	})
	a := parseAnswer(got.header.Get("Content-Type"), got.body, nil)
	r.scrub.add(a.secrets...)
	if st.Exchange != nil {
		st.Exchange = r.shown(*st.Exchange)
	}
	st.Received = append(r.head(&got), r.errorLines(a)...)
	r.readRateLimit(got.header)
	r.report.Steps = append(r.report.Steps, st)
	r.who = met{classifyIdentity(&got, a), got, a}
	r.judgeIdentity(r.who.class, &got, a, &r.report.Steps[len(r.report.Steps)-1])
}

// bearerRequest is a GET of the API with a token. It reads nothing of the run that
// changes.
func (r *run) bearerRequest(ctx context.Context, address string, token secret.Text) (*http.Request, error) {
	if !sendable(token.Reveal()) {
		return nil, fmt.Errorf("the token cannot stand in a header")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("an address of the API cannot be read")
	}
	for name, v := range r.ends.IdentityHeaders {
		req.Header.Set(name, v)
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	return req, nil
}

// sendable reports whether a token is printable ASCII without spaces: what a
// header carries unchanged (RFC 6750 section 2.1 allows even less).
func sendable(token string) bool {
	return token != "" && !strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' })
}

func (r *run) identitySent(token secret.Text) []Line {
	return append([]Line{r.line("GET", withoutQuery(r.ends.Identity))}, r.bearerLines(token)...)
}

// bearerLines are the headers that every call with a token has.
func (r *run) bearerLines(token secret.Text) []Line {
	lines := []Line{gone("Authorization: Bearer", token).in(InHeader)}
	for _, name := range slices.Sorted(maps.Keys(r.ends.IdentityHeaders)) {
		lines = append(lines, r.line(name, r.ends.IdentityHeaders[name]).in(InHeader))
	}
	return lines
}

// judgeIdentity writes what the answer proves. After an issued token it leaves
// the credentials as they are: they are proven, whatever becomes of this call.
func (r *run) judgeIdentity(c class, got *capture, a answer, st *Step) {
	f := identityFindings[c].afterToken()
	if r.report.Kind == TokenRun {
		f = identityFindings[c].alone()
	}
	r.report.apply(f, st, r.words(got, a))
	if c != issued {
		return
	}
	known := 0
	for _, fact := range r.def.Identity.Facts {
		v := r.scrub.foreign(said(find(a.members, fact.Path)))
		if v != "" {
			known++
		}
		r.report.Identity = append(r.report.Identity, Fact{Label: fact.Label, Value: v})
	}
	if known == 0 {
		r.judge(Permission, Warning, "The call is allowed, but its answer does not say whose token it is.")
		st.Verdict, st.Hint = Warning, "answered, but without a name"
	}
	r.compareRegion(a, st)
}

// said is a fact in words: the text of a scalar, with yes and no for booleans.
func said(raw json.RawMessage) string {
	switch s := scalar(raw); {
	case string(raw) == "true":
		return "yes"
	case string(raw) == "false":
		return "no"
	default:
		return s
	}
}

// compareRegion warns if the provider names another region than the entry has
// chosen. The region is the field whose options choose the addresses; the fact
// is the one whose path ends in the name of that field, as "app.region" does.
func (r *run) compareRegion(a answer, st *Step) {
	for _, f := range r.def.Fields {
		if len(f.Options) == 0 || len(f.Options[0].Set) == 0 {
			continue
		}
		chosen, ok := r.chosen(f)
		if !ok || chosen.Rehearsal {
			continue
		}
		for i, fact := range r.def.Identity.Facts {
			last := fact.Path[strings.LastIndexByte(fact.Path, '.')+1:]
			got := said(find(a.members, fact.Path))
			if !strings.EqualFold(last, f.Key) || got == "" || strings.EqualFold(got, chosen.Value) || strings.EqualFold(got, chosen.Label) {
				continue
			}
			note := fmt.Sprintf("This entry has %s: %s.", f.Label, chosen.Label)
			r.report.Identity[i].Verdict, r.report.Identity[i].Note = Warning, note
			r.judge(Permission, Warning, "The call is allowed, but the provider names another region than the entry. "+note)
			r.report.Headline += ", but the region differs"
			r.report.Remedies = append(r.report.Remedies, fmt.Sprintf("Check %s of the entry: calls to another region's address may fail or be slow.", f.Label))
			st.Verdict, st.Hint = Warning, "another region"
		}
	}
}

func (r *run) chosen(f connector.Field) (connector.Option, bool) {
	value := text(r.version, f.Key).Reveal()
	if value == "" {
		value = f.Default
	}
	i := slices.IndexFunc(f.Options, func(o connector.Option) bool { return o.Value == value })
	if i < 0 {
		return connector.Option{}, false
	}
	return f.Options[i], true
}

// readRateLimit keeps what the headers of the definition's names tell. A later
// answer replaces an earlier one.
func (r *run) readRateLimit(h http.Header) {
	if l, told := r.rateLimit(h); told {
		r.report.RateLimit = &l
	}
}

func (r *run) rateLimit(h http.Header) (l RateLimit, told bool) {
	names := r.def.RateLimit
	if names == nil {
		return RateLimit{}, false
	}
	get := func(name string) string {
		if name == "" {
			return ""
		}
		return cut(r.scrub.foreign(h.Get(name)), 40)
	}
	l = RateLimit{Limit: get(names.Limit), Remaining: get(names.Remaining), Reset: get(names.Reset)}
	if l == (RateLimit{}) {
		return RateLimit{}, false
	}
	// Beyond the year 9999 a time cannot be written.
	if n, err := strconv.ParseInt(l.Reset, 10, 64); err == nil && n > 0 && n < 253402300800 {
		l.ResetAt = time.Unix(n, 0).UTC()
	}
	return l, true
}
