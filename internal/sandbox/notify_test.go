package sandbox_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/sandbox"
)

// A receiver is a real server that keeps what it is sent.
type receiver struct {
	mu       sync.Mutex
	got      []received
	answer   func(n int, r *http.Request) int // the status for the nth POST, from 1
	atOnce   int
	atOnceTo int // the most
	url      string
}

type received struct {
	method string
	header http.Header
	body   string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.got = append(r.got, received{req.Method, req.Header.Clone(), string(body)})
	r.atOnce++
	r.atOnceTo = max(r.atOnceTo, r.atOnce)
	n := len(r.got)
	r.mu.Unlock()
	status := http.StatusOK
	if r.answer != nil {
		status = r.answer(n, req)
	}
	r.mu.Lock()
	r.atOnce--
	r.mu.Unlock()
	w.WriteHeader(status)
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// notifying is a sandbox that sends to a receiver.
func notifying(t *testing.T, answer func(n int, r *http.Request) int) (*rig, *receiver) {
	t.Helper()
	rec := &receiver{answer: answer}
	srv := httptest.NewServer(rec)
	t.Cleanup(srv.Close)
	rec.url = srv.URL + "/webhooks/intercom"
	r := startWith(t, sandbox.Options{NotifyURL: rec.url, Client: srv.Client()})
	t.Cleanup(r.Reset)
	return r, rec
}

// settled sends and waits.
func (r *rig) settled(d sandbox.Delivery) {
	r.t.Helper()
	if err := r.Send(d); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	if err := r.Settle(ctx); err != nil {
		r.t.Fatal(err)
	}
}

func hexSum(h func() hash.Hash, key, body string) string {
	m := hmac.New(h, []byte(key))
	m.Write([]byte(body))
	return hex.EncodeToString(m.Sum(nil))
}

// member is a member of a body by its name.
func member(t *testing.T, body, name string) any {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal([]byte(body), &whole); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return whole[name]
}

func TestSend_asDocumented(t *testing.T) {
	r, rec := notifying(t, nil)
	r.settled(sandbox.Delivery{Topic: "company.created"})
	got := rec.all()
	if len(got) != 1 {
		t.Fatalf("%d requests", len(got))
	}
	n := got[0]
	if want := "sha1=" + hexSum(sha1.New, r.ClientSecret(), n.body); n.header.Get("X-Hub-Signature") != want || n.header.Get("X-Body-Signature") != "" {
		t.Errorf("signed with %q, want %q", n.header.Get("X-Hub-Signature"), want)
	}
	if n.method != "POST" || n.header.Get("User-Agent") != "intercom-parrot-service-client/1.0" || n.header.Get("Content-Type") != "application/json" || n.header.Get("Accept") != "application/json" {
		t.Errorf("%s with %v", n.method, n.header)
	}
	id, _ := member(t, n.body, "id").(string)
	now := r.clock.now().Unix()
	want := fmt.Sprintf(`{"type":"notification_event","app_id":"k3x9qw1z","data":{"type":"notification_event_data","item":{"type":"company","id":"531ee472cce572a6ec000006",`+
		`"name":"Example Company Inc.","company_id":"6","created_at":1394533506,"updated_at":1396874658,"custom_attributes":{}}},"id":%q,"topic":"company.created",`+
		`"delivery_attempts":1,"first_sent_at":%d,"created_at":%d,"self":null}`, id, now, now)
	if n.body != want || !strings.HasPrefix(id, "notif_") || len(id) != len("notif_")+36 {
		t.Errorf("got  %s\nwant %s", n.body, want)
	}
	sent := r.Sent()
	if len(sent) != 1 || sent[0].Topic != "company.created" || sent[0].ID != id || sent[0].Status != 200 || sent[0].Attempt != 1 || sent[0].Note != "Accepted." || sent[0].Took <= 0 {
		t.Errorf("the log has %+v", sent)
	}
}

func TestSend_items(t *testing.T) {
	r, rec := notifying(t, nil)
	for topic, item := range map[string]string{
		"ping":                      `{"type":"ping","message":"something something"}`,
		"company.deleted":           `{"type":"company","id":"471"}`,
		"contact.deleted":           `{"type":"contact","id":"471"}`,
		"contact.merged":            `{"type":"contact","id":"6762f0dd1bb69f9f2193bb83","merged_from":{"type":"contact","id":"6762f0d31bb69f9f2193bb7f"}}`,
		"contact.user.created":      `{"type":"contact","id":"6762f0dd1bb69f9f2193bb83",`,
		"conversation.user.replied": `{"type":"conversation","id":"471",`,
		"ticket.closed":             `{"ticket":{"type":"ticket","id":"39"}}`,
		"ticket.resolved":           `{"type":"ticket","id":"39"}`,
		"admin.logged_in":           `{"type":"admin","id":"39"}`,
	} {
		r.settled(sandbox.Delivery{Topic: topic})
		got := rec.all()
		body := got[len(got)-1].body
		if !strings.Contains(body, `"item":`+item) || member(t, body, "topic") != topic {
			t.Errorf("%s is %s", topic, body)
		}
	}
}

func TestSend_signings(t *testing.T) {
	r, rec := notifying(t, nil)
	for signing, want := range map[sandbox.Signing]func(body string) string{
		sandbox.SignedRight: func(b string) string { return "sha1=" + hexSum(sha1.New, r.ClientSecret(), b) },
		sandbox.OtherHash:   func(b string) string { return "sha256=" + hexSum(sha256.New, r.ClientSecret(), b) },
		sandbox.SignedBase64: func(b string) string {
			raw, _ := hex.DecodeString(hexSum(sha1.New, r.ClientSecret(), b))
			return "sha1=" + base64.StdEncoding.EncodeToString(raw)
		},
		sandbox.NoPrefix: func(b string) string { return hexSum(sha1.New, r.ClientSecret(), b) },
		sandbox.Unsigned: func(string) string { return "" },
	} {
		r.settled(sandbox.Delivery{Signing: signing})
		got := rec.all()
		n := got[len(got)-1]
		if n.header.Get("X-Hub-Signature") != want(n.body) {
			t.Errorf("signing %d: %q, want %q", signing, n.header.Get("X-Hub-Signature"), want(n.body))
		}
	}
	r.settled(sandbox.Delivery{Signing: sandbox.WrongSecret})
	got := rec.all()
	n := got[len(got)-1]
	if s := n.header.Get("X-Hub-Signature"); len(s) != 45 || s == "sha1="+hexSum(sha1.New, r.ClientSecret(), n.body) {
		t.Errorf("with another secret: %q", s)
	}
	r.settled(sandbox.Delivery{Secret: "an older one"})
	got = rec.all()
	if n = got[len(got)-1]; n.header.Get("X-Hub-Signature") != "sha1="+hexSum(sha1.New, "an older one", n.body) {
		t.Errorf("with a named secret: %q", n.header.Get("X-Hub-Signature"))
	}
}

func TestSend_uninstall(t *testing.T) {
	r, rec := notifying(t, nil)
	r.settled(sandbox.Delivery{Uninstall: true})
	n := rec.all()[0]
	if n.body != `{"app_id":"k3x9qw1z"}` || n.header.Get("X-Body-Signature") != hexSum(sha256.New, r.ClientSecret(), n.body) || n.header.Get("X-Hub-Signature") != "" {
		t.Errorf("%s with %v", n.body, n.header)
	}
	if s := r.Sent()[0]; s.Topic != "uninstall" || s.ID != "" {
		t.Errorf("the log has %+v", s)
	}
}

// A body that a proxy wrote anew says the same, in other bytes: the signature is
// of what was there before.
func TestSend_rewritten(t *testing.T) {
	r, rec := notifying(t, nil)
	undo := map[sandbox.Rewriting]func(string) string{
		sandbox.Spaced:    func(b string) string { return strings.NewReplacer(`": `, `":`, `, "`, `,"`).Replace(b) },
		sandbox.Escaped:   func(b string) string { return strings.NewReplacer(`\u00eb`, "ë").Replace(b) },
		sandbox.LineBreak: func(b string) string { return strings.TrimSuffix(b, "\n") },
	}
	for _, way := range []sandbox.Rewriting{sandbox.AsSigned, sandbox.Spaced, sandbox.Reordered, sandbox.Escaped, sandbox.LineBreak} {
		r.settled(sandbox.Delivery{Topic: "contact.user.created", Rewriting: way})
		got := rec.all()
		n := got[len(got)-1]
		holds := n.header.Get("X-Hub-Signature") == "sha1="+hexSum(sha1.New, r.ClientSecret(), n.body)
		if holds != (way == sandbox.AsSigned) {
			t.Errorf("%d: the signature holds: %v, of %q", way, holds, n.body)
		}
		if back := undo[way]; back != nil && n.header.Get("X-Hub-Signature") != "sha1="+hexSum(sha1.New, r.ClientSecret(), back(n.body)) {
			t.Errorf("%d: the signature is not of the body before: %q", way, n.body)
		}
		if way == sandbox.Reordered && !strings.HasPrefix(n.body, `{"app_id":"k3x9qw1z","created_at":`) {
			t.Errorf("reordered is %s", n.body)
		}
		item, _ := member(t, n.body, "data").(map[string]any)["item"].(map[string]any)
		if item["name"] != "Zoë Example" {
			t.Errorf("%d: it says %v", way, item)
		}
	}
}

func TestSend_burst(t *testing.T) {
	full, over := make(chan struct{}), make(chan struct{})
	r, rec := notifying(t, func(n int, _ *http.Request) int {
		switch n {
		case sandbox.SendersAtOnce:
			select { // as many wait as may: one more has its chance to come
			case <-over:
			case <-time.After(100 * time.Millisecond):
			}
			close(full)
		case sandbox.SendersAtOnce + 1:
			close(over)
		}
		<-full
		return 200
	})
	r.settled(sandbox.Delivery{Count: sandbox.MaxBurst})
	ids := map[any]int{}
	for _, n := range rec.all() {
		ids[member(t, n.body, "id")]++
	}
	if len(ids) != sandbox.MaxBurst || rec.atOnceTo != sandbox.SendersAtOnce {
		t.Errorf("%d ids, %d at once", len(ids), rec.atOnceTo)
	}
	if n := len(r.Sent()); n != 200 {
		t.Errorf("%d in the log", n)
	}
}

func TestSend_again(t *testing.T) {
	r, rec := notifying(t, nil)
	r.settled(sandbox.Delivery{Count: 3, Again: 2})
	bodies := map[string]int{}
	for _, n := range rec.all() {
		bodies[n.body]++
	}
	if !slices.Equal(slices.Collect(maps.Values(bodies)), []int{3, 3, 3}) {
		t.Errorf("bodies and how often: %v", bodies)
	}
}

// After a failure there is one retry, and no other.
func TestSend_retries(t *testing.T) {
	for _, c := range []struct {
		name     string
		answers  []int
		statuses []int // in the log, oldest first
		last     string
	}{
		{"once", []int{500, 200}, []int{500, 200}, "Accepted."},
		{"given up", []int{500, 503}, []int{500, 503}, "Refused. The retry is the last attempt: given up."},
		{"refused", []int{401, 401}, []int{401, 401}, "Refused. The retry is the last attempt: given up."},
		{"a redirect is no success", []int{302, 200}, []int{302, 200}, "Accepted."},
		{"created", []int{201}, []int{201}, "Accepted."},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, rec := notifying(t, func(n int, _ *http.Request) int { return c.answers[n-1] })
			r.settled(sandbox.Delivery{Retry: time.Millisecond})
			got := rec.all()
			if len(got) != len(c.statuses) {
				t.Fatalf("%d attempts", len(got))
			}
			sent := r.Sent()
			slices.Reverse(sent)
			for i, n := range got {
				if member(t, n.body, "delivery_attempts") != float64(i+1) || member(t, n.body, "id") != member(t, got[0].body, "id") || member(t, n.body, "first_sent_at") != member(t, got[0].body, "first_sent_at") {
					t.Errorf("attempt %d is %s", i+1, n.body)
				}
				if n.header.Get("X-Hub-Signature") != "sha1="+hexSum(sha1.New, r.ClientSecret(), n.body) {
					t.Errorf("attempt %d is not signed anew", i+1)
				}
				if sent[i].Status != c.statuses[i] || sent[i].Attempt != i+1 {
					t.Errorf("the log has %+v", sent[i])
				}
			}
			if note := sent[len(sent)-1].Note; note != c.last {
				t.Errorf("it ends with %q", note)
			}
		})
	}
}

func TestSend_noAnswerInTime(t *testing.T) {
	r, rec := notifying(t, func(n int, req *http.Request) int {
		if n == 1 {
			<-req.Context().Done()
		}
		return 200
	})
	r.SetAnswerWithin(2 * time.Second) // the second attempt is answered at once, also on a busy machine
	r.settled(sandbox.Delivery{Retry: time.Millisecond})
	sent := r.Sent()
	if len(rec.all()) != 2 || len(sent) != 2 || sent[1].Status != 0 || !strings.HasPrefix(sent[1].Note, "No answer within five seconds, or no connection. One retry follows") || sent[0].Status != 200 {
		t.Errorf("the log has %+v", sent)
	}
}

func TestSend_gone(t *testing.T) {
	status := http.StatusGone
	r, rec := notifying(t, func(int, *http.Request) int { return status })
	r.settled(sandbox.Delivery{})
	if n := len(rec.all()); n != 1 || r.NotifyURL() != "" {
		t.Errorf("%d requests after 410, then to %q", n, r.NotifyURL())
	}
	if err := r.Send(sandbox.Delivery{}); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "410") {
		t.Errorf("sending after 410: %v", err)
	}
	status = http.StatusOK
	if err := r.SetNotifyURL(t.Context(), rec.url); err != nil {
		t.Fatal(err)
	}
	r.settled(sandbox.Delivery{})
	if got := rec.all(); len(got) != 3 || got[1].method != http.MethodHead {
		t.Errorf("%d requests after the address was set again", len(got))
	}
}

// 429 is no failure: the notification comes later, and is given up after 120 waits.
func TestSend_slowedDown(t *testing.T) {
	r, rec := notifying(t, func(n int, _ *http.Request) int {
		if n <= 3 {
			return http.StatusTooManyRequests
		}
		return http.StatusOK
	})
	began := time.Now()
	r.settled(sandbox.Delivery{Retry: 10 * time.Millisecond})
	got, took := rec.all(), time.Since(began)
	if len(got) != 4 || took < 70*time.Millisecond {
		t.Errorf("%d requests in %s; the waits are 10, 20 and 40 ms", len(got), took)
	}
	if a := member(t, got[3].body, "delivery_attempts"); a != 1.0 {
		t.Errorf("429 counts as attempt: %v", a)
	}
	always, refuses := notifying(t, func(int, *http.Request) int { return http.StatusTooManyRequests })
	always.settled(sandbox.Delivery{Retry: time.Millisecond})
	if sent := always.Sent(); sent[0].Note != "429 for too long: given up." || len(refuses.all()) != 7 {
		t.Errorf("%d requests, then %+v", len(refuses.all()), sent[0])
	}
}

func TestSetNotifyURL(t *testing.T) {
	status := http.StatusOK
	r, rec := notifying(t, func(int, *http.Request) int { return status })
	other := strings.Replace(rec.url, "/webhooks/intercom", "/elsewhere", 1)
	if err := r.SetNotifyURL(t.Context(), other); err != nil || r.NotifyURL() != other {
		t.Fatalf("%v, then to %q", err, r.NotifyURL())
	}
	if got := rec.all(); len(got) != 1 || got[0].method != "HEAD" || got[0].header.Get("User-Agent") != "intercom-parrot-service-client/1.0" {
		t.Errorf("it was asked with %+v", got)
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for address, words := range map[string]string{
		"":                                    "Write a whole address",
		"localhost:8080":                      "Write a whole address",
		"/webhooks/intercom":                  "Write a whole address",
		"ftp://localhost/":                    "Write a whole address",
		"http://localhost/#x":                 "no fragment",
		"http://me@localhost/":                "no user name",
		"http://192.0.2.1/webhooks":           "this machine alone",
		"https://backoffice.example/webhooks": "this machine alone",
		"http://localhost.example/":           "this machine alone",
		"http://[::2]/":                       "this machine alone",
		"http://localhost/" + strings.Repeat("a", 500): "Write a whole address",
		closed.URL: "Nobody answers there",
	} {
		err := r.SetNotifyURL(t.Context(), address)
		if !strings.Contains(errs.Fields(err)["hook"], words) {
			t.Errorf("%s: %v, want %q", address, err, words)
		}
	}
	status = http.StatusNotFound
	if err := r.SetNotifyURL(t.Context(), rec.url); !strings.Contains(errs.Fields(err)["hook"], "answered with 404") {
		t.Errorf("an address that is not there: %v", err)
	}
	if r.NotifyURL() != other {
		t.Errorf("a refused address is in use: %q", r.NotifyURL())
	}
}

// The operator's own host may be sent to wherever it is; nobody else's.
func TestNotifyURL_ofTheOperator(t *testing.T) {
	p, err := sandbox.New(sandbox.Options{NotifyURL: "https://backoffice.example/webhooks/intercom"})
	if err != nil || p.NotifyURL() != "https://backoffice.example/webhooks/intercom" {
		t.Errorf("%v, sends to %q", err, p.NotifyURL())
	}
	for _, bad := range []string{"backoffice.example", "http://a b/", "http://x@backoffice.example/"} {
		if _, err := sandbox.New(sandbox.Options{NotifyURL: bad}); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestSend_refuses(t *testing.T) {
	r, _ := notifying(t, nil)
	for field, d := range map[string]sandbox.Delivery{
		"topic": {Topic: "Contact created"}, "count": {Count: sandbox.MaxBurst + 1}, "again": {Again: 6}, "retry": {Retry: 3 * time.Minute},
		"signing": {Signing: 99}, "rewriting": {Rewriting: -1},
	} {
		if err := r.Send(d); errs.Fields(err)[field] == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := r.Send(sandbox.Delivery{Count: 500, Again: 5}); errs.Fields(err)["count"] == "" {
		t.Errorf("three thousand at once: %v", err)
	}
	mute := start(t, sandbox.Faults{})
	if err := mute.Send(sandbox.Delivery{}); errs.Fields(err)["hook"] == "" {
		t.Errorf("without a client: %v", err)
	}
	if err := mute.SetNotifyURL(t.Context(), "http://localhost/"); errs.Fields(err)["hook"] == "" {
		t.Errorf("without a client: %v", err)
	}
}

// A reset ends what is under way, and nothing of it is in the log.
func TestReset_endsNotifications(t *testing.T) {
	arrived := make(chan struct{}, 20)
	r, rec := notifying(t, func(_ int, req *http.Request) int {
		arrived <- struct{}{}
		<-req.Context().Done()
		return 200
	})
	if err := r.Send(sandbox.Delivery{Count: 20}); err != nil {
		t.Fatal(err)
	}
	<-arrived
	r.Reset()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.Settle(ctx); err != nil || len(r.Sent()) != 0 || len(rec.all()) > sandbox.SendersAtOnce {
		t.Errorf("%v, %d in the log, %d requests", err, len(r.Sent()), len(rec.all()))
	}
	if r.NotifyURL() != rec.url {
		t.Errorf("it sends to %q", r.NotifyURL())
	}
}

func TestControlPage_notifications(t *testing.T) {
	r, rec := notifying(t, nil)
	page := r.get("/").body
	for _, want := range []string{"Send notifications", rec.url, "Notifications it sent", "Nothing yet."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	form := url.Values{"topic": {" contact.merged "}, "count": {"2"}, "again": {"1"}, "retry": {"1"}, "signing": {"sha256"}, "rewriting": {"spaced"}}
	if res := r.post("/control/notify", form); res.StatusCode != 303 || res.Header.Get("Location") != "/#sent" {
		t.Fatalf("%d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if err := r.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := rec.all()
	if len(got) != 4 || !strings.HasPrefix(got[0].header.Get("X-Hub-Signature"), "sha256=") || !strings.Contains(got[0].body, `"topic": "contact.merged"`) {
		t.Errorf("%d requests, the first %+v", len(got), got[0])
	}
	page = r.get("/").body
	if strings.Count(page, "<code>contact.merged</code>") != 4 || !strings.Contains(page, "Accepted.") {
		t.Error("the page does not show what was sent")
	}
	checkMarkup(t, "with notifications", page)

	form.Set("uninstall", "on")
	form.Set("signing", "right")
	if res := r.post("/control/notify", form); res.StatusCode != 303 {
		t.Errorf("uninstall: %d", res.StatusCode)
	}
	if err := r.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got = rec.all(); got[len(got)-1].header.Get("X-Body-Signature") == "" {
		t.Errorf("the uninstall notification has %v", got[len(got)-1].header)
	}
	if res := r.post("/control/hook", url.Values{"hook": {" " + rec.url + "/more "}}); res.StatusCode != 303 || r.NotifyURL() != rec.url+"/more" {
		t.Errorf("setting the address: %d, %q", res.StatusCode, r.NotifyURL())
	}
}

// What cannot be sent changes nothing, says why, and keeps what was typed.
func TestControlPage_notificationsRefused(t *testing.T) {
	for field, c := range map[string]struct{ value, words string }{
		"topic":     {"Ping!", "Topic: small letters with dots between them"},
		"count":     {"501", "How many: a whole number from 1 to 500."},
		"again":     {"-1", "Each again: a whole number from 0 to 5."},
		"retry":     {"0", "Retry after: a whole number from 1 to 120."},
		"signing":   {"guess", "Signature: choose one of the list."},
		"rewriting": {"", "Body: choose one of the list."},
	} {
		t.Run(field, func(t *testing.T) {
			r, rec := notifying(t, nil)
			form := url.Values{"topic": {"contact.merged"}, "count": {"17"}, "again": {"3"}, "retry": {"9"}, "signing": {"base64"}, "rewriting": {"escaped"}, "uninstall": {"on"}}
			form.Set(field, c.value)
			res := r.post("/control/notify", form)
			if res.StatusCode != 422 || !strings.Contains(res.body, c.words) || !strings.Contains(res.body, `id="notify-`+field+`-error"`) {
				t.Errorf("%d, without %q", res.StatusCode, c.words)
			}
			checkMarkup(t, field, res.body)
			for name, want := range map[string]string{"topic": `value="contact.merged"`, "count": `value="17"`, "again": `value="3"`, "retry": `value="9"`,
				"signing": `value="base64" selected`, "rewriting": `value="escaped" selected`, "uninstall": `value="on" checked aria-describedby="notify-uninstall-help"`} {
				if name != field && !strings.Contains(res.body, want) {
					t.Errorf("%s is lost", name)
				}
			}
			if len(rec.all()) != 0 {
				t.Error("it sent something all the same")
			}
		})
	}
	r, rec := notifying(t, nil)
	res := r.post("/control/hook", url.Values{"hook": {"https://elsewhere.example/<b>"}})
	if res.StatusCode != 422 || !strings.Contains(res.body, "this machine alone") || !strings.Contains(res.body, "https://elsewhere.example/&lt;b&gt;") || r.NotifyURL() != rec.url {
		t.Errorf("%d, sends to %q", res.StatusCode, r.NotifyURL())
	}
	checkMarkup(t, "hook", res.body)
}
