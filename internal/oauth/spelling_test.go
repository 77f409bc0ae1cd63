package oauth

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
)

// A provider may repeat a secret behind encodings of its own, in pieces, or cut.
func TestHiddenSecrets(t *testing.T) {
	const secret = "s3cr3t+/CANARY=8fT2kQ9zLm4"
	var s scrubber
	s.add(secret)
	spaced := strings.Join(strings.Split(secret, ""), " ")
	escaped := ""
	for _, c := range secret {
		escaped += fmt.Sprintf(`\u%04x`, c)
	}
	percent := ""
	for _, c := range []byte(secret) {
		percent += fmt.Sprintf("%%%02X", c)
	}
	for name, text := range map[string]string{
		"as it is": secret, "percent beside a stray sign": "100% " + percent, "percent twice": strings.ReplaceAll(percent, "%", "%25"),
		"percent three times": url.QueryEscape(url.QueryEscape(url.QueryEscape(secret))), "entities twice": html.EscapeString(html.EscapeString(secret)),
		"JSON escapes": escaped, "spaced": spaced, "with dashes": strings.Join([]string{secret[:6], secret[6:12], secret[12:18], secret[18:]}, "-"),
		"cut": secret[:20], "upper case": strings.ToUpper(secret), "far behind": strings.Repeat("a ", 4<<10) + secret,
	} {
		got := s.foreign("before " + text + " after")
		plain := strings.ToLower(bareText(loosened(loosened(loosened(got)))))
		for i := 0; i+sharedRun <= len(bareText(secret)); i++ {
			if part := bareText(secret)[i : i+sharedRun]; strings.Contains(plain, part) {
				t.Errorf("%s: %q still has %q", name, got, part)
				break
			}
		}
	}
	if got := s.foreign("The client secret does not match (100 % sure)"); got != "The client secret does not match (100 % sure)" {
		t.Errorf("harmless words became %q", got)
	}
}

// The cut of a long text goes through no secret.
func TestLongForeignText(t *testing.T) {
	var s scrubber
	s.add("s3cr3t-CANARY-8fT2kQ9zLm4")
	for at := maxForeign - 30; at < maxForeign+5; at++ {
		if got := s.foreign(strings.Repeat("s3cr3t-CANARY-8fT2kQ9zLm4", 1) + strings.Repeat(" ", at) + "s3cr3t-CANARY-8fT2kQ9zLm4" + strings.Repeat(" x", maxForeign)); strings.Contains(got, "CANARY") || strings.Contains(got, "s3cr3t") {
			t.Errorf("at %d: %q", at, got)
		}
	}
}

// A control of a code that a provider cuts out of a secret is not shown as one.
func TestShortCodeShowsNoPart(t *testing.T) {
	r := &run{}
	r.scrub.add("a1b2c3d4e5f6a7b8c9d0e1f2a3")
	if got := r.shortCode("a1b2c3d4e5f6a7b8c9d0"); got != "" {
		t.Errorf("the code %q is shown", got)
	}
	if got := r.shortCode("invalid_client"); got != "invalid_client" {
		t.Errorf("an honest code became %q", got)
	}
}
