package server

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/oauth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// fillReport draws one report into the tab. It returns the version that was
// tested, or 0 for values that were not saved.
func (p testPages) fillReport(c echo.Context, page *templates.EntryTestPage, e config.Entry, def *connector.Definition, id string) (int, error) {
	r, err := p.OAuth.Report(c.Request().Context(), e.ID, id)
	if err != nil {
		return 0, err
	}
	var v config.Version
	if !r.Unsaved {
		if v, err = p.Config.Version(c.Request().Context(), e.ID, r.Version); err != nil {
			return 0, err
		}
	}
	page.HasReport, page.Rehearsal = true, r.Rehearsal
	page.Report = p.report(r, e, def, v)
	if !p.allows(c, auth.ConfigWrite) {
		page.Report.Action = templates.Link{}
	}
	page.Report.Record = p.recordAt(c, string(e.ID), r.Started, 0)
	if p.allows(c, caseFilePermission) {
		page.Report.CaseFile = reportURL(oauth.Ref{Entry: e.ID, Report: r.ID}) + "/casefile"
	}
	switch old := stale(e, r.ContentHash); {
	case old && r.Unsaved:
		page.Notice = templates.Notice{Verdict: templates.VerdictWarning, Heading: "These values were not saved",
			Text: "This run tested what stood in a form. No version that is in force or pending now has these values."}
	case old:
		page.Notice = templates.Notice{Verdict: templates.VerdictWarning, Heading: "Tested before the last change",
			Text: fmt.Sprintf("This run tested version %d, which is neither in force nor pending now. Test again to know about the values of today.", r.Version)}
	}
	return v.Number, nil
}

func (p testPages) report(r oauth.Report, e config.Entry, def *connector.Definition, v config.Version) templates.Report {
	out := templates.Report{Verdict: verdictOf(r.Verdict), Heading: r.Headline, Sentence: affected(r, e), Version: testedName(r, e),
		When: p.when(r.Started), Took: templates.Took(r.Took), By: r.By, How: kindWords(r.Kind), Sure: sure(r)}
	for _, f := range shownFields(r) {
		out.Fields = append(out.Fields, fieldVerdict(f, r, def, v))
	}
	out.Grid = len(out.Fields) == 6
	if (r.Verdict == oauth.Wrong || r.Verdict == oauth.Inconclusive) && !r.Denied && (r.Field(oauth.ClientSecret).Verdict != oauth.OK || r.Field(oauth.RedirectURI).Verdict == oauth.Wrong) {
		out.Action = templates.Link{Label: "Edit the values", URL: entryURL(e.ID) + "/edit"}
	}
	out.Remedy = remedySteps(r)
	if len(out.Remedy) > 0 {
		out.Remedy[0].Link = p.consoleOf(def, r.Rehearsal)
	}
	switch {
	case r.Kind == oauth.Diagnosis:
		out.RemedyLead = nextStep(r, providerName(def, r.Entry))
	case r.Verdict == oauth.OK && r.Version == e.Pending:
		out.RemedyLead = fmt.Sprintf("Version %d has proven itself. Consumers get it once it is in force.", r.Version)
		out.Remedy = append(out.Remedy, templates.RemedyStep{Text: "Promote it on the tab Values.", Link: templates.Link{Label: fmt.Sprintf("Put version %d in force", r.Version), URL: entryURL(e.ID)}})
	}
	out.Grants = grantSummary(r, def)
	if n := len(out.Grants.Refused); n > 0 {
		words := numeral(n) + pick(n == 1, " permission is", " permissions are") + " refused. The ledger says which of them are needed."
		out.Remedy = append(out.Remedy, templates.RemedyStep{Text: strings.ToUpper(words[:1]) + words[1:], Link: templates.Link{Label: "Open the ledger", URL: out.Grants.Ledger}})
	}
	for _, f := range r.Identity {
		out.Identity = append(out.Identity, identityFact(f))
	}
	out.Limits = p.limits(r.RateLimit)
	drawSteps(&out, r)
	return out
}

// affected says whom the result concerns.
func affected(r oauth.Report, e config.Entry) string {
	if r.Unsaved && !stale(e, r.ContentHash) { // saved since
		r.Version = e.Current
		if r.ContentHash != e.CurrentHash {
			r.Version = e.Pending
		}
	}
	switch {
	case r.Unsaved && stale(e, r.ContentHash):
		return "Nobody is affected: these values are not saved."
	case r.Kind == oauth.Diagnosis && r.Verdict == oauth.OK:
		return fmt.Sprintf("All that can be asked without consent is right with version %d.", r.Version)
	case r.Kind == oauth.TokenRun:
		return fmt.Sprintf("A pasted token was tried with the settings of version %d. That says nothing about its credentials.", r.Version)
	case r.Verdict == oauth.OK && r.Version == e.Pending:
		return fmt.Sprintf("Version %d is pending. It can be put in force.", r.Version)
	case r.Verdict == oauth.OK:
		return fmt.Sprintf("The whole handshake went through with version %d.", r.Version)
	case r.Version == e.Pending && e.Current != 0:
		return fmt.Sprintf("Nobody is affected: version %d is pending, and version %d stays in force.", r.Version, e.Current)
	case r.Version == e.Pending:
		return fmt.Sprintf("Nobody is affected: version %d is pending, and nothing is in force yet.", r.Version)
	case r.Version != e.Current:
		return fmt.Sprintf("Version %d is neither in force nor pending.", r.Version)
	}
	return fmt.Sprintf("Version %d is in force", r.Version) + inForce(r)
}

// inForce ends the sentence about a run of what is in force: it claims no more
// harm than the run proves.
func inForce(r oauth.Report) string {
	wrong := func(f oauth.Field) bool { return r.Field(f).Verdict == oauth.Wrong }
	switch {
	case wrong(oauth.ClientID) || wrong(oauth.ClientSecret) || wrong(oauth.RedirectURI):
		return ", so every consumer is affected."
	case r.Kind == oauth.Diagnosis && r.Verdict != oauth.Wrong:
		return "."
	case r.Verdict == oauth.Warning:
		return ", and its credentials are good. Only calls that need the missing permission are affected."
	case r.Verdict == oauth.Wrong:
		return ". Consumers that use it may be affected."
	}
	return "."
}

// sure says on what the verdict rests.
func sure(r oauth.Report) string {
	switch {
	case r.Kind == oauth.Diagnosis:
		return howCompared(r)
	case r.Kind == oauth.TokenRun:
		return "Only the identity call" + pick(r.Probed() > 0, " and "+plural(r.Probed(), "probe")+" were made", " was made") + ", with the token that was pasted. It says nothing about the client id, the client secret or the redirect URI."
	case r.Field(oauth.ClientSecret).Verdict == oauth.OK:
		return "Proven: the provider exchanged a real code for a token, which it does only if the client id, the client secret and the redirect URI are right. The token was used for the identity call" + pick(r.Probed() > 0, ", "+plural(r.Probed(), "probe")+" of what it may do", "") + " and then forgotten."
	case r.Denied:
		return "Not decided: the person at the consent page said no, which proves nothing about the entry."
	case r.Verdict == oauth.Inconclusive:
		return "Not decided: the answer fits more than one cause, so no field is called wrong. What is known is in the steps below."
	}
	if r.Field(oauth.Reachability).Verdict == oauth.Wrong {
		return "The address did not give an answer of the provider, so the address is what is wrong. Each step below has what was sent and what came back."
	}
	return "The provider’s own answer says so. Each step below has what was sent and what came back."
}

// shownFields are the fields that a report is about: client authentication and
// state only where there is something to say, but in a test without consent, which
// always looks at the same six.
func shownFields(r oauth.Report) (out []oauth.FieldVerdict) {
	if r.Kind == oauth.Diagnosis {
		return r.Fields
	}
	for _, f := range r.Fields {
		quiet := f.Field == oauth.ClientAuth || f.Field == oauth.State
		if quiet && (f.Verdict == oauth.NotChecked || f.Verdict == oauth.OK) {
			continue
		}
		out = append(out, f)
	}
	return out
}

func fieldVerdict(f oauth.FieldVerdict, r oauth.Report, def *connector.Definition, v config.Version) templates.FieldVerdict {
	out := templates.FieldVerdict{Label: f.Field.Label(), Verdict: verdictOf(f.Verdict), Text: f.Reason, Remedy: cardRemedy(f, r),
		Confidence: confidenceWords(f.Confidence), Evidence: evidenceLinks(f, r)}
	if f.Field == oauth.Permission && f.Verdict == oauth.Wrong {
		out.Word = "Missing"
	}
	switch f.Field {
	case oauth.ClientSecret:
		out.Fingerprint = sentSecret(r)
		if k, ok := v.Key(def.OAuth.ClientSecretKey); ok && k.Secret {
			out.Fingerprint = templates.Fingerprint(k.Fingerprint)
		}
	case oauth.ClientID, oauth.RedirectURI:
		name := map[oauth.Field]string{oauth.ClientID: "client_id", oauth.RedirectURI: "redirect_uri"}[f.Field]
		out.Plain = sentValue(r, name)
	}
	return out
}

// sentValue is the value of a parameter as a step has it, if it was not
// redacted.
func sentValue(r oauth.Report, name string) string {
	for _, s := range r.Steps {
		for _, l := range s.Sent {
			if l.Name == name && !l.Redacted {
				return l.Value
			}
		}
	}
	return ""
}

func identityFact(f oauth.Fact) templates.Fact {
	out := templates.Fact{Label: f.Label, Text: f.Value}
	if out.Text == "" {
		out.Text = "not told"
	}
	if f.Verdict == oauth.Warning {
		out.Verdict, out.Word = templates.VerdictWarning, f.Note
	} else if f.Note != "" {
		out.Text += " (" + f.Note + ")"
	}
	return out
}

func (p testPages) limits(l *oauth.RateLimit) (facts []templates.Fact) {
	if l == nil {
		return nil
	}
	add := func(label, text string) {
		if text != "" {
			facts = append(facts, templates.Fact{Label: label, Text: text})
		}
	}
	add("Limit", l.Limit)
	add("Left", l.Remaining)
	if l.ResetAt.IsZero() {
		add("Starts anew", l.Reset)
	} else {
		add("Starts anew", l.ResetAt.UTC().Format("15:04:05")+" UTC")
	}
	return facts
}

// drawSteps places the steps on their axis.
func drawSteps(out *templates.Report, r oauth.Report) {
	scale := templates.ScaleFor(r.Took)
	out.Ticks = scale.Ticks()
	out.StepsHeading = plural(len(r.Steps), "step") + " in " + out.Took
	open := decidingStep(r)
	for i, s := range r.Steps {
		step := templates.Step{Number: strconv.Itoa(i + 1), Control: madeUp(s), Name: s.Name, Hint: s.Hint, Verdict: verdictOf(s.Verdict), Bar: scale.Bar(s.Start, s.Took), Took: templates.Took(s.Took),
			Evidence: s.Why, Sent: templates.Message{Lines: lines(s.Sent)}, Received: templates.Message{Lines: lines(s.Received)}}
		if len(s.Sent) > 0 {
			step.Sent.Meta = r.Started.Add(s.Start).UTC().Format("15:04:05.000") + " UTC"
		}
		if x := s.Exchange; x != nil {
			step.Foot = phases(*x)
		}
		out.Controls = out.Controls || step.Control
		step.Open = i == open
		if s.Verdict == oauth.NotChecked && s.Exchange != nil && s.Exchange.Status != 0 {
			step.Word = "Answered"
		}
		if len(s.Received) > 0 {
			step.Received.Meta = "Named fields only"
		}
		out.Steps = append(out.Steps, step)
	}
}

// decidingStep is the step that is unfolded at first: what the first wrong field
// rests on, or the first step that is wrong. It is -1 if nothing is.
func decidingStep(r oauth.Report) int {
	wrong := func(i int) bool { return i >= 0 && i < len(r.Steps) && r.Steps[i].Verdict == oauth.Wrong }
	for _, f := range r.Fields {
		if f.Verdict != oauth.Wrong {
			continue
		}
		if i := slices.IndexFunc(f.Evidence, wrong); i >= 0 {
			return f.Evidence[i]
		}
	}
	return slices.IndexFunc(r.Steps, func(s oauth.Step) bool { return s.Verdict == oauth.Wrong })
}

func lines(in []oauth.Line) (out []templates.Line) {
	for _, l := range in {
		key := l.Name
		strong := strings.ToUpper(key) == key && (key == "GET" || key == "POST" || key == "HEAD" || key == "CONNECT")
		switch {
		case strong:
		case strings.Contains(key, ": "):
			key += " " // a header with the beginning of its value
		case l.In == oauth.InHeader || l.In == oauth.InJSON:
			key = strings.TrimSuffix(key, ":") + ": "
		case l.In == oauth.InQuery || l.In == oauth.InForm:
			key = strings.TrimSuffix(key, "=") + "="
		case l.In == oauth.Beside && key != "":
			key += " "
		case strings.Contains(key, "-") || key == "Status" || key == "Authorization" || key == "Accept":
			key += ": "
		case key != "":
			key += "="
		}
		out = append(out, templates.Line{Key: key, Text: l.Value, Redacted: l.Redacted, Strong: strong, Note: l.Note})
	}
	return out
}

// ms is a phase of a call in a footnote.
func ms(name string, d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return name + " " + templates.Took(d)
}

// phases says where the time of a call went.
func phases(x egress.Exchange) string {
	var parts []string
	for _, s := range []string{ms("look-up", x.Phases.DNS), ms("connect", x.Phases.Connect), ms("TLS", x.Phases.TLS), ms("send", x.Phases.Send),
		ms("wait", x.Phases.Wait), ms("receive", x.Phases.Receive)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	s := "Time: " + strings.Join(parts, ", ") + "."
	if x.TLS != nil && x.TLS.Version != "" {
		s += " " + x.TLS.Version + "."
	}
	return s + " Only the named fields of an answer are kept: a raw body may repeat what was sent."
}
