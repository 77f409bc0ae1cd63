package server

import (
	"net/http"
	"strconv"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// approvalPages are what a second person meets: the pending version, held against
// what is in force, and the decision about it; and the rule that asks for it.
type approvalPages struct{ gate }

// ask is GET /config/:id/approve.
func (p approvalPages) ask(c echo.Context) error { return p.draw(c, http.StatusOK, "", "") }

func (p approvalPages) draw(c echo.Context, status int, reason, fault string) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	if e.Pending == 0 {
		return errs.Newf(errs.NotFound, "Nothing of %s is pending, so there is nothing to approve.", e.ID)
	}
	now := config.Opened{}
	if e.Current != 0 {
		if now, err = p.open(c, e.ID, e.Current); err != nil {
			return err
		}
	}
	then, err := p.open(c, e.ID, e.Pending)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabNone)
	if err != nil {
		return err
	}
	n := strconv.Itoa(e.Pending)
	page := templates.ApprovalPage{Frame: p.frame(c, "Review version "+n+" · "+string(e.ID), templates.SectionConfiguration), Entry: head, Version: n,
		Revision: strconv.FormatInt(e.Revision, 10), Hash: e.PendingHash, Short: beginning(e.PendingHash), Author: then.Author, Saved: p.when(then.Time), Why: then.Reason,
		Changes: diffLines(now, then, false), Heading: "Version " + n + " is the first to be put in force", CanReject: p.Config.RuleOf(e).Person() && !e.Rejected(), Withdraws: e.Approved(),
		Reason: reason, ReasonError: fault}
	if e.Current != 0 {
		page.Current = strconv.Itoa(e.Current)
		page.Heading = "Version " + n + " changes " + plural(len(config.Diff(now.Version, then.Version)), "thing") + " of version " + page.Current
	}
	if page.Panel, err = p.approvalPanel(c, e); err != nil {
		return err
	}
	page.Panel.Review, page.Panel.Change = templates.Link{}, templates.Link{}
	doubtful := templates.EntryValuesPage{Version: n}
	if err := valuePages(p).fillDoubts(c, &doubtful, e, then); err != nil {
		return err
	}
	page.Doubtful, page.Doubts = doubtful.Doubtful, doubtful.Doubts
	page.MayNot = p.mayNotApprove(c, e, then.Version)
	return render(c, status, templates.Approval(page))
}

// mayNotApprove says why the person cannot approve the pending version v of e; "" if
// they can.
func (g gate) mayNotApprove(c echo.Context, e config.Entry, v config.Version) string {
	switch {
	case !g.Config.RuleOf(e).Person():
		return "This entry asks for nobody's approval."
	case e.Approved():
		return e.Decision.By + " has approved it."
	}
	_, msg := errs.Of(e.MayApprove(v, actor(c)))
	return msg
}

func beginning(s string) string { return s[:min(12, len(s))] }

// approve is POST /config/:id/approve.
func (p approvalPages) approve(c echo.Context) error {
	return p.decide(c, func(r config.Ruling) error {
		_, err := p.Config.Approve(c.Request().Context(), actor(c), r)
		return err
	}, saidApproved)
}

// reject is POST /config/:id/reject.
func (p approvalPages) reject(c echo.Context) error {
	return p.decide(c, func(r config.Ruling) error {
		_, err := p.Config.Reject(c.Request().Context(), actor(c), r)
		return err
	}, saidRejected)
}

// decide reads one of the two forms and does it. What cannot be done is shown on the
// tab Values, with the state of now.
func (p approvalPages) decide(c echo.Context, do func(config.Ruling) error, what said) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	m, err := readMove(c, id)
	if err != nil {
		return err
	}
	r := config.Ruling{ID: id, Revision: m.Revision, Version: m.Version, Hash: c.FormValue("hash"), Comment: m.Reason}
	err = do(r)
	if err == nil || errs.Is(err, errs.Conflict) && p.repeatsRuling(c, r, what == saidApproved) {
		return p.see(c, entryURL(id), flash{said: what, n: r.Version})
	}
	if fault := errs.Fields(err)["reason"]; fault != "" {
		because(c, err)
		return p.draw(c, http.StatusUnprocessableEntity, r.Comment, fault)
	}
	kind, msg := errs.Of(err)
	if kind != errs.Conflict && kind != errs.Invalid {
		return err
	}
	because(c, err)
	c.Request().Form.Del("version")
	return valuePages(p).draw(c, statuses[kind].status, func(page *templates.EntryValuesPage) {
		page.Notice = templates.Notice{Verdict: templates.VerdictWarning, Heading: "This form was not carried out", Refused: true, Text: msg + " This page shows how the entry stands now."}
		if r.Comment != "" {
			page.Notice.Text += " You wrote: " + r.Comment
		}
	})
}

// repeatsRuling reports whether the same person has just decided the same: a button
// that is pressed twice sends its form twice.
func (g gate) repeatsRuling(c echo.Context, r config.Ruling, approved bool) bool {
	e, err := g.Config.Get(c.Request().Context(), r.ID)
	d := e.Decision
	return err == nil && e.Revision == r.Revision+1 && d.Approved == approved && d.Version == r.Version && d.Hash == r.Hash && d.ByID == actor(c).ID && d.Comment == strings.TrimSpace(r.Comment) &&
		g.Now().Sub(d.Time) < repeatWithin
}

// askRule is GET /config/:id/rule.
func (p approvalPages) askRule(c echo.Context) error {
	e, _, err := p.entry(c)
	if err != nil {
		return err
	}
	return p.drawRule(c, http.StatusOK, e.Rule, nil)
}

func (p approvalPages) drawRule(c echo.Context, status int, chosen config.Rule, fault error) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabNone)
	if err != nil {
		return err
	}
	faults := errs.Fields(fault)
	page := templates.RulePage{Frame: p.frame(c, "Approval · "+string(e.ID), templates.SectionConfiguration), Entry: head, Revision: strconv.FormatInt(e.Revision, 10),
		Owners: p.Config.RuleOf(e).Person() && !p.isOwner(c), Reason: c.FormValue("reason"), RuleError: faults["rule"], ReasonError: faults["reason"],
		Rules: []templates.Choice{{Name: "", Label: "As the instance: " + lowerFirst(ruleLabels[p.Config.RuleOf(config.Entry{})]), Selected: chosen == ""}}}
	for _, r := range config.Rules() {
		page.Rules = append(page.Rules, templates.Choice{Name: string(r), Label: ruleLabels[r], Selected: chosen == r})
	}
	if _, msg := errs.Of(fault); fault != nil && len(faults) == 0 {
		page.Notice = templates.Notice{Verdict: templates.VerdictWarning, Heading: "Nothing was saved", Refused: true, Text: msg}
	}
	return render(c, status, templates.Rule(page))
}

// ruleLabels are the rules in a list of choices.
var ruleLabels = map[config.Rule]string{config.RuleNone: "Nothing", config.RulePerson: "A second person's approval", config.RuleTest: "A good test", config.RuleBoth: "A good test and a second person's approval"}

func (g gate) isOwner(c echo.Context) bool { return visitOf(c).user.Role == auth.Owner }

// setRule is POST /config/:id/rule.
func (p approvalPages) setRule(c echo.Context) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	revision, err := strconv.ParseInt(c.FormValue("revision"), 10, 64)
	if err != nil {
		return errs.New(errs.Invalid, "The form could not be read. Open the entry again and choose Change the rule there.")
	}
	rule := config.Rule(c.FormValue("rule"))
	_, err = p.Config.SetRule(c.Request().Context(), actor(c), config.RuleChange{ID: id, Revision: revision, Rule: rule, Reason: c.FormValue("reason"), Owner: p.isOwner(c)})
	if err == nil {
		return p.see(c, entryURL(id), flash{said: saidRule})
	}
	if kind, _ := errs.Of(err); kind == errs.Conflict || kind == errs.Invalid {
		because(c, err)
		return p.drawRule(c, statuses[kind].status, rule, err)
	}
	return err
}

// approvalPanel says what the rule of e asks of its pending version, and what of it
// there is.
func (g gate) approvalPanel(c echo.Context, e config.Entry) (templates.ApprovalPanel, error) {
	ready, err := g.Config.Readiness(c.Request().Context(), e)
	if err != nil {
		return templates.ApprovalPanel{}, err
	}
	panel := templates.ApprovalPanel{Words: ready.Rule.Words()}
	if g.allows(c, auth.ConfigRule) {
		panel.Change = templates.Link{Label: "Change the rule", URL: entryURL(e.ID) + "/rule"}
	}
	if ready.Rule == config.RuleNone {
		panel.Quiet = true
		if panel.Change == (templates.Link{}) {
			panel.Words = ""
		}
		return panel, nil
	}
	if e.Pending == 0 {
		return panel, nil
	}
	n := strconv.Itoa(e.Pending)
	if ready.Rule.Person() {
		panel.Steps = append(panel.Steps, g.decisionStep(e))
		if g.allows(c, auth.ConfigApprove) {
			panel.Review = templates.Link{Label: "Review version " + n, URL: entryURL(e.ID) + "/approve"}
		}
	}
	if ready.Rule.Test() {
		step := templates.ApprovalStep{Verdict: templates.VerdictNotChecked, Word: "Waits for a good test of version " + n}
		if ready.Tested {
			step = templates.ApprovalStep{Verdict: templates.VerdictOK, Word: "Version " + n + " has a good test"}
		}
		panel.Steps = append(panel.Steps, step)
	}
	return panel, nil
}

// decisionStep is the last word about the pending version.
func (g gate) decisionStep(e config.Entry) templates.ApprovalStep {
	d := e.Decision
	switch {
	case e.Approved():
		return templates.ApprovalStep{Verdict: templates.VerdictOK, Word: "Approved", By: d.By, When: g.when(d.Time), Comment: d.Comment}
	case e.Rejected():
		return templates.ApprovalStep{Verdict: templates.VerdictWrong, Word: "Rejected", By: d.By, When: g.when(d.Time), Comment: d.Comment}
	}
	return templates.ApprovalStep{Verdict: templates.VerdictNotChecked, Word: "Waits for the approval of a second person"}
}

// approvalWord is how the pending version stands to its rule, in a few words; "" if it
// asks for nothing that is not there.
func (g gate) approvalWord(c echo.Context, e config.Entry) (string, error) {
	if e.Pending == 0 || g.Config.RuleOf(e) == config.RuleNone {
		return "", nil
	}
	ready, err := g.Config.Readiness(c.Request().Context(), e)
	switch {
	case err != nil || ready.Ready():
		return "", err
	case ready.Rule.Person() && e.Rejected():
		return "is rejected", nil
	case ready.Rule.Person() && !ready.Approved:
		return "waits for approval", nil
	}
	return "waits for a good test", nil
}

// decisions are what was decided about versions, by number, oldest first.
func (g gate) decisions(c echo.Context, id config.ID, vs []config.Version) (map[int][]templates.ApprovalStep, error) {
	numbers := make([]int, len(vs))
	for i, v := range vs {
		numbers[i] = v.Number
	}
	all, err := g.Config.Reviews(c.Request().Context(), id, numbers...)
	if err != nil {
		return nil, err
	}
	out := map[int][]templates.ApprovalStep{}
	for n, r := range all {
		for _, d := range r.Decisions {
			step := templates.ApprovalStep{Verdict: templates.VerdictWrong, Word: "Rejected", By: d.By, When: g.when(d.Time), Comment: d.Comment}
			if d.Approved {
				step.Verdict, step.Word = templates.VerdictOK, "Approved"
			}
			out[n] = append(out[n], step)
		}
	}
	return out, nil
}

// waits reports whether the pending version of e waits for the approval of this very
// person, or of another who is not the last to have changed it.
func (g gate) waits(c echo.Context, e config.Entry) bool {
	return e.Pending != 0 && g.Config.RuleOf(e).Person() && !e.Approved() && !e.Rejected() && e.MayApprove(config.Version{AuthorID: e.ChangedByID, Author: e.ChangedBy}, actor(c)) == nil
}

// awaited are the pending versions that wait for this person's approval.
func (p housePages) awaited(c echo.Context, every *listing) (rows []templates.PendingRow, more string, err error) {
	const most = 8
	if !p.allows(c, auth.ConfigApprove) {
		return nil, "", nil
	}
	total := 0
	for _, r := range every.rows {
		if !p.waits(c, *r.entry) {
			continue
		}
		if total++; total > most {
			continue
		}
		v, err := p.Config.Version(c.Request().Context(), r.entry.ID, r.entry.Pending)
		if err != nil {
			return nil, "", err
		}
		if r.entry.MayApprove(v, actor(c)) != nil {
			total--
			continue
		}
		row, err := p.pendingRow(c, r)
		if err != nil {
			return nil, "", err
		}
		rows = append(rows, row)
	}
	if total > most {
		more = plural(total-most, "version") + " more"
	}
	return rows, more, nil
}
