package server

import (
	"net/url"
	"strings"
	"testing"
)

// The chart has a bar for each stretch of time, and its table leads to the events
// of each, with the rest of the filter; only one's own filter is taken along.
func TestActivityChart(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.many(60) // one a second from noon on; the owner was set up at eleven
	p := h.owner()
	page := p.get("/audit?action=entry.create").want(200, "61 events from 2026-09-17 11:00 to 2026-09-17 12:01")
	if bars := len(page.all("rect")) - 1; bars < 5 || bars > 60 { // one is the mark's
		t.Errorf("%d bars", bars)
	}
	to := page.link("2026-09-17 12:00 to 2026-09-17 12:01")
	if to == "" {
		to = page.link("2026-09-17 12:00 to 2026-09-17 12:02")
	}
	if !strings.Contains(to, "action=entry.create") || !strings.Contains(to, "from=2026-09-17T12%3A00") {
		t.Fatalf("the table leads to %q in %q", to, page.texts("tr"))
	}
	zoomed := p.get(to).want(200, "Clear the time", "Created the entry")
	if got := zoomed.link("Clear the time"); got != "/audit?action=entry.create" {
		t.Errorf("without the time: %q", got)
	}
	form := controls(zoomed.one("form[class=chart-brush needs-script]"))
	if got := form.Encode(); got != "action=entry.create&from=2026-09-17T12%3A00&to="+url.QueryEscape(zoomed.value("input[id=to]")) {
		t.Errorf("the sliders take along %q", got)
	}
	p.get("/audit?from=2030-01-01").want(200, "No event matches").lacks("data-chart")
	for typed, shown := range map[string]string{"2026-09-17": "2026-09-17T00:00", "2026-09-17T12:00:05": "2026-09-17T12:00:05", "2026-09-17T12:00:00Z": "2026-09-17T12:00"} {
		if got := p.get("/audit?from=" + typed).want(200).value("input[id=from]"); got != shown {
			t.Errorf("the control of %q has %q, want %q", typed, got, shown)
		}
	}
}
