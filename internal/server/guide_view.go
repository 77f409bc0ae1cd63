package server

import (
	"fmt"
	"slices"
	"strings"

	"backoffice/internal/connector"
	"backoffice/internal/guide"
	"backoffice/internal/oauth"
	"backoffice/web/templates"
)

// This file turns a judgement of the guide into what its page shows.

func (p guidePages) fillKinds(page *templates.EntryGuidePage, def *connector.Definition, h guide.Hand) {
	for _, k := range def.SetUp().Kinds {
		page.Kinds = append(page.Kinds, templates.GuideKind{ID: k.ID, Label: k.Label, Meaning: k.Meaning, Chosen: k.ID == h.Kind})
	}
	if h.KindBy != "" {
		page.KindNote = "Chosen by " + h.KindBy + ", " + p.when(h.KindAt).Ago + "."
	}
}

func (p guidePages) guideStep(v guided, s guide.Step) templates.GuideStep {
	out := templates.GuideStep{ID: s.ID, N: s.N, Title: s.Title, Optional: s.Optional, Words: s.Words, Notes: s.Notes,
		Done: s.State == guide.Shown || s.State == guide.ByHand, CanTick: s.State == guide.Open,
		CanSkip: s.Optional && s.State == guide.Open, CanUntick: s.Tick != nil, Acts: stepActs(v, s)}
	out.Verdict, out.Word = stepVerdict(s)
	if len(s.Kinds) > 0 && v.hand.Kind == "" {
		out.Words = onlyFor(v.def, s) + " " + s.Words
	}
	for _, f := range s.Findings {
		out.Findings = append(out.Findings, p.guideFinding(v, f))
	}
	if t := s.Tick; t != nil {
		out.Ticked, out.TickedBy, out.TickedAt, out.Note = pick(t.Skipped, "Said to be not needed", "Ticked by hand"), t.By, p.when(t.At), t.Note
	}
	for _, copied := range s.Copies {
		out.Copies = append(out.Copies, templates.GuideCopy{ID: "copy-" + s.ID + "-" + fmt.Sprint(len(out.Copies)+1), Label: copied.Label, Text: v.copied(copied), Hint: copied.Hint})
	}
	out.Links = p.guideLinks(v, s.Links)
	p.fillChecklist(&out, v, s)
	out.Revision = fmt.Sprint(v.hand.Draft)
	for _, counter := range s.Counters {
		out.Counters = append(out.Counters, drafted(counter, v.hand.Drafts[counter.ID]))
	}
	return out
}

// guideLinks are the links of a step. In a rehearsal the sandbox stands for the
// consoles, of every region.
func (p guidePages) guideLinks(v guided, labels []string) (out []templates.Link) {
	for _, label := range labels {
		l, ok := v.def.Link(label)
		if !ok {
			continue
		}
		link := templates.Link{Label: l.Label, URL: l.URL}
		if l.For == "console" && v.ends.Rehearsal {
			link = p.consoleOf(v.def, true)
		}
		if link.Known() && !slices.Contains(out, link) {
			out = append(out, link)
		}
	}
	return out
}

// onlyFor says for which kinds of app there is a step.
func onlyFor(def *connector.Definition, s guide.Step) string {
	var labels []string
	for _, id := range s.Kinds {
		k, _ := def.SetUp().Kind(id)
		labels = append(labels, k.Label)
	}
	return "Only for: " + strings.Join(labels, ", ") + "."
}

func (p guidePages) fillChecklist(out *templates.GuideStep, v guided, s guide.Step) {
	done := 0
	for _, i := range s.Checklist {
		item := templates.GuideItem{ID: i.ID, Text: i.Text}
		if t, ok := v.hand.Checked(s.GuideStep, i.ID); ok {
			item.Done, item.By, item.When = true, t.By, p.when(t.At)
			done++
		}
		out.Checklist = append(out.Checklist, item)
	}
	out.Count = fmt.Sprintf("%d of %d done", done, len(s.Checklist))
}

// stepVerdict is a step's state as pages draw it.
func stepVerdict(s guide.Step) (templates.Verdict, string) {
	switch s.State {
	case guide.Shown, guide.ByHand:
		return templates.VerdictOK, "Done, " + s.Why
	case guide.Attention:
		if slices.ContainsFunc(s.Findings, func(f guide.Finding) bool { return f.State == guide.Attention && !f.Mild }) {
			return templates.VerdictWrong, s.Why
		}
		return templates.VerdictWarning, s.Why
	case guide.NotNeeded:
		return templates.VerdictNotChecked, "Not needed, " + s.Why
	}
	if slices.ContainsFunc(s.Findings, func(f guide.Finding) bool { return f.Lapsed }) {
		return templates.VerdictWarning, "To do again"
	}
	if s.Why != "" {
		return templates.VerdictNotChecked, "Half done: " + s.Why
	}
	return templates.VerdictNotChecked, "To do"
}

func (p guidePages) guideFinding(v guided, f guide.Finding) templates.GuideFinding {
	out := templates.GuideFinding{Text: f.How, When: p.when(f.At), By: f.By}
	switch {
	case f.State == guide.Shown:
		out.Verdict = templates.VerdictOK
	case f.State == guide.Attention && !f.Mild:
		out.Verdict = templates.VerdictWrong
	case f.State == guide.Attention, f.Lapsed:
		out.Verdict = templates.VerdictWarning
	default:
		if out.Text == "" {
			out.Text = notYet[f.Evidence]
		}
	}
	if f.Run != "" {
		out.More = templates.Link{Label: "See the report", URL: reportURL(oauth.Ref{Entry: v.entry.ID, Report: f.Run})}
	}
	if f.Received != "" && v.seesNews {
		out.More = templates.Link{Label: "See the notification", URL: notificationURL(string(v.entry.ID), f.Received)}
	}
	return out
}

// notYet says what an evidence waits for.
var notYet = map[connector.Evidence]string{
	connector.ClientKnown:       "Not seen yet: a test without consent shows whether the client ID is known.",
	connector.RedirectUsed:      "Not seen yet: a consent run that comes back shows that the redirect URI is registered.",
	connector.CredentialsProven: "Not seen yet: Test connection looks at client ID and secret.",
	connector.ConnectionWorks:   "Not seen yet: a consent run, or a test with an access token, shows that the API answers.",
}

// stepActs are the pages where a step goes on.
func stepActs(v guided, s guide.Step) (out []templates.Link) {
	at := entryURL(v.entry.ID)
	if len(s.Kinds) > 0 && v.hand.Kind == "" {
		out = append(out, templates.Link{Label: "Say which kind of app it is", URL: "#kind"})
	}
	for _, e := range s.Shows {
		switch e {
		case connector.PermissionsDeclared:
			out = append(out, templates.Link{Label: "Declare permissions", URL: at + "/scopes"})
		case connector.CredentialsProven:
			if v.edits {
				out = append(out, templates.Link{Label: pick(s.State == guide.Attention, "Replace the credentials", "Edit the values"), URL: at + "/edit"})
			}
			out = append(out, templates.Link{Label: "See the tests", URL: at + "/test"})
		case connector.NotificationReceived:
			out = append(out, templates.Link{Label: "Choose topics", URL: at + "/webhooks"})
		case connector.ConnectionWorks:
			out = append(out, templates.Link{Label: "Test with consent or a token", URL: at + "/test"})
		}
	}
	return out
}

// copied is the value to copy, exactly, or "" if the entry lacks what it is made
// of.
func (v guided) copied(c connector.GuideCopy) string {
	switch c.Value {
	case connector.CopyRedirectURI:
		return v.facts.Redirect
	case connector.CopyWebhookURL:
		return v.hook
	case connector.CopyAPIURL:
		return v.ends.API
	case connector.CopyEntry:
		return string(v.entry.ID)
	case connector.CopyVersionHeader:
		name, _ := v.def.VersionHeader()
		if value := v.ends.IdentityHeaders[name]; value != "" {
			return name + ": " + value
		}
		return ""
	}
	return c.Text
}

// drafted is a draft with its count.
func drafted(c connector.GuideCounter, text string) templates.GuideCounter {
	n := guide.CountDraft(c, text)
	out := templates.GuideCounter{ID: c.ID, Label: c.Label, Text: text, Limit: c.Limit, Length: n.Length, Without: c.Without, NoStop: c.NoFinalStop, Note: c.Note}
	if c.Without != "" {
		out.Hints = append(out.Hints, templates.GuideHint{About: "without", Text: "It must not contain “" + c.Without + "”.", Shown: n.Banned})
	}
	if c.NoFinalStop {
		out.Hints = append(out.Hints, templates.GuideHint{About: "stop", Text: "It must not end with a full stop.", Shown: n.Stopped})
	}
	return out
}

// retyped is a draft as a form had it, counted anew.
func retyped(c templates.GuideCounter, text string) templates.GuideCounter {
	return drafted(connector.GuideCounter{ID: c.ID, Label: c.Label, Limit: c.Limit, Without: c.Without, NoFinalStop: c.NoStop, Note: c.Note}, strings.TrimSpace(text))
}

// fillLimits is the panel about the rate limit and the API version.
func (v guided) fillLimits(g gate, page *templates.EntryGuidePage) {
	f, versioned := v.def.VersionField()
	switch limited := v.def.RateLimit != nil; {
	case limited && versioned:
		page.Limits = "Rate limit and API version"
	case limited:
		page.Limits = "Rate limit"
	case versioned:
		page.Limits = "API version"
	}
	if l := v.def.RateLimit; l != nil {
		page.Rate = headed(strings.TrimPrefix(l.Note, "Documented: "))
		page.Seen = []templates.Fact{{Label: "Seen", Text: "No test has seen the headers yet."}}
		if v.limit != nil {
			page.Seen = seenLimit(g, *v.limit)
			page.LimitsAt = templates.Link{Label: "See the report", URL: reportURL(oauth.Ref{Entry: v.entry.ID, Report: v.limit.ID})}
		}
	}
	if versioned {
		v.fillVersion(page, f)
	}
}

// seenLimit is what the headers of an answer told.
func seenLimit(g gate, r oauth.Report) (out []templates.Fact) {
	for _, f := range []templates.Fact{{Label: "Limit, as seen", Text: r.RateLimit.Limit}, {Label: "Left then", Text: r.RateLimit.Remaining}} {
		if f.Text != "" {
			out = append(out, f)
		}
	}
	if at := r.RateLimit.ResetAt; !at.IsZero() {
		out = append(out, templates.Fact{Label: "Window ended", Text: g.when(at).Exact})
	} else if r.RateLimit.Reset != "" {
		out = append(out, templates.Fact{Label: "Reset", Text: r.RateLimit.Reset})
	}
	return append(out, templates.Fact{Label: "Seen", Text: g.when(r.Started).Exact + ", in an answer to a test of version " + fmt.Sprint(r.Version)})
}

// fillVersion says which API version is sent, and whether there is a newer stable
// one; the options say so, because versions are not decimals.
func (v guided) fillVersion(page *templates.EntryGuidePage, f connector.Field) {
	value := v.open.Texts()[f.Key]
	if value == "" {
		value = f.Default
	}
	i := slices.IndexFunc(f.Options, func(o connector.Option) bool { return o.Value == value })
	newest := f.Options[0].Value
	sent := templates.Fact{Label: "This entry sends", Text: value, Code: true}
	if name, ok := v.def.VersionHeader(); ok {
		sent.Text = name + ": " + value
	}
	if i >= 0 && f.Options[i].Old {
		sent.Verdict, sent.Word = templates.VerdictWarning, "Old"
		page.Old = templates.Notice{Verdict: templates.VerdictWarning, Heading: "API version " + value + " is old", Text: "The newest stable one that is offered here is " + newest +
			". Change it as a new version, test that while it is pending, and then put it in force."}
		if v.edits {
			page.Old.Link = templates.Link{Label: "Choose a newer version", URL: entryURL(v.entry.ID) + "/edit"}
		}
	}
	page.Versions = []templates.Fact{sent, {Label: "Newest stable offered", Text: newest, Code: true}}
	if v.def.Guide != nil {
		page.Version = v.def.Guide.VersionNote
	}
}
