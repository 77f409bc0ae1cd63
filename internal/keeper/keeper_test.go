package keeper

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/secret"
)

const phrase = "correct horse battery staple"

func said(s string) func(context.Context) (secret.Text, error) {
	return func(context.Context) (secret.Text, error) { return secret.NewText(s), nil }
}

func keys(t *testing.T) *secret.Keyset {
	t.Helper()
	k, err := secret.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A key is kept, changed and read back, wrapped and not, also behind a link; nobody
// else can read it, and nothing is left beside it.
func TestFile(t *testing.T) {
	work = 4
	for name, wrap := range map[string]bool{"plain": false, "wrapped": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			real := filepath.Join(dir, "real", "key")
			k := New(Options{File: real, Passphrase: said(phrase), Wrap: wrap})
			if _, err := k.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("no file: %v", err)
			}
			was := keys(t)
			if err := k.Make(t.Context(), was); err != nil {
				t.Fatal(err)
			}
			link := filepath.Join(dir, "link")
			if err := os.Symlink(real, link); err != nil {
				t.Fatal(err)
			}
			k = New(Options{File: link, Passphrase: said(phrase)})
			if got, err := k.Load(t.Context()); err != nil || !got.Equal(was) || k.Wrapped() != wrap {
				t.Fatalf("Load: %v, wrapped %v", err, k.Wrapped())
			}
			now, err := was.Rotated()
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Save(t.Context(), was, now); err != nil {
				t.Fatal(err)
			}
			if err := k.Save(t.Context(), was, now); !errs.Is(err, errs.Conflict) {
				t.Errorf("what somebody else has changed is written over: %v", err)
			}
			b, err := os.ReadFile(real)
			info, _ := os.Stat(real)
			if err != nil || IsWrapped(b) != wrap || info.Mode().Perm() != 0o600 {
				t.Errorf("the file is wrapped: %v, mode %v, %v", IsWrapped(b), info.Mode(), err)
			}
			if fi, err := os.Lstat(link); err != nil || fi.Mode().Type() != fs.ModeSymlink {
				t.Errorf("the link became a file: %v, %v", fi, err)
			}
			if got, err := New(Options{File: real, Passphrase: said(phrase)}).Load(t.Context()); err != nil || !got.Equal(now) {
				t.Errorf("the changed key: %v", err)
			}
			if left, err := os.ReadDir(filepath.Dir(real)); err != nil || len(left) != 1 {
				t.Errorf("left beside it: %v, %v", left, err)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	work = 4
	wrapped, err := Wrap([]byte("content"), secret.NewText(phrase))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := Unwrap(wrapped, secret.NewText(phrase)); err != nil || string(b) != "content" {
		t.Errorf("Unwrap = %q, %v", b, err)
	}
	for name, tt := range map[string]struct {
		wrapped []byte
		phrase  string
		want    string
	}{
		"another phrase": {wrapped, phrase + "r", "does not open it"},
		"none":           {wrapped, "", "is empty"},
		"cut":            {wrapped[:len(wrapped)/2], phrase, "Put back your copy"},
		"changed":        {[]byte(strings.Replace(string(wrapped), "A", "B", 1)), phrase, "Put back your copy"},
	} {
		if b, err := Unwrap(tt.wrapped, secret.NewText(tt.phrase)); err == nil || !strings.Contains(err.Error(), tt.want) && name != "changed" || b != nil {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if _, err := Wrap([]byte("content"), secret.NewText("eleven char")); err == nil {
		t.Error("a short passphrase wraps")
	}
}

// A command that hangs is ended, also if what it started holds its output.
func TestHangingCommand(t *testing.T) {
	defer func(d time.Duration) { commandTime = d }(commandTime)
	commandTime = 50 * time.Millisecond
	for _, command := range [][]string{{"sleep", "600"}, {"sh", "-c", "sleep 20 & sleep 21"}} {
		began := time.Now()
		_, err := New(Options{Command: command}).Load(t.Context())
		if err == nil || !strings.Contains(err.Error(), "did not end within 50ms: "+command[0]) || time.Since(began) > 15*time.Second {
			t.Errorf("%v: %v after %s", command, err, time.Since(began))
		}
	}
}

func TestSplitCommand(t *testing.T) {
	for line, want := range map[string][]string{
		"":                        nil,
		"  a  b ":                 {"a", "b"},
		`a "b c" 'd "e"' f"g h"i`: {"a", "b c", `d "e"`, "fg hi"},
		`a '' $HOME ; b`:          {"a", "", "$HOME", ";", "b"},
		"a\t\"b\nc\"":             {"a", "b\nc"},
	} {
		got, err := SplitCommand(line)
		if err != nil || strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Errorf("%q = %q, %v; want %q", line, got, err, want)
		}
	}
	for _, line := range []string{`a "b`, "a 'b"} {
		if _, err := SplitCommand(line); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}
