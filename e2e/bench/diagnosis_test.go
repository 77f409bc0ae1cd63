//go:build bench

package bench

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/oauth"
	"backoffice/internal/sandbox"
	"backoffice/internal/secret"
	"backoffice/internal/store/bolt"
)

// testedEntry is the entry whose page shows a report with its waterfall.
const testedEntry = config.ID("acme-000123:intercom")

// diagnoses are how many runs are measured.
const diagnoses = 21

// diagnose runs tests without consent against a sandbox on this machine, with
// values that are not saved, and measures what they take beside their own calls.
// The reports stay in the history of testedEntry.
func diagnose(t testing.TB, r *report, db *bolt.DB, box *secret.Box) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + ln.Addr().String()
	redirect := "http://example.com/auth/intercom/callback"
	provider, err := sandbox.New(sandbox.Options{BaseURL: base, Seed: "bench", RedirectURIs: []string{redirect}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = provider.Serve(ctx, ln) }()
	service, entries := rehearsal(t, base, db, box)
	e, err := entries.Get(ctx, testedEntry)
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) config.Value { return config.TextValue(secret.NewText(s)) }
	d := config.Draft{ID: testedEntry, Revision: e.Revision, Base: e.Current, Values: []config.Input{{Key: "clientId", Value: text(provider.ClientID())},
		{Key: "clientSecret", Secret: true, Value: text(provider.ClientSecret())}, {Key: "region", Value: text(connector.RehearsalValue)}, {Key: "apiVersion", Value: text("2.10")}}}
	var over, took, calls []float64
	for range diagnoses {
		whole, own, rep := oneDiagnosis(t, service, d)
		if rep.Field(oauth.ClientSecret).Verdict != oauth.OK || rep.Calls != 6 {
			t.Fatalf("the run is not a good one: %s, %d calls", rep.Headline, rep.Calls)
		}
		over = append(over, whole.Seconds()/(1.3*own.Seconds()+0.02))
		took, calls = append(took, whole.Seconds()*1000), append(calls, own.Seconds()*1000)
	}
	slices.Sort(over)
	r.goal(median(over) <= 1, "a whole test without consent", fmt.Sprintf("%.1f ms for calls of %.1f ms: %.2f of what is allowed (worst %.2f)", median(took), median(calls), median(over), over[len(over)-1]),
		"at most 1.3 times its calls and 20 ms")
}

func rehearsal(t testing.TB, base string, db *bolt.DB, box *secret.Box) (*oauth.Service, *config.Service) {
	t.Helper()
	catalogue, err := connector.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if catalogue, err = catalogue.Rehearse("intercom", base); err != nil {
		t.Fatal(err)
	}
	guard, err := egress.New(egress.Options{Allow: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	entries := config.New(config.Options{Store: db, Box: box, Catalogue: catalogue, Now: time.Now})
	return oauth.New(oauth.Options{Store: db, Box: box, Config: entries, Guard: guard, PublicURL: "http://example.com", Now: time.Now}), entries
}

// oneDiagnosis returns how long a run took as its watcher saw it, and how long
// its calls took by themselves.
func oneDiagnosis(t testing.TB, s *oauth.Service, d config.Draft) (whole, own time.Duration, rep oauth.Report) {
	t.Helper()
	began := time.Now()
	ref, err := s.DiagnoseDraft(t.Context(), by, d)
	if err != nil {
		t.Fatal(err)
	}
	live, ok := s.Live(ref.Report)
	if !ok {
		t.Fatal("the run cannot be watched")
	}
	p := live.Progress()
	for !p.Done {
		p = live.Next(t.Context(), len(p.Report.Steps), p.Doing)
	}
	whole = time.Since(began)
	for _, st := range p.Report.Steps {
		if st.Exchange != nil {
			own += st.Exchange.Total
		}
		for _, x := range st.Further {
			own += x.Total
		}
	}
	return whole, own, p.Report
}
