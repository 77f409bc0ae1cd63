package server

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
)

// A letter is a notification that a test posts.
type letter struct {
	at     string // below /webhooks/; "" is intercom
	key    string // that signs; "" is the entry's
	body   string
	header []string
	bare   bool // without a signature
}

// deliver posts a notification as Intercom does, and returns the status.
func (h *house) deliver(l letter) int {
	h.t.Helper()
	if l.at == "" {
		l.at = "intercom"
	}
	if l.key == "" {
		l.key = h.provider.ClientSecret()
	}
	header := append([]string{"Content-Type", "application/json"}, l.header...)
	if !l.bare {
		mac := hmac.New(sha1.New, []byte(l.key))
		mac.Write([]byte(l.body))
		header = append([]string{"X-Hub-Signature", "sha1=" + hex.EncodeToString(mac.Sum(nil))}, header...)
	}
	return h.visitor().raw(http.MethodPost, "/webhooks/"+l.at, strings.NewReader(l.body), header...).status
}

// note is a body with an id, a topic and a workspace.
func note(id, topic, account string) string {
	return fmt.Sprintf(`{"type":"notification_event","app_id":%q,"id":%q,"topic":%q,"created_at":1789646391,"first_sent_at":1789646399,"delivery_attempts":2}`, account, id, topic)
}

// rows are the ids of the provider on a list, newest first.
func (a answer) rows() (out []string) {
	a.t.Helper()
	for _, tr := range a.all("tr[data-row]") {
		for _, td := range find(tr, "td[data-label=Id]") {
			out = append(out, content(td))
		}
	}
	return out
}

// pageOf is the address of the notification with this id.
func (a answer) pageOf(id string) string {
	a.t.Helper()
	for _, tr := range a.all("tr[data-row]") {
		if strings.Contains(content(tr), id) {
			href, _ := attr(find(tr, "a[href]")[0], "href")
			return href
		}
	}
	a.t.Fatalf("%s: no row has %s:\n%s", a.what, id, a.words())
	return ""
}

// mailbox has a house with notifications of two entries: n1 to n6, a minute apart.
func mailbox(t *testing.T) *house {
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("globex:intercom", func(d *config.Draft) { d.Values[1].Value = text("the secret of globex") })
	for _, l := range []struct {
		letter
		status int
	}{
		{letter{body: note("n1", "ping", "w1")}, 200},
		{letter{body: note("n2", "company.created", "w1")}, 200},
		{letter{at: "globex/intercom", key: "the secret of globex", body: note("n3", "company.created", "w2")}, 200},
		{letter{at: "acme/intercom", key: "a wrong one", body: note("n4", "company.created", "w1")}, 401},
		{letter{at: "acme/intercom", bare: true, body: note("n5", "ping", "w2")}, 401},
		{letter{body: note("n2", "company.created", "w1")}, 200},
		{letter{key: "nobody's", body: note("n6", "ticket.created", "w3")}, 401},
	} {
		if got := h.deliver(l.letter); got != l.status {
			t.Fatalf("%s is answered with %d, want %d", l.body, got, l.status)
		}
		h.pass(time.Minute)
	}
	return h
}

func TestNotificationFilters(t *testing.T) {
	t.Parallel()
	h := mailbox(t)
	p := h.owner()
	all := []string{"n6", "n2", "n5", "n4", "n3", "n2", "n1"}
	for query, want := range map[string][]string{
		"":                                    all,
		"verdict=ok":                          {"n2", "n3", "n2", "n1"},
		"verdict=refused":                     {"n6", "n5", "n4"},
		"verdict=repeated":                    {"n2"},
		"verdict=mismatch":                    {"n6", "n4"},
		"verdict=unsigned":                    {"n5"},
		"verdict=stale":                       nil,
		"verdict=malformed":                   nil,
		"verdict=no-secret":                   nil,
		"entry=acme:intercom":                 {"n2", "n5", "n4", "n2", "n1"},
		"entry=globex:intercom":               {"n3"},
		"entry=intercom":                      {"n6"},
		"topic=company.created":               {"n2", "n4", "n3", "n2"},
		"topic=+ping+":                        {"n5", "n1"},
		"account=w2":                          {"n5", "n3"},
		"from=2026-09-17T12:02":               {"n6", "n2", "n5", "n4", "n3"},
		"to=2026-09-17T12:02":                 {"n2", "n1"},
		"from=2026-09-17T12:01&to=2026-09-17": nil,
		"topic=company.created&verdict=refused&entry=acme:intercom&account=w1&from=2026-09-17T12:03&to=2026-09-17T12:04": {"n4"},
	} {
		a := p.get("/webhooks?" + query).want(200)
		if got := a.rows(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
		if filtered := a.link("Clear the filter") != ""; filtered != (query != "") {
			t.Errorf("%s: the filter can be cleared: %v", query, filtered)
		}
		live := p.get("/notifications/events?" + query).want(200)
		if got := live.rows(); !slices.Equal(got, want) {
			t.Errorf("events?%s: %q, want %q", query, got, want)
		}
	}
	p.get("/webhooks").want(200, "7 notifications", "Unknown secret", "Not signed", "Valid, repeated", "/webhooks/intercom")
	p.get("/webhooks?topic=x").want(200, "No notification matches")
	for query, field := range map[string]string{"verdict=x": "verdict", "entry=a+b": "entry", "entry=a/b/c": "entry", "entry=:": "entry", "from=x": "from", "to=25": "to"} {
		a := p.get("/webhooks?"+query).want(422, "The filter cannot be used like this")
		if a.one("a[href=#"+field+"]") == nil || len(a.all("div[data-news]")) != 0 {
			t.Errorf("%s: no way to the field, or the list goes on", query)
		}
		p.get("/notifications/events?" + query).want(422)
	}
	p.get("/webhooks?before=nonsense").want(422, "Begin at its first page")
}

// A list of more than one page leads on and back, with its filter.
func TestNotificationPaging(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	for i := range notificationPage + 3 {
		h.deliver(letter{body: note(fmt.Sprintf("n%d", i), "ping", "w")})
	}
	p := h.owner()
	first := p.get("/webhooks?topic=ping").want(200, "50 notifications, and there may be older ones")
	older := p.get(first.link("Show older notifications")).want(200, "3 notifications")
	if got := older.rows(); !slices.Equal(got, []string{"n2", "n1", "n0"}) || len(older.all("div[data-news]")) != 0 {
		t.Errorf("the second page has %q", got)
	}
	if got := older.link("Show the newest notifications"); got != "/webhooks?topic=ping" {
		t.Errorf("back leads to %q", got)
	}
	if got, _ := attr(first.one("div[data-news]"), "data-news"); got != "/notifications/events?topic=ping" {
		t.Errorf("the list goes on at %q", got)
	}
}

// The page of each notification says what its signature proves, step by step.
func TestNotificationPage(t *testing.T) {
	t.Parallel()
	h := mailbox(t)
	p := h.owner()
	list := p.get("/webhooks")
	p.get(p.get("/webhooks?verdict=ok").pageOf("n1")).want(200, "ping came from Intercom, unchanged", "X-Hub-Signature", "In hex after sha1=.", "clientSecret of version 1",
		"In force when it came.", "The raw body", "Equal", "whoever sent it knows the secret", "Workspace w1", "Attempt 2", "No, the first with this id",
		"127.0.0.1", "None of the addresses that Intercom documents", "/webhooks/intercom", "2026-09-17 11:59:51 UTC", "8 s later", "2026-09-17 11:59:59 UTC", "1 s later", "2026-09-17 12:00:00 UTC",
		"200 in 0 ms", "In time: Intercom waits 5 s", "This is a rehearsal", `"topic": "ping"`, "shown indented", "Send it again")
	p.get(list.pageOf("Valid, repeated")).want(200, "company.created came from Intercom again, unchanged", "Yes, the first with this id")
	n4 := p.get(list.pageOf("n4")).want(200, "company.created was refused: no known secret signed it", "What was found", "None that is accepted", "clientSecret of version 1", "Different", "variants of keys", "Edit the entry")
	if len(n4.all("form[action=/notifications/acme:intercom/]")) != 0 || strings.Contains(n4.words(), "Send it again") {
		t.Error("what was refused can be sent again")
	}
	p.get(list.pageOf("n5")).want(200, "ping was refused: it carries no signature", "Wanted is X-Hub-Signature or X-Body-Signature", "Not computed", "pass all headers on")
	p.get(list.pageOf("n6")).want(200, "ticket.created was refused", "The values of each entry behind this address were tried.")
	for _, path := range []string{"/notifications/acme:intercom/0000000000000000", "/notifications/acme:intercom/x", "/notifications/nobody:intercom/" + list.pageOf("n4")[len("/notifications/acme:intercom/"):], "/notifications/%00/x"} {
		p.get(path).want(404)
		p.get(path + "/body").want(404)
		p.post(path+"/replay", "target", "https://x.example/").want(404)
	}
}

// Whatever a body or a header has in it, the page shows it as text, and the
// download is no page.
func TestNotificationsAreShownSafely(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	const evil = "</script></pre><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\u200b"
	for _, l := range []letter{
		{body: `{"id":"e1","topic":"` + evil + `","app_id":"` + evil + `"}`},
		{body: "e2 \x00\x1b[31m\x9f " + evil, bare: true, header: []string{"X-Note", "<b>" + "é\u202e", "Content-Type", "text/html; <script>"}},
		{body: `{"id":"e3` + evil + `"}`, key: "x", header: []string{"X-Hub-Signature", evil[:30]}},
	} {
		h.deliver(l)
	}
	p := h.owner()
	list := p.get("/webhooks").want(200)
	pages := []answer{list, p.get(entry + "/webhooks"), p.get("/notifications/events")}
	for _, tr := range list.all("tr[data-row]") {
		href, _ := attr(find(tr, "a[href]")[0], "href")
		page := p.get(href).want(200)
		pages = append(pages, page)
		raw := p.get(href + "/body").want(200)
		for name, want := range map[string]string{"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": `attachment; filename="notification-` + href[strings.LastIndex(href, "/")+1:] + `.bin"`} {
			if got := raw.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", raw.what, name, got, want)
			}
		}
		if !strings.Contains(raw.body, evil) {
			t.Errorf("%s has not the bytes that came", raw.what)
		}
	}
	if len(pages) != 6 {
		t.Fatalf("%d pages", len(pages))
	}
	for _, a := range pages {
		a.lacks("<script>alert", "<img src=x", "\u202e", "\u200b", "\x00", "\x1b", "\x9f", "<b>é")
	}
	p.get(list.pageOf("no topic")).want(200)
}

// Sending again shows its result and keeps it; what cannot be sent keeps what was
// typed.
func TestReplayFromThePage(t *testing.T) {
	t.Parallel()
	h := mailbox(t)
	p := h.owner()
	page := p.get("/webhooks?topic=company.created&verdict=ok&entry=acme:intercom").pageOf("n2")
	for target, msg := range map[string]string{"": "Type the address", "x.example": "no web address", "https://10.0.0.1/": "", "http://x.example/": "https"} {
		a := p.post(page+"/replay", "target", target).want(422, msg)
		if got := a.value("input[name=target]"); got != target {
			t.Errorf("%q became %q", target, got)
		}
		if a.one("input[name=target][aria-invalid=true]") == nil {
			t.Error("the field is not marked")
		}
	}
	if n := len(h.events(audit.NotificationReplayed)); n != 0 {
		t.Fatalf("%d events of nothing", n)
	}
	p.post(page+"/replay", "target", h.deps.Site.Sandbox+"/nowhere?secret=1").leadsTo(page + "#replays")
	p.get(page).want(200, "Sent again: the answer is 404", "404", h.deps.Site.Sandbox+"/nowhere", ownerEmail).lacks("secret=1")
	event := h.events(audit.NotificationReplayed)[0]
	got := p.get(fmt.Sprintf("/audit/%d", event.N)).want(200, "replayed a notification").link("Notification of acme:intercom")
	if got != page {
		t.Errorf("the event leads to %q, want %q", got, page)
	}
	refused := p.get("/webhooks?verdict=refused&entry=acme:intercom").pageOf("n4")
	p.post(refused+"/replay", "target", h.deps.Site.Sandbox).want(422, "it is not signed and sent on")
}

// The tab says where notifications go, which values sign, how they arrive and
// what came last.
func TestWebhooksTab(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	public := h.deps.Site.PublicURL.String()
	a := p.get(entry+"/webhooks").want(200, "Nothing has come yet", "answers HEAD and GET with 200", "the value of version 1, in force", "Send a test notification")
	if got := a.value("input[id=endpoint]"); got != public+"/webhooks/intercom" {
		t.Errorf("the address is %q", got)
	}
	h.deliver(letter{body: note("n1", "ping", "w")})
	p.get(entry+"/webhooks").want(200, "Notifications arrive", "1 came in 24 hours, none was refused.", "1 in 24 hours, none refused", "n1").lacks("See the refused ones")
	h.deliver(letter{body: note("n2", "ping", "w"), key: "x"})
	h.save("globex:intercom", nil)
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base, d.Then, d.Values[1].Value = 1, 1, config.Pend, text("the next secret")
	})
	a = p.get(entry+"/webhooks").want(200, "1 refused in 24 hours", "See the refused ones", "2 came in 24 hours in all.", "1 other entry shares it", "clientSecret of version 2, pending")
	if got := a.value("input[id=endpoint]"); got != public+"/webhooks/acme/intercom" {
		t.Errorf("beside another vendor the address is %q", got)
	}
	if got := p.get("/config/new?connector=intercom&id=initech:intercom").value("input[id=webhook]"); got != public+"/webhooks/initech/intercom" {
		t.Errorf("the address of a new entry is %q", got)
	}
	p.get(entry+"/webhooks/events").want(200, "n2", "1 refused in 24 hours")
	for range newsOfTab {
		h.deliver(letter{at: "acme/intercom", body: note("", "ping", "w"), key: "x"})
	}
	if got := len(p.get(entry + "/webhooks").all("tr[data-row]")); got != newsOfTab {
		t.Errorf("%d rows, want %d", got, newsOfTab)
	}
	p.get("/").want(200, "6 notifications were refused", "None has a signature of a secret that is known here")
	h.pass(25 * time.Hour)
	p = h.owner()
	p.get(entry+"/webhooks").want(200, "Quiet for 24 hours")
	p.get("/").want(200).lacks("were refused")
	h.deliver(letter{at: "acme/intercom", body: note("n3", "ping", "w"), bare: true})
	p.get(entry+"/webhooks").want(200, "All were refused", "The last accepted one came")
	h.save("acme:own", nil)
	p.get("/config/acme:own/webhooks/events").want(404)
	p.post("/config/acme:own/webhooks/send", "topic", "ping").want(404)
}

// A test notification is followed from the press to the verdict.
func TestSendTestFromTheTab(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", func(d *config.Draft) { d.Then = config.Pend })
	p := h.owner()
	p.post(entry+"/webhooks/send", "topic", "ping").want(422, "no version in force")
	h.save("globex:intercom", nil)
	a := p.post("/config/globex:intercom/webhooks/send", "topic", "company.created").want(200, "The test notification arrived and was accepted", "200 OK", "Yes", "Signed with clientSecret of version 1", "Test")
	if got := a.link("Open the notification"); !strings.HasPrefix(got, "/notifications/globex:intercom/") {
		t.Errorf("the notification is at %q", got)
	}
	if got := selected(a.one("select[id=send-topic]")); got != "company.created" {
		t.Errorf("the topic is now %q", got)
	}
	a = p.post("/config/globex:intercom/webhooks/send", "topic", "made.up").want(422, "Choose one of the topics")
	if a.one("select[aria-invalid=true]") == nil {
		t.Error("the field is not marked")
	}
	event := h.events(audit.NotificationTested)[0]
	if got := p.get(fmt.Sprintf("/audit/%d", event.N)).want(200).link("globex:intercom"); got != "/config/globex:intercom/webhooks" {
		t.Errorf("the event leads to %q", got)
	}
}

// listen opens a stream of events, and returns a function that waits for the next
// one and returns its name and data.
func (p *person) listen(path string) func() (name, data string) {
	p.h.t.Helper()
	req := must(http.NewRequestWithContext(p.h.t.Context(), http.MethodGet, p.h.srv.URL+path, nil))(p.h.t)
	req.Header.Set("Accept", "text/event-stream")
	res := must(p.client.Do(req))(p.h.t)
	p.h.t.Cleanup(func() { res.Body.Close() })
	if kind := res.Header.Get("Content-Type"); res.StatusCode != 200 || !strings.HasPrefix(kind, "text/event-stream") {
		p.h.t.Fatalf("%s: %d, %s", path, res.StatusCode, kind)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return func() (name, data string) {
		p.h.t.Helper()
		for lines.Scan() {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "event: "):
				name = line[len("event: "):]
			case strings.HasPrefix(line, "data"):
				data += strings.TrimPrefix(strings.TrimPrefix(line, "data"), ": ") + "\n"
			case line == "" && name != "":
				return name, data
			}
		}
		return "", ""
	}
}

// Each event has the list as it is then. A session that ends, or a role that loses
// the permission, hears no more; listening is no use of a session.
func TestNotificationEvents(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	list, tab := p.listen("/notifications/events?topic=ping"), p.listen(entry+"/webhooks/events")
	for name, next := range map[string]func() (string, string){"list": list, "tab": tab} {
		if event, data := next(); event != "news" || strings.Contains(data, "data-row") {
			t.Errorf("%s begins with %q %q", name, event, data)
		}
	}
	h.deliver(letter{body: note("other", "company.created", "w")})
	h.deliver(letter{body: note("n1", "ping", "w")})
	for name, next := range map[string]func() (string, string){"list": list, "tab": tab} {
		for {
			event, data := next()
			if event != "news" {
				t.Fatalf("%s: %q", name, event)
			}
			if name == "list" && strings.Contains(data, "other") {
				t.Error("the list has what it does not filter")
			}
			if strings.Contains(data, ">n1<") {
				break
			}
		}
	}
	h.pass(31 * time.Minute) // longer than a session may be idle: the streams have not kept it
	h.deliver(letter{body: note("n2", "ping", "w")})
	for name, next := range map[string]func() (string, string){"list": list, "tab": tab} {
		event, data := next()
		for event == "news" && !strings.Contains(data, ">n2<") {
			event, data = next()
		}
		if event != "over" || strings.Contains(data, "n2") {
			t.Errorf("%s: after the session's end comes %q", name, event)
		}
	}
	q := h.owner()
	again := q.listen("/notifications/events")
	again()
	h.become("visitor")
	h.deliver(letter{body: note("n3", "ping", "w")})
	event, data := again()
	for event == "news" && !strings.Contains(data, ">n3<") {
		event, data = again()
	}
	if event != "over" {
		t.Errorf("a role without the permission hears %q", event)
	}
}

// A page that listens, and listens again, keeps nobody signed in.
func TestListeningIsNoUse(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	for _, path := range []string{"/notifications/events", entry + "/webhooks/events"} {
		p := h.owner()
		h.pass(20 * time.Minute)
		p.get(path).want(200)
		h.pass(20 * time.Minute)
		p.get("/webhooks").leadsTo("/login?next=%2Fwebhooks")
	}
}

// The end of the program ends the streams, so that it need not wait for them.
func TestEventsEndWithTheProgram(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	next := h.owner().listen("/notifications/events")
	next()
	h.deps.Webhooks.EndWatches()
	if event, _ := next(); event != "" {
		t.Errorf("after the end comes %q", event)
	}
}

// Bodies may hold personal data: each route that shows any of it has the
// permission for that, and a replay another.
func TestNotificationsNeedTheirPermission(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	seen := 0
	for _, r := range routes(newGate(h.deps)) {
		want := auth.WebhookRead
		switch {
		case strings.HasSuffix(r.path, "/replay"):
			want = auth.WebhookReplay
		case strings.HasSuffix(r.path, "/webhooks/send"):
			want = auth.ConfigTest
		case r.path != "/webhooks" && r.path != entryEvents && !strings.HasPrefix(r.path, "/notifications"):
			continue
		}
		seen++
		if r.may != want {
			t.Errorf("%s %s needs %s, want %s", r.method, r.path, r.may, want)
		}
	}
	if seen != 7 {
		t.Errorf("%d routes are about notifications, want 7", seen)
	}
}

// Addresses of a shared path are found again with their slash.
func TestOwnersInAddresses(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:intercom:second", nil)
	h.deliver(letter{at: "acme/intercom", body: note("n1", "ping", "w"), key: "x"})
	p := h.owner()
	page := p.get("/webhooks").pageOf("n1")
	if !strings.HasPrefix(page, "/notifications/acme+intercom/") {
		t.Fatalf("the page is at %q", page)
	}
	p.get(page).want(200, "/webhooks/acme/intercom")
	p.get(strings.Replace(page, "+", url.PathEscape("/"), 1)).want(200)
	if got := p.get("/webhooks?entry=" + url.QueryEscape("acme/intercom")).rows(); !slices.Equal(got, []string{"n1"}) {
		t.Errorf("the list of the address has %q", got)
	}
}
