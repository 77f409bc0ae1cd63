package server

import (
	"testing"

	"backoffice/internal/connector"
	"backoffice/web/templates"
)

func TestNeeds(t *testing.T) {
	def := &connector.Definition{
		Identity:    &connector.Identity{URL: "{api}/me", Permission: "read_me"},
		Permissions: []connector.Permission{{Name: "read_me"}, {Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "extra"}},
		Topics: []connector.Topic{{Name: "either", Needs: []string{"a", "b"}}, {Name: "either.too", Needs: []string{"a", "b"}},
			{Name: "only", Needs: []string{"c"}}, {Name: "free"}},
	}
	all := []string{"either", "either.too", "only", "free", "unknown"}
	for _, tt := range []struct {
		name             string
		topics, declared []string
		missing          int
		words            []string // of read_me, a, b, c, extra
	}{
		{"nothing chosen", nil, nil, 1, []string{"Missing", "Not declared", "Not declared", "Not declared", "Not declared"}},
		{"nothing declared", all, nil, 3, []string{"Missing", "One of these is enough", "One of these is enough", "Missing", "Not declared"}},
		{"one of two is enough", all, []string{"b", "read_me"}, 1, []string{"Declared", "Not declared", "Declared", "Missing", "Not declared"}},
		{"all and more", all, []string{"a", "c", "extra", "read_me"}, 0, []string{"Declared", "Declared", "Not declared", "Declared", "Declared, not needed here"}},
	} {
		needs := needsOf(def, tt.topics)
		if got := unmet(needs, tt.declared); got != tt.missing {
			t.Errorf("%s: %d missing, want %d", tt.name, got, tt.missing)
		}
		for i, p := range def.Permissions {
			if row := permissionRow(p, needs, tt.declared); row.Word != tt.words[i] || row.Marked() != (tt.words[i] == "Missing") {
				t.Errorf("%s: %s is %q (marked %v), want %q", tt.name, p.Name, row.Word, row.Marked(), tt.words[i])
			}
		}
	}
	if row := permissionRow(def.Permissions[1], needsOf(def, all), nil); row.Verdict != templates.VerdictWarning || len(row.Needed) != 2 {
		t.Errorf("one of several: %+v", row)
	}
}
