package e2e

import (
	"strings"
	"testing"
)

// The longest id that is allowed, and a reason that is one long address, break
// somewhere instead of making a page scroll sideways.
func TestLongWords(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	part := strings.Repeat("abcdefgh", 8)
	id := part + ":" + part + ":" + part
	ada.Open("/config/new?id=" + id)
	ada.Fill("Reason", "https://tickets.acme.example/"+strings.Repeat("x", 380))
	ada.Follow("Save as pending")
	for _, path := range []string{"/", "/config", "/config/" + id, "/config/" + id + "/edit", "/config/" + id + "/history", "/config/" + id + "/delete", "/audit", "/audit/1"} {
		ada.Open(path)
		for _, width := range []int64{1440, 768, 390, 320} {
			ada.Screen(width, 900, 1)
			if wide, err := ask[string](ada, "sideways"); err != nil || wide != "" {
				t.Errorf("%s at %d px: %s %v", strings.ReplaceAll(path, id, "ID"), width, wide, err)
			}
		}
	}
}
