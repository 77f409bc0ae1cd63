package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/backup"
	"backoffice/internal/errs"
)

var owner = audit.Actor{ID: "u1", Name: "owner@acme.example", Addr: "203.0.113.7"}

// service makes backups of the house into a directory of its own.
func (h *house) service(t *testing.T, change func(*backup.Options)) (*backup.Service, string) {
	t.Helper()
	o := backup.Options{Maker: h.maker(backup.Recipients{}), Store: h.s, Dir: t.TempDir(), Every: 24 * time.Hour, Keep: 3}
	if change != nil {
		change(&o)
	}
	return backup.NewService(o), o.Dir
}

// files are the names in a directory, sorted.
func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		out = append(out, f.Name())
	}
	return out
}

// events are the newest of the log, newest first.
func (h *house) events(t *testing.T, n int) []audit.Event {
	t.Helper()
	p, err := audit.NewLog(h.s).List(t.Context(), audit.Filter{Limit: n})
	if err != nil {
		t.Fatal(err)
	}
	return p.Events
}

func due(t *testing.T, s *backup.Service, want bool) {
	t.Helper()
	tried, err := s.Due(t.Context())
	if err != nil || tried != want {
		t.Fatalf("Due = %v, %v; want %v", tried, err, want)
	}
}

func state(t *testing.T, s *backup.Service) backup.State {
	t.Helper()
	st, err := s.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestSchedule(t *testing.T) {
	h := newHouse(t)
	s, dir := h.service(t, nil)
	if st := state(t, s); !st.Next.Equal(h.now) || st.Overdue || st.Good.File != "" {
		t.Errorf("%+v", st)
	}
	due(t, s, true)
	first := files(t, dir)
	name := fmt.Sprintf("backoffice-%s-20261122T215635Z.tar.zst", backup.Installation(h.box))
	if len(first) != 1 || first[0] != name {
		t.Fatalf("%v, want %s", first, name)
	}
	info, err := os.Stat(filepath.Join(dir, name))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	st := state(t, s)
	e := h.events(t, 1)[0]
	if r := st.Good; r.File != name || !r.Verified || r.Kind != backup.Scheduled || r.Size != info.Size() || r.Events != 40 || len(r.SHA256) != 64 || r.By != "" || !r.Time.Equal(h.now) ||
		e.Action != audit.BackupMade || e.Target != name || e.Outcome != audit.Done || !strings.Contains(e.Note, r.SHA256) || !strings.Contains(e.Note, "By the schedule") || !strings.Contains(e.Note, "Not encrypted") || !e.Time.Equal(h.now) {
		t.Errorf("%+v, %+v", r, e)
	}
	if !st.Next.Equal(h.now.Add(24*time.Hour)) || st.Every != 24*time.Hour || st.Keep != 3 || st.Dir != dir || !st.Since.IsZero() || len(st.Runs) != 1 {
		t.Errorf("%+v", st)
	}
	due(t, s, false)
	h.now = h.now.Add(24*time.Hour - time.Second)
	due(t, s, false)
	h.now = h.now.Add(time.Second)
	due(t, s, true)
	// Another program over the same data goes on with the same schedule.
	s2 := backup.NewService(backup.Options{Maker: h.maker(backup.Recipients{}), Store: h.s, Dir: dir, Every: 24 * time.Hour, Keep: 3})
	due(t, s2, false)
	h.now = h.now.Add(72 * time.Hour)
	if !state(t, s2).Overdue {
		t.Error("not overdue after three days")
	}
	off, _ := h.service(t, func(o *backup.Options) { o.Every = 0 })
	due(t, off, false)
	if st := state(t, off); !st.Next.IsZero() || st.Overdue {
		t.Errorf("no schedule: %+v", st)
	}
}

// Only what is ours goes, and only what is too old.
func TestPrune(t *testing.T) {
	h := newHouse(t)
	s, dir := h.service(t, nil)
	id := backup.Installation(h.box)
	before := "backoffice-" + id + "-20200101T000000Z.tar.zst" // of a life before this data
	others := []string{"backoffice-" + id + "-notes.txt", "backoffice-ffffffff-20200101T000000Z.tar.zst", "family.jpg", "backoffice-" + id + "-20200101T000000Z.tar.zst.old"}
	for _, name := range append(others, before) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var made []string
	for range 5 {
		due(t, s, true)
		made = append(made, state(t, s).Good.File)
		h.now = h.now.Add(24 * time.Hour)
	}
	got := strings.Join(files(t, dir), " ")
	for _, name := range append(others, made[2:]...) {
		if !strings.Contains(got, name) {
			t.Errorf("%s is gone", name)
		}
	}
	for _, name := range append(made[:2:2], before+" ") {
		if strings.Contains(got+" ", name+" ") {
			t.Errorf("%s is still there", name)
		}
	}
}

// However many are downloaded in between, the schedule and the pruning know what is in
// the directory.
func TestDownloadsHideNoBackup(t *testing.T) {
	h := newHouse(t)
	s, dir := h.service(t, func(o *backup.Options) { o.Spool = t.TempDir() })
	due(t, s, true)
	first := state(t, s).Good
	for range 40 {
		h.now = h.now.Add(time.Minute)
		f, _, err := s.Give(t.Context(), owner, backup.Console, backup.Recipients{})
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	st := state(t, s)
	if st.Good.File != first.File || !st.Next.Equal(first.Time.Add(24*time.Hour)) || len(st.Runs) != 34 || st.Runs[0].Kind != backup.Console || st.Runs[33].File != first.File {
		t.Errorf("after downloads: %+v, next %s, %d runs", st.Good, st.Next, len(st.Runs))
	}
	due(t, s, false)
	if got := files(t, dir); len(got) != 1 || got[0] != first.File {
		t.Errorf("%v", got)
	}
}

// A clock that jumps, either way, makes at most one backup too many, and removes no
// more than a new one does.
func TestClockJumps(t *testing.T) {
	h := newHouse(t)
	s, dir := h.service(t, nil)
	for range 3 {
		due(t, s, true)
		h.now = h.now.Add(24 * time.Hour)
	}
	three := files(t, dir)
	real := h.now
	h.now = real.AddDate(30, 0, 0)
	due(t, s, true)
	due(t, s, false)
	if got := files(t, dir); len(got) != 3 || got[0] != three[1] || got[1] != three[2] {
		t.Errorf("30 years ahead: %v of %v", got, three)
	}
	h.now = real.Add(time.Hour)
	due(t, s, true) // what is in the future does not put it off
	newest := state(t, s).Good.File
	if got := strings.Join(files(t, dir), " "); !strings.Contains(got, newest) || !strings.Contains(got, three[2]) || len(files(t, dir)) != 3 {
		t.Errorf("and back: %v", got)
	}
	due(t, s, false)
	for range 4 {
		h.now = h.now.Add(24 * time.Hour)
		due(t, s, true)
		newest = state(t, s).Good.File
	}
	if got := files(t, dir); len(got) != 3 || got[2] != newest {
		t.Errorf("days later: %v", got)
	}
}

// A backup that is not made takes none away, is said, is on record once in the time of
// the schedule, and is tried again.
func TestFailure(t *testing.T) {
	h := newHouse(t)
	broken := errors.New("")
	s, dir := h.service(t, func(o *backup.Options) {
		snapshot := o.Snapshot
		o.Snapshot = func(ctx context.Context, w io.Writer) (int64, error) {
			if broken != nil {
				return 0, broken
			}
			return snapshot(ctx, w)
		}
	})
	broken = nil
	due(t, s, true)
	good := files(t, dir)
	h.now = h.now.Add(24 * time.Hour)
	broken = fmt.Errorf("write x: %w", syscall.ENOSPC)
	for i := range 4 {
		if tried, err := s.Due(t.Context()); !tried || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%v, %v", tried, err)
		}
		due(t, s, false)
		st := state(t, s)
		if st.Failures != int64(i+1) || !strings.Contains(st.Failing, "the disk is full") || st.Overdue || len(st.Runs) != 2 || st.Runs[0].Fault != st.Failing || st.Good.File != good[0] {
			t.Errorf("%+v", st)
		}
		h.now = h.now.Add(15 * time.Minute)
	}
	e := h.events(t, 2)
	if e[0].Action != audit.BackupMade || e[0].Outcome != audit.Failed || !strings.Contains(e[0].Note, "the disk is full") || e[1].Outcome == audit.Failed {
		t.Errorf("%+v", e)
	}
	if got := files(t, dir); fmt.Sprint(got) != fmt.Sprint(good) {
		t.Errorf("%v, want %v", got, good)
	}
	broken = nil
	due(t, s, true)
	if st := state(t, s); st.Failing != "" || len(files(t, dir)) != 2 {
		t.Errorf("%+v, %v", st, files(t, dir))
	}
	// A directory that is not there is not made.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, err := s.Save(t.Context(), owner, backup.ByHand)
	if _, msg := errs.Of(err); !strings.Contains(msg, "is not there. Make it, or mount") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory was made")
	}
}

// What the data is damaged by is not backed up over good ones.
func TestDamagedDataIsNotABackup(t *testing.T) {
	h := newHouse(t)
	s, dir := h.service(t, func(o *backup.Options) {
		o.Snapshot = func(_ context.Context, w io.Writer) (int64, error) {
			var b bytes.Buffer
			if _, err := h.db.Snapshot(context.Background(), &b); err != nil {
				return 0, err
			}
			bad := b.Bytes()
			for i := len(bad) / 2; i < len(bad); i++ {
				bad[i] = 0xff
			}
			n, err := w.Write(bad)
			return int64(n), err
		}
	})
	if _, err := s.Save(t.Context(), owner, backup.ByHand); err == nil || !strings.Contains(err.Error(), "damaged") || len(files(t, dir)) != 0 {
		t.Errorf("%v, %v", err, files(t, dir))
	}
	if left, _ := filepath.Glob(filepath.Join(h.dir, ".backup*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A backup that somebody takes away is on record before the first byte, and whoever
// takes it slowly holds up nobody: neither changes nor the file.
func TestTakenSlowly(t *testing.T) {
	h := newHouse(t)
	s, _ := h.service(t, nil)
	id, public := identity(t)
	f, made, err := s.Give(t.Context(), owner, backup.Downloaded, recipients(t, public))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e := h.events(t, 1)[0]
	if e.Action != audit.BackupTaken || e.Actor != owner || e.Outcome != audit.Done || !strings.Contains(e.Note, made.SHA256) || !strings.Contains(e.Note, "Encrypted to "+public) {
		t.Errorf("%+v", e)
	}
	if left := files(t, h.dir); len(left) != 1 {
		t.Errorf("beside the data: %v", left)
	}
	size := h.db.Stats().FileSize
	one := make([]byte, 1)
	var got []byte
	for range 200 { // a byte, and a change
		if _, err := f.Read(one); err != nil {
			t.Fatal(err)
		}
		got = append(got, one...)
		h.put(t, "row", bytes.Repeat([]byte("x"), 20_000))
	}
	if now := h.db.Stats().FileSize; now > size+8<<20 {
		t.Errorf("the file grew from %d to %d while a backup was read", size, now)
	}
	rest, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Read(t.Context(), bytes.NewReader(append(got, rest...)), []backup.Identity{id}); err != nil {
		t.Error(err)
	}
	if st := state(t, s); len(st.Runs) != 1 || st.Runs[0].Kind != backup.Downloaded || st.Runs[0].By != owner.Name || st.Runs[0].File != "" || st.Good.File != "" {
		t.Errorf("%+v", st)
	}
}

func TestOneAtATime(t *testing.T) {
	h := newHouse(t)
	begun, goOn := make(chan bool), make(chan bool)
	s, _ := h.service(t, func(o *backup.Options) {
		snapshot := o.Snapshot
		o.Snapshot = func(ctx context.Context, w io.Writer) (int64, error) {
			begun <- true
			<-goOn
			return snapshot(ctx, w)
		}
	})
	done := make(chan error)
	go func() { _, err := s.Save(t.Context(), owner, backup.ByHand); done <- err }()
	<-begun
	if st := state(t, s); !st.Since.Equal(h.now) {
		t.Errorf("%+v", st)
	}
	_, _, err := s.Give(t.Context(), owner, backup.Downloaded, backup.Recipients{})
	if kind, _ := errs.Of(err); kind != errs.TooMany {
		t.Errorf("a second one: %v", err)
	}
	goOn <- true
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// What a program that was killed has left goes, and nothing else.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".backup-1.db", ".backup-2.archive", "backoffice.db"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := backup.SweepAll(dir); err != nil || fmt.Sprint(files(t, dir)) != "[backoffice.db]" {
		t.Errorf("%v, %v", err, files(t, dir))
	}
}
