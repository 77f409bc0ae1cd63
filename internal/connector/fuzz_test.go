package connector

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

// FuzzParse: reading never panics, faults always have words, and what was read
// without a fault has none when it is validated again, and resolves only to
// what Resolve promises.
func FuzzParse(f *testing.F) {
	f.Add(sound)
	f.Add(based)
	for _, c := range broken {
		f.Add(strings.Replace(sound, c.old, c.new, 1))
	}
	f.Add("a: &x [*x]")
	f.Add("<<: {a: b}")
	f.Add("? [a]\n: b")
	f.Add("fields: [{mistakes: [{}, {pattern: (, means: a}]}]")
	f.Add("fields: [{options: [{}, {set: {}}, {set: {a: b}}]}]")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse("x", []byte(text))
		if err != nil {
			var faults Faults
			if d != nil || !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("got %v, %v", d, err)
			}
			for _, fault := range faults {
				if fault.Msg == "" || fault.File != "x" {
					t.Errorf("fault without words: %+v", fault)
				}
			}
			return
		}
		validate(d, func(path, format string, args ...any) {
			t.Errorf("at %s a fault that was not there before: "+format, append([]any{path}, args...)...)
		})
		e, err := d.Resolve(nil)
		if err == nil && d.OAuth != nil {
			for _, address := range []string{e.Authorize, e.Token} {
				mustBeSafe(t, address, "")
			}
		}
	})
}

// FuzzResolve: no value changes the scheme, leaves the host of the template or
// adds credentials, a query or a fragment.
func FuzzResolve(f *testing.F) {
	for _, s := range []string{"acme", "evil.example/", "a@b", "a:1", "..", "a?b#c", "https://x.example", "https://a@b", "https://a/..", "a\\b", "%2f", "\u212A", "a\r\nHost: b"} {
		f.Add(s, s, "eu")
	}
	tenant, base := parsed(f, sound), parsed(f, based)
	f.Fuzz(func(t *testing.T, name, server, region string) {
		if e, err := tenant.Resolve(map[string]string{"tenant": name, "region": region}); err == nil {
			mustBeSafe(t, e.Token, ".crm.example")
			mustBeSafe(t, e.Authorize, ".crm.example")
			identity := mustBeSafe(t, e.Identity, ".crm.example")
			if identity.RawQuery != "v=2" || strings.Count(identity.Path, "/") != 2 || e.API != "https://api.crm.example" {
				t.Errorf("identity %s, API %s", e.Identity, e.API)
			}
			if strings.ContainsAny(e.IdentityHeaders["Crm-Version"], "\r\n\x00") {
				t.Errorf("header %q", e.IdentityHeaders)
			}
		}
		if e, err := base.Resolve(map[string]string{"server": server}); err == nil {
			u := mustBeSafe(t, e.Token, "")
			if typed, err := url.Parse(server); err != nil || typed.Host != u.Host || u.RawQuery != "" || !strings.HasSuffix(u.Path, "/token") {
				t.Errorf("%q resolves to %s", server, e.Token)
			}
		}
	})
}

func mustBeSafe(t *testing.T, address, suffix string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" || !strings.HasSuffix(u.Hostname(), suffix) {
		t.Errorf("%q leads elsewhere than it should", address)
	}
	return u
}
