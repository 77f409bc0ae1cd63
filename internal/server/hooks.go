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

// show is GET /config/:id/webhooks.
func (p hookPages) show(c echo.Context) error {
	return p.draw(c, http.StatusOK, templates.SaveForm{}, nil)
}

// save is POST /config/:id/webhooks.
func (p hookPages) save(c echo.Context) error {
	return p.saveList(c, listForm{"topic", "webhooks", func(d *config.Draft, chosen []string) { d.Topics = chosen },
		func(status int, f templates.SaveForm, chosen *[]string) error { return p.draw(c, status, f, chosen) }})
}

func (p hookPages) draw(c echo.Context, status int, form templates.SaveForm, chosen *[]string) error {
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
		Provider: providerName(def, e.ID), Source: "Chosen in " + lowerFirst(versionName(e, o.Number)), Save: form, Console: consoleLink(def)}
	page.Rehearsal = p.rehearses(def, o.Texts())
	if form.Base == "" {
		page.Save = newestForm(e)
	}
	if def == nil || def.Webhooks == nil {
		page.None = "No definition knows the webhooks of this service, so there is nothing to set up here."
		page.Heading = "No webhooks are known"
		return render(c, status, templates.EntryWebhooks(page))
	}
	topics := o.Topics
	if chosen != nil {
		topics = *chosen
	}
	page.URL = p.webhookURL(e.ID)
	page.URLHint = "Belongs in the webhook settings of the app at " + def.Name + "."
	if err := p.fillSigning(c, &page, def, e, o); err != nil {
		return err
	}
	fillTopics(&page, def, topics, o.Scopes)
	page.Notes = def.Webhooks.Notes
	for _, a := range def.Webhooks.Aliases {
		page.Aliases = append(page.Aliases, templates.AliasRow{Alias: a.Alias, Topics: a.Topics, Note: a.Note})
	}
	return render(c, status, templates.EntryWebhooks(page))
}

// fillSigning says with which stored value notifications are signed: that of the
// version in force, and of which others while they count.
func (p hookPages) fillSigning(c echo.Context, page *templates.EntryWebhooksPage, def *connector.Definition, e config.Entry, newest config.Opened) error {
	for _, s := range def.Webhooks.Signatures {
		page.Rules = append(page.Rules, templates.SignatureRule{Header: s.Header, How: signatureWords(s), For: s.For})
	}
	inForce := newest
	if e.Current != 0 && e.Current != newest.Number {
		var err error
		if inForce, err = p.open(c, e.ID, e.Current); err != nil {
			return err
		}
	}
	page.SigningKey, page.Signing, page.SignedBy = signing(def, e, inForce)
	var also []string
	if _, f, _ := signing(def, e, newest); f != page.Signing && f.Known() {
		also = append(also, fmt.Sprintf("version %d with another value (%s), once it is in force", newest.Number, f.Words()))
	}
	if e.Previous != 0 && e.PreviousUntil.After(p.Now()) {
		also = append(also, fmt.Sprintf("version %d, until %s", e.Previous, until(e.PreviousUntil)))
	}
	page.AlsoSigned = strings.Join(also, "; ")
	return nil
}

// signing is the key whose value signs notifications, its fingerprint, and which
// version has it.
func signing(def *connector.Definition, e config.Entry, o config.Opened) (key string, f templates.Fingerprint, by string) {
	for _, key := range def.Webhooks.SecretKeys {
		if k, ok := o.Key(key); ok {
			return key, templates.Fingerprint(k.Fingerprint), "the value of " + lowerFirst(versionName(e, o.Number))
		}
	}
	return "", "", ""
}

func signatureWords(s connector.Signature) string {
	over := "the raw body"
	if s.Timestamp != nil {
		over = s.Signed + ", the body raw"
	}
	words := fmt.Sprintf("HMAC-%s over %s, in %s", strings.ToUpper(strings.Replace(s.Algorithm, "sha", "sha-", 1)), over, s.Encoding)
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
