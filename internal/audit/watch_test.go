package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

func put(t testing.TB, s store.Store, key string, value []byte) {
	t.Helper()
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if value == nil {
			tx.Delete(key)
		} else {
			tx.Put(key, value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func check(t testing.TB, s store.Store, kept ...audit.Earlier) (audit.CheckState, error) {
	t.Helper()
	c := audit.NewChecker(audit.CheckerOptions{Notary: notary(t, s), Kept: func() ([]audit.Earlier, error) { return kept, nil }})
	err := c.Run(t.Context())
	return c.State(), err
}

func TestCheckOfAWholeLog(t *testing.T) {
	for _, events := range []int{0, 1, 500, 501, 1203} {
		s := open(t)
		fill(t, s, events)
		paced := 0
		n := notary(t, s)
		head, err := n.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c := audit.NewChecker(audit.CheckerOptions{Notary: n, Wait: func(_ context.Context, events int) error { paced += events; return nil },
			Kept: func() ([]audit.Earlier, error) { return []audit.Earlier{head.Kept("itself")}, nil }})
		err = c.Run(t.Context())
		if st := c.State(); err != nil || st.Done != int64(events) || st.Of != int64(events) || st.Fault != "" || !st.Ended.Equal(later) || paced != events {
			t.Errorf("%d events: %+v, %v, waited for %d", events, st, err, paced)
		}
	}
}

// Somebody who can write the data file, but has no key: every byte of an event
// and of its hashes, every record of the log, is found by the check of the log.
func TestTamperedDataFileIsFound(t *testing.T) {
	const events = 70 // of which 64 are indexed
	s := open(t)
	fill(t, s, events)
	if _, err := notary(t, s).Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := func(what, words string) {
		t.Helper()
		st, err := check(t, s)
		if err == nil || st.Fault == "" || !st.Ended.IsZero() || !strings.Contains(st.Fault, words) {
			t.Errorf("%s: %+v, %v; want words with %q", what, st, err, words)
		}
	}
	key := func(kind string, n int) string { return fmt.Sprintf("audit/%s/%016d", kind, n) }
	for _, n := range []int{17, 69} {
		for _, kind := range []string{"event", "hash"} {
			b := get(t, s, key(kind, n))
			for i := range b {
				bad := bytes.Clone(b)
				bad[i] ^= 1
				put(t, s, key(kind, n), bad)
				st, err := check(t, s)
				if err == nil || st.Fault == "" {
					t.Fatalf("byte %d of %s changed: %+v, %v", i, key(kind, n), st, err)
				}
			}
			put(t, s, key(kind, n), nil)
			found(key(kind, n)+" is gone", "")
			put(t, s, key(kind, n), b)
		}
	}
	a, b := get(t, s, key("event", 4)), get(t, s, key("event", 5))
	put(t, s, key("event", 4), b)
	put(t, s, key("event", 5), a)
	found("two exchanged", "event 4, or the hashes beside it, were changed")
	put(t, s, key("event", 4), a)
	put(t, s, key("event", 5), b)
	indexes := keys(t, s, "audit/by/")
	indexes = slices.DeleteFunc(append(indexes, keys(t, s, "audit/gram/")...), func(ix string) bool {
		return strings.HasSuffix(ix, "9999999999999999") || ix == "audit/by/outcome/done/0000000000000063" // counts, and the end of a row that goes on
	})
	if n := len(indexes); n < 4*64 || n > 600 {
		t.Fatalf("%d indexes", n)
	}
	for i := 0; i < len(indexes); i += 5 {
		ix, value := indexes[i], append([]byte{}, get(t, s, indexes[i])...)
		put(t, s, ix, nil)
		found(ix+" is gone", "filters do not find it by ")
		put(t, s, ix, value)
	}
	put(t, s, "audit/indexed", []byte("70"))
	found("the border of the indexes is moved", "event 64 is there, but filters do not find it")
	put(t, s, "audit/indexed", []byte("64"))
	put(t, s, "audit/size", []byte("30"))
	found("the tail is gone", "has 30 events, and 70 were signed")
	put(t, s, "audit/size", []byte("70"))
	if st, err := check(t, s); err != nil || st.Done != events {
		t.Fatalf("put back: %+v, %v", st, err)
	}
}

// With all hashes made anew, only the signature is left to find it.
func TestRewrittenLogIsFound(t *testing.T) {
	s := open(t)
	fill(t, s, 30)
	n := notary(t, s)
	old, err := n.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, s, 30, 4)
	if st, err := check(t, s); !errors.Is(err, audit.ErrForked) || !strings.Contains(st.Fault, "not those that were signed") {
		t.Errorf("rewritten: %+v, %v", st, err)
	}
	// Without any signed head in the file, it is what was kept elsewhere.
	for _, k := range keys(t, s, "audit/checkpoint/") {
		put(t, s, k, nil)
	}
	if st, err := check(t, s); err != nil {
		t.Errorf("nothing is left to find it by, and yet: %+v, %v", st, err)
	}
	st, err := check(t, s, old.Kept("paper"))
	isFault(t, "beside paper", err, "not those of paper")
	if st.Fault == "" {
		t.Error("no alarm")
	}
}

// rewrite makes the log anew, with another event at number n.
func rewrite(t testing.TB, s store.Store, events, n int) {
	t.Helper()
	put(t, s, "audit/size", []byte("0"))
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for i := range events {
			e := event(i)
			if i == n {
				e.Reason = "another reason"
			}
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

// The whole file of yesterday is consistent in itself; an anchor tells.
func TestOldCopyOfTheFileIsFoundByTheAnchor(t *testing.T) {
	dir := t.TempDir()
	file, copied, anchor := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db"), filepath.Join(dir, "mount", "anchors.jsonl")
	if err := os.Mkdir(filepath.Dir(anchor), 0o700); err != nil {
		t.Fatal(err)
	}
	day := func(path string, from, to int) []error {
		s, err := bolt.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for i := from; i < to; i++ {
			if err := audit.Record(t.Context(), s, event(i)); err != nil {
				t.Fatal(err)
			}
		}
		a := audit.NewAnchors(notary(t, s), audit.FilePlace(anchor, key(t, signer(t, 7))))
		first := a.Push(t.Context())
		if alarm := a.State()[0].Alarm; alarm != "" { // it stays, whatever becomes of the place
			if err := os.Rename(anchor, anchor+"~"); err != nil {
				t.Fatal(err)
			}
			if again := a.Push(t.Context()); again[0] == nil || a.State()[0].Alarm != alarm {
				t.Errorf("the alarm is gone: %v", again)
			}
			if err := os.Rename(anchor+"~", anchor); err != nil {
				t.Fatal(err)
			}
		}
		return first
	}
	if err := errors.Join(day(file, 0, 5)...); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(day(file, 5, 9)...); err != nil {
		t.Fatal(err)
	}
	errs := day(copied, 0, 0)
	isFault(t, "yesterday's copy", errs[0], "the log has 5 events, but the last line of anchors.jsonl is a head of 9")
	errs = day(copied, 7, 12)
	isFault(t, "yesterday's copy, used since", errs[0], "first 9 events are not those of the last line")
	if lines := readLines(t, anchor); len(lines) != 2 {
		t.Errorf("%d lines: the wrong log added to the anchors", len(lines))
	}
	if err := errors.Join(day(file, 9, 10)...); err != nil {
		t.Errorf("the right file: %v", err)
	}
}

func readLines(t testing.TB, path string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
}

func TestAnchors(t *testing.T) {
	s := open(t)
	fill(t, s, 3)
	n := notary(t, s)
	path := filepath.Join(t.TempDir(), "anchors.jsonl")
	fail, pushed := errors.New("nobody there"), []int64{}
	broken := true
	a := audit.NewAnchors(n, audit.FilePlace(path, key(t, signer(t, 7))), audit.Place{Name: "elsewhere", Push: func(_ context.Context, c audit.Checkpoint) error {
		if broken {
			return fail
		}
		pushed = append(pushed, c.Size)
		return nil
	}})
	errs := a.Push(t.Context())
	if st := a.State(); errs[0] != nil || !errors.Is(errs[1], fail) || st[0].Size != 3 || !st[0].Time.Equal(later) || st[1].Size != 0 || st[1].Failures != 1 || st[1].Failing != "nobody there" || st[1].Alarm != "" {
		t.Errorf("one place fails: %v, %+v", errs, st)
	}
	broken = false
	for range 2 {
		if err := errors.Join(a.Push(t.Context())...); err != nil {
			t.Fatal(err)
		}
	}
	if st := a.State(); len(pushed) != 1 || pushed[0] != 3 || st[1].Size != 3 || st[1].Failing != "" || st[1].Failures != 1 {
		t.Errorf("it recovers: %v, %+v; want one push", pushed, st)
	}
	if err := os.WriteFile(path, append(bytes.Join(readLines(t, path), nil), "\n{\"size\":4,\"ro"...), 0o600); err != nil { // as a crash leaves it
		t.Fatal(err)
	}
	fill(t, s, 4)
	if err := errors.Join(a.Push(t.Context())...); err != nil {
		t.Fatal(err)
	}
	again := audit.NewAnchors(n, audit.FilePlace(path, key(t, signer(t, 7))))
	kept, err := again.Kept()
	if err != nil || len(kept) != 2 || kept[0].Size != 3 || kept[1].Size != 7 {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if st, err := check(t, s, kept...); err != nil || st.Done != 7 {
		t.Errorf("%+v, %v", st, err)
	}
	lines := readLines(t, path)
	for i, b := range lines[0] {
		bad := bytes.Clone(lines[0])
		bad[i] ^= 1
		changed := filepath.Join(t.TempDir(), "a")
		if err := os.WriteFile(changed, append(bad, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		if kept, err := audit.NewAnchors(n, audit.FilePlace(changed, key(t, signer(t, 7)))).Kept(); err == nil && len(kept) > 0 {
			t.Fatalf("believed with byte %d changed from %q to %q", i, b, bad[i])
		}
	}
	missing := audit.NewAnchors(n, audit.FilePlace(filepath.Join(t.TempDir(), "not-mounted", "a"), key(t, signer(t, 7))))
	if errs := missing.Push(t.Context()); !errors.Is(errs[0], os.ErrNotExist) || missing.State()[0].Alarm != "" {
		t.Errorf("without its mount: %v", errs)
	}
}

func TestShipping(t *testing.T) {
	s := open(t)
	fill(t, s, 1203)
	path := filepath.Join(t.TempDir(), "ship.jsonl")
	ship := func(to audit.Destination) *audit.Shipper {
		sh := audit.NewShipper(s, to)
		for more := true; more; {
			var err error
			if more, err = sh.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return sh
	}
	if st := ship(audit.FileDestination(path)).State(); st.Next != 1203 || st.Failures != 0 || st.To != "file:"+path {
		t.Errorf("%+v", st)
	}
	fill(t, s, 2)
	ship(audit.FileDestination(path)) // after a restart it goes on
	ship(audit.FileDestination(path))
	lines := readLines(t, path)
	for n, line := range lines {
		if !bytes.Equal(line, get(t, s, fmt.Sprintf("audit/event/%016d", n))) {
			t.Fatalf("line %d is %s", n, line)
		}
	}
	if len(lines) != 1205 {
		t.Errorf("%d lines, want 1205", len(lines))
	}
	// A crash between the lines and the note of them: they come again, none is lost.
	var b bytes.Buffer
	crash := errors.New("crash")
	other := audit.Destination{Name: "other", Write: func(p []byte) error { b.Write(p); return crash }}
	sh := audit.NewShipper(s, other)
	if _, err := sh.Step(t.Context()); !errors.Is(err, crash) || sh.State().Failures != 1 || sh.State().Next != 0 {
		t.Errorf("%v, %+v", err, sh.State())
	}
	crash = nil
	ship(other)
	seen := map[int64]bool{}
	for line := range bytes.Lines(b.Bytes()) {
		var e audit.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		seen[e.N] = true
	}
	if n := bytes.Count(b.Bytes(), []byte("\n")); len(seen) != 1205 || n != 1705 {
		t.Errorf("%d different of %d lines, want 1205 of 1705", len(seen), n)
	}
}

// A destination that takes nothing holds up neither a change nor the end.
func TestShippingBlocksNothing(t *testing.T) {
	s := open(t)
	r, w := io.Pipe() // nobody reads
	defer r.Close()
	entered := make(chan struct{}, 1)
	sh := audit.NewShipper(s, audit.Destination{Name: "pipe", Write: func(b []byte) error { entered <- struct{}{}; _, err := w.Write(b); return err }})
	fill(t, s, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { sh.Run(ctx, func(error) {}); close(ended) }()
	<-entered
	for i := range 20 {
		if err := audit.Record(t.Context(), s, event(i)); err != nil {
			t.Fatal(err)
		}
	}
	if st := sh.State(); st.Next != 0 {
		t.Errorf("%+v", st)
	}
	cancel()
	<-ended
}

func TestStateOfTheLog(t *testing.T) {
	s := open(t)
	fill(t, s, 3)
	n := notary(t, s)
	w := audit.Watch{Notary: n, Checker: audit.NewChecker(audit.CheckerOptions{Notary: n}), Anchors: audit.NewAnchors(n)}
	if st, err := w.State(t.Context()); err != nil || st.Events != 3 || st.Head.Note != nil || st.Ship != nil || len(st.Alarms()) != 0 {
		t.Errorf("before: %+v, %v", st, err)
	}
	w.Shipper = audit.NewShipper(s, audit.Destination{Name: "nowhere", Write: func([]byte) error { return nil }})
	if err := w.Checker.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Shipper.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st, err := w.State(t.Context()); err != nil || st.Head.Size != 3 || st.Check.Done != 3 || st.Ship.Next != 3 {
		t.Errorf("after: %+v, %v", st, err)
	}
	if a := (audit.State{Check: audit.CheckState{Fault: "a"}, Anchors: []audit.AnchorState{{Place: "p", Alarm: "b"}, {Failing: "c"}}}).Alarms(); strings.Join(a, ";") != "a;p: b" {
		t.Errorf("alarms %q", a)
	}
}
