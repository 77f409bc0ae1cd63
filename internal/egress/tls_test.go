package egress

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestTLS(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	now := time.Now()
	day := 24 * time.Hour
	n := newNames(t)
	n.set("provider.example", "127.0.0.1")
	good := ca.issue(t, "provider.example", now.Add(-day), now.Add(day))
	plain := serve(t, http.NotFoundHandler(), nil)
	for _, tt := range []struct {
		name    string
		conf    *tls.Config // nil: plain HTTP behind an https URL
		fault   Fault
		version string
		expires time.Time
	}{
		{"good", &tls.Config{Certificates: []tls.Certificate{good}}, NoFault, "TLS 1.3", now.Add(day)},
		{"good, TLS 1.2", &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}, NoFault, "TLS 1.2", now.Add(day)},
		{"expired", &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "provider.example", now.Add(-2*day), now.Add(-day))}}, Expired, "", now.Add(-day)},
		{"not yet valid", &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "provider.example", now.Add(day), now.Add(2*day))}}, NotYetValid, "", now.Add(2 * day)},
		{"wrong name", &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "other.example", now.Add(-day), now.Add(day))}}, WrongName, "", now.Add(day)},
		{"unknown authority", &tls.Config{Certificates: []tls.Certificate{stranger.issue(t, "provider.example", now.Add(-day), now.Add(day))}}, UnknownAuthority, "", now.Add(day)},
		{"TLS 1.1", &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, Handshake, "", time.Time{}},
		{"not TLS", nil, NotTLS, "", time.Time{}},
	} {
		srv := plain
		if tt.conf != nil {
			srv = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }), tt.conf)
		}
		g := newGuard(t, Options{Allow: []string{"provider.example"}, RootCAs: ca.pool(), Resolver: n.resolver()})
		trace := &Trace{}
		_, b, err := read(WithTrace(t.Context(), trace), t, g.Client(CallOptions{}), "https://provider.example:"+srv.port()+"/")
		x := trace.Exchanges()[0]
		if tt.fault == NoFault {
			if err != nil || string(b) != "HTTP/1.1" || x.Remote != "loopback IPv4" || x.Resolved != 1 || x.Public != 0 {
				t.Errorf("%s: %q, %v, recorded %+v", tt.name, b, err, x)
			}
		} else if e := wantClass(t, err, TLS); e.Fault != tt.fault || e.Msg == "" || x.Problem != e.Msg {
			t.Errorf("%s: fault %q, want %q: %+v", tt.name, e.Fault, tt.fault, e)
		}
		if x.Fault != tt.fault || x.Phases.TLS <= 0 || x.Phases.DNS <= 0 {
			t.Errorf("%s: recorded %+v", tt.name, x)
		}
		if tt.expires.IsZero() {
			if x.TLS != nil {
				t.Errorf("%s: a certificate is recorded: %+v", tt.name, x.TLS)
			}
		} else if x.TLS == nil || x.TLS.Version != tt.version || !x.TLS.NotAfter.Equal(tt.expires.Truncate(time.Second)) ||
			!x.TLS.NotBefore.Before(x.TLS.NotAfter) || x.TLS.Issuer != "Test Authority" || len(x.TLS.Names) != 1 {
			t.Errorf("%s: recorded %+v", tt.name, x.TLS)
		}
	}
}

// The guard's clock judges certificates.
func TestClockJudgesCertificates(t *testing.T) {
	ca := newAuthority(t)
	now := time.Now()
	n := newNames(t)
	n.set("provider.example", "127.0.0.1")
	srv := serve(t, http.NotFoundHandler(), &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "provider.example", now.AddDate(0, -1, 0), now.AddDate(0, 1, 0))}})
	got := []Fault{}
	for _, years := range []int{-1, 0, 1} {
		g := newGuard(t, Options{Allow: []string{"provider.example"}, RootCAs: ca.pool(), Resolver: n.resolver(),
			Now: func() time.Time { return now.AddDate(years, 0, 0) }})
		trace := &Trace{}
		read(WithTrace(t.Context(), trace), t, g.Client(CallOptions{}), "https://provider.example:"+srv.port()+"/")
		x := trace.Exchanges()[0]
		got = append(got, x.Fault)
		if !x.Started.Equal(now.AddDate(years, 0, 0)) || x.Started.Location() != time.UTC {
			t.Errorf("started %s", x.Started)
		}
	}
	if want := []Fault{NotYetValid, NoFault, Expired}; !slices.Equal(got, want) {
		t.Errorf("faults %q, want %q", got, want)
	}
}

// Without an authority of the operator's own, the system's are asked.
func TestSystemAuthorities(t *testing.T) {
	ca := newAuthority(t)
	n := newNames(t)
	n.set("provider.example", "127.0.0.1")
	srv := serve(t, http.NotFoundHandler(), tlsFor(t, ca))
	g := newGuard(t, Options{Allow: []string{"provider.example"}, Resolver: n.resolver()})
	_, err := get(t.Context(), t, g.Client(CallOptions{}), "https://provider.example:"+srv.port()+"/")
	if e := wantClass(t, err, TLS); e.Fault != UnknownAuthority {
		t.Errorf("fault %q", e.Fault)
	}
}

// A handshake that fails closes its connection.
func TestFailedHandshakeHangsUp(t *testing.T) {
	over := make(chan error)
	addr := listen(t, func(c net.Conn) {
		io.WriteString(c, "this is not TLS\r\n")
		_, err := io.Copy(io.Discard, c) // until the other side hangs up
		over <- err
	})
	_, err := get(t.Context(), t, local(t).Client(CallOptions{}), "https://"+addr+"/")
	wantClass(t, err, TLS)
	<-over
}

func tlsFor(t *testing.T, ca *authority) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "provider.example", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))}}
}
