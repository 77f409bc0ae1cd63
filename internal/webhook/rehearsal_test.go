package webhook

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"backoffice/internal/sandbox"
)

// What the rehearsal sandbox sends, over real HTTP, is judged and explained as
// its switches say. The sandbox shares no code with this room.
func TestRehearsal(t *testing.T) {
	came := make(chan Request, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		came <- Request{Header: r.Header.Clone(), Body: body, Received: time.Now()}
	}))
	t.Cleanup(srv.Close)
	p, err := sandbox.New(sandbox.Options{NotifyURL: srv.URL + "/webhooks/intercom", Client: srv.Client()})
	if err != nil {
		t.Fatal(err)
	}
	w := hubScheme(t)
	known := candidates(p.ClientSecret(), "the one before")
	known[1].Signer.Standing = Expired
	for _, c := range []struct {
		name    string
		send    sandbox.Delivery
		verdict Verdict
		about   string
		causes  []Cause // of one that is not OK
		body    string
	}{
		{"as documented", sandbox.Delivery{Topic: "contact.merged"}, OK, "X-Hub-Signature", nil, ""},
		{"uninstall", sandbox.Delivery{Uninstall: true}, OK, "X-Body-Signature", nil, ""},
		{"another secret", sandbox.Delivery{Signing: sandbox.WrongSecret}, Mismatch, "X-Hub-Signature", []Cause{UnknownSecret}, ""},
		{"the secret before", sandbox.Delivery{Secret: "the one before"}, Mismatch, "X-Hub-Signature", []Cause{ExpiredSecret}, ""},
		{"SHA-256", sandbox.Delivery{Signing: sandbox.OtherHash}, Malformed, "X-Hub-Signature", []Cause{OtherAlgorithm}, ""},
		{"base64", sandbox.Delivery{Signing: sandbox.SignedBase64}, Malformed, "X-Hub-Signature", []Cause{OtherEncoding}, ""},
		{"no prefix", sandbox.Delivery{Signing: sandbox.NoPrefix}, Malformed, "X-Hub-Signature", []Cause{OtherPrefix}, ""},
		{"unsigned", sandbox.Delivery{Signing: sandbox.Unsigned}, Unsigned, "", []Cause{NoSignature}, ""},
		{"spaced", sandbox.Delivery{Topic: "contact.user.created", Rewriting: sandbox.Spaced}, Mismatch, "X-Hub-Signature", []Cause{ChangedBody}, "written without spaces"},
		{"reordered", sandbox.Delivery{Topic: "company.created", Rewriting: sandbox.Reordered}, Mismatch, "X-Hub-Signature", []Cause{ChangedBody}, "written without spaces, in the order of the documented example"},
		{"escaped", sandbox.Delivery{Topic: "contact.user.created", Rewriting: sandbox.Escaped}, Mismatch, "X-Hub-Signature", []Cause{ChangedBody}, "written without spaces"},
		{"line break", sandbox.Delivery{Rewriting: sandbox.LineBreak}, Mismatch, "X-Hub-Signature", []Cause{ChangedBody}, "without the line break at its end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := p.Send(c.send); err != nil {
				t.Fatal(err)
			}
			req := <-came
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := p.Settle(ctx); err != nil {
				t.Fatal(err)
			}
			got := Verify(w, known[:1], req)
			if got.Verdict != c.verdict || got.Signature != c.about {
				t.Errorf("judged %+v, want %s of %q", got, c.verdict, c.about)
			}
			if c.verdict != OK {
				if e := Explain(w, known, req); !slices.Equal(e.Causes, c.causes) || e.Body != c.body {
					t.Errorf("explained %+v, want %v of a body %q", e, c.causes, c.body)
				}
			}
			facts := Read(w, req)
			if facts.Account == "" || !c.send.Uninstall && (facts.ID == "" || facts.Topic == "" || facts.Attempt != 1 || facts.Happened.IsZero() || facts.FirstSent.IsZero()) {
				t.Errorf("read %+v", facts)
			}
		})
	}
}
