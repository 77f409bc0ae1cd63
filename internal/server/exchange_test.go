package server

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
)

// choose sends a file as a browser does.
func (p *person) choose(file string, pairs ...string) answer {
	p.h.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part := must(w.CreateFormFile("file", "entries.yaml"))(p.h.t)
	must(part.Write([]byte(file)))(p.h.t)
	for i := 0; i < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			p.h.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		p.h.t.Fatal(err)
	}
	return p.raw(http.MethodPost, importPath, &b, "Content-Type", w.FormDataContentType())
}

// A file goes out of one instance and into another: the plan first, then all at
// once, and each step is on record.
func TestExportAndImport(t *testing.T) {
	t.Parallel()
	a, b := open(t, plan{}), open(t, plan{})
	a.save("acme:intercom", nil)
	a.save("acme:other", func(d *config.Draft) {
		d.Values = []config.Input{{Key: "k", Value: text("plain")}, {Key: "s", Secret: true, Value: text("sealed-value")}}
	})
	b.save("acme:other", func(d *config.Draft) { d.Values = []config.Input{{Key: "k", Value: text("older")}} })
	there := b.owner()
	recipient := there.get(importPath).want(200, "Secrets that are sealed to it open here by themselves").value("input[id=own]")
	file := a.owner().post("/config/export", "which", "all", "format", "yaml", "recipients", recipient).want(200)
	if kind, name := file.header.Get("Content-Type"), file.header.Get("Content-Disposition"); kind != "application/yaml" || name != `attachment; filename="backoffice-entries-20260917-120000.yaml"` {
		t.Errorf("the file is %s, %s", kind, name)
	}
	file.lacks("sealed-value", "a-secret")
	if n := len(a.events(audit.SecretsExported)); n != 2 || len(a.events(audit.EntriesExported)) != 1 {
		t.Errorf("%d secrets on record", n)
	}

	path := there.choose(file.body).want(303).header.Get("Location")
	page := there.get(path).want(200, "This instance wrote the file, exported by "+ownerEmail, "New entries", "acme:intercom", "To decide", "It is not here any more as it was exported", "acme:other", "older", "plain", "Import in one go")
	page.lacks("sealed-value")
	b.as(b.hire("admin@acme.example", auth.Grant{Role: auth.Admin})).get(path).want(404, "This import is over")
	there.submit(page, path, "reason", strings.Repeat("long", 300)).want(422, "A reason has at most 1000 characters")
	there.submit(page, path, "then", "force", "leave", "acme:other", "reason", "moved").want(303)
	there.get("/config").want(200, "Imported: 1 entries", "acme:intercom")
	there.get(path).want(404)
	if e := b.events(audit.EntriesImported)[0]; e.Actor.Name != ownerEmail || !strings.HasPrefix(e.Note, "1 created, 0 changed") {
		t.Errorf("recorded as %+v", e)
	}
	if e := must(b.deps.Config.Get(t.Context(), "acme:intercom"))(t); e.Current != 1 {
		t.Errorf("imported as %+v", e)
	}
	if e := must(b.deps.Config.Get(t.Context(), "acme:other"))(t); e.Next != 2 {
		t.Errorf("what was left out is %+v", e)
	}

	path = there.choose(file.body).want(303).header.Get("Location")
	there.get(path).want(200, "Nothing to do for 1 entry")
	there.post(path + "/discard").want(303)
	there.get("/config").want(200, "The import is discarded")
}

// What an import or an export cannot take is said where it was typed.
func TestExchangeRefusals(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.post("/config/export", "which", "some").want(422, "No entry is chosen")
	p.post("/config/export", "which", "some", "ids", "globex:*").want(422, "No entry that you may see has such an id")
	p.post("/config/export", "which", "all", "recipients", "age1x").want(422, "is no age recipient")
	if n := len(h.events(audit.EntriesExported)); n != 0 {
		t.Errorf("%d refused exports are on record", n)
	}
	p.choose("").want(422, "The file is empty")
	p.choose("format: other\n", "identity", "no").want(422, "This program reads backoffice.entries/1", "This is no age identity")
	bad := "format: backoffice.entries/1\nentries:\n  - id: nope\n  - id: acme:fine\n    values: {a: 1}\n"
	path := p.choose(bad).want(303).header.Get("Location")
	p.get(path).want(200, "Rows that cannot be taken", "nope", "An id has the form", "acme:fine")
	p.post(path, "leave", "acme:fine").want(422, "Nothing is chosen")
	p.post(path, "anyway", "acme:fine").want(303)

	lacks := "format: backoffice.entries/1\nentries:\n  - id: acme:lacks\n    secrets: {s: {length: 3}}\n"
	path = p.choose(lacks).want(303).header.Get("Location")
	page := p.get(path).want(200, "The file does not have s. Type it here")
	p.submit(page, path, "typed acme:lacks s", "typed-value").want(303)
	opened := must(h.deps.Config.Open(t.Context(), "acme:lacks", 1))(t)
	if got := opened.Values["s"].Text().Reveal(); got != "typed-value" {
		t.Errorf("the typed secret arrived as %q", got)
	}

	path = p.choose(strings.Replace(lacks, "lacks", "late", 1)).want(303).header.Get("Location")
	p.get(path).want(200)
	h.save("acme:late", func(d *config.Draft) {
		d.Values = []config.Input{{Key: "s", Secret: true, Value: text("x")}, {Key: "t", Value: text("y")}}
	})
	p.post(path, "anyway", "acme:late").want(409, "acme:late was changed after this plan was drawn")
	p.raw(http.MethodPost, "/config", strings.NewReader("x"), "Content-Type", "multipart/form-data; boundary=b").want(415)
}

// Who may not reveal takes no secrets out, and who is for some entries takes out
// and in no others.
func TestExchangeWithinLimits(t *testing.T) {
	t.Parallel()
	h, _ := twoVendors(t)
	auditor := h.as(h.hire("auditor@acme.example", auth.Grant{Role: auth.Auditor}))
	auditor.get("/config/export").want(200, "Secrets are left out: your role reveals none").lacks("Seal secrets to")
	auditor.post("/config/export", "which", "all").want(200, "acme:intercom", "globex:")
	auditor.post("/config/export", "which", "all", "recipients", h.deps.Exchange.Recipient()).want(403)
	auditor.get(importPath).want(403)

	some := h.as(h.hire("some@acme.example", auth.Grant{Role: auth.Admin, Entries: "acme:*"}))
	some.get("/config/export").want(200, "acme:intercom").lacks("globex")
	some.post("/config/export", "which", "all").want(200, "acme:intercom").lacks("globex")
	some.post("/config/export", "which", "some", "id", "globex:intercom", "ids", "globex:*").want(422, "No entry that you may see")
	file := "format: backoffice.entries/1\nentries:\n  - id: globex:intercom\n    values: {a: 1}\n  - id: globex:never\n    values: {a: 1}\n"
	path := some.choose(file).want(303).header.Get("Location")
	page := some.get(path).want(200, "Your role is not for this entry")
	if n := strings.Count(page.body, "Your role is not for this entry"); n != 2 {
		t.Errorf("%d of two rows are refused alike", n)
	}
	some.post(path, "anyway", "globex:never").want(422)
}
