package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
)

func overwrite(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whatever somebody does to an archive file, the check of the log finds it and
// names the file; so does whoever opens an event of it.
func TestTamperedArchiveIsFound(t *testing.T) {
	k := newKeeper(t, open(t), t.TempDir())
	fill(t, k.store, 300)
	k.keep(t, 50)
	k.keep(t, 100)
	other := newKeeper(t, open(t), t.TempDir())
	other.notary = audit.NewNotary(audit.NotaryOptions{Store: other.store, Signer: signer(t, 8), Now: func() time.Time { return later }, Archive: other.archive})
	fill(t, other.store, 300)
	other.keep(t, 50)
	paths := k.files(t)
	whole, name := slurp(t, paths[1]), filepath.Base(paths[1])
	found := func(what string, n int64) {
		t.Helper()
		if st, err := k.check(t); err == nil || !strings.Contains(st.Fault, name) {
			t.Errorf("%s: %+v, %v; want the name of the file", what, st, err)
		}
		fresh := audit.NewLog(k.store).With(audit.OpenArchive(k.dir)) // which has nothing in memory
		if _, err := fresh.Get(t.Context(), n); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: an event of it was shown: %v", what, err)
		}
	}
	for i := 0; i < len(whole); i += 97 {
		bad := bytes.Clone(whole)
		bad[i] ^= 1
		overwrite(t, paths[1], bad)
		found(fmt.Sprintf("byte %d changed", i), 60)
	}
	for what, b := range map[string][]byte{"cut": whole[:len(whole)-1], "empty": {}, "longer": append(bytes.Clone(whole), 0), "the other file": slurp(t, paths[0]),
		"another installation's": slurp(t, other.files(t)[0])} {
		overwrite(t, paths[1], b)
		found(what, 60)
	}
	first := slurp(t, paths[0])
	overwrite(t, paths[0], whole)
	overwrite(t, paths[1], first)
	name = filepath.Base(paths[0])
	found("swapped", 10)
	overwrite(t, paths[0], first)
	overwrite(t, paths[1], whole)
	if st, err := k.check(t); err != nil || st.Unread != 0 {
		t.Fatalf("put back: %+v, %v", st, err)
	}
}

// An archive that is checked alone: every byte of every file in it counts, and
// what is not of this log is not taken for it.
func TestEveryByteOfAnArchiveCounts(t *testing.T) {
	k := newKeeper(t, open(t), t.TempDir())
	fill(t, k.store, 90)
	k.keep(t, 30)
	k.keep(t, 60)
	files := unzip(t, slurp(t, k.files(t)[1]))
	v := verification(t)
	if p, err := verify(v, rezip(t, files)); err != nil || p.From != 30 || p.Events != 30 {
		t.Fatalf("%+v, %v", p, err)
	}
	for name, content := range files {
		for i := range content {
			bad := map[string][]byte{}
			for n, b := range files {
				bad[n] = bytes.Clone(b)
			}
			bad[name][i] ^= 1
			if _, err := verify(v, rezip(t, bad)); err == nil && (name != "key.txt" || i < len(content)-1) {
				t.Fatalf("believed with byte %d of %s changed from %q", i, name, content[i])
			}
		}
	}
	// A log of the same installation that was rewritten has another tree.
	forked := newKeeper(t, open(t), t.TempDir())
	rewrite(t, forked.store, 90, 2)
	forked.keep(t, 30)
	forked.keep(t, 60)
	_, err := v.Files([]audit.Part{part("ours", slurp(t, k.files(t)[0])), part("theirs", slurp(t, forked.files(t)[1]))})
	isFault(t, "of a rewritten log", err, "theirs does not continue ours")
}

// The records of the archive in the data file: each change is found.
func TestTamperedArchiveRecordsAreFound(t *testing.T) {
	k := newKeeper(t, open(t), t.TempDir())
	fill(t, k.store, 300)
	k.keep(t, 50)
	k.keep(t, 100)
	found := func(what, words string) {
		t.Helper()
		if st, err := k.check(t); err == nil || st.Fault == "" || !strings.Contains(st.Fault, words) {
			t.Errorf("%s: %+v, %v; want %q", what, st, err, words)
		}
	}
	record := fmt.Sprintf("audit/archive/%016d", 50)
	b := get(t, k.store, record)
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		put(t, k.store, record, bad)
		st, err := k.check(t)
		if unread := st.Unread > 0; err == nil && !unread { // another root or range is another name
			t.Fatalf("byte %d of %s changed: %+v", i, b, st)
		}
	}
	put(t, k.store, record, nil)
	found("a record is gone", "records of the archive files end at 50")
	put(t, k.store, record, b)
	for _, tt := range []struct{ key, value, words string }{
		{"audit/dropped", "50", "event 50 is missing"}, {"audit/dropped", "120", "120 events were dropped and 100 archived"},
		{"audit/archived", "50", "archived"}, {"audit/dropped", "x", "damaged"}, {"audit/archived", "300", "300 archived"}} {
		old := get(t, k.store, tt.key)
		put(t, k.store, tt.key, []byte(tt.value))
		if _, err := k.check(t); err == nil || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s is %s: %v; want %q", tt.key, tt.value, err, tt.words)
		}
		put(t, k.store, tt.key, old)
	}
	hash := fmt.Sprintf("audit/hash/%016d", 17)
	h := get(t, k.store, hash)
	bad := bytes.Clone(h)
	bad[3] ^= 1
	put(t, k.store, hash, bad)
	found("a hash of an archived event", "hashes of event 17")
	put(t, k.store, hash, h)
	put(t, k.store, fmt.Sprintf("audit/event/%016d", 20), []byte("{}"))
	found("an event that was dropped is back", "is in the store, although 100 events were dropped")
	put(t, k.store, fmt.Sprintf("audit/event/%016d", 20), nil)
	if st, err := k.check(t); err != nil {
		t.Fatalf("put back: %+v, %v", st, err)
	}
}

// Nothing is dropped that is not in a file that can be read back.
func TestNothingIsDroppedUnlessArchived(t *testing.T) {
	k := newKeeper(t, open(t), filepath.Join(t.TempDir(), "mount"))
	fill(t, k.store, 300)
	kept := func(what string, want int) {
		t.Helper()
		if got := len(keys(t, k.store, "audit/event/")); got != want {
			t.Errorf("%s: %d events in the store, want %d", what, got, want)
		}
	}
	a := k.archiver(100, nil)
	if _, err := a.Step(t.Context()); !errors.Is(err, os.ErrNotExist) || a.State().Failures != 1 || a.State().Failing == "" {
		t.Errorf("not mounted: %v, %+v", err, a.State())
	}
	kept("not mounted", 300)
	if err := os.Mkdir(k.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	// Stopped after the first transaction that drops, and the file is changed.
	ctx, stop := context.WithCancel(t.Context())
	a = audit.NewArchiver(audit.ArchiverOptions{Notary: k.notary, Archive: k.archive, Keep: later.Sub(start.Add(100 * time.Hour)),
		Rest: func(ctx context.Context, _ time.Duration) error { stop(); return ctx.Err() }})
	if _, err := a.Step(ctx); !errors.Is(err, context.Canceled) || a.State().Dropped != 50 {
		t.Errorf("stopped: %v, %+v", err, a.State())
	}
	kept("stopped", 251) // and the event that says so
	if st, err := k.check(t); err != nil || st.Done != 301 {
		t.Errorf("in the middle: %+v, %v", st, err)
	}
	path := k.files(t)[0]
	whole := slurp(t, path)
	overwrite(t, path, append(bytes.Clone(whole), 'x'))
	a = k.archiver(100, nil)
	if _, err := a.Step(t.Context()); err == nil || !strings.Contains(err.Error(), filepath.Base(path)) {
		t.Errorf("with another file: %v", err)
	}
	kept("with another file", 251)
	overwrite(t, path, whole)
	// An event in the store that is not the archived one is not dropped either.
	key := fmt.Sprintf("audit/event/%016d", 70)
	b := get(t, k.store, key)
	put(t, k.store, key, bytes.Replace(b, []byte("because"), []byte("becausE"), 1))
	_, err := k.archiver(100, nil).Step(t.Context())
	isFault(t, "another event", err, "event 70 is not the one that was archived")
	kept("another event", 251)
	put(t, k.store, key, b)
	for range 2 { // idempotent
		k.keep(t, 100)
		kept("in the end", 201)
	}
	if st, err := k.check(t); err != nil || st.Unread != 0 {
		t.Errorf("%+v, %v", st, err)
	}
	if len(k.files(t)) != 1 {
		t.Errorf("files %v", k.files(t))
	}
}

// What is not shipped yet is not archived, and a destination that is new gets
// what is live.
func TestArchivingWaitsForShipping(t *testing.T) {
	k := newKeeper(t, open(t), t.TempDir())
	fill(t, k.store, 700)
	ship := audit.NewShipper(k.store, audit.Destination{Name: "one", Write: func([]byte) error { return nil }})
	a := k.archiver(600, ship)
	if moved, err := a.Step(t.Context()); moved || err != nil {
		t.Errorf("nothing is shipped: %v, %v", moved, err)
	}
	if _, err := ship.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := a.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if st := a.State(); st.Dropped != 500 {
		t.Errorf("%+v, want the 500 that are shipped", st)
	}
	var b bytes.Buffer
	late := audit.NewShipper(k.store, audit.Destination{Name: "two", Write: func(p []byte) error { b.Write(p); return nil }})
	if more, err := late.Step(t.Context()); err != nil || more || !strings.HasPrefix(b.String(), `{"n":500,`) || strings.Count(b.String(), "\n") != 201 {
		t.Errorf("%v, %v, %.20s", more, err, b.String())
	}
}

// A walk that is under way while events are dropped behind and before it misses
// none of them.
func TestExportBesideArchiving(t *testing.T) {
	k := newKeeper(t, open(t), t.TempDir())
	fill(t, k.store, 3000)
	for name, f := range map[string]audit.Filter{"all": {}, "filtered": {Outcome: audit.Done}} {
		w := &meddler{meddle: func() { k.keep(t, map[string]int{"all": 1000, "filtered": 2500}[name]) }}
		m, err := k.notary.Export(t.Context(), w, audit.Exporting{Filter: f})
		if err != nil || !w.done {
			t.Fatal(err)
		}
		p, err := verify(verification(t), w.Bytes())
		if err != nil || p.Events != m.Events || p.Events < 1500 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// Files about nothing but the archive are not made: each would make one more.
func TestArchiveDoesNotFeedItself(t *testing.T) {
	s := open(t)
	k := newKeeper(t, s, t.TempDir())
	fill(t, s, 10)
	far := func() (bool, error) {
		n := audit.NewNotary(audit.NotaryOptions{Store: s, Signer: signer(t, 7), Now: func() time.Time { return later.Add(1000 * time.Hour) }, Archive: k.archive})
		return audit.NewArchiver(audit.ArchiverOptions{Notary: n, Archive: k.archive, Keep: time.Hour}).Step(t.Context())
	}
	k.keep(t, 40)
	if moved, err := far(); moved || err != nil {
		t.Errorf("%v, %v", moved, err)
	}
	fill(t, s, 1)
	if moved, err := far(); !moved || err != nil || len(k.files(t)) != 2 {
		t.Errorf("%v, %v", moved, err)
	}
}
