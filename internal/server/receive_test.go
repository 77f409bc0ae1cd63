package server

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/webhook"
)

// notify posts a body, signed as Intercom signs with the secret of the sandbox.
func (h *house) notify(path, body string, header ...string) answer {
	h.t.Helper()
	return h.visitor().raw(http.MethodPost, path, strings.NewReader(body), append([]string{"Content-Type", "application/json", "X-Hub-Signature", h.sign(body)}, header...)...)
}

func (h *house) sign(body string) string {
	mac := hmac.New(sha1.New, []byte(h.provider.ClientSecret()))
	mac.Write([]byte(body))
	return "sha1=" + hex.EncodeToString(mac.Sum(nil))
}

// kept is all that is kept, newest first.
func (h *house) kept() []webhook.Notification {
	h.t.Helper()
	return must(h.deps.Webhooks.List(h.t.Context(), webhook.Filter{Limit: 200}))(h.t).Notifications
}

// bare fails the test unless the answer has this status and nothing in its body.
func (a answer) bare(status int) answer {
	a.t.Helper()
	if a.status != status || a.body != "" {
		a.t.Errorf("%s: %d with a body of %d bytes, want %d with none", a.what, a.status, len(a.body), status)
	}
	return a
}

func TestReceiving(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	const body = `{"topic":"ping","id":"notif_1"}`
	for _, path := range []string{"/webhooks/intercom", "/webhooks/acme/intercom"} {
		h.notify(path, body).bare(200)
		h.notify(path, body+" ").bare(200)
		h.notify(path, body, "X-Hub-Signature", "sha1=00").bare(401)
		h.notify(path, body, "Origin", "https://api.intercom.example", "Sec-Fetch-Site", "cross-site").bare(200)
		h.visitor().raw(http.MethodGet, path, nil).bare(200)
		h.visitor().raw(http.MethodHead, path, nil).bare(200)
	}
	if n := len(h.kept()); n != 8 {
		t.Errorf("%d are kept, want 8", n)
	}
	before := h.dump()
	for _, path := range []string{"/webhooks/other", "/webhooks/mint/intercom", "/webhooks/acme/other", "/webhooks/%2e%2e", "/webhooks/acme%2Fintercom", "/webhooks/acme:intercom"} {
		h.notify(path, body).bare(404)
		h.visitor().raw(http.MethodGet, path, nil).bare(404)
		h.visitor().raw(http.MethodHead, path, nil).bare(404)
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS"} {
		if a := h.visitor().raw(method, "/webhooks/intercom", strings.NewReader("CANARY")); a.status != 405 && a.status != 204 || strings.Contains(a.body, "CANARY") {
			t.Errorf("%s: %d", a.what, a.status)
		}
	}
	h.unchanged(before, "what nobody takes")
	n := h.kept()[len(h.kept())-1]
	got := must(h.deps.Webhooks.Body(t.Context(), n.Owner, n.ID))(t)
	if string(got) != body || n.From != "127.0.0.1" || n.Signer == nil || n.Signer.Key != "clientSecret" {
		t.Errorf("kept %+v with the body %s", n, got)
	}
	if len(h.events(audit.NotificationTested)) != 0 || len(h.events(audit.AccessRefused)) != 0 {
		t.Error("a notification is an event")
	}
}

func TestLargeNotifications(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	most := strings.Repeat("x", webhook.MaxBody)
	chunked := func(body string) answer {
		return h.visitor().raw(http.MethodPost, "/webhooks/intercom", struct{ io.Reader }{strings.NewReader(body)}, "X-Hub-Signature", h.sign(body))
	}
	h.notify("/webhooks/intercom", most).bare(200)
	chunked(most).bare(200)
	h.notify("/webhooks/intercom", most+"y").bare(413)
	chunked(most + "y").bare(413)
	chunked("").bare(200)
	for i, n := range h.kept() {
		if want := []int{0, webhook.MaxBody, webhook.MaxBody}[i]; n.Length != want || n.Verdict != webhook.OK {
			t.Errorf("%d: %d bytes, %s", i, n.Length, n.Verdict)
		}
	}
	_, turned := h.deps.Webhooks.Counts()
	if turned[webhook.TooLarge] != 2 {
		t.Errorf("counted as too large: %d", turned[webhook.TooLarge])
	}
}

// A connection sends what it likes, byte by byte.
func dial(h *house, path, head string) net.Conn {
	h.t.Helper()
	c := must(net.Dial("tcp", h.srv.Listener.Addr().String()))(h.t)
	h.t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, head)
	return c
}

// Who sends too many is told so before anything of a body was sent: the answer
// comes while the server has seen none of it.
func TestRateIsLimitedBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	h := open(t, plan{proxies: []string{"127.0.0.1/32"}, rate: 2})
	h.save("acme:intercom", nil)
	from := func(addr string) answer { return h.notify("/webhooks/intercom", "{}", "X-Forwarded-For", addr) }
	for range 4 {
		from("203.0.113.1").bare(200)
	}
	c := dial(h, "/webhooks/intercom", "X-Forwarded-For: 203.0.113.1\r\nContent-Length: 1000\r\n")
	res := must(http.ReadResponse(bufio.NewReader(c), nil))(t)
	if res.StatusCode != 429 || res.Header.Get("Retry-After") != "1" || !res.Close {
		t.Errorf("%d, Retry-After %q, close %v", res.StatusCode, res.Header.Get("Retry-After"), res.Close)
	}
	from("203.0.113.2").bare(200) // another source has its own allowance
	h.pass(time.Second)
	from("203.0.113.1").bare(200)
	_, turned := h.deps.Webhooks.Counts()
	if turned[webhook.TooFast] != 1 {
		t.Errorf("counted as too fast: %d", turned[webhook.TooFast])
	}
}

// Who sends many bad signatures gets a small allowance, until one is good.
func TestManyBadSignaturesAreSlowedDown(t *testing.T) {
	t.Parallel()
	h := open(t, plan{proxies: []string{"127.0.0.1/32"}, rate: 1000})
	h.save("acme:intercom", nil)
	bad := func(addr string) answer {
		return h.notify("/webhooks/intercom", "{}", "X-Forwarded-For", addr, "X-Hub-Signature", "sha1=0000000000000000000000000000000000000000")
	}
	for range 20 {
		bad("2001:db8::1").bare(401)
	}
	if a := bad("2001:db8::2").bare(429); a.header.Get("Retry-After") != "1" { // of the same network
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	h.notify("/webhooks/intercom", "{}", "X-Forwarded-For", "2001:db8:0:1::1").bare(200)
	h.pass(time.Second)
	h.notify("/webhooks/intercom", "{}", "X-Forwarded-For", "2001:db8::1").bare(200) // it has the secret after all
	bad("2001:db8::1").bare(401)
}

// A body that does not come is not waited for.
func TestSlowSenderIsCutOff(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	before := h.dump()
	c := dial(h, "/webhooks/intercom", "Content-Length: 1000\r\n")
	fmt.Fprint(c, "{")
	began := time.Now()
	res := must(http.ReadResponse(bufio.NewReader(c), nil))(t)
	if took := time.Since(began); res.StatusCode != 408 || !res.Close || took < bodyTime-time.Second || took > bodyTime+10*time.Second {
		t.Errorf("%d after %s, close %v", res.StatusCode, took, res.Close)
	}
	cut := dial(h, "/webhooks/intercom", "Content-Length: 1000\r\n")
	fmt.Fprint(cut, "{")
	cut.Close()
	for range 19 { // with the one that was cut off, as many bad ones as a source may send
		h.notify("/webhooks/other", "{}").bare(404)
		h.deps.Webhooks.Blame("127.0.0.1")
	}
	h.notify("/webhooks/intercom", "{}").bare(429)
	h.unchanged(before, "a body that did not come")
}

func TestNotificationsAreCounted(t *testing.T) {
	t.Parallel()
	h := open(t, plan{token: metricsToken})
	h.save("acme:intercom", nil)
	h.notify("/webhooks/intercom", "{}").bare(200)
	h.notify("/webhooks/intercom", "{}", "X-Hub-Signature", "sha1=00").bare(401)
	h.notify("/webhooks/intercom", strings.Repeat("x", webhook.MaxBody+1)).bare(413)
	a := h.visitor().get("/metrics", "Authorization", "Bearer "+metricsToken).want(200)
	for _, line := range []string{`backoffice_notifications_total{verdict="ok"} 1`, `backoffice_notifications_total{verdict="malformed"} 1`,
		`backoffice_notifications_total{verdict="mismatch"} 0`, `backoffice_notifications_turned_away_total{reason="too-large"} 1`,
		`backoffice_notifications_turned_away_total{reason="rate"} 0`} {
		if !strings.Contains(a.body, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

// What is only announced takes no room, and however much one source sends at once,
// it takes no room of others.
func TestHeldBodiesAreBounded(t *testing.T) {
	t.Parallel()
	h := open(t, plan{proxies: []string{"127.0.0.1/32"}})
	h.save("acme:intercom", nil)
	announce := func(from string) net.Conn {
		c := dial(h, "/webhooks/intercom", fmt.Sprintf("X-Forwarded-For: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n", from, webhook.MaxBody))
		if res := must(http.ReadResponse(bufio.NewReader(c), nil))(t); res.StatusCode != 100 { // the handler reads the body
			t.Fatalf("%d", res.StatusCode)
		}
		return c
	}
	for range 2 * maxHeld / webhook.MaxBody {
		announce("203.0.113.1")
	}
	h.notify("/webhooks/intercom", "{}", "X-Forwarded-For", "203.0.113.1").bare(200)
	var conns []net.Conn
	for range maxOfOne/webhook.MaxBody + 1 { // one more than there is room for
		conns = append(conns, announce("203.0.113.2"))
	}
	got := make(chan int)
	for _, c := range conns {
		go func() {
			io.WriteString(c, strings.Repeat("x", webhook.MaxBody-1))
			status := 0
			if res, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
				status = res.StatusCode
			}
			select {
			case got <- status:
			case <-t.Context().Done():
			}
		}()
	}
	if status := <-got; status != 503 {
		t.Errorf("the first answer is %d", status)
	}
	h.notify("/webhooks/intercom", "{}", "X-Forwarded-For", "203.0.113.3").bare(200)
}

// Room is given back, and is there for four sources that take all they may.
func TestRoom(t *testing.T) {
	x := newRoom()
	var leases []*lease
	for i := range 5 {
		l := &lease{room: x, source: webhook.SourceOf(fmt.Sprintf("203.0.113.%d", i))}
		leases = append(leases, l)
		if got := l.take(maxOfOne); got != (i < 4) {
			t.Errorf("source %d gets %v", i, got)
		}
		if i < 4 && l.take(1) {
			t.Errorf("source %d gets more than its share", i)
		}
	}
	for _, l := range leases {
		l.end()
		l.end() // twice is once
	}
	if x.all != 0 || len(x.of) != 0 {
		t.Errorf("%d bytes of %d sources are left", x.all, len(x.of))
	}
	a, b := (&lease{room: x, source: webhook.SourceOf("2001:db8::1")}), (&lease{room: x, source: webhook.SourceOf("2001:db8::2")})
	if !a.take(maxOfOne) || b.take(1) {
		t.Error("two addresses of one network are two sources")
	}
}

// Nothing of what was sent comes back, whatever goes wrong.
func TestNothingIsReflected(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	const canary = "CANARY-4f1b"
	repair := func() {}
	for _, broken := range []bool{false, true} {
		if broken {
			repair = h.breakStore(fmt.Errorf("the disk is gone"))
		}
		for _, path := range []string{"/webhooks/intercom", "/webhooks/" + canary, "/webhooks/" + canary + "/intercom?" + canary} {
			a := h.visitor().raw(http.MethodPost, path, strings.NewReader(`{"id":"`+canary+`"`), "X-Hub-Signature", canary, "Content-Type", canary, "User-Agent", canary)
			var head bytes.Buffer
			if err := a.header.Write(&head); err != nil {
				t.Fatal(err)
			}
			if a.body != "" || strings.Contains(head.String(), canary) || broken && a.status != 503 {
				t.Errorf("%s: %d\n%s%s", a.what, a.status, head.String(), a.body)
			}
		}
	}
	repair()
	if strings.Contains(h.log.String(), canary) {
		t.Error("the log has what was sent")
	}
}

// Notifications are answered while pages are drawn: the slowest tenth under load
// within half a second.
func TestReceivingUnderLoad(t *testing.T) {
	h := open(t, plan{rate: -1})
	h.save("acme:intercom", nil)
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 8 {
		p := h.owner()
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					p.get(entry)
				}
			}
		})
	}
	var slow int
	const count = 100
	for i := range count {
		began := time.Now()
		h.notify("/webhooks/intercom", fmt.Sprintf(`{"id":"%d"}`, i)).bare(200)
		if time.Since(began) > 500*time.Millisecond {
			slow++
		}
	}
	close(stop)
	load.Wait()
	if slow > count/10 {
		t.Errorf("%d of %d took longer than half a second", slow, count)
	}
}
