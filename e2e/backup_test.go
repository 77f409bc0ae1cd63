package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// An owner makes a backup and sees it, with scripts and without.
func TestBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	port := freePort(t)
	house := &program{url: "http://localhost:" + port}
	house.launch(t, "serve", "--second-factor", "off", "--addr", "127.0.0.1:"+port, "--public-url", house.url, "--data", t.TempDir(), "--radar", "off", "--backup-dir", dir, "--backup-every", "0", "--backup-recipient", "age1hcv45a79lumrr0un44y0c9jvzhsdggstztzzur9meeqeknu0s99q9syqaa")
	ada := house.admin(t)
	ada.Open("/settings")
	ada.Follow("Backups")
	ada.At("/settings/backup")
	ada.See("None was made yet", "The key file is not in it", "By hand only")
	ada.Follow("Back up now")
	ada.See("The backup is made", "Read back", "By hand", "Encrypted to 1 recipient", "Only the secret key of age")
	if made, err := filepath.Glob(filepath.Join(dir, "backoffice-*.tar.zst.age")); err != nil || len(made) != 1 {
		t.Errorf("made %v, %v", made, err)
	}
	ada.accessible()
	if *shots != "" {
		for name, width := range map[string]int64{"desk": 1440, "phone": 390} {
			for _, theme := range []string{"light", "dark"} {
				ada.Theme(theme)
				ada.Screen(width, 900, 1)
				ada.Screen(width, max(900, eval[int64](ada, "document.documentElement.scrollHeight")), 1)
				if err := os.WriteFile(filepath.Join(*shots, "settings-backup-"+name+"-"+theme+".png"), ada.fullShot(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	ada.Scripts(false)
	ada.Open("/settings/backup")
	ada.Follow("Back up now")
	ada.See("The backup is made")
}
