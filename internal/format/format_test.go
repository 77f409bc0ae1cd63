package format_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/format"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
)

func open(t *testing.T) store.Store {
	t.Helper()
	d, err := bolt.Open(filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return storetest.Replay(d)
}

func put(t *testing.T, s store.Store, key, value string) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error { tx.Put(key, []byte(value)); return nil }); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s store.Store, key string) (v string) {
	t.Helper()
	if err := s.View(t.Context(), func(r store.Reader) error { b, err := r.Get(key); v = string(b); return err }); err != nil {
		t.Fatal(err)
	}
	return v
}

var now = time.Date(2026, 11, 22, 21, 56, 35, 0, time.UTC)

// steps bring a to A, then A to AA; broken fails in the middle as long as it is set.
func steps(broken *bool) []format.Step {
	change := func(f func(string) string) func(context.Context, store.Store) error {
		return func(ctx context.Context, s store.Store) error {
			return s.Update(ctx, func(tx store.Tx) error {
				b, err := tx.Get("k")
				tx.Put("k", []byte(f(string(b))))
				return err
			})
		}
	}
	twice := change(func(v string) string { return v + v })
	return []format.Step{{1, "capitals", change(strings.ToUpper)}, {2, "twice", func(ctx context.Context, s store.Store) error {
		if *broken {
			return errors.New("the disk is gone")
		}
		return twice(ctx, s)
	}}}
}

func TestUp(t *testing.T) {
	s, broken := open(t), true
	put(t, s, "k", "a")
	var copies []int
	var said []string
	u := format.Upgrade{Program: "2.0.0", Now: now, Steps: steps(&broken), Current: 3,
		Before: func(_ context.Context, from int) error { copies = append(copies, from); return nil },
		Said:   func(w string) { said = append(said, w) }}
	if err := format.Up(t.Context(), s, u); err == nil || !strings.Contains(err.Error(), "from form 2 to 3: the disk is gone") {
		t.Errorf("a step that fails: %v", err)
	}
	if r, there, err := format.Of(t.Context(), s); err != nil || !there || r != (format.Record{Format: 2, Program: "2.0.0", Since: now}) || get(t, s, "k") != "A" {
		t.Errorf("after the first step: %v, %v, %v, %q", r, there, err, get(t, s, "k"))
	}
	broken = false
	if err := format.Up(t.Context(), s, u); err != nil || get(t, s, "k") != "AA" {
		t.Errorf("going on: %v, %q", err, get(t, s, "k"))
	}
	if fmt.Sprint(copies) != "[1 2]" || len(said) != 3 || said[0] != "The data is brought from form 1 to 2: capitals" {
		t.Errorf("copies %v, said %q", copies, said)
	}
	if err := format.Up(t.Context(), s, u); err != nil || get(t, s, "k") != "AA" || len(copies) != 2 {
		t.Errorf("once more: %v, %q, %v", err, get(t, s, "k"), copies)
	}
	// An older program refuses, and writes nothing.
	err := format.Readable(t.Context(), s)
	if kind, msg := errs.Of(err); kind != errs.Unavailable || !strings.Contains(msg, "form 3, which version 2.0.0 began, and this program reads forms up to 1") {
		t.Errorf("a newer form: %v", err)
	}
	if u.Current = 2; format.Up(t.Context(), s, u) == nil || get(t, s, "k") != "AA" {
		t.Error("a newer form is brought down")
	}
}

func TestUpChangesNothingWithoutACopy(t *testing.T) {
	s, broken := open(t), false
	put(t, s, "k", "a")
	u := format.Upgrade{Program: "2.0.0", Now: now, Steps: steps(&broken), Current: 3, Before: func(context.Context, int) error { return errors.New("no space") }}
	if err := format.Up(t.Context(), s, u); err == nil || !strings.Contains(err.Error(), "no space. Nothing was changed") || get(t, s, "k") != "a" {
		t.Errorf("%v, %q", err, get(t, s, "k"))
	}
	u.Before, u.Steps = func(context.Context, int) error { return nil }, u.Steps[1:]
	if err := format.Up(t.Context(), s, u); err == nil || !strings.Contains(err.Error(), "no way from form 1") || get(t, s, "k") != "a" {
		t.Errorf("a missing step: %v, %q", err, get(t, s, "k"))
	}
}

// Every step up to the form of this program is there.
func TestStepsAreComplete(t *testing.T) {
	s := open(t)
	u := format.Upgrade{Program: "1.0.0", Now: now, Steps: format.Steps, Current: format.Current, Before: func(context.Context, int) error { return nil }}
	if err := format.Up(t.Context(), s, u); err != nil {
		t.Fatal(err)
	}
	if r, there, err := format.Of(t.Context(), s); err != nil || !there || r.Format != format.Current || r.Program != "1.0.0" {
		t.Errorf("%v, %v, %v", r, there, err)
	}
	if err := format.Readable(t.Context(), s); err != nil {
		t.Error(err)
	}
	put(t, s, format.Key, `{"format":0}`)
	if err := format.Readable(t.Context(), s); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("form 0: %v", err)
	}
}
