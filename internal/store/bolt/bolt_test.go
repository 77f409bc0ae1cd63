package bolt_test

import (
	"path/filepath"
	"testing"

	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) store.Store { return open(t, filepath.Join(dir, "test.db")) })
}

// open opens the file at path and closes it at the end of the test.
func open(t testing.TB, path string) *bolt.DB {
	t.Helper()
	d, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return d
}
