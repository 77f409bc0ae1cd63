package oauth

import (
	"net/http"
	"strings"
	"testing"

	"backoffice/internal/connector"
)

// What answers about permissions amount to, as one table.
func TestWeigh(t *testing.T) {
	ok := func(confirmed bool, perms ...string) sighting {
		return sighting{outcome: allowed, permissions: perms, confirmed: confirmed, words: "GET /x gave 200.", call: "GET /x"}
	}
	names := func(p string, perms ...string) sighting {
		return sighting{outcome: refusedBy, named: p, permissions: perms, words: "GET /n gave 403.", call: "GET /n"}
	}
	speaks := func(confirmed bool, perms ...string) sighting {
		return sighting{outcome: refusedSome, permissions: perms, confirmed: confirmed, words: "GET /s gave 403.", call: "GET /s"}
	}
	nothing := func(perms ...string) sighting { return sighting{permissions: perms, words: "GET /o gave 500."} }
	listed := func(state GrantState, p string) Grant {
		return Grant{Permission: p, State: state, Basis: Listed, Evidence: "Listed."}
	}
	for _, tt := range []struct {
		name     string
		seen     []sighting
		told     []Grant
		declared string
		want     string
	}{
		{"nothing", nil, nil, "A", ""},
		{"a call of no permission", []sighting{ok(false)}, nil, "", ""},
		{"one, our reading", []sighting{ok(false, "A")}, nil, "", "A granted reading"},
		{"one, documented", []sighting{ok(true, "A")}, nil, "", "A granted documented"},
		{"two, none declared", []sighting{ok(true, "A", "B")}, nil, "", "A unclear, B unclear"},
		{"two, one declared", []sighting{ok(true, "A", "B")}, nil, "B", "B granted reading, A unclear"},
		{"two, both declared", []sighting{ok(false, "A", "B")}, nil, "A B", "A unclear, B unclear"},
		{"two, one refused by name", []sighting{ok(false, "A", "B"), names("A", "A")}, nil, "A B", "A refused named, B granted reading"},
		{"two documented, one refused by name", []sighting{ok(true, "A", "B"), names("A", "A")}, nil, "", "A refused named, B granted documented"},
		{"two, both refused by name", []sighting{ok(false, "A", "B"), names("A", "A"), names("B", "B")}, nil, "", "A refused named, B refused named"},
		{"two, one listed", []sighting{ok(false, "A", "B")}, []Grant{listed(Granted, "A")}, "B", "A granted listed, B unclear"},
		{"two, one listed as missing", []sighting{ok(false, "A", "B")}, []Grant{listed(Refused, "A")}, "", "A refused listed, B granted reading"},
		{"two, one granted by our reading", []sighting{ok(false, "A"), ok(false, "A", "B")}, nil, "A B", "A granted reading, B unclear"},
		{"two, one granted by our reading, the other alone declared", []sighting{ok(false, "A", "B"), ok(false, "A")}, nil, "B", "A granted reading, B unclear"},
		{"our reading, and documented", []sighting{ok(false, "A"), ok(true, "A")}, nil, "", "A granted documented"},
		{"refused by name", []sighting{names("A", "A")}, nil, "", "A refused named"},
		{"refused by the name of another", []sighting{names("B", "A")}, nil, "", "B refused named, A unclear"},
		{"refused by name, of no known permission", []sighting{names("A")}, nil, "", "A refused named"},
		{"refused by name against the token answer", []sighting{names("A", "A")}, []Grant{listed(Granted, "A")}, "", "A refused named"},
		{"refused without a name", []sighting{speaks(false, "A")}, nil, "", "A refused reading"},
		{"refused without a name, documented", []sighting{speaks(true, "A")}, nil, "", "A refused documented"},
		{"refused without a name, two", []sighting{speaks(false, "A", "B")}, nil, "A", "A refused reading, B refused reading"},
		{"refused without a name against a success", []sighting{ok(false, "A"), speaks(false, "A")}, nil, "", "A unclear"},
		{"refused without a name against the token answer", []sighting{speaks(false, "A")}, []Grant{listed(Granted, "A")}, "", "A granted listed"},
		{"refused without a name against a standard that is often not kept", []sighting{speaks(false, "A")}, []Grant{{Permission: "A", State: Granted, Basis: Standard, Evidence: "Left out."}}, "", "A unclear"},
		{"a server error", []sighting{nothing("A", "B")}, nil, "A", "A unclear, B unclear"},
		{"a server error beside a success", []sighting{nothing("A"), ok(false, "A")}, nil, "", "A granted reading"},
		{"told alone", nil, []Grant{listed(Granted, "A"), listed(Refused, "B")}, "", "A granted listed, B refused listed"},
	} {
		var got []string
		for _, g := range weigh(tt.seen, tt.told, strings.Fields(tt.declared)) {
			got = append(got, strings.TrimSpace(g.Permission+" "+g.State.String()+" "+g.Basis.String()))
			if g.Evidence == "" {
				t.Errorf("%s: %s has no evidence", tt.name, g.Permission)
			}
			if reading := strings.Contains(g.Evidence, "our reading") && !strings.Contains(g.Evidence, "But:") || strings.Contains(g.Evidence, "this one alone is declared"); reading != (g.Basis == Reading) {
				t.Errorf("%s: %s by %s, and the evidence is %q", tt.name, g.Permission, g.Basis, g.Evidence)
			}
		}
		if words := strings.Join(got, ", "); words != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, words, tt.want)
		}
	}
}

// Which permissions a refusal names.
func TestNamedPermissions(t *testing.T) {
	def := &connector.Definition{Permissions: []connector.Permission{{Name: "read_mail", Label: "Read mail"}, {Name: "read"}, {Label: "Read admins", Aliases: []string{"read_teams"}}, {Name: "mail.read"}, {Name: "mail.read.all"}, {Name: "chat:write_all"}}}
	for _, tt := range []struct {
		words, challenge string
		want             string
		others           bool
	}{
		{"You do not have the required scope (read_mail) to access this resource", "", "read_mail", false},
		{"You do not have the required scope (Read admins)", "", "Read admins", false},
		{"You lack \"read_teams\".", "", "Read admins", false},
		{"You lack the permission Read admins.", "", "", false},
		{"You cannot read this.", "", "", false},
		{"The scope read_mail is missing.", "", "read_mail", false},
		{"The scope read_mail_all is missing.", "", "", true},
		{"It needs mail.read.", "", "mail.read", false},
		{"It needs mail.read.all here.", "", "mail.read.all", false},
		{"Required scope (read_mail, mail.read)", "", "read_mail mail.read", false},
		{"Required scope (files_read)", "", "", true},
		{"Required scope (read_mail) or (files_read)", "", "read_mail", true},
		{"", `Bearer error="insufficient_scope", scope="read_mail"`, "read_mail", false},
		{"", `Bearer error="insufficient_scope", scope="read_mail files"`, "read_mail", true},
		{"Forbidden", "", "", false},
		{"You need read_mail or files_read.", "", "read_mail", true},
		{"insufficient_scope: read_mail is missing.", "", "read_mail", false},
		{"It needs chat:write_all.", "", "chat:write_all", false},
	} {
		h := http.Header{}
		if tt.challenge != "" {
			h.Set("WWW-Authenticate", tt.challenge)
		}
		named, others := namedPermissions(def, h, answer{description: tt.words})
		if strings.Join(named, " ") != tt.want || others != tt.others {
			t.Errorf("%q %q names %q (others %v), want %q (others %v)", tt.words, tt.challenge, named, others, tt.want, tt.others)
		}
	}
}

// What the customer pays for is no permission.
func TestNamesPlan(t *testing.T) {
	for code, want := range map[string]bool{"api_plan_restricted": true, "PLAN_RESTRICTED": true, "subscription_required": true, "billing-error": true, "payment.required": true,
		"forbidden": false, "explanation_missing": false, "insufficient_scope": false, "": false} {
		a := answer{code: code, description: "It lacks a scope."}
		if namesPlan(a) != want || namesScope(a) == want {
			t.Errorf("%q speaks of a plan: %v, of a scope: %v", code, namesPlan(a), namesScope(a))
		}
	}
}

// A grant counts for a version only if nothing changed that it depends on.
func TestGrantedTo(t *testing.T) {
	a := GrantedTo{Client: "c", API: "https://api.example", Asked: "x"}
	for _, tt := range []struct {
		b    GrantedTo
		want string
	}{
		{a, ""},
		{GrantedTo{"d", "https://api.example", "x"}, "the client ID changed since"},
		{GrantedTo{"c", "https://api.eu.example", "x"}, "the address of the API changed since"},
		{GrantedTo{"c", "https://api.example", ""}, "the scopes that are asked for changed since"},
	} {
		if got := a.Since(tt.b); got != tt.want {
			t.Errorf("to %+v: %q, want %q", tt.b, got, tt.want)
		}
	}
}

// Whatever a provider writes, what is read out of it names permissions of the
// definition only, and holds no secret.
func FuzzGrants(f *testing.F) {
	for _, s := range []string{"You do not have the required scope (read_mail)", "((((\"“", "scope=\"a b\"", "read_mail,read_mail read", "\xff(\x00)", "CANARY-secret", "(CANARY-secret)"} {
		f.Add(s, `Bearer scope="`+s+`"`, s+" "+s, ",")
	}
	def := &connector.Definition{Name: "Rocket", OAuth: &connector.OAuth{SendScopes: true, ScopeDelimiter: " "},
		Permissions: []connector.Permission{{Name: "read_mail", Label: "Read mail"}, {Label: "Read admins"}}}
	f.Fuzz(func(t *testing.T, words, challenge, scopes, delimiter string) {
		named, _ := namedPermissions(def, http.Header{"Www-Authenticate": {challenge}}, answer{code: words, description: words})
		for _, id := range named {
			if _, ok := def.Permission(id); !ok {
				t.Errorf("%q names %q", words, id)
			}
		}
		r := &run{subject: subject{def: def}}
		r.version.Scopes = []string{"read_mail"}
		r.scrub.add("CANARY-secret")
		grants := weigh([]sighting{{outcome: refusedSome, permissions: named, words: r.quote("", answer{description: words})}}, r.tokenGrants(answer{scope: scopes, scopeTold: true}, 0), named)
		seen := map[string]bool{}
		for _, g := range grants {
			if strings.Contains(strings.ToLower(g.Permission+g.Evidence), "canary-secret") {
				t.Errorf("%+v has a secret", g)
			}
			if seen[g.Permission] {
				t.Errorf("%q has two grants", g.Permission)
			}
			seen[g.Permission] = true
		}
	})
}
