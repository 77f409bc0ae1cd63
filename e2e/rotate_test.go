package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A whole rotation in a browser, against the sandbox with two secrets, without a
// script: pasted, tested, promoted with a way back, watched, retired. Then a paste
// that is wrong, which comes back by itself.
func TestRotation(t *testing.T) {
	t.Parallel()
	house := start(t, "--radar", "daily")
	e := house.errand(t)
	e.intercom("acme:intercom", "current")
	first := e.get(house.sandbox + "/").attribute("client-secret")
	second := e.get(house.sandbox + "/").attribute("second-secret")
	provider := house.person(t) // its control page
	provider.Open(house.sandbox + "/")
	provider.Choose("Client secrets that hold", "Both")
	provider.Choose("What is checked first", "The client: bad id and bad secret told apart")
	provider.Follow("Save switches")

	ada := house.person(t)
	ada.SignIn()
	ada.Scripts(false)
	ada.Open("/config/acme:intercom")
	ada.Follow("Replace clientSecret")
	ada.See("Step 1 of 6", "Whether Intercom keeps an old secret beside a new one is not known here")
	rotateShots(t, ada, "begin")
	ada.Tick("Both hold", true)
	ada.Follow("Save the answer")
	ada.Fill("New value of Client secret", first)
	ada.FollowRefused("Save it as pending", 422)
	ada.See("This is the secret that is in force")
	ada.Fill("New value of Client secret", second)
	ada.Follow("Save it as pending")
	ada.See("Step 3 of 6", "Version 2 was not tested yet.")
	rotateShots(t, ada, "test")
	ada.Follow("Test version 2")
	ada.until("the test is done", func() (bool, string) {
		ada.Open("/config/acme:intercom/rotate")
		return eval[bool](ada, `document.body.textContent.includes("Step 4 of 6")`), "it goes on"
	})
	ada.Choose("If a check proves the new secret wrong", "Go back by itself, within 10 minutes")
	ada.Follow("Promote version 2")
	ada.See("Step 5 of 6", "Version 1 comes back by itself if a check proves the new secret wrong")
	house.notify(t, posted{path: "intercom", secret: first, topic: "ping", id: "notif_old"})
	house.notify(t, posted{path: "intercom", secret: second, topic: "ping", id: "notif_new"})
	ada.until("the check is made, and both notifications are counted", func() (bool, string) {
		ada.Open("/config/acme:intercom/rotate")
		return eval[bool](ada, `document.body.textContent.includes("1 check so far") && [...document.querySelectorAll("tbody tr td:nth-child(2)")].every((c) => c.textContent.trim() === "1")`), "they are not there"
	})
	rotateShots(t, ada, "watch")
	ada.Follow("Retire version 1 now")
	ada.See("The new secret is in force, and the old one is retired")
	if got := house.notify(t, posted{path: "intercom", secret: first, topic: "ping", id: "notif_late"}); got != 401 {
		t.Errorf("the retired secret is answered with %d", got)
	}
	rotateShots(t, ada, "done")
	ada.Follow("End the rotation")
	ada.See("Step 1 of 6")

	ada.Tick("Both hold", true)
	ada.Follow("Save the answer")
	ada.Fill("New value of Client secret", "4d1f0a6be3c2975810fe6c3b7a29d8e54b7c1f02")
	ada.Follow("Save it as pending")
	ada.Choose("If a check proves the new secret wrong", "Go back by itself, within 10 minutes")
	ada.Follow("Promote version 3")
	ada.until("version 2 is back", func() (bool, string) {
		ada.Open("/config/acme:intercom/rotate")
		return eval[bool](ada, `document.body.textContent.includes("Version 2 came back by itself")`), "it is not"
	})
	ada.See("Version 3 is pending, and nothing of it is lost.", "The secret is wrong")
	rotateShots(t, ada, "reverted")
	ada.Open("/")
	ada.See("Version 2 came back by itself")
	ada.Scripts(true)
	ada.Open("/config/acme:intercom/rotate")
	ada.accessible()
	ada.Screen(390, 844, 1)
	if wide := eval[bool](ada, `document.documentElement.scrollWidth > innerWidth`); wide {
		t.Error("the page scrolls sideways on a phone")
	}
}

// rotateShots keeps pictures where -shots asks for them.
func rotateShots(t *testing.T, p *person, state string) {
	if *shots == "" {
		return
	}
	for _, width := range []int64{1440, 390} {
		for _, theme := range []string{"light", "dark"} {
			p.Screen(width, 900, 1)
			p.Theme(theme)
			name := fmt.Sprintf("rotate-%s-%d-%s.png", state, width, theme)
			if err := os.WriteFile(filepath.Join(*shots, name), p.fullShot(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.Screen(1440, 900, 1)
	p.Theme("light")
}
