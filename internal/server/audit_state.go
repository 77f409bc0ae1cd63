package server

import (
	"fmt"
	"strings"

	"backoffice/internal/audit"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// logState is how the log stands, for a page of who may read it.
func (g gate) logState(c echo.Context) (templates.LogState, error) {
	s, err := g.AuditState(c.Request().Context())
	if err != nil {
		return templates.LogState{}, err
	}
	out := templates.LogState{Public: g.Notary.Key(), MayCheck: g.allows(c, auditCheck), Alarm: alarmOf(s)}
	out.Verdict, out.Word, out.Sentence = checkWords(s)
	out.When = g.when(s.Check.Ended)
	if s.Head.Note != nil {
		out.Short = s.Head.Short()
	}
	out.Facts = g.logFacts(s)
	return out, nil
}

// checkWords say what the check of the whole log found.
func checkWords(s audit.State) (templates.Verdict, string, string) {
	done, of := templates.Count(s.Check.Done), templates.Count(s.Check.Of)
	switch {
	case len(s.Alarms()) > 0:
		return templates.VerdictWrong, "Not intact", "What does not hold needs a person. Compare the data file with your backups and anchors."
	case !s.Check.Ended.IsZero() && s.Check.Of == 0:
		return templates.VerdictOK, "Intact", "There was no event yet when it was checked."
	case !s.Check.Ended.IsZero():
		return templates.VerdictOK, "Intact", fmt.Sprintf("All %s events of then were checked one by one: none was changed, and none is missing.", of)
	case s.Check.Of > 0 && s.Check.Done < s.Check.Of:
		return templates.VerdictNotChecked, "Being checked", fmt.Sprintf("%s of %s events were checked so far, and nothing was found.", done, of)
	}
	return templates.VerdictNotChecked, "Not checked yet", "The whole log is checked after each start, once a day and when somebody asks."
}

// logFacts are the numbers behind the words.
func (g gate) logFacts(s audit.State) []templates.Fact {
	facts := []templates.Fact{{Label: "Events", Text: templates.Count(s.Events)}}
	add := func(f templates.Fact) { facts = append(facts, f) }
	if s.Check.Asked || s.Check.Ended.IsZero() && s.Check.Of > 0 {
		add(templates.Fact{Label: "Check", Text: fmt.Sprintf("%s of %s events", templates.Count(s.Check.Done), templates.Count(s.Check.Of))})
	}
	if s.Head.Note != nil {
		add(templates.Fact{Label: "Signed head", Text: fmt.Sprintf("%s events, %s", templates.Count(s.Head.Size), g.when(s.Head.Time).Ago)})
		add(templates.Fact{Label: "Root", Text: s.Head.Root.String(), Code: true})
	} else {
		add(templates.Fact{Label: "Signed head", Text: "None was signed yet"})
	}
	for _, a := range s.Anchors {
		add(g.anchorFact(a, s.Events))
	}
	if len(s.Anchors) == 0 {
		add(templates.Fact{Label: "Anchors", Text: "Heads are kept nowhere else", Verdict: templates.VerdictWarning, Word: "An older copy of the data file would not be noticed"})
	}
	if s.Ship != nil {
		ship := templates.Fact{Label: "Copied to " + s.Ship.To, Text: templates.Count(s.Ship.Next) + " events", Verdict: templates.VerdictOK, Word: "All"}
		if behind := max(0, s.Events-s.Ship.Next); behind > 0 {
			ship.Verdict, ship.Word = templates.VerdictWarning, templates.Count(behind)+" behind"
		}
		if s.Ship.Failing != "" {
			ship.Verdict, ship.Word = templates.VerdictWarning, "Fails: "+s.Ship.Failing
		}
		add(ship)
	}
	return facts
}

// anchorFact is how a place stands that heads are brought to.
func (g gate) anchorFact(a audit.AnchorState, events int64) templates.Fact {
	f := templates.Fact{Label: "Anchor", Text: upperFirst(a.Place) + ": " + templates.Count(a.Size) + " events", Verdict: templates.VerdictOK, Word: "Keeps the head"}
	switch {
	case a.Alarm != "":
		f.Verdict, f.Word = templates.VerdictWrong, "Contradicts the log"
	case a.Failing != "":
		f.Verdict, f.Word = templates.VerdictWarning, "Fails: "+a.Failing
	case a.Size < events:
		f.Verdict, f.Word = templates.VerdictNotChecked, templates.Count(events-a.Size)+" to come"
	}
	if !a.Time.IsZero() {
		f.Text += ", " + g.when(a.Time).Ago
	}
	return f
}

// logAlarm is what everybody has to know of the log who opens the overview.
func (g gate) logAlarm(c echo.Context) (templates.Notice, error) {
	s, err := g.AuditState(c.Request().Context())
	if err != nil {
		return templates.Notice{}, err
	}
	n := alarmOf(s)
	switch {
	case n.Known() && !g.allows(c, auditCheck): // what does not hold may be about others
		n.Text = "Somebody who may see how the whole log stands has to look."
	case n.Known():
		n.Link = templates.Link{Label: "See how the log stands", URL: "/audit#proof"}
	}
	return n, nil
}

func alarmOf(s audit.State) templates.Notice {
	var texts []string
	for _, a := range s.Alarms() {
		texts = append(texts, strings.TrimSuffix(upperFirst(a), ".")+".")
	}
	if len(texts) == 0 {
		return templates.Notice{}
	}
	return templates.Notice{Verdict: templates.VerdictWrong, Heading: "The audit log is not what was signed", Text: strings.Join(texts, " ")}
}

// check is POST /audit/check: it has the whole log checked, beside the work.
func (p auditPages) check(c echo.Context) error {
	e := audit.Event{Time: p.Now(), Actor: actor(c), Action: audit.LogChecked, Outcome: audit.Done, Note: "What it finds is on the page of the log."}
	if err := audit.Record(c.Request().Context(), p.Store, e); err != nil {
		return err
	}
	p.AuditCheck()
	to := "/audit"
	if c.FormValue("back") == "settings" {
		to = "/settings#proof"
	}
	return p.see(c, to, flash{said: saidLogChecked})
}
