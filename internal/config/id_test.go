package config_test

import (
	"net/url"
	"strings"
	"testing"

	"backoffice/internal/config"
	"backoffice/internal/errs"
)

const (
	idForm  = "An id has the form vendor:service or vendor:service:module, for example acme:intercom."
	idParts = idForm + " Each part has letters, digits, dots, hyphens and underscores, at most 64, and starts with a letter or a digit."
)

func TestParseID(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, tt := range []struct{ in, vendor, service, module, fault string }{
		{"acme:intercom", "acme", "intercom", "", ""},
		{"acme:google:drive", "acme", "google", "drive", ""},
		{"0:1:2", "0", "1", "2", ""},
		{"ACME:Inter_Com.v2-x", "ACME", "Inter_Com.v2-x", "", ""},
		{long + ":" + long + ":" + long, long, long, long, ""},
		{"", "", "", "", "Type an id. " + idForm},
		{"acme", "", "", "", idForm},
		{"a:b:c:d", "", "", "", idForm},
		{":intercom", "", "", "", idParts},
		{"acme:", "", "", "", idParts},
		{"acme::drive", "", "", "", idParts},
		{"acme:intercom:", "", "", "", idParts},
		{"-acme:intercom", "", "", "", idParts},
		{"acme:.intercom", "", "", "", idParts},
		{"acme: intercom", "", "", "", idParts},
		{"acme:inter/com", "", "", "", idParts},
		{"acme:intercom\n", "", "", "", idParts},
		{"acmé:intercom", "", "", "", idParts},
		{"acme:" + long + "a", "", "", "", idParts},
	} {
		id, err := config.ParseID(tt.in)
		if id.Vendor() != tt.vendor || id.Service() != tt.service || id.Module() != tt.module {
			t.Errorf("ParseID(%q) = %q, %q, %q; want %q, %q, %q", tt.in, id.Vendor(), id.Service(), id.Module(), tt.vendor, tt.service, tt.module)
		}
		if got := errs.Fields(err)["id"]; got != tt.fault || (err == nil) != (tt.fault == "") {
			t.Errorf("ParseID(%q): %v; want on id: %q", tt.in, err, tt.fault)
		}
	}
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"", "acme:intercom", "acme:google:drive", "a:b:c:d", "../x:y", "a\x00:b", "é:è"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := config.ParseID(s)
		if err != nil {
			if id != "" || errs.Fields(err)["id"] == "" || !errs.Is(err, errs.Invalid) {
				t.Fatalf("ParseID(%q) = %q, %v; want no id and words on the field", s, id, err)
			}
			return
		}
		joined := strings.TrimSuffix(strings.Join([]string{id.Vendor(), id.Service(), id.Module()}, ":"), ":")
		if string(id) != s || joined != s || url.PathEscape(s) != s || strings.Contains(s, "/") {
			t.Fatalf("ParseID accepted %q as %q, %q, %q", s, id.Vendor(), id.Service(), id.Module())
		}
	})
}
