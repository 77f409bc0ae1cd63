//go:build bench

package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/keyring"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// A person is who looks at the pages.
type person struct{ email, password string }

var by = audit.Actor{ID: "bench", Name: "owner@acme.example", Addr: "127.0.0.1", RequestID: "bench"}

// rooms opens a data directory as the program would.
func rooms(t testing.TB, dir string) (*bolt.DB, *secret.Box, *config.Service) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "backoffice.db"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.Generate()
	if err != nil {
		t.Fatal(err)
	}
	file, err := keys.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "backoffice.key"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	record, box, err := keys.NewInstallation()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx store.Tx) error { tx.Put(secret.InstallationKey, record); return nil }); err != nil {
		t.Fatal(err)
	}
	// The data know their keys, as after any start of the program.
	known := keyring.New(keyring.Options{Store: keyring.Guard(db, box), Box: box, Now: time.Now})
	if err := known.Note(t.Context(), by); err != nil {
		t.Fatal(err)
	}
	catalogue, err := connector.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return db, box, config.New(config.Options{Store: db, Box: box, Catalogue: catalogue, Now: time.Now})
}

// fill makes the data: entries through the front door of their room, and
// events up to the count.
func fill(t *testing.T, dir string, r *report) person {
	t.Helper()
	db, box, entries := rooms(t, dir)
	defer db.Close()
	work := make(chan int)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for n := range work {
				if _, err := entries.Save(context.Background(), by, draft(n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range entryCount {
		work <- n
	}
	close(work)
	wg.Wait()
	p := person{"owner@acme.example", "correct horse battery"}
	people := auth.New(auth.Options{Store: db, Box: box})
	token, _, err := people.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	password := secret.NewText(p.password)
	if _, err := people.Setup(t.Context(), by, auth.NewAdmin{Token: token, Email: p.email, Password: password, Again: password}); err != nil {
		t.Fatal(err)
	}
	diagnose(t, r, db, box)
	events(t, db)
	return p
}

func draft(n int) config.Draft {
	id := config.ID(fmt.Sprintf("acme-%06d:intercom", n))
	text := func(s string) config.Value { return config.TextValue(secret.NewText(s)) }
	return config.Draft{ID: id, Then: config.PutInForce, Reason: "First values", Values: []config.Input{
		{Key: "clientId", Value: text(fmt.Sprintf("5b1c7f0e-3c44-4c0e-9a7a-%012d", n))},
		{Key: "clientSecret", Secret: true, Value: text(fmt.Sprintf("0123456789abcdef0123456789abcdef%08d", n))},
		{Key: "region", Value: text("US")}, {Key: "apiVersion", Value: text("2.10")}, {Key: "sandbox", Value: config.ParseValue("false")},
	}}
}

// events appends typical events until there are eventCount.
func events(t *testing.T, db *bolt.DB) {
	t.Helper()
	have, err := audit.NewLog(db).Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now().Add(-90 * 24 * time.Hour)
	for n := int(have); n < eventCount; {
		to := min(n+2000, eventCount)
		err := db.Update(t.Context(), func(tx store.Tx) error {
			for i := n; i < to; i++ {
				e := audit.Event{Time: began.Add(time.Duration(i) * time.Minute), Actor: by, Action: audit.EntrySaved, Target: fmt.Sprintf("acme-%06d:intercom", i%entryCount),
					Version: 1, Outcome: audit.Done, Reason: "Rotate the client secret, as every quarter", Note: "Saved as pending.",
					Changes: []audit.Change{{Key: "clientSecret", Before: "9c41e07b5d2f", After: "3b8fa2d6c914"}}}
				if err := audit.Append(tx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		n = to
	}
}

// signIn returns a client with the person's session.
func (p person) signIn(t *testing.T, base string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true, ReadBufferSize: 64 << 10}}
	res, err := c.PostForm(base+"/login", url.Values{"email": {p.email}, "password": {p.password}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.Request.URL.Path != "/" {
		t.Fatalf("signing in ended at %s", res.Request.URL)
	}
	return c
}

func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// saves measures how many saves share a commit, with one saver and with 16.
func saves(t *testing.T, r *report) {
	for _, savers := range []int{1, 16} {
		db, _, entries := rooms(t, t.TempDir())
		const each = 60
		before := db.Stats()
		began := time.Now()
		var wg sync.WaitGroup
		for s := range savers {
			wg.Go(func() {
				for n := range each {
					if _, err := entries.Save(context.Background(), by, draft(s*each+n)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		took, after := time.Since(began), db.Stats()
		share := float64(after.Updates-before.Updates) / float64(after.Commits-before.Commits)
		name := fmt.Sprintf("saves a commit with %d savers", savers)
		figure := fmt.Sprintf("%.1f (%.0f saves a second)", share, float64(savers*each)/took.Seconds())
		if savers == 1 {
			r.goal(share == 1, name, figure, "1: a lone save waits for nobody")
		} else {
			r.goal(share >= 5, name, figure, "at least 5")
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
