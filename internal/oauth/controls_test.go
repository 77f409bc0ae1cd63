package oauth

import (
	"strings"
	"testing"
	"unicode"
)

// A control differs from the real value and keeps its form: its length, which
// alphabet stands where, its beginning and its separators.
func TestControlsKeepTheForm(t *testing.T) {
	for _, tt := range []struct {
		value      string
		idKeeps    string // what the made-up id begins with
		idEnd      string // and ends with
		secretEnds string // what a corrupted one has at both ends
	}{
		{"crm_7Qd2Xk81bV", "crm_7", "", "crm_7Q|bV"},
		{"1234567890", "12345", "", "12|90"},
		{"81af03c2e9b4d1ff00", "81af", "", "81af|ff00"},
		{"3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0", "", "3f2504e0-4f89-41d3-9a0c-030|301"},
		{"407408718192-abc1def2.apps.example.com", "407408", ".apps.example.com", "407|192-abc1def2.apps.example.com"},
		{"rocketclient", "r", "", "roc|ent"},
		{"a", "", "", "|"},
		{"A1", "", "", "|"},
		{"--", "--", "", "-|"},
		{"s3cr3t+/with=signs", "s", "", "s|t+/with=signs"},
		{"éé€€éé", "éé", "", "éé|"},
		{"!", "", "", "|"},
		{"shpss_0f1e2d3c4b5a6978", "shpss_0f1e", "", "shpss_0f1e|6978"},
		{"1000.ABCDEFGH2345IJKL", "1000.ABCD", "", "1000.ABCD|IJKL"},
		{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhYmNkZWYifQ.dozjgNryP4J3", "eyJ", "", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhYmNkZWYifQ.doz|4J3"},
	} {
		for range 20 {
			id, secret := lookalike(tt.value), corrupted(tt.value)
			for _, made := range []string{id, secret} {
				if made == tt.value || !sameForm(made, tt.value) {
					t.Errorf("%q became %q", tt.value, made)
				}
			}
			if tt.value != "--" && !strings.HasPrefix(id, tt.idKeeps) || tt.idEnd != "" && !strings.HasSuffix(id, tt.idEnd) {
				t.Errorf("the made-up id %q does not begin with %q, or end with %q", id, tt.idKeeps, tt.idEnd)
			}
			begin, end, _ := strings.Cut(tt.secretEnds, "|")
			if !strings.HasPrefix(secret, begin) || !strings.HasSuffix(secret, end) {
				t.Errorf("the corrupted secret %q has not the ends %q", secret, tt.secretEnds)
			}
		}
	}
	if corrupted("") != "" || lookalike("") != "" {
		t.Error("nothing became something")
	}
	for range 50 {
		if made := corrupted("shpss_0f1e2d3c4b5a6978"); strings.Trim(made[6:], "0123456789abcdef") != "" {
			t.Errorf("%q is not hexadecimal any more", made)
		}
		if made := corrupted("JBSWY3DPEHPK3PXP"); strings.Trim(made, uppers+"234567") != "" {
			t.Errorf("%q is not base32 any more", made)
		}
		if id := lookalike("81af03c2e9b4d1"); strings.Trim(id, "0123456789abcdef") != "" {
			t.Errorf("%q is not hexadecimal any more", id)
		}
	}
}

func sameForm(a, b string) bool {
	ra, rb := []rune(a), []rune(b)
	if len(ra) != len(rb) {
		return false
	}
	for i := range ra {
		digit, lower, upper := unicode.IsDigit(rb[i]), rb[i] >= 'a' && rb[i] <= 'z', rb[i] >= 'A' && rb[i] <= 'Z'
		switch {
		case digit && unicode.IsDigit(ra[i]), lower && ra[i] >= 'a' && ra[i] <= 'z', upper && ra[i] >= 'A' && ra[i] <= 'Z':
		case !digit && !lower && !upper && (ra[i] == rb[i] || i == len(ra)-1):
		default:
			return false
		}
	}
	return true
}

func FuzzControls(f *testing.F) {
	for _, s := range []string{"", "a", "crm_7Qd2", "81af03c2e9b4", "日本語", "\x00\xff", strings.Repeat("x", 500), "!!!", "?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, made := range map[string]string{"id": lookalike(s), "secret": corrupted(s)} {
			if s != "" && made == s {
				t.Errorf("the %s %q stayed as it is", name, s)
			}
			if n, m := len([]rune(s)), len([]rune(made)); n != m {
				t.Errorf("the %s %q has %d characters, then %d", name, s, n, m)
			}
		}
	})
}
