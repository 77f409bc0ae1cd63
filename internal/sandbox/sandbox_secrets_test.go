package sandbox

import (
	"encoding/hex"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Which secrets are taken, and which one signs, at each position of the switch.
func TestTwoSecrets(t *testing.T) {
	for _, tt := range []struct {
		hold          Secrets
		first, second bool
		signs         string // with SignedRight
	}{
		{FirstSecret, true, false, "first"},
		{BothSecrets, true, true, "first"},
		{SecondSecret, false, true, "second"},
	} {
		p, err := New(Options{Seed: "two"})
		if err != nil {
			t.Fatal(err)
		}
		if p.ClientSecret() == p.SecondSecret() || len(p.SecondSecret()) != 40 {
			t.Fatalf("the second secret is %q", p.SecondSecret())
		}
		p.Set(Faults{Secrets: tt.hold, Order: ClientFirstInWords})
		takes := func(secret string) bool {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("POST", "/auth/eagle/token", strings.NewReader(url.Values{"client_id": {p.ClientID()}, "client_secret": {secret}, "code": {"x"}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			p.ServeHTTP(w, r)
			return !strings.Contains(w.Body.String(), "secret")
		}
		if got := takes(p.ClientSecret()); got != tt.first {
			t.Errorf("%d: the first is taken: %v", tt.hold, got)
		}
		if got := takes(p.SecondSecret()); got != tt.second {
			t.Errorf("%d: the second is taken: %v", tt.hold, got)
		}
		if takes(hex.EncodeToString(make([]byte, 20))) {
			t.Errorf("%d: any is taken", tt.hold)
		}
		by := map[string]string{"first": p.ClientSecret(), "second": p.SecondSecret()}
		for signing, want := range map[Signing]string{SignedRight: tt.signs, SignedFirst: "first", SignedSecond: "second"} {
			if got := p.newNotification(Delivery{Signing: signing}).Secret; got != by[want] {
				t.Errorf("%d: signing %d is not with the %s", tt.hold, signing, want)
			}
		}
		for _, rec := range p.Log() {
			for _, f := range rec.Fields {
				if strings.Contains(f.Value, p.SecondSecret()) {
					t.Error("the log holds the second secret")
				}
			}
		}
	}
}
