package egress

import (
	"crypto/tls"
	"net/http"
	"testing"
	"time"
)

// To reach an address is to resolve, connect and shake hands, by the rules of a
// call, and to send nothing of HTTP.
func TestReach(t *testing.T) {
	ca := newAuthority(t)
	now, day := time.Now(), 24*time.Hour
	n := newNames(t)
	n.set("good.example", "127.0.0.1")
	n.set("late.example", "127.0.0.1")
	n.set("inside.example", "127.0.0.1")
	pair := func(name string, until time.Time) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{ca.issue(t, name, until.Add(-2*day), until)}}
	}
	good := serve(t, http.NotFoundHandler(), pair("good.example", now.Add(day)))
	late := serve(t, http.NotFoundHandler(), pair("late.example", now.Add(-day)))
	plain := serve(t, http.NotFoundHandler(), nil)
	g := newGuard(t, Options{Allow: []string{"good.example", "late.example"}, RootCAs: ca.pool(), Resolver: n.resolver()})
	for _, tt := range []struct {
		url    string
		class  Class
		fault  Fault
		chain  int // certificates in the trace
		shaken bool
	}{
		{"https://good.example:" + good.port() + "/token?code=CANARY", None, NoFault, 1, true},
		{"http://good.example:" + plain.port() + "/", None, NoFault, 0, false},
		{"https://late.example:" + late.port() + "/", TLS, Expired, 1, false},
		{"https://good.example:" + plain.port() + "/", TLS, NotTLS, 0, false},
		{"https://good.example:1/", Connect, NoFault, 0, false},
		{"https://nowhere.example/", DNS, NoFault, 0, false},
		{"https://inside.example/", Refused, NoFault, 0, false},
		{"https://127.0.0.1/", Refused, NoFault, 0, false},
		{"http://inside.example/", Refused, NoFault, 0, false},
	} {
		trace := &Trace{}
		err := g.Reach(WithTrace(t.Context(), trace), mustURL(t, tt.url))
		if tt.class != None {
			if e := wantClass(t, err, tt.class); e.Fault != tt.fault {
				t.Errorf("%s: fault %q, want %q", tt.url, e.Fault, tt.fault)
			}
		} else if err != nil {
			t.Errorf("%s: %v", tt.url, err)
		}
		xs := trace.Exchanges()
		if len(xs) != 1 {
			t.Fatalf("%s: %d exchanges", tt.url, len(xs))
		}
		x := xs[0]
		chain := 0
		if x.TLS != nil {
			chain = len(x.TLS.Chain)
		}
		if !x.Done || x.Class != tt.class || x.Fault != tt.fault || x.Status != 0 || chain != tt.chain || (x.Phases.TLS > 0) != (tt.shaken || tt.class == TLS) ||
			tt.class == None && (x.Remote == "" || x.Phases.Connect <= 0) {
			t.Errorf("%s: recorded %+v", tt.url, x)
		}
	}
	if r := good.requests.Load() + late.requests.Load() + plain.requests.Load(); r != 0 {
		t.Errorf("%d requests were sent", r)
	}
}
