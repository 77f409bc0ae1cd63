package outside

import (
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/egress"
	"backoffice/internal/errs"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"

	"github.com/goccy/go-yaml"
)

var start = time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)

// A world is a Checker of a public URL at which nobody answers.
type world struct {
	*Checker
	store store.Store
	url   *url.URL
	time  time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: storetest.Replay(db), url: &url.URL{Scheme: "https", Host: ln.Addr().String()}, time: start}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	w.Checker = w.open(t, w.url)
	return w
}

// open is a Checker over the world's store, as after a restart.
func (w *world) open(t testing.TB, public *url.URL) *Checker {
	t.Helper()
	guard, err := egress.New(egress.Options{Allow: []string{Guarded(public)}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Options{Store: w.store, PublicURL: public, Guard: guard, Now: func() time.Time { return w.time }, Upstream: "0.0.0.0:9090"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var by = audit.Actor{ID: "u1", Name: "owner@acme.example"}

func (w *world) put(t testing.TB, key, value string) {
	t.Helper()
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { tx.Put(key, []byte(value)); return nil }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) has(t testing.TB, key string) bool {
	t.Helper()
	err := w.store.View(t.Context(), func(r store.Reader) error { _, err := r.Get(key); return err })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// Invariant 1: a report that cannot be recorded is not kept.
func TestNoReportWithoutItsRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(t, "audit/size", "many")
	if _, err := w.Run(t.Context(), by); err == nil {
		t.Error("a damaged log raised no error")
	}
	if _, ok, err := w.Last(t.Context()); ok || err != nil || w.has(t, "outside/last") {
		t.Errorf("a report was kept without its event: %v %v", ok, err)
	}
	w.put(t, "audit/size", "0")
	w.time = start.Add(time.Minute)
	if _, err := w.Run(t.Context(), by); err != nil || !w.has(t, "outside/last") || !w.has(t, "audit/event/0000000000000000") {
		t.Errorf("the mended log kept no report: %v", err)
	}
}

// Nobody answers: that is not called wrong, and what was not seen is not judged.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, err := w.Run(t.Context(), by)
	if err != nil {
		t.Fatal(err)
	}
	want := map[Aspect]Verdict{Reach: Inconclusive, Name: Warning}
	for _, f := range r.Findings {
		if f.Verdict != want[f.Aspect] {
			t.Errorf("%s is %s: %s", f.Aspect, f.Verdict, f.Reason)
		}
	}
	if f := r.Finding(Reach); !strings.Contains(f.Reason, "refused the connection") || !strings.Contains(f.Remedy, "browser") {
		t.Errorf("%+v", f)
	}
	if len(r.Exchanges) != 1 || r.Exchanges[0].Class != egress.Connect {
		t.Errorf("exchanges %+v", r.Exchanges)
	}
	if len(w.outstanding) != 0 {
		t.Errorf("%d nonces are left", len(w.outstanding))
	}
}

// The last report is there after a restart, but not under another public URL.
func TestLastAfterRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if s, err := w.Summary(t.Context()); s.Known || err != nil {
		t.Errorf("%+v %v", s, err)
	}
	want, err := w.Run(t.Context(), by)
	if err != nil {
		t.Fatal(err)
	}
	w.time = start.Add(2 * time.Hour)
	s, err := w.open(t, w.url).Summary(t.Context())
	if err != nil || !s.Known || s.Age != 2*time.Hour || s.Verdict != Inconclusive || s.Headline != want.Headline() || !s.Time.Equal(start) || len(s.Wrong) != 0 {
		t.Errorf("%+v %v", s, err)
	}
	moved := w.open(t, &url.URL{Scheme: "https", Host: "other.example.com"})
	if s, err := moved.Summary(t.Context()); s.Known || err != nil {
		t.Errorf("under another public URL: %+v %v", s, err)
	}
}

// One check runs at a time, and not one right after the other.
func TestOneCheckAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.enter(by); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Run(t.Context(), by); !errs.Is(err, errs.TooMany) {
		t.Errorf("a second check: %v", err)
	}
	w.busy = false
	if _, err := w.Run(t.Context(), by); err != nil {
		t.Fatal(err)
	}
	for after, allowed := range map[time.Duration]bool{0: false, pause - 1: false} {
		w.time = start.Add(after)
		if _, err := w.Run(t.Context(), by); (err == nil) != allowed {
			t.Errorf("after %s: %v", after, err)
		}
	}
	w.time = start.Add(pause)
	if _, err := w.Run(t.Context(), by); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

// Visits end, and their number is bounded.
func TestVisitsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Begin(by, ""); !errs.Is(err, errs.Unsigned) {
		t.Errorf("nobody began a visit: %v", err)
	}
	for i := range visitsLimit {
		if err := w.Begin(by, "s"+string(rune('a'+i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Begin(by, "one more"); !errs.Is(err, errs.TooMany) {
		t.Errorf("one visit too many: %v", err)
	}
	if err := w.Begin(by, "sa"); err != nil {
		t.Errorf("beginning again: %v", err)
	}
	if n := len(w.outstanding); n != 3*visitsLimit {
		t.Errorf("%d nonces are outstanding", n)
	}
	w.time = start.Add(nonceLife)
	if _, ok := w.Visit("sb"); ok || len(w.visits) != 0 || len(w.outstanding) != 0 {
		t.Errorf("%d visits and %d nonces outlive their time", len(w.visits), len(w.outstanding))
	}
}

// A nonce of one process means nothing to another.
func TestNonces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.newNonce()
	other := newWorld(t)
	for name, tt := range map[string]struct {
		header, query string
		want          bool
	}{
		"header":         {n, "", true},
		"state":          {"", "code=1&state=" + n, true},
		"check":          {"", "check=" + n, true},
		"broken query":   {"", "a=%zz&check=" + n, true},
		"header is bad":  {"x", "check=" + n, true},
		"another name":   {"", "nonce=" + n, false},
		"upper case":     {strings.ToUpper(n), "", false},
		"cut":            {n[:51], "", false},
		"nothing":        {"", "", false},
		"other's":        {other.newNonce(), "", false},
		"other's, query": {"", "state=" + other.newNonce(), false},
	} {
		got, ok := w.Nonce(http.Header{nonceHeader: {tt.header}}, tt.query)
		if ok != tt.want || ok && got != n {
			t.Errorf("%s: %q %v", name, got, ok)
		}
	}
}

func FuzzNonce(f *testing.F) {
	w := newWorld(f)
	f.Add("", "state=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	f.Add("aaaa", "a=%zz;b&check=%61")
	f.Fuzz(func(t *testing.T, header, query string) {
		if n, ok := w.Nonce(http.Header{nonceHeader: {header}}, query); ok {
			t.Errorf("%q was accepted", n)
		}
	})
}

// The lines are whole: nothing is left to fill in, brackets close, YAML can be
// read, and every location of nginx says who asked.
func TestLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.open(t, &url.URL{Scheme: "https", Host: "backoffice.example.com:8443"})
	for a := range configurations {
		lines := c.lines(a)
		if got := slices.Sorted(maps.Keys(lines)); !slices.Equal(got, []Proxy{Caddy, Traefik, Nginx}) {
			t.Errorf("%s has lines for %q", a, got)
		}
		for p, text := range lines {
			for _, mark := range []string{"{UPSTREAM}", "{HOST}", "{SITE}", "{PORT}", "{SCHEME}", "{PASS}", "{AUTHORITY}", "\t"} {
				if strings.Contains(text, mark) {
					t.Errorf("%s, %s: %s is left:\n%s", a, p, mark, text)
				}
			}
			code := withoutRemarks(text)
			if strings.Count(code, "{") != strings.Count(code, "}") {
				t.Errorf("%s, %s: brackets do not close:\n%s", a, p, text)
			}
			switch p {
			case Traefik:
				var v map[string]any
				if err := yaml.Unmarshal([]byte(text), &v); err != nil || len(v) != 1 {
					t.Errorf("%s, Traefik: %v\n%s", a, err, text)
				}
			case Caddy:
				if !strings.Contains(code, "backoffice.example.com:8443 {") || !strings.Contains(code, "reverse_proxy 127.0.0.1:9090") && !strings.Contains(code, "127.0.0.1:9090") {
					t.Errorf("%s, Caddy: no site and upstream\n%s", a, text)
				}
			case Nginx:
				checkNginx(t, a, code)
			}
		}
	}
	usual := w.open(t, &url.URL{Scheme: "https", Host: "backoffice.example.com"})
	if text := usual.lines(Host)[Nginx]; !strings.Contains(text, "proxy_set_header Host $host;") {
		t.Errorf("without a port in the public URL:\n%s", text)
	}
	if lines := c.lines(Speed); lines != nil {
		t.Errorf("speed has lines %q", lines)
	}
}

func checkNginx(t *testing.T, a Aspect, code string) {
	t.Helper()
	if strings.Contains(code, "location ") {
		for _, want := range []string{"proxy_pass http://127.0.0.1:9090;", "proxy_set_header Host $http_host;", "proxy_set_header X-Forwarded-Proto $scheme;",
			"proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", "proxy_set_header X-Forwarded-Host $http_host;"} {
			if strings.Count(code, want) != 1 {
				t.Errorf("%s, nginx: %q stands %d times\n%s", a, want, strings.Count(code, want), code)
			}
		}
	}
	for line := range strings.Lines(code) {
		if s := strings.TrimSpace(line); s != "" && !strings.HasSuffix(s, ";") && !strings.HasSuffix(s, "{") && !strings.HasSuffix(s, "}") {
			t.Errorf("%s, nginx: the directive %q does not end", a, s)
		}
	}
}

func withoutRemarks(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

func TestVerdictText(t *testing.T) {
	t.Parallel()
	for v := NotChecked; v <= Wrong; v++ {
		var back Verdict
		b, err := v.MarshalText()
		if err != nil || back.UnmarshalText(b) != nil || back != v || v.String() != string(b) {
			t.Errorf("%d: %q %v", v, b, err)
		}
	}
	if _, err := Verdict(9).MarshalText(); err == nil {
		t.Error("a verdict that does not exist is written")
	}
	if err := new(Verdict).UnmarshalText([]byte("good")); err == nil {
		t.Error("an unknown verdict is read")
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{}); err == nil {
		t.Error("a Checker of nothing")
	}
}

func TestLocalAddress(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{":8080": "127.0.0.1:8080", "0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80", "10.0.0.7:81": "10.0.0.7:81", "": "127.0.0.1:8080"} {
		if got := localAddress(listen); got != want {
			t.Errorf("%q: %q, want %q", listen, got, want)
		}
	}
}
