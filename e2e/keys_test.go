package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	_ "backoffice/internal/webhook" // declares the kind of the bodies
)

// startSealed runs the program over data in which n bodies of notifications are
// sealed, so that sealing them anew takes a while.
func startSealed(t *testing.T, n int) *program {
	t.Helper()
	dir := t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	keys, err := secret.Generate()
	check(err)
	file, err := keys.Bytes()
	check(err)
	check(os.WriteFile(filepath.Join(dir, "backoffice.key"), file, 0o600))
	record, box, err := keys.NewInstallation()
	check(err)
	sealed := map[string][]byte{secret.InstallationKey: record}
	for i := range n {
		key := fmt.Sprintf("webhook/body/%026d", i)
		sealed[key], err = box.Seal([]byte(`{"topic":"ping"}`), key)
		check(err)
	}
	db, err := bolt.Open(filepath.Join(dir, "backoffice.db"))
	check(err)
	check(db.Update(context.Background(), func(tx store.Tx) error {
		for key, b := range sealed {
			tx.Put(key, b)
		}
		return nil
	}))
	check(db.Close())
	port := freePort(t)
	p := &program{url: "http://localhost:" + port}
	p.launch(t, "serve", "--second-factor", "off", "--addr", "127.0.0.1:"+port, "--public-url", p.url, "--environment", "staging", "--data", dir)
	return p
}

// An owner makes a new key, watches how everything is sealed anew, and retires the
// old one: with scripts and without.
func TestKeys(t *testing.T) {
	t.Parallel()
	ada := startSealed(t, 12_000).admin(t)
	ada.Open("/settings")
	ada.Follow("Keys")
	ada.At("/settings/keys")
	ada.See("12,00", "Seals")
	ada.Follow("Make a new key")
	ada.See("A new key seals, and everything else is being sealed anew", "Sealing anew", "of 12,00", "Opens what it sealed")
	shown := ada.Text()
	ada.until("the progress goes on by itself", func() (bool, string) { now := ada.Text(); return now != shown, "it stays the same" })
	ada.accessible()
	ada.See("Retire key") // the page comes to it by itself
	ada.NotSee("Under way")
	ada.Tick("Keep a copy of the keys as they are now, for backups from before", false)
	ada.press("Retire key")
	ada.See("The key is retired", "Retired", "12,00")
	ada.Scripts(false)
	ada.Open("/settings/keys")
	ada.Follow("Make a new key")
	ada.See("Under way", "of 12,00")
	ada.See("It seals nothing by the last count")
}

// press follows the first button whose name begins so.
func (p *person) press(begins string) {
	p.t.Helper()
	p.leaving("press "+begins, func() {
		p.runScript(fmt.Sprintf(`[...document.querySelectorAll("main button")].find((b) => b.textContent.trim().startsWith(%q)).click()`, begins))
	})
}
