package webhook_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/webhook"
)

// A target is an HTTP server of the test's own, which keeps what it got.
type target struct {
	*httptest.Server
	mu     sync.Mutex
	got    []webhook.Request
	answer http.HandlerFunc // nil: 200
}

func newTarget(t *testing.T) *target {
	x := &target{}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		x.mu.Lock()
		x.got = append(x.got, webhook.Request{Header: r.Header, Body: body})
		answer := x.answer
		x.mu.Unlock()
		if answer != nil {
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			answer(w, r)
		}
	}))
	t.Cleanup(x.Close)
	return x
}

func (x *target) last(t *testing.T) webhook.Request {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.got) == 0 {
		t.Fatal("nothing came")
	}
	return x.got[len(x.got)-1]
}

func (h *house) events(a audit.Action) []audit.Event {
	h.t.Helper()
	return must(audit.NewLog(h.store).List(h.t.Context(), audit.Filter{Action: a, Limit: 100}))(h.t).Events
}

func TestReplay(t *testing.T) {
	x := newTarget(t)
	host := strings.TrimPrefix(x.URL, "http://")
	h := open(t, plan{allow: []string{host}})
	h.save(shop, config.PutInForce, 0, "clientSecret", "old")
	body := event("e1", "order.made") + "\r\n "
	n := h.receive(message{header: webhook.Sign(h.scheme(1), secret.NewText("old"), []byte(body), start), body: body})
	h.save(shop, config.PutInForce, time.Hour, "clientSecret", "new")
	h.pass(time.Hour)
	r := must(h.hooks.Replay(t.Context(), by, n.Owner, n.ID, x.URL+"/hook?token=CANARY"))(t)
	got := x.last(t)
	got.Received = h.clock()
	accepted := []webhook.Candidate{{Signer: webhook.Signer{Version: 2}, Secret: secret.NewText("new")}}
	if v := webhook.Verify(h.config.Definition(shop).Webhooks, accepted, got); v.Verdict != webhook.OK || v.Signature != "X-Shop-Stamped" || string(got.Body) != body {
		t.Errorf("what came is %s by %s: %q", v.Verdict, v.Signature, got.Body)
	}
	if r.Status != 200 || r.By != by.Name || r.Target != x.URL+"/hook" || !r.Time.Equal(h.clock()) || r.Signer == nil || r.Signer.Version != 2 || !strings.Contains(r.Words, "accepted it with 200 OK") {
		t.Errorf("replayed %+v", r)
	}
	x.answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other?x=CANARY", http.StatusFound) }
	if r = must(h.hooks.Replay(t.Context(), by, n.Owner, n.ID, x.URL))(t); r.Status != 302 || !strings.Contains(r.Words, "a redirect to "+x.URL+"/other,") {
		t.Errorf("redirected %+v", r)
	}
	x.Close()
	if r = must(h.hooks.Replay(t.Context(), by, n.Owner, n.ID, x.URL))(t); r.Status != 0 || !strings.Contains(r.Words, "refused the connection") {
		t.Errorf("without an answer %+v", r)
	}
	kept := must(h.hooks.Get(t.Context(), n.Owner, n.ID))(t)
	events := h.events(audit.NotificationReplayed)
	if len(kept.Replays) != 3 || kept.Replays[1].Status != 302 || len(events) != 3 {
		t.Fatalf("kept %+v, %d events", kept.Replays, len(events))
	}
	for i, outcome := range []audit.Outcome{audit.Failed, audit.Failed, audit.Done} {
		if e := events[i]; e.Outcome != outcome || e.Target != string(shop) || e.Actor != by || !strings.Contains(e.Note, n.ID) || strings.Contains(e.Note, "CANARY") {
			t.Errorf("event %+v", e)
		}
	}
}

func TestReplayIsRefused(t *testing.T) {
	h := open(t, plan{})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	good := h.receive(message{body: event("e1", "order.made"), key: "s-1"})
	junk := h.receive(message{body: event("e2", "order.made"), key: "x"})
	for _, tt := range []struct {
		name, id, target string
		kind             errs.Kind
		field, words     string
	}{
		{"junk", junk.ID, "https://staging.example.com/", errs.Invalid, "", "a forged one would become a genuine one"},
		{"unknown", "0000000000000000", "https://staging.example.com/", errs.NotFound, "", "not kept any more"},
		{"no target", good.ID, " ", errs.Invalid, "target", "Type the address"},
		{"no address", good.ID, "staging", errs.Invalid, "target", "no web address"},
		{"not encrypted", good.ID, "http://staging.example.com/", errs.Invalid, "target", "begin with https://"},
		{"with a password", good.ID, "https://a:b@staging.example.com/", errs.Invalid, "target", "a user name or a password"},
		{"private", good.ID, "https://127.0.0.1/", errs.Invalid, "target", "Only public addresses"},
		{"metadata", good.ID, "https://169.254.169.254/", errs.Invalid, "target", "Only public addresses"},
		{"another port", good.ID, "https://staging.example.com:22/", errs.Invalid, "target", "port 22"},
	} {
		_, err := h.hooks.Replay(t.Context(), by, string(shop), tt.id, tt.target)
		text := errs.Fields(err)[tt.field]
		if tt.field == "" {
			_, text = errs.Of(err)
		}
		if kind(err) != tt.kind || !strings.Contains(text, tt.words) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if n := len(h.events(audit.NotificationReplayed)); n != 0 {
		t.Errorf("%d events", n)
	}
}

// public serves the receiving side at the public URL, as the program does.
func public(t *testing.T, change func(r *http.Request, body []byte) []byte) (*house, *target) {
	x := newTarget(t)
	h := open(t, plan{public: x.URL})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1", "webhookSecret", "w-1")
	x.answer = func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if change != nil {
			body = change(r, body)
		}
		a, ok, err := h.hooks.Route(r.Context(), strings.TrimPrefix(r.URL.Path, "/webhooks/"))
		if err != nil || !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		n, err := h.hooks.Receive(r.Context(), a, webhook.Incoming{Method: r.Method, From: "192.0.2.1", Header: r.Header, Body: body, Began: h.clock()})
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(n.Status)
	}
	return h, x
}

func TestSendTestArrives(t *testing.T) {
	h, x := public(t, nil)
	for topic, header := range map[string]string{"order.made": "X-Shop-Signature", "order.paid": "X-Shop-Stamped"} {
		got := must(h.hooks.SendTest(t.Context(), by, shop, topic))(t)
		n := got.Notification
		if !got.OK() || got.Status != 200 || got.Topic != topic || n == nil || !n.Test || n.Verdict != webhook.OK || n.ProviderID != got.ID || n.Topic != topic ||
			n.Signature != header || n.Signer.Key != "webhookSecret" || !n.Happened.Equal(start) || !strings.Contains(got.Words, "it was accepted") {
			t.Errorf("%s: %+v, arrived %+v", topic, got, n)
		}
		if kept := must(h.hooks.Get(t.Context(), n.Owner, n.ID))(t); !kept.Test {
			t.Error("it is not kept as a test")
		}
	}
	if n := h.receive(message{body: event("e1", "order.made"), key: "s-1", header: http.Header{"X-Backoffice-Test": {"test_x"}}}); n.Test {
		t.Error("what somebody else sent is a test")
	}
	events := h.events(audit.NotificationTested)
	if len(events) != 2 || events[0].Outcome != audit.Done || events[0].Target != string(shop) || events[0].Actor != by || events[0].Version != 1 || !strings.Contains(events[0].Note, "order.") {
		t.Errorf("events %+v", events)
	}
	h.save("mint:shop", config.PutInForce, 0, "clientSecret", "m-1")
	if got := must(h.hooks.SendTest(t.Context(), by, shop, "order.made"))(t); !got.OK() || got.Notification.Address != "acme/shop" {
		t.Errorf("where two share the service: %+v", got)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.got {
		for _, values := range r.Header {
			if strings.Contains(strings.Join(values, " "), "w-1") {
				t.Error("the secret was sent")
			}
		}
	}
}

func TestSendTestThatDoesNotArriveWell(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(r *http.Request, body []byte) []byte
		answer http.HandlerFunc // instead of the program's
		closed bool
		status int
		words  string
		came   webhook.Verdict // "" if nothing does
	}{
		"written anew":    {func(_ *http.Request, b []byte) []byte { return append(b, '\n') }, nil, false, 401, "with another body", webhook.Mismatch},
		"without headers": {func(r *http.Request, b []byte) []byte { r.Header = http.Header{}; return b }, nil, false, 401, "was refused: unsigned", webhook.Unsigned},
		"redirected":      {nil, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, false, 302, "a redirect to", ""},
		"another program": {nil, func(http.ResponseWriter, *http.Request) {}, false, 200, "another program gave that answer", ""},
		"forbidden":       {nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, false, 403, "403 Forbidden", ""},
		"nobody":          {nil, nil, true, 0, "refused the connection", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, x := public(t, tt.change)
			if tt.answer != nil {
				x.answer = tt.answer
			}
			if tt.closed {
				x.Close()
			}
			got := must(h.hooks.SendTest(t.Context(), by, shop, "order.made"))(t)
			if got.OK() || got.Status != tt.status || !strings.Contains(got.Words, tt.words) || (got.Notification != nil) != (tt.came != "") {
				t.Errorf("%+v, arrived %+v", got, got.Notification)
			}
			if got.Notification != nil && (got.Notification.Verdict != tt.came || !got.Notification.Test) {
				t.Errorf("arrived %+v", got.Notification)
			}
			if e := h.events(audit.NotificationTested); len(e) != 1 || e[0].Outcome != audit.Failed {
				t.Errorf("events %+v", e)
			}
		})
	}
}

func TestSendTestIsRefused(t *testing.T) {
	h, _ := public(t, nil)
	h.save("mint:shop", config.PutInForce, 0)
	for _, tt := range []struct {
		id    config.ID
		topic string
		kind  errs.Kind
		words string
	}{
		{shop, "nosuch", errs.Invalid, "Choose one of the topics"},
		{shop, "bill.sent", errs.Invalid, "no sample for this topic"},
		{"mint:shop", "order.made", errs.Invalid, "nothing to sign with"},
		{"none:shop", "order.made", errs.NotFound, "no such entry"},
	} {
		_, err := h.hooks.SendTest(context.Background(), by, tt.id, tt.topic)
		if kind(err) != tt.kind || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s, %s: %v", tt.id, tt.topic, err)
		}
	}
	if n := len(h.events(audit.NotificationTested)); n != 0 {
		t.Errorf("%d events", n)
	}
}
