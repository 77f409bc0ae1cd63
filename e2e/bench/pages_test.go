//go:build bench

package bench

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/oauth"
	"backoffice/internal/outside"
	"backoffice/internal/secret"
	"backoffice/internal/server"
	"backoffice/internal/webhook"
)

// BenchmarkPages draws pages without a network, for a profile of what they cost:
//
//	go test -tags bench ./e2e/bench -run - -bench Pages -cpuprofile cpu.prof
func BenchmarkPages(b *testing.B) {
	dir := b.TempDir()
	db, box, entries := rooms(b, dir)
	defer db.Close()
	for n := range 200 {
		if _, err := entries.Save(b.Context(), by, draft(n)); err != nil {
			b.Fatal(err)
		}
	}
	diagnose(b, &report{}, db, box)
	catalogue, err := connector.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	guard, err := egress.New(egress.Options{})
	if err != nil {
		b.Fatal(err)
	}
	people := auth.New(auth.Options{Store: db, Box: box})
	sessions := auth.NewSessionStore(db, auth.SessionOptions{})
	token, _, err := people.SetupToken(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	password := secret.NewText("correct horse battery")
	u, err := people.Setup(b.Context(), by, auth.NewAdmin{Token: token, Email: "owner@acme.example", Password: password, Again: password})
	if err != nil {
		b.Fatal(err)
	}
	w := httptest.NewRecorder()
	if _, err := sessions.Renew(w, httptest.NewRequest("GET", "/", nil), u, "127.0.0.1"); err != nil {
		b.Fatal(err)
	}
	public := &url.URL{Scheme: "http", Host: "example.com"}
	own, err := outside.New(outside.Options{Store: db, PublicURL: public, Guard: guard, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	hooks, err := webhook.New(webhook.Options{Store: db, Box: box, Config: entries, Guard: guard, Own: guard, PublicURL: public, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer hooks.Close()
	handler, err := server.New(server.Deps{Outside: own, Webhooks: hooks, Store: db, Config: entries, Catalogue: catalogue, Auth: people, Sessions: sessions,
		OAuth: oauth.New(oauth.Options{Store: db, Box: box, Config: entries, Guard: guard, PublicURL: "http://example.com", Now: time.Now}),
		Audit: audit.NewLog(db), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
		Site: server.Site{PublicURL: public, DataSize: func() int64 { return 0 }, Ready: func() error { return nil }, Started: time.Now(), Version: "bench"}})
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range []string{"/config/acme-000123:intercom", "/config", "/config/acme-000123:intercom/test", "/audit"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("GET", path, nil)
				for _, k := range w.Result().Cookies() {
					r.AddCookie(k)
				}
				out := httptest.NewRecorder()
				handler.ServeHTTP(out, r)
				if out.Code != http.StatusOK {
					b.Fatal(out.Code)
				}
			}
		})
	}
}
