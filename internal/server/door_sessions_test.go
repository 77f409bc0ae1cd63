package server

import (
	"testing"

	"backoffice/internal/audit"
)

// A form that was sent after the session ended is still in its tab: the way on
// leads into another one, and none leads away.
func TestExpiredWhileTyping(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	a := h.visitor().post(entry, "revision", "1", "base", "1", "f.clientId", "typed").want(401, "Sign in in another tab, then reload this page")
	link := a.one("a[href=/login][target=_blank]")
	if rel, _ := attr(link, "rel"); rel != "noopener" || content(link) != "Sign in in another tab" {
		t.Errorf("the link %q has rel %q", content(link), rel)
	}
	if to := a.link("Go to the overview"); to != "" {
		t.Errorf("the page leads away to %s", to)
	}
	if gone := h.visitor().get("/nosuch").want(404); gone.link("Sign in") != "/login" || gone.link("Go to the overview") != "/" {
		t.Error("another page has lost its ways on")
	}
}

// A wrong password typed in somebody's browser is not recorded as theirs.
func TestFailedSignInNamesNobody(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.owner().post("/login", "email", "nobody@acme.example", "password", "wr0ng-guess").want(422)
	e := h.events(audit.SignInFailed)
	if len(e) != 1 || e[0].Actor.ID != "" || e[0].Actor.Name != "" || e[0].Actor.Addr != "127.0.0.1" || e[0].Actor.RequestID == "" {
		t.Errorf("events %+v", e)
	}
}
