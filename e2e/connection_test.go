package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Report waits until a test is done and its report is there.
func (p *person) Report() {
	p.t.Helper()
	p.See("How sure is this?")
	if eval[bool](p, `document.querySelector("[data-events]") !== null`) {
		p.fail("the report and the test under way are on one page")
	}
}

// NewTab does something that opens another tab, and returns the person there.
func (p *person) NewTab(act func()) *person {
	p.t.Helper()
	tabs := func() map[target.ID]string {
		ctx, cancel := context.WithTimeout(p.ctx, *patience)
		defer cancel()
		all, err := chromedp.Targets(ctx)
		if err != nil {
			p.fail("listing the tabs: %v", err)
		}
		found := map[target.ID]string{}
		for _, one := range all {
			if one.Type == "page" {
				found[one.TargetID] = one.URL
			}
		}
		return found
	}
	before := tabs()
	act()
	var id target.ID
	p.until("another tab opens", func() (bool, string) {
		for one, address := range tabs() {
			if _, known := before[one]; !known && strings.HasPrefix(address, p.house.url) {
				id = one
			}
		}
		return id != "", "there is none"
	})
	return p.house.window(p.t, p.ctx, chromedp.WithTargetID(id))
}

// One press, nobody's consent, a verdict for each field.
func TestConnection(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	ada.Follow("Test connection")
	ada.At("/config/acme:intercom/test/*")
	ada.Report()
	ada.In(".diagnosis").See("Without consent", "Client ID", "Client secret", "Client authentication", "Redirect URI", "Reachability", "Clock")
	ada.See("Go on in Intercom", "Test again", "Up to 6 calls to Intercom")
	ada.Open("/audit?target=acme:intercom")
	ada.See("Started a test without consent", "Tested without consent")
	ada.Open("/config/acme:intercom")
	ada.Consent()
	ada.Follow("Authorize access")
	ada.In(".diagnosis").See("Works")
	ada.Follow("Compare")
	ada.See("Without consent", "Consent run", "Both runs tested the same values.", "Exchange the code for a token")
}

// Without scripts the page loads itself until the report is there.
func TestConnectionWithoutScripts(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	ada.Scripts(false)
	ada.Follow("Test connection")
	ada.At("/config/acme:intercom/test/*")
	ada.Report()
	ada.Open("/config/acme:intercom/edit")
	tab := ada.NewTab(func() { ada.Press("Test these values") })
	tab.At("/trials/*")
	tab.Report()
}

// What is typed and not saved is tested in a tab of its own; the form stays as it
// is, and can be saved at once.
func TestUnsavedValues(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	ada.AddIntercom()
	ada.Follow("Edit")
	ada.Fill("Client secret", "0123456789012345678901234567890123456789")
	tab := ada.NewTab(func() { ada.Press("Test these values") })
	tab.At("/trials/*")
	tab.Report()
	tab.See("Not saved, edited from version 1", "Nothing was saved")
	bob := house.person(t)
	bob.SignIn()
	bob.Open(eval[string](tab, "location.pathname")) // the same account in another browser
	bob.See("Not saved, edited from version 1")
	tab.Follow("See it in the history of acme:intercom")
	tab.See("These values were not saved", "not saved")

	ada.WantValue("Client secret", "0123456789012345678901234567890123456789")
	ada.Follow("Save as pending")
	ada.See("Saved as version 2, pending")
	tab.Open(eval[string](tab, "location.pathname"))
	tab.See("Not saved then; the same values as version 2")
	tab.NotSee("These values were not saved")
}
