package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// old makes a log anew, whose events are of last year.
func old(t *testing.T, db *bolt.DB, events int) {
	t.Helper()
	var before []store.Item
	err := db.View(t.Context(), func(r store.Reader) (err error) { before, err = r.Scan(store.Range{Prefix: "audit/"}); return err })
	if err == nil {
		err = db.Update(t.Context(), func(tx store.Tx) error {
			for _, it := range before {
				tx.Delete(it.Key)
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now().AddDate(-1, 0, 0)
	err = db.Update(t.Context(), func(tx store.Tx) error {
		for i := range events {
			e := audit.Event{Time: began.Add(time.Duration(i) * time.Minute), Actor: audit.Actor{ID: "u1", Name: fmt.Sprintf("person-%d@acme.example", i%7)},
				Action: audit.EntrySaved, Target: fmt.Sprintf("acme-%d:intercom", i%500), Outcome: audit.Done}
			if err := audit.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A program that is killed at any moment of archiving loses no event, and shows
// none twice: it goes on where it was.
func TestKilledWhileArchiving(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	k := furnish(t)
	archive := filepath.Join(t.TempDir(), "archive")
	if err := os.Mkdir(archive, 0o700); err != nil {
		t.Fatal(err)
	}
	const rounds, events = 10, 12_000
	k.open(t)
	old(t, k.db, events)
	k.close(t)
	var moments []string
	for range rounds {
		cmd, base := k.program(t, "--audit-keep-days", "30", "--audit-archive", archive)
		saved := make(chan int)
		go func() { // changes go on meanwhile: each post is an event
			for n := 0; ; n++ {
				resp, err := (&client{base}).fail()
				if err != nil {
					saved <- n
					return
				}
				resp.Close()
			}
		}()
		time.Sleep(time.Duration(random.IntN(800)) * time.Millisecond) // the moment is what is random here
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		<-saved
		moments = append(moments, k.standing(t, archive))
	}
	k.open(t)
	defer k.close(t)
	notary, err := notaryOf(k.db, k.box, archiveIn(archive))
	if err != nil {
		t.Fatal(err)
	}
	a := audit.NewArchiver(audit.ArchiverOptions{Notary: notary, Archive: archiveIn(archive), Keep: 30 * 24 * time.Hour})
	for more := true; more; {
		if more, err = a.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	k.onePlace(t, archive)
	if left, _ := filepath.Glob(filepath.Join(archive, "*.tmp")); len(left) > 0 || a.State().Dropped != events {
		t.Errorf("half written files %v; %+v", left, a.State())
	}
	t.Logf("killed at %s", strings.Join(moments, "; "))
}

// standing checks the log that a kill left behind, and says where it was.
func (k *killed) standing(t *testing.T, archive string) string {
	t.Helper()
	k.open(t)
	defer k.close(t)
	return k.onePlace(t, archive)
}

// onePlace checks that every event is in the store, or else in exactly one archive
// file, that the log reads all of them in their order, and that it verifies.
func (k *killed) onePlace(t *testing.T, archive string) string {
	t.Helper()
	number := func(r store.Reader, key string) (n int64) {
		if b, err := r.Get(key); err == nil {
			if err := json.Unmarshal(b, &n); err != nil {
				t.Error(err)
			}
		}
		return n
	}
	var size, dropped, archived int64
	places := map[string]int{}
	err := k.db.View(t.Context(), func(r store.Reader) error {
		size, dropped, archived = number(r, "audit/size"), number(r, "audit/dropped"), number(r, "audit/archived")
		live, err := r.Scan(store.Range{Prefix: "audit/event/"})
		for _, it := range live {
			places[it.Key]++
		}
		records, scanErr := r.Scan(store.Range{Prefix: "audit/archive/"})
		for _, it := range records {
			var v struct{ From, To int64 }
			if err := json.Unmarshal(it.Value, &v); err != nil {
				return err
			}
			for n := v.From; n < min(v.To, dropped); n++ {
				places[fmt.Sprintf("audit/event/%016d", n)]++
			}
		}
		if err == nil {
			err = scanErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range size {
		if got := places[fmt.Sprintf("audit/event/%016d", n)]; got != 1 {
			t.Fatalf("event %d of %d is in %d places; %d dropped, %d archived", n, size, got, dropped, archived)
		}
	}
	notary, err := notaryOf(k.db, k.box, archiveIn(archive))
	if err != nil {
		t.Fatal(err)
	}
	c := audit.NewChecker(audit.CheckerOptions{Notary: notary})
	if err := c.Run(t.Context()); err != nil || c.State().Unread != 0 || int64(len(places)) != size {
		t.Fatalf("%+v, %v; %d places of %d", c.State(), err, len(places), size)
	}
	var b bytes.Buffer
	if m, err := notary.Export(t.Context(), &b, audit.Exporting{}); err != nil || m.Events < size {
		t.Fatalf("%+v, %v; want %d", m, err, size)
	}
	return fmt.Sprintf("%d of %d dropped, %d archived", dropped, size, archived)
}

// A client fails to sign in.
type client struct{ base string }

func (c *client) fail() (io.Closer, error) {
	resp, err := http.PostForm(c.base+"/login", map[string][]string{"email": {"nobody@acme.example"}, "password": {"wrong"}})
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// The program archives what is old, tells how far it is, and what it makes is
// checked with the public key alone, together with and without what is live.
func TestProgramArchives(t *testing.T) {
	k := furnish(t)
	k.open(t)
	old(t, k.db, 300)
	k.close(t)
	archive := t.TempDir()
	s := defaults(k.dir)
	s.AuditKeepDays, s.AuditArchive = 30, archive
	if err := s.MetricsToken.UnmarshalText([]byte(meterToken)); err != nil {
		t.Fatal(err)
	}
	p := start(t, s)
	until(t, "metrics", func() string { return p.scrape(t) }, `backoffice_audit_archived_events 300\n`, `backoffice_audit_archive_failures_total 0\n`, `backoffice_audit_alarms 0\n`)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(archive, "*"))
	if err != nil || len(files) != 1 || !strings.HasPrefix(filepath.Base(files[0]), "audit-0000000000000000-0000000000000299-") {
		t.Fatalf("%v, %v", files, err)
	}
	live := filepath.Join(t.TempDir(), "live.zip")
	run := func(want int, args ...string) string {
		t.Helper()
		var out buffer
		if got := mainWith(t.Context(), append([]string{"audit"}, args...), console{&out, &out}); got != want {
			t.Errorf("%v: status %d, want %d: %s", args, got, want, out.String())
		}
		return out.String()
	}
	pub := strings.TrimSpace(run(0, "key", "--data", k.dir))
	run(0, "export", live, "--live", "--data", k.dir)
	for _, tt := range []struct {
		status int
		args   []string
		words  string
	}{
		{0, files, "VERIFIED: 300 events, number 0 to 299, against the head of 300 events"},
		{0, []string{live}, "VERIFIED: 2 events, number 300 to 301"},
		{0, []string{live, files[0]}, "VERIFIED: 302 events, number 0 to 301"},
		{0, []string{live, "--since", files[0]}, "It continues 1 older head"},
		{2, []string{live, live}, "has events that another of the files has"},
		{2, []string{files[0], filepath.Join(archive, "none.zip")}, "was not checked"},
	} {
		if out := run(tt.status, append([]string{"verify", "--key", pub}, tt.args...)...); !strings.Contains(out, tt.words) {
			t.Errorf("%v: %s; want %q", tt.args, out, tt.words)
		}
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := run(1, "verify", "--key", pub, files[0], live); !strings.Contains(out, "NOT VERIFIED") || !strings.Contains(out, filepath.Base(files[0])) {
		t.Errorf("a changed one: %s", out)
	}
	p = start(t, s)
	until(t, "metrics", func() string { return p.scrape(t) }, `backoffice_audit_alarms 1\n`)
	until(t, "log", p.out.String, `ALARM: the audit log was changed.*`+filepath.Base(files[0]))
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if out := run(1, "export", filepath.Join(t.TempDir(), "all.zip"), "--data", k.dir, "--audit-archive", archive); !strings.Contains(out, "which is missing") {
		t.Errorf("an export of all without the file: %s", out)
	}
	if out := run(1, "export", filepath.Join(t.TempDir(), "all.zip"), "--data", k.dir); !strings.Contains(out, "Name its directory with --audit-archive") {
		t.Errorf("an export of all without the directory: %s", out)
	}
	if out := run(1, "export", live+"x", "--live", "--csv", "--data", k.dir); !strings.Contains(out, "--live is for an export of everything that is live") {
		t.Errorf("--live --csv: %s", out)
	}
}
