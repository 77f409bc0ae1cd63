package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A program is a running serve.
type program struct {
	url  string
	out  *buffer
	stop func() error // ends it and returns what serve returned
}

// buffer is a bytes.Buffer for two goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func start(t *testing.T, s settings) program {
	t.Helper()
	addr, done := make(chan net.Addr, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	p := program{out: &buffer{}}
	s.ready = func(a net.Addr) { addr <- a }
	go func() { done <- serve(ctx, s, "", console{p.out, p.out}) }()
	select {
	case a := <-addr:
		p.url = "http://" + a.String()
	case err := <-done:
		cancel()
		t.Fatalf("serve ended: %v", err)
	}
	p.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = p.stop() })
	return p
}

func defaults(dir string) settings {
	return settings{Addr: "127.0.0.1:0", PublicURL: "http://localhost:8080", Data: dir, Environment: "test", LogFormat: "text", Radar: "off",
		WebhookKeep: 1000, WebhookDays: 30, WebhookBytes: 32 << 20, WebhookRate: 300}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

var setupLink = regexp.MustCompile(`http://localhost:8080(/setup\?token=\S+)`)

func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := start(t, defaults(dir))
	for _, name := range []string{"backoffice.db", "backoffice.key"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info, err)
		}
	}
	out := p.out.String()
	if !strings.Contains(out, "Keep a copy of it in a safe place") {
		t.Errorf("the first start does not warn to keep a copy of the key:\n%s", out)
	}
	link := setupLink.FindStringSubmatch(out)
	if link == nil {
		t.Fatalf("no set-up link in:\n%s", out)
	}
	if status, body := get(t, p.url+link[1]); status != 200 || !strings.Contains(body, "password2") {
		t.Errorf("the set-up link answers %d", status)
	}
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if status, body := get(t, p.url+path); status != 200 || body != want {
			t.Errorf("%s = %d %q", path, status, body)
		}
	}
	if err := p.stop(); err != nil {
		t.Fatalf("ending: %v", err)
	}
	again := start(t, defaults(dir))
	if out := again.out.String(); strings.Contains(out, "new key") || setupLink.FindStringSubmatch(out) == nil || strings.Contains(out, link[1]) {
		t.Errorf("the second start made a key, or no fresh link:\n%s", out)
	}
	if status, _ := get(t, again.url+link[1]); status != 404 {
		t.Errorf("the link of the first start answers %d at the second", status)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	start(t, defaults(dir))
	err := serve(t.Context(), defaults(dir), "", console{io.Discard, io.Discard})
	if err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second program on the same data: %v", err)
	}
}

func TestAddressInUse(t *testing.T) {
	p := start(t, defaults(t.TempDir()))
	s := defaults(t.TempDir())
	s.Addr = strings.TrimPrefix(p.url, "http://")
	err := serve(t.Context(), s, "", console{io.Discard, io.Discard})
	if err == nil || !strings.Contains(err.Error(), "Choose another address with --addr") {
		t.Errorf("a second program at the same address: %v", err)
	}
}

// A request under way is answered before the program ends.
func TestGracefulShutdown(t *testing.T) {
	p := start(t, defaults(t.TempDir()))
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /login HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n")
	answer := make([]byte, 256)
	if n, err := conn.Read(answer); err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 100") {
		t.Fatalf("%q, %v; want the handler to be waiting for the form", answer[:n], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.stop() }()
	for refused := false; !refused; { // until the listener is closed
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(p.url, "http://"), time.Second)
		if refused = err != nil; !refused {
			c.Close()
		}
	}
	fmt.Fprint(conn, "email=&next=")
	rest, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(rest), "HTTP/1.1 422") {
		t.Errorf("the request under way got %.60q, %v", rest, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ending: %v", err)
	}
}

func TestKeyInTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	if err := start(t, defaults(dir)).stop(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "backoffice.key")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	s := defaults(dir)
	if err := s.Key.UnmarshalText(b); err != nil {
		t.Fatal(err)
	}
	p := start(t, s)
	if _, err := os.Stat(file); err == nil {
		t.Error("a key file was made beside the key in the environment")
	}
	if out := p.out.String(); strings.Contains(out, string(b)) || strings.Contains(fmt.Sprintf("%v %+v", s, s), string(b)) {
		t.Error("the key is printed")
	}
}

func TestPublicURL(t *testing.T) {
	for _, tt := range []struct{ in, want, fault string }{
		{"https://backoffice.acme.example", "https://backoffice.acme.example", ""},
		{"https://Backoffice.Acme.Example:8443/", "https://backoffice.acme.example:8443", ""},
		{"http://localhost:8080", "http://localhost:8080", ""},
		{"http://127.0.0.1", "http://127.0.0.1", ""},
		{"http://[::1]:8080", "http://[::1]:8080", ""},
		{"http://app.localhost", "http://app.localhost", ""},
		{"http://backoffice.acme.example", "", "not encrypted"},
		{"http://localhost.acme.example", "", "not encrypted"},
		{"http://192.168.0.7", "", "not encrypted"},
		{"ftp://localhost", "", "no web address"},
		{"localhost:8080", "", "no web address"},
		{"https://", "", "no web address"},
		{"https://a:b@acme.example", "", "after the host"},
		{"https://acme.example/x", "", "after the host"},
		{"https://acme.example?x", "", "after the host"},
		{"https://acme.example#x", "", "after the host"},
		{"", "", "is not set"},
	} {
		u, err := publicURL(tt.in)
		got := ""
		if u != nil {
			got = u.String()
		}
		if got != tt.want || (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("publicURL(%q) = %q, %v; want %q, %q", tt.in, got, err, tt.want, tt.fault)
		}
	}
}
