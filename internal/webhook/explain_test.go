package webhook

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

// theSecrets are one of each standing.
func theSecrets() []Candidate {
	until := time.Date(2026, 3, 12, 14, 0, 0, 0, time.UTC)
	out := candidates("older", "expired", "previous", "pending", "current")
	for i, standing := range []Standing{Older, Expired, Previous, Pending, Current} {
		out[i].Signer.Standing = standing
	}
	out[1].Signer.Until = until
	slices.Reverse(out)
	return out
}

// signedAs is a signature in hex, made apart from the program.
func signedAs(key, content string) string { return digestOf(sha1.New, key, content) }

func inBase64Of(hexDigits string, e *base64.Encoding) string {
	raw, _ := hex.DecodeString(hexDigits)
	return e.EncodeToString(raw)
}

func packed(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

// What unpacks to more than a body may have is left alone.
func TestExplain_packedTight(t *testing.T) {
	for _, tt := range []struct{ size, forms int }{{MaxBody, 1}, {MaxBody + 1, 0}} {
		n := 0
		packedForms([]byte(packed(strings.Repeat("x", tt.size))), func(bodyForm) bool { n++; return true })
		if n != tt.forms {
			t.Errorf("%d bytes have %d forms", tt.size, n)
		}
	}
}

// What proxies make of a body, each way with what was signed before.
var rewritten = []struct{ name, signed, came, form string }{
	{"as Python writes", `{"b":1,"a":{"c":[1,2]}}`, `{"b": 1, "a": {"c": [1, 2]}}`, "written without spaces"},
	{"compacted", `{"b": 1, "a": {"c": [1, 2]}}`, `{"b":1,"a":{"c":[1,2]}}`, "written with a space after each comma and colon"},
	{"spaces after colons taken out", `{"b": 1,"a": 2}`, `{"b":1,"a":2}`, "written with a space after each colon"},
	{"indent taken out", "{\n  \"b\": 1,\n  \"a\": [\n    1\n  ],\n  \"e\": {}\n}", `{"b":1,"a":[1],"e":{}}`, "written indented by two spaces"},
	{"wide indent taken out", "{\n    \"b\": 1\n}\n", `{"b":1}`, "written indented by four spaces, and a line break at its end"},
	{"tabs taken out", "{\n\t\"b\": 1\n}", `{"b":1}`, "written indented by tabs"},
	{"sorted", `{"type":"x","id":"1","app_id":"w","data":{"z":1,"y":2}}`, `{"app_id":"w","data":{"y":2,"z":1},"id":"1","type":"x"}`, "written without spaces, in the order of the documented example"},
	{"unsorted", `{"app":1,"id":2}`, `{"id":2,"app":1}`, "written without spaces, in alphabetical order"},
	{"escapes of < > & undone", `{"a":"\u003cb\u003e \u0026"}`, `{"a":"<b> &"}`, `written without spaces, with < > & as \u003c and so on`},
	{"escapes of < > & made", `{"a":"<b> &"}`, `{"a":"\u003cb\u003e \u0026"}`, "written without spaces"},
	{"escapes beyond ASCII undone", `{"a":"Zo\u00eb \ud83d\ude00"}`, `{"a":"Zoë 😀"}`, `written without spaces, with every character beyond ASCII as \u and digits`},
	{"escapes beyond ASCII made", `{"a":"Zoë 😀"}`, `{"a": "Zo\u00eb \ud83d\ude00"}`, "written without spaces"},
	{"both", `{"a":"\u003cZo\u00eb"}`, `{"a":"<Zoë"}`, `written without spaces, with < > & and every character beyond ASCII as \u and digits`},
	{"slashes", `{"a":"x\/y"}`, `{"a":"x/y"}`, `written without spaces, with / as \/`},
	{"slashes and letters", `{"a":"x\/\u00eb"}`, `{"a":"x/ë"}`, `written without spaces, with / as \/ and every character beyond ASCII as \u and digits`},
	{"numbers stay as they are", `{"a":1.50,"b":1e3,"c":12345678901234567890}`, `{"a": 1.50, "b": 1e3, "c": 12345678901234567890}`, "written without spaces"},
	{"members twice", `{"a":1,"a":2}`, `{"a": 1, "a": 2}`, "written without spaces"},
	{"line break lost", "{\"a\":1}\n", `{"a":1}`, "with a line break at its end"},
	{"CRLF lost", "{\"a\":1}\r\n", `{"a":1}`, "with a line break (CRLF) at its end"},
	{"line break got", `{"a":1}`, "{\"a\":1}\r\n\n", "without the line break at its end"},
	{"white space got", `a b`, " \ta b \n ", "without the white space around it"},
	{"byte order mark got", "a b\n", "\ufeffa b\n", "without the byte order mark before it"},
	{"byte order mark lost", "\ufeffa b", "a b", "with a byte order mark before it"},
	{"LF to CRLF", "a\nb\n", "a\r\nb\r\n", "with its line breaks as LF"},
	{"CRLF to LF", "a\r\nb\r\n", "a\nb\n", "with its line breaks as CRLF"},
	{"encoded twice", `{"a":"Zoë —"}`, "{\"a\":\"Zo\u00c3\u00ab \u00e2\u0080\u0094\"}", "before it was taken for Latin-1 and encoded a second time"},
	{"encoded twice by Windows-1252", `{"a":"Zoë —"}`, "{\"a\":\"ZoÃ« â€”\"}", "before it was taken for Latin-1 and encoded a second time"},
	{"made Latin-1", `{"a":"Zoë"}`, "{\"a\":\"Zo\xeb\"}", "in UTF-8, before it was made Latin-1"},
	{"form, spaces", "a=b+c&d=%2F", "a=b%20c&d=%2F", "with its spaces as +"},
	{"form, pluses", "a=b%20c&d=%2F", "a=b+c&d=%2F", "with its spaces as %20"},
	{"form, small escapes", "a=%2F", "a=%2f", "with its escapes in capitals"},
	{"form, capital escapes", "a=%2f", "a=%2F", "with its escapes in small letters"},
	{"compressed", `{"a":1}`, packed(`{"a":1}`), "before it was compressed with gzip"},
	{"body put in", "", `{"a":1}`, "empty"},
}

func TestExplain_changedBody(t *testing.T) {
	w := one(connector.Signature{Header: "X-Sign", Algorithm: "sha1", Encoding: "hex", Prefix: "sha1="})
	w.Samples = []connector.Sample{{Topics: []string{"*"}, Body: `{"type":"x","id":"1","app_id":"w","data":{"z":1,"y":2}}`}}
	for _, c := range rewritten {
		t.Run(c.name, func(t *testing.T) {
			req := Request{Header: http.Header{"X-Sign": {"sha1=" + signedAs("previous", c.signed)}}, Body: []byte(c.came)}
			if got := Verify(w, theSecrets(), req); got.Verdict != Mismatch {
				t.Fatalf("the verdict is %s", got.Verdict)
			}
			got := Explain(w, theSecrets(), req)
			if !slices.Equal(got.Causes, []Cause{ChangedBody}) || got.Body != c.form || got.Signer == nil || got.Signer.Standing != Previous {
				t.Errorf("got %+v by %+v, want %q", got, got.Signer, c.form)
			}
			if !strings.HasPrefix(got.Words, "Something between the provider and here ") || !strings.Contains(got.Words, "the previous clientSecret (version 3)") ||
				got.Remedy != "Have the proxy, or whatever else stands before this program, pass the body on byte for byte. If nothing does, the sender signs other bytes than it sends." || got.Tried == 0 {
				t.Errorf("words %q, remedy %q, tried %d", got.Words, got.Remedy, got.Tried)
			}
		})
	}
}

// A proxy that sorts members loses their order. The samples of a definition have
// the documented one.
func TestExplain_sortedByAProxy(t *testing.T) {
	w := hubScheme(t)
	sample, _ := w.Sample("company.created")
	body, err := sample.Fill(connector.SampleValues{ID: "notif_1", Topic: "company.created", Account: "a86dr8yl", Now: time.Unix(1392731331, 0)})
	if err != nil {
		t.Fatal(err)
	}
	var any map[string]any
	if err := json.Unmarshal(body, &any); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.MarshalIndent(any, "", "  ")
	if err != nil || string(sorted) == string(body) {
		t.Fatalf("%s, %v", sorted, err)
	}
	got := Explain(w, theSecrets(), Request{Header: Sign(w.Signatures[0], secret.NewText("current"), body, time.Time{}), Body: sorted})
	if !slices.Equal(got.Causes, []Cause{ChangedBody}) || got.Body != "written without spaces, in the order of the documented example" {
		t.Errorf("got %+v", got)
	}
}

func TestExplain_header(t *testing.T) {
	body := bodyPing
	sum1, sum256 := signedAs("current", body), digestOf(sha256.New, "current", body)
	for _, c := range []struct {
		name, header, value string
		causes              []Cause
		words               string
	}{
		{"SHA-256", "X-Hub-Signature", "sha256=" + sum256, []Cause{OtherAlgorithm}, "It is signed with SHA-256, but X-Hub-Signature is SHA-1 here. The key is clientSecret of version 5, which is in force."},
		{"SHA-256 without prefix", "X-Hub-Signature", sum256, []Cause{WrongHeader}, "It is made as X-Body-Signature is, but stands in X-Hub-Signature. The key is clientSecret of version 5, which is in force."},
		{"SHA-1 in the other", "X-Body-Signature", "sha1=" + sum1, []Cause{WrongHeader}, "It is made as X-Hub-Signature is, but stands in X-Body-Signature. The key is clientSecret of version 5, which is in force."},
		{"no prefix", "X-Hub-Signature", sum1, []Cause{OtherPrefix}, "The signature has no prefix, expected is sha1=. The key is clientSecret of version 5, which is in force."},
		{"a prefix too many", "X-Body-Signature", "sha256=" + sum256, []Cause{OtherPrefix}, "The signature begins with sha256=, none is expected. The key is clientSecret of version 5, which is in force."},
		{"base64", "X-Hub-Signature", "sha1=" + inBase64Of(sum1, base64.StdEncoding), []Cause{OtherEncoding}, "The header is base64, expected is hex in lower case. The key is clientSecret of version 5, which is in force."},
		{"base64 without prefix", "X-Hub-Signature", inBase64Of(sum1, base64.StdEncoding), []Cause{OtherEncoding, OtherPrefix}, "The header is base64, expected is hex in lower case. The signature has no prefix, expected is sha1=. The key is clientSecret of version 5, which is in force."},
		{"URL-safe base64", "X-Hub-Signature", "sha1=" + inBase64Of(signedAs("current", body+"\r\n"), base64.URLEncoding), []Cause{ChangedBody, OtherEncoding}, "Something between the provider and here changed the body: what was signed is the body with a line break (CRLF) at its end. The header is URL-safe base64, expected is hex in lower case. The key is clientSecret of version 5, which is in force."},
		{"base64 without padding", "X-Hub-Signature", "sha1=" + inBase64Of(sum1, base64.RawStdEncoding), []Cause{OtherEncoding}, "The header is base64 without padding, expected is hex in lower case. The key is clientSecret of version 5, which is in force."},
		{"capitals", "X-Hub-Signature", "sha1=" + strings.ToUpper(sum1), []Cause{OtherEncoding}, "The header is hex in capitals, expected is hex in lower case. The key is clientSecret of version 5, which is in force."},
		{"two in a line", "X-Hub-Signature", "sha1=" + sum1 + ",sha1=" + sum1, []Cause{BadForm}, "X-Hub-Signature holds more than one signature, or stands there twice. The key is clientSecret of version 5, which is in force."},
		{"a header of no definition", "X-Hub-Signature-256", "sha256=" + sum256, []Cause{WrongHeader}, "The signature stands in X-Hub-Signature-256, which the definition of this connector does not name. The key is clientSecret of version 5, which is in force."},
		{"expired", "X-Hub-Signature", "sha1=" + signedAs("expired", body), []Cause{ExpiredSecret}, "Signed with the previous clientSecret (version 2), whose time ran out on 2026-03-12 at 14:00 UTC."},
		{"older", "X-Hub-Signature", "sha1=" + signedAs("older", body), []Cause{ExpiredSecret}, "Signed with an older clientSecret (version 1), which is no longer accepted."},
		{"expired, SHA-256", "X-Hub-Signature", "sha256=" + digestOf(sha256.New, "expired", body), []Cause{ExpiredSecret, OtherAlgorithm}, "Signed with the previous clientSecret (version 2), whose time ran out on 2026-03-12 at 14:00 UTC. It is signed with SHA-256, but X-Hub-Signature is SHA-1 here."},
		{"pending holds", "X-Hub-Signature", "sha1=" + signedAs("pending", body), []Cause{HoldsNow}, "It holds by now. The key is clientSecret of version 4, which is pending; it was not accepted when this came."},
		{"unknown", "X-Hub-Signature", "sha1=" + signedAs("nobody's", body), []Cause{UnknownSecret}, "No secret known here signed it: is it another app's, or was the secret changed at the provider?"},
		{"no signature", "X-Hub-Signature", "sha1=abc", []Cause{BadForm}, "X-Hub-Signature holds no signature: expected is sha1= and 40 characters of hex in lower case."},
		{"too long", "X-Body-Signature", strings.Repeat("a", 5000), []Cause{BadForm}, "X-Body-Signature is longer than 2048 bytes, which no signature is: expected is 64 characters of hex in lower case."},
		{"none", "Accept", "*/*", []Cause{NoSignature}, "No header carries a signature. Expected is X-Hub-Signature or X-Body-Signature."},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := hubScheme(t)
			got := Explain(w, theSecrets(), Request{Header: http.Header{c.header: {c.value}}, Body: []byte(body)})
			if !slices.Equal(got.Causes, c.causes) || got.Words != c.words || got.Remedy == "" {
				t.Errorf("got %v: %q (remedy %q)\nwant %v: %q", got.Causes, got.Words, got.Remedy, c.causes, c.words)
			}
			if known := got.Causes[0] != UnknownSecret && got.Causes[0] != BadForm && got.Causes[0] != NoSignature || c.name == "two in a line"; known != (got.Signer != nil) {
				t.Errorf("signer %+v", got.Signer)
			}
		})
	}
}

// An order that no sample has cannot be found again. That it was lost is said.
func TestExplain_orderLost(t *testing.T) {
	for body, lost := range map[string]bool{`{"a":1,"b":2,"c":3,"d":4}`: true, `{"a":1,"b":2,"c":3}`: false, `{"d":1,"b":2,"c":3,"a":4}`: false, `["a","b","c","d"]`: false} {
		got := Explain(hubScheme(t), theSecrets(), Request{Header: http.Header{"X-Hub-Signature": {"sha1=" + signedAs("current", "something else")}}, Body: []byte(body)})
		if !slices.Equal(got.Causes, []Cause{UnknownSecret}) || strings.Contains(got.Words, "in alphabetical order") != lost {
			t.Errorf("%s: %q", body, got.Words)
		}
	}
}

func TestExplain_twice(t *testing.T) {
	value := "sha1=" + signedAs("current", bodyPing)
	got := Explain(hubScheme(t), theSecrets(), Request{Header: http.Header{"X-Hub-Signature": {value, value}}, Body: []byte(bodyPing)})
	if !slices.Equal(got.Causes, []Cause{BadForm}) || got.Signer == nil {
		t.Errorf("got %+v", got)
	}
}

func TestExplain_times(t *testing.T) {
	at := time.Unix(1531420618, 0)
	sign := func(content string) http.Header {
		return http.Header{"X-Slack-Signature": {"v0=" + digestOf(sha256.New, "current", content)}, "X-Slack-Request-Timestamp": {"1531420618"}}
	}
	for _, c := range []struct {
		name   string
		header http.Header
		came   time.Time
		causes []Cause
		words  string
	}{
		{"late", sign("v0:1531420618:" + bodyPing), at.Add(17 * time.Minute), []Cause{OtherTime}, "It was signed on 2018-07-12 at 18:36 UTC, 17 minutes before it came; 5 minutes are allowed."},
		{"early", sign("v0:1531420618:" + bodyPing), at.Add(-6 * time.Minute), []Cause{OtherTime}, "It was signed on 2018-07-12 at 18:36 UTC, 6 minutes after it came; 5 minutes are allowed."},
		{"without the time", sign(bodyPing), at, []Cause{OtherContent}, "Signed was the body alone, but X-Slack-Signature signs v0:{timestamp}:{body}."},
		{"another content", sign("1531420618." + bodyPing), at, []Cause{OtherContent}, "Signed was {timestamp}.{body}, but X-Slack-Signature signs v0:{timestamp}:{body}."},
		{"another body too", sign("v0:1531420618:" + bodyPing + "\n"), at, []Cause{ChangedBody}, "Something between the provider and here changed the body: what was signed is the body with a line break at its end."},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Explain(stampedScheme(), theSecrets(), Request{Header: c.header, Body: []byte(bodyPing), Received: c.came})
			if want := c.words + " The key is clientSecret of version 5, which is in force."; !slices.Equal(got.Causes, c.causes) || got.Words != want {
				t.Errorf("got %v: %q\nwant %v: %q", got.Causes, got.Words, c.causes, want)
			}
		})
	}
	list := http.Header{"Stripe-Signature": {"t=1731420618,v1=" + digestOf(sha256.New, "older", "1731420618."+bodyEvent)}}
	got := Explain(listScheme(), theSecrets(), Request{Header: list, Body: []byte(bodyEvent), Received: time.Unix(1731420618, 0)})
	if !slices.Equal(got.Causes, []Cause{ExpiredSecret}) || got.Prefix != "v1=" {
		t.Errorf("a list is %+v", got)
	}
}

func TestExplain_noSecrets(t *testing.T) {
	req := Request{Header: http.Header{"X-Hub-Signature": {"sha1=" + signedAs("", bodyPing)}}, Body: []byte(bodyPing)}
	got := Explain(hubScheme(t), candidates(""), req)
	if !slices.Equal(got.Causes, []Cause{UnknownSecret}) || got.Signer != nil || got.Tried != 0 || got.Words != "There is no secret here that could have signed it." {
		t.Errorf("got %+v", got)
	}
}

// However large the body is and however many headers claim something, the
// search ends.
func TestExplain_bounded(t *testing.T) {
	text := `{"a":"` + strings.Repeat("é</ ", 1<<18) + `"}`
	h := http.Header{"X-Hub-Signature": {"sha1=" + strings.Repeat("0", 40)}, "X-Body-Signature": {strings.Repeat("0", 64)}}
	began := time.Now()
	got := Explain(hubScheme(t), theSecrets(), Request{Header: h, Body: []byte(text)})
	if took := time.Since(began); took > 5*time.Second || !slices.Equal(got.Causes, []Cause{UnknownSecret}) || !strings.Contains(got.Words, "The body is large, so the search ended after") {
		t.Errorf("after %s: %+v", took, got)
	}
	for range 1000 {
		h.Add("X-Hub-Signature", strings.Repeat("sha1="+strings.Repeat("1", 40)+",", 40))
	}
	if n := len(claims(hubScheme(t), Request{Header: h})); n != maxClaims {
		t.Errorf("%d claims", n)
	}
}

// No sentence repeats a secret, or the whole of what a stranger wrote.
func TestExplain_saysNoSecret(t *testing.T) {
	for _, value := range []string{"sha1=" + signedAs("expired", bodyPing), "nobody-expects-this=" + signedAs("current", bodyPing), strings.Repeat("<", 300) + "=" + signedAs("current", bodyPing)} {
		got := Explain(hubScheme(t), []Candidate{{Signer: Signer{Standing: Expired, Key: "clientSecret", Version: 2}, Secret: secret.NewText("expired")}},
			Request{Header: http.Header{"X-Hub-Signature": {value}}, Body: []byte(bodyPing)})
		if said := got.Words + got.Remedy + got.Prefix; strings.Contains(said, "secret-value") || strings.Contains(said, "<<<") || len(said) > 1000 {
			t.Errorf("%q: %+v", value, got)
		}
	}
}

func FuzzExplain(f *testing.F) {
	for _, c := range rewritten {
		f.Add([]byte(c.came), "sha1="+signedAs("previous", c.signed), "1531420618")
	}
	for _, v := range vectors {
		f.Add([]byte(v.body), v.headers[1], "1531420618")
	}
	schemes := []*connector.Webhooks{hubScheme(f), stampedScheme(), listScheme(), base64Scheme(), longScheme()}
	f.Fuzz(func(t *testing.T, body []byte, header, stamp string) {
		if len(body) > 4096 {
			return
		}
		for _, w := range schemes {
			h := http.Header{"X-Slack-Request-Timestamp": {stamp}}
			for _, s := range w.Signatures {
				h.Set(s.Header, header)
			}
			req := Request{Header: h, Body: body, Received: time.Unix(1531420618, 0)}
			got := Explain(w, theSecrets()[:2], req)
			if len(got.Causes) == 0 || got.Words == "" || got.Remedy == "" {
				t.Fatalf("nothing is said: %+v", got)
			}
			if Verify(w, theSecrets()[:2], req).Verdict == OK && got.Signer == nil {
				t.Fatalf("it holds, and the explanation is %+v", got)
			}
		}
	})
}
