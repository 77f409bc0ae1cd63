package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// hookPages are the tab Webhooks of an entry: what to register at the
// provider, and which topics are chosen.
type hookPages struct{ gate }

// A hookTab is the tab as one request draws it.
type hookTab struct {
	status int
	form   templates.SaveForm
	chosen *[]string // topics of a form that could not be saved
	sent   templates.SendTest
	toast  string
}

// show is GET /config/:id/webhooks.
func (p hookPages) show(c echo.Context) error { return p.draw(c, hookTab{status: http.StatusOK}) }

// save is POST /config/:id/webhooks.
func (p hookPages) save(c echo.Context) error {
	return p.saveList(c, listForm{"topic", "webhooks", func(d *config.Draft, chosen []string) { d.Topics = chosen },
		func(status int, f templates.SaveForm, chosen *[]string) error {
			return p.draw(c, hookTab{status: status, form: f, chosen: chosen})
		}})
}

func (p hookPages) draw(c echo.Context, tab hookTab) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabWebhooks)
	if err != nil {
		return err
	}
	o, err := p.open(c, e.ID, e.Newest())
	if err != nil {
		return err
	}
	page := templates.EntryWebhooksPage{Frame: p.frame(c, "Webhooks · "+string(e.ID), templates.SectionConfiguration), Entry: head,
		Provider: providerName(def, e.ID), Source: "Chosen in " + lowerFirst(versionName(e, o.Number)), Save: tab.form}
	p.offerForce(&page.Frame, e)
	page.Rehearsal = p.rehearses(def, o.Texts())
	page.Console = p.consoleOf(def, page.Rehearsal)
	if tab.toast != "" {
		page.Toast = tab.toast
	}
	if tab.form.Base == "" {
		page.Save = newestForm(e)
	}
	if def == nil || def.Webhooks == nil {
		page.None = "No definition knows the webhooks of this service, so there is nothing to set up here."
		page.Heading = "No webhooks are known"
		return render(c, tab.status, templates.EntryWebhooks(page))
	}
	topics := o.Topics
	if tab.chosen != nil {
		topics = *tab.chosen
	}
	if err := p.fillEndpoint(c, &page, e.ID, def); err != nil {
		return err
	}
	page.SendTest = p.sendTest(c, def, tab.sent)
	last, err := p.fillNews(c, &page, e.ID, def)
	if err != nil {
		return err
	}
	fillTopics(&page, def, topics, o.Scopes)
	for _, g := range page.Groups {
		for i := range g.Topics {
			g.Topics[i].Last = p.when(last[g.Topics[i].Name])
		}
	}
	page.Notes = def.Webhooks.Notes
	for _, a := range def.Webhooks.Aliases {
		page.Aliases = append(page.Aliases, templates.AliasRow{Alias: a.Alias, Topics: a.Topics, Note: a.Note})
	}
	return render(c, tab.status, templates.EntryWebhooks(page))
}

// fillEndpoint says where notifications go, and with which stored values they may
// be signed now.
func (p hookPages) fillEndpoint(c echo.Context, page *templates.EntryWebhooksPage, id config.ID, def *connector.Definition) error {
	for _, s := range def.Webhooks.Signatures {
		page.Rules = append(page.Rules, templates.SignatureRule{Header: s.Header, How: signatureWords(s), For: s.For})
	}
	ctx := c.Request().Context()
	own, others, err := p.ownHook(c, id)
	if err != nil {
		return err
	}
	page.URL = p.hookAddress(own)
	page.URLHint = "Register it in the webhook settings of the app at " + def.Name + ". It answers HEAD and GET with 200, for providers that ask before they send."
	if others > 0 {
		page.Shared = fmt.Sprintf("%s works too. %s %s it: a notification belongs to the entry whose secret signed it.", p.hookAddress(id.Service()),
			upperFirst(plural(others, "other entry")), pick(others == 1, "shares", "share"))
	}
	signers, err := p.Webhooks.Signers(ctx, id)
	if err != nil {
		return err
	}
	for i, s := range signers {
		if i == 0 {
			page.SigningKey, page.Signing = s.Key, templates.Fingerprint(s.Fingerprint)
			page.SignedBy = fmt.Sprintf("the value of version %d, %s", s.Version, standingWords(s))
			continue
		}
		page.Also = append(page.Also, signed(&s, true))
	}
	return nil
}

func signatureWords(s connector.Signature) string {
	over := "the raw body"
	if s.Timestamp != nil {
		over = s.Signed + ", the body raw"
	}
	words := fmt.Sprintf("%s over %s, in %s", algorithmWords(s.Algorithm), over, s.Encoding)
	if s.Prefix != "" {
		words += " after " + s.Prefix
	}
	return words
}

// fillTopics groups the topics by the permissions that they need.
func fillTopics(page *templates.EntryWebhooksPage, def *connector.Definition, chosen, declared []string) {
	groups := map[string]int{}
	blocked, count := 0, 0
	for _, t := range def.Topics {
		row := topicRow(t, slices.Contains(chosen, t.Name), satisfied(t, declared))
		if row.Chosen && !row.Always {
			count++
		}
		if row.Verdict == templates.VerdictWrong {
			blocked++
		}
		need := strings.Join(needLabels(def, t), " or ")
		if need == "" {
			need = "No permission named"
		}
		i, ok := groups[need]
		if !ok {
			i = len(page.Groups)
			groups[need] = i
			page.Groups = append(page.Groups, templates.TopicGroup{Permission: need})
		}
		page.Groups[i].Topics = append(page.Groups[i].Topics, row)
	}
	if rows := unknownTopics(def, chosen); len(rows) > 0 {
		page.Groups = append(page.Groups, templates.TopicGroup{Permission: "Not known to the definition", Topics: rows})
		count += len(rows)
	}
	page.Heading = plural(count, "topic") + " chosen"
	if count == 0 {
		page.Heading = "No topic is chosen yet"
	}
	if blocked > 0 {
		page.Heading += fmt.Sprintf(", %d cannot arrive", blocked)
	}
}

func topicRow(t connector.Topic, chosen, allowed bool) templates.TopicRow {
	row := templates.TopicRow{Name: t.Name, Chosen: chosen || t.Always, Always: t.Always, Note: t.Note, Word: "Not chosen"}
	switch {
	case t.Always:
		row.Verdict, row.Word = templates.VerdictOK, "Always on"
	case chosen && allowed:
		row.Verdict, row.Word = templates.VerdictOK, "Permission declared"
	case chosen:
		row.Verdict, row.Word = templates.VerdictWrong, "Permission missing"
	}
	return row
}

func unknownTopics(def *connector.Definition, chosen []string) (rows []templates.TopicRow) {
	for _, name := range chosen {
		if _, known := def.Topic(name); !known {
			rows = append(rows, templates.TopicRow{Name: name, Chosen: true, Verdict: templates.VerdictWarning, Word: "Unknown"})
		}
	}
	return rows
}
