package server

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/webhook"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

var noWebhooks = errs.New(errs.NotFound, "No definition knows the webhooks of this service.")

// send is POST /config/:id/webhooks/send: a test notification, signed as the
// provider would and sent to our own public address. Its way is followed to the
// verdict and shown at once; how it failed is a result too, and no error.
func (p hookPages) send(c echo.Context) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	if def == nil || def.Webhooks == nil {
		return noWebhooks
	}
	t, err := p.Webhooks.SendTest(c.Request().Context(), actor(c), e.ID, c.FormValue("topic"))
	if kind, msg := errs.Of(err); err != nil {
		if kind != errs.Invalid {
			return err
		}
		because(c, err)
		return p.draw(c, hookTab{status: statuses[kind].status, sent: templates.SendTest{Error: msg}})
	}
	tab := hookTab{status: http.StatusOK, sent: templates.SendTest{Result: p.sentTest(c, t)}}
	if t.OK() {
		tab.toast = flash{said: saidTestSent}.words()
	}
	return p.draw(c, tab)
}

// sendTest is the form for a test notification, with how the last one fared.
func (p hookPages) sendTest(c echo.Context, def *connector.Definition, s templates.SendTest) templates.SendTest {
	if !p.allows(c, testPermission) {
		return s
	}
	s.Note = "BackOffice signs a notification with the value in force and posts it to its own public address, as " + def.Name + " would."
	topic := c.FormValue("topic")
	if i := slices.IndexFunc(def.Topics, func(t connector.Topic) bool { return t.Always }); topic == "" && i >= 0 {
		topic = def.Topics[i].Name // it needs neither a choice nor a permission
	}
	for _, t := range def.Topics {
		if hasSample(def.Webhooks, t.Name) {
			s.Topics = append(s.Topics, templates.Choice{Name: t.Name, Label: t.Name, Selected: t.Name == topic})
		}
	}
	return s
}

// hasSample reports whether a test notification can be made of a topic.
func hasSample(w *connector.Webhooks, topic string) bool {
	for _, s := range w.Samples {
		for _, name := range s.Topics {
			if begin, open := strings.CutSuffix(name, "*"); name == topic || open && strings.HasPrefix(topic, begin) {
				return true
			}
		}
	}
	return false
}

// sentTest is how a test notification fared, step by step. Another entry with the
// same secret may have taken it.
func (g gate) sentTest(c echo.Context, t webhook.Test) templates.SentTest {
	out := templates.SentTest{Verdict: templates.VerdictWrong, Heading: "The test notification did not arrive", Text: t.Words,
		Steps: []templates.SignatureStep{{Title: "1. Sent", What: t.Topic, Code: true, Text: "To the public address, signed.", Plain: t.ID}, answeredStep(t)}}
	arrived := templates.SignatureStep{Title: "3. Arrived", What: "No", Judged: true, Verdict: templates.VerdictWrong, Text: "Nothing with its id came to this program."}
	verdict := templates.SignatureStep{Title: "4. Verdict", What: "None", Judged: true, Text: "There is nothing to judge."}
	if n := t.Notification; n != nil {
		arrived.What, arrived.Verdict, arrived.Text = "Yes", templates.VerdictOK, "It has "+bytesWords(n.Length)+"."
		if g.coversOwner(c, n.Owner) && g.allows(c, newsPermission) {
			out.Link = templates.Link{Label: "Open the notification", URL: notificationURL(n.Owner, n.ID)}
			arrived.Text = "As a notification of " + n.Owner + ", " + bytesWords(n.Length) + "."
		}
		verdict = arrivedVerdict(*n)
		switch {
		case t.OK():
			out.Verdict, out.Heading = templates.VerdictOK, "The test notification arrived and was accepted"
		case n.Good():
			out.Verdict, out.Heading = templates.VerdictWarning, "The test notification arrived, but its answer did not come back"
		default:
			out.Heading = "The test notification arrived and was refused"
		}
	}
	out.Steps = append(out.Steps, arrived, verdict)
	return out
}

func answeredStep(t webhook.Test) templates.SignatureStep {
	s := templates.SignatureStep{Title: "2. Answered", Judged: true, Verdict: templates.VerdictWrong, What: "No answer", Text: "After " + templates.Took(t.Took) + "."}
	if t.Status == 0 {
		return s
	}
	s.What = strings.TrimSpace(strconv.Itoa(t.Status) + " " + http.StatusText(t.Status))
	if t.Status >= 200 && t.Status <= 299 {
		s.Verdict = templates.VerdictOK
	}
	return s
}

func arrivedVerdict(n webhook.Notification) templates.SignatureStep {
	a := arrivalOf(n)
	s := templates.SignatureStep{Title: "4. Verdict", Judged: true, Verdict: templates.VerdictWrong, What: a.Word(), Text: upperFirst(refusedWords(n)) + "."}
	if n.Good() {
		s.Verdict, s.Text = templates.VerdictOK, "Its signature holds."
	}
	if n.Signer != nil {
		s.Text = fmt.Sprintf("Signed with %s.", signerWords(*n.Signer))
		s.Fingerprint = templates.Fingerprint(n.Signer.Fingerprint)
	}
	return s
}
