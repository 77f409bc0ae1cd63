package e2e

import "testing"

// coveredByBar unfolds everything in the form, says where the save bar ends if
// that is not the foot of the window, and names what it covers of a control that
// has the focus.
const coveredByBar = `(() => {
	const bar = document.querySelector(".save-bar"), form = bar.closest("form"), out = [];
	for (const fold of form.querySelectorAll("details")) fold.open = true;
	form.scrollIntoView({ block: "start" });
	const { bottom } = bar.getBoundingClientRect();
	if (Math.abs(bottom - innerHeight) > 2) out.push("the bar ends at " + bottom + " of " + innerHeight);
	for (const el of form.querySelectorAll("input:not([type=hidden], .visually-hidden), select, textarea, summary")) {
		if (bar.contains(el) || el.disabled) continue;
		el.focus();
		const box = el.getBoundingClientRect();
		if (document.activeElement !== el || box.bottom > bar.getBoundingClientRect().top) out.push(el.id || el.textContent.trim());
	}
	return out.join(", ");
})()`

// The buttons that save stand at the foot of the window all along a long form,
// and cover nothing that has the focus.
func TestSaveBarStaysInSight(t *testing.T) {
	t.Parallel()
	house := start(t)
	house.errand(t).intercom("acme:intercom", "current")
	ada := house.person(t)
	ada.SignIn()
	for _, tab := range []string{"webhooks", "scopes", "edit"} {
		ada.Open("/config/acme:intercom/" + tab)
		for _, s := range screens {
			ada.Screen(s.width, s.height, s.scale)
			if found := eval[string](ada, coveredByBar); found != "" {
				t.Errorf("%s at %s: %s", tab, s.name, found)
			}
		}
	}
}
