package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"

	ics "github.com/arran4/golang-ical"
)

// calendar makes an address for somebody, and returns its path.
func (p *person) calendar() string {
	p.h.t.Helper()
	a := p.post("/account/calendar", "action", "make", "password", password).want(200, "It is shown this once.")
	address, _ := attr(a.one("input[id=calendar-address]"), "value")
	return strings.TrimPrefix(address, p.h.srv.URL)
}

// summaries are what a calendar has, as another program reads it.
func summaries(t *testing.T, a answer) (out []string) {
	t.Helper()
	cal, err := ics.ParseCalendar(strings.NewReader(a.body))
	if err != nil {
		t.Fatalf("%v\n%s", err, a.body)
	}
	for _, e := range cal.Events() {
		at, err := e.GetAllDayStartAt()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.GetProperty(ics.ComponentPropertySummary).Value+" "+at.Format(time.DateOnly)+" "+e.Id())
	}
	return out
}

// A calendar has the dates of what its person may see, now, and nothing else; its
// address is in no log, page or record.
func TestCalendar(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	for _, id := range []string{"acme:intercom", "globex:intercom"} {
		h.save(id, nil)
		if err := h.deps.Config.SetExpiry(t.Context(), audit.Actor{Name: ownerEmail}, config.ExpiryChange{ID: config.ID(id), Version: 1, Key: "clientSecret", Date: "2026-10-10"}); err != nil {
			t.Fatal(err)
		}
	}
	owner := h.owner()
	owner.get("/account").want(200, "You have no address.").lacks("Withdraw it")
	all := owner.calendar()
	u := h.hire("acme@acme.example", auth.Grant{Role: auth.Viewer, Entries: "acme:*"})
	some := h.as(u).calendar()
	nobody := h.visitor()
	a := nobody.get(all).want(200)
	for name, want := range map[string]string{"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private, max-age=900", "Referrer-Policy": "no-referrer"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	first := summaries(t, a)
	if len(first) != 2 || !strings.HasPrefix(first[0], "Client secret of acme:intercom expires 2026-10-10 ") || !strings.HasPrefix(first[1], "Client secret of globex:intercom") {
		t.Errorf("the owner's: %q", first)
	}
	for _, secret := range []string{h.provider.ClientSecret(), h.provider.ClientID()} {
		if strings.Contains(a.body, secret) {
			t.Error("the calendar has a value")
		}
	}
	if got := summaries(t, nobody.get(some).want(200)); len(got) != 1 || got[0] != first[0] {
		t.Errorf("of one vendor: %q", got)
	}
	if err := h.deps.Config.SetExpiry(t.Context(), audit.Actor{Name: ownerEmail}, config.ExpiryChange{ID: "acme:intercom", Version: 1, Key: "clientSecret", Date: "2026-11-11"}); err != nil {
		t.Fatal(err)
	}
	moved := summaries(t, nobody.get(some).want(200))
	if len(moved) != 1 || moved[0] != strings.Replace(first[0], "10-10", "11-11", 1) {
		t.Errorf("another date: %q", moved)
	}
	if err := h.deps.Auth.Disable(t.Context(), by(must(seeded())(t).owner), u.ID); err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSuffix(strings.TrimPrefix(all, "/calendar/"), ".ics")
	for _, path := range []string{some, "/calendar/" + token, "/calendar/x.ics", "/calendar/" + strings.Repeat("A", 43) + ".ics", "/calendar/.ics"} {
		nobody.get(path).bare(404)
	}
	again := owner.calendar()
	nobody.get(all).bare(404)
	nobody.get(again).want(200)
	owner.get("/account").want(200, "You have an address", "Withdraw it").lacks(token, strings.TrimPrefix(again, "/calendar/"))
	owner.post("/account/calendar", "action", "withdraw").want(303)
	owner.post("/account/calendar", "action", "withdraw").want(404)
	owner.post("/account/calendar", "action", "nothing").want(422)
	nobody.get(again).bare(404)
	for _, path := range []string{all, some, again} {
		secret := strings.TrimSuffix(strings.TrimPrefix(path, "/calendar/"), ".ics")
		if strings.Contains(h.log.String(), secret) {
			t.Error("an address is in the log")
		}
		if strings.Contains(fmt.Sprint(h.dump()), secret) {
			t.Error("an address is in the file")
		}
	}
	if made, ended := len(h.events(audit.CalendarMade)), len(h.events(audit.CalendarEnded)); made != 3 || ended != 1 {
		t.Errorf("%d and %d events", made, ended)
	}
}

// Guessing is slowed down, and so is a program that asks all the time.
func TestCalendarsAreLimited(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.visitor()
	for range calendarBurst {
		p.get("/calendar/x.ics").bare(404)
	}
	if a := p.get("/calendar/x.ics"); a.status != 429 || a.header.Get("Retry-After") == "" || a.body != "" {
		t.Errorf("%d with %q", a.status, a.body)
	}
	h.pass(time.Minute)
	p.get("/calendar/x.ics").bare(404)
}
