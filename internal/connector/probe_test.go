package connector

import (
	"slices"
	"strings"
	"testing"
)

// probed is sound with probes at its end.
func probed(lines ...string) string {
	return sound + "probes:\n" + strings.Join(lines, "\n") + "\n"
}

const goodProbe = `  - {label: List contacts, url: "{base}/contacts?limit=1", permissions: [contacts.read, Write contacts], confirmed: true, note: As documented.}`

func TestProbes(t *testing.T) {
	d := parsed(t, probed(goodProbe, `  - {label: List teams, url: "{base}/teams/{tenant}"}`))
	if len(d.Probes) != 2 {
		t.Fatalf("%d probes", len(d.Probes))
	}
	if p := d.Probes[0]; p.Label != "List contacts" || p.URL != "{base}/contacts?limit=1" || !p.Confirmed || p.Note != "As documented." ||
		!slices.Equal(p.Permissions, []string{"contacts.read", "Write contacts"}) {
		t.Errorf("read %+v", p)
	}
	if p := d.Probes[1]; p.Confirmed || len(p.Permissions) != 0 || p.Note != "" {
		t.Errorf("read %+v", p)
	}
	e, err := d.Resolve(map[string]string{"tenant": "acme", "region": "us"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"https://us.crm.example/contacts?limit=1", "https://us.crm.example/teams/acme"}; !slices.Equal(e.Probes, want) {
		t.Errorf("they go to %q, want %q", e.Probes, want)
	}
	if got := d.Probed("Write contacts"); len(got) != 1 || got[0].Label != "List contacts" {
		t.Errorf("Write contacts is probed by %+v", got)
	}
	if d.Identity.Confirmed || d.Identity.Note != "" {
		t.Errorf("the identity call is %+v", d.Identity)
	}
}

// Each case is a fault that names its remedy.
func TestProbes_faults(t *testing.T) {
	many := make([]string, MaxProbes+1)
	for i := range many {
		many[i] = `  - {label: List ` + string(rune('a'+i)) + `, url: "{base}/` + string(rune('a'+i)) + `"}`
	}
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"no identity", strings.Replace(probed(goodProbe), sound[strings.Index(sound, "identity:"):strings.Index(sound, "permissions:")], "", 1),
			[]string{"probes are sent after the identity call, with its headers, but there is no identity. Add identity, or remove the probes."}},
		{"another host", probed(`  - {label: L, url: "https://elsewhere.example/x"}`),
			[]string{"a probe goes where identity.url goes: the token is sent to no other host. Begin it as identity.url begins."}},
		{"a host of the tenant", probed(`  - {label: L, url: "https://{tenant}.crm.example/x"}`),
			[]string{"a probe goes where identity.url goes: the token is sent to no other host. Begin it as identity.url begins."}},
		{"no label, no address", probed(`  - {permissions: [contacts.read]}`), []string{"url is missing. Write the address from https:// on.", "label is missing. Write what the call does."}},
		{"an address of its own twice", probed(goodProbe, `  - {label: Again, url: "{base}/contacts?limit=1"}`), []string{"probes[0] asks there already. Remove one of the two."}},
		{"the identity call", probed(`  - {label: Me, url: "{base}/users/{tenant}?v=2"}`), []string{"identity.url asks there already. Remove one of the two."}},
		{"a label twice", probed(goodProbe, `  - {label: list contacts, url: "{base}/x"}`), []string{`two probes have the label "list contacts". Change one.`}},
		{"an unknown permission", probed(`  - {label: L, url: "{base}/x", permissions: [rc]}`), []string{`no permission is called "rc". ` + idRule}},
		{"confirmed without a permission", probed(`  - {label: L, url: "{base}/x", confirmed: true}`), []string{"nothing is confirmed without a permission. Name it, or remove confirmed."}},
		{"an identity confirmed without a permission", strings.Replace(sound, "  permission: contacts.read\n", "  confirmed: true\n", 1), []string{"nothing is confirmed without a permission. Name it, or remove confirmed."}},
		{"too many", probed(many...), []string{"there are more than 12 probes. Each is a call with a person's token: keep those that tell most."}},
		{"a method", probed(`  - {label: L, url: "{base}/x", method: POST}`), []string{`there is no member "method" here. Use label, url, permissions, confirmed or note.`}},
	} {
		_, err := Parse("crm.yaml", []byte(tt.text))
		if err == nil {
			t.Errorf("%s: no fault", tt.name)
			continue
		}
		var got []string
		for _, line := range strings.Split(err.Error(), "\n") {
			got = append(got, faultPlace.ReplaceAllString(line, ""))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAsked(t *testing.T) {
	d := parsed(t, sound) // asks for contacts.read by itself
	silent := parsed(t, strings.NewReplacer("  clientAuth: basic", "  clientAuth: basic\n  sendScopes: false", "  defaultScopes: [contacts.read]\n", "").Replace(sound))
	for _, tt := range []struct {
		def      *Definition
		declared []string
		want     string
	}{
		{d, nil, "contacts.read"},
		{d, []string{"rc", "made.up"}, "contacts.read made.up"},
		{d, []string{"Write contacts"}, ""},
		{silent, []string{"contacts.read"}, ""},
		{&Definition{}, []string{"contacts.read"}, ""},
	} {
		if got := strings.Join(tt.def.Asked(tt.declared), " "); got != tt.want {
			t.Errorf("%q asks for %q, want %q", tt.declared, got, tt.want)
		}
	}
}

func TestCall(t *testing.T) {
	for address, want := range map[string]string{"{base}/me": "GET /me", "{base}/c?per_page=1": "GET /c?per_page=1", "https://a.example/x/y?z=1": "GET /x/y?z=1", "{base}/{tenant}/me": "GET /{tenant}/me"} {
		if got := Call(address); got != want {
			t.Errorf("%s is %q, want %q", address, got, want)
		}
	}
}

// What Intercom does not document is not said as if it did.
func TestIntercom_probes(t *testing.T) {
	d := intercom(t)
	e, err := d.Resolve(map[string]string{"region": "EU", "apiVersion": "2.16"})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct{ address, permissions string }{
		{"/admins", "Read admins"}, {"/teams", ""}, {"/contacts?per_page=1", "Read and list users and companies|read_write_users"},
		{"/conversations?per_page=1", "read_conversations"}, {"/tags", "Read tags|Read and list users and companies"}, {"/articles?per_page=1", "read_articles_scope|read_write_articles_scope"},
	} {
		p := d.Probes[i]
		if e.Probes[i] != "https://api.eu.intercom.io"+c.address || strings.Join(p.Permissions, "|") != c.permissions {
			t.Errorf("probe %d is %+v at %s, want %+v", i, p, e.Probes[i], c)
		}
		if p.Confirmed || !strings.Contains(p.Note, "our reading") && !strings.Contains(p.Note, "No permission is known") {
			t.Errorf("%s is called known: %q", p.Label, p.Note)
		}
	}
	if len(d.Probes) != 6 || len(e.Probes) != 6 {
		t.Errorf("%d probes", len(d.Probes))
	}
	if d.Identity.Confirmed || !strings.Contains(d.Identity.Note, "not confirmed") {
		t.Errorf("the identity call is called known: %q", d.Identity.Note)
	}
}
