package signin

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/signin/signintest"
	"backoffice/internal/store"
)

func (w *world) view() View {
	w.t.Helper()
	v, err := w.View(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// A setting takes effect when its owner comes back through it, and not before.
func TestSettingWaitsForItsOwner(t *testing.T) {
	w := newWorld(t)
	token := w.save(w.draft())
	if v := w.view(); v.Current != nil || v.Pending == nil || !v.Pending.Running || !v.Pending.Until.Equal(start.Add(10*time.Minute)) || v.Pending.By != ownerEmail || v.Pending.Length != len(w.idp.Secret) {
		t.Fatalf("%+v", v.Pending)
	}
	if _, ok, _ := w.Offered(t.Context()); ok {
		t.Error("it is offered already")
	}
	if _, err := w.Start(t.Context(), audit.Actor{Addr: home}, Departure{Purpose: ToSignIn, Browser: browser}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a sign-in started through it: %v", err)
	}
	if e := w.last(audit.SignInSaved); e.Actor.ID != w.owner.ID || e.Target != w.idp.Issuer || !slices.ContainsFunc(e.Changes, func(c audit.Change) bool {
		return c.Key == "clientSecret" && c.After == w.view().Pending.Fingerprint.String()
	}) {
		t.Errorf("event %+v", e)
	}
	w.clock.add(9*time.Minute + 59*time.Second)
	if button, err := w.CheckToken(t.Context(), token); err != nil || button != "Sign in with Example ID" {
		t.Errorf("CheckToken = %q, %v", button, err)
	}
	o, err := w.through(Departure{Purpose: ToConfirm, Token: token, Next: "/settings/sign-in"}, "s-owner")
	if err != nil || !o.InForce || o.Entry.User.ID != w.owner.ID || o.Next != "/settings/sign-in" {
		t.Fatalf("%+v, %v", o, err)
	}
	v := w.view()
	if v.Pending != nil || v.Current == nil || v.Current.Issuer != w.idp.Issuer || v.Current.By != ownerEmail || !v.Current.At.Equal(w.clock.now()) {
		t.Errorf("%+v", v)
	}
	if e := w.last(audit.SignInInForce); e.Actor.ID != w.owner.ID || e.Target != w.idp.Issuer || len(e.Changes) == 0 {
		t.Errorf("event %+v", e)
	}
	if offer, ok, err := w.Offered(t.Context()); !ok || err != nil || offer != (Offer{"Sign in with Example ID", w.idp.Issuer, false}) {
		t.Errorf("offered %+v, %v, %v", offer, ok, err)
	}
	if strings.Contains(w.dump(), w.idp.Secret) || strings.Contains(w.dump(), token.Reveal()) {
		t.Error("secret or token is stored in clear")
	}
	if _, err := w.CheckToken(t.Context(), token); !errs.Is(err, errs.NotFound) {
		t.Errorf("the link is good still: %v", err)
	}
}

// Whatever comes back but the owner changes nothing, and is said.
func TestNobodyElseConfirms(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		as    string
		hooks signintest.Hooks
		draft func(*Draft)
		came  string
	}{
		"somebody else":    {as: "s-grace", came: "who came back is grace@acme.example, and you are owner@acme.example"},
		"unverified":       {as: "s-owner", hooks: signintest.Hooks{Claims: func(m map[string]any) { m["email_verified"] = false }}, came: "does not say that the address owner@acme.example is verified"},
		"no address":       {as: "s-mailless", came: "the provider told no e-mail address"},
		"another domain":   {as: "s-owner", draft: func(d *Draft) { d.Domains = "other.example" }, came: "the domain of owner@acme.example is not among the allowed ones"},
		"a wrong secret":   {as: "s-owner", draft: func(d *Draft) { d.Secret = secret.NewText("wrong") }, came: "refuses the code with invalid_client"},
		"a wrong nonce":    {as: "s-owner", hooks: signintest.Hooks{Claims: func(m map[string]any) { m["nonce"] = "x" }}, came: "has another nonce"},
		"denied by person": {as: "deny", came: "access_denied"},
	} {
		d := w.draft()
		if tt.draft != nil {
			tt.draft(&d)
		}
		token := w.save(d)
		w.idp.Set(tt.hooks)
		o, err := w.through(Departure{Purpose: ToConfirm, Token: token}, tt.as)
		w.idp.Set(signintest.Hooks{})
		if !errs.Is(err, errs.Refused) || o.InForce || o.Entry.User.ID != "" {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
		v := w.view()
		if v.Current != nil || v.Pending == nil || !strings.Contains(v.Pending.Came, tt.came) || !v.Pending.CameAt.Equal(w.clock.now()) {
			t.Errorf("%s: %+v", name, v.Pending)
		}
		if _, err := w.Start(t.Context(), audit.Actor{Addr: home}, Departure{Purpose: ToConfirm, Token: token, Browser: browser}); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: the link opens twice: %v", name, err)
		}
		w.clock.add(time.Minute)
	}
	// Another owner is not the same one.
	link, err := w.auth.Invite(t.Context(), w.by(w.owner), "second@acme.example", auth.Grant{Role: auth.Owner})
	if err == nil {
		_, err = w.auth.Join(t.Context(), audit.Actor{}, auth.NewPerson{Token: link, Password: secret.NewText(password), Again: secret.NewText(password)})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.idp.People = append(w.idp.People, signintest.Person{Subject: "s-second", Email: "second@acme.example", Name: "Two"})
	if o, err := w.through(Departure{Purpose: ToConfirm, Token: w.save(w.draft())}, "s-second"); !errs.Is(err, errs.Refused) || o.InForce {
		t.Errorf("another owner: %+v, %v", o, err)
	}
	// The link that was made anew works, and so does who is linked already.
	again, err := w.Begin(t.Context(), w.by(w.owner))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := w.through(Departure{Purpose: ToConfirm, Token: again}, "s-owner"); err != nil || !o.InForce {
		t.Errorf("%+v, %v", o, err)
	}
	w.idp.Set(signintest.Hooks{Claims: func(m map[string]any) { delete(m, "email") }, UserInfo: func(m map[string]any) { delete(m, "email") }})
	if o, err := w.through(Departure{Purpose: ToConfirm, Token: w.save(w.draft())}, "s-owner"); err != nil || !o.InForce {
		t.Errorf("linked already: %+v, %v", o, err)
	}
}

// After ten minutes nothing happens, nothing is lost, and it can begin again.
func TestSettingLapses(t *testing.T) {
	w := newWorld(t)
	token := w.save(w.draft())
	q := w.visit(w.leave(Departure{Purpose: ToConfirm, Token: token}), "s-owner")
	w.clock.add(9 * time.Minute)
	begun := w.save(w.draft()) // begins anew, and is another content: the secret is sealed again
	if o, err := w.back(q, ""); err == nil || o.InForce {
		t.Errorf("for a content that was changed: %+v, %v", o, err)
	}
	w.clock.add(9 * time.Minute)
	q = w.visit(w.leave(Departure{Purpose: ToConfirm, Token: begun}), "s-owner")
	w.clock.add(time.Minute)
	if o, err := w.back(q, ""); !errs.Is(err, errs.Refused) || o.InForce || !strings.Contains(w.last(audit.SignInFailed).Note, "the ten minutes are over") {
		t.Errorf("after ten minutes: %+v, %v", o, err)
	}
	v := w.view()
	if v.Current != nil || v.Pending == nil || v.Pending.Running || v.Pending.ClientID != w.idp.ClientID {
		t.Fatalf("%+v", v.Pending)
	}
	late := w.save(w.draft())
	w.clock.add(10 * time.Minute)
	if _, err := w.CheckToken(t.Context(), late); !errs.Is(err, errs.NotFound) {
		t.Errorf("a link of ten minutes ago: %v", err)
	}
	again, err := w.Begin(t.Context(), w.by(w.owner))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := w.through(Departure{Purpose: ToConfirm, Token: again}, "s-owner"); err != nil || !o.InForce {
		t.Errorf("begun again: %+v, %v", o, err)
	}
}

// A wrong change locks nobody out: the setting of before holds until another works,
// and an owner's password always counts.
func TestNobodyIsLockedOut(t *testing.T) {
	w := inForce(t, func(d *Draft) { d.OwnersOnly = true })
	if _, err := w.signIn("s-grace"); err != nil {
		t.Fatal(err)
	}
	wrong := w.draft()
	wrong.ClientID, wrong.Rules, wrong.Secret = "mistyped", "", secret.NewText("wrong")
	token := w.save(wrong)
	if _, err := w.idp.Visit(w.leave(Departure{Purpose: ToConfirm, Token: token}), "s-owner"); err == nil {
		t.Error("the provider knows a client that it does not")
	}
	if o, err := w.signIn("s-grace"); err != nil || o.Entry.User.Email != "grace@acme.example" {
		t.Errorf("the setting in force: %+v, %v", o, err)
	}
	if u, err := w.auth.SignIn(t.Context(), audit.Actor{Addr: home}, ownerEmail, secret.NewText(password)); err != nil || u.ID != w.owner.ID {
		t.Errorf("the owner's password: %v", err)
	}
	link, err := w.auth.Invite(t.Context(), w.by(w.owner), "local@acme.example", auth.Grant{Role: auth.Viewer})
	if err != nil {
		t.Fatal(err)
	}
	join := auth.NewPerson{Token: link, Password: secret.NewText(password), Again: secret.NewText(password)}
	if _, err := w.auth.Join(t.Context(), audit.Actor{}, join); !errs.Is(err, errs.Refused) {
		t.Errorf("somebody chose a password that would not count: %v", err)
	}
	if err := w.TurnOff(t.Context(), w.by(w.owner)); err != nil {
		t.Fatal(err)
	}
	if e := w.last(audit.SignInOff); e.Target != w.idp.Issuer || e.Actor.ID != w.owner.ID {
		t.Errorf("event %+v", e)
	}
	u, err := w.auth.Join(t.Context(), audit.Actor{}, join)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.auth.SignIn(t.Context(), audit.Actor{Addr: home}, u.Email, secret.NewText(password)); err != nil {
		t.Errorf("a password, with the provider off: %v", err)
	}
	losing, err := w.auth.Losing(t.Context())
	if err != nil || len(losing) != 1 || losing[0].Email != "grace@acme.example" {
		t.Errorf("who has no way in: %+v, %v", losing, err)
	}
	if strings.Contains(w.dump(), "auth/oidc/current") || w.view().Pending == nil {
		t.Error("off is not off, or the pending setting went too")
	}
	if err := w.Discard(t.Context(), w.by(w.owner)); err != nil || w.view().Pending != nil || w.last(audit.SignInDropped).Target != w.idp.Issuer {
		t.Errorf("Discard: %v", err)
	}
	for what, err := range map[string]error{"Discard": w.Discard(t.Context(), w.by(w.owner)), "TurnOff": w.TurnOff(t.Context(), w.by(w.owner))} {
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("%s of nothing: %v", what, err)
		}
	}
	if _, err := w.Begin(t.Context(), w.by(w.owner)); !errs.Is(err, errs.NotFound) {
		t.Errorf("Begin of nothing: %v", err)
	}
}

// With passwords of owners only, everybody else's is refused, in the words of a
// wrong one.
func TestOwnersOnly(t *testing.T) {
	w := newWorld(t)
	link, err := w.auth.Invite(t.Context(), w.by(w.owner), "local@acme.example", auth.Grant{Role: auth.Admin})
	if err != nil {
		t.Fatal(err)
	}
	u, err := w.auth.Join(t.Context(), audit.Actor{}, auth.NewPerson{Token: link, Password: secret.NewText(password), Again: secret.NewText(password)})
	if err != nil {
		t.Fatal(err)
	}
	d := w.draft()
	d.OwnersOnly = true
	if _, err := w.through(Departure{Purpose: ToConfirm, Token: w.save(d)}, "s-owner"); err != nil {
		t.Fatal(err)
	}
	in := func(email, pass string) error {
		_, err := w.auth.SignIn(t.Context(), audit.Actor{Addr: home}, email, secret.NewText(pass))
		return err
	}
	right, wrong := in(u.Email, password), in(u.Email, "wrong")
	_, a := errs.Of(right)
	_, b := errs.Of(wrong)
	if a == "" || a != b {
		t.Errorf("a right password is told %q, a wrong one %q", a, b)
	}
	p, _ := audit.NewLog(w.store).List(t.Context(), audit.Filter{Action: audit.SignInFailed, Limit: 2})
	if !strings.HasPrefix(p.Events[1].Note, "Right, but only owners sign in with a password.") {
		t.Errorf("event %+v", p.Events[1])
	}
	for id, want := range map[string]bool{u.ID: false, w.owner.ID: true} {
		if counts, err := w.auth.PasswordCounts(t.Context(), id); err != nil || counts != want {
			t.Errorf("the password of %s counts: %v, %v", id, counts, err)
		}
	}
	if err := w.auth.CheckPassword(t.Context(), w.by(u), u.ID, secret.NewText(password)); errs.Fields(err)["password"] == "" {
		t.Errorf("to confirm an action: %v", err)
	}
}

// A kept secret goes to no other origin than the one it was typed for.
func TestKeptSecretGoesNowhereNew(t *testing.T) {
	w := inForce(t, nil)
	kept := w.draft()
	kept.Secret, kept.Button = secret.Text{}, "Another text"
	if o, err := w.through(Departure{Purpose: ToConfirm, Token: w.save(kept)}, "s-owner"); err != nil || !o.InForce || w.view().Current.Button != "Another text" {
		t.Fatalf("kept: %+v, %v", o, err)
	}
	kept.Issuer = "http://127.0.0.1:1"
	if _, err := w.Save(t.Context(), w.by(w.owner), kept); errs.Fields(err)["secret"] == "" {
		t.Errorf("for another issuer: %v", err)
	}
	kept.Issuer = w.idp.Issuer
	w.idp.Set(signintest.Hooks{Discovery: func(m map[string]any) { m["token_endpoint"] = "http://127.0.0.1:1/token" }})
	if _, err := w.Save(t.Context(), w.by(w.owner), kept); errs.Fields(err)["secret"] == "" {
		t.Errorf("for another token address: %v", err)
	}
	w.clock.add(2 * time.Hour) // what was found is forgotten
	if _, err := w.Start(t.Context(), audit.Actor{Addr: home}, Departure{Purpose: ToSignIn, Browser: browser}); !errs.Is(err, errs.Refused) {
		t.Errorf("a sign-in through a provider that moved: %v", err)
	}
	w.idp.Set(signintest.Hooks{})
	if w.dump(); strings.Contains(w.dump(), w.idp.Secret) {
		t.Error("the secret is stored in clear")
	}
}

// A provider that cannot be asked keeps nobody from saving; the page says why.
func TestSavingWithoutTheProvider(t *testing.T) {
	w := newWorld(t)
	w.idp.Set(signintest.Hooks{Discovery: func(m map[string]any) { m["issuer"] = "https://elsewhere.example" }})
	if token := w.save(w.draft()); !token.IsZero() {
		t.Error("there is a link for a provider that cannot be used")
	}
	v := w.view().Pending
	if v == nil || v.Running || !strings.Contains(v.Problem, `calls itself "https://elsewhere.example"`) || !v.Until.IsZero() {
		t.Fatalf("%+v", v)
	}
	w.idp.Set(signintest.Hooks{})
	token, err := w.Begin(t.Context(), w.by(w.owner))
	if err != nil || w.view().Pending.Problem != "" {
		t.Fatalf("%v", err)
	}
	if o, err := w.through(Departure{Purpose: ToConfirm, Token: token}, "s-owner"); err != nil || !o.InForce {
		t.Errorf("%+v, %v", o, err)
	}
}

// What is typed is refused with what to do.
func TestDrafts(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		change func(*Draft)
		field  string
	}{
		"no issuer":                {func(d *Draft) { d.Issuer = "" }, "issuer"},
		"an issuer in clear":       {func(d *Draft) { d.Issuer = "http://login.example.com" }, "issuer"},
		"an issuer with a query":   {func(d *Draft) { d.Issuer = "https://login.example.com/?a=b" }, "issuer"},
		"the metadata's address":   {func(d *Draft) { d.Issuer += "/.well-known/openid-configuration" }, "issuer"},
		"no client":                {func(d *Draft) { d.ClientID = " " }, "clientId"},
		"no secret":                {func(d *Draft) { d.Secret = secret.Text{} }, "secret"},
		"a long secret":            {func(d *Draft) { d.Secret = secret.NewText(strings.Repeat("x", 5000)) }, "secret"},
		"a scope with a quote":     {func(d *Draft) { d.Scopes = `em"ail` }, "scopes"},
		"a domain with a path":     {func(d *Draft) { d.Domains = "acme.example/x" }, "domains"},
		"a rule without a role":    {func(d *Draft) { d.Rules = "group" }, "rules"},
		"a rule with a wrong role": {func(d *Draft) { d.Rules = "group = king" }, "rules"},
		"a rule that makes owners": {func(d *Draft) { d.Rules = "group = owner" }, "rules"},
		"a rule with odd entries":  {func(d *Draft) { d.Rules = "group = viewer a/b" }, "rules"},
		"a rule without a group":   {func(d *Draft) { d.Rules = " = viewer" }, "rules"},
		"rules without a claim":    {func(d *Draft) { d.GroupsClaim = "" }, "claim"},
		"everybody an admin":       {func(d *Draft) { d.Default = auth.Grant{Role: auth.Admin} }, "role"},
		"everybody an owner":       {func(d *Draft) { d.Default = auth.Grant{Role: auth.Owner} }, "role"},
		"everybody in the world":   {func(d *Draft) { d.Default, d.Domains = auth.Grant{Role: auth.Viewer}, "" }, "domains"},
		"entries without a role":   {func(d *Draft) { d.Default = auth.Grant{Entries: "acme:*"} }, "role"},
		"a long button":            {func(d *Draft) { d.Button = strings.Repeat("x", 61) }, "button"},
	} {
		d := w.draft()
		tt.change(&d)
		if _, err := w.Save(t.Context(), w.by(w.owner), d); errs.Fields(err)[tt.field] == "" {
			t.Errorf("%s: %v, want a fault of %s", name, err, tt.field)
		}
	}
	d := w.draft()
	d.Rules = "CN=Team Leads,OU=x = admin\n\n integrators = editor acme:* globex:x "
	w.save(d)
	if got := RulesText(w.view().Pending.Rules); got != "CN=Team Leads,OU=x = admin\nintegrators = editor acme:* globex:x" {
		t.Errorf("the rules became %q", got)
	}
	by := w.by(w.owner)
	by.ID = "nobody"
	if _, err := w.Save(t.Context(), by, w.draft()); !errs.Is(err, errs.Refused) {
		t.Errorf("by nobody: %v", err)
	}
}

// The test of a provider says only what the answers prove.
func TestTestConnection(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Test(t.Context(), w.by(w.owner)); !errs.Is(err, errs.NotFound) {
		t.Errorf("a test of nothing: %v", err)
	}
	always := func(status int, body string) signintest.Hooks {
		return signintest.Hooks{Token: func(rw http.ResponseWriter) bool {
			rw.WriteHeader(status)
			_, _ = rw.Write([]byte(body))
			return true
		}}
	}
	for name, tt := range map[string]struct {
		draft                        func(*Draft)
		hooks                        signintest.Hooks
		redirects                    []string
		issuer, client, sec, address Verdict
	}{
		"good":                      {issuer: OK, client: OK, sec: OK, address: OK},
		"a wrong secret":            {draft: func(d *Draft) { d.Secret = secret.NewText("wrong") }, issuer: OK, client: OK, sec: Wrong, address: OK},
		"a wrong client":            {draft: func(d *Draft) { d.ClientID = "mistyped" }, issuer: OK, client: Undecided, sec: Undecided, address: Undecided},
		"an address not registered": {redirects: []string{"https://old.example/callback"}, issuer: OK, client: OK, sec: OK, address: Undecided},
		"the code first":            {hooks: always(400, `{"error":"invalid_grant"}`), issuer: OK, client: OK, sec: Undecided, address: OK},
		"broken":                    {hooks: always(500, `CANARY`), issuer: OK, client: OK, sec: Undecided, address: OK},
		"another issuer":            {hooks: signintest.Hooks{Discovery: func(m map[string]any) { m["issuer"] = "https://x.example" }}, issuer: Wrong, client: Undecided, sec: Undecided, address: Undecided},
		"no keys":                   {hooks: signintest.Hooks{Discovery: func(m map[string]any) { m["jwks_uri"] = w.idp.Issuer + "/gone" }}, issuer: Wrong, client: OK, sec: OK, address: OK},
		"in clear":                  {hooks: signintest.Hooks{Discovery: func(m map[string]any) { m["token_endpoint"] = "http://login.example.com/token" }}, issuer: Wrong, client: Undecided, sec: Undecided, address: Undecided},
		"symmetric":                 {hooks: signintest.Hooks{Discovery: func(m map[string]any) { m["id_token_signing_alg_values_supported"] = []string{"HS256", "none"} }}, issuer: Wrong, client: Undecided, sec: Undecided, address: Undecided},
	} {
		w.idp.Set(signintest.Hooks{})
		w.idp.Redirects = []string{public + CallbackPath}
		d := w.draft()
		if tt.draft != nil {
			tt.draft(&d)
		}
		w.save(d)
		w.idp.Set(tt.hooks)
		if tt.redirects != nil {
			w.idp.Redirects = tt.redirects
		}
		r, err := w.Test(t.Context(), w.by(w.owner))
		if err != nil || !r.Pending || r.Issuer != tt.issuer || r.ClientID != tt.client || r.Secret != tt.sec || r.Redirect != tt.address || len(r.Steps) == 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		for _, s := range r.Steps {
			if strings.Contains(s.Text, "CANARY") || strings.Contains(s.Text, w.idp.Secret) {
				t.Errorf("%s: %+v", name, s)
			}
		}
		if e := w.last(audit.SignInTested); !strings.Contains(e.Note, "client secret "+string(tt.sec)) || e.Target != w.idp.Issuer {
			t.Errorf("%s: event %+v", name, e)
		}
		w.clock.add(time.Minute)
	}
	w.idp.Set(signintest.Hooks{})
	var many error
	for range 8 {
		_, many = w.Test(t.Context(), w.by(w.owner))
	}
	if !errs.Is(many, errs.TooMany) {
		t.Errorf("eight tests at once: %v", many)
	}
}

// A change of the key that seals finds every secret of this room, at its place.
func TestSecretsAreFound(t *testing.T) {
	w := inForce(t, nil)
	w.save(w.draft())
	w.leave(Departure{Purpose: ToSignIn})
	found := map[string]int{}
	err := w.store.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{Prefix: "auth/oidc/"})
		for _, it := range items {
			k, ok := secret.KindOf(it.Key)
			if !ok {
				continue
			}
			all, err := k.Find(it.Key, it.Value)
			if err != nil {
				return err
			}
			for _, s := range all {
				if _, err := w.box.Open(s.Bytes, s.Place); err != nil {
					t.Errorf("%s: %v", it.Key, err)
				}
				found[k.Prefix]++
			}
		}
		return err
	})
	if err != nil || len(found) != 3 || found["auth/oidc/current"] != 1 || found["auth/oidc/pending"] != 1 || found["auth/oidc/flow/"] != 1 {
		t.Errorf("found %v, %v", found, err)
	}
}
