package e2e

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"backoffice/internal/signin/signintest"
)

// withProvider starts an OpenID provider beside the house, and the house with leave to call it.
func withProvider(t *testing.T) (*program, *signintest.Provider) {
	t.Helper()
	idp := signintest.New(time.Now)
	srv := httptest.NewServer(idp)
	t.Cleanup(srv.Close)
	port := freePort(t)
	house := &program{url: "http://localhost:" + port}
	idp.Issuer, idp.Redirects = srv.URL, []string{house.url + "/login/callback"}
	idp.People = []signintest.Person{
		{Subject: "s-owner", Email: email, Name: "Ada"},
		{Subject: "s-grace", Email: "grace@acme.example", Name: "Grace", Groups: []string{"integrators"}},
		{Subject: "s-admin", Email: "ali@acme.example", Name: "Ali", Groups: []string{"admins"}},
	}
	house.launch(t, "serve", "--second-factor", "off", "--addr", "127.0.0.1:"+port, "--public-url", house.url, "--data", t.TempDir(), "--allow-hosts", "127.0.0.1", "--radar", "off")
	return house, idp
}

// chooses meets the provider's page, which a page of ours leads to by itself, goes on
// as somebody, and comes back to an answer with the status.
func (p *person) chooses(name string, status int64) {
	p.t.Helper()
	p.See("Example ID", "Go on as "+name)
	p.Press("Go on as " + name)
	p.At("/*")
	p.until("an answer of ours", func() (bool, string) {
		got := p.watch.document()
		return strings.HasPrefix(got.url, p.house.url) && got.status == status, fmt.Sprintf("%s has status %d", got.url, got.status)
	})
	p.arrived("come back as "+name, status)
}

// An owner saves a provider, comes back through it in another browser, and it is in
// force; somebody else signs in by a group, and confirms there what asks again.
func TestSignInThroughAProvider(t *testing.T) {
	t.Parallel()
	house, idp := withProvider(t)
	ada := house.admin(t)
	ada.Open("/settings")
	ada.Follow("How people sign in")
	ada.accessible()
	ada.fillSignIn(idp.Issuer, idp.ClientID, idp.Secret)
	ada.Follow("Save, and come back through it")
	ada.See("Now come back through it", "Not in force until you sign in through it in another window")
	ada.accessible()
	link := eval[string](ada, `document.querySelector("#one-time").value`)

	second := house.person(t)
	second.Open("/login")
	second.NotSee("Example ID")
	second.Open(link)
	second.See("Confirm how people sign in")
	second.accessible()
	second.Press("Sign in with Example ID")
	second.chooses("Grace", 422)
	second.See("who came back is grace@acme.example, and you are " + email)
	ada.Open("/settings/sign-in")
	ada.See("Somebody came back, and it did not take effect")
	ada.accessible()
	ada.Follow("Make a new link")
	second.Open(eval[string](ada, `document.querySelector("#one-time").value`))
	second.Press("Sign in with Example ID")
	second.chooses("Ada", 200)
	second.At("/settings/sign-in")
	second.See("The sign-in provider is in force", "Turn it off")
	second.accessible()
	ada.Open("/settings/sign-in")
	ada.Follow("Test connection")
	ada.See("What the test found out", "Only these values pass")
	ada.accessible()

	grace := house.person(t)
	grace.Open("/login")
	grace.accessible()
	grace.Press("Sign in with Example ID")
	grace.chooses("Grace", 200)
	grace.At("/")
	grace.NotSee("Audit log", "Team", "Settings")
	grace.Open("/account")
	grace.See("You can sign in through 127.0.0.1:", "You have no password here")
	grace.accessible()

	ali := house.person(t)
	ali.Open("/login?next=%2Fteam")
	ali.Press("Sign in with Example ID")
	ali.chooses("Ali", 200)
	ali.At("/team")
	ali.See("grace@acme.example", "Password, 127.0.0.1:")
	ali.accessible()
	ali.In("#invite").Fill("E-mail", "new@acme.example")
	ali.FollowRefused("Make a one-time link", 403)
	ali.See("Sign in once more", "Nothing has been done yet")
	ali.accessible()
	ali.Press("Sign in with Example ID")
	ali.chooses("Ali", 200)
	ali.See("You are confirmed")
	ali.accessible()
	ali.Follow("Go on")
	ali.See("A link for new@acme.example")
}
