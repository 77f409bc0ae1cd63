package server

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// auditPages show the log.
type auditPages struct{ gate }

// auditPage is how many events one page shows.
const auditPage = 50

// maxText is how long a text to look for in names may be, in bytes.
const maxText = 200

// timeInput is how a browser sends a datetime-local control, read as UTC.
const timeInput = "2006-01-02T15:04"

// timeSeconds is timeInput where a moment is meant.
const timeSeconds = "2006-01-02T15:04:05"

// list is GET /audit.
func (p auditPages) list(c echo.Context) error {
	if err := p.look(c); err != nil {
		return err
	}
	f, faults := readFilter(c)
	f.Only = p.sight(c)
	log, err := p.Audit.List(c.Request().Context(), f)
	if err != nil {
		return err
	}
	page := templates.AuditPage{Frame: p.frame(c, "Audit log", templates.SectionAudit),
		Text: c.QueryParam("text"), Addr: c.QueryParam("addr"), Who: c.QueryParam("who"), Target: c.QueryParam("target"), From: timeValue(c.QueryParam("from")), To: timeValue(c.QueryParam("to")), Errors: faults,
		Filtered: chooses(f)}
	page.Actions = []templates.Choice{{Name: "", Label: "Any action"}}
	for _, a := range audit.Actions() {
		page.Actions = append(page.Actions, templates.Choice{Name: string(a), Label: a.Title(), Selected: a == f.Action})
	}
	page.Outcomes = []templates.Choice{{Name: "", Label: "Any outcome"}}
	for _, o := range []audit.Outcome{audit.Done, audit.Failed, audit.Refused} {
		page.Outcomes = append(page.Outcomes, templates.Choice{Name: string(o), Label: outcomeWord(o), Selected: o == f.Outcome})
	}
	p.fill(c, &page, log)
	if log.More {
		page.Older = auditURL(c, log.Next)
	}
	if f.Before != 0 {
		page.Newest = auditURL(c, 0)
	} else if len(faults) == 0 && f.To.IsZero() && p.allows(c, auditCheck) { // what is over has no news
		page.Events = strings.Replace(auditURL(c, 0), "/audit", auditNews, 1)
	}
	if p.allows(c, auditCheck) {
		if page.Chart, err = p.chart(c, f); err != nil {
			return err
		}
		if page.State, err = p.logState(c); err != nil {
			return err
		}
	}
	page.MayExport = p.allows(c, auditExport)
	page.Chosen = chosen(c)
	status := http.StatusOK
	if len(faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return render(c, status, templates.Audit(page))
}

// chooses reports whether somebody chose with the filter: what the person may see
// is no choice.
func chooses(f audit.Filter) bool {
	f.Only = nil
	return f.Chooses()
}

// fill puts what was found on the page. How many events there are is for those
// alone who may see all of them.
func (p auditPages) fill(c echo.Context, page *templates.AuditPage, log audit.Page) {
	all := p.unlimited(c)
	page.Lead = "What happened to the entries that your role is for, and what you did, newest first. Times are UTC."
	if all {
		page.Lead = plural(int(log.Total), "event") + ", newest first. Times are UTC."
	}
	if n := len(log.Missing); n > 0 && all {
		page.Lead += " " + log.Missing[0]
		if n > 1 {
			page.Lead += fmt.Sprintf(" %s more cannot be read either.", plural(n-1, "archive file"))
		}
	}
	for _, e := range log.Events {
		page.Rows = append(page.Rows, p.row(e))
	}
	page.Showing = plural(len(log.Events), "event")
	if !page.Filtered && all {
		page.Showing = fmt.Sprintf("%s of %s", templates.Count(int64(len(log.Events))), plural(int(log.Total), "event"))
	}
	page.Cut = log.More && len(log.Events) < auditPage
	if page.Cut {
		page.Showing += ", and there may be older ones"
	}
}

// readFilter reads the filter of the log. What cannot be read is left out and
// reported.
func readFilter(c echo.Context) (audit.Filter, []templates.FieldError) {
	f := audit.Filter{Who: strings.ToLower(strings.TrimSpace(c.FormValue("who"))), Target: strings.TrimSpace(c.FormValue("target")), Addr: strings.TrimSpace(c.FormValue("addr")), Text: strings.TrimSpace(c.FormValue("text")), Limit: auditPage}
	var faults []templates.FieldError
	fault := func(field, msg string) { faults = append(faults, templates.FieldError{Field: field, Msg: msg}) }
	if len(f.Text) > maxText {
		f.Text = ""
		fault("text", "A name has at most 200 characters. Write a part of it.")
	}
	if s := c.FormValue("action"); s != "" {
		var err error
		if f.Action, err = audit.ParseAction(s); err != nil {
			fault("action", "There is no such action. Choose one of the list.")
		}
	}
	if s := c.FormValue("outcome"); s != "" {
		var err error
		if f.Outcome, err = audit.ParseOutcome(s); err != nil {
			fault("outcome", "There is no such outcome. Choose one of the list.")
		}
	}
	for _, end := range []struct {
		name string
		t    *time.Time
	}{{"from", &f.From}, {"to", &f.To}} {
		if s := c.FormValue(end.name); s != "" {
			var err error
			if *end.t, err = readTime(s); err != nil {
				fault(end.name, "This is no time. Write it as 2026-09-17T14:30, in UTC.")
			}
		}
	}
	if n, err := strconv.ParseInt(c.FormValue("before"), 10, 64); err == nil && n > 0 {
		f.Before = n
	}
	return f, faults
}

func readTime(s string) (time.Time, error) {
	for _, layout := range []string{timeInput, timeSeconds, "2006-01-02", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("no time: %q", s)
}

// timeValue is a time as a datetime-local control takes it, or what was typed.
func timeValue(s string) string {
	t, err := readTime(s)
	switch {
	case err != nil:
		return s
	case t.Second() != 0:
		return t.Format(timeSeconds)
	}
	return t.Format(timeInput)
}

// auditURL is the log with the same filter, from before event n on.
func auditURL(c echo.Context, before int64) string {
	q := url.Values{}
	for _, k := range auditFilters {
		if v := c.QueryParam(k); v != "" {
			q.Set(k, v)
		}
	}
	if before > 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	if len(q) == 0 {
		return "/audit"
	}
	return "/audit?" + q.Encode()
}

func (p auditPages) row(e audit.Event) templates.AuditRow {
	v, word := outcomeVerdict(e.Outcome)
	row := templates.AuditRow{Number: strconv.FormatInt(e.N, 10), Shown: templates.Count(e.N), Time: p.when(e.Time), Person: e.Actor.Name,
		Action: e.Action.Title(), Target: e.Target, Verdict: v, Outcome: word, From: e.Actor.Addr}
	if e.Version != 0 {
		row.Detail = fmt.Sprintf("version %d", e.Version)
	}
	return row
}

func outcomeWord(o audit.Outcome) string {
	return map[audit.Outcome]string{audit.Done: "Done", audit.Failed: "Failed", audit.Refused: "Refused"}[o]
}

func outcomeVerdict(o audit.Outcome) (templates.Verdict, string) {
	switch o {
	case audit.Done:
		return templates.VerdictOK, outcomeWord(o)
	case audit.Refused:
		return templates.VerdictWrong, outcomeWord(o)
	}
	return templates.VerdictWarning, outcomeWord(o)
}

// sentence is an event in a few words.
func sentence(e audit.Event) string {
	s := e.Action.Title()
	if e.Version != 0 {
		s += fmt.Sprintf(", version %d", e.Version)
	}
	if e.Target != "" && e.Target != e.Actor.Name {
		s += ": " + e.Target
	}
	return s
}

// eventURL is the page of an event.
func eventURL(n int64) string { return fmt.Sprintf("/audit/%d", n) }

// show is GET /audit/:n.
func (p auditPages) show(c echo.Context) error {
	n, err := strconv.ParseInt(c.Param("n"), 10, 64)
	if err != nil {
		return errNoEvent
	}
	if err := p.look(c); err != nil {
		return err
	}
	leaf, err := p.Audit.Get(c.Request().Context(), n)
	if errs.Is(err, errs.NotFound) && !p.unlimited(c) {
		return eventNotFound(n)
	}
	if err != nil {
		return err
	}
	e := leaf.Event
	if !p.sees(c, e) {
		return eventNotFound(n)
	}
	v, word := outcomeVerdict(e.Outcome)
	page := templates.AuditEventPage{Frame: p.frame(c, fmt.Sprintf("Event %d · Audit log", n), templates.SectionAudit), Number: templates.Count(n),
		Heading: sentence(e), When: p.when(e.Time), Reason: e.Reason, Note: e.Note, Person: e.Actor.Name, Verdict: v, Outcome: word,
		Address: e.Actor.Addr, Request: e.Actor.RequestID, Leaf: leaf.Hash.String(), Root: leaf.Root.String(), Receipt: eventURL(n) + "/receipt"}
	if e.Actor.Name != "" {
		page.Heading = e.Actor.Name + ": " + lowerFirst(sentence(e))
	}
	for _, ch := range e.Changes {
		page.Changes = append(page.Changes, changeRow(ch))
	}
	if n > 0 && p.unlimited(c) {
		page.Older = eventURL(n - 1)
	}
	if n+1 < leaf.Size && p.unlimited(c) {
		page.Newer = eventURL(n + 1)
	}
	p.linkTarget(c, &page, e)
	if err := p.relate(c, &page, e); err != nil {
		return err
	}
	p.drawProof(c, &page, leaf)
	return render(c, http.StatusOK, templates.AuditEvent(page))
}

func changeRow(ch audit.Change) templates.ChangeRow {
	return templates.ChangeRow{Key: ch.Key, Code: true, Before: changeSide(ch.Before), After: changeSide(ch.After), Changed: ch.Before != ch.After}
}

// changeSide is a fingerprint, or a plain word such as the number of a version.
func changeSide(s string) templates.Shown {
	if len(s) == 12 && strings.Trim(s, "0123456789abcdef") == "" {
		return templates.SealedValue(templates.Fingerprint(s), "")
	}
	return templates.PlainValue(s, "")
}

// replayedID is the notification in the note of a replay.
var replayedID = regexp.MustCompile(`^Notification ([0-9a-z]+) to `)

// linkTarget leads to the entry that an event is about, if it still is there.
func (p auditPages) linkTarget(c echo.Context, page *templates.AuditEventPage, e audit.Event) {
	id, err := config.ParseID(e.Target)
	if err != nil {
		return
	}
	if _, err := p.Config.Get(c.Request().Context(), id); err != nil {
		return
	}
	page.Target = templates.Link{Label: e.Target, URL: entryURL(id)}
	switch e.Action {
	case audit.NotificationTested:
		page.Target.URL += "/webhooks"
		return
	case audit.NotificationReplayed:
		page.Target.URL = notificationsPath + "?entry=" + e.Target
		if n := replayedID.FindStringSubmatch(e.Note); n != nil {
			page.Target = templates.Link{Label: "Notification of " + e.Target, URL: notificationURL(e.Target, n[1])}
		}
		return
	}
	if e.Version > 1 {
		page.Foot = templates.Link{Label: "Compare the versions", URL: fmt.Sprintf("%s/history?left=%d&right=%d", entryURL(id), e.Version-1, e.Version)}
	}
}
