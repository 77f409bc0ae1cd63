package server

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
)

// code is what an app with this key shows now, or so many steps later: a second
// reading of RFC 6238, apart from the one that is tested.
func (h *house) code(key string, later int64) string {
	h.t.Helper()
	secret := must(base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(key, " ", "")))(h.t)
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, h.clock().Unix()/30+later)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff)%1_000_000)
}

// enrol sets up an app in the browser of p, and returns its key and the page of
// the recovery codes.
func (p *person) enrol() (key string, codes answer) {
	p.h.t.Helper()
	page := p.submit(p.get("/account/factor").want(200), "/account/factor/begin").want(200, "Tell the app")
	key = page.value("input[id=key]")
	return key, p.submit(page, "/account/factor", "code", p.h.code(key, 0)).want(200, "Recovery codes")
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p, other := h.owner(), h.owner()
	page := p.submit(p.get("/account/factor").want(200, "None"), "/account/factor/begin").want(200, "Tell the app")
	key := page.value("input[id=key]")
	if d, _ := attr(page.one("path[fill=#000]"), "d"); strings.Count(d, "M") < 300 || len(key) != 39 {
		t.Errorf("the drawing has %d runs, the key is %q", strings.Count(d, "M"), key)
	}
	again := p.submit(page, "/account/factor", "code", h.code(key, 5)).want(422, "This code is not right")
	if got := again.value("input[id=key]"); got != key {
		t.Errorf("the key became %q", got)
	}
	old := p.cookie()
	codes := p.submit(again, "/account/factor", "code", h.code(key, 0)).want(200, "Recovery codes", "10 of 10 left")
	if p.cookie() == old {
		t.Error("the session was not renewed")
	}
	other.get("/account").leadsTo("/login?next=%2Faccount")
	list := codes.texts("code")
	if len(list) != 10 {
		t.Fatalf("%d recovery codes", len(list))
	}
	p.get("/account/factor").want(200, "Set up").lacks(key, list[0])

	v := h.visitor()
	half := v.post("/login", "email", ownerEmail, "password", password, "next", "/config").want(200, "One more step")
	v.get("/config").leadsTo("/login?next=%2Fconfig")
	v.submit(half, "/login/code", "code", h.code(key, 0)).want(422, "This code is not right, or was used already")
	half = v.submit(half, "/login/code", "code", "").want(422, "Enter the code")
	v.submit(half, "/login/code", "code", h.code(key, 1)).leadsTo("/config")
	v.get("/config").want(200)
	v.submit(half, "/login/code", "code", h.code(key, 1)).want(422)
	h.visitor().submit(half, "/login/code", "code", list[2]).leadsTo("/config")
	h.visitor().submit(half, "/login/code", "code", list[2]).want(422)
	if e := h.events(audit.SignIn); len(e) != 2 || e[0].Note != "With a recovery code; 9 are left." || e[1].Note != "With a code of the app." {
		t.Errorf("events %+v", e)
	}
	h.pass(6 * time.Minute)
	h.visitor().submit(half, "/login/code", "code", h.code(key, 0)).want(422, "The sign-in took too long", "E-mail")
	h.visitor().post("/login/code", "ticket", "made-up", "code", "123456").want(422, "The sign-in took too long")
	h.visitor().post("/login", "email", ownerEmail, "password", "wr0ng").want(422, "E-mail address or password is wrong.").lacks("One more step")

	p.post("/account/factor/codes", "password", password).want(200, "Recovery codes", "10 of 10 left").lacks(list[0])
	p.post("/account/factor/remove").leadsTo("/account/factor")
	p.get("/account/factor").want(200, "The second factor is removed", "None")
	h.visitor().post("/login", "email", ownerEmail, "password", password).leadsTo("/")
	if e := append(h.events(audit.FactorAdded), append(h.events(audit.RecoveryMade), h.events(audit.FactorRemoved)...)...); len(e) != 3 || e[0].Target != ownerEmail || e[1].Target != ownerEmail || e[2].Target != ownerEmail {
		t.Errorf("events %+v", e)
	}
}

// Whoever has to have a second factor gets nowhere but to its set-up until there is
// one; then everything goes on.
func TestSecondFactorIsDemanded(t *testing.T) {
	t.Parallel()
	for policy, demanded := range map[auth.FactorPolicy]map[auth.Role]bool{
		auth.FactorForReveal: {auth.Owner: true, auth.Admin: true, auth.Editor: false, auth.Auditor: false, auth.Viewer: false},
		auth.FactorForAll:    {auth.Owner: true, auth.Admin: true, auth.Editor: true, auth.Auditor: true, auth.Viewer: true},
		auth.FactorOff:       {auth.Owner: false, auth.Admin: false, auth.Editor: false, auth.Auditor: false, auth.Viewer: false},
	} {
		h := open(t, plan{factor: policy})
		h.save("acme:intercom", nil)
		for role, want := range demanded {
			u := h.hire(string(role)+"@acme.example", auth.Grant{Role: role})
			p := h.as(u)
			if a := p.get("/config"); want != (a.status == 303) {
				t.Errorf("%s, %s: %d", policy, role, a.status)
			}
			if !want {
				continue
			}
			before := h.dump()
			for _, r := range routes(newGate(h.deps)) {
				if !r.may.NeedsPerson() || r.may == auth.SignedIn || r.may == auth.Factor || !u.May(r.may, false) {
					continue
				}
				a := p.ask(r)
				if to := a.header.Get("Location"); r.safe() && (a.status != 303 || to != "/account/factor") || !r.safe() && (a.status != 403 || !strings.Contains(a.words(), "needs a second factor")) {
					t.Errorf("%s, %s: %s is %d to %q", policy, role, a.what, a.status, to)
				}
			}
			h.unchanged(before, "what waits for a second factor")
			p.enrol()
			p.get("/config").want(200)
			p.get("/account/factor").want(200).lacks("Remove it")
			p.post("/account/factor/remove").want(403, "cannot be removed")
			h.pass(time.Minute)
		}
	}
}

func TestResetOfASecondFactor(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	u := h.hire("ops@acme.example", auth.Grant{Role: auth.Editor})
	worker := h.as(u)
	worker.enrol()
	p, at := h.owner(), "/team/"+u.ID
	p.get("/team").want(200, "App")
	p.submit(p.get(at).want(200, "Second factor App"), at+"/factor").leadsTo(at)
	p.get(at).want(200, "The second factor is removed").lacks("Reset the second factor")
	worker.get("/account").leadsTo("/login?next=%2Faccount")
	h.visitor().post("/login", "email", u.Email, "password", password).leadsTo("/")
}
