//go:build bench

package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// manyEvents is how long a log has to stay quick.
const manyEvents = 1_000_000

// TestAudit measures what the log costs: inside a change, on its page, in the
// file, and when it is checked.
//
//	go test -tags bench ./e2e/bench -run '^TestAudit$' -v -timeout 30m
func TestAudit(t *testing.T) {
	r := &report{}
	few, many := openLog(t), openLog(t)
	appendCost(t, r)
	typical(t, few, 0, 1000)
	before := many.Stats().FileSize
	began := time.Now()
	typical(t, many, 0, manyEvents+40) // as the short log, with 40 that are not indexed yet
	grown := many.Stats()
	each := (float64(grown.FileSize) - grown.FreeShare*float64(grown.FileSize) - float64(before)) / manyEvents
	r.line("        %d events were filled in in %s", manyEvents, time.Since(began).Round(time.Second))
	r.goal(each < 1024, "bytes stored an event", fmt.Sprintf("%.0f, of which %d are the event itself", each, leafSize(t, many)), "under 1 KiB")
	firstPages(t, r, few, many)
	exportAndVerify(t, r, many)
	besideArchiving(t, r)
	fmt.Print("\n", r.lines.String())
	if len(r.missed) > 0 {
		fmt.Printf("\n%d goals missed: %s\n", len(r.missed), strings.Join(r.missed, "; "))
	}
}

func openLog(t *testing.T) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "audit.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// typical fills in events of ten people about ten thousand entries, in large
// transactions: the tree and the indexes are those of Append.
func typical(t *testing.T, db *bolt.DB, from, to int) {
	t.Helper()
	const share = 5000
	actions := audit.Actions()
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := from; n < to; n += share {
		err := db.Update(t.Context(), func(tx store.Tx) error {
			for i := n; i < min(n+share, to); i++ {
				outcome := audit.Done
				if i%20 == 0 {
					outcome = audit.Failed
				}
				target, addr := fmt.Sprintf("acme-%06d:intercom", i%10_000), "203.0.113.7"
				if i%100 == 3 {
					addr = "198.51.100.9"
				}
				if i%16 == 0 {
					target = "acme-000007:intercom" // of which a short log has a page, too
				}
				e := audit.Event{Time: began.Add(time.Duration(i) * 30 * time.Second), Actor: audit.Actor{ID: "4f1c9a2e7b03", Name: fmt.Sprintf("person-%d@acme.example", i%10),
					Addr: addr, RequestID: fmt.Sprintf("%016x", i)}, Action: actions[i*i%len(actions)], Target: target,
					Version: 1, Outcome: outcome, Reason: "Rotate the client secret, as every quarter",
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
	}
}

func leafSize(t *testing.T, db *bolt.DB) (n int) {
	t.Helper()
	err := db.View(t.Context(), func(r store.Reader) error {
		b, err := r.Get(fmt.Sprintf("audit/event/%016d", manyEvents/2))
		n = len(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// appendCost measures a save of an entry with its event and without, in turns,
// over a log that is not short; and, beside it, a bare change of the same three
// records, which has less of its own to do.
func appendCost(t *testing.T, r *report) {
	t.Helper()
	dir := t.TempDir()
	db, box, entries := rooms(t, dir)
	defer db.Close()
	typical(t, db, 0, 50_000)
	catalogue, err := connector.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	mute := config.New(config.Options{Store: unrecorded{db}, Box: box, Catalogue: catalogue, Now: time.Now})
	save := func(s *config.Service) func(int) error {
		return func(n int) error { _, err := s.Save(t.Context(), by, draft(n)); return err }
	}
	value := bytes.Repeat([]byte("x"), 1500) // a version with its sealed values
	bare := func(record bool) func(int) error {
		return func(n int) error {
			now := time.Now()
			return db.Update(t.Context(), func(tx store.Tx) error {
				tx.Put(fmt.Sprintf("bare/version/acme-%06d:intercom/%08d", n%1000, n), value)
				tx.Put(fmt.Sprintf("bare/entry/acme-%06d:intercom", n%1000), value[:400])
				tx.Put("bare/generation", fmt.Append(nil, n))
				if !record {
					return nil
				}
				return audit.Append(tx, audit.Event{Time: now, Actor: by, Action: audit.EntrySaved, Target: fmt.Sprintf("acme-%06d:intercom", n%1000), Version: 1,
					Outcome: audit.Done, Reason: "Rotate the client secret, as every quarter", Changes: []audit.Change{{Key: "clientSecret", Before: "9c41e07b5d2f", After: "3b8fa2d6c914"}}})
			})
		}
	}
	for _, x := range []struct {
		name          string
		without, with func(int) error
		goal          bool
	}{{"saving an entry with its event", save(mute), save(entries), true}, {"three bare records with their event", bare(false), bare(true), false}} {
		without, with := inTurns(t, x.without, x.with)
		ratio := median(with) / median(without)
		figure := fmt.Sprintf("%.2f of the change alone (%.0f : %.0f µs)", ratio, median(with), median(without))
		if x.goal {
			r.goal(ratio <= 1.25, x.name, figure, "at most 1.25")
		} else {
			r.line("        %-38s %s", x.name, figure)
		}
	}
}

// inTurns measures two changes in turns, in microseconds.
func inTurns(t *testing.T, a, b func(int) error) (as, bs []float64) {
	t.Helper()
	const turns = 600
	for n := range 2 * turns {
		f, into := a, &as
		if n%2 == 1 {
			f, into = b, &bs
		}
		began := time.Now()
		if err := f(n); err != nil {
			t.Fatal(err)
		}
		*into = append(*into, float64(time.Since(began).Microseconds()))
	}
	return as, bs
}

// besideArchiving measures a save of an entry while 100,000 events are archived,
// and without that.
func besideArchiving(t *testing.T, r *report) {
	t.Helper()
	db, _, entries := rooms(t, t.TempDir())
	defer db.Close()
	typical(t, db, 0, 100_000)
	signer, err := audit.NewSigner(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	archive := audit.OpenArchive(t.TempDir())
	later := func() time.Time { return time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC) }
	n := audit.NewNotary(audit.NotaryOptions{Store: db, Signer: signer, Now: later, Archive: archive})
	a := audit.NewArchiver(audit.ArchiverOptions{Notary: n, Archive: archive, Keep: 24 * time.Hour, Rest: func(ctx context.Context, worked time.Duration) error {
		time.Sleep(min(4*worked, time.Second)) // as the program
		return ctx.Err()
	}})
	i := 0
	save := func() float64 {
		began := time.Now()
		if _, err := entries.Save(t.Context(), by, draft(i)); err != nil {
			t.Fatal(err)
		}
		i++
		return float64(time.Since(began).Microseconds())
	}
	var alone, beside []float64
	for range 600 {
		alone = append(alone, save())
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		for {
			if more, err := a.Step(ctx); !more || err != nil {
				ended <- err
				return
			}
		}
	}()
	began := time.Now()
	for a.State().Dropped < 100_000 && time.Since(began) < 3*time.Minute {
		beside = append(beside, save())
	}
	done, took := a.State().Dropped, time.Since(began)
	stop()
	<-ended
	ratio := median(beside) / median(alone)
	r.goal(ratio <= 1.5, "saves while events are archived", fmt.Sprintf("%.2f of saves alone (%.0f : %.0f µs), %d events in %s", ratio, median(beside), median(alone), done, took.Round(time.Second)), "at most 1.5")
}

// unrecorded is a store in which nothing of the log is kept: to it, every event
// is the first.
type unrecorded struct{ store.Store }

func (u unrecorded) Update(ctx context.Context, f func(store.Tx) error) error {
	return u.Store.Update(ctx, func(tx store.Tx) error { return f(unrecordedTx{tx}) })
}

type unrecordedTx struct{ store.Tx }

func (u unrecordedTx) Get(key string) ([]byte, error) {
	if strings.HasPrefix(key, "audit/") {
		return nil, store.ErrNotFound
	}
	return u.Tx.Get(key)
}

func (u unrecordedTx) Put(key string, value []byte) {
	if !strings.HasPrefix(key, "audit/") {
		u.Tx.Put(key, value)
	}
}

// firstPages compares the first page of each filter in a long log and a short one:
// the list, and with the chart above it.
func firstPages(t *testing.T, r *report, few, many *bolt.DB) {
	t.Helper()
	day := time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)
	for _, f := range []struct {
		name   string
		filter audit.Filter
	}{
		{"none", audit.Filter{}}, {"person", audit.Filter{Who: "person-3@acme.example"}}, {"action", audit.Filter{Action: audit.Actions()[1]}},
		{"target", audit.Filter{Target: "acme-000007:intercom"}}, {"outcome failed", audit.Filter{Outcome: audit.Failed}}, {"outcome done", audit.Filter{Outcome: audit.Done}},
		{"from", audit.Filter{From: day}}, {"to", audit.Filter{To: day}}, {"from and to", audit.Filter{From: day, To: day.Add(time.Hour)}},
		{"nobody", audit.Filter{Who: "nobody@acme.example"}}, {"no such target", audit.Filter{Target: "nobody:intercom"}}, {"outcome refused, none", audit.Filter{Outcome: audit.Refused}},
		{"address", audit.Filter{Addr: "203.0.113.7"}}, {"rare address", audit.Filter{Addr: "198.51.100.9"}}, {"no such address", audit.Filter{Addr: "192.0.2.1"}},
		{"text of one person", audit.Filter{Text: "person-3@"}}, {"text of one target", audit.Filter{Text: "acme-000013"}}, {"text of every target", audit.Filter{Text: "intercom"}},
		{"text of few targets", audit.Filter{Text: "00004"}}, {"text of nothing", audit.Filter{Text: "no such name"}}, {"text of common parts", audit.Filter{Text: "0000000"}},
	} {
		for _, part := range []struct {
			name string
			does func(*audit.Log) (int, error)
		}{{"list", func(l *audit.Log) (int, error) { return listed(t, l, f.filter) }},
			{"page with chart", func(l *audit.Log) (int, error) {
				n, err := listed(t, l, f.filter)
				if err == nil {
					_, err = l.Activity(t.Context(), f.filter)
				}
				return n, err
			}}} {
			var found [2]int
			page, err := audit.NewLog(many).List(t.Context(), f.filter)
			if err != nil {
				t.Fatal(err)
			}
			goesOn := page.More // and the page says so
			one := func(i int, db *bolt.DB) float64 {
				began := time.Now()
				n, err := part.does(audit.NewLog(db))
				if err != nil {
					t.Fatal(err)
				}
				found[i] = n
				return float64(time.Since(began).Microseconds())
			}
			var short, long []float64
			for range 100 {
				short, long = append(short, one(0, few)), append(long, one(1, many))
			}
			ratio := median(long) / median(short)
			figure := fmt.Sprintf("%.2f (%.0f : %.0f µs, %d : %d events)", ratio, median(long), median(short), found[1], found[0])
			r.goal(ratio <= 2 && (found[0] <= found[1] || goesOn), part.name+", filter "+f.name, figure, "at most 2 times that of 1,000 events")
		}
	}
}

func listed(t *testing.T, l *audit.Log, f audit.Filter) (int, error) {
	p, err := l.List(t.Context(), f)
	return len(p.Events), err
}

// exportAndVerify measures the export of everything, its memory, and its check.
func exportAndVerify(t *testing.T, r *report, db *bolt.DB) {
	t.Helper()
	signer, err := audit.NewSigner(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	key, err := audit.ParseKey(signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	n := audit.NewNotary(audit.NotaryOptions{Store: db, Signer: signer, Now: time.Now})
	for _, x := range []struct {
		name   string
		filter audit.Filter
	}{{"all", audit.Filter{}}, {"one person's", audit.Filter{Who: "person-3@acme.example"}}} {
		path := filepath.Join(t.TempDir(), "export.zip")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		peak := &peakWriter{w: file}
		began := time.Now()
		m, err := n.Export(t.Context(), peak, audit.Exporting{By: by, Filter: x.filter})
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		r.line("        export of %s events: %d in %s, %.0f MB, at most %.0f MB of heap in use", x.name, m.Events, took.Round(10*time.Millisecond), float64(info.Size())/1e6, float64(peak.heap)/(1<<20))
		began, spent := time.Now(), processor(t, os.Getpid())
		p, err := audit.Verification{Key: key}.File(file, info.Size())
		if err != nil || p.Events != m.Events {
			t.Fatalf("%+v, %v", p, err)
		}
		took, spent = time.Since(began), processor(t, os.Getpid())-spent
		rate := float64(p.Events) / spent.Seconds()
		if m.Kind == "filtered" {
			r.line("        verification of %s events: %.0f a second of processor time (%s)", x.name, rate, took.Round(time.Millisecond))
			continue
		}
		plain := plainSHA(t, db)
		goal := min(200_000, .3*plain)
		r.goal(rate >= goal, "verification of an export", fmt.Sprintf("%.0f events a second of processor time, %.0f of the clock; plain SHA-256: %.0f", rate, float64(p.Events)/took.Seconds(), plain),
			fmt.Sprintf("at least %.0f: 200,000 or 0.3 of plain SHA-256", goal))
	}
}

// A peakWriter watches the heap while it is written to.
type peakWriter struct {
	w    io.Writer
	heap uint64
	n    int
}

func (p *peakWriter) Write(b []byte) (int, error) {
	if p.n++; p.n%200 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.heap = max(p.heap, m.HeapAlloc)
	}
	return p.w.Write(b)
}

// plainSHA is how many events a second SHA-256 alone would hash.
func plainSHA(t *testing.T, db *bolt.DB) float64 {
	t.Helper()
	var leaves [][]byte
	err := db.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{Prefix: "audit/event/", Limit: 100_000})
		for _, it := range items {
			leaves = append(leaves, it.Value)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	began := processor(t, os.Getpid())
	for range 5 {
		for _, b := range leaves {
			sum := sha256.Sum256(b)
			_ = sum
		}
	}
	return float64(5*len(leaves)) / (processor(t, os.Getpid()) - began).Seconds()
}
