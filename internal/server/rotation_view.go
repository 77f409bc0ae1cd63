package server

import (
	"fmt"
	"strconv"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/oauth"
	"backoffice/internal/webhook"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// This file turns the state of a rotation into the steps of its page.

// A rotateState is a rotation with what other rooms know of it.
type rotateState struct {
	config.Rotating
	def     *connector.Definition
	current config.Opened // what is in force
	runs    []oauth.Summary
	uses    []webhook.Use // since the new secret is in force
	quiet   bool          // the old secret was not used for a while, and the new one was
}

// quietFor is for how long an old secret has to be unused to count as such.
const quietFor = time.Hour

// short reports whether the provider has one secret, so that there is nothing to
// test before it is in force.
func (s *rotateState) short() bool {
	return s.Keeps == config.KeepsOne && (s.New.Number == 0 || s.InForce)
}

// tested is the newest run that says something of a content since a time: its
// verdict on the client secret.
func (s *rotateState) tested(hash string, since time.Time) (oauth.Summary, oauth.Verdict) {
	for _, r := range s.runs {
		if r.ContentHash != hash || r.Unsaved || r.Denied || r.Kind == oauth.TokenRun || r.Started.Before(since) {
			continue
		}
		for _, f := range r.Fields {
			if f.Field == oauth.ClientSecret {
				return r, f.Verdict
			}
		}
	}
	return oauth.Summary{}, oauth.NotChecked
}

func (p rotationPages) fillRotation(c echo.Context, page *templates.EntryRotatePage, s *rotateState, t rotateTab) (err error) {
	ctx := c.Request().Context()
	if s.runs, err = p.OAuth.Reports(ctx, s.Entry.ID); err != nil {
		return err
	}
	if s.Open && s.InForce && p.allows(c, newsPermission) && s.def != nil && s.def.Webhooks != nil {
		if s.uses, err = p.Webhooks.Uses(ctx, string(s.Entry.ID), s.Entry.InForceSince); err != nil {
			return err
		}
		s.quiet = s.isQuiet(p.Now())
	}
	if !s.Open { // what is known of an earlier one is not of this one
		s.Rotating = config.Rotating{Entry: s.Entry}
	}
	steps := []func(echo.Context, *templates.EntryRotatePage, *rotateState, rotateTab) (templates.RotateStep, error){p.stepMake, p.stepPaste, p.stepTest, p.stepPromote, p.stepWatch, p.stepRetire}
	if s.short() {
		steps = append(steps[:1:1], p.stepSwap, p.stepTest, p.stepWatch, p.stepRetire)
	}
	now := -1
	for i, f := range steps {
		step, err := f(c, page, s, t)
		if err != nil {
			return err
		}
		step.N = i + 1
		if !step.Done && now < 0 {
			now, step.Now = i, true
		}
		p.word(&step)
		page.Steps = append(page.Steps, step)
	}
	page.Lead = "Anybody who may do the next step can go on here: how it stands is read from the entry itself."
	switch {
	case s.Open && s.Finished():
		page.Heading, page.CanEnd = "The new secret is in force, and the old one is retired", "End the rotation"
	case now >= 0:
		page.Heading = fmt.Sprintf("Step %d of %d: %s", now+1, len(steps), lowerFirst(page.Steps[now].Title))
	}
	if s.Open && page.CanEnd == "" {
		page.CanEnd = "Give the rotation up"
	}
	if !p.allows(c, auth.ConfigWrite) {
		page.CanEnd = ""
	}
	return nil
}

// word says in a word how a step stands, unless it has one of its own.
func (p rotationPages) word(s *templates.RotateStep) {
	switch {
	case s.Done && s.Word == "":
		s.Verdict, s.Word = templates.VerdictOK, "Done"
	case s.Word != "":
	case s.Now:
		s.Verdict, s.Word = templates.VerdictInconclusive, "Now"
	default:
		s.Verdict, s.Word = templates.VerdictNotChecked, "Later"
	}
}

// stepMake is the one that happens at the provider.
func (p rotationPages) stepMake(c echo.Context, page *templates.EntryRotatePage, s *rotateState, _ rotateTab) (templates.RotateStep, error) {
	name := providerName(s.def, s.Entry.ID)
	step := templates.RotateStep{ID: "make", Title: "Make a new secret at the provider", Done: s.Open, Words: "Open the console of " + name + " and make a new client secret for the same app. Delete nothing there yet."}
	if s.short() {
		step.Title = "Get ready for a short outage"
		step.Words = "The old secret ends when the new one is made. From then until the new one is in force here, consumers may be refused at " + name + ", and notifications that it signs with the new secret are refused here. Open the console and this page beside each other, choose a quiet hour, and only then make the new secret."
	}
	known, says := keepsOf(s.def)
	for _, k := range []templates.RotateKeep{
		{ID: string(config.KeepsBoth), Label: "Both hold", Meaning: "The old secret goes on until it is deleted there: no outage."},
		{ID: string(config.KeepsOne), Label: "Only one", Meaning: "A new secret ends the old one: the short way, with a short outage."},
		{ID: string(config.KeepsUnknown), Label: "I do not know", Meaning: "Go on as if both hold, and be ready for an outage."},
	} {
		k.Chosen = k.ID == string(s.Keeps) || s.Keeps == "" && k.ID == string(known)
		page.Keeps = append(page.Keeps, k)
	}
	step.Notes = append(step.Notes, says)
	if s.Open {
		step.Findings = append(step.Findings, templates.GuideFinding{Verdict: templates.VerdictOK, Text: "Begun, with the answer: " + keepsWords[s.Keeps] + ".", When: p.when(s.Started), By: s.By})
	}
	if s.Keeps == config.KeepsUnknown && !s.InForce {
		step.Notes = append(step.Notes, "To find out: once the new secret is made, test the version in force again. If its secret is still found right, both hold. If it is found wrong, the provider has only one.")
		page.Was = pick(p.allows(c, auth.ConfigTest) && page.Entry.TestNote != "", strconv.Itoa(s.Entry.Current), "")
		if r, v := s.tested(s.Entry.CurrentHash, s.Started); v == oauth.OK || v == oauth.Wrong {
			text := "The old secret was found right since: if the new one was made by then, both hold."
			if v == oauth.Wrong {
				text = "The old secret was found wrong since: the provider has only one. Choose that, and take the short way."
			}
			step.Findings = append(step.Findings, p.runFinding(s, r, v, text))
		}
	}
	if p.allows(c, auth.ConfigWrite) && !s.InForce {
		step.Form = templates.RotateBegin
	}
	return step, nil
}

var keepsWords = map[config.Keeps]string{config.KeepsBoth: "both secrets hold", config.KeepsOne: "only one secret holds", config.KeepsUnknown: "it is not known whether both hold"}

// keepsOf is what the definition says of its provider, and that in a sentence.
func keepsOf(def *connector.Definition) (config.Keeps, string) {
	if def == nil || def.OAuth == nil {
		return "", "There is no definition that says how many secrets the provider keeps. Its console shows it."
	}
	switch def.OAuth.Secrets {
	case connector.SecretsBoth:
		return config.KeepsBoth, def.Name + " documents that several client secrets hold at a time. An app with as many as it may have has to lose one first."
	case connector.SecretsOne:
		return config.KeepsOne, def.Name + " documents one client secret an app: a new one ends the old one."
	}
	return "", "Whether " + def.Name + " keeps an old secret beside a new one is not known here. Look at its console, and say so."
}

func (p rotationPages) runFinding(s *rotateState, r oauth.Summary, v oauth.Verdict, text string) templates.GuideFinding {
	return templates.GuideFinding{Verdict: verdictOf(v), Text: text, When: p.when(r.Started), By: r.By,
		More: templates.Link{Label: "See the report", URL: reportURL(oauth.Ref{Entry: s.Entry.ID, Report: r.ID})}}
}

// stepPaste takes the new secret as pending.
func (p rotationPages) stepPaste(c echo.Context, page *templates.EntryRotatePage, s *rotateState, t rotateTab) (templates.RotateStep, error) {
	step := templates.RotateStep{ID: "paste", Title: "Paste it here", Done: s.New.Number != 0,
		Words: "It becomes a pending version: nothing that consumers get changes. Notifications that are signed with it are accepted from then on."}
	p.newFindings(&step, s)
	if s.Open && !s.InForce && p.allows(c, auth.ConfigWrite) {
		step.Form = templates.RotatePasteForm
		page.Paste = templates.RotatePaste{Expires: t.expires, Reason: t.reason, Button: "Save it as pending"}
		if s.Entry.Pending != 0 {
			page.Paste.Warning = fmt.Sprintf("Version %d is pending and loses its label to the new one. It stays in the history; what else it changes is not part of the new one.", s.Entry.Pending)
		}
	}
	return step, nil
}

// newFindings say where the new secret is.
func (p rotationPages) newFindings(step *templates.RotateStep, s *rotateState) {
	if s.New.Number == 0 {
		return
	}
	k, _ := s.New.Key(s.Key)
	step.Findings = append(step.Findings, templates.GuideFinding{Verdict: templates.VerdictOK, Text: fmt.Sprintf("Version %d has a new secret, %s, %s.", s.New.Number, k.Fingerprint, characters(k.Length)), When: p.when(k.SetAt), By: k.SetBy})
	if s.SameAs != 0 {
		step.Findings = append(step.Findings, templates.GuideFinding{Verdict: templates.VerdictWarning, Text: fmt.Sprintf("It is equal to the secret of version %d, which is older. If that one leaked, or was deleted at the provider, make another.", s.SameAs)})
	}
}

// stepSwap is the short way: paste and promote in one.
func (p rotationPages) stepSwap(c echo.Context, page *templates.EntryRotatePage, s *rotateState, t rotateTab) (templates.RotateStep, error) {
	step := templates.RotateStep{ID: "swap", Title: "Paste it and put it in force at once", Done: s.InForce,
		Words: "Make the new secret now, paste it, and save. A test starts by itself. There is no way back to the old secret: it does not hold any more. If the paste is wrong, paste again."}
	p.newFindings(&step, s)
	if s.Open && !s.InForce && p.allows(c, auth.ConfigPromote) && p.allows(c, auth.ConfigWrite) {
		step.Form = templates.RotatePasteForm
		page.Paste = templates.RotatePaste{Expires: t.expires, Reason: t.reason, Force: true, Hours: acceptChoices(1), Button: "Save and put in force now",
			Warning: "Every consumer gets it at once, untested."}
	}
	return step, nil
}

// stepTest is a test of the version with the new secret.
func (p rotationPages) stepTest(c echo.Context, page *templates.EntryRotatePage, s *rotateState, _ rotateTab) (templates.RotateStep, error) {
	step := templates.RotateStep{ID: "test", Title: "Test it",
		Words: "A test without consent compares answers, and says whether the secret is right. It changes nothing at the provider."}
	if s.New.Number == 0 {
		return step, nil
	}
	if page.Entry.TestNote == "" {
		step.Done, step.Word, step.Verdict = true, "Cannot be tested", templates.VerdictNotChecked
		step.Findings = append(step.Findings, templates.GuideFinding{Text: "There is no handshake here that could be tested. Have a consumer try it."})
		return step, nil
	}
	r, v := s.tested(s.New.ContentHash, time.Time{})
	switch v {
	case oauth.OK:
		step.Done = true
	case oauth.Wrong:
		step.Verdict, step.Word = templates.VerdictWrong, "The secret is wrong"
	}
	switch run := p.OAuth.UnderWay(s.Entry.ID); {
	case r.ID != "":
		step.Findings = append(step.Findings, p.runFinding(s, r, v, fmt.Sprintf("Version %d: %s.", r.Version, r.Headline)))
	case run != "":
		step.Findings = append(step.Findings, templates.GuideFinding{Text: "A test of the entry is under way.", More: templates.Link{Label: "Watch it", URL: reportURL(oauth.Ref{Entry: s.Entry.ID, Report: run})}})
	default:
		step.Findings = append(step.Findings, templates.GuideFinding{Text: fmt.Sprintf("Version %d was not tested yet.", s.New.Number)})
	}
	if s.Keeps == config.KeepsBoth && !s.InForce {
		step.Notes = append(step.Notes, "Both secrets have to hold at the provider now, so a refusal means a wrong paste, or a secret of another app.")
	}
	if p.allows(c, auth.ConfigTest) {
		step.Form, page.Test = templates.RotateTest, strconv.Itoa(s.New.Number)
	}
	return step, nil
}

// stepPromote puts the new secret in force.
func (p rotationPages) stepPromote(c echo.Context, page *templates.EntryRotatePage, s *rotateState, t rotateTab) (templates.RotateStep, error) {
	step := templates.RotateStep{ID: "promote", Title: "Promote it, and keep the old one for a while", Done: s.InForce,
		Words: "Consumers get the new secret. Until the deadline that you choose, notifications that the old one signed are accepted too."}
	if s.InForce {
		step.Findings = append(step.Findings, templates.GuideFinding{Verdict: templates.VerdictOK, Text: fmt.Sprintf("Version %d is in force.", s.Entry.Current), When: p.when(s.Entry.InForceSince), By: s.Entry.InForceBy})
		return step, nil
	}
	if !s.Open || s.New.Number == 0 || !p.allows(c, auth.ConfigPromote) {
		return step, nil
	}
	off, err := p.OAuth.WatchOff(c.Request().Context())
	if err != nil {
		return step, err
	}
	step.Form = templates.RotatePromoteForm
	page.Promote = templates.RotatePromote{Version: strconv.Itoa(s.New.Number), Current: strconv.Itoa(s.Entry.Current), Hours: acceptChoices(24), Minutes: revertChoices(off != ""), Off: off, Reason: t.reason}
	switch _, v := s.tested(s.New.ContentHash, time.Time{}); v {
	case oauth.OK:
	case oauth.Wrong:
		page.Promote.Warning = "Its test found the secret wrong."
	case oauth.NotChecked:
		page.Promote.Warning = "Nobody has tested it yet."
	default:
		page.Promote.Warning = "Its test could not decide whether the secret is right."
	}
	if key, other := p.Config.OtherApp(s.current.Version, s.New); other {
		page.Promote.Warning += " Its " + fieldLabel(s.def, key) + " is another one: it is another app, and this is no rotation."
	}
	return step, nil
}

// revertChoices are how long a version may come back by itself.
func revertChoices(off bool) (out []templates.Choice) {
	out = []templates.Choice{{Name: "0", Label: "Leave it in force; pages say so", Selected: true}}
	if off {
		return out
	}
	for _, n := range []int{10, 30, 60} {
		out = append(out, templates.Choice{Name: strconv.Itoa(n), Label: fmt.Sprintf("Go back by itself, within %d minutes", n)})
	}
	return out
}

// stepRetire ends the old secret here; at the provider people do it.
func (p rotationPages) stepRetire(c echo.Context, page *templates.EntryRotatePage, s *rotateState, _ rotateTab) (templates.RotateStep, error) {
	name := providerName(s.def, s.Entry.ID)
	step := templates.RotateStep{ID: "retire", Title: "Retire the old secret", Done: s.Open && s.Finished(),
		Words: "It stops being accepted here, now or at its deadline. Then delete it in the console of " + name + ": until that is done, whoever has it can use it there."}
	switch {
	case s.Open && s.Finished():
		step.Findings = append(step.Findings, templates.GuideFinding{Verdict: templates.VerdictOK, Text: "The old secret is not accepted here any more. Whether it is deleted at " + name + " cannot be seen from here."})
	case s.Accepted:
		step.Findings = append(step.Findings, templates.GuideFinding{Text: fmt.Sprintf("Version %d is accepted until %s, and then retires by itself.", s.Entry.Previous, until(s.Entry.PreviousUntil))})
		if !s.quiet {
			step.Notes = append(step.Notes, "It is not shown yet that nobody uses it any more.")
		}
		if p.allows(c, auth.ConfigPromote) {
			step.Form, page.Retire = templates.RotateRetire, strconv.Itoa(s.Entry.Previous)
		}
	}
	return step, nil
}

// reverted is what pages say after a version came back by itself.
func (g gate) reverted(e config.Entry, w config.Watch) templates.Notice {
	return templates.Notice{Verdict: templates.VerdictWarning, Heading: fmt.Sprintf("Version %d came back by itself", w.Before),
		Text: fmt.Sprintf("%s %s chose that when version %d was promoted. Version %d is pending, and nothing of it is lost.", w.Found, w.By, w.Version, e.Pending),
		Link: templates.Link{Label: "See the check", URL: reportURL(oauth.Ref{Entry: e.ID, Report: w.Report})}}
}
