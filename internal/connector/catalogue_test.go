package connector

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

func builtin(t testing.TB) *Catalogue {
	t.Helper()
	c, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What the entry itself, or a user of the platform, must say before there is
// an address at all.
var asked = map[string]string{
	"serverUrl": "https://learn.school.example",
	"store":     "acme",
	"subdomain": "acme",
	"resource":  "https://acme.crm.dynamics.example",
}

func TestBuiltin_everyDefinitionResolves(t *testing.T) {
	c := builtin(t)
	files, err := embedded.ReadDir("definitions")
	if err != nil {
		t.Fatal(err)
	}
	if got := len(c.All()); got != len(files) || got != 55 {
		t.Errorf("%d definitions from %d files, want 55", got, len(files))
	}
	for _, d := range c.All() {
		t.Run(d.Key, func(t *testing.T) {
			if _, err := embedded.ReadFile("definitions/" + strings.ReplaceAll(d.Key, ":", "-") + ".yaml"); err != nil {
				t.Errorf("its file is not named after its key: %v", err)
			}
			if d.Source != BuiltIn || !unicode.IsUpper([]rune(d.Name)[0]) || !strings.HasSuffix(d.Summary, ".") {
				t.Errorf("source %q, name %q, summary %q", d.Source, d.Name, d.Summary)
			}
			e, err := d.Resolve(asked)
			if err != nil {
				t.Fatal(err)
			}
			for _, address := range []string{e.Authorize, e.Token, e.API, e.Identity} {
				if address != "" && !strings.HasPrefix(address, "https://") || strings.ContainsAny(address, "{}") {
					t.Errorf("resolves to %q", address)
				}
			}
			if e.Authorize == "" || e.Token == "" || e.Rehearsal || (d.Identity != nil) != (e.Identity != "") {
				t.Errorf("resolves to %+v", e)
			}
		})
	}
}

func TestBuiltin_honestAboutClientAuth(t *testing.T) {
	for _, d := range builtin(t).All() {
		if d.Key != "intercom" && !strings.Contains(strings.Join(d.Notes, "\n"), "Client authentication method not confirmed") {
			t.Errorf("%s states a client authentication method that nobody confirmed", d.Key)
		}
	}
}

func TestBuiltin_rowsOfTheCatalogue(t *testing.T) {
	c := builtin(t)
	for _, w := range []struct {
		key, authorize, token, identity, scopes, delimiter string
		pkce                                               bool
		params                                             map[string]string
	}{
		{"airtable", "https://airtable.com/oauth2/v1/authorize", "https://airtable.com/oauth2/v1/token", "https://api.airtable.com/v0/meta/whoami", "user.email:read schema.bases:read", " ", true, nil},
		{"linear", "https://linear.app/oauth/authorize", "https://api.linear.app/oauth/token", "", "read,write", ",", false, nil},
		{"facebook", "https://www.facebook.com/dialog/oauth", "https://graph.facebook.com/oauth/access_token", "", "public_profile, email", ", ", false, nil},
		{"blackboard", "https://learn.school.example/learn/api/public/v1/oauth2/authorizationcode", "https://learn.school.example/learn/api/public/v1/oauth2/token", "", "read", " ", false, nil},
		{"microsoft", "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "https://login.microsoftonline.com/common/oauth2/v2.0/token", "https://graph.microsoft.com/v1.0/me", "offline_access user.read", " ", false, nil},
		{"microsoft:dynamics", "https://login.microsoftonline.com/common/oauth2/authorize", "https://login.microsoftonline.com/common/oauth2/token", "https://acme.crm.dynamics.example/api/data/v9.1/WhoAmI", "offline_access", " ", false,
			map[string]string{"resource": "https://acme.crm.dynamics.example", "response_mode": "query"}},
		{"zendesk:tickets", "https://acme.zendesk.com/oauth/authorizations/new", "https://acme.zendesk.com/oauth/tokens", "https://acme.zendesk.com/api/v2/users/me", "users:read", " ", false, nil},
		{"shopify", "https://acme.myshopify.com/admin/oauth/authorize", "https://acme.myshopify.com/admin/oauth/access_token", "", "read_customers write_customers read_products write_products read_orders write_orders read_reports write_reports", " ", false, nil},
		{"zoom", "https://zoom.us/oauth/authorize", "https://zoom.us/oauth/token", "https://api.zoom.us/v2/users/me", "user:read:user meeting:write:meeting meeting:delete:meeting meeting:read:list_meetings cloud_recording:read:list_user_recordings meeting:read:meeting meeting:update:meeting", " ", false,
			map[string]string{"include_granted_scopes": ""}},
		{"discord", "https://discord.com/oauth2/authorize", "https://discord.com/api/oauth2/token", "https://discord.com/api/oauth2/@me", "identify bot CREATE_INSTANT_INVITE MANAGE_CHANNELS MANAGE_MESSAGES MANAGE_ROLES VIEW_CHANNEL MANAGE_EVENTS ADD_REACTIONS MANAGE_THREADS SEND_MESSAGES MANAGE_WEBHOOKS CREATE_EVENTS CREATE_PUBLIC_THREADS SEND_MESSAGES_IN_THREADS", " ", false,
			map[string]string{"permissions": "17927998811217"}},
	} {
		t.Run(w.key, func(t *testing.T) {
			d, ok := c.Get(w.key)
			if !ok {
				t.Fatal("there is no such definition")
			}
			e, err := d.Resolve(asked)
			if err != nil {
				t.Fatal(err)
			}
			if e.Authorize != w.authorize || e.Token != w.token || e.Identity != w.identity {
				t.Errorf("resolves to %+v", e)
			}
			if got := strings.Join(d.OAuth.DefaultScopes, d.OAuth.ScopeDelimiter); got != w.scopes || d.OAuth.ScopeDelimiter != w.delimiter || d.OAuth.PKCE != w.pkce {
				t.Errorf("scopes %q, delimiter %q, PKCE %v", got, d.OAuth.ScopeDelimiter, d.OAuth.PKCE)
			}
			if len(e.AuthorizeParams) != len(w.params) {
				t.Errorf("parameters %v, want %v", e.AuthorizeParams, w.params)
			}
			for name, want := range w.params {
				if got, ok := e.AuthorizeParams[name]; !ok || got != want {
					t.Errorf("parameter %s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestCatalogue_For(t *testing.T) {
	c := builtin(t)
	for _, w := range []struct{ service, module, key string }{
		{"intercom", "", "intercom"},
		{"google", "drive", "google:drive"},
		{"google", "sheets", "google"},
		{"google", "", "google"},
		{"zendesk", "tickets", "zendesk:tickets"},
		{"zendesk", "", ""},
		{"Intercom", "", ""},
		{"nowhere", "intercom", ""},
	} {
		d, ok := c.For(w.service, w.module)
		if ok != (w.key != "") || ok && d.Key != w.key {
			t.Errorf("For(%q, %q) = %v, %v, want %q", w.service, w.module, d, ok, w.key)
		}
	}
}

func TestCatalogue_AllAndSearch(t *testing.T) {
	c := builtin(t)
	all := c.All()
	for i := 1; i < len(all); i++ {
		if strings.ToLower(all[i-1].Name) > strings.ToLower(all[i].Name) {
			t.Errorf("%s stands before %s", all[i-1].Name, all[i].Name)
		}
	}
	all[0] = nil // a copy: the next caller must not see this
	if c.All()[0] == nil {
		t.Error("All hands out the catalogue's own list")
	}
	for _, w := range []struct{ q, keys string }{
		{"  InterCOM ", "intercom"},
		{"zoho", "zoho:books zoho"},
		{"google dr", "google:drive"},
		{"books", "quickbooks zoho:books"},
		{"drive google", "google:drive"},
		{"nothing like it", ""},
	} {
		var keys []string
		for _, d := range c.Search(w.q) {
			keys = append(keys, d.Key)
		}
		if got := strings.Join(keys, " "); got != w.keys {
			t.Errorf("Search(%q) = %q, want %q", w.q, got, w.keys)
		}
	}
	if got := len(c.Search("")); got != len(c.All()) {
		t.Errorf("an empty search finds %d", got)
	}
	if got := c.Search("mail"); len(got) != 2 || got[0].Key != "mailchimp" || got[1].Key != "google:gmail" {
		t.Errorf("what begins with the word does not come first: %v", got)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCatalogue_With(t *testing.T) {
	c, dir := builtin(t), t.TempDir()
	added := write(t, dir, "crm.yaml", sound)
	write(t, dir, "own-intercom.YML", strings.Replace(sound, "key: acme:crm", "key: intercom", 1))
	write(t, dir, "README.txt", "not a definition")
	with, err := c.With(dir)
	if err != nil {
		t.Fatal(err)
	}
	d, ok := with.Get("acme:crm")
	if !ok || d.Source != added {
		t.Errorf("the added definition is %v", d)
	}
	if d, _ := with.Get("intercom"); d.Name != "Acme CRM" {
		t.Errorf("intercom is still %s of %s", d.Name, d.Source)
	}
	if _, ok := c.Get("acme:crm"); ok || len(c.All()) != 55 {
		t.Error("the catalogue before has changed")
	}
	if d, _ := c.Get("intercom"); d.Source != BuiltIn {
		t.Error("the catalogue before has another intercom")
	}
}

func TestCatalogue_With_reportsEveryFaultOfEveryFile(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir, "a.yaml", strings.Replace(sound, "algorithm: sha256, encoding: hex", "algorithm: md5, encoding: base32", 1))
	b := write(t, dir, "b.yaml", "key: [")
	cc := write(t, dir, "c.yaml", sound)
	e := write(t, dir, "d.yaml", sound)
	f := write(t, dir, "e.yaml", strings.Replace(sound, "key: acme:crm", "key: Intercom", 1))
	g := filepath.Join(dir, "f.yaml")
	if err := os.Mkdir(g, 0o700); err != nil {
		t.Fatal(err)
	}
	h := write(t, dir, "g.yaml", strings.Repeat("#", maxLength+1))
	_, err := builtin(t).With(dir)
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	want := []string{
		a + ":46:35: algorithm", a + ":46:50: encoding",
		b + ":1:6: this is not YAML",
		e + `: the key "acme:crm" is also that of ` + cc,
		f + `: the key "Intercom" differs from "intercom" (built in) only by case`,
		g + ": this file cannot be read",
		h + ": this file is larger than 256 KiB",
	}
	if len(faults) != len(want) {
		t.Fatalf("got %d faults:\n%v", len(faults), err)
	}
	for i, line := range strings.Split(err.Error(), "\n") {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("got  %s\nwant %s", line, want[i])
		}
	}
}

func TestCatalogue_With_missingDirectory(t *testing.T) {
	if _, err := builtin(t).With(filepath.Join(t.TempDir(), "gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		builtin(b)
	}
}
