package server

import (
	"testing"

	"backoffice/internal/connector"
	"backoffice/internal/webhook"
)

// That not all values were tried is said, and not that all were.
func TestKeyStepSaysWhatWasNotTried(t *testing.T) {
	for untried, want := range map[int]string{
		0: "The values of each entry behind this address were tried.",
		3: "The values of 3 entries behind this address were not tried: for so long a body they are too many. Register an address that fewer share.",
	} {
		if got := keyStep(webhook.Notification{Owner: "intercom", Verdict: webhook.Mismatch, Untried: untried}, nil, nil).Text; got != want {
			t.Errorf("%d untried: %q", untried, got)
		}
	}
}

// The words on a signature say what is signed, also where it is not the body alone.
func TestSignatureWords(t *testing.T) {
	catalogue, err := connector.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"intercom": "HMAC-SHA-1 over the raw body, in hex after sha1=",
		"github":   "HMAC-SHA-256 over the raw body, in hex after sha256=",
		"slack":    "HMAC-SHA-256 over v0:{timestamp}:{body}, the body raw, in hex after v0=",
		"xero":     "HMAC-SHA-256 over the raw body, in base64",
	} {
		d, ok := catalogue.Get(key)
		if !ok {
			t.Fatalf("there is no %s", key)
		}
		if got := signatureWords(d.Webhooks.Signatures[0]); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}
