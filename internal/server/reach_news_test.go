package server

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
)

// somePost has a notification of each sort: accepted, refused for each cause that a
// page leads on from, and one of the address that the vendors share.
func (h *house) somePost() {
	h.t.Helper()
	for _, l := range []letter{
		{at: "acme/intercom", body: note("n2", "ping", "w1"), key: "a wrong one"},
		{at: "acme/intercom", body: note("n3", "ping", "w1"), bare: true},
		{at: "globex/intercom", body: note("g2", "ping", "w2"), key: "a wrong one"},
		{at: "acme/intercom", body: " " + note("n4", "ping", "w1"), header: []string{"X-Hub-Signature", "sha1=00"}, bare: true},
		{body: note("s1", "ping", "w3"), key: "a wrong one"},
		{at: "globex/intercom", body: note("g1", "ping", "w2")},
		{at: "acme/intercom", body: note("n1", "ping", "w1")}, // the last: the walk looks at the newest
	} {
		if got := h.deliver(l); got != 200 && got != 401 {
			h.t.Fatalf("%s is answered with %d", l.body, got)
		}
		h.pass(time.Second)
	}
}

// limited are an admin of one vendor and the owner, with the post of two.
func limited(t *testing.T) (h *house, p, boss *person) {
	t.Helper()
	h = mailbox(t)
	return h, h.as(h.hire("admin@acme.example", auth.Grant{Role: auth.Admin, Entries: "acme:*"})), h.owner()
}

// What a person's pattern does not cover answers like what is not kept, on every
// route of a notification: of another vendor's entry, and of an address that
// another vendor's entry could have.
func TestNotificationsOfOtherEntriesDoNotExist(t *testing.T) {
	t.Parallel()
	h, p, boss := limited(t)
	list := boss.get("/webhooks").want(200)
	asked := 0
	for _, r := range routes(newGate(h.deps)) {
		if !strings.Contains(r.path, ":owner") {
			continue
		}
		for _, id := range []string{"n3", "n6"} { // of globex:intercom, and of the shared address
			asked++
			page := list.pageOf(id)
			parts := strings.Split(page, "/")
			ask := func(owner, note string) answer {
				path := strings.NewReplacer(":owner", owner, ":id", note).Replace(r.path)
				if r.safe() {
					return p.get(path)
				}
				return p.post(path, "target", h.deps.Site.Sandbox)
			}
			there, not := ask(parts[2], parts[3]).want(404), ask(parts[2], "18d619eb00000000").want(404)
			never := ask("initech:intercom", parts[3]).want(404)
			hide := strings.NewReplacer(parts[2], "ID", "initech:intercom", "ID", parts[3], "ID", "18d619eb00000000", "ID")
			if a, b, c := hide.Replace(anonymous(there)), hide.Replace(anonymous(not)), hide.Replace(anonymous(never)); a != b || a != c {
				t.Errorf("%s tells whether it is there\n%s\n%s\n%s", there.what, a, b, c)
			}
			if e := h.events(audit.AccessRefused); len(e) != 3*asked || id == "n3" && e[1].Target != "globex:intercom" {
				t.Errorf("%s: %d refusals on record, want %d", there.what, len(e), 3*asked)
			}
		}
	}
	if asked != 6 || len(h.events(audit.NotificationReplayed)) != 0 {
		t.Errorf("%d were asked for, want 6; %d were sent again", asked, len(h.events(audit.NotificationReplayed)))
	}
	mine := list.pageOf("n1")
	p.get(mine).want(200, "Send it again").lacks("globex")
	p.get(mine + "/body").want(200)
	p.post(mine+"/replay", "target", h.deps.Site.Sandbox+"/nowhere").leadsTo(mine + "#replays")
}

// Lists, their events, what counts them and what they say has no notification of
// others.
func TestListsLeaveOtherNotificationsOut(t *testing.T) {
	t.Parallel()
	h, p, boss := limited(t)
	mine := []string{"n2", "n5", "n4", "n2", "n1"}
	for query, want := range map[string][]string{"": mine, "entry=acme:intercom": mine, "entry=globex:intercom": nil, "entry=intercom": nil, "account=w2": {"n5"}, "account=w3": nil,
		"verdict=refused": {"n5", "n4"}, "topic=ticket.created": nil, "topic=company.created": {"n2", "n4", "n2"}} {
		for _, path := range []string{"/webhooks", notificationEvents} {
			a := p.get(path + "?" + query).want(200)
			if got := a.rows(); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", a.what, got, want)
			}
			if !strings.Contains(query, "globex") {
				a.lacks("globex", "n3", "n6")
			}
		}
	}
	if a, b := anonymous(p.get("/webhooks?entry=globex:intercom")), anonymous(p.get("/webhooks?entry=globex:nothing")); a != b {
		t.Errorf("the list tells of an entry\n%s\n%s", a, b)
	}
	p.get("/").want(200, "2 notifications were refused").lacks("globex")
	boss.get("/").want(200, "globex:intercom")
	for _, tab := range []string{"/webhooks", "/guide", "/scopes", "", "/edit"} {
		p.get(entry+tab).want(200).lacks("globex", "shares it", "share it")
	}
	if got := p.get(entry + "/webhooks").value("input[id=endpoint]"); !strings.HasSuffix(got, "/webhooks/acme/intercom") {
		t.Errorf("the address is %q", got)
	}
	p.get("/config/acme:intercom/webhooks/events").want(200, "n5").lacks("n3", "n6")
	if got := h.visitor().raw(http.MethodHead, "/webhooks/intercom", nil).status; got != 200 {
		t.Errorf("the address of all vendors answers with %d", got)
	}
}

// A stream leaves out what is not for its listener, however much of it comes.
func TestStreamsLeaveOtherNotificationsOut(t *testing.T) {
	t.Parallel()
	h, p, _ := limited(t)
	next := p.listen(notificationEvents)
	next()
	h.deliver(letter{at: "globex/intercom", key: "the secret of globex", body: note("g9", "ping", "w2")})
	h.deliver(letter{at: "acme/intercom", body: note("n9", "ping", "w1")})
	for {
		name, data := next()
		if name != "news" || strings.Contains(data, "g9") || strings.Contains(data, "globex") {
			t.Fatalf("the stream said %q: %s", name, data)
		}
		if strings.Contains(data, "n9") {
			return
		}
	}
}

// The address that the entry has alone does not depend on whether others are there.
func TestAddressesDoNotTellOfOtherEntries(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.as(h.hire("admin@acme.example", auth.Grant{Role: auth.Admin, Entries: "acme:*"}))
	shown := func() []string {
		return []string{p.get(entry + "/webhooks").value("input[id=endpoint]"), p.get(entry + "/edit").value("input[id=webhook]"),
			p.get("/config/new?connector=intercom&id=acme:intercom:second").value("input[id=webhook]")}
	}
	before := shown()
	h.save("globex:intercom", nil)
	after := shown()
	for i := range before {
		if before[i] != after[i] || !strings.HasSuffix(after[i], "/webhooks/acme/intercom") {
			t.Errorf("%q became %q", before[i], after[i])
		}
	}
}

// What no entry of a shared address signed is for whose role is for every entry
// that the address could have.
func TestSharedAddressesNeedAllTheirEntries(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:intercom:second", nil)
	h.save("globex:intercom", nil)
	h.deliver(letter{body: note("all", "ping", "w"), key: "x"})
	h.deliver(letter{at: "acme/intercom", body: note("acme", "ping", "w"), key: "x"})
	list := h.owner().get("/webhooks").want(200)
	for pattern, want := range map[auth.Pattern][]string{"": {"acme", "all"}, "*": {"acme", "all"}, "*:intercom*": {"acme", "all"}, "*:intercom *:intercom:*": {"acme", "all"},
		"acme:*": {"acme"}, "acme:intercom acme:intercom:*": {"acme"}, "acme:intercom": nil, "acme:intercom acme:intercom:second": nil, "acme:* globex:*": {"acme"}, "globex:*": nil} {
		p := h.as(h.hire(strings.Map(func(r rune) rune {
			if strings.ContainsRune(":* ", r) {
				return '_'
			}
			return r
		}, string(pattern))+"@acme.example", auth.Grant{Role: auth.Auditor, Entries: pattern}))
		if got := p.get("/webhooks").want(200).rows(); !slices.Equal(got, want) {
			t.Errorf("%q sees %q, want %q", pattern, got, want)
		}
		for _, id := range []string{"all", "acme"} {
			status := 404
			if slices.Contains(want, id) {
				status = 200
			}
			p.get(list.addressOf(id)).want(status)
		}
	}
}

// addressOf is the page of the notification with exactly this id.
func (a answer) addressOf(id string) string {
	a.t.Helper()
	for _, tr := range a.all("tr[data-row]") {
		for _, td := range find(tr, "td[data-label=Id]") {
			if content(td) == id {
				href, _ := attr(find(tr, "a[href]")[0], "href")
				return href
			}
		}
	}
	a.t.Fatalf("%s: no row has the id %s", a.what, id)
	return ""
}

// Whoever may not read notifications sees none, on no page; whoever may not send
// them again is not offered to.
func TestNotificationsByRole(t *testing.T) {
	t.Parallel()
	h := mailbox(t)
	page := h.owner().get("/webhooks").pageOf("n1")
	for role, may := range map[auth.Role]struct{ read, replay bool }{auth.Owner: {true, true}, auth.Admin: {true, true}, auth.Editor: {true, false}, auth.Auditor: {true, false}, auth.Viewer: {}} {
		p := h.as(h.hire(string(role)+"@acme.example", auth.Grant{Role: role}))
		tab := p.get(entry + "/webhooks").want(200)
		if got := len(tab.all("tr[data-row]")) > 0; got != may.read {
			t.Errorf("%s sees notifications on the tab: %v", role, got)
		}
		if got := p.get("/").link("Webhooks") != ""; got != may.read {
			t.Errorf("%s has Webhooks in the menu: %v", role, got)
		}
		if got := strings.Contains(p.get("/").words(), "were refused"); got != may.read {
			t.Errorf("%s is told of refused ones: %v", role, got)
		}
		if !may.read {
			tab.lacks("n5", "company.created of", "Last notifications", "Does it arrive?")
			p.get(page).want(403)
			p.get(page + "/body").want(403)
			continue
		}
		if got := len(p.get(page).want(200).all("input[name=target]")) > 0; got != may.replay {
			t.Errorf("%s is offered a replay: %v", role, got)
		}
	}
}
