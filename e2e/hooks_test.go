package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Notifications appear by themselves, on the list and on the tab of the entry,
// each with what its signature proves; the page of each says why.
func TestNotificationsArriveLive(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	_, secret := ada.AddIntercom()
	tab := ada.Window()
	ada.Keys("g", "w")
	ada.At("/webhooks")
	ada.See("No notification has come yet", "Open the webhooks of acme:intercom")
	tab.Open("/config/acme:intercom/webhooks")
	tab.See("Nothing has come yet", "clientSecret, the value of version 1, pending")
	tab.WantValue("Webhook URL", house.url+"/webhooks/intercom")

	loads := []int{ada.watch.loaded(), tab.watch.loaded()}
	both := func(texts ...string) {
		t.Helper()
		for _, p := range []*person{ada, tab} {
			p.In("#news").See(texts...)
		}
	}
	good := posted{path: "intercom", secret: secret, topic: "company.created", id: "notif_good"}
	if got := house.notify(t, good); got != 200 {
		t.Fatalf("a good one is answered with %d", got)
	}
	both("notif_good", "Valid", "just now")
	if got := house.notify(t, posted{path: "intercom", secret: "not the secret", topic: "contact.user.created", id: "notif_bad"}); got != 401 {
		t.Errorf("one with another secret is answered with %d", got)
	}
	both("notif_bad", "Unknown secret")
	if got := house.notify(t, posted{path: "intercom", secret: secret, topic: "ticket.created", id: "notif_changed", on: withoutSpaces}); got != 401 {
		t.Errorf("one with a changed body is answered with %d", got)
	}
	both("notif_changed", "Body changed")
	house.notify(t, good)
	both("Valid, repeated")
	tab.In("#hook-state").See("2 refused in 24 hours", "4 came in 24 hours in all")
	tab.See("4 in 24 hours, 2 refused")
	ada.until("the newest is heard", func() (bool, string) {
		got, err := evaluate[string](ada, `document.querySelector("#heard").textContent`)
		return err == nil && strings.Contains(got, "new notification"), "it says " + got
	})
	if now := []int{ada.watch.loaded(), tab.watch.loaded()}; now[0] != loads[0] || now[1] != loads[1] {
		t.Errorf("the pages were loaded again: %d times, were %d", now, loads)
	}
	ada.opens("notif_changed", "ticket.created was refused: its body was changed on the way", "Different", "Check the public address")
	ada.In(".diagnosis").See("clientSecret of version 1")
	ada.Open("/webhooks")
	ada.opens("notif_bad", "contact.user.created was refused: no known secret signed it")
	ada.Open("/webhooks")
	ada.opens("Valid, repeated", "company.created came from Intercom again, unchanged", "Yes, the first with this id")
	ada.Follow("Yes, the first with this id")
	ada.See("company.created came from Intercom, unchanged", "Equal", `"name": "Example Company Inc."`, "In time: Intercom waits 5 s", "This is a rehearsal")
}

// opens follows the link of the row that has a text, and sees the page of the
// notification.
func (p *person) opens(row string, texts ...string) {
	p.t.Helper()
	p.In("#news").See(row)
	find := fmt.Sprintf(`[...document.querySelectorAll("#news tbody tr")].find((r) => r.textContent.includes(%q))`, row)
	link := p.In(fmt.Sprintf(`[data-row=%q] th`, eval[string](p, find+".dataset.row")))
	link.Follow(strings.TrimSpace(eval[string](p, find+`.querySelector("a").textContent`)))
	p.See(texts...)
}

// Nothing moves under somebody who is in the list: new rows wait behind a button.
func TestNewNotificationsWait(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	_, secret := ada.AddIntercom()
	house.notify(t, posted{path: "intercom", secret: secret, topic: "ping", id: "notif_1"})
	ada.Open("/webhooks?topic=ping")
	ada.In("#news").See("notif_1")
	ada.runScript(`document.querySelector("#news tbody a").focus()`)
	house.notify(t, posted{path: "intercom", secret: secret, topic: "company.created", id: "notif_other"})
	house.notify(t, posted{path: "intercom", secret: secret, topic: "ping", id: "notif_2"})
	ada.See("Show 1 new notification")
	ada.In("#news").NotSee("notif_2", "notif_other")
	ada.Press("Show 1 new notification")
	ada.In("#news").See("notif_2")
	ada.In("#news").NotSee("notif_other")
	if got := eval[string](ada, `document.querySelector("#news tbody tr").textContent`); !strings.Contains(got, "notif_2") {
		t.Errorf("the first row is %q", got)
	}
	if !eval[bool](ada, `document.querySelector(".news-more").hidden && document.activeElement.closest("#news tbody tr:first-child") !== null`) {
		t.Error("the button is still there, or the focus is not on the first row")
	}
}

// A notification is sent again to a target of ours, which gets the same bytes,
// signed. What cannot be reached keeps what was typed.
func TestReplay(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := new(strings.Builder)
		_ = r.Write(body)
		got <- r
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(target.Close)
	host := strings.TrimPrefix(target.URL, "http://")
	port := freePort(t)
	house := &program{url: "http://localhost:" + port}
	house.launch(t, "serve", "--second-factor", "off", "--addr", "127.0.0.1:"+port, "--public-url", house.url, "--allow-hosts", host, "--environment", "staging", "--data", t.TempDir())
	ada := house.admin(t)
	const secret = "4d1f0a6be3c2975810fe6c3b7a29d8e54b7c1f02"
	house.errand(t).create("acme:intercom", "intercom", "f.clientId", "5b1c7f0e-3c44-4c0e-9a7a-2f1d6be0c9d3", "f.clientSecret", secret, "f.region", "US", "f.apiVersion", "2.10", "then", "current")
	n := posted{path: "intercom", secret: secret, topic: "company.created", id: "notif_1"}
	house.notify(t, n)
	ada.Open("/webhooks")
	ada.opens("notif_1", "came from Intercom, unchanged")
	ada.Fill("Send it to", "http://169.254.169.254/latest")
	ada.FollowRefused("Send it again", 422)
	ada.WantValue("Send it to", "http://169.254.169.254/latest")
	ada.Focused("target")
	ada.Fill("Send it to", target.URL+"/copy?token=x")
	ada.Follow("Send it again")
	ada.See("Sent again: the answer is 202")
	ada.In("#replays").See(target.URL+"/copy", "202", "accepted it", email)
	ada.In("#replays").NotSee("token=x")
	r := <-got
	if r.Header.Get("X-Hub-Signature") != n.signature() || r.URL.Path != "/copy" {
		t.Errorf("the target got %s %q", r.URL, r.Header)
	}
	ada.Open("/audit")
	ada.In(".is-log tbody").See("Replayed a notification")
}

// A test notification goes out of the program and comes back in; where a proxy
// spoils it, the tab says where and what to do.
func TestSendTestNotification(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	ada.Open("/config/acme:intercom/webhooks")
	ada.FollowRefused("Send a test notification", 422)
	ada.See("no version in force with a signing secret")
	ada.Open("/config/acme:intercom")
	ada.In("#promote").Follow("Promote version 1")
	ada.Open("/config/acme:intercom/webhooks")
	ada.Choose("Topic", "company.created")
	ada.Follow("Send a test notification")
	ada.At("/config/acme:intercom/webhooks/send#sent")
	ada.In(`[aria-labelledby="sent"]`).See("The test notification arrived and was accepted", "200 OK", "Yes", "Valid", "Signed with clientSecret of version 1")
	ada.In("#news").See("company.created", "Test", "Valid")
	if got := ada.Value("Topic"); got != "company.created" {
		t.Errorf("the topic is now %q", got)
	}
	ada.Follow("Open the notification")
	ada.See("company.created came from BackOffice itself, as a test", "Sent by this program")
}

// The sandbox sends notifications, rightly and wrongly, and the list says of each
// what is the matter with it.
func TestSandboxSendsNotifications(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	ada.AddIntercom()
	sandbox := ada.Window()
	sandbox.Open(house.sandbox + "/")
	sandbox.WantValue("Address for notifications", house.url+"/webhooks/intercom")
	ada.Open("/webhooks")
	send := func(topic, signature, body, want string) {
		t.Helper()
		sandbox.Open(house.sandbox + "/")
		sandbox.Fill("Topic", topic)
		sandbox.Choose("Signature", signature)
		sandbox.Choose("Body on the way", body)
		sandbox.Follow("Send")
		ada.In("#news").See(topic, want)
	}
	options := func(id string) []string {
		return eval[[]string](sandbox, fmt.Sprintf(`[...document.getElementById(%q).options].map((o) => o.text.replace(/\s+/g, " ").trim())`, id))
	}
	signing, rewriting := options("notify-signing"), options("notify-rewriting")
	send("company.created", signing[0], rewriting[0], "Valid")
	send("contact.user.created", signing[1], rewriting[0], "Unknown secret")
	send("ticket.created", signing[2], rewriting[0], "Other algorithm")
	send("ticket.closed", signing[3], rewriting[0], "Other encoding")
	send("conversation.user.created", signing[0], rewriting[1], "Body changed")
	ada.Open("/webhooks?verdict=refused&topic=ticket.closed")
	ada.opens("Other encoding", "ticket.closed was refused: its signature is written in another encoding", "wanted hex")
}

// All of it without JavaScript: the list is filtered by its form and looked at
// again by a link, a test notification is sent, and a page is read.
func TestNotificationsWithoutScripts(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	_, secret := ada.AddIntercom()
	ada.In("#promote").Follow("Promote version 1")
	ada.Scripts(false)
	ada.Open("/config/acme:intercom/webhooks")
	ada.Choose("Topic", "ping")
	ada.Follow("Send a test notification")
	ada.See("The test notification arrived and was accepted")
	ada.Follow("All notifications")
	ada.At("/webhooks?entry=acme:intercom")
	ada.In("#news").See("ping", "Valid")
	house.notify(t, posted{path: "intercom", secret: "another", topic: "company.created", id: "notif_bad"})
	house.notify(t, posted{path: "intercom", secret: secret, topic: "company.created", id: "notif_good"})
	ada.In("#news").NotSee("notif_")
	ada.Follow("Look again")
	ada.In("#news").See("notif_bad", "notif_good", "ping")
	ada.Choose("Signature", "Refused, for any reason")
	ada.Fill("Topic", "company.created")
	ada.Follow("Filter")
	ada.In("#news").See("notif_bad")
	ada.In("#news").NotSee("notif_good", "ping")
	ada.opens("notif_bad", "company.created was refused: no known secret signed it", "Download the body")
	ada.Open("/webhooks?verdict=refused")
	ada.Follow("Clear the filter")
	ada.In("#news").See("notif_good")
}

// Where something on the way holds events back, the list is asked for again and
// again.
func TestNotificationsWithoutEvents(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	_, secret := ada.AddIntercom()
	ada.beforeScripts(`window.EventSource = class { addEventListener() {} close() {} }`)
	ada.Open("/webhooks")
	house.notify(t, posted{path: "intercom", secret: secret, topic: "ping", id: "notif_1"})
	ada.In("#news").See("notif_1")
	house.notify(t, posted{path: "intercom", secret: secret, topic: "ping", id: "notif_2"})
	ada.In("#news").See("notif_2")
}

// On the tab nothing moves under somebody who is in the form below the list.
func TestNewNotificationsWaitOnTheTab(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	_, secret := ada.AddIntercom()
	ada.Open("/config/acme:intercom/webhooks")
	ada.Fill("Reason", "typing")
	before := eval[float64](ada, `document.getElementById("reason").closest("form").offsetTop`)
	house.notify(t, posted{path: "intercom", secret: secret, topic: "ping", id: "notif_1"})
	ada.See("Show 1 new notification")
	if after := eval[float64](ada, `document.getElementById("reason").closest("form").offsetTop`); after != before {
		t.Errorf("the form moved from %v to %v", before, after)
	}
	ada.Press("Show 1 new notification")
	ada.In("#news").See("notif_1")
	ada.In("#hook-state").See("Notifications arrive")
	ada.WantValue("Reason", "typing")
}
