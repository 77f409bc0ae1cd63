package server

import (
	"slices"
	"strings"
	"testing"

	"backoffice/internal/config"
)

const (
	slack    = "/config/acme:slack"
	askAgain = "Secrets never come back to a page: type it again"
	orKeep   = "or tick “Keep the stored one”"
)

// slack keeps an entry with an optional secret of its definition, and a secret
// and a plain key of its own.
func (h *house) slack() {
	h.t.Helper()
	h.save("acme:slack", func(d *config.Draft) {
		d.Values = []config.Input{{Key: "clientId", Value: text("c")}, {Key: "clientSecret", Value: text("old-secret")},
			{Key: "botToken", Value: text("old-bot")}, {Key: "extra", Secret: true, Value: text("old-extra")}}
	})
}

// fill is submit for a form with rows, of which it fills the first.
func (p *person) fill(page answer, action string, pairs ...string) answer {
	p.h.t.Helper()
	values := controls(page.one(`form[action=` + action + `]`))
	for i := 0; i+1 < len(pairs); i += 2 {
		if len(values[pairs[i]]) == 0 {
			values.Set(pairs[i], pairs[i+1])
		}
		values[pairs[i]][0] = pairs[i+1]
	}
	return p.send("POST", action, values, "Sec-Fetch-Site", "same-origin")
}

// A page that lost a typed secret asks for it again: saving never keeps the old
// one unasked.
func TestALostSecretIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		cause  []string // why the form comes back
	}{
		{"a fault", 422, []string{"f.clientId", "", "then", "pending"}},
		{"another row", 200, []string{"row", "add"}},
	} {
		for _, field := range []struct{ control, key string }{{"f.clientSecret", "clientSecret"}, {"f.botToken", "botToken"}, {"value", "extra"}} {
			t.Run(tt.name+" "+field.key, func(t *testing.T) {
				t.Parallel()
				h := open(t, plan{})
				h.slack()
				p := h.owner()
				page := p.fill(p.get(slack+"/edit").want(200).lacks(askAgain), slack, append([]string{field.control, "n3w-value"}, tt.cause...)...).
					want(tt.status, askAgain, orKeep).lacks("n3w-value")
				if links := page.texts("a[href=#" + idOf(field.control) + "]"); len(links) != 1 || !strings.Contains(links[0], askAgain) {
					t.Errorf("the summary has %q for it", links)
				}
				before := h.dump()
				page = p.fill(page, slack, "f.clientId", "other", "other-app", "yes", "then", "pending").want(422, askAgain)
				page = p.fill(page, slack, "then", "pending").want(422, askAgain) // and it does not forget
				p.fill(page, slack, field.control, "x", "keep."+field.key, "yes", "then", "pending").want(422, "more than one of them")
				h.unchanged(before, "saving without it")
				p.fill(page, slack, field.control, "retyped", "other-app", "yes", "then", "pending").leadsTo(slack)
				if got := h.values("acme:slack"); got[field.key] != "retyped" || got["clientId"] == "c" && tt.status == 422 {
					t.Errorf("kept %q", got)
				}
			})
			t.Run(tt.name+" kept "+field.key, func(t *testing.T) {
				t.Parallel()
				h := open(t, plan{})
				h.slack()
				p := h.owner()
				page := p.fill(p.get(slack+"/edit"), slack, append([]string{field.control, "n3w-value"}, tt.cause...)...)
				box := "input[type=checkbox][name=keep." + field.key + "]"
				page.one(box)
				page = p.fill(page, slack, "keep."+field.key, "yes", "row", "add").want(200)
				if _, ticked := attr(page.one(box), "checked"); !ticked || strings.Contains(page.words(), askAgain) {
					t.Errorf("the tick was lost, or it is asked for in spite of it:\n%s", page.words())
				}
				p.fill(page, slack, "f.clientId", "other", "other-app", "yes", "then", "pending").leadsTo(slack)
				got := h.values("acme:slack")
				if got["clientSecret"] != "old-secret" || got["botToken"] != "old-bot" || got["extra"] != "old-extra" || got["clientId"] != "other" {
					t.Errorf("kept %q", got)
				}
			})
		}
	}
}

// idOf is the id of a control: the row of a key has its number in it.
func idOf(control string) string {
	if control == "value" {
		return "value-1"
	}
	return control
}

// A new entry has nothing to keep: what was lost is typed again or left out.
func TestALostSecretOfANewEntry(t *testing.T) {
	t.Parallel()
	for cause, status := range map[string]int{"then": 422, "row": 200} {
		h := open(t, plan{})
		p := h.owner()
		value := map[string]string{"then": "pending", "row": "add"}[cause]
		page := p.fill(p.get("/config/new?connector=slack&id=acme:slack"), "/config", "f.clientId", "", "f.clientSecret", "s", "f.botToken", "b",
			"key", "extra", "value", "e", "secret", "yes", cause, value).want(status, askAgain)
		form := controls(page.one("form[action=/config]"))
		for _, key := range []string{"clientSecret", "botToken", "extra"} {
			if !form.Has("retype." + key) {
				t.Errorf("%s %s: the form does not ask for it", cause, key)
			}
		}
		var boxes []string
		for _, n := range page.all("input[type=checkbox][value=yes]") {
			name, _ := attr(n, "name")
			boxes = append(boxes, name)
		}
		if !slices.Equal(boxes, []string{"keep.botToken"}) {
			t.Errorf("%s: the boxes are %q, want the optional field alone", cause, boxes)
		}
		form.Set("f.clientId", "c")
		form.Set("then", "pending")
		p.send("POST", "/config", form).want(422, askAgain)
		form.Set("f.clientSecret", "s")
		form.Set("keep.botToken", "yes")
		p.send("POST", "/config", form).want(422, askAgain)
		i := slices.Index(form["key"], "extra")
		form["value"][i] = "e"
		p.send("POST", "/config", form).leadsTo(slack)
		if got := h.values("acme:slack"); len(got) != 3 || got["extra"] != "e" || got["clientSecret"] != "s" {
			t.Errorf("%s: kept %q", cause, got)
		}
	}
}

// A row whose key is taken out asks for nothing any more.
func TestALostSecretOfARemovedRow(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.slack()
	p := h.owner()
	page := p.fill(p.get(slack+"/edit"), slack, "value", "new", "row", "add").want(200, askAgain)
	p.fill(page, slack, "key", "", "then", "pending").leadsTo(slack)
	if got, there := h.values("acme:slack")["extra"]; there {
		t.Errorf("extra is still %q", got)
	}
}

// An optional secret can be taken out again; one that is asked for cannot.
func TestRemoveAStoredSecret(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.slack()
	p := h.owner()
	page := p.get(slack+"/edit").want(200, "Remove the stored value")
	if n := len(page.all("input[name=drop.botToken]")); n != 1 {
		t.Errorf("%d boxes for the bot token", n)
	}
	for _, key := range []string{"clientSecret", "authToken", "extra"} { // asked for; not stored; a row
		if n := len(page.all("input[name=drop." + key + "]")); n != 0 {
			t.Errorf("%d boxes take out %s", n, key)
		}
	}
	p.fill(page, slack, "drop.botToken", "yes", "f.botToken", "typed", "then", "pending").want(422, "more than one of them")
	page = p.fill(page, slack, "drop.botToken", "yes", "f.clientId", "", "then", "pending").want(422)
	if _, ticked := attr(page.one("input[name=drop.botToken]"), "checked"); !ticked {
		t.Error("the tick was lost")
	}
	p.fill(page, slack, "drop.clientSecret", "yes", "f.clientId", "c", "then", "pending").leadsTo(slack)
	got := h.values("acme:slack")
	if _, there := got["botToken"]; there || got["clientSecret"] != "old-secret" {
		t.Errorf("kept %q", got)
	}
}
