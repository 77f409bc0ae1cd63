package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
)

// many fills the house with n plain entries and one of Intercom.
func (h *house) many(n int) {
	h.t.Helper()
	for i := range n {
		h.save(fmt.Sprintf("acme:s%03d", i), func(d *config.Draft) {
			d.Values = []config.Input{{Key: "k", Value: text(fmt.Sprint(i))}}
			if i%2 == 1 {
				d.Then = config.Pend
			}
		})
		h.pass(time.Second)
	}
	h.save("zeta:intercom", nil)
}

// ids are the entries that a page lists, in its order.
func (a answer) ids() (out []string) {
	a.t.Helper()
	for _, n := range a.all("th[scope=row]") {
		for _, link := range find(n, "a") {
			out = append(out, content(link))
		}
	}
	return out
}

func TestList(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.many(120)
	p := h.owner()
	for _, tt := range []struct {
		query       string
		n           int
		first, last string
		showing     string
	}{
		{"", 50, "acme:s000", "acme:s049", "1 to 50 of 121 entries."},
		{"?after=50", 50, "acme:s050", "acme:s099", "51 to 100 of 121 entries."},
		{"?after=100", 21, "acme:s100", "zeta:intercom", "101 to 121 of 121 entries."},
		{"?after=5000", 21, "acme:s100", "zeta:intercom", "101 to 121 of 121 entries."},
		{"?after=-7", 50, "acme:s000", "acme:s049", "1 to 50 of 121 entries."},
		{"?sort=id&dir=desc", 50, "zeta:intercom", "acme:s071", "1 to 50 of 121 entries."},
		{"?sort=connector", 50, "zeta:intercom", "acme:s048", "1 to 50 of 121 entries."},
		{"?sort=changed", 50, "acme:s000", "acme:s049", ""},
		{"?sort=changed&dir=desc", 50, "zeta:intercom", "acme:s071", ""},
		{"?sort=version&dir=desc&after=50", 50, "acme:s100", "acme:s077", ""},
		{"?sort=health&dir=desc", 50, "acme:s000", "acme:s049", ""},
		{"?sort=by", 50, "acme:s000", "acme:s049", ""},
		{"?sort=tested", 50, "acme:s000", "acme:s049", ""},
		{"?q=S01", 10, "acme:s010", "acme:s019", "1 to 10 of 10 entries."},
		{"?q=INTERCOM", 1, "zeta:intercom", "zeta:intercom", "1 to 1 of 1 entry."},
		{"?health=not-tested", 1, "zeta:intercom", "zeta:intercom", "1 to 1 of 1 entry."},
		{"?q=s0&health=not-tested", 0, "", "", "None of 121 entries."},
		{"?q=nothing+like+it", 0, "", "", "None of 121 entries."},
	} {
		a := p.get("/config" + tt.query).want(200)
		ids := a.ids()
		if len(ids) != tt.n || tt.n > 0 && (ids[0] != tt.first || ids[tt.n-1] != tt.last) {
			t.Errorf("%s: %d entries %v, want %d from %s to %s", tt.query, len(ids), ids, tt.n, tt.first, tt.last)
		}
		a.want(200, tt.showing)
	}
	p.get("/config?sort=nosuch").want(404, "no such column")
	p.get("/config?health=nosuch").want(404, "no such filter")
}

// The pages lead to each other, and keep what was asked for.
func TestListPaging(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.many(120)
	p := h.owner()
	var seen []string
	at := "/config?q=acme&sort=id&dir=desc"
	for range 3 {
		page := p.get(at).want(200)
		seen = append(seen, page.ids()...)
		next := page.link("Next")
		if next == "" {
			break
		}
		at = next
	}
	if len(seen) != 120 || seen[0] != "acme:s119" || seen[119] != "acme:s000" {
		t.Errorf("walked over %d entries", len(seen))
	}
	back := p.get(at).link("Previous")
	if ids := p.get(back).ids(); len(ids) != 50 || ids[0] != "acme:s069" {
		t.Errorf("%s shows %v", back, ids)
	}
}

// With htmx the list answers with its rows alone, and a session that has ended
// sends the whole page to the sign-in.
func TestListFragment(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.many(3)
	a := h.owner().get("/config?q=s00", "HX-Request", "true").want(200)
	if strings.Contains(a.body, "<html") || !strings.Contains(a.body, `id="entries"`) || a.header.Get("Vary") != "HX-Request" || len(a.ids()) != 3 {
		t.Errorf("the fragment is %d bytes with %v, Vary %q", len(a.body), a.ids(), a.header.Get("Vary"))
	}
	a = h.visitor().get("/config?q=s00", "HX-Request", "true").want(401)
	if got := a.header.Get("HX-Redirect"); got != "/login?next=%2Fconfig%3Fq%3Ds00" || a.body != "" {
		t.Errorf("HX-Redirect is %q, with %d bytes", got, len(a.body))
	}
}

// markup is what somebody might type to write into our pages.
const markup = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`

func TestNoPageTakesMarkup(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.many(1)
	h.save("acme:own", func(d *config.Draft) {
		d.Values = []config.Input{{Key: "<k>", Value: text(markup)}}
		d.Reason, d.Scopes, d.Topics = markup, []string{markup}, []string{markup}
	})
	p, q := h.owner(), fields("q", markup, "who", markup, "target", markup, "from", markup, "next", markup, "id", markup, "key", markup).Encode()
	for _, a := range []answer{p.get("/config?" + q), p.get("/config?"+q, "HX-Request", "true"), p.get("/search?" + q), p.get("/audit?" + q), p.get("/connectors?" + q),
		p.get("/config/new?" + q), p.get("/config/acme:own"), p.get("/config/acme:own/edit"), p.get("/config/acme:own/history"), p.get("/config/acme:own/scopes"),
		p.get("/audit/2"), p.get("/" + markup), h.visitor().get("/login?" + q), p.post("/config", "id", markup, "then", "pending"),
		p.post("/config/acme:own/compare", "paste", "x", "key", markup), p.post("/config/acme:own/delete", "confirm", markup)} {
		if strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "<img src=x") {
			t.Errorf("%s: the page took markup", a.what)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.many(12)
	p := h.owner()
	p.get("/search").want(200)
	a := p.get("/search?q=intercom").want(200, "1 entry", "zeta:intercom", "1 connector")
	if len(a.all("a[href=/config/zeta:intercom]")) == 0 || len(a.all("a[href=/connectors/intercom]")) == 0 {
		t.Error("the hits do not lead to what they name")
	}
	p.get("/search?q=acme:s").want(200, "12 entries", "Show all 12 entries")
	p.get("/search?q=OWNER@acme").want(200, "1 person", ownerEmail)
	p.get("/search?q=acme:s003").want(200, "1 event")
	p.get("/search?q=0").want(200, "Set up the first admin")
	p.get("/search?q=zzzz").want(200).lacks("/config/zeta")
}

func TestAuditFilters(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.many(60) // events 1 to 61, one a second from noon on
	p := h.owner()
	p.post("/theme")
	p.get("/audit").want(200) // itself event 62, at the end of the minute
	for _, tt := range []struct {
		query  string
		n      int
		status int
		words  string
	}{
		{"", 50, 200, "50 of 63 events"},
		{"?before=12", 12, 200, "12 of 63 events"},
		{"?target=acme:s003", 1, 200, "Created the entry"},
		{"?who=" + ownerEmail + "&action=account.setup", 1, 200, "Set up the first admin"},
		{"?who=OWNER@acme.example+&target=acme:s003", 1, 200, "acme:s003"},
		{"?who=nobody@acme.example", 0, 200, "0 events"},
		{"?action=entry.create", 50, 200, "50 events"},
		{"?action=entry.create&before=3", 2, 200, "2 events"},
		{"?outcome=refused", 0, 200, "0 events"},
		{"?from=2026-09-17T12:00:58", 4, 200, ""},
		{"?to=2026-09-17T12:00:03", 4, 200, ""},
		{"?from=2026-09-17T12:00&to=2026-09-17", 0, 200, ""},
		{"?text=S003", 1, 200, "acme:s003"},
		{"?text=OWNER@&action=account.setup", 1, 200, "Set up the first admin"},
		{"?text=audit.look", 1, 200, "Looked at the audit log"},
		{"?text=" + strings.Repeat("x", 201), 50, 422, "A name has at most 200 characters"},
		{"?addr=203.0.113.7&target=acme:s003", 1, 200, "acme:s003"},
		{"?addr=203.0.113.70", 0, 200, "0 events"},
		{"?addr=127.0.0.1&text=look&outcome=done", 1, 200, "1 event"},
		{"?from=yesterday", 50, 422, "This is no time"},
		{"?action=entry.nosuch", 50, 422, "There is no such action"},
		{"?outcome=nosuch", 50, 422, "There is no such outcome"},
	} {
		a := p.get("/audit"+tt.query).want(tt.status, tt.words)
		rows := 0
		for _, n := range a.all("a[href]") {
			if to, _ := attr(n, "href"); strings.HasPrefix(to, "/audit/") && !strings.HasPrefix(to, "/audit/proof/") {
				rows++
			}
		}
		if rows != tt.n {
			t.Errorf("%s: %d rows, want %d", tt.query, rows, tt.n)
		}
	}
	numbers := []string{}
	at := "/audit?action=entry.create"
	for range 2 {
		page := p.get(at).want(200)
		for _, n := range page.all("a[href]") {
			if to, _ := attr(n, "href"); strings.HasPrefix(to, "/audit/") && !strings.HasPrefix(to, "/audit/proof/") {
				numbers = append(numbers, to)
			}
		}
		at = page.link("Show older events")
	}
	if at != "" || len(numbers) != 61 || len(slices.Compact(slices.Clone(numbers))) != 61 || numbers[0] != "/audit/61" || numbers[60] != "/audit/1" {
		t.Errorf("walked over %d events %v", len(numbers), numbers)
	}
}

func TestAuditEvent(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base, d.Reason = 1, 1, "rotated"
		d.Values[1].Value = text("another")
	})
	e := h.events(audit.EntrySaved)[0]
	a := h.owner().get("/audit/2").want(200, ownerEmail+": saved a version, version 2: acme:intercom", "rotated", "203.0.113.7", "clientSecret", "4 events")
	for _, side := range []string{e.Changes[len(e.Changes)-1].Before, e.Changes[len(e.Changes)-1].After} {
		if words := side[:4] + " " + side[4:8] + " " + side[8:]; !strings.Contains(a.words(), words) {
			t.Errorf("the event lacks the fingerprint %s", words)
		}
	}
	for _, to := range []string{"/audit/1", "/config/acme:intercom", "/config/acme:intercom/history?left=1&right=2"} {
		if len(a.all("a[href="+to+"]")) == 0 {
			t.Errorf("no link to %s", to)
		}
	}
}
