package e2e

import (
	"testing"
)

// slow makes the sandbox's token address take its time, and returns what ends that.
func (p *person) slow(seconds string) (reset func()) {
	p.t.Helper()
	sandbox := p.Window()
	sandbox.Open(p.house.sandbox + "/")
	sandbox.In(`[aria-labelledby="trouble-token-head"]`).Fill("Wait seconds", seconds)
	sandbox.Follow("Save switches")
	return func() { sandbox.Follow("Reset the sandbox") }
}

// The steps of a test appear while it goes on. It can be left and found again, and
// a second one is refused in words. At the end the report takes the place of the
// steps, and is heard.
func TestConnectionIsWatched(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	reset := ada.slow("5")
	ada.Follow("Test connection")
	ada.At("/config/acme:intercom/test/*")
	ada.See("Testing version 1", "Steps so far", "Reach the authorize and token addresses")
	reset()
	loads := ada.watch.loaded()
	bob := ada.Window()
	bob.Open("/config/acme:intercom/test")
	bob.See("A test is under way")
	bob.FollowRefused("Test connection", 429)
	bob.See("No test was started", "is under way")
	bob.Follow("Watch it")
	bob.See("Steps so far")
	ada.runScript(`document.querySelector("#live-steps details summary").click()`)
	for _, p := range []*person{ada, bob} {
		p.Report()
		p.Verdict("Client secret", "OK")
	}
	if got := ada.watch.loaded(); got != loads {
		t.Errorf("the page was loaded %d times while it was watched", got-loads)
	}
	if !eval[bool](ada, `document.querySelector("#step-1").closest("details").open`) {
		t.Error("what was unfolded is folded again")
	}
	ada.In("#live").See(eval[string](ada, `document.querySelector("#verdict").textContent`))
	twice := `(() => { const n = [...document.querySelectorAll("[data-step]")].map((e) => e.dataset.step); return n.length - new Set(n).size; })()`
	if got := eval[int](ada, twice); got != 0 {
		t.Errorf("%d steps are there twice", got)
	}
}

// A link of a verdict unfolds the step that it rests on.
func TestEvidenceUnfolds(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	ada.Follow("Test connection")
	ada.Report()
	ada.runScript(`document.querySelector(".grounds a").click()`)
	ada.until("the evidence is unfolded", func() (bool, string) {
		open, err := evaluate[bool](ada, `document.querySelector(location.hash)?.closest("details")?.open ?? false`)
		return err == nil && open, "it is not"
	})
}

// Where server-sent events do not come through, the page asks again and again.
func TestConnectionWithoutEvents(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	defer ada.slow("1")()
	ada.beforeScripts(`window.EventSource = class { addEventListener(type, f) { if (type === "error") setTimeout(f); } get readyState() { return 2; } close() {} static CLOSED = 2; };`)
	ada.Follow("Test connection")
	ada.Report()
}
