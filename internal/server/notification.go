package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/webhook"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// replayPermission is what a page must know to offer a replay.
const replayPermission = auth.WebhookReplay

// show is GET /notifications/:owner/:id.
func (p notificationPages) show(c echo.Context) error {
	return p.draw(c, http.StatusOK, "", nil)
}

// replay is POST /notifications/:owner/:id/replay: the notification is sent again,
// to another address.
func (p notificationPages) replay(c echo.Context) error {
	target := c.FormValue("target")
	owner, id := ownerParam(c), pathParam(c, "id")
	r, err := p.Webhooks.Replay(c.Request().Context(), actor(c), owner, id, target)
	switch kind, _ := errs.Of(err); {
	case err == nil:
		said := flash{said: saidReplayed, n: r.Status}
		if r.Status == 0 {
			said = flash{said: saidReplayFailed}
		}
		return p.see(c, notificationURL(owner, id)+"#replays", said)
	case kind == errs.Invalid || kind == errs.TooMany || kind == errs.Refused || kind == errs.Unavailable:
		because(c, err)
		p.retryAfter(c, err)
		return p.draw(c, statuses[kind].status, target, err)
	}
	return err
}

// body is GET /notifications/:owner/:id/body: the bytes as they came. Nothing may
// take them for a page.
func (p notificationPages) body(c echo.Context) error {
	owner, id := ownerParam(c), pathParam(c, "id")
	b, err := p.Webhooks.Body(c.Request().Context(), owner, id)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="notification-%s.bin"`, id))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set(echo.HeaderContentLength, strconv.Itoa(len(b)))
	return c.Blob(http.StatusOK, echo.MIMEOctetStream, b)
}

// draw is the page of one notification. typed and refused are of a replay that
// was not made.
func (p notificationPages) draw(c echo.Context, status int, typed string, refused error) error {
	ctx := c.Request().Context()
	owner, id := ownerParam(c), pathParam(c, "id")
	n, err := p.Webhooks.Get(ctx, owner, id)
	if err != nil {
		return err
	}
	if refused != nil && !n.Good() { // its page has no form that could say so
		return refused
	}
	body, err := p.Webhooks.Body(ctx, owner, id)
	if err != nil {
		return err
	}
	if n.Explanation == nil && !n.Good() {
		if err := p.explain(ctx, &n); err != nil {
			return err
		}
	}
	page, err := p.page(c, n, body)
	if err != nil {
		return err
	}
	if n.Good() && p.allows(c, replayPermission) {
		_, msg := errs.Of(refused)
		page.Replay = templates.ReplayForm{Action: notificationURL(owner, id) + "/replay", Target: typed, Error: msg, Hint: replayHint}
	}
	return render(c, status, templates.Notification(page))
}

const replayHint = "The same bytes, signed anew with the value in force. It goes to public https addresses only, and to hosts that the operator allows. Nothing of the address but its host and path is kept."

// explain adds an explanation to a notification that has none yet: the one that
// is made after the answer may be under way.
func (p notificationPages) explain(ctx context.Context, n *webhook.Notification) error {
	e, err := p.Webhooks.Explain(ctx, n.Owner, n.ID)
	if errs.Is(err, errs.NotFound) { // the entry is gone: nothing is left to compare with
		return nil
	}
	if err != nil {
		return err
	}
	n.Explanation = &e
	return nil
}

func (p notificationPages) page(c echo.Context, n webhook.Notification, body []byte) (templates.NotificationPage, error) {
	all, err := p.entries(c)
	if err != nil {
		return templates.NotificationPage{}, err
	}
	there, def := isThere(all, n.Owner), p.definitionOf(n.Owner)
	provider := providerName(def, config.ID("x:"+n.Owner))
	topic := visible(n.Topic, 100)
	page := templates.NotificationPage{Initial: initial(def, config.ID(n.Owner)), Topic: topic, Headline: notificationHeadline(n, provider),
		When: p.when(n.Received), For: ownerLink(n.Owner, there), Answered: "answered with " + answeredWords(n), Download: notificationURL(n.Owner, n.ID) + "/body",
		Arrival: arrivalOf(n), Word: arrivalWord(n), Proves: proves(n), Why: p.why(n, there && p.allows(c, configWrite))}
	if page.Why.Action.URL == outsideAt && !p.allows(c, auth.SettingsRead) {
		page.Why.Action = templates.Link{}
	}
	title := topic
	if title == "" {
		title = "A notification"
	}
	page.Frame = p.frame(c, title+" "+page.Headline, templates.SectionWebhooks)
	var accepted []webhook.Signer
	if there {
		if accepted, err = p.Webhooks.Signers(c.Request().Context(), config.ID(n.Owner)); err != nil && !errs.Is(err, errs.NotFound) {
			return page, err
		}
		page.Rehearsal = p.rehearsesOwner(c, n.Owner, def)
		page.OfEntry = templates.Link{Label: "All notifications of " + n.Owner, URL: notificationsPath + "?entry=" + n.Owner}
		if url := p.recordsAbout(c, config.ID(n.Owner)); url != "" {
			page.OfLog = templates.Link{Label: "Everything about " + n.Owner + " in the audit log", URL: url}
		}
	}
	if n.Account != "" {
		page.OfAccount = templates.Link{Label: "All of the workspace " + visible(n.Account, 60), URL: notificationsPath + "?" + url.Values{"account": {n.Account}}.Encode()}
	}
	page.Steps = signatureSteps(n, def, accepted)
	page.Content = readableBody(body, n.ContentType, readsOf(def))
	for _, h := range n.Headers {
		page.Headers = append(page.Headers, headerLine(h))
	}
	page.Facts, page.Times = p.facts(n, provider, def), p.times(n, provider, def)
	for i := len(n.Replays) - 1; i >= 0; i-- {
		page.Replays = append(page.Replays, p.replayRow(c, n.Owner, n.Replays[i]))
	}
	return page, nil
}

func headerLine(h webhook.Header) templates.Line {
	l := templates.Line{Key: visible(h.Name, 100) + ": ", Text: visible(h.Value, 500)}
	if h.Redacted {
		l.Text, l.Redacted = "not kept", true
	}
	return l
}

func (g gate) replayRow(c echo.Context, owner string, r webhook.Replay) templates.ReplayRow {
	row := templates.ReplayRow{When: g.when(r.Time), By: r.By, Target: visible(r.Target, shownText), Verdict: templates.VerdictOK,
		Word: strconv.Itoa(r.Status), Words: r.Words, Took: templates.Took(r.Took), Record: g.recordAt(c, owner, r.Time, 0)}
	switch {
	case r.Status == 0:
		row.Verdict, row.Word = templates.VerdictWrong, "No answer"
	case r.Status < 200 || r.Status > 299:
		row.Verdict = templates.VerdictWrong
	}
	return row
}

func readsOf(def *connector.Definition) connector.NotificationReads {
	if def == nil || def.Webhooks == nil {
		return connector.NotificationReads{}
	}
	return def.Webhooks.Reads
}

// rehearsesOwner reports whether the entry in force talks to the sandbox.
func (g gate) rehearsesOwner(c echo.Context, owner string, def *connector.Definition) bool {
	e, err := g.Config.Get(c.Request().Context(), config.ID(owner))
	if err != nil {
		return false
	}
	n := e.Current
	if n == 0 {
		n = e.Newest()
	}
	o, err := g.open(c, e.ID, n)
	return err == nil && g.rehearses(def, o.Texts())
}

func answeredWords(n webhook.Notification) string {
	return fmt.Sprintf("%d in %s", n.Status, templates.Took(n.Took))
}

// why explains why a notification was refused. edits says whether there is an
// entry that the person may mend.
func (p notificationPages) why(n webhook.Notification, edits bool) templates.Why {
	if n.Good() {
		return templates.Why{}
	}
	w := templates.Why{Heading: upperFirst(refusedWords(n))}
	if n.Verdict == webhook.NoSecret && edits {
		w.Action = templates.Link{Label: "Edit the entry", URL: entryURL(config.ID(n.Owner)) + "/edit"}
	}
	e := n.Explanation
	if e == nil {
		w.Text = "Nothing is left of the entry to compare it with."
		return w
	}
	w.Heading, w.Text, w.Remedy = "What was found", e.Words, e.Remedy
	w.Signer = signed(e.Signer, e.Signer != nil)
	w.Facts = variantFacts(*e, ruleOf(p.definitionOf(n.Owner), n.Signature))
	if e.Tried > 0 {
		w.Tried = plural(e.Tried, "variant") + " of keys, algorithms, encodings and bodies " + pick(e.Tried == 1, "was", "were") + " tried."
	}
	if a := p.actionOn(mainCause(n), n, edits); a.Known() {
		w.Action = a
	}
	return w
}

// variantFacts are what the variant that holds has different from what is wanted.
func variantFacts(e webhook.Explanation, want connector.Signature) (out []templates.Fact) {
	for _, f := range []struct{ label, holds, wanted string }{{"Header", e.Header, want.Header}, {"Algorithm", e.Algorithm, want.Algorithm},
		{"Encoding", e.Encoding, want.Encoding}, {"Prefix", e.Prefix, want.Prefix}} {
		if f.holds != "" && !strings.EqualFold(f.holds, f.wanted) {
			out = append(out, templates.Fact{Label: f.label, Text: visible(f.holds, shownText) + ", wanted " + cmp.Or(f.wanted, "none")})
		}
	}
	if e.Body != "" {
		out = append(out, templates.Fact{Label: "Signed body", Text: visible(e.Body, shownText)})
	}
	return out
}

// actionOn leads to where the cause of a refusal is mended.
func (p notificationPages) actionOn(cause webhook.Cause, n webhook.Notification, edits bool) templates.Link {
	switch cause {
	case webhook.ChangedBody:
		return templates.Link{Label: "Check the public address", URL: outsideAt}
	case webhook.ExpiredSecret, webhook.UnknownSecret:
		if edits {
			return templates.Link{Label: "Edit the entry", URL: entryURL(config.ID(n.Owner)) + "/edit"}
		}
	}
	return templates.Link{}
}

// facts are what the notification says of itself, and where it came from.
func (p notificationPages) facts(n webhook.Notification, provider string, def *connector.Definition) []templates.NotificationFact {
	var out []templates.NotificationFact
	code := func(label, text string) {
		if text != "" {
			out = append(out, templates.NotificationFact{Label: label, Text: visible(text, shownText), Code: true})
		}
	}
	code("Topic", n.Topic)
	code("Workspace", n.Account)
	if n.Attempt > 0 {
		out = append(out, templates.NotificationFact{Label: "Attempt", Text: strconv.Itoa(n.Attempt)})
	}
	switch {
	case n.Repeats != "":
		out = append(out, templates.NotificationFact{Label: "Repeated", Link: templates.Link{Label: "Yes, the first with this id", URL: notificationURL(n.Owner, n.Repeats)}})
	case n.Good() && n.ProviderID != "":
		out = append(out, templates.NotificationFact{Label: "Repeated", Text: "No, the first with this id"})
	}
	from := templates.NotificationFact{Label: "From", Text: n.From, Code: true}
	switch {
	case n.Test:
		from.Note = "Sent by this program"
	case n.Source != "":
		from.Note, from.Tone = "One of the addresses that "+provider+" documents: "+n.Source, templates.VerdictOK
	case def != nil && def.Webhooks != nil && len(def.Webhooks.Sources) > 0:
		from.Note = "None of the addresses that " + provider + " documents"
	}
	out = append(out, from)
	code("Id", n.ProviderID)
	code("Arrived at", "/webhooks/"+n.Address)
	return out
}

// times are the way from the event to the answer, with what the provider expects.
func (p notificationPages) times(n webhook.Notification, provider string, def *connector.Definition) []templates.NotificationFact {
	var out []templates.NotificationFact
	var last time.Time
	for _, t := range []struct {
		label string
		at    time.Time
	}{{"Happened", n.Happened}, {"First sent", n.FirstSent}, {"Arrived", n.Received}} {
		if t.at.IsZero() {
			continue
		}
		f := templates.NotificationFact{Label: t.label, When: p.when(t.at)}
		if !last.IsZero() {
			f.Note = laterWords(last, t.at)
		}
		out, last = append(out, f), t.at
	}
	answered := templates.NotificationFact{Label: "Answered", Text: answeredWords(n)}
	if def != nil && def.Webhooks != nil {
		answered.Note, answered.Tone = answerNote(def.Webhooks, provider, n.Took)
	}
	return append(out, answered)
}

// laterWords say how much later b is than a: "10 s later".
func laterWords(a, b time.Time) string {
	switch d := b.Sub(a); {
	case d < time.Second:
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%d s later", int(d.Seconds()))
	}
	return strings.TrimSuffix(templates.TimeAt(a, b).Ago, " ago") + " later"
}

// answerNote compares how long an answer took with what the provider expects.
func answerNote(w *connector.Webhooks, provider string, took time.Duration) (string, templates.Verdict) {
	switch {
	case w.AnswerWithin > 0 && took > w.AnswerWithin:
		return fmt.Sprintf("Too late: %s waits %s", provider, secondsWords(w.AnswerWithin)), templates.VerdictWrong
	case w.SlowAfter > 0 && took > w.SlowAfter:
		return fmt.Sprintf("Slow: answers after more than %s have consequences at %s", secondsWords(w.SlowAfter), provider), templates.VerdictWarning
	case w.AnswerWithin > 0:
		return fmt.Sprintf("In time: %s waits %s", provider, secondsWords(w.AnswerWithin)), templates.VerdictOK
	}
	return "", templates.VerdictNotChecked
}

// secondsWords writes a limit: "5 s" or "500 ms".
func secondsWords(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return fmt.Sprintf("%d ms", d/time.Millisecond)
}
