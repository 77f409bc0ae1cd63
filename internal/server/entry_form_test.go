package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/config"
)

// values are the plain values of the newest version, by key.
func (h *house) values(id string) map[string]string {
	h.t.Helper()
	e := must(h.deps.Config.Get(h.t.Context(), config.ID(id)))(h.t)
	o := must(h.deps.Config.Open(h.t.Context(), e.ID, e.Next-1))(h.t)
	out := map[string]string{}
	for k, v := range o.Values {
		out[k] = v.Text().Reveal()
	}
	return out
}

func TestCreateIntercom(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	p.get("/config").want(200, "Add the first entry")
	p.get("/config/new").want(200, "Intercom")
	page := p.get("/config/new?connector=intercom&id=acme:intercom").want(200, "Add an entry for Intercom", "To register at Intercom")
	if got, want := page.value("input[id=redirect]"), h.deps.Site.PublicURL.String()+"/auth/intercom/callback"; got != want {
		t.Errorf("the redirect URI to copy is %q, want %q", got, want)
	}
	p.submit(page, "/config", "f.clientId", "  client-1 ", "f.clientSecret", " s3cret ", "reason", "first", "then", "pending").leadsTo(entry)
	p.get(entry).want(200, "Saved as version 1, pending. Spaces at the end of a value were removed", "client-1", "version 1 is pending and nothing is in force yet").
		lacks("s3cret")
	got := h.values("acme:intercom")
	if got["clientId"] != "client-1" || got["clientSecret"] != "s3cret" || got["region"] != "sandbox" || got["apiVersion"] != "2.10" || len(got) != 4 {
		t.Errorf("kept %q", got)
	}
	e := h.events(audit.EntryCreated)
	if len(e) != 1 || e[0].Target != "acme:intercom" || e[0].Version != 1 || e[0].Reason != "first" || e[0].Actor.Name != ownerEmail || e[0].Actor.RequestID == "" {
		t.Errorf("events %+v", e)
	}
	p.post("/config", "id", "acme:other", "connector", "", "key", "k", "value", "v", "secret", "no", "then", "current").leadsTo("/config/acme:other")
	p.get("/config/acme:other").want(200, "Version 1 is saved and in force", "version 1 is in force")
}

// What is wrong comes back with what was typed, except secrets.
func TestFaultsKeepWhatWasTyped(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	typed := []string{"connector", "intercom", "id", "acme:intercom", "f.clientId", "", "f.clientSecret", "t0p-secret", "f.region", "EU", "f.apiVersion", "2.9",
		"key", "clientID", "value", "<b>bold</b>", "secret", "no", "key", "sandbox", "value", "true", "secret", "no", "key", "hook", "value", "t0p-secret", "secret", "yes",
		"scope", "read_single_admin", "scope", "made.up", "topic", "conversation.user.created", "topic", "no.such.topic", "reason", "because <i>", "then", "pending"}
	page := p.post("/config", typed...).want(422, "Client ID is missing", "Did you mean clientId?", "Read as a boolean")
	page.lacks("t0p-secret", "<b>bold</b>", "because <i>")
	for selector, want := range map[string]string{"input[name=id]": "acme:intercom", "input[name=f.clientId]": "", "input[name=f.clientSecret]": ""} {
		if got := page.value(selector); got != want {
			t.Errorf("%s holds %q, want %q", selector, got, want)
		}
	}
	form := controls(page.one("form[action=/config]"))
	for name, want := range map[string][]string{"f.region": {"EU"}, "f.apiVersion": {"2.9"}, "key": {"clientID", "sandbox", "hook", ""},
		"value": {"<b>bold</b>", "true", "", ""}, "secret": {"no", "no", "yes", "no"}, "reason": {"because <i>"}, "connector": {"intercom"}} {
		if !slices.Equal(form[name], want) {
			t.Errorf("%s is %q, want %q", name, form[name], want)
		}
	}
	for name, want := range map[string]string{"scope": "made.up", "topic": "no.such.topic"} {
		if !slices.Contains(form[name], want) || len(form[name]) != 2 {
			t.Errorf("%s is %q, want what was ticked, with the unknown %q", name, form[name], want)
		}
	}
	lost := p.post("/config", "id", "acme:own", "key", "k", "value", "v", "secret", "no", "key", "", "value", "lost", "secret", "no", "then", "pending").want(422, "This value has no key")
	if links := lost.texts("a[href=#key-2]"); len(links) != 1 {
		t.Errorf("the summary has %q for the row without a key\n%s", links, lost.words())
	}
	if links := page.texts("a[href=#f.clientId]"); len(links) != 1 {
		t.Errorf("the summary has %q for the client id", links)
	}
	if all := must(h.deps.Config.All(t.Context()))(t); len(all) != 0 {
		t.Errorf("%d entries were made", len(all))
	}
}

func TestEntryFormFaults(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	good := []string{"connector", "intercom", "f.clientId", "c", "f.clientSecret", "s", "f.region", "US", "f.apiVersion", "2.10", "then", "pending"}
	many := func(n int) (out []string) {
		for i := range n {
			out = append(out, "key", fmt.Sprintf("k%d", i), "value", "v", "secret", "no")
		}
		return out
	}
	row := func(key, value, secret string) []string {
		return []string{"key", key, "value", value, "secret", secret}
	}
	for _, tt := range []struct {
		name   string
		form   []string
		status int
		words  string
	}{
		{"no id", append([]string{"id", ""}, good...), 422, "Type an id."},
		{"bad id", append([]string{"id", "intercom"}, good...), 422, "An id has the form vendor:service"},
		{"id with spaces around", append([]string{"id", " two:intercom "}, good...), 303, ""},
		{"id of another connector", append([]string{"id", "acme:slack"}, good...), 422, "An entry of Intercom has intercom after the vendor"},
		{"id of no connector", append([]string{"id", "acme:own"}, good...), 422, "An entry of Intercom has intercom after the vendor"},
		{"id with a module", append([]string{"id", "acme:intercom:eu"}, good...), 303, ""},
		{"taken id", append([]string{"id", "acme:intercom"}, good...), 409, "There is an entry acme:intercom already"},
		{"no such choice", append([]string{"id", "x:intercom", "f.region", "MARS"}, good...), 422, "Region is none of the choices"},
		{"key twice", append(append([]string{"id", "x:intercom"}, good...), append(row("a", "1", "no"), row("a", "2", "no")...)...), 422, "The key a is there twice"},
		{"field as a row", append(append([]string{"id", "x:intercom"}, good...), row("clientId", "1", "no")...), 422, "The key clientId is there twice"},
		{"value without key", append(append([]string{"id", "x:intercom"}, good...), row("", "lost", "no")...), 422, "This value has no key"},
		{"secret without key", append(append([]string{"id", "x:intercom"}, good...), row("", "lost", "yes")...), 422, "This value has no key"},
		{"space in a key", append(append([]string{"id", "x:intercom"}, good...), row("a b", "1", "no")...), 422, "without spaces"},
		{"empty row", append(append([]string{"id", "y:intercom"}, good...), row("", "", "no")...), 303, ""},
		{"100 keys", append([]string{"id", "acme:hundred", "then", "pending"}, many(100)...), 303, ""},
		{"101 keys", append([]string{"id", "acme:many", "then", "pending"}, many(101)...), 422, "An entry has at most 100 keys; these are 101"},
		{"64 KiB", append([]string{"id", "acme:large"}, row("k", strings.Repeat("é", 32<<10), "no")...), 303, ""},
		{"over 64 KiB", append([]string{"id", "acme:larger"}, row("k", strings.Repeat("é", 32<<10)+"x", "no")...), 422, "the limit is 65536 (64 KiB)"},
		{"no button", append([]string{"id", "z:intercom", "then", "publish"}, good[:len(good)-2]...), 422, "Use one of its two buttons"},
		{"half a row", append([]string{"id", "z:intercom", "key", "k"}, good...), 422, "The rows of further keys could not be read"},
		{"long reason", append([]string{"id", "z:intercom", "reason", strings.Repeat("r", 1001)}, good...), 422, "A reason has at most 1000 characters"},
	} {
		a := p.post("/config", tt.form...)
		if a.status != tt.status || !strings.Contains(a.words(), tt.words) {
			t.Errorf("%s: %d, want %d and %q\n%s", tt.name, a.status, tt.status, tt.words, a.words())
		}
	}
	p.get("/config/new?connector=nosuch").want(404, `There is no connector "nosuch"`)
	p.get("/config/new?id=nonsense").want(422, "An id has the form")
	p.get("/config/new?id=acme:own").want(200, "Add an entry for acme:own")
	p.get("/config/new?id=acme:intercom").want(200, "Add an entry for Intercom")
	p.get("/config/new?q=intercm").want(200, "Nearest: Intercom.")
	p.get("/config/new?connector=intercom&id=" + "%C3%A9:%C3%A9").want(200)
}

// Without script a row is added by a button that saves nothing.
func TestAddRow(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	page := p.get("/config/new?id=acme:own")
	before := h.dump()
	page = p.submit(page, "/config", "key", "first", "value", "1", "secret", "yes", "row", "add").want(200).lacks(`value="1"`)
	form := controls(page.one("form[action=/config]"))
	if !slices.Equal(form["key"], []string{"first", ""}) || !slices.Equal(form["secret"], []string{"yes", "no"}) {
		t.Errorf("rows %q, secret %q", form["key"], form["secret"])
	}
	p.post("/config", "id", "nonsense", "row", "add").want(200).lacks(`id="id-error"`) // not the time to complain
	h.unchanged(before, "adding a row")
	h.save("acme:own", func(d *config.Draft) { d.Values = []config.Input{{Key: "k", Value: text("v")}} })
	page = p.submit(p.get("/config/acme:own/edit"), "/config/acme:own", "row", "add").want(200)
	if form := controls(page.one("form[action=/config/acme:own]")); !slices.Equal(form["key"], []string{"k", ""}) || form.Get("base") != "1" || form.Get("revision") != "1" {
		t.Errorf("edited rows %q", form)
	}
}

func TestEditKeepsSecrets(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", func(d *config.Draft) {
		d.Values = append(d.Values, config.Input{Key: "extra", Secret: true, Value: text("k3pt")}, config.Input{Key: "count", Value: config.ParseValue("7")},
			config.Input{Key: "digits", Value: text("8")})
		d.Scopes = []string{"gone.scope"}
	})
	p := h.owner()
	page := p.get(entry+"/edit").want(200, "Version 1 stays in force").lacks(h.provider.ClientSecret(), "k3pt")
	p.submit(page, entry, "f.clientId", "other", "other-app", "yes", "then", "pending").leadsTo(entry)
	got := h.values("acme:intercom")
	if got["clientSecret"] != h.provider.ClientSecret() || got["extra"] != "k3pt" || got["clientId"] != "other" || got["count"] != "7" || got["digits"] != "8" {
		t.Errorf("kept %q", got)
	}
	v := must(h.deps.Config.Version(t.Context(), "acme:intercom", 2))(t)
	for key, want := range map[string]string{"count": "number", "digits": "text"} {
		if k, _ := v.Key(key); kindName(k.Kind) != want {
			t.Errorf("%s became a %s, want a %s", key, kindName(k.Kind), want)
		}
	}
	if !slices.Equal(v.Scopes, []string{"gone.scope"}) {
		t.Errorf("scopes %q, want the one that the definition does not know", v.Scopes)
	}
	p.submit(p.get(entry+"/edit"), entry, "then", "pending").want(422, "Nothing was saved")
	page = p.get(entry + "/edit")
	form := controls(page.one("form[action=" + entry + "]"))
	i := slices.Index(form["key"], "extra")
	form["key"][i], form["value"][i] = "", "" // what the button Remove does
	form.Set("then", "pending")
	p.send("POST", entry, form).leadsTo(entry)
	if got := h.values("acme:intercom"); got["extra"] != "" || got["clientSecret"] == "" {
		t.Errorf("after removing a row: %q", got)
	}
}

// Two people edit the same entry: the second keeps what was typed, sees what
// changed, and can save on top of it.
func TestConflictKeepsAndRebases(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	first, second := h.owner(), h.owner()
	mine, theirs := first.get(entry+"/edit"), second.get(entry+"/edit")
	second.submit(theirs, entry, "f.clientId", "theirs", "f.clientSecret", "their-secret", "other-app", "yes", "then", "pending").leadsTo(entry)
	page := first.submit(mine, entry, "f.clientId", "mine", "f.clientSecret", "my-secret", "reason", "why not", "then", "current").
		want(409, "What you typed is kept below, except secrets", ownerEmail, "Revision 1 became 2").lacks("my-secret", "their-secret")
	form := controls(page.one("form[action=" + entry + "]"))
	if form.Get("f.clientId") != "mine" || form.Get("reason") != "why not" || form.Get("revision") != "2" || form.Get("base") != "2" || form.Get("f.clientSecret") != "" {
		t.Errorf("the form has %q", form)
	}
	if h.values("acme:intercom")["clientId"] != "theirs" {
		t.Error("the second save won")
	}
	first.submit(page, entry, "then", "current").want(422, "Secrets never come back to a page: type it again")
	first.submit(page, entry, "keep.clientSecret", "yes", "other-app", "yes", "then", "current").leadsTo(entry)
	got := h.values("acme:intercom")
	if got["clientId"] != "mine" || got["clientSecret"] != "their-secret" {
		t.Errorf("after saving again: %q", got)
	}
}

// An entry that was deleted while somebody edited it: nothing typed is lost.
func TestEditOfADeletedEntry(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	page := p.get(entry + "/edit")
	p.post(entry+"/delete", "confirm", "acme:intercom", "revision", "1").leadsTo("/config")
	page = p.submit(page, entry, "f.clientId", "typed", "reason", "still", "then", "pending").want(404, "There is no entry acme:intercom", "type its secrets again")
	if form := controls(page.one("form[action=/config]")); form.Get("f.clientId") != "typed" || form.Get("reason") != "still" || form.Get("id") != "acme:intercom" {
		t.Errorf("the form has %q", form)
	}
	p.submit(page, "/config", "then", "pending").want(422, "Client secret")
	p.submit(page, "/config", "f.clientSecret", "again", "then", "pending").leadsTo(entry)
}

// An entry that was deleted and made again under an open form: the version that
// the form was made from is gone, and what was typed is not.
func TestEditOfARecreatedEntry(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:intercom", func(d *config.Draft) { d.Revision, d.Base, d.Values[0].Value = 1, 1, text("two") })
	p := h.owner()
	form, scopes := p.get(entry+"/edit"), p.get(entry+"/scopes")
	p.post(entry+"/delete", "confirm", "acme:intercom", "revision", "2").leadsTo("/config")
	h.save("acme:intercom", nil)
	page := p.submit(form, entry, "f.clientId", "typed", "reason", "still", "then", "pending").want(409, "What you typed is kept below")
	if got := controls(page.one("form[action=" + entry + "]")); got.Get("f.clientId") != "typed" || got.Get("reason") != "still" || got.Get("base") != "1" {
		t.Errorf("the form has %q", got)
	}
	p.submit(scopes, entry+"/scopes", "scope", "read_conversations", "reason", "still", "then", "pending").want(409, ownerEmail)
}

// A tile never holds a part of a letter, whatever was typed as an id.
func TestInitial(t *testing.T) {
	t.Parallel()
	for id, want := range map[config.ID]string{"acme:slack": "Sl", "a:b": "B", "a:éa": "Éa", "a:日本語": "日本", "nonsense": "?", "": "?"} {
		if got := initial(nil, id); got != want {
			t.Errorf("%q has the tile %q, want %q", id, got, want)
		}
	}
}
