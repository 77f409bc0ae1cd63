package connector

import (
	"strings"
	"testing"

	"backoffice/internal/errs"
)

func parsed(t testing.TB, text string) *Definition {
	t.Helper()
	d, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestResolve(t *testing.T) {
	d := parsed(t, sound)
	e, err := d.Resolve(map[string]string{"tenant": "acme", "region": "us", "clientSecret": "never looked at"})
	if err != nil {
		t.Fatal(err)
	}
	if e.Authorize != "https://us.crm.example/authorize" || e.Token != "https://acme.us.crm.example/token" ||
		e.API != "https://api.crm.example" || e.Identity != "https://us.crm.example/users/acme?v=2" {
		t.Errorf("addresses %+v", e)
	}
	if len(e.IdentityHeaders) != 1 || e.IdentityHeaders["Crm-Version"] != "acme" || len(e.AuthorizeParams) != 1 || e.AuthorizeParams["audience"] != "crm" {
		t.Errorf("headers %v, parameters %v", e.IdentityHeaders, e.AuthorizeParams)
	}
	if e.Region != "America" || e.Rehearsal {
		t.Errorf("region %q, rehearsal %v", e.Region, e.Rehearsal)
	}
}

func TestResolve_withoutOAuth(t *testing.T) {
	d := &Definition{Key: "plain"}
	e, err := d.Resolve(map[string]string{"a": "b"})
	if err != nil || e.Authorize != "" || e.Token != "" || e.IdentityHeaders != nil {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestResolve_refuses(t *testing.T) {
	tenant, base := parsed(t, sound), parsed(t, based)
	for _, c := range []struct {
		name  string
		d     *Definition
		field string
		value string
		words string
	}{
		{"missing", tenant, "tenant", "", "is missing, and the provider's address needs it"},
		{"other host", tenant, "tenant", "evil.example/", "must be letters and digits"},
		{"user info", tenant, "tenant", "me@evil", "must be letters and digits"},
		{"port", tenant, "tenant", "evil:8080", "must be letters and digits"},
		{"query", tenant, "tenant", "a?b", "must be letters and digits"},
		{"line break", tenant, "tenant", "a\n", "must be letters and digits"},
		{"no UTF-8", tenant, "tenant", "a\xff", "bytes that are not text"},
		{"look-alike", tenant, "tenant", "\u212A", "must be letters and digits"},
		{"label too long", tenant, "tenant", strings.Repeat("a", 64), "has no proper host name"},
		{"too long", tenant, "tenant", strings.Repeat("a", 501), "too long"},
		{"no such option", tenant, "region", "cn", "none of the choices"},
		{"http", base, "server", "http://learn.example", "must be an https address"},
		{"user in a base", base, "server", "https://me:pw@learn.example", "must be an https address"},
		{"fragment in a base", base, "server", "https://learn.example#", "must be an https address"},
		{"base without host", base, "server", "https:///x", "has no proper host name"},
		{"base with an empty label", base, "server", "https://a..b", "has no proper host name"},
		{"base with an empty port", base, "server", "https://a:", "has no proper host name"},
		{"base with a great port", base, "server", "https://a:65536", "has no proper host name"},
		{"base that climbs", base, "server", "https://a/b/../c", "climbs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			values := map[string]string{"tenant": "acme", "region": "eu", "server": "https://learn.example"}
			values[c.field] = c.value
			e, err := c.d.Resolve(values)
			fields := errs.Fields(err)
			if len(fields) != 1 || !strings.Contains(fields[c.field], c.words) {
				t.Errorf("got %v, want words about %s: %s", err, c.field, c.words)
			}
			if !errs.Is(err, errs.Invalid) || len(c.value) > 3 && strings.Contains(err.Error(), c.value) {
				t.Errorf("the error is of the wrong kind or repeats the value: %v", err)
			}
			if e.Authorize != "" || e.Token != "" || e.API != "" || e.Identity != "" {
				t.Errorf("addresses in spite of the error: %+v", e)
			}
		})
	}
}

// based begins its URLs with a field that people type.
const based = `key: based
name: Based
initial: Ba
summary: On an address of its own.
fields:
  - {key: clientId, label: Client ID}
  - {key: clientSecret, label: Client secret, secret: true}
  - {key: server, label: Server, pattern: 'https://[A-Za-z0-9./:-]*', shape: an https address}
oauth:
  authorizeUrl: "{server}/authorize"
  tokenUrl: "{server}/token"
  clientAuth: post
`

func TestResolve_everyFaultAtOnce(t *testing.T) {
	_, err := parsed(t, sound).Resolve(map[string]string{"tenant": "A", "region": "cn"})
	if fields := errs.Fields(err); len(fields) != 2 || fields["tenant"] == "" || fields["region"] == "" {
		t.Errorf("got %v", fields)
	}
}

func TestRehearse(t *testing.T) {
	c := builtin(t)
	r, err := c.Rehearse("intercom", "http://localhost:8081")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := r.Get("intercom")
	e, err := d.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Rehearsal || e.Region != "Rehearsal sandbox" || e.Authorize != "http://localhost:8081/oauth" || e.Token != "http://localhost:8081/auth/eagle/token" ||
		e.API != "http://localhost:8081" || e.Identity != "http://localhost:8081/me" || e.IdentityHeaders["Intercom-Version"] != "2.10" {
		t.Errorf("rehearsal resolves to %+v", e)
	}
	if e, err := d.Resolve(map[string]string{"region": "EU"}); err != nil || e.Rehearsal || e.API != "https://api.eu.intercom.io" {
		t.Errorf("Europe resolves to %+v, %v in rehearsal", e, err)
	}
	before, _ := c.Get("intercom")
	if f, _ := before.Field("region"); len(f.Options) != 3 || f.Default != "US" {
		t.Errorf("the catalogue before has changed: %+v", f)
	}
	if e, err := before.Resolve(map[string]string{"region": RehearsalValue}); err == nil {
		t.Errorf("without rehearsal the sandbox resolves to %+v", e)
	}
}

// A rehearsal that would still call the provider is none.
func TestRehearse_reachesEveryAddress(t *testing.T) {
	text := strings.NewReplacer(`, zone: eu}`, `}`, `, zone: us}`, `}`, `https://{tenant}.{zone}.crm`, `https://token.crm`, `/users/{tenant}?v=2`, `/me`, `"{tenant}"`, `v2`).Replace(sound)
	for _, c := range []struct{ text, words string }{
		{text, "an address would still lead to the provider"},
		{sound, "{zone} is not the beginning of a URL"},
		{strings.NewReplacer(`https://token.crm.example`, `{base}`, `https://api.crm.example`, `"{base}"`).Replace(text), ""},
	} {
		dir := t.TempDir()
		write(t, dir, "crm.yaml", c.text)
		with, err := builtin(t).With(dir)
		if err != nil {
			t.Fatal(err)
		}
		_, err = with.Rehearse("acme:crm", "http://localhost:8081")
		if (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("got %v, want %q", err, c.words)
		}
	}
}

func TestRehearse_twice(t *testing.T) {
	c := builtin(t)
	one, err := c.Rehearse("intercom", "http://localhost:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Rehearse("intercom", "http://localhost:2"); err != nil {
		t.Fatal(err)
	}
	d, _ := one.Get("intercom")
	if e, err := d.Resolve(nil); err != nil || e.API != "http://localhost:1" {
		t.Errorf("after another rehearsal it resolves to %+v, %v", e, err)
	}
}

// What the patterns and places let through is proved once more, on its own.
func TestProve(t *testing.T) {
	for _, c := range []struct {
		filled, host string
		rehearsal    bool
		want         string
	}{
		{"https://a.example/x?y=1", "a.example", false, ""},
		{"https://a.example:8443", "a.example:8443", false, ""},
		{"https://10.0.0.1/", "10.0.0.1", false, ""},
		{"http://localhost:1/", "localhost:1", true, ""},
		{"http://[::1]:1/", "[::1]:1", true, ""},
		{"http://localhost:1/", "localhost:1", false, "does not begin with https://"},
		{"http://a.example/", "a.example", true, "does not begin with https://"},
		{"ftp://a.example/", "a.example", true, "does not begin with https://"},
		{"https://evil.example/", "a.example", false, "has no proper host name"},
		{"https://a.example.evil.example/", "a.example", false, "has no proper host name"},
		{"https://A.example/", "a.example", false, "has no proper host name"},
		{"https://a_b.example/", "a_b.example", false, "has no proper host name"},
		{"https://-a.example/", "-a.example", false, "has no proper host name"},
		{"https://a.example./", "a.example.", false, "has no proper host name"},
		{"https://a.example:0/", "a.example:0", false, "has no proper host name"},
		{"https://me@a.example/", "a.example", false, "has a user name or password"},
		{"https://me:pw@a.example/", "a.example", false, "has a user name or password"},
		{"https://a.example/#x", "a.example", false, "has a fragment"},
		{"https://a.example/#", "a.example", false, "has a character that no URL may have"},
		{"https://a.example/a b", "a.example", false, "has a character that no URL may have"},
		{"https://a.example/a\\b", "a.example", false, "has a character that no URL may have"},
		{"https://a.example/%2e%2e/b", "a.example", false, "has a path that climbs with dots"},
		{"https://a.example/./b", "a.example", false, "has a path that climbs with dots"},
		{"https:a.example", "", false, "is not a URL"},
		{"https://a.example/%zz", "a.example", false, "is not a URL"},
		{"", "", false, "has no proper host name"},
	} {
		if got := prove(c.filled, c.host, c.rehearsal); got != c.want {
			t.Errorf("%s: %q, want %q", c.filled, got, c.want)
		}
	}
}

func TestRehearse_refuses(t *testing.T) {
	c := builtin(t)
	for _, w := range []struct{ key, base, words string }{
		{"nowhere", "http://localhost:8081", "no connector"},
		{"github", "http://localhost:8081", "no field chooses"},
		{"intercom", "http://sandbox.example", "loopback"},
		{"intercom", "http://localhost.evil.example", "loopback"},
		{"intercom", "http://localhost@evil.example", "loopback"},
		{"intercom", "http://me:pw@localhost:8081", "loopback"},
		{"intercom", "http://localhost:8081/", "loopback"},
		{"intercom", "ftp://localhost", "loopback"},
		{"intercom", "http://10.0.0.1:8081", "loopback"},
	} {
		if _, err := c.Rehearse(w.key, w.base); err == nil || !strings.Contains(err.Error(), w.words) {
			t.Errorf("Rehearse(%q, %q): got %v, want %s", w.key, w.base, err, w.words)
		}
	}
	for _, base := range []string{"http://127.0.0.1:8081", "http://[::1]:8081", "https://localhost"} {
		r, err := c.Rehearse("intercom", base)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := r.Get("intercom")
		if e, err := d.Resolve(nil); err != nil || e.Token != base+"/auth/eagle/token" {
			t.Errorf("at %s it resolves to %+v, %v", base, e, err)
		}
	}
}

// Only the rehearsal option may lead to http, even on a loopback host.
func TestResolve_httpOnlyInRehearsal(t *testing.T) {
	d := *parsed(t, sound)
	set := map[string]string{"base": "http://localhost:8081", "zone": "eu"}
	d.Fields[2].Options = append(d.Fields[2].Options, Option{Value: "x", Label: "X", Set: set})
	if _, err := d.Resolve(map[string]string{"tenant": "a", "region": "x"}); err == nil || !strings.Contains(err.Error(), "https://") {
		t.Errorf("without rehearsal: %v", err)
	}
	d.Fields[2].Options[2].Rehearsal = true
	if _, err := d.Resolve(map[string]string{"tenant": "a", "region": "x"}); err != nil {
		t.Errorf("in rehearsal: %v", err)
	}
	set["base"] = "http://crm.example"
	if _, err := d.Resolve(map[string]string{"tenant": "a", "region": "x"}); err == nil || !strings.Contains(err.Error(), "https://") {
		t.Errorf("in rehearsal, to another host: %v", err)
	}
}
