package egress

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"backoffice/internal/errs"
)

// What is sent beyond the caller's own headers.
func TestRequestHeaders(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Seen", fmt.Sprintf("%s|%s|%s", r.Header.Get("Accept-Encoding"), r.UserAgent(), r.Header.Get("Cookie")))
		http.SetCookie(w, &http.Cookie{Name: "never", Value: "kept"})
	}), nil)
	client := local(t).Client(CallOptions{})
	for _, tt := range []struct{ method, name, value, want string }{
		{"GET", "X-Any", "1", "gzip|BackOffice|"},
		{"HEAD", "X-Any", "1", "|BackOffice|"},
		{"GET", "Range", "bytes=0-1", "|BackOffice|"},
		{"GET", "Accept-Encoding", "identity", "identity|BackOffice|"},
		{"GET", "User-Agent", "Probe", "gzip|Probe|"},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), tt.method, srv.URL, nil)
		req.Header.Set(tt.name, tt.value)
		resp, err := Do(client, req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("X-Seen"); got != tt.want {
			t.Errorf("%s with %s: sent %q, want %q", tt.method, tt.name, got, tt.want)
		}
		if len(req.Header) != 1 {
			t.Errorf("the caller's request is changed: %v", req.Header)
		}
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// A request that is refused has its body closed, as net/http promises.
func TestRefusedBodyIsClosed(t *testing.T) {
	sent := &closing{Reader: strings.NewReader("code=1")}
	req, _ := http.NewRequestWithContext(t.Context(), "POST", "https://10.0.0.1/", sent)
	_, err := Do(local(t).Client(CallOptions{}), req)
	if wantClass(t, err, Refused); !sent.closed {
		t.Error("it is open")
	}
}

// A provider that redirects in every way that matters.
func redirecting(other string) http.Handler {
	mux := http.NewServeMux()
	to := func(path string, status int, location string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(status)
		})
	}
	mux.HandleFunc("/end", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s referer=%q key=%q", r.Method, r.Referer(), r.Header.Get("X-Key"))
	})
	to("/1", http.StatusFound, "/end")
	to("/2", http.StatusMovedPermanently, "/1?q=1")
	to("/3", http.StatusTemporaryRedirect, "2")
	to("/4", http.StatusSeeOther, "/3")
	to("/loop", http.StatusFound, "/loop")
	to("/away", http.StatusFound, other+"/end")
	to("/secure", http.StatusPermanentRedirect, "https://127.0.0.1/end")
	mux.HandleFunc("/scheme", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+r.Host+"/end", http.StatusFound)
	})
	mux.HandleFunc("/host", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace("http://"+r.Host, "127.0.0.1", "localhost", 1)+"/end", http.StatusFound)
	})
	to("/user", http.StatusFound, "//CANARY@127.0.0.1/end")
	to("/bad", http.StatusFound, "http://%zz/CANARY")
	to("/none", http.StatusFound, "")
	return mux
}

func TestRedirects(t *testing.T) {
	other := serve(t, http.NotFoundHandler(), nil)
	srv := serve(t, redirecting(other.URL), nil)
	for _, tt := range []struct {
		method, path string
		follow       bool
		max          int
		status       int
		class        Class
		hops         int
	}{
		{"GET with a body", "/1", true, 0, 0, Redirect, 1},
		{"GET", "/1", false, 0, 302, None, 1},
		{"GET", "/away", false, 0, 302, None, 1},
		{"POST", "/3", false, 0, 307, None, 1},
		{"GET", "/bad", false, 0, 0, Redirect, 1},
		{"GET", "/1", true, 0, 200, None, 2},
		{"HEAD", "/2", true, 0, 200, None, 3},
		{"GET", "/3", true, 0, 200, None, 4},
		{"GET", "/3", true, 99, 200, None, 4},
		{"GET", "/4", true, 0, 0, Redirect, 4},
		{"GET", "/4", true, 99, 0, Redirect, 4},
		{"GET", "/2", true, 1, 0, Redirect, 2},
		{"GET", "/loop", true, 0, 0, Redirect, 4},
		{"GET", "/away", true, 0, 0, Redirect, 1},
		{"GET", "/secure", true, 0, 0, Redirect, 1},
		{"GET", "/scheme", true, 0, 0, Redirect, 1},
		{"GET", "/host", true, 0, 0, Redirect, 1},
		{"DELETE", "/1", true, 0, 0, Redirect, 1},
		{"GET", "/user", true, 0, 0, Redirect, 1},
		{"GET", "/bad", true, 0, 0, Redirect, 1},
		{"POST", "/3", true, 0, 0, Redirect, 1},
		{"GET", "/none", true, 0, 302, None, 1},
	} {
		name := fmt.Sprintf("%s %s follow=%t max=%d", tt.method, tt.path, tt.follow, tt.max)
		trace := &Trace{}
		var sent io.Reader
		method, withBody := strings.CutSuffix(tt.method, " with a body")
		if withBody || method == "POST" {
			sent = strings.NewReader("code=1")
		}
		req, _ := http.NewRequestWithContext(WithTrace(t.Context(), trace), method, srv.URL+tt.path, sent)
		req.Header.Set("X-Key", "kept")
		resp, err := Do(local(t).Client(CallOptions{FollowSameOrigin: tt.follow, MaxRedirects: tt.max}), req)
		xs := trace.Exchanges()
		if len(xs) != tt.hops {
			t.Errorf("%s: %d exchanges, want %d", name, len(xs), tt.hops)
		}
		for i, x := range xs {
			if last := i == len(xs)-1; x.Done != (!last || tt.class != None) || last && x.Class != tt.class || !last && x.Class != None {
				t.Errorf("%s: hop %d recorded %+v", name, i, x)
			}
		}
		if tt.class != None {
			if e := wantClass(t, err, tt.class); strings.Contains(e.Msg, "CANARY") {
				t.Errorf("%s: %q", name, e.Msg)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%s: status %d, want %d", name, resp.StatusCode, tt.status)
		}
		if want := `GET referer="" key="kept"`; tt.status == 200 && tt.method == "GET" && string(b) != want {
			t.Errorf("%s: %q, want %q", name, b, want)
		}
	}
	if n := other.conns.Load(); n != 0 {
		t.Errorf("%d connections to another origin", n)
	}
}

// A caller that asks where a redirect leads gets it as the response that it is,
// and nobody is called there.
func TestRedirectsThatAreLeft(t *testing.T) {
	other := serve(t, http.NotFoundHandler(), nil)
	srv := serve(t, redirecting(other.URL), nil)
	for _, tt := range []struct {
		path   string
		status int
		hops   int
	}{
		{"/1", 200, 2}, {"/3", 200, 4}, {"/4", 302, 4}, {"/away", 302, 1}, {"/secure", 308, 1}, {"/host", 302, 1},
	} {
		trace := &Trace{}
		req, _ := http.NewRequestWithContext(WithTrace(t.Context(), trace), "GET", srv.URL+tt.path, nil)
		resp, err := Do(local(t).Client(CallOptions{FollowSameOrigin: true, LeaveForeign: true}), req)
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		resp.Body.Close()
		if n := len(trace.Exchanges()); n != tt.hops || resp.StatusCode != tt.status || (tt.status > 300) != (resp.Header.Get("Location") != "") {
			t.Errorf("%s: status %d after %d exchanges, to %q", tt.path, resp.StatusCode, n, resp.Header.Get("Location"))
		}
	}
	if n := other.conns.Load(); n != 0 {
		t.Errorf("%d connections to another origin", n)
	}
}

func packed(t *testing.T, pieces ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, p := range pieces {
		w := gzip.NewWriter(&b)
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestBodies(t *testing.T) {
	const limit = 4096
	full, over := bytes.Repeat([]byte("x"), limit), bytes.Repeat([]byte("x"), limit+1)
	empties := bytes.Repeat(packed(t, nil), 8000) // much to read, nothing to show
	for _, tt := range []struct {
		name     string
		encoding string
		body     []byte
		got      int
		class    Class
		unpacked bool
	}{
		{"empty", "", nil, 0, None, false},
		{"full", "", full, limit, None, false},
		{"one byte too many", "", over, limit, TooLarge, false},
		{"much too large", "", bytes.Repeat(over, 100), limit, TooLarge, false},
		{"gzip", "gzip", packed(t, []byte("hello")), 5, None, true},
		{"gzip full", "GZIP", packed(t, full), limit, None, true},
		{"gzip of nothing at all", "gzip", nil, 0, None, true},
		{"gzip bomb", "gzip", packed(t, make([]byte, 4<<20)), limit, TooLarge, true},
		{"gzip bomb of members", "gzip", packed(t, over, over, over), limit, TooLarge, true},
		{"gzip of empty members", "gzip", empties, 0, TooLarge, true},
		{"no gzip", "gzip", []byte("CANARY, not packed"), 0, Protocol, true},
		{"gzip cut off", "gzip", packed(t, []byte("hello"))[:14], 0, Protocol, true},
		{"unknown encoding", "br", []byte("as it is"), 8, None, false},
	} {
		srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if tt.encoding != "" {
				w.Header().Set("Content-Encoding", tt.encoding)
			}
			w.Write(tt.body)
		}), nil)
		trace := &Trace{}
		resp, b, err := read(WithTrace(t.Context(), trace), t, local(t).Client(CallOptions{MaxBody: limit}), srv.URL)
		if resp == nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if tt.class == None && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if tt.class != None {
			if e := wantClass(t, err, tt.class); strings.Contains(e.Msg, "CANARY") {
				t.Errorf("%s: %q", tt.name, e.Msg)
			}
		}
		if len(b) != tt.got && tt.class != Protocol {
			t.Errorf("%s: %d bytes, want %d", tt.name, len(b), tt.got)
		}
		if resp.Uncompressed != tt.unpacked {
			t.Errorf("%s: unpacked %t, want %t", tt.name, resp.Uncompressed, tt.unpacked)
		}
		x := trace.Exchanges()[0]
		if x.Class != tt.class || x.Unpacked != int64(len(b)) || !x.Done || x.Received > limit+packingSlack+8192 {
			t.Errorf("%s: recorded %+v", tt.name, x)
		}
	}
}

// A caller that asks for an encoding of its own gets what was sent.
func TestOwnEncoding(t *testing.T) {
	sent := packed(t, []byte("hello"))
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(sent)
	}), nil)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := Do(local(t).Client(CallOptions{}), req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(b, sent) {
		t.Errorf("%q, %v", b, err)
	}
}

func TestHeaders(t *testing.T) {
	for _, tt := range []struct {
		size  int
		class Class
	}{{16 << 10, None}, {40 << 10, TooLarge}, {4 << 20, TooLarge}} {
		srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("CANARY", tt.size/6))
		}), nil)
		_, _, err := read(t.Context(), t, local(t).Client(CallOptions{}), srv.URL)
		if tt.class == None && err != nil {
			t.Errorf("%d bytes: %v", tt.size, err)
		} else if tt.class != None {
			if e := wantClass(t, err, tt.class); !strings.Contains(e.Msg, "headers") || strings.Contains(e.Msg, "CANARY") {
				t.Errorf("%d bytes: %q", tt.size, e.Msg)
			}
		}
	}
}

// A server that keeps one waiting, in each phase; the call ends by its own time.
func TestTimeouts(t *testing.T) {
	over := make(chan struct{})
	wait := func(r *http.Request) {
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			io.WriteString(w, "a beginning")
			w.(http.Flusher).Flush()
		}
		wait(r)
	}), nil)
	t.Cleanup(func() { close(over) })
	silent := listen(t, func(net.Conn) {})
	g := newGuard(t, Options{Allow: []string{"127.0.0.1"}})
	for _, tt := range []struct{ url, words string }{
		{srv.URL + "/header", "accepted the request and did not answer"},
		{srv.URL + "/body", "did not finish its answer"},
		{"https://" + silent + "/", "secure connection in time"},
		{"http://" + silent + "/", "accepted the request and did not answer"},
	} {
		t.Run(tt.words, func(t *testing.T) {
			t.Parallel()
			trace := &Trace{}
			_, _, err := read(WithTrace(t.Context(), trace), t, g.Client(CallOptions{Timeout: time.Second}), tt.url)
			e := wantClass(t, err, Timeout)
			if !strings.Contains(e.Msg, tt.words) || !errors.Is(err, context.DeadlineExceeded) || !e.Timeout() {
				t.Errorf("%s: %q", tt.url, e.Msg)
			}
			if x := trace.Exchanges()[0]; x.Class != Timeout || x.Problem != e.Msg || !x.Done || x.Total <= 0 {
				t.Errorf("%s: recorded %+v", tt.url, x)
			}
		})
	}
}

// listen accepts connections and hands each to f; it keeps them open to the end.
func listen(t *testing.T, f func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			f(c)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func TestBrokenAnswers(t *testing.T) {
	for _, tt := range []struct {
		answer string
		words  string // "" if it can be read
	}{
		{"", "without an answer"},
		{"SSH-2.0-CANARY\r\n", "not HTTP"},
		{"HTTP/1.1 200 OK\r\nCANARY\r\n\r\n", "not HTTP"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nCANARY", "cut off or damaged"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nCANARY\r\n", "cut off or damaged"},
		{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: canary\r\nConnection: Upgrade\r\n\r\n", "change the protocol"},
		{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", ""},
	} {
		addr := listen(t, func(c net.Conn) {
			buf := make([]byte, 4096)
			c.Read(buf)
			io.WriteString(c, tt.answer)
			c.(*net.TCPConn).CloseWrite()
		})
		_, _, err := read(t.Context(), t, local(t).Client(CallOptions{}), "http://"+addr+"/")
		if tt.words == "" {
			if err != nil {
				t.Errorf("%q: %v", tt.answer, err)
			}
			continue
		}
		if e := wantClass(t, err, Protocol); !strings.Contains(e.Msg, tt.words) || strings.Contains(strings.ToLower(e.Msg), "canary") {
			t.Errorf("%q: %q", tt.answer, e.Msg)
		}
	}
}

func TestConnectionRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = get(t.Context(), t, local(t).Client(CallOptions{}), "http://"+l.Addr().String()+"/")
	if e := wantClass(t, err, Connect); !strings.Contains(e.Msg, "refused the connection") {
		t.Errorf("%q", e.Msg)
	}
	if kind, msg := errs.Of(fmt.Errorf("probing: %w", err)); kind != errs.Unavailable || msg != err.Error() {
		t.Errorf("errs.Of: %s %q", kind, msg)
	}
	if kind, msg := errs.Of(fmt.Errorf("probing: %w", errRefused)); kind != errs.Invalid || msg != errRefused.Msg {
		t.Errorf("errs.Of: %s %q", kind, msg)
	}
}

func TestProxyEnvironmentIgnored(t *testing.T) {
	if os.Getenv("EGRESS_TEST_PROXY") == "" {
		proxy := serve(t, http.NotFoundHandler(), nil)
		// net/http reads its environment once a process, so it takes a new one.
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyEnvironmentIgnored$", "-test.v")
		cmd.Env = append(os.Environ(), "EGRESS_TEST_PROXY=1")
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
			cmd.Env = append(cmd.Env, name+"="+proxy.URL)
		}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "answered directly") || proxy.conns.Load() != 0 {
			t.Errorf("%v, %d connections to the proxy\n%s", err, proxy.conns.Load(), out)
		}
		return
	}
	n := newNames(t)
	n.set("inside.example", "127.0.0.1") // not loopback by its text, which net/http never sends to a proxy
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "direct") }), nil)
	g := newGuard(t, Options{Allow: []string{"inside.example"}, Resolver: n.resolver()})
	_, b, err := read(t.Context(), t, g.Client(CallOptions{}), "http://inside.example:"+srv.port()+"/")
	if err != nil || string(b) != "direct" {
		t.Fatalf("%q, %v", b, err)
	}
	t.Log("answered directly")
}

func TestCancellation(t *testing.T) {
	for _, path := range []string{"/header", "/body"} {
		ctx, cancel := context.WithCancel(t.Context())
		srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/body" {
				w.(http.Flusher).Flush()
			}
			cancel()
			<-r.Context().Done() // the connection ends with the call
		}), nil)
		trace := &Trace{}
		_, _, err := read(WithTrace(ctx, trace), t, local(t).Client(CallOptions{}), srv.URL+path)
		if wantClass(t, err, Cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v is not context.Canceled", path, err)
		}
		if x := trace.Exchanges()[0]; x.Class != Cancelled || !x.Done {
			t.Errorf("%s: recorded %+v", path, x)
		}
	}
}

// Calls that went well, failed, were cut short or left unread leave no goroutine
// of a connection behind, and one connection serves one call.
func TestNoGoroutineStays(t *testing.T) {
	before := connectionGoroutines()
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
		}
		w.Write(make([]byte, 1<<20))
	}), nil)
	const rounds = 5
	g := local(t)
	for range rounds {
		read(t.Context(), t, g.Client(CallOptions{}), srv.URL)
		read(t.Context(), t, g.Client(CallOptions{MaxBody: 10}), srv.URL)
		read(t.Context(), t, g.Client(CallOptions{Timeout: 20 * time.Millisecond}), srv.URL+"/wait")
		if resp, err := get(t.Context(), t, g.Client(CallOptions{}), srv.URL); err != nil {
			t.Error(err)
		} else {
			resp.Body.Close()
		}
	}
	if n := srv.conns.Load(); n > 4*rounds || n < 3*rounds {
		t.Errorf("%d connections for %d calls", n, 4*rounds)
	}
	silent := listen(t, func(net.Conn) {})
	_, err := get(t.Context(), t, g.Client(CallOptions{Timeout: 20 * time.Millisecond}), "https://"+silent+"/")
	wantClass(t, err, Timeout)
	srv.Close() // waits for its own side
	for deadline := time.Now().Add(10 * time.Second); connectionGoroutines() > before; {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines of connections, before %d", connectionGoroutines(), before)
		}
	}
}

func connectionGoroutines() int {
	var b bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&b, 2)
	n := 0
	for _, g := range strings.Split(b.String(), "\n\n") {
		if strings.Contains(g, "(*persistConn)") || strings.Contains(g, "(*Transport)") || strings.Contains(g, "(*caller)") {
			n++
		}
	}
	return n
}

// TestOAuth2 makes the one call that the client is for, with the library that makes it.
func TestOAuth2(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("code") != "good" {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":"invalid_grant"}`)
			return
		}
		io.WriteString(w, `{"access_token":"CANARY","token_type":"Bearer"}`)
	}), nil)
	conf := oauth2.Config{ClientID: "id", ClientSecret: "CANARY", Endpoint: oauth2.Endpoint{TokenURL: srv.URL + "/token", AuthStyle: oauth2.AuthStyleInParams}}
	trace := &Trace{}
	exchange := func(g *Guard, code string) (*oauth2.Token, error) {
		ctx := context.WithValue(WithTrace(t.Context(), trace), oauth2.HTTPClient, g.Client(CallOptions{}))
		return conf.Exchange(ctx, code)
	}
	token, err := exchange(local(t), "good")
	if err != nil || token.AccessToken != "CANARY" {
		t.Fatalf("%v, %v", token, err)
	}
	_, err = exchange(local(t), "bad")
	if e, ok := errors.AsType[*oauth2.RetrieveError](Clean(err)); !ok || e.ErrorCode != "invalid_grant" {
		t.Errorf("the provider's own error is lost: %v", err)
	}
	_, err = exchange(newGuard(t, Options{}), "good")
	wantClass(t, Clean(err), Refused)

	xs := trace.Exchanges()
	if len(xs) != 3 || xs[0].Status != 200 || xs[1].Status != 400 || xs[2].Class != Refused || xs[0].Sent == 0 || srv.requests.Load() != 2 {
		t.Errorf("recorded %+v", xs)
	}
}

func TestClean(t *testing.T) {
	inner := &Error{Class: Connect, Msg: "words"}
	outer := &url.Error{Op: "Get", URL: "https://h/?q=CANARY", Err: inner}
	if got := Clean(fmt.Errorf("probing: %w", outer)); got != error(inner) {
		t.Errorf("got %v", got)
	}
	if got := Clean(&url.Error{Op: "Get", URL: "https://h/?q=CANARY", Err: io.EOF}); strings.Contains(got.Error(), "CANARY") {
		t.Errorf("got %v", got)
	}
	if got := Clean(io.EOF); got != io.EOF {
		t.Errorf("got %v", got)
	}
	if Clean(nil) != nil {
		t.Error("no error became one")
	}
}
