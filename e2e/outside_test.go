package e2e

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// startBehind runs the program behind a proxy that changes requests: the public
// URL is that of the proxy.
func startBehind(t *testing.T, change func(*httputil.ProxyRequest), refuse string) *program {
	t.Helper()
	port := freePort(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inner := &url.URL{Scheme: "http", Host: "127.0.0.1:" + port}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(inner)
		r.SetXForwarded()
		r.Out.Host = r.In.Host
		change(r)
	}}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == refuse {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		proxy.ServeHTTP(w, r)
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(ln) }()
	t.Cleanup(func() { srv.Close(); <-served })
	_, outer, _ := net.SplitHostPort(ln.Addr().String())
	p := &program{url: "http://localhost:" + outer}
	p.launch(t, "serve", "--second-factor", "off", "--addr", "127.0.0.1:"+port, "--public-url", p.url, "--trusted-proxies", "127.0.0.1", "--environment", "staging", "--data", t.TempDir())
	return p
}

// One press checks the public address, and what was found is still there after
// a reload.
func TestOutsideIn(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.Open("/settings")
	ada.See("Nobody has looked at the public address from outside yet")
	ada.Follow("Check from outside")
	ada.At("/settings#outside")
	ada.See("The public address works, with something to know: Name, Scheme", "Providers ask for https")
	ada.NotSee("Wrong", "Inconclusive")
	for _, aspect := range []string{"reach", "host", "port", "path", "query", "redirect", "cookie", "cache", "head", "body", "header", "speed", "clock"} {
		ada.In("#outside-" + aspect).See("OK")
	}
	ada.Press("Query")
	ada.In("#outside-query").See("We send", "code=a%2Bb%3D%2Fc&state=<nonce>&scope=read+write")
	ada.Open("/settings")
	ada.See("Check again from outside", "By this server in")
}

// A proxy that drops queries and refuses HEAD: the page names both, and has the
// lines to change.
func TestOutsideInBehindAFaultyProxy(t *testing.T) {
	t.Parallel()
	house := startBehind(t, func(r *httputil.ProxyRequest) {
		if r.In.URL.Path != "/setup" {
			r.Out.URL.RawQuery = ""
		}
	}, http.MethodHead)
	ada := house.admin(t)
	ada.Open("/settings")
	ada.Follow("Check from outside")
	ada.See("The public address has 2 faults: Query, HEAD for webhooks")
	ada.In("#outside-query").See("Wrong", "The query is dropped", "nginx", "Caddy", "Traefik", "proxy_pass http://127.0.0.1:")
	ada.In("#outside-head").See("Wrong", "HEAD is answered with 405", "limit_except GET POST")
	ada.In("#outside-body").See("OK")
	ada.In("#outside-query").Press("Copy the lines for nginx")
	ada.until("the lines are copied, or selected where there is no clipboard for a window without the focus", func() (bool, string) {
		said, err := evaluate[string](ada, `document.querySelector("#live").textContent`)
		return err == nil && (strings.Contains(said, "Copied") || strings.Contains(said, "copy it with")), "it says " + said
	})
	(&tour{house: house, inside: ada}).look(t, view{name: "faults", path: stay})
	if *shots != "" {
		dir, err := filepath.Abs(*shots)
		if err != nil {
			t.Fatal(err)
		}
		(&tour{house: house, inside: ada}).shoot(t, view{name: "settings-faults", path: stay}, dir)
	}
}

// Where the server cannot reach itself, the browser makes the check, also
// without scripts.
func TestOutsideInByBrowser(t *testing.T) {
	t.Parallel()
	for _, scripts := range []bool{true, false} {
		house := start(t)
		ada := house.admin(t)
		ada.Scripts(scripts)
		ada.Open("/settings")
		ada.Follow("Check with your browser")
		ada.At("/settings/outside-in")
		ada.Follow("Go to " + house.url)
		ada.At("/settings/outside-in")
		ada.In(`[aria-labelledby="step-1"]`).See("Done")
		ada.Follow("Send the form")
		ada.At("/settings#outside")
		ada.See("By the browser of "+email, "The browser was led back to the public address.", "Bodies arrive byte for byte.")
		ada.NotSee("Wrong", "Inconclusive")
		ada.Open("/audit")
		ada.In(".is-log tbody").See("Checked the public address")
	}
}
