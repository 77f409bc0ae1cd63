package webhook

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"backoffice/internal/connector"
)

func readScheme() *connector.Webhooks {
	return &connector.Webhooks{Reads: connector.NotificationReads{ID: "id", Topic: "topic", Account: "app_id", Happened: "created_at",
		FirstSent: "data.first.sent", Attempt: "header X-Attempt"}}
}

func TestRead(t *testing.T) {
	at := time.Unix(1392731331, 0).UTC()
	for _, c := range []struct {
		name, body, attempt string
		want                Facts
	}{
		{"whole", `{"type":"x","id":"n_1","topic":"a.b","app_id":"w","created_at":1392731331,"data":{"first":{"sent":1392731331}}}`, "2",
			Facts{ID: "n_1", Topic: "a.b", Account: "w", Happened: at, FirstSent: at, Attempt: 2}},
		{"in another order, spaced", "\ufeff{ \"data\" : {\"id\":\"no\",\"first\":{ \"sent\" :\n1392731331 }},\t\"topic\":\"a.b\" ,\"id\" :\"n_1\"}\r\n", "",
			Facts{ID: "n_1", Topic: "a.b", FirstSent: at}},
		{"numbers and booleans", `{"id":17,"topic":true,"app_id":null,"created_at":"1392731331","data":{"first":{"sent":1392731331.75}}}`, "1",
			Facts{ID: "17", Topic: "true", Happened: at, FirstSent: at, Attempt: 1}},
		{"RFC 3339", `{"created_at":"2014-02-18T13:48:51Z"}`, "", Facts{Happened: at}},
		{"RFC 3339 without a zone", `{"created_at":"2014-02-18T13:48:51.902"}`, "", Facts{Happened: at.Add(902 * time.Millisecond)}},
		{"objects and lists", `{"id":{"id":"a"},"topic":["a"],"app_id":[],"created_at":{},"data":[{"first":1}]}`, "x", Facts{}},
		{"escapes", `{"id":"a\"b\\\u00e9","\u0074opic":"t"}`, "", Facts{ID: `a"b\é`, Topic: "t"}},
		{"what stands in a text is no member", `{"a":"\"id\":\"no\"","b":["{\"id\":1}"],"id":"yes"}`, "", Facts{ID: "yes"}},
		{"control characters", `{"id":"a\u0000b\u001b[31m\nc\u202e\u200bd"}`, "", Facts{ID: "ab[31mcd"}},
		{"cut off", `{"id":"n_1","topic":"a.b`, "", Facts{ID: "n_1"}},
		{"cut in an escape", `{"id":"n_1","topic":"a\`, "", Facts{ID: "n_1"}},
		{"a time before all time", `{"created_at":-5,"data":{"first":{"sent":0}}}`, "-1", Facts{}},
		{"a time after all time", `{"created_at":253402300800,"data":{"first":{"sent":1e99}}}`, "1000001", Facts{}},
		{"milliseconds are no seconds", `{"created_at":1392731331000}`, "", Facts{}},
		{"no object", `["id","n_1"]`, "", Facts{}},
		{"text", `"id"`, "", Facts{}},
		{"no JSON", `id=1&topic=2`, "", Facts{}},
		{"nothing", ``, "", Facts{}},
		{"not UTF-8", "{\"id\":\"a\xffb\"}", "", Facts{ID: "ab"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			if c.attempt != "" {
				h.Set("X-Attempt", c.attempt)
			}
			if got := Read(readScheme(), Request{Header: h, Body: []byte(c.body)}); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestRead_itemsOfLists(t *testing.T) {
	w := &connector.Webhooks{Reads: connector.NotificationReads{ID: "events.1.id", Account: "events.0.tenantId"}}
	got := Read(w, Request{Body: []byte(`{"events":[{"id":"a","tenantId":"t"},{"id":"b","tenantId":"u"}]}`)})
	if got != (Facts{ID: "b", Account: "t"}) {
		t.Errorf("got %+v", got)
	}
}

func TestRead_longTexts(t *testing.T) {
	ids := map[string]bool{}
	for _, end := range []string{"a", "b"} {
		body, _ := json.Marshal(map[string]string{"id": strings.Repeat("é", 400) + end, "topic": strings.Repeat("t", 300), "app_id": strings.Repeat("x", 1<<20)})
		got := Read(readScheme(), Request{Body: body})
		if n := utf8.RuneCountInString(got.ID); n > maxFact || n == 0 {
			t.Errorf("an id of %d characters", n)
		}
		if got.Topic != strings.Repeat("t", maxFact-1)+"…" || got.Account != "" {
			t.Errorf("topic %q, account %q", got.Topic, got.Account)
		}
		ids[got.ID] = true
	}
	if len(ids) != 2 {
		t.Error("two long ids that differ at the end are taken for one")
	}
}

// What is nested deep costs no stack.
func TestRead_deep(t *testing.T) {
	deep := strings.Repeat("[", 1<<20)
	if got := Read(readScheme(), Request{Body: []byte(`{"a":` + deep + `,"id":"no"}`)}); got != (Facts{}) {
		t.Errorf("got %+v", got)
	}
	if got := Read(readScheme(), Request{Body: []byte(`{"a":` + deep + strings.Repeat("]", 1<<20) + `,"id":"n"}`)}); got.ID != "n" {
		t.Errorf("got %+v", got)
	}
}

// FuzzRead holds the reader to what encoding/json reads in the same body, where
// the body is JSON at all.
func FuzzRead(f *testing.F) {
	for _, body := range []string{bodyPing, bodyWhole, bodyUTF8, bodySlash, `{"id":"a\u00e9\"","data":{"first":{"sent":1}}}`, `[{"id":[]}]`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := Read(readScheme(), Request{Body: body})
		for _, s := range []string{got.ID, got.Topic, got.Account} {
			if utf8.RuneCountInString(s) > maxFact || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\n\r\x1b\u202e") {
				t.Fatalf("%q got through", s)
			}
		}
		if _, err := json.Marshal(got); err != nil {
			t.Fatal(err)
		}
		var whole map[string]any
		if json.Unmarshal(body, &whole) != nil || strings.Count(string(body), "topic") != 1 || strings.Contains(string(body), `\u`) {
			return
		}
		if topic, ok := whole["topic"].(string); ok && got.Topic != cleanFact(topic) {
			t.Fatalf("read %q, encoding/json %q", got.Topic, topic)
		}
	})
}

// A body can be made so that looking for the end of a text begins again with each
// escape: that would take many seconds, and this takes two milliseconds.
func TestEscapesAreReadOnce(t *testing.T) {
	body := []byte(`{"a":"` + strings.Repeat(`\a`, MaxBody/2-16) + `","id":"n_1"}`)
	began := time.Now()
	if got := Read(readScheme(), Request{Body: body}); got.ID != "n_1" {
		t.Errorf("read %+v", got)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestCommonHeadersHoldNoCredential(t *testing.T) {
	for name := range commonNames {
		if soundsSecret(name) || http.CanonicalHeaderKey(name) != name {
			t.Errorf("%s is passed over", name)
		}
	}
}

func TestRedact(t *testing.T) {
	h := http.Header{}
	for _, line := range [][2]string{
		{"X-Hub-Signature", "sha1=ab"}, {"X-Body-Signature", "cd"}, {"X-Hub-Signature-256", "sha256=ef"}, {"User-Agent", "an-agent/1.0 (+https://a.example)"},
		{"Content-Type", "application/json; charset=utf-8"}, {"Authorization", "Bearer abc"}, {"Proxy-Authorization", "Basic abc"}, {"Cookie", "a=b"},
		{"X-Api-Key", "k"}, {"X-Auth-Token", "t"}, {"X-App-Secret", "s"}, {"X-Db-Password", "p"}, {"X-Original-Uri", "/webhooks/a?token=abc"},
		{"X-Passed-On", "bearer abc"}, {"Referer", "https://user:word@a.example/"}, {"X-Forwarded-For", "192.0.2.1"}, {"X-Amzn-Oidc-Data", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."}, {"X-Odd", "a\x00b\u202ec"},
		{"X-Long", strings.Repeat("é", 600)},
	} {
		h.Add(line[0], line[1])
	}
	want := map[string]string{"X-Hub-Signature": "sha1=ab", "X-Body-Signature": "cd", "X-Hub-Signature-256": "-", "User-Agent": "an-agent/1.0 (+https://a.example)",
		"Content-Type": "application/json; charset=utf-8", "Authorization": "-", "Proxy-Authorization": "-", "Cookie": "-", "X-Api-Key": "-",
		"X-Auth-Token": "-", "X-App-Secret": "-", "X-Db-Password": "-", "X-Original-Uri": "-", "X-Passed-On": "-", "Referer": "-", "X-Amzn-Oidc-Data": "-",
		"X-Forwarded-For": "192.0.2.1", "X-Odd": "abc", "X-Long": strings.Repeat("é", 499) + "…"}
	got := Redact(hubScheme(t), h)
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	for i, line := range got {
		value := line.Value
		if line.Redacted {
			value += "-"
		}
		if value != want[line.Name] {
			t.Errorf("%s: %q, want %q", line.Name, value, want[line.Name])
		}
		if i > 0 && got[i-1].Name > line.Name {
			t.Errorf("%s stands before %s", got[i-1].Name, line.Name)
		}
	}
}

func TestRedact_bounded(t *testing.T) {
	h := http.Header{}
	for range 500 {
		h.Add("X-Many", "v")
	}
	h.Set(strings.Repeat("X", 5000), "v")
	if got := Redact(hubScheme(t), h); len(got) != maxHeaders || got[0].Name != "X-Many" {
		t.Errorf("%d lines, the first %+v", len(got), got[0])
	}
	if got := Redact(hubScheme(t), http.Header{strings.Repeat("X", 5000): {"v"}}); len(got[0].Name) > maxHeaderName+len("…") {
		t.Errorf("a name of %d bytes", len(got[0].Name))
	}
	stamped := http.Header{"X-Slack-Request-Timestamp": {"1531420618"}, "X-Slack-Signature": {"v0=ab"}}
	for _, line := range Redact(stampedScheme(), stamped) {
		if line.Redacted {
			t.Errorf("%s is of the scheme, and redacted", line.Name)
		}
	}
}

func BenchmarkVerifyReadRedact(b *testing.B) {
	w := hubScheme(b)
	w.Reads = connector.NotificationReads{ID: "id", Topic: "topic", Account: "app_id", Happened: "created_at", FirstSent: "first_sent_at", Attempt: "delivery_attempts"}
	body := []byte(bodyWhole[:len(bodyWhole)-1] + `,"text":"` + strings.Repeat("something ", 100) + `","id":"notif_1","created_at":1,"first_sent_at":2,"delivery_attempts":1}`)
	secrets := candidates("another", "s3cr3t")
	h := Sign(w.Signatures[0], secrets[1].Secret, body, time.Time{})
	for _, line := range [][2]string{{"Accept", "application/json"}, {"Content-Type", "application/json"}, {"User-Agent", "intercom-parrot-service-client/1.0"}, {"X-Forwarded-For", "192.0.2.1"}, {"Accept-Encoding", "gzip"}} {
		h.Set(line[0], line[1])
	}
	req := Request{Header: h, Body: body}
	b.ReportAllocs()
	for b.Loop() {
		if Verify(w, secrets, req).Verdict != OK || Read(w, req).Attempt != 1 || len(Redact(w, h)) == 0 {
			b.Fatal("not read")
		}
	}
}
