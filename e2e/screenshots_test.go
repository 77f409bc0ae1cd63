package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// TestScreenshots makes a picture of every page, at a desk and on a phone, in
// light and dark, in the directory that -shots names.
func TestScreenshots(t *testing.T) {
	if *shots == "" {
		t.Skip("it makes pictures only: run it with -shots DIR")
	}
	dir, err := filepath.Abs(*shots)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, set := range []struct {
		name  string
		make  func(*testing.T) *tour
		views []view
	}{{"full", newTour, views}, {"new", newEmptyTour, newViews}} {
		t.Run(set.name, func(t *testing.T) {
			t.Parallel()
			v := set.make(t)
			for _, w := range set.views {
				t.Run(w.name, func(t *testing.T) { v.shoot(t, w, dir) })
			}
		})
	}
}

func (v *tour) shoot(t *testing.T, w view, dir string) {
	p := v.show(t, w)
	for _, width := range []int64{1440, 390} {
		for _, theme := range []string{"light", "dark"} {
			height := map[int64]int64{1440: 900, 390: 844}[width]
			p.Screen(width, height, 1)
			p.Theme(theme)
			// A window as tall as the page: what sticks to its foot stands where it ends.
			p.Screen(width, max(height, eval[int64](p, "document.documentElement.scrollHeight")), 1)
			name := w.name + "-" + map[int64]string{1440: "desk", 390: "phone"}[width] + "-" + theme + ".png"
			if err := os.WriteFile(filepath.Join(dir, name), p.fullShot(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.Screen(1440, 900, 1)
	p.Theme("light")
}
