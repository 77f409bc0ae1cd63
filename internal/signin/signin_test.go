package signin

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/signin/signintest"

	"github.com/go-jose/go-jose/v4"
)

// Somebody new signs in by a group, and again; the identity is issuer and subject.
func TestSignIn(t *testing.T) {
	w := inForce(t, nil)
	o, err := w.signIn("s-grace")
	u := o.Entry.User
	if err != nil || u.Email != "grace@acme.example" || u.Name != "Grace" || u.Grant != (auth.Grant{Role: auth.Editor, Entries: "acme:*"}) || !u.NoPassword || !u.Mapped || o.Next != "/config" || o.Entry.Factor {
		t.Fatalf("outcome %+v, %v", o, err)
	}
	if want := w.clock.now().Add(-time.Hour); !o.Entry.Proof.Equal(want) {
		t.Errorf("the proof is of %s, want %s, when they had signed in there", o.Entry.Proof, want)
	}
	if e := w.last(audit.PersonJoined); e.Target != u.Email || e.Actor.Name != u.Email || !strings.Contains(e.Note, "Through 127.0.0.1:") {
		t.Errorf("event %+v", e)
	}
	if e := w.last(audit.SignIn); e.Target != u.Email || e.Actor.ID != u.ID {
		t.Errorf("event %+v", e)
	}
	links, err := w.auth.Identities(t.Context(), u.ID)
	if err != nil || len(links) != 1 || links[0].Subject != "s-grace" || links[0].Issuer != w.idp.Issuer {
		t.Errorf("identities %+v, %v", links, err)
	}
	for ahead, want := range map[time.Duration]time.Time{time.Minute: w.clock.now(), time.Minute + time.Second: {}, -time.Second: w.clock.now().Add(-time.Second)} {
		w.idp.Set(signintest.Hooks{Claims: func(m map[string]any) { m["auth_time"] = w.clock.now().Add(ahead).Unix() }})
		if o, err := w.signIn("s-grace"); err != nil || !o.Entry.Proof.Equal(want) {
			t.Errorf("auth_time %s ahead: proof of %s, %v; want %s", ahead, o.Entry.Proof, err, want)
		}
	}
	w.idp.Set(signintest.Hooks{Claims: func(m map[string]any) { m["email"], m["email_verified"] = "other@elsewhere.example", false }})
	again, err := w.signIn("s-grace")
	if err != nil || again.Entry.User.ID != u.ID || again.Entry.User.Email != "grace@acme.example" {
		t.Errorf("with another address: %+v, %v", again, err)
	}
	for _, canary := range []string{w.idp.Secret, "eyJ"} {
		if strings.Contains(w.dump(), canary) {
			t.Errorf("the store has %q in clear", canary)
		}
	}
}

// What the address of the provider is asked with.
func TestTheWayThere(t *testing.T) {
	w := inForce(t, nil)
	one, two := w.leave(Departure{Purpose: ToSignIn}), w.leave(Departure{Purpose: ToSignIn})
	seen := map[string]bool{}
	for _, a := range []string{one, two} {
		q := mustURL(t, a).Query()
		for name, want := range map[string]string{"response_type": "code", "client_id": w.idp.ClientID, "redirect_uri": public + "/login/callback", "scope": "openid email profile",
			"code_challenge_method": "S256", "prompt": "", "max_age": ""} {
			if got := q.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			if len(q.Get(name)) != 43 || seen[q.Get(name)] {
				t.Errorf("%s is %q", name, q.Get(name))
			}
			seen[q.Get(name)] = true
			if strings.Contains(w.dump(), q.Get(name)) {
				t.Errorf("the store has the %s", name)
			}
		}
	}
	q := mustURL(t, w.leave(Departure{Purpose: ToProve, User: w.owner.ID})).Query()
	if q.Get("prompt") != "login" || q.Get("max_age") != "0" {
		t.Errorf("a proof is asked with %v", q)
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A token counts only if all of it holds. Each row spoils one thing.
func TestTokens(t *testing.T) {
	w := inForce(t, nil)
	other := signintest.New(w.clock.now)
	claim := func(name string, v any) signintest.Hooks {
		return signintest.Hooks{Claims: func(m map[string]any) {
			if m[name] = v; v == nil {
				delete(m, name)
			}
		}}
	}
	after := func(name string, d time.Duration) signintest.Hooks {
		return signintest.Hooks{Claims: func(m map[string]any) { m[name] = w.clock.now().Add(d).Unix() }}
	}
	sign := func(f func([]byte, string) string) signintest.Hooks { return signintest.Hooks{Sign: f} }
	const unsigned = "The ID token is none, or is signed in a way"
	for name, tt := range map[string]struct {
		hooks signintest.Hooks
		note  string // "" for one that counts
	}{
		"good":                        {},
		"another issuer":              {claim("iss", "https://elsewhere.example"), "The ID token is from another issuer."},
		"issuer with a slash":         {claim("iss", w.idp.Issuer+"/"), "The ID token is from another issuer."},
		"another audience":            {claim("aud", "somebody-else"), "The ID token is for another client."},
		"no audience":                 {claim("aud", nil), "The ID token is for another client."},
		"two audiences":               {claim("aud", []string{w.idp.ClientID, "other"}), "The ID token was made for another client (azp)."},
		"another party":               {claim("azp", "other"), "The ID token was made for another client (azp)."},
		"the right party":             {claim("azp", w.idp.ClientID), ""},
		"another nonce":               {claim("nonce", "guessed"), "The ID token has another nonce"},
		"no nonce":                    {claim("nonce", nil), "The ID token has another nonce"},
		"no subject":                  {claim("sub", ""), "The ID token names no subject."},
		"no end":                      {claim("exp", nil), "The ID token does not say when"},
		"no beginning":                {claim("iat", nil), "The ID token does not say when"},
		"ended within leeway":         {after("exp", -time.Minute), ""},
		"ended beyond leeway":         {after("exp", -time.Minute-time.Second), "The ID token has expired by 1m1s."},
		"ended long ago":              {after("exp", -time.Hour), "The ID token has expired by 1h0m0s."},
		"clock ahead within leeway":   {after("iat", time.Minute), ""},
		"clock ahead beyond leeway":   {after("iat", time.Minute+time.Second), "The ID token is from the future by 1m1s."},
		"good soon, within leeway":    {after("nbf", time.Minute), ""},
		"good later":                  {after("nbf", 2*time.Minute), "The ID token is not good yet, for 2m0s."},
		"another access token":        {claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "The access token is not the one of the ID token."},
		"no algorithm":                {sign(func(p []byte, _ string) string { return signintest.Unsigned(p) }), unsigned},
		"signed with our secret":      {sign(func(p []byte, _ string) string { return signintest.Symmetric(p, w.idp.Secret) }), unsigned},
		"tampered with":               {sign(tampered), "The signature of the ID token does not hold."},
		"no signature":                {sign(func(_ []byte, ok string) string { return ok[:strings.LastIndex(ok, ".")+1] }), "The signature of the ID token does not hold."},
		"no token at all":             {sign(func([]byte, string) string { return "" }), "The provider gave no ID token."},
		"no JWT":                      {sign(func([]byte, string) string { return "x.y" }), unsigned},
		"signed with a key of others": {sign(func(p []byte, _ string) string { return resigned(other, p) }), "The signature of the ID token does not hold."},
	} {
		w.idp.Set(tt.hooks)
		o, err := w.signIn("s-grace")
		w.clock.add(time.Hour) // no wait of the row before counts
		if tt.note == "" {
			if err != nil || o.Entry.User.Email != "grace@acme.example" {
				t.Errorf("%s: %+v, %v", name, o, err)
			}
			continue
		}
		if o.Entry.User.ID != "" {
			t.Errorf("%s: signed in", name)
		}
		w.refused(name, err, tt.note)
	}
}

// tampered is a token whose payload names another subject than was signed.
func tampered(payload []byte, ok string) string {
	parts := strings.Split(ok, ".")
	parts[1] = strings.Split(signintest.Unsigned([]byte(strings.Replace(string(payload), "s-grace", "s-admin", 1))), ".")[1]
	return strings.Join(parts, ".")
}

// resigned is a payload that another provider has signed.
func resigned(p *signintest.Provider, payload []byte) string {
	return p.Sign(payload)
}

// Keys change while the program runs, and so does the kind of them.
func TestKeysRotate(t *testing.T) {
	w := inForce(t, nil)
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.ES256} {
		w.idp.Rotate(alg)
		if _, err := w.signIn("s-grace"); err != nil {
			t.Errorf("after a change to %s: %v", alg, err)
		}
	}
	w.idp.Calls()
	if _, err := w.signIn("s-grace"); err != nil {
		t.Fatal(err)
	}
	if calls := strings.Join(w.idp.Calls(), " "); calls != "/authorize /token" {
		t.Errorf("a sign-in with known keys asks for %s", calls)
	}
}

// A state is accepted once, within ten minutes, from the browser that started.
func TestStates(t *testing.T) {
	w := inForce(t, nil)
	q := w.visit(w.leave(Departure{Purpose: ToSignIn}), "s-grace")
	arrive := func(b string, q url.Values) error {
		_, err := w.Return(t.Context(), audit.Actor{Addr: home}, Arrival{Query: q, Browser: b})
		return err
	}
	w.refused("of another browser", arrive("another-browser", q), "The state belongs to another browser.")
	w.refused("of no browser", arrive("", q), "The state belongs to another browser.")
	if err := arrive(browser, q); err != nil {
		t.Fatalf("those used it up: %v", err)
	}
	w.refused("used again", arrive(browser, q), "The state was used already.")
	w.refused("made up", arrive(browser, url.Values{"state": {newToken()}, "code": {"x"}}), "The state is unknown")
	w.refused("none", arrive(browser, url.Values{"code": {"x"}}), "The answer has no state of ours.")
	w.refused("a long one", arrive(browser, url.Values{"state": {strings.Repeat("x", 300)}}), "The answer has no state of ours.")
	changed := w.visit(w.leave(Departure{Purpose: ToSignIn}), "s-grace")
	if o, err := w.through(Departure{Purpose: ToConfirm, Token: w.save(w.draft())}, "s-owner"); err != nil || !o.InForce {
		t.Fatalf("%+v, %v", o, err)
	}
	w.refused("through a setting of before", arrive(browser, changed), "The setting was changed while the browser was at the provider.")
	late := w.visit(w.leave(Departure{Purpose: ToSignIn}), "s-grace")
	w.clock.add(flowFor)
	w.refused("late", arrive(browser, late), "The sign-in took more than ten minutes.")
	if !strings.Contains(w.dump(), "auth/oidc/flow/") {
		t.Fatal("no flow is kept")
	}
	w.clock.add(flowFor)
	if err := w.Sweep(t.Context()); err != nil || strings.Contains(w.dump(), "auth/oidc/flow") {
		t.Errorf("flows are left: %v", err)
	}
}

// What comes back instead of a code, or with it, is looked at before anything is
// sent for it.
func TestAnswers(t *testing.T) {
	w := inForce(t, nil)
	for name, tt := range map[string]struct {
		change func(url.Values)
		as     string
		note   string
	}{
		"mixed up":            {func(q url.Values) { q.Set("iss", "https://evil.example") }, "s-grace", "The answer is from another issuer (iss)."},
		"two issuers":         {func(q url.Values) { q.Add("iss", "https://evil.example") }, "s-grace", "The answer is from another issuer (iss)."},
		"no issuer":           {func(q url.Values) { q.Del("iss") }, "s-grace", "The answer does not name its issuer (iss)"},
		"denied":              {func(url.Values) {}, "deny", "The provider answers access_denied."},
		"an error of its own": {func(q url.Values) { q.Set("error", "<script>CANARY") }, "s-grace", "The provider answers an error of its own."},
		"no code":             {func(q url.Values) { q.Del("code") }, "s-grace", "The answer has no code"},
		"two codes":           {func(q url.Values) { q.Add("code", "x") }, "s-grace", "The answer has no code, or more than one."},
		"a code of others":    {func(q url.Values) { q.Set("code", "CANARY") }, "s-grace", "The provider refuses the code with invalid_grant"},
	} {
		w.idp.Set(signintest.Hooks{Answer: tt.change})
		w.idp.Calls()
		_, err := w.signIn(tt.as)
		w.refused(name, err, tt.note)
		if calls := strings.Join(w.idp.Calls(), " "); calls != "/authorize" && name != "a code of others" {
			t.Errorf("%s: the provider was asked for %s", name, calls)
		}
		w.clock.add(2 * time.Minute)
	}
	if strings.Contains(w.dump(), "CANARY") {
		t.Error("what came back is kept")
	}
	// A code for another challenge is what somebody has who stole it.
	w.idp.Set(signintest.Hooks{})
	mine, theirs := w.leave(Departure{Purpose: ToSignIn}), w.leave(Departure{Purpose: ToSignIn})
	q := w.visit(mine, "s-grace")
	q.Set("state", mustURL(t, theirs).Query().Get("state"))
	_, err := w.back(q, "")
	w.refused("with another challenge", err, "The provider refuses the code with invalid_grant")
	w.idp.Set(signintest.Hooks{Token: func(rw http.ResponseWriter) bool {
		rw.WriteHeader(500)
		_, _ = rw.Write([]byte("CANARY of the provider"))
		return true
	}})
	_, err = w.signIn("s-grace")
	if w.refused("no token", err, "The provider gave no token for the code."); strings.Contains(err.Error(), "CANARY") {
		t.Errorf("the error has the answer: %v", err)
	}
}

// Who may come in, by address, domain, group and account.
func TestWhoComesIn(t *testing.T) {
	w := inForce(t, nil)
	for as, note := range map[string]string{
		"s-unverified": "The provider does not say that the e-mail address is verified.",
		"s-mailless":   "The provider told no e-mail address.",
		"s-elsewhere":  "The domain of the e-mail address is not among the allowed ones.",
		"s-nobody":     "No account, no invitation, and no group with a role here.",
	} {
		_, err := w.signIn(as)
		w.refused(as, err, note)
	}
	w.idp.Set(signintest.Hooks{Claims: func(m map[string]any) { delete(m, "email_verified") }})
	_, err := w.signIn("s-grace")
	w.refused("nothing said of it", err, "The provider does not say that the e-mail address is verified.")
	w.idp.Set(signintest.Hooks{Claims: func(m map[string]any) { m["email_verified"] = "true" }}) // as some write it
	o, err := w.signIn("s-grace")
	if err != nil {
		t.Fatal(err)
	}
	grace := o.Entry.User
	w.idp.Set(signintest.Hooks{Claims: func(m map[string]any) { m["sub"] = "s-impostor" }})
	_, err = w.signIn("s-grace")
	w.refused("another subject with the address", err, "The account is linked to somebody else at the provider.")
	w.idp.Set(signintest.Hooks{})
	if err := w.auth.Disable(t.Context(), w.by(w.owner), grace.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.signIn("s-grace")
	w.refused("disabled", err, "The account is disabled.")
	if e := w.last(audit.SignInFailed); e.Target != grace.Email {
		t.Errorf("event %+v", e)
	}
	if err := w.auth.Enable(t.Context(), w.by(w.owner), grace.ID); err != nil {
		t.Fatal(err)
	}
	// The role follows the groups, at every sign-in.
	w.idp.People[1].Groups = []string{"admins", "integrators"}
	if o, err = w.signIn("s-grace"); err != nil || o.Entry.User.Grant != (auth.Grant{Role: auth.Admin}) {
		t.Errorf("in another group: %+v, %v", o.Entry.User.Grant, err)
	}
	if e := w.last(audit.GrantChanged); e.Target != grace.Email || !strings.HasPrefix(e.Note, "By a group at 127.0.0.1:") {
		t.Errorf("event %+v", e)
	}
	w.idp.People[1].Groups = []string{"everybody"}
	_, err = w.signIn("s-grace")
	w.refused("in no group any more", err, "The role came from a group, and no group of theirs has a role here any more.")
}

// An address is that of an account to the letter: one that becomes it in lower case
// is somebody else's.
func TestAddressesThatLookAlike(t *testing.T) {
	w := inForce(t, nil)
	victim := w.local("kim@acme.example", auth.Grant{Role: auth.Editor})
	for _, address := range []string{"\u212aim@acme.example", "k\u0130m@acme.example", "kim@acme.example\u00a0"} {
		w.idp.Set(signintest.Hooks{Claims: func(m map[string]any) { m["sub"], m["email"] = "s-impostor", address }})
		_, err := w.signIn("s-grace")
		w.refused(address, err, "The provider told no e-mail address.")
	}
	if links, err := w.auth.Identities(t.Context(), victim.ID); err != nil || len(links) != 0 {
		t.Errorf("linked: %+v, %v", links, err)
	}
}

// local is somebody with a password.
func (w *world) local(email string, g auth.Grant) auth.User {
	w.t.Helper()
	link, err := w.auth.Invite(w.t.Context(), w.by(w.owner), email, g)
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := w.auth.Join(w.t.Context(), audit.Actor{}, auth.NewPerson{Token: link, Password: secret.NewText(password), Again: secret.NewText(password)})
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// Who lost a group does not go on with its role by a password.
func TestNoPasswordForTheRoleOfAGroup(t *testing.T) {
	w := inForce(t, nil)
	u := w.local("grace@acme.example", auth.Grant{Role: auth.Viewer, Entries: "globex:*"})
	in := func() error {
		_, err := w.auth.SignIn(t.Context(), audit.Actor{Addr: home}, u.Email, secret.NewText(password))
		return err
	}
	if err := in(); err != nil {
		t.Fatalf("before there is a group: %v", err)
	}
	if o, err := w.signIn("s-grace"); err != nil || o.Entry.User.ID != u.ID || !o.Entry.User.Mapped || o.Entry.User.NoPassword {
		t.Fatalf("%+v, %v", o, err)
	}
	if err := w.auth.CheckPassword(t.Context(), w.by(u), u.ID, secret.NewText(password)); err != nil {
		t.Errorf("to confirm an action: %v", err)
	}
	w.idp.People[1].Groups = nil
	_, err := w.signIn("s-grace")
	w.refused("in no group any more", err, "The role came from a group, and no group of theirs has a role here any more.")
	if err := in(); !errs.Is(err, errs.Invalid) {
		t.Errorf("with the password: %v", err)
	}
	if e := w.last(audit.SignInFailed); !strings.HasPrefix(e.Note, "Right, but the role is from a group, so the provider signs in.") || e.Target != u.Email {
		t.Errorf("event %+v", e)
	}
	if err := w.auth.SetGrant(t.Context(), w.by(w.owner), u.ID, auth.Grant{Role: auth.Viewer}); err != nil {
		t.Fatal(err)
	}
	if err := in(); err != nil {
		t.Errorf("with a role of their own: %v", err)
	}
	w.idp.People[1].Groups = []string{"integrators"}
	if _, err := w.signIn("s-grace"); err != nil {
		t.Fatal(err)
	}
	if err := w.TurnOff(t.Context(), w.by(w.owner)); err != nil {
		t.Fatal(err)
	}
	if err := in(); err != nil {
		t.Errorf("with the provider off: %v", err)
	}
}

// Where the token says nothing of e-mail and groups, the userinfo address does, if
// it is about the same person.
func TestUserInfo(t *testing.T) {
	w := inForce(t, nil)
	lean := func(m map[string]any) { delete(m, "email"); delete(m, "email_verified"); delete(m, "groups") }
	w.idp.Set(signintest.Hooks{Claims: lean, UserInfo: func(m map[string]any) { m["sub"] = "s-admin" }})
	_, err := w.signIn("s-grace")
	w.refused("about somebody else", err, "The provider's userinfo is about somebody else.")
	w.idp.Set(signintest.Hooks{Claims: lean, UserInfo: func(m map[string]any) { delete(m, "email_verified") }})
	_, err = w.signIn("s-grace")
	w.refused("unverified there", err, "The provider does not say that the e-mail address is verified.")
	w.idp.Set(signintest.Hooks{Claims: lean})
	if o, err := w.signIn("s-grace"); err != nil || o.Entry.User.Grant.Entries != "acme:*" {
		t.Errorf("%+v, %v", o, err)
	}
}

// An account that may do a lot is linked only with its own password.
func TestAdminsConfirmTheLink(t *testing.T) {
	w := inForce(t, func(d *Draft) { d.Rules = ""; d.OwnersOnly = true })
	token, err := w.auth.Invite(t.Context(), w.by(w.owner), "boss@acme.example", auth.Grant{Role: auth.Owner})
	if err != nil {
		t.Fatal(err)
	}
	boss, err := w.auth.Join(t.Context(), audit.Actor{Addr: home}, auth.NewPerson{Token: token, Password: secret.NewText(password), Again: secret.NewText(password)})
	if err != nil {
		t.Fatal(err)
	}
	w.idp.People = append(w.idp.People, signintest.Person{Subject: "s-boss", Email: boss.Email, Name: "Boss"})
	o, err := w.signIn("s-boss")
	var need *auth.PasswordNeeded
	if !errors.As(err, &need) || need.Email != boss.Email || o.Entry.User.ID != "" || o.Next != "/config" {
		t.Fatalf("%+v, %v", o, err)
	}
	if links, _ := w.auth.Identities(t.Context(), boss.ID); len(links) != 0 {
		t.Fatal("linked already")
	}
	if _, err := w.auth.LinkWithPassword(t.Context(), audit.Actor{Addr: home}, need.Ticket, secret.NewText("not the password")); errs.Fields(err)["password"] == "" {
		t.Errorf("with a wrong password: %v", err)
	}
	e, err := w.auth.LinkWithPassword(t.Context(), audit.Actor{Addr: home}, need.Ticket, secret.NewText(password))
	if err != nil || e.User.ID != boss.ID || !e.Proof.Equal(w.clock.now()) {
		t.Fatalf("%+v, %v", e, err)
	}
	if ev := w.last(audit.IdentityLinked); ev.Target != boss.Email || ev.Actor.ID != boss.ID {
		t.Errorf("event %+v", ev)
	}
	if _, err := w.auth.LinkWithPassword(t.Context(), audit.Actor{Addr: home}, need.Ticket, secret.NewText(password)); !errs.Is(err, errs.Unsigned) {
		t.Errorf("the ticket is good twice: %v", err)
	}
	if o, err = w.signIn("s-boss"); err != nil || o.Entry.User.ID != boss.ID || o.Entry.User.Role != auth.Owner {
		t.Errorf("%+v, %v", o, err)
	}
}

// An invitation takes in who has its address; one of an admin wants its link too.
func TestInvited(t *testing.T) {
	w := inForce(t, nil)
	invite := func(email string, g auth.Grant) secret.Text {
		token, err := w.auth.Invite(t.Context(), w.by(w.owner), email, g)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	invite("nobody@acme.example", auth.Grant{Role: auth.Viewer, Entries: "globex:*"})
	if o, err := w.signIn("s-nobody"); err != nil || o.Entry.User.Grant != (auth.Grant{Role: auth.Viewer, Entries: "globex:*"}) || o.Entry.User.Mapped {
		t.Errorf("%+v, %v", o, err)
	}
	w.idp.People[6].Groups = nil
	token := invite("admin@acme.example", auth.Grant{Role: auth.Admin})
	_, err := w.signIn("s-admin")
	w.refused("without the link", err, "The invitation of an owner or admin is accepted by its link.")
	_, err = w.through(Departure{Purpose: ToSignIn, Invite: auth.InviteKey(token)}, "s-mfa")
	w.refused("as somebody else", err, "The invitation is for another address.")
	if o, err := w.through(Departure{Purpose: ToSignIn, Invite: auth.InviteKey(token)}, "s-admin"); err != nil || o.Entry.User.Role != auth.Admin {
		t.Errorf("%+v, %v", o, err)
	}
	if open, _ := w.auth.Invitations(t.Context()); len(open) != 0 {
		t.Errorf("still open: %+v", open)
	}
}

// A second factor of the provider counts only if the setting says so and the token
// does.
func TestSecondFactor(t *testing.T) {
	for _, trust := range []bool{false, true} {
		w := inForce(t, func(d *Draft) { d.TrustFactor = trust; d.FactorContext = "urn:two" })
		for as, claims := range map[string]bool{"s-mfa": true, "s-grace": false} {
			o, err := w.signIn(as)
			if err != nil || o.Entry.Factor != (trust && claims) {
				t.Errorf("trusted %v, %s: %v, %v", trust, as, o.Entry.Factor, err)
			}
		}
		w.idp.Set(signintest.Hooks{Claims: func(m map[string]any) { m["acr"] = "urn:two" }})
		if o, err := w.signIn("s-grace"); err != nil || o.Entry.Factor != trust {
			t.Errorf("trusted %v, by acr: %v, %v", trust, o.Entry.Factor, err)
		}
	}
}

// Whoever has no password signs in at the provider again, for real and as
// themselves.
func TestProof(t *testing.T) {
	w := inForce(t, nil)
	o, err := w.signIn("s-grace")
	if err != nil {
		t.Fatal(err)
	}
	grace := o.Entry.User.ID
	then := Then{Action: "/team/invite", Fields: []Field{{"email", "new@acme.example"}}}
	d := Departure{Purpose: ToProve, User: grace, Then: then}
	if o, err := w.through(d, "s-grace"); err != nil || o.Purpose != ToProve || o.Then.Action != then.Action || o.Then.Fields[0] != then.Fields[0] || o.Entry.User.ID != "" {
		t.Errorf("%+v, %v", o, err)
	}
	_, err = w.through(d, "s-mfa")
	w.refused("as somebody else", err, "While confirming an action, somebody else came back")
	_, err = w.back(w.visit(w.leave(d), "s-grace"), "another-user")
	w.refused("in another session", err, "Somebody else is signed in than who started.")
	w.idp.Set(signintest.Hooks{Claims: func(m map[string]any) { m["auth_time"] = w.clock.now().Add(-2 * time.Minute).Unix() }})
	_, err = w.through(d, "s-grace")
	w.refused("without asking", err, "While confirming an action, the provider had not asked")
	w.idp.Set(signintest.Hooks{Claims: func(m map[string]any) { delete(m, "auth_time") }})
	_, err = w.through(d, "s-grace")
	w.refused("without a word", err, "While confirming an action, the provider did not tell when")
}

// What strangers can do is bounded.
func TestBounds(t *testing.T) {
	w := inForce(t, nil)
	by := func(i int) audit.Actor {
		return audit.Actor{Addr: "10.0." + string(rune('0'+i/10)) + "." + string(rune('0'+i%10))}
	}
	one, err := w.Start(t.Context(), audit.Actor{Addr: home}, Departure{Purpose: ToSignIn, Browser: browser})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 11 {
		for range maxOfOneNet + 2 {
			if _, err := w.Start(t.Context(), by(i), Departure{Purpose: ToSignIn, Browser: "b"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	l, err := w.listed(t.Context())
	if err != nil || len(l.All) != maxFlows || strings.Count(w.dump(), "auth/oidc/flow/") != maxFlows {
		t.Errorf("%d flows, %v, want %d", len(l.All), err, maxFlows)
	}
	if _, err := w.back(w.visit(one, "s-grace"), ""); err != nil {
		t.Errorf("many strangers pushed somebody out: %v", err)
	}
	var many error
	for range 130 {
		if _, many = w.Start(t.Context(), by(99), Departure{Purpose: ToSignIn, Browser: "b"}); many != nil {
			break
		}
	}
	if !errs.Is(many, errs.TooMany) {
		t.Errorf("130 starts of one address in a minute: %v", many)
	}
	w.clock.add(time.Hour)
	var junk error
	n := 0
	for ; n < 60 && !errs.Is(junk, errs.TooMany); n++ {
		_, junk = w.Return(t.Context(), audit.Actor{Addr: "198.51.100.9"}, Arrival{Query: url.Values{"state": {newToken()}}, Browser: browser})
		w.clock.add(3 * time.Second)
	}
	p, err := audit.NewLog(w.store).List(t.Context(), audit.Filter{Action: audit.SignInFailed, Limit: 100})
	if err != nil || n < 20 || n > 25 || len(p.Events) < 20 || len(p.Events) > 25 {
		t.Errorf("%d answers of nobody were looked at, and %d are on record: %v", n, len(p.Events), err)
	}
	if _, err := w.signIn("s-grace"); err != nil {
		t.Errorf("others have to wait: %v", err)
	}
}
