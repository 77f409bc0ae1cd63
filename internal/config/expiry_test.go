package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
)

func expires(date string) config.ExpiryChange {
	return config.ExpiryChange{ID: rocketID, Version: 1, Key: "clientSecret", Date: date}
}

// dates are the dates that count, as text.
func (r *room) dates() string {
	r.t.Helper()
	all, err := r.Expiries(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, x := range all {
		out = append(out, fmt.Sprintf("%s %d %s %s", x.Entry, x.Version, x.Label, x.Date))
	}
	return strings.Join(out, ", ")
}

// A date belongs to a secret: it goes and comes with the value.
func TestExpiry(t *testing.T) {
	r := launched(t)
	was := r.get(rocketID)
	if r.dates() != "" {
		t.Errorf("dates before: %s", r.dates())
	}
	for range 2 { // the second time changes nothing
		if err := r.SetExpiry(t.Context(), editor, expires("2027-01-31")); err != nil {
			t.Fatal(err)
		}
	}
	e := r.events()
	if len(e) != 2 || e[0].Action != audit.ExpirySet || changes(e[0]) != "expiry of clientSecret:>2027-01-31" || e[0].Actor != editor {
		t.Errorf("events: %+v", e)
	}
	if now := r.get(rocketID); now != was {
		t.Errorf("the entry changed: %+v", now)
	}
	if got := r.dates(); got != "acme:rocket 1 Client secret 2027-01-31" {
		t.Errorf("dates: %s", got)
	}
	if _, err := r.paste("new-secret-2", config.PutInForce, 0); err != nil {
		t.Fatal(err)
	}
	if got := r.dates(); got != "" {
		t.Errorf("the new secret has the date of the old one: %s", got)
	}
	d := r.onto(config.Draft{ID: rocketID, Then: config.PutInForce, Expires: map[string]string{"clientSecret": "2028-06-30", "clientId": "2028-06-30"},
		Values: []config.Input{plain("clientId", "rocket-1"), hidden("clientSecret", "new-secret-3")}})
	if _, err := r.Save(t.Context(), owner, d); err != nil {
		t.Fatal(err)
	}
	if got := r.dates(); got != "acme:rocket 3 Client secret 2028-06-30" {
		t.Errorf("saved with a date: %s", got)
	}
	if got := changes(r.events()[0]); !strings.HasSuffix(got, "expiry of clientSecret:>2028-06-30") || strings.Contains(got, "expiry of clientId") {
		t.Errorf("the event of the save: %s", got)
	}
	if _, err := r.RollBack(t.Context(), owner, config.Move{ID: rocketID, Revision: r.get(rocketID).Revision, Version: 1}); err != nil {
		t.Fatal(err)
	}
	if got := r.dates(); got != "acme:rocket 1 Client secret 2027-01-31" {
		t.Errorf("rolled back: %s", got)
	}
	v, _ := r.Version(t.Context(), rocketID, 3)
	if of, err := r.ExpiriesOf(t.Context(), v); err != nil || of["clientSecret"].Date != "2028-06-30" || len(of) != 1 {
		t.Errorf("of version 3: %+v, %v", of, err)
	}
	if err := r.SetExpiry(t.Context(), owner, expires("")); err != nil {
		t.Fatal(err)
	}
	if got := r.dates(); got != "" || changes(r.events()[0]) != "expiry of clientSecret:2027-01-31>" {
		t.Errorf("taken back: %s, %s", got, changes(r.events()[0]))
	}
}

func TestExpiryRefuses(t *testing.T) {
	r := launched(t)
	before := r.dump()
	for _, date := range []string{"tomorrow", "2027-02-30", "31.1.2027", "0001-01-01", "2300-01-01", "2027-1-1", " 2027-01-01"} {
		if err := r.SetExpiry(t.Context(), owner, expires(date)); errs.Fields(err)["expires.clientSecret"] == "" {
			t.Errorf("%q = %v", date, err)
		}
	}
	for want, c := range map[errs.Kind]config.ExpiryChange{
		errs.Invalid:  {ID: rocketID, Version: 1, Key: "clientId", Date: "2027-01-01"},
		errs.NotFound: {ID: rocketID, Version: 2, Key: "clientSecret", Date: "2027-01-01"},
	} {
		if err := r.SetExpiry(t.Context(), owner, c); !errs.Is(err, want) {
			t.Errorf("%+v = %v", c, err)
		}
	}
	r.unchanged(before)
}

func TestDaysLeft(t *testing.T) {
	x := config.Expiry{Date: "2026-09-18"}
	for at, want := range map[string]int{"2026-09-17T00:00:00Z": 1, "2026-09-17T23:59:59Z": 1, "2026-09-18T00:00:00Z": 0, "2026-09-18T23:00:00Z": 0, "2026-09-19T00:00:00Z": -1, "2026-08-19T12:00:00Z": 30, "2026-09-18T01:00:00+02:00": 1} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := x.DaysLeft(now); got != want {
			t.Errorf("%s: %d days left, want %d", at, got, want)
		}
	}
}
