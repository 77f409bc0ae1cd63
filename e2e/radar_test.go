package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// The radar is paused from the overview, with the keyboard, and goes on without
// a script; its panel fits a phone.
func TestRadar(t *testing.T) {
	t.Parallel()
	house := start(t, "--radar", "daily")
	e := house.errand(t)
	e.intercom("acme:intercom", "current")
	ada := house.person(t)
	ada.SignIn()
	ada.Open("/")
	panel := ada.In(`[aria-labelledby="radar"]`)
	panel.See("Radar", "On", "not asked yet", "Last request: never")
	radarShots(t, ada)
	eval[bool](ada, `(() => { document.querySelector('form[action="/radar"] button').focus(); return true })()`)
	ada.leaving("Enter on the button", func() { ada.Keys("Enter") })
	panel.See("Paused by "+email, "Nothing is sent.")
	ada.Open("/config/acme:intercom")
	ada.See("Radar: paused.")
	ada.Scripts(false)
	ada.Open("/")
	panel.Follow("Let the radar go on")
	panel.See("On", "Last request: never")
	ada.Scripts(true)
	ada.Open("/")
	ada.Screen(390, 844, 1)
	if wide := eval[bool](ada, `document.documentElement.scrollWidth > innerWidth`); wide {
		t.Error("the overview scrolls sideways on a phone")
	}
	ada.runScript(axe)
	for _, finding := range ada.axe() {
		t.Errorf("axe: %s", finding)
	}
}

// radarShots keeps pictures of the overview where -shots asks for them.
func radarShots(t *testing.T, p *person) {
	if *shots == "" {
		return
	}
	for _, width := range []int64{1440, 390} {
		for _, theme := range []string{"light", "dark"} {
			p.Screen(width, 900, 1)
			p.Theme(theme)
			name := map[int64]string{1440: "desk", 390: "phone"}[width] + "-" + theme + ".png"
			if err := os.WriteFile(filepath.Join(*shots, "radar-"+name), p.fullShot(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.Screen(1440, 900, 1)
	p.Theme("light")
}
