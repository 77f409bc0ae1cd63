package bolt

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backoffice/internal/store"
)

// resident is how many kB of the file at path are in this process.
func resident(t *testing.T, path string) (kb int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	in := false
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, "-") && !strings.Contains(line, "kB") {
			in = strings.HasSuffix(strings.TrimSpace(line), path)
		}
		n := 0
		if _, err := fmt.Sscanf(line, "Rss: %d kB", &n); err == nil && in {
			kb += n
		}
	}
	return kb
}

func TestRest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rest.db")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	const n, each = 64, 256 << 10
	err = d.Update(t.Context(), func(tx store.Tx) error {
		for i := range n {
			tx.Put(fmt.Sprint("k", i), bytes.Repeat([]byte{byte(i)}, each))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	read := func() {
		err := d.View(t.Context(), func(r store.Reader) error {
			items, err := r.Scan(store.Range{Prefix: "k"})
			for _, it := range items {
				if len(it.Value) != each || it.Value[0] != it.Value[each-1] {
					t.Errorf("%s is damaged", it.Key)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	read()
	if kb := resident(t, path); kb < 12<<10 {
		t.Fatalf("%d kB are resident after reading all", kb)
	}
	d.Rest()
	if kb := resident(t, path); kb > 1<<10 {
		t.Errorf("%d kB are resident after the rest", kb)
	}
	read()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d.Rest() // closed: nothing happens
}
