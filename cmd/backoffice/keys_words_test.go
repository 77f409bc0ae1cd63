package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What stands in the way of a command is said with what helps against it, and without
// a key.
func TestWordsOfKeys(t *testing.T) {
	k := furnish(t)
	key := filepath.Join(k.dir, "backoffice.key")
	if out := runHere(t, 1, "keys", "new", key); !strings.Contains(out, key+" is there already. Name another file") || strings.Contains(out, ".new-") {
		t.Errorf("new over a file: %s", out)
	}
	older := k.box.KeyID()
	runHere(t, 0, "keys", "rotate", "--data", k.dir)
	runHere(t, 0, "keys", "reseal", "--data", k.dir)
	kept := filepath.Join(t.TempDir(), "kept.json")
	if err := os.Rename(key, kept); err != nil {
		t.Fatal(err)
	}
	if out := runHere(t, 1, "keys", "retire", older, "--data", k.dir, "--key-command", "cat "+kept); !strings.Contains(out, "“backoffice keys retire "+older+" --to FILE”") {
		t.Errorf("retire: %s", out)
	}
	if out := runHere(t, 1, "keys", "rotate", "--data", k.dir, "--key-command", "cat "+kept); !strings.Contains(out, "“backoffice keys rotate --to FILE”") {
		t.Errorf("rotate: %s", out)
	}
	secret := "AGE-SECRET-KEY-1" + strings.Repeat("QPZRY9X8", 7) + "QP"
	out := runHere(t, 1, "keys", "list", "--data", k.dir, "--key-command", "sh -c 'echo cannot use "+secret+" of /etc/backoffice/key.enc >&2; exit 3'")
	if strings.Contains(out, "QPZRY9X8") || !strings.Contains(out, "cannot use [hidden] of /etc/backoffice/key.enc") {
		t.Errorf("what a command says: %s", out)
	}
}
