package egress

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// Whatever secret goes through a call, in either direction and in any place, no
// trace and no error has it.
func TestTraceHoldsNoSecret(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", `application/json; charset="CANARY"`)
		w.Header().Set("Set-Cookie", "s=CANARY")
		w.Header().Set("X-Secret", "CANARY")
		w.Header().Set("X-Request-Id", "req-1")
		w.Header().Set("Location", "/next?code=CANARY")
		switch r.URL.Path {
		case "/moved":
			w.WriteHeader(http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "1000")
		}
		io.WriteString(w, "CANARY")
	}), nil)
	trace := &Trace{Keep: func(name, value string) (string, bool) {
		switch name {
		case "Authorization", "Cookie", "Set-Cookie", "Proxy-Authorization":
			t.Errorf("%s is offered", name)
		case "X-Request-Id":
			return value, true
		case "X-Secret":
			return "[removed]", true
		}
		return "", false
	}}
	host := strings.TrimPrefix(srv.URL, "http://")
	var told []string
	for _, u := range []string{
		"http://" + host + "/token?secret=CANARY#CANARY",
		"http://" + host + "/moved?secret=CANARY",
		"http://" + host + "/cut?secret=CANARY",
		"http://user:CANARY@" + host + "/token",
		"https://" + host + "/token?CANARY",
		"http://10.0.0.1/token?CANARY",
		"http://127.0.0.1:1/?CANARY",
	} {
		for _, follow := range []bool{false, true} {
			req, err := http.NewRequestWithContext(WithTrace(t.Context(), trace), "POST", u, strings.NewReader("client_secret=CANARY"))
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Secret", "X-Other"} {
				req.Header.Set(h, "CANARY")
			}
			resp, err := Do(local(t).Client(CallOptions{FollowSameOrigin: follow}), req)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			told = append(told, fmt.Sprintf("%v %+v %#v", err, err, err))
		}
	}
	xs := trace.Exchanges()
	if len(xs) != 14 {
		t.Fatalf("%d exchanges", len(xs))
	}
	asJSON, err := json.Marshal(xs)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(told, string(asJSON), fmt.Sprintf("%+v", xs), fmt.Sprintf("%#v", xs)) {
		if strings.Contains(s, "CANARY") || strings.Contains(s, "user:") {
			t.Errorf("a secret is told: %s", s)
		}
	}
	x := xs[0]
	if fmt.Sprint(x.RequestHeaders) != "[{X-Secret [removed]}]" || fmt.Sprint(x.ResponseHeaders) != "[{X-Request-Id req-1} {X-Secret [removed]}]" {
		t.Errorf("kept %v and %v", x.RequestHeaders, x.ResponseHeaders)
	}
	if x.Method != "POST" || x.URL != "http://"+host+"/token" || x.Status != 200 || x.Protocol != "HTTP/1.1" ||
		x.ContentType != "application/json" || x.Sent != 20 || x.Received != 6 || x.Unpacked != 6 || x.Class != None || x.Problem != "" || !x.Done {
		t.Errorf("recorded %+v", x)
	}
	var back []Exchange
	if err := json.Unmarshal(asJSON, &back); err != nil || fmt.Sprintf("%+v", back[8]) != fmt.Sprintf("%+v", xs[8]) {
		t.Errorf("does not come back from JSON: %v", err)
	}
}

// The phases follow each other, so they cannot be longer together than the whole.
func TestPhases(t *testing.T) {
	n := newNames(t)
	n.set("provider.example", "127.0.0.1")
	ca := newAuthority(t)
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 100000)) }), tlsFor(t, ca))
	g := newGuard(t, Options{Allow: []string{"provider.example"}, RootCAs: ca.pool(), Resolver: n.resolver()})
	trace := &Trace{}
	if _, _, err := read(WithTrace(t.Context(), trace), t, g.Client(CallOptions{}), "https://provider.example:"+srv.port()+"/"); err != nil {
		t.Fatal(err)
	}
	x := trace.Exchanges()[0]
	sum := time.Duration(0)
	for name, d := range map[string]time.Duration{"dns": x.Phases.DNS, "connect": x.Phases.Connect, "tls": x.Phases.TLS,
		"send": x.Phases.Send, "wait": x.Phases.Wait, "receive": x.Phases.Receive} {
		if d <= 0 {
			t.Errorf("%s took %s", name, d)
		}
		sum += d
	}
	if sum > x.Total || x.Total <= 0 {
		t.Errorf("phases %s, whole %s", sum, x.Total)
	}
}

// A call whose body is still open is in the trace, and not done.
func TestOpenExchange(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "12345") }), nil)
	trace := &Trace{}
	resp, err := get(WithTrace(t.Context(), trace), t, local(t).Client(CallOptions{}), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if x := trace.Exchanges()[0]; x.Done || x.Status != 200 || x.Total != 0 {
		t.Errorf("recorded %+v", x)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if x := trace.Exchanges()[0]; !x.Done || x.Unpacked != 2 || x.Class != None {
		t.Errorf("recorded %+v", x)
	}
	if _, err := resp.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
		t.Errorf("a closed body reads: %v", err)
	}
}

// One trace and one client may serve many calls at once.
func TestConcurrentCalls(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) }), nil)
	trace := &Trace{Keep: func(string, string) (string, bool) { return "x", true }}
	ctx, client := WithTrace(t.Context(), trace), local(t).Client(CallOptions{})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			path := fmt.Sprintf("/%d", i)
			if _, b, err := read(ctx, t, client, srv.URL+path); err != nil || string(b) != path {
				t.Errorf("%q, %v", b, err)
			}
			trace.Exchanges()
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, x := range trace.Exchanges() {
		seen[x.URL] = x.Done && x.Status == 200
	}
	if len(seen) != 20 {
		t.Errorf("%d different calls", len(seen))
	}
	for u, ok := range seen {
		if !ok {
			t.Errorf("%s is not complete", u)
		}
	}
}

// net/http may report late: from an address that lost the race, or after the end.
func TestLateReports(t *testing.T) {
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://h/", nil)
	r := newRecord(req, time.Now())
	h := r.hooks()
	h.ConnectStart("tcp", "a")
	h.ConnectStart("tcp", "b")
	h.ConnectDone("tcp", "b", nil)
	connected := r.end[connecting]
	r.begin(securing)
	h.ConnectDone("tcp", "a", io.EOF)
	if !r.end[connecting].Equal(connected) {
		t.Error("the loser of the race prolongs the phase")
	}
	r.close(1, 2, &Error{Class: Connect, Msg: "words"})
	want := r.snapshot()
	r.close(3, 4, nil)
	h.DNSDone(httptrace.DNSDoneInfo{Addrs: []net.IPAddr{{IP: net.IPv4(8, 8, 8, 8)}}})
	r.remote(&net.TCPAddr{IP: net.IPv4(8, 8, 8, 8), Port: 443})
	r.begin(receiving)
	if got := r.snapshot(); !reflect.DeepEqual(got, want) {
		t.Errorf("changed after its end: %+v, was %+v", got, want)
	}
}

// What is counted and shown of public addresses, without calling one.
func TestPublicAddressesAreCounted(t *testing.T) {
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://h/", nil)
	r := newRecord(req, time.Now())
	r.hooks().DNSDone(httptrace.DNSDoneInfo{Addrs: []net.IPAddr{{IP: net.IPv4(8, 8, 8, 8)}, {IP: net.ParseIP("2606:4700::1")}, {IP: net.IPv4(10, 0, 0, 1)}}})
	r.remote(&net.TCPAddr{IP: net.ParseIP("2606:4700::1"), Port: 443})
	if x := r.snapshot(); x.Resolved != 3 || x.Public != 2 || x.Remote != "public IPv6" {
		t.Errorf("recorded %+v", x)
	}
}

func TestEnumsRefuseUnknownText(t *testing.T) {
	for c := None; c <= Cancelled; c++ {
		text, err := c.MarshalText()
		var back Class
		if err != nil || back.UnmarshalText(text) != nil || back != c || c.String() != string(text) {
			t.Errorf("class %d: %q, %v", c, text, err)
		}
	}
	for f := NoFault; f <= Handshake; f++ {
		text, err := f.MarshalText()
		var back Fault
		if err != nil || back.UnmarshalText(text) != nil || back != f || f.String() != string(text) {
			t.Errorf("fault %d: %q, %v", f, text, err)
		}
	}
	var c Class
	var f Fault
	if c.UnmarshalText([]byte("nonsense")) == nil || f.UnmarshalText([]byte("nonsense")) == nil {
		t.Error("unknown text is accepted")
	}
	if _, err := Class(99).MarshalText(); err == nil {
		t.Error("class 99 is written")
	}
	if _, err := Fault(-1).MarshalText(); err == nil {
		t.Error("fault -1 is written")
	}
}

func TestForeignTextIsTamed(t *testing.T) {
	chain := make([]*x509.Certificate, 9)
	for i := range chain {
		chain[i] = &x509.Certificate{DNSNames: make([]string, 50), Subject: pkix.Name{CommonName: "a\x1b[31mb"}, Issuer: pkix.Name{Organization: []string{"Org\u202e"}}}
	}
	s := security(chain, "")
	if len(s.Names) != 10 || len(s.Chain) != 5 || s.Chain[4].Subject != "a[31mb" || s.Chain[4].Issuer != "Org" {
		t.Errorf("%d names of a certificate, chain %+v", len(s.Names), s.Chain)
	}
	if got := nameIn(pkix.Name{}); got != "unnamed" {
		t.Errorf("no name is %q", got)
	}
	if got := printable("a\x00b\x1b[31m\u202ec\n"); got != "ab[31mc" {
		t.Errorf("%q", got)
	}
	if got := printable(strings.Repeat("é", 300)); len(got) > 210 || !strings.HasSuffix(got, "…") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

// FuzzCertificateNames shows what any certificate says of itself: it is foreign
// text, and must not disturb a page, a terminal or a log.
func FuzzCertificateNames(f *testing.F) {
	f.Add("provider.example", "Authority", "Org")
	f.Add("a\x1b[31m\u202e", "", "\x00")
	f.Add(strings.Repeat("é", 300), "\xff\xfe", "<script>")
	f.Fuzz(func(t *testing.T, dns, common, org string) {
		s := security([]*x509.Certificate{{DNSNames: []string{dns, dns}, Issuer: pkix.Name{CommonName: common}, Subject: pkix.Name{Organization: []string{org}}}}, "TLS 1.3")
		for _, text := range append(s.Names, s.Issuer, s.Chain[0].Subject, s.Chain[0].Issuer) {
			if len(text) > 203 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
				t.Errorf("%q", text)
			}
		}
	})
}
