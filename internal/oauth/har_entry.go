package oauth

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"backoffice/internal/egress"
)

// harOf is the case as a HAR log: an entry a call that we made. What a browser
// carried has no times of ours, and is in the Markdown file only.
func harOf(c caseFile) har {
	log := harLog{Version: "1.2", Creator: harCreator{Name: product, Version: cmp.Or(printable(c.about.Version), "unknown")}, Entries: []harEntry{},
		Comment: c.words()}
	for _, st := range c.report.Steps {
		if st.called() {
			log.Entries = append(log.Entries, harEntryOf(st, *st.Exchange))
		}
	}
	return har{log}
}

func harEntryOf(st Step, x egress.Exchange) harEntry {
	sent, received, others := st.message(x)
	t, total := timings(x)
	return harEntry{Started: harTime(x.Started), Time: total, Timings: t,
		Request: harRequestOf(sent, x), Response: harResponseOf(received, x), Comment: remark(st, x, slices.Concat(sent, received), others)}
}

// message is the lines of the call of x. A step that followed redirects has the
// lines of several calls; those of the others come back apart.
func (st Step) message(x egress.Exchange) (sent, received, others []Line) {
	requests, answers := split(st.Sent), split(st.Received)
	chosen := 0
	for i, m := range requests {
		if m[0].In == AtStart && m[0].Name == x.Method && m[0].Value == x.URL {
			chosen = i
			break
		}
	}
	for i := range max(len(requests), len(answers)) {
		var m, a []Line
		if i < len(requests) {
			m = requests[i]
		}
		if i < len(answers) {
			a = answers[i]
		}
		if i == chosen {
			sent, received = m, a
		} else {
			others = append(append(others, m...), a...)
		}
	}
	return sent, received, others
}

// split begins a new message at each line that begins one.
func split(lines []Line) (out [][]Line) {
	for i, l := range lines {
		if i == 0 || l.In == AtStart {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], l)
	}
	return out
}

func harRequestOf(lines []Line, x egress.Exchange) harRequest {
	out := harRequest{Method: cmp.Or(x.Method, "GET"), URL: x.URL, HTTPVersion: protocol(x), Cookies: []struct{}{}, Headers: headers(lines, x.RequestHeaders),
		Query: at(InQuery, lines), HeadersSize: -1, BodySize: max(x.Sent, 0)}
	if params := at(InForm, lines); len(params) > 0 {
		out.PostData = &harPostData{MimeType: "application/x-www-form-urlencoded", Params: params}
	}
	query := make([]string, len(out.Query))
	for i, q := range out.Query {
		query[i] = url.QueryEscape(q.Name) + "=" + url.QueryEscape(q.Value)
	}
	if len(query) > 0 {
		out.URL += "?" + strings.Join(query, "&")
	}
	return out
}

func harResponseOf(lines []Line, x egress.Exchange) harResponse {
	out := harResponse{Status: max(x.Status, 0), StatusText: http.StatusText(x.Status), HTTPVersion: protocol(x), Cookies: []struct{}{},
		Headers: headers(lines, x.ResponseHeaders), HeadersSize: -1, BodySize: max(x.Received, 0),
		Content: harContent{Size: max(x.Unpacked, 0), Compression: max(x.Unpacked-x.Received, 0), MimeType: cmp.Or(x.ContentType, "x-unknown")}}
	if x.Status == 0 {
		out.BodySize = -1
	}
	for _, h := range out.Headers {
		if strings.EqualFold(h.Name, "Location") {
			out.RedirectURL = h.Value
		}
	}
	if kept := pairs(lines, InJSON, InForm, InQuery); kept != "" {
		out.Content.Comment = "The body is not kept, only named parts of it: " + kept
	} else if x.Status != 0 {
		out.Content.Comment = "The body is not kept."
	}
	return out
}

// headers are those of the lines, and those that only the exchange has.
func headers(lines []Line, kept []egress.Header) []harPair {
	out := []harPair{}
	for _, l := range lines {
		if l.In != InHeader {
			continue
		}
		name, scheme, _ := strings.Cut(l.Name, ":") // "Authorization: Basic" has the beginning of its value
		out = append(out, harPair{Name: name, Value: strings.TrimSpace(strings.TrimSpace(scheme) + " " + l.Value), Comment: l.Note})
	}
	for _, h := range kept {
		if !slices.ContainsFunc(out, func(p harPair) bool { return strings.EqualFold(p.Name, h.Name) }) {
			out = append(out, harPair{Name: h.Name, Value: h.Value})
		}
	}
	return out
}

// at is the lines at one place.
func at(p Place, lines []Line) []harPair {
	out := []harPair{}
	for _, l := range lines {
		if l.In == p {
			out = append(out, harPair{Name: l.Name, Value: l.Value, Comment: l.Note})
		}
	}
	return out
}

// pairs is the lines at some places as text.
func pairs(lines []Line, places ...Place) string {
	var out []string
	for _, l := range lines {
		if slices.Contains(places, l.In) {
			out = append(out, strings.TrimSpace(l.Name+" = "+l.Value+" "+inBrackets(l.Note)))
		}
	}
	return strings.Join(out, "; ")
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// remark is what of a step a HAR entry has no place for.
func remark(st Step, x egress.Exchange, lines, others []Line) string {
	parts := []string{st.title(), "Verdict: " + st.Verdict.String(), st.Hint, st.Why, failure(x), certificate(x.TLS)}
	if beside := pairs(lines, Beside); beside != "" {
		parts = append(parts, "Beside the message: "+beside)
	}
	if len(others) > 0 {
		parts = append(parts, "Other messages of this step: "+pairs(others, AtStart, InHeader, InQuery, InForm, InJSON, Beside))
	}
	var b strings.Builder
	for _, s := range parts {
		if s != "" {
			b.WriteString(strings.TrimSuffix(s, ".") + ". ")
		}
	}
	return strings.TrimSpace(b.String())
}

// title is the step with the letter of its question.
func (st Step) title() string {
	if st.Probe == "" {
		return st.Name
	}
	return "Probe " + st.Probe + ": " + st.Name
}

func failure(x egress.Exchange) string {
	if x.Class == egress.None {
		return ""
	}
	return strings.TrimSpace("No whole answer (" + x.Class.String() + "). " + x.Problem)
}

func certificate(s *egress.Security) string {
	if s == nil {
		return ""
	}
	return cmp.Or(s.Version, "TLS was not agreed on") + ", certificate of " + cmp.Or(s.Issuer, "nobody by name") + " for " + strings.Join(s.Names, ", ") +
		" from " + date(s.NotBefore) + " to " + date(s.NotAfter) + "."
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// protocol is what the answer was in; a request has no other.
func protocol(x egress.Exchange) string { return cmp.Or(x.Protocol, "unknown") }

// timings are the phases, and their sum without TLS, which connect has in it.
// What the call took beside its phases is blocked.
func timings(x egress.Exchange) (t harTimings, total harMillis) {
	p := x.Phases
	t = harTimings{Blocked: -1, DNS: happened(p.DNS), Connect: happened(sane(p.Connect) + sane(p.TLS)), SSL: happened(p.TLS),
		Send: harMillis(sane(p.Send)), Wait: harMillis(sane(p.Wait)), Receive: harMillis(sane(p.Receive))}
	for _, d := range []harMillis{t.DNS, t.Connect, t.Send, t.Wait, t.Receive} {
		total += max(d, 0)
	}
	if rest := harMillis(sane(x.Total)) - total; rest > 0 {
		t.Blocked, total = rest, total+rest
	}
	return t, total
}

// happened is -1 for a phase that took no time, which is one that there was not.
func happened(d time.Duration) harMillis {
	if d = sane(d); d == 0 {
		return -1
	}
	return harMillis(d)
}

// sane cuts to microseconds, so that what is written adds up, and to what a call
// can take.
func sane(d time.Duration) time.Duration { return min(max(d, 0), time.Hour).Truncate(time.Microsecond) }
