package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/connector"
)

// A signature that fits, in a header that does not have the form of the
// definition, is no signature that holds by now.
func TestExplain_fitsInAnotherForm(t *testing.T) {
	at := time.Unix(1731420618, 0)
	digest := digestOf(sha256.New, "current", "1731420618."+bodyEvent)
	stamped := "v0=" + digestOf(sha256.New, "current", "v0:1731420618:"+bodyPing)
	strict := inBase64Of(digestOf(sha256.New, "current", bodyPing), base64.StdEncoding)
	loose := strict[:len(strict)-2] + string(strict[len(strict)-2]+1) + "=" // the last bits do not count
	for _, c := range []struct {
		name   string
		w      *connector.Webhooks
		header http.Header
		body   string
	}{
		{"a list twice", listScheme(), http.Header{"Stripe-Signature": {"t=1731420618,v1=" + digest, "t=1731420618,v1=" + digest}}, bodyEvent},
		{"two times in a list", listScheme(), http.Header{"Stripe-Signature": {"t=1731420618,t=1731420619,v1=" + digest}}, bodyEvent},
		{"nine in a list", listScheme(), http.Header{"Stripe-Signature": {"t=1731420618" + strings.Repeat(",v1="+digest, 9)}}, bodyEvent},
		{"one of a list is cut", listScheme(), http.Header{"Stripe-Signature": {"t=1731420618,v1=ab,v1=" + digest}}, bodyEvent},
		{"the time twice", stampedScheme(), http.Header{"X-Slack-Signature": {stamped}, "X-Slack-Request-Timestamp": {"1731420618", "1731420618"}}, bodyPing},
		{"base64 with bits behind", base64Scheme(), http.Header{http.CanonicalHeaderKey(base64Scheme().Signatures[0].Header): {loose}}, bodyPing},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := Request{Header: c.header, Body: []byte(c.body), Received: at}
			if v := Verify(c.w, theSecrets(), req).Verdict; v != Malformed {
				t.Fatalf("the verdict is %s", v)
			}
			got := Explain(c.w, theSecrets(), req)
			if !slices.Equal(got.Causes, []Cause{BadForm}) || got.Signer == nil || strings.Contains(got.Words, "by now") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Where not every secret was tried, that is said.
func TestExplain_tooManySecrets(t *testing.T) {
	all := make([]string, maxCandidates+7)
	for i := range all {
		all[i] = strings.Repeat("x", i+1)
	}
	req := Request{Header: http.Header{"X-Hub-Signature": {"sha1=" + signedAs(all[len(all)-1], bodyPing)}}, Body: []byte(bodyPing)}
	got := Explain(hubScheme(t), candidates(all...), req)
	if !slices.Equal(got.Causes, []Cause{UnknownSecret}) || got.Words != "None of the secrets that were tried signed it. Others that are known here were not tried." || !strings.HasPrefix(got.Remedy, "Register an address") {
		t.Errorf("got %+v", got)
	}
}

// A body so long that not even as it came it is tried with all.
func TestExplain_notEvenAsItCame(t *testing.T) {
	body := strings.Repeat("x", 1<<20)
	all := make([]string, 100)
	for i := range all {
		all[i] = strings.Repeat("x", i+1)
	}
	got := Explain(hubScheme(t), candidates(all...), Request{Header: http.Header{"X-Hub-Signature": {"sha1=" + signedAs(all[99], body)}}, Body: []byte(body)})
	if !slices.Equal(got.Causes, []Cause{UnknownSecret}) || !strings.Contains(got.Words, "Others that are known here were not tried.") || !strings.Contains(got.Words, "the search ended after 63 variants") {
		t.Errorf("got %+v", got)
	}
}

// The headers of the definition are kept as they came, however many others there
// are: the explanation is of them.
func TestRedact_schemeFirst(t *testing.T) {
	h := http.Header{"X-Hub-Signature": {"sha1=a\tb"}, "X-Body-Signature": {strings.Repeat("f", maxHeader+10)}}
	for range 500 {
		h.Add("A-Many", "v")
	}
	got := Redact(hubScheme(t), h)
	if len(got) != maxHeaders || got[0].Name != "A-Many" || len(got[maxHeaders-2].Value) != maxHeader+1 || got[maxHeaders-1].Value != "sha1=a\tb" {
		t.Errorf("%d lines, the last %.100v", len(got), got[max(0, len(got)-2):])
	}
}
