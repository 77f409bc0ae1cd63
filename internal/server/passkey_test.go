package server

import (
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/auth/authtest"
)

// withName is a house whose public URL has a host name.
func withName(t *testing.T, p plan) *house {
	t.Helper()
	p.public = "http://localhost:8080"
	return open(t, p)
}

// software is a passkey in a browser at the public URL of withName.
func software() *authtest.Passkey { return authtest.New("http://localhost:8080", "localhost") }

// question is what the page asks the browser for.
func (a answer) question() string {
	a.t.Helper()
	q, _ := attr(a.one("div[data-passkey=create]"), "data-question")
	return q
}

// addKey adds the passkey k to the account of p.
func (p *person) addKey(k *authtest.Passkey, name string) answer {
	p.h.t.Helper()
	page := p.submit(p.get("/account/factor").want(200), "/account/factor/passkey-new", "name", name).want(200, "Make the passkey “"+name+"”")
	return p.submit(page, "/account/factor/passkey-add", "passkey", k.Make(page.question()))
}

// answers asks at the door, and answers with k.
func (p *person) answers(k *authtest.Passkey, pairs ...string) answer {
	p.h.t.Helper()
	asked := p.post("/login/passkey/begin", pairs...)
	if asked.status != 200 || asked.header.Get("Content-Type") != "application/json" {
		p.h.t.Fatalf("%s: %d, %s: %s", asked.what, asked.status, asked.header.Get("Content-Type"), asked.body)
	}
	return p.post("/login/passkey", append(pairs, "passkey", k.Answer(asked.body))...)
}

func TestPasskeys(t *testing.T) {
	t.Parallel()
	h := withName(t, plan{factor: auth.FactorForReveal})
	p, k := h.owner(), software()
	other := h.owner()
	p.get("/config").leadsTo("/account/factor")
	p.submit(p.get("/account/factor"), "/account/factor/passkey-new", "name", " ").want(422, "Give it a name")
	old := p.cookie()
	made := p.addKey(k, "Laptop").want(200, "Your new recovery codes", "10 of 10 left", "Bound to one device")
	if n := len(made.texts("code")); n != 10 || p.cookie() == old {
		t.Errorf("%d recovery codes, or the session is the one of before", n)
	}
	other.get("/account").leadsTo("/login?next=%2Faccount")
	p.get("/config").want(200)
	p.get("/account").want(200, "1 passkey")
	page := p.get("/account/factor").want(200, "never").lacks(made.texts("code")[0])
	if got := page.value("input[aria-label=Name of the passkey Laptop]"); got != "Laptop" {
		t.Errorf("it is called %q", got)
	}
	second := software()
	second.Syncable, second.Synced = true, true
	p.addKey(second, "Phone").leadsTo("/account/factor")
	p.get("/account/factor").want(200, "The passkey is added", "Synced between devices", "10 of 10 left")
	p.submit(p.get("/account/factor"), "/account/factor/passkey-new", "name", "Bad").want(200)
	p.post("/account/factor/passkey-add", "passkey", "junk").want(422, "No passkey was added")

	// At the door, with no address; the answer is for this browser and once.
	v := h.visitor()
	v.get("/login?next=%2Fconfig").want(200, "Sign in with a passkey")
	asked := v.post("/login/passkey/begin")
	if strings.Contains(asked.body, "allowCredentials") || strings.Contains(asked.body, ownerEmail) {
		t.Errorf("the door says who has passkeys: %s", asked.body)
	}
	answer := k.Answer(asked.body)
	h.visitor().post("/login/passkey", "passkey", answer).want(422, "This passkey was not accepted.")
	v.post("/login/passkey", "passkey", answer).want(422, "This passkey was not accepted.") // it was answered
	v.get("/config").leadsTo("/login?next=%2Fconfig")
	v.answers(k, "next", "/config").leadsTo("/config")
	v.get("/config").want(200)
	if e := h.events(audit.SignIn); len(e) != 1 || e[0].Note != "With the passkey “Laptop”, without a password." || e[0].Actor.Name != ownerEmail || e[0].Actor.Addr != "127.0.0.1" {
		t.Errorf("events %+v", e)
	}
	if e := h.events(audit.SignInFailed); len(e) != 2 || e[0].Actor.ID != "" {
		t.Errorf("events %+v", e)
	}

	// After the password.
	w := h.visitor()
	half := w.post("/login", "email", ownerEmail, "password", password).want(200, "One more step", "Use a passkey", "Or one of your recovery codes.")
	ticket := controls(half.one("form[action=/login/passkey]")).Get("ticket")
	w.answers(software(), "ticket", ticket).want(422, "One more step", "This passkey was not accepted.", "Use a passkey")
	w.answers(second, "ticket", ticket, "next", "/team").leadsTo("/team")
	w.get("/team").want(200, "2 passkeys")
	if a := w.post("/login/passkey/begin", "ticket", "made-up"); a.status != 422 || a.body != `{"error":"The sign-in took too long. Enter e-mail address and password again."}`+"\n" {
		t.Errorf("%d: %s", a.status, a.body)
	}

	// In place of the password.
	h.pass(6 * time.Minute)
	form := w.post("/team/invite", "email", "new@acme.example", "role", "editor").want(403, "Your password or passkey again")
	q := w.post("/account/proof/passkey")
	if q.status != 200 || !strings.Contains(q.body, "allowCredentials") {
		t.Fatalf("%d: %s", q.status, q.body)
	}
	old = w.cookie()
	w.submit(form, "/team/invite", "passkey", software().Answer(q.body)).want(422, "This passkey was not accepted.")
	q = w.post("/account/proof/passkey")
	w.submit(form, "/team/invite", "passkey", second.Answer(q.body)).want(200, "A link for new@acme.example")
	if w.cookie() == old {
		t.Error("the session was not renewed")
	}
	if e := h.events(audit.Confirmed); len(e) != 1 || e[0].Note != "With the passkey “Phone”." || e[0].Target != ownerEmail {
		t.Errorf("events %+v", e)
	}
	h.pass(6 * time.Minute)
	h.save("acme:intercom", nil)
	reveal := entry + "/reveal?version=1&key=clientSecret"
	w.get(reveal).want(200, "Use a passkey instead")
	q = w.post("/account/proof/passkey")
	w.submit(w.get(reveal), entry+"/reveal", "passkey", second.Answer(q.body)).want(200, "is shown", h.provider.ClientSecret())

	// Renamed, and removed but for the last.
	list := w.get("/account/factor").want(200, "just now")
	first := list.all("input[name=which]")[0]
	which, _ := attr(first, "value")
	w.post("/account/factor/passkey-rename", "which", which, "name", "Old laptop").leadsTo("/account/factor")
	w.get("/account/factor").want(200, "The passkey has another name")
	w.post("/account/factor/passkey-rename", "which", which, "name", "").want(422, "Give it a name")
	h.pass(6 * time.Minute)
	form = w.post("/account/factor/passkey-remove", "which", which).want(403, "Your password or passkey again")
	w.submit(form, "/account/factor/passkey-remove", "password", password).leadsTo("/account/factor")
	list = w.get("/account/factor").want(200, "The passkey is removed").lacks("Old laptop")
	v = h.visitor()
	v.answers(k).want(422, "This passkey was not accepted.")
	which = controls(list.one("form[action=/account/factor/passkey-remove]")).Get("which")
	w.post("/account/factor/passkey-remove", "which", which).want(403, "the last one cannot be removed")
	w.post("/account/factor/passkey-remove", "which", "made-up").want(404, "This passkey does not exist any more")
}

// At an IP address there can be no passkeys: pages say so, or do not offer them.
func TestPasskeysNeedAName(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	p.get("/account/factor").want(200, "Passkeys belong to a host name", h.deps.Site.PublicURL.String()).lacks("Add a passkey")
	v := h.visitor()
	v.get("/login").want(200).lacks("data-passkey")
	for _, a := range []answer{v.post("/login/passkey/begin"), p.post("/account/proof/passkey")} {
		if a.status != 422 || !strings.HasPrefix(a.body, `{"error":"Passkeys need a host name`) {
			t.Errorf("%s: %d, %s", a.what, a.status, a.body)
		}
	}
	v.post("/login/passkey", "passkey", "{}").want(422, "Passkeys need a host name")
	p.post("/account/factor/passkey-new", "name", "x").want(422, "Passkeys need a host name")
}

// A passkey of nobody, of somebody who is disabled, and one that answers wrongly get
// the same answer.
func TestPasskeysTellNothing(t *testing.T) {
	t.Parallel()
	h := withName(t, plan{})
	boss := must(seeded())(t).owner
	u := h.hire("ops@acme.example", auth.Grant{Role: auth.Editor})
	k := software()
	h.as(u).addKey(k, "Key").want(200)
	wrong := *k
	wrong.Origin = "https://evil.example"
	stranger := software()
	stranger.User = []byte("nobody")
	replies := map[string]string{"wrong": anonymous(h.visitor().answers(&wrong)), "nobody's": anonymous(h.visitor().answers(stranger))}
	if err := h.deps.Auth.Disable(t.Context(), by(boss), u.ID); err != nil {
		t.Fatal(err)
	}
	replies["disabled"] = anonymous(h.visitor().answers(k))
	for name, got := range replies {
		if got != replies["wrong"] || !strings.Contains(got, "This passkey was not accepted.") {
			t.Errorf("%s: %s", name, got)
		}
	}
	var notes []string
	for _, e := range h.events(audit.SignInFailed) {
		notes = append(notes, e.Target+": "+e.Note)
	}
	if got := strings.Join(notes, "|"); got != "ops@acme.example: The account is disabled.|: A passkey that is not registered for the account.|ops@acme.example: The answer of the passkey “Key” was wrong: Error validating origin." {
		t.Errorf("events %q", notes)
	}
}
