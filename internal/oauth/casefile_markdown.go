package oauth

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/egress"
)

// markdownOf is the case as a text for people.
func markdownOf(c caseFile) string {
	var m markdown
	m.heading(1, "Case file of "+code(string(c.report.Entry)))
	m.table([]string{"What", "Value"}, c.facts())
	c.verdicts(&m)
	if len(c.report.Remedies) > 0 {
		m.heading(2, "What to do")
		var rows [][]string
		for i, r := range c.report.Remedies {
			rows = append(rows, []string{strconv.Itoa(i + 1), prose(r)})
		}
		m.table([]string{"#", "Remedy"}, rows)
	}
	c.permissions(&m)
	c.timeline(&m)
	for i, st := range c.report.Steps {
		st.describe(&m, i+1)
	}
	c.told(&m)
	list(&m, "Limits that were applied", c.limits())
	list(&m, "What was not tested", c.untested())
	list(&m, "What was taken out", redactions)
	return m.String()
}

// list is a section of our own words.
func list(m *markdown, heading string, items []string) {
	m.heading(2, heading)
	for _, s := range items {
		m.item(s)
	}
	m.end()
}

// verdicts has one row a field.
func (c caseFile) verdicts(m *markdown) {
	m.heading(2, "Verdicts")
	var rows [][]string
	for _, f := range c.report.Fields {
		steps := make([]string, len(f.Evidence))
		for i, n := range f.Evidence {
			steps[i] = strconv.Itoa(n + 1)
		}
		rows = append(rows, []string{f.Field.Label(), f.Verdict.String(), f.confidence(), prose(f.Reason), prose(f.Remedy), strings.Join(steps, ", ")})
	}
	m.table([]string{"Field", "Verdict", "Confidence", "Why", "What to do", "Steps"}, rows)
}

// confidence is in words. A verdict of a consent run is a proof, or none.
func (f FieldVerdict) confidence() string {
	if f.Confidence == Unstated {
		return ""
	}
	return f.Confidence.String()
}

// timeline has one row a step.
func (c caseFile) timeline(m *markdown) {
	m.heading(2, "Timeline")
	var rows [][]string
	for i, st := range c.report.Steps {
		row := []string{strconv.Itoa(i + 1), code(st.Probe), prose(st.Name), since(st.Start), since(st.Took), st.Verdict.String(), prose(st.Hint), "", "", "", "", ""}
		if x := st.Exchange; x != nil {
			row[7], row[8] = code(x.Method+" "+x.URL), answered(*x)
		} else {
			row[7] = code(strings.TrimSpace(st.method() + " " + st.address()))
		}
		row[9] = code(st.told("error", "code", "error_code", "errorcode", "type"))
		row[10] = code(st.told("error_description", "message", "description", "detail", "error_message"))
		row[11] = code(st.told("request_id", "requestid", "trace_id", "x-request-id", "request-id", "x-correlation-id"))
		rows = append(rows, row)
	}
	m.table([]string{"#", "Probe", "Step", "Start", "Took", "Result", "Meaning", "Address", "Status", "Error", "Description", "Provider's id"}, rows)
}

func answered(x egress.Exchange) string {
	switch {
	case x.Status == 0 && x.Class == egress.None: // nothing was asked
		return ""
	case x.Status == 0:
		return "no answer: " + x.Class.String()
	}
	return strconv.Itoa(x.Status)
}

// told is the first answer to one of the names.
func (st Step) told(names ...string) string {
	for _, l := range st.Received {
		if slices.Contains(names, field(l)) && l.In != AtStart && l.Value != removed {
			return l.Value
		}
	}
	return ""
}

// address is where the first request of the step went.
func (st Step) address() string {
	for _, l := range st.Sent {
		if l.In == AtStart {
			return l.Value
		}
	}
	return ""
}

// describe is the evidence of one step.
func (st Step) describe(m *markdown, n int) {
	m.heading(2, fmt.Sprintf("Step %d: %s", n, prose(st.title())))
	if st.Why != "" {
		m.para("What it shows: " + prose(st.Why))
	}
	if !st.called() && len(st.Sent) > 0 {
		m.para("No request of HTTP was sent by this program in this step: the HAR file has no entry for it.")
	}
	lineTable(m, "Sent", st.Sent)
	lineTable(m, "Received", st.Received)
	if x := st.Exchange; x != nil {
		m.para(phaseWords(*x))
		for _, s := range []string{failure(*x), certificate(x.TLS)} {
			if s != "" {
				m.para("Connection: " + prose(s))
			}
		}
	}
}

var placeWords = [...]string{"start", "header", "query", "form", "body", "remark"}

func lineTable(m *markdown, what string, lines []Line) {
	var rows [][]string
	for _, l := range lines {
		rows = append(rows, []string{placeWords[min(max(int(l.In), 0), len(placeWords)-1)], code(l.Name), code(l.Value), prose(l.Note)})
	}
	m.table([]string{what, "Name", "Value", "Note"}, rows)
}

// phaseWords says where the time of a call went. A phase that there was not is
// left out.
func phaseWords(x egress.Exchange) string {
	parts := []string{"Began " + x.Started.UTC().Format(stamp) + " UTC, took " + since(x.Total)}
	for _, p := range []struct {
		name string
		took time.Duration
	}{{"look-up", x.Phases.DNS}, {"connect", x.Phases.Connect}, {"TLS", x.Phases.TLS}, {"send", x.Phases.Send}, {"wait", x.Phases.Wait}, {"receive", x.Phases.Receive}} {
		if p.took > 0 {
			parts = append(parts, p.name+" "+since(p.took))
		}
	}
	return strings.Join(parts, ", ") + fmt.Sprintf(". Body: %d bytes sent, %d received.", x.Sent, x.Received)
}

// stamp is a time with milliseconds.
const stamp = "2006-01-02 15:04:05.000"

func since(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// told is what the provider said of the account and of its limits.
func (c caseFile) told(m *markdown) {
	var rows [][]string
	for _, f := range c.report.Identity {
		rows = append(rows, []string{prose(f.Label), code(f.Value), prose(f.Note)})
	}
	if l := c.report.RateLimit; l != nil {
		rows = append(rows, []string{"Rate limit", code(l.Limit), ""}, []string{"Calls left", code(l.Remaining), ""}, []string{"Starts anew", code(l.Reset), ""})
	}
	if len(rows) > 0 {
		m.heading(2, "What the provider told beside")
		m.table([]string{"What", "Value", "Note"}, rows)
	}
}

// hosts are those that the steps went to.
func (c caseFile) hosts() (out []string) {
	for _, st := range c.report.Steps {
		address := st.address()
		if st.Exchange != nil {
			address = st.Exchange.URL
		}
		if u, err := url.Parse(address); err == nil && u.Host != "" && !slices.Contains(out, u.Host) {
			out = append(out, u.Host)
		}
	}
	return out
}
