package server

import (
	"strings"
	"testing"
	"time"
)

// The log goes on by itself: each event has the list as it is then, with its
// filter, and how the check stands. Who may not see it any more hears no more.
func TestAuditGoesOn(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	page := p.get("/audit?target=acme:intercom").want(200, "No event matches")
	at, _ := attr(page.one("div[id=news]"), "data-news")
	if at != "/audit/live/events?target=acme%3Aintercom" {
		t.Fatalf("the page listens at %q", at)
	}
	next := p.listen(at)
	if name, data := next(); name != "news" || strings.Contains(data, "data-row") || !strings.Contains(data, "Not checked yet") {
		t.Errorf("it begins with %q %q", name, data)
	}
	h.save("acme:other", nil)
	h.save("acme:intercom", nil)
	p.post("/audit/check").leadsTo("/audit")
	for {
		name, data := next()
		if name != "news" || strings.Contains(data, "acme:other") {
			t.Fatalf("it goes on with %q %q", name, data)
		}
		if strings.Contains(data, "acme:intercom") && strings.Contains(data, "Intact") {
			break
		}
	}
	h.pass(31 * time.Minute) // longer than a session may be idle: the stream has not kept it
	h.save("acme:late", nil)
	name, data := next()
	for name == "news" && !strings.Contains(data, "7 events") {
		name, data = next()
	}
	if name != "over" {
		t.Errorf("after the session's end comes %q", name)
	}
	for _, path := range []string{"/audit?before=2", "/audit?to=2026-09-17"} {
		if _, live := attr(h.owner().get(path).one("div[id=news]"), "data-news"); live {
			t.Errorf("%s listens, and nothing of it is new", path)
		}
	}
	h.owner().get("/audit/live/events?from=yesterday").want(422)
	again := h.owner().listen("/audit/live/events")
	again()
	h.deps.Webhooks.EndWatches()
	if name, _ := again(); name == "over" {
		t.Error("the end of the program is taken for the end of the session")
	}
}
