package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// run runs the program in a process of its own, and returns what it said.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command("backoffice", args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// grow puts so many rows into the data, and an event.
func grow(t *testing.T, path, what string, rows int) {
	t.Helper()
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	random := rand.New(rand.NewPCG(1, 2))
	err = db.Update(t.Context(), func(tx store.Tx) error {
		for i := range rows {
			b := make([]byte, 3000)
			for j := range b {
				b[j] = byte(random.Uint32())
			}
			tx.Put(fmt.Sprintf("row/%s/%06d", what, i), b)
		}
		return audit.Append(tx, audit.Event{Time: time.Now(), Action: audit.SignIn, Actor: audit.Actor{Name: what + "@acme.example"}, Outcome: audit.Done})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// newest is who made the newest event of the data.
func newest(t *testing.T, path string) string {
	t.Helper()
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p, err := audit.NewLog(db).List(t.Context(), audit.Filter{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return string(p.Events[0].Action) + " " + p.Events[0].Actor.Name
}

// A restore that is killed at any moment leaves the data as it was, or restored, and
// never anything else; the next one goes through.
func TestKilledWhileRestoring(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	k := furnish(t)
	path := filepath.Join(k.dir, dataName)
	grow(t, path, "old", 6000)
	file := filepath.Join(t.TempDir(), "backup")
	if out, err := run(t, "backup", file, "--data", k.dir); err != nil {
		t.Fatal(out)
	}
	grow(t, path, "present", 10)
	present, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if out, err := run(t, "verify", file, "--data", k.dir); err != nil {
		t.Fatal(out)
	}
	whole := time.Since(began) * 5 / 4
	was, restored := 0, 0
	for range 12 {
		cmd := exec.Command("backoffice", "restore", file, "--data", k.dir, "--force")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(whole))))
		_ = cmd.Process.Kill() // SIGKILL; it may have ended
		_ = cmd.Wait()
		now, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(now, present) {
			was++
			continue
		}
		if err := bolt.CheckFile(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if got := newest(t, path); got != "backup.restore console" {
			t.Fatalf("what is there is neither: its newest event is %q", got)
		}
		restored++
		kept, err := filepath.Glob(path + ".before-restore-*")
		if err != nil || len(kept) == 0 {
			t.Fatalf("kept %v, %v", kept, err)
		}
		if b, err := os.ReadFile(kept[len(kept)-1]); err != nil || !bytes.Equal(b, present) {
			t.Errorf("what was kept is not what was there: %v", err)
		}
		for _, name := range kept {
			_ = os.Remove(name)
		}
		if err := os.WriteFile(path, present, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d times as it was, %d times restored", was, restored)
	if was == 0 {
		t.Error("no restore was killed in time")
	}
	left, _ := filepath.Glob(path + ".before-restore-*") // of those that were killed between the two names
	for _, name := range left {
		_ = os.Remove(name)
	}
	if out, err := run(t, "restore", file, "--data", k.dir, "--force"); err != nil {
		t.Fatal(out)
	}
	if left, _ := filepath.Glob(filepath.Join(k.dir, restoreDirs)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	// Where there is no data, and no directory, too.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "restore", file, "--data", k.dir); err != nil || strings.Contains(out, "is kept as") {
		t.Errorf("%v: %s", err, out)
	}
}

// A data file of a newer form is refused by every command, and left as it is.
func TestNewerFormIsRefused(t *testing.T) {
	k := furnish(t)
	path := filepath.Join(k.dir, dataName)
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx store.Tx) error {
		tx.Put("meta/format", []byte(`{"format":7,"program":"7.1.0"}`))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"serve", "--addr", "127.0.0.1:0", "--public-url", "http://localhost:8080"}, {"user", "list"}, {"backup", filepath.Join(t.TempDir(), "x")}, {"audit", "key"}} {
		out, err := run(t, append(args, "--data", k.dir)...)
		if err == nil || !strings.Contains(out, "form 7, which version 7.1.0 began, and this program reads forms up to 1. Nothing was changed") {
			t.Errorf("%v: %v, %s", args, err, out)
		}
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
}
