package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
)

const meterToken = "0123456789abcdefghij"

// watched are settings under which all that watches the log is on.
func watched(t *testing.T, dir, anchorURL string) settings {
	t.Helper()
	s := defaults(dir)
	s.AnchorFile, s.AuditShip = filepath.Join(dir, "..", "anchors.jsonl"), filepath.Join(dir, "..", "ship.jsonl")
	s.AllowHosts = []string{"127.0.0.1"}
	for text, into := range map[string]*keyText{anchorURL: &s.AnchorURL, meterToken: &s.MetricsToken} {
		if err := into.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// scrape is /metrics.
func (p program) scrape(t *testing.T) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+meterToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// until asks again until the answer has what is wanted.
func until(t *testing.T, what string, ask func() string, want ...string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		got, missing := ask(), ""
		for _, w := range want {
			if !regexp.MustCompile(w).MatchString(got) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: no %q in\n%s", what, missing, got)
		}
	}
}

// event makes one: a failed sign-in.
func (p program) event(t *testing.T) {
	t.Helper()
	resp, err := http.PostForm(p.url+"/login", map[string][]string{"email": {"nobody@acme.example"}, "password": {"wrong"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func TestLogIsAnchoredShippedAndMetered(t *testing.T) {
	posted := make(chan []byte, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPost && r.URL.Query().Get("token") == "CANARY" {
			posted <- b
		}
	}))
	defer receiver.Close()
	dir := filepath.Join(t.TempDir(), "data")
	s := watched(t, dir, receiver.URL+"/heads?token=CANARY")
	p := start(t, s)
	p.event(t)
	metrics := func() string { return p.scrape(t) }
	until(t, "metrics", metrics, `backoffice_audit_events 1\n`, `backoffice_audit_signed_events 1\n`, `backoffice_audit_signed_timestamp_seconds 1`, `backoffice_audit_alarms 0\n`,
		`backoffice_audit_ship_behind_events\{to="file:[^"]*ship.jsonl"\} 0\n`, `backoffice_audit_ship_failures_total\{[^}]*\} 0\n`,
		`backoffice_audit_checked_events`, `backoffice_audit_checked_timestamp_seconds`)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(filepath.Join(dir, "backoffice.db"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(s.AuditShip); err != nil || !strings.Contains(string(b), `"action":"session.sign-in-failed"`) || bytes.Count(b, []byte("\n")) != 1 {
		t.Errorf("shipped %q, %v", b, err)
	}

	p = start(t, s) // brings the head of now to both places
	key := regexp.MustCompile(`backoffice-\S+`).FindString(p.out.String())
	k, err := audit.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for {
		c, err := audit.OpenCheckpoint(<-posted, k)
		if err != nil {
			t.Fatal(err)
		}
		if c.Size == 1 {
			break
		}
	}
	until(t, "metrics", metrics, `backoffice_audit_anchored_events\{place="file [^"]*anchors.jsonl"\} 1\n`, `backoffice_audit_anchored_events\{place="address http://127.0.0.1:\d+"\} 1\n`)
	p.event(t)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	p = start(t, s)
	until(t, "metrics", metrics, `anchored_events\{place="file [^"]*anchors.jsonl"\} 2\n`)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if out := p.out.String(); strings.Contains(out, "CANARY") {
		t.Errorf("the address of the anchor is in the output:\n%s", out)
	}

	// Yesterday's copy of the data is put back.
	if err := os.WriteFile(filepath.Join(dir, "backoffice.db"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	receiver.Close()
	p = start(t, s)
	until(t, "metrics", metrics, `backoffice_audit_alarms [12]\n`, `backoffice_audit_anchor_failures_total\{place="address http://127.0.0.1:\d+"\} 1\n`)
	until(t, "log", p.out.String, `level=ERROR msg="ALARM: [^"]*" .*is a head of 2`, `level=WARN msg="anchoring the audit log"`)
}
