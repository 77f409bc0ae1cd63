package server

import (
	"net/http"
	"strings"
	"testing"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

const diskFull = "Nothing was saved: the disk that holds the data is full. Free some space and try again."

var errFull = errs.Wrap(errs.Unavailable, diskFull, store.ErrUnsaved)

// What cannot be saved comes back with what was typed, and can be sent again whole.
func TestFullDiskKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	h.save("acme:intercom", nil)
	repair := h.breakUpdates(errFull)
	const resend = "To send the form again with all that you typed, secrets too, reload this page."
	form := []string{"id", "globex:intercom", "connector", "intercom", "f.clientId", "client-of-globex", "f.clientSecret", "secret-of-globex", "f.region", "US", "f.apiVersion", "2.10", "reason", "The first of Globex"}
	page := p.post("/config", append(form, "then", "pending")...).want(503, "The disk that holds the data is full. Free some space and try again.", resend, "The first of Globex")
	page.one("input[value=client-of-globex]")
	if strings.Contains(page.body, "secret-of-globex") {
		t.Error("the page has what was typed into a secret field")
	}
	p.post(entry+"/promote", "version", "1", "revision", "1", "reason", "Because of globex").want(503, diskFull, resend, "Because of globex")
	p.post(entry+"/delete", "confirm", "acme:intercom", "revision", "1").want(503, diskFull, resend)
	p.get(entry).want(200, "acme:intercom")
	p.get("/config").want(200, "acme:intercom")
	if a := p.get("/audit").want(503, "The audit log is not shown now", "put on record"); strings.Contains(a.body, resend) {
		t.Error("a page that was only asked for is to be sent again")
	}
	v := h.visitor()
	v.post("/login", "email", ownerEmail, "password", password).want(503, "Nobody can sign in now", "Who is signed in already can go on reading")
	repair()
	p.post("/config", append(form, "then", "pending")...).want(303)
	p.get("/audit").want(200)
	v.post("/login", "email", ownerEmail, "password", password).want(303)
}

// A provider whose notification cannot be kept is told to send it again, later.
func TestFullDiskAnswersProviders(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	repair := h.breakUpdates(errFull)
	send := func() *http.Response {
		res, err := http.Post(h.srv.URL+"/webhooks/intercom", "application/json", strings.NewReader(`{"topic":"ping"}`))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	if res := send(); res.StatusCode != 503 || res.Header.Get("Retry-After") != "30" {
		t.Errorf("a full disk answers %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
	}
	repair()
	if res := send(); res.StatusCode == 503 {
		t.Errorf("with room again: %d", res.StatusCode)
	}
}

// What keeps the program from its work is told to machines and on every page; what
// only matters to whoever runs it, to them alone.
func TestTroubleIsTold(t *testing.T) {
	t.Parallel()
	const words, note = "The disk that holds the data is full: changes may not be saved, and reading goes on.", "The clock of this machine went back by 1h0m0s."
	h := open(t, plan{
		ready:   func() error { return errs.Wrap(errs.Unavailable, words, store.ErrUnsaved) },
		trouble: func() string { return words },
		notes:   func() []string { return []string{note} },
	})
	if a := h.visitor().get("/readyz").want(503); a.body != "not ready\n"+words+"\n" {
		t.Errorf("readyz says %q", a.body)
	}
	for _, path := range []string{"/", "/config", "/settings", "/nowhere"} {
		if a := h.owner().get(path); !strings.Contains(a.body, words) || !strings.Contains(a.body, note) {
			t.Errorf("%s does not tell the owner", path)
		}
	}
	viewer := h.as(h.hire("viewer@acme.example", auth.Grant{Role: auth.Viewer}))
	if a := viewer.get("/config").want(200, words); strings.Contains(a.body, note) {
		t.Error("a viewer is told of the clock")
	}
	if a := h.visitor().get("/login").want(200); strings.Contains(a.body, words) {
		t.Error("nobody in particular is told")
	}
}
