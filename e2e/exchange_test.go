package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// exchanged is a file with a row for each verdict of a plan: acme:homemade is
// there already, in another state.
const exchanged = `format: backoffice.entries/1
from: https://staging.example.com
by: bo@example.com
entries:
  - id: acme:homemade
    values: {endpoint: "https://api.example.com", retries: 3}
  - id: acme:moved
    values: {region: eu, retries: 5}
    scopes: [read, write]
  - id: acme:sealed
    values: {region: eu}
    secrets:
      apiKey: {length: 32}
  - id: nowhere
    values: {a: 1}
`

// An admin chooses a file, looks at the plan, types what lacks, and imports; with
// and without scripts.
func TestImport(t *testing.T) {
	t.Parallel()
	for name, scripts := range map[string]bool{"with scripts": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			house := start(t)
			ada := house.person(t)
			ada.Scripts(scripts)
			ada.SetUp()
			ada.Open("/config/import")
			ada.FollowRefused("Show the plan", 422)
			ada.See("The file is empty. Choose one, or paste its text.")
			file := filepath.Join(t.TempDir(), "entries.yaml")
			if err := os.WriteFile(file, []byte(exchanged), 0o600); err != nil {
				t.Fatal(err)
			}
			ada.do("choosing a file", chromedp.SetUploadFiles("#file", []string{file}))
			ada.Follow("Show the plan")
			ada.See("The file says that it is from https://staging.example.com", "exported by bo@example.com", "An id has the form vendor:service", "The file does not have apiKey", "New entries", "acme:moved")
			ada.Tick("Leave out acme:homemade", true)
			ada.Fill("apiKey", "typed-0123456789")
			ada.Fill("Reason", "moved from staging")
			ada.Follow("Import in one go")
			ada.At("/config")
			ada.See("acme:moved")
			ada.NotSee("acme:homemade")
			ada.Open("/audit")
			ada.In(".is-log tbody").See("Imported entries", "Created the entry")
		})
	}
}
