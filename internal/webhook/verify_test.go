package webhook

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

// The schemes of the tests. Those that a built-in definition has come from it.
func hubScheme(t testing.TB) *connector.Webhooks { return builtIn(t, "intercom") }

var catalogue = sync.OnceValues(connector.Builtin)

func builtIn(t testing.TB, key string) *connector.Webhooks {
	t.Helper()
	all, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	d, ok := all.Get(key)
	if !ok || d.Webhooks == nil {
		t.Fatalf("%s has no webhooks", key)
	}
	return d.Webhooks
}

func one(s connector.Signature) *connector.Webhooks {
	if s.Signed == "" {
		s.Signed = bodyMark
	}
	return &connector.Webhooks{Signatures: []connector.Signature{s}, Refuse: 401}
}

func stampedScheme() *connector.Webhooks {
	return one(connector.Signature{Header: "X-Slack-Signature", Algorithm: "sha256", Encoding: "hex", Prefix: "v0=", Signed: "v0:{timestamp}:{body}",
		Timestamp: &connector.Timestamp{Header: "X-Slack-Request-Timestamp", Tolerance: 5 * time.Minute}})
}

func prefixedScheme() *connector.Webhooks {
	return one(connector.Signature{Header: "X-Hub-Signature-256", Algorithm: "sha256", Encoding: "hex", Prefix: "sha256="})
}

func listScheme() *connector.Webhooks {
	return one(connector.Signature{Header: "Stripe-Signature", Algorithm: "sha256", Encoding: "hex", Item: "v1", Signed: "{timestamp}.{body}",
		Timestamp: &connector.Timestamp{Item: "t", Tolerance: 5 * time.Minute}})
}

func base64Scheme() *connector.Webhooks {
	return one(connector.Signature{Header: "X-Xero-Signature", Algorithm: "sha256", Encoding: "base64"})
}

func longScheme() *connector.Webhooks {
	return one(connector.Signature{Header: "X-Long", Algorithm: "sha512", Encoding: "hex"})
}

// Bodies of the vectors, byte for byte.
const (
	bodyPing  = `{"topic":"ping","id":"notif_1"}`
	bodyWhole = `{"type":"notification_event","app_id":"a86dr8yl","topic":"ping","data":{"type":"notification_event_data","item":{"type":"ping","message":"something something"}}}`
	bodyUTF8  = `{"name":"Zoë — café"}`
	bodySlash = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
		"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands" +
		"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	bodyEvent  = `{"id":"evt_1","object":"event"}`
	bodyIntent = `{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}`
)

// A vector is a signature that was not computed by this program.
type vector struct {
	name    string
	scheme  func(testing.TB) *connector.Webhooks
	secret  string
	body    string
	headers []string // name, value, …; the signature first
	now     int64    // unix seconds
}

func with(w func() *connector.Webhooks) func(testing.TB) *connector.Webhooks {
	return func(testing.TB) *connector.Webhooks { return w() }
}

const (
	listed       = "6bb69933e9f91f12c6f17c500d63927234013dced1900b7abd19eac398418d9a"
	listedBefore = "925d93961e142c409a6e7affc925fe0a867ee594c1fc1a9731476a534b0b31b4"
	base64Digest = "X6XzD5l+JpT8IF4VgKaORO6iCQ3yaFNhk3iqZR+jmcI="
	longDigest   = "f527422686555b6528a2e7f7ec82b2f5452b00303bb286f874e075ba778974a6d81adfff523642fc73b6960f759b92a3bad138be110bf59223e79fd1b5c6825d"
)

// The two of GitHub and Slack are published in their documentation. The others
// were computed with Python's hmac.
var vectors = []vector{
	{"ping, SHA-1", hubScheme, "test_intercom_client_secret", bodyPing, []string{"X-Hub-Signature", "sha1=65eda1b7c188193d41f28d3281d1b11cbb1bcb01"}, 0},
	{"ping, SHA-256", hubScheme, "test_intercom_client_secret", bodyPing, []string{"X-Body-Signature", "0744df488beb3c87c4be0f7ac48fdca284ab376ffc0dbaa63bfa080f2e8da6ac"}, 0},
	{"whole, SHA-1", hubScheme, "s3cr3t", bodyWhole, []string{"X-Hub-Signature", "sha1=8a0a1636c6733a8c3c7edb0285eab95488522cc4"}, 0},
	{"whole, SHA-256", hubScheme, "s3cr3t", bodyWhole, []string{"X-Body-Signature", "2452f3a41afa7b75e21bd163b2373ab1baf455b3781af88b03a1fc9224560292"}, 0},
	{"empty, SHA-1", hubScheme, "s3cr3t", "", []string{"X-Hub-Signature", "sha1=319e5f42b6b9dc5daa3b1d411df1a3f7c891f358"}, 0},
	{"empty, SHA-256", hubScheme, "s3cr3t", "", []string{"X-Body-Signature", "3c81cc9496e1c25250f6ccb85f697c1bb623e3480d6538ad8cb6a6648142777d"}, 0},
	{"UTF-8, SHA-1", hubScheme, "s3cr3t", bodyUTF8, []string{"X-Hub-Signature", "sha1=e9098a6d7a686a4095f52893c261d0a54bd85e81"}, 0},
	{"UTF-8, SHA-256", hubScheme, "s3cr3t", bodyUTF8, []string{"X-Body-Signature", "0cec3c50dfc83e51b86836986c11ed27ecc5814ff15f2309d21414c350a55153"}, 0},
	{"published by GitHub", with(prefixedScheme), "It's a Secret to Everybody", "Hello, World!",
		[]string{"X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}, 0},
	{"published by Slack", with(stampedScheme), "8f742231b10e8888abcd99yyyzzz85a5", bodySlash,
		[]string{"X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503", "X-Slack-Request-Timestamp", "1531420618"}, 1531420618},
	{"a list", with(listScheme), "whsec_example_of_this_test", bodyEvent, []string{"Stripe-Signature", "t=1731420618,v1=" + listed + ",v0=00"}, 1731420618},
	{"a list of two", with(listScheme), "whsec_the_one_before", bodyEvent, []string{"Stripe-Signature", "t=1731420618, v1=" + listed + ", v1=" + listedBefore}, 1731420618},
	{"base64", with(base64Scheme), "webhook_key_of_this_test", bodyIntent, []string{"X-Xero-Signature", base64Digest}, 0},
	{"SHA-512", with(longScheme), "k", `{"a":1}`, []string{"X-Long", longDigest}, 0},
}

func (v vector) request() Request {
	h := http.Header{}
	for i := 0; i < len(v.headers); i += 2 {
		h.Add(v.headers[i], v.headers[i+1])
	}
	return Request{Header: h, Body: []byte(v.body), Received: time.Unix(v.now, 0)}
}

func candidates(secrets ...string) (out []Candidate) {
	for i, s := range secrets {
		out = append(out, Candidate{Signer: Signer{Version: i + 1, Standing: Current, Key: "clientSecret"}, Secret: secret.NewText(s)})
	}
	return out
}

func TestVerify_vectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			got := Verify(v.scheme(t), candidates("another", "", v.secret), v.request())
			if got.Verdict != OK || got.Signature != v.headers[0] || got.Signer == nil || got.Signer.Version != 3 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// The built-in definitions of these providers are the schemes of the vectors.
func TestVerify_builtIn(t *testing.T) {
	for vector, key := range map[string]string{"published by GitHub": "github", "published by Slack": "slack", "base64": "xero"} {
		for _, v := range vectors {
			if v.name != vector {
				continue
			}
			if got := Verify(builtIn(t, key), candidates(v.secret), v.request()); got.Verdict != OK {
				t.Errorf("%s with %s: %+v", vector, key, got)
			}
			late := v.request()
			late.Received = late.Received.Add(6 * time.Minute)
			if got := Verify(builtIn(t, key), candidates(v.secret), late).Verdict; (got == Stale) != (key == "slack") {
				t.Errorf("%s after six minutes: %s", key, got)
			}
		}
	}
}

// Any one bit of the body, of the signature or of the secret decides.
func TestVerify_everyBitCounts(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			w := v.scheme(t)
			refused := func(what string, v vector) {
				if got := Verify(w, candidates(v.secret), v.request()); got.Verdict == OK || got.Signer != nil && got.Verdict != Stale {
					t.Errorf("%s: %+v", what, got)
				}
			}
			for i := range 8 * len(v.body) {
				c := v
				c.body = flip(v.body, i)
				refused(fmt.Sprintf("bit %d of the body", i), c)
			}
			for i := range 8 * len(v.secret) {
				c := v
				c.secret = flip(v.secret, i)
				refused(fmt.Sprintf("bit %d of the secret", i), c)
			}
			from, to := signatureIn(v)
			for i := 8 * from; i < 8*to; i++ {
				c := v
				c.headers = append([]string(nil), v.headers...)
				c.headers[1] = flip(v.headers[1], i)
				refused(fmt.Sprintf("bit %d of the header", i), c)
			}
			for i := range len(v.body) {
				c := v
				c.body = v.body[:i] + v.body[i+1:]
				refused(fmt.Sprintf("without byte %d", i), c)
			}
		})
	}
}

// signatureIn is where in the header the signature stands that holds. A list may
// have others beside it, which do not count.
func signatureIn(v vector) (from, to int) {
	for _, digest := range []string{listedBefore, listed} {
		if i := strings.Index(v.headers[1], digest); i >= 0 {
			return i, i + len(digest)
		}
	}
	return 0, len(v.headers[1])
}

func flip(s string, bit int) string {
	b := []byte(s)
	b[bit/8] ^= 1 << (bit % 8)
	return string(b)
}

func TestVerify_verdicts(t *testing.T) {
	good := "sha1=65eda1b7c188193d41f28d3281d1b11cbb1bcb01"
	other := "sha1=" + strings.Repeat("0", 40)
	sha256Hex := "0744df488beb3c87c4be0f7ac48fdca284ab376ffc0dbaa63bfa080f2e8da6ac"
	key := "test_intercom_client_secret"
	for _, c := range []struct {
		name    string
		headers []string
		secrets []string
		want    Verdict
		about   string
	}{
		{"none", nil, []string{key}, Unsigned, ""},
		{"another scheme's", []string{"X-Hub-Signature-256", "sha256=" + sha256Hex}, []string{key}, Unsigned, ""},
		{"good", []string{"X-Hub-Signature", good}, []string{key}, OK, "X-Hub-Signature"},
		{"name in another case", []string{"x-hUB-signature", good}, []string{key}, OK, "X-Hub-Signature"},
		{"no secrets", []string{"X-Hub-Signature", good}, nil, NoSecret, "X-Hub-Signature"},
		{"an empty secret", []string{"X-Hub-Signature", good}, []string{""}, NoSecret, "X-Hub-Signature"},
		{"signed with the empty secret", []string{"X-Hub-Signature", "sha1=" + digestOf(sha1.New, "", bodyPing)}, []string{"", key}, Mismatch, "X-Hub-Signature"},
		{"false", []string{"X-Hub-Signature", other}, []string{key, "b"}, Mismatch, "X-Hub-Signature"},
		{"false and good", []string{"X-Hub-Signature", other, "X-Body-Signature", sha256Hex}, []string{key}, OK, "X-Body-Signature"},
		{"false and malformed", []string{"X-Hub-Signature", other, "X-Body-Signature", "?"}, []string{key}, Mismatch, "X-Hub-Signature"},
		{"twice the same", []string{"X-Hub-Signature", good, "X-Hub-Signature", good}, []string{key}, Malformed, "X-Hub-Signature"},
		{"twice in two cases", []string{"X-Hub-Signature", good, "x-hub-signature", good}, []string{key}, Malformed, "X-Hub-Signature"},
		{"two in one line", []string{"X-Hub-Signature", good + ", " + good}, []string{key}, Malformed, "X-Hub-Signature"},
		{"empty", []string{"X-Hub-Signature", ""}, []string{key}, Malformed, "X-Hub-Signature"},
		{"prefix only", []string{"X-Hub-Signature", "sha1="}, []string{key}, Malformed, "X-Hub-Signature"},
		{"no prefix", []string{"X-Hub-Signature", good[5:]}, []string{key}, Malformed, "X-Hub-Signature"},
		{"prefix in capitals", []string{"X-Hub-Signature", "SHA1=" + good[5:]}, []string{key}, Malformed, "X-Hub-Signature"},
		{"prefix of another algorithm", []string{"X-Hub-Signature", "sha256=" + good[5:]}, []string{key}, Malformed, "X-Hub-Signature"},
		{"another algorithm", []string{"X-Hub-Signature", "sha256=" + sha256Hex}, []string{key}, Malformed, "X-Hub-Signature"},
		{"capitals", []string{"X-Hub-Signature", "sha1=" + strings.ToUpper(good[5:])}, []string{key}, Malformed, "X-Hub-Signature"},
		{"base64", []string{"X-Hub-Signature", "sha1=Ze2ht8GIGT1B8o0ygdGxHLsbywE="}, []string{key}, Malformed, "X-Hub-Signature"},
		{"a digit short", []string{"X-Hub-Signature", good[:44]}, []string{key}, Malformed, "X-Hub-Signature"},
		{"a digit long", []string{"X-Hub-Signature", good + "0"}, []string{key}, Malformed, "X-Hub-Signature"},
		{"a space behind", []string{"X-Hub-Signature", good + " "}, []string{key}, Malformed, "X-Hub-Signature"},
		{"no hex", []string{"X-Hub-Signature", "sha1=" + strings.Repeat("g", 40)}, []string{key}, Malformed, "X-Hub-Signature"},
		{"very long", []string{"X-Hub-Signature", "sha1=" + strings.Repeat("a", 1<<20)}, []string{key}, Malformed, "X-Hub-Signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := vector{body: bodyPing, headers: c.headers}
			req := v.request()
			if c.name == "twice in two cases" {
				req.Header = http.Header{"X-Hub-Signature": {good}, "x-hub-signature": {good}}
			}
			got := Verify(hubScheme(t), candidates(c.secrets...), req)
			if got.Verdict != c.want || got.Signature != c.about || (got.Signer != nil) != (c.want == OK) {
				t.Errorf("got %+v, want %s of %q", got, c.want, c.about)
			}
		})
	}
}

func TestVerify_lists(t *testing.T) {
	for _, c := range []struct {
		header string
		want   Verdict
	}{
		{"t=1731420618,v1=" + listed, OK},
		{"v1=" + listed + ",t=1731420618", OK},
		{" t=1731420618 ,\tv1=" + listed, OK},
		{"t=1731420618,v0=" + listed + ",v1=" + listed, OK},
		{"t=1731420618,v1=" + listedBefore + ",v1=" + listed, OK},
		{"t=1731420618,v1=" + listedBefore, Mismatch},
		{"t=1731420619,v1=" + listed, Mismatch},
		{"t=1731420618,v1=" + strings.Repeat(listedBefore+",v1=", 7) + listed, OK},
		{"t=1731420618,v1=" + strings.Repeat(listedBefore+",v1=", 8) + listed, Malformed},
		{"t=1731420618,v0=" + listed, Malformed},
		{"t=1731420618,V1=" + listed, Malformed},
		{"t=1731420618", Malformed},
		{"v1=" + listed, Malformed},
		{"t=,v1=" + listed, Malformed},
		{"t=1731420618,t=1731420618,v1=" + listed, Malformed},
		{"t=+731420618,v1=" + listed, Malformed},
		{"t=1731420618.0,v1=" + listed, Malformed},
		{"t=1731420618000,v1=" + listed, Malformed},
		{"t=1731420618,v1=" + listed[1:], Malformed},
		{"t=1731420618,v1=" + listed + ",v1=ab", Malformed},
		{"t=1731420618,v1=" + listed + ",", Malformed},
		{"t=1731420618,v1=" + listed + ",x=" + strings.Repeat("y", 1900), OK},
		{"t=1731420618,v1=" + listed + ",x=" + strings.Repeat("y", 2000), Malformed},
		{listed, Malformed},
	} {
		v := vector{body: bodyEvent, headers: []string{"Stripe-Signature", c.header}, now: 1731420618}
		if got := Verify(listScheme(), candidates("whsec_example_of_this_test"), v.request()); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s", c.header, got.Verdict, c.want)
		}
	}
}

func TestVerify_times(t *testing.T) {
	v := vectors[9]
	for _, c := range []struct {
		off    time.Duration
		header string
		want   Verdict
	}{
		{0, "1531420618", OK},
		{5 * time.Minute, "1531420618", OK},
		{5*time.Minute + time.Second, "1531420618", Stale},
		{-5 * time.Minute, "1531420618", OK},
		{-5*time.Minute - time.Second, "1531420618", Stale},
		{20 * 365 * 24 * time.Hour, "1531420618", Stale},
		{0, "1531420619", Mismatch},
		{0, "01531420618", Mismatch},
		{0, "", Malformed},
		{0, "-1531420618", Malformed},
		{0, " 1531420618", Malformed},
		{0, "1531420618, 1531420618", Malformed},
		{0, "153142061800", Malformed},
	} {
		req := v.request()
		req.Received = req.Received.Add(c.off)
		req.Header.Set("X-Slack-Request-Timestamp", c.header)
		got := Verify(stampedScheme(), candidates(v.secret), req)
		if got.Verdict != c.want || (got.Signer != nil) != (c.want == OK || c.want == Stale) {
			t.Errorf("%q, %s from now: %+v, want %s", c.header, c.off, got, c.want)
		}
	}
	req := v.request()
	req.Header.Add("X-Slack-Request-Timestamp", "1531420618")
	if got := Verify(stampedScheme(), candidates(v.secret), req); got.Verdict != Malformed {
		t.Errorf("two times: %+v", got)
	}
	req = v.request()
	req.Header.Del("X-Slack-Request-Timestamp")
	if got := Verify(stampedScheme(), candidates(v.secret), req); got.Verdict != Malformed {
		t.Errorf("no time: %+v", got)
	}
}

// base64 has more than one text for the same bytes. One of them is taken.
func TestVerify_oneSpellingOfBase64(t *testing.T) {
	for _, header := range []string{strings.TrimSuffix(base64Digest, "="), strings.Replace(base64Digest, "cI=", "cJ=", 1),
		strings.NewReplacer("+", "-", "/", "_").Replace(base64Digest), base64Digest[:43] + "\n", base64Digest[:20] + "\r\n" + base64Digest[20:]} {
		v := vector{body: bodyIntent, headers: []string{"X-Xero-Signature", header}}
		if got := Verify(base64Scheme(), candidates("webhook_key_of_this_test"), v.request()); got.Verdict != Malformed {
			t.Errorf("%q: %s", header, got.Verdict)
		}
	}
}

func TestSign(t *testing.T) {
	for _, v := range vectors {
		for _, s := range v.scheme(t).Signatures {
			if s.Header != v.headers[0] {
				continue
			}
			at := time.Unix(v.now, 0)
			h := Sign(s, secret.NewText(v.secret), []byte(v.body), at)
			if s.Item == "" && h.Get(s.Header) != v.headers[1] {
				t.Errorf("%s: %s, want %s", v.name, h.Get(s.Header), v.headers[1])
			}
			if got := Verify(v.scheme(t), candidates(v.secret), Request{Header: h, Body: []byte(v.body), Received: at}); got.Verdict != OK {
				t.Errorf("%s: what was signed is %s", v.name, got.Verdict)
			}
		}
	}
}

// A scheme without words on what is signed signs the body, never nothing.
func TestVerify_alwaysTheBody(t *testing.T) {
	w := &connector.Webhooks{Signatures: []connector.Signature{{Header: "X-Sign", Algorithm: "sha256", Encoding: "hex"}}}
	v := vector{body: "b", headers: []string{"X-Sign", digestOf(sha256.New, "k", "")}}
	if got := Verify(w, candidates("k"), v.request()); got.Verdict != Mismatch {
		t.Errorf("a signature of nothing is %s", got.Verdict)
	}
	v.headers[1] = digestOf(sha256.New, "k", "b")
	if got := Verify(w, candidates("k"), v.request()); got.Verdict != OK {
		t.Errorf("a signature of the body is %s", got.Verdict)
	}
}

func digestOf(h func() hash.Hash, key, content string) string {
	mac := hmac.New(h, []byte(key))
	_, _ = mac.Write([]byte(content))
	return hex.EncodeToString(mac.Sum(nil))
}

func FuzzVerify(f *testing.F) {
	for _, v := range vectors {
		stamp := ""
		if len(v.headers) > 2 {
			stamp = v.headers[3]
		}
		f.Add([]byte(v.body), v.headers[1], stamp, v.secret, v.now)
	}
	schemes := []*connector.Webhooks{hubScheme(f), prefixedScheme(), stampedScheme(), listScheme(), base64Scheme(), longScheme()}
	f.Fuzz(func(t *testing.T, body []byte, header, stamp, key string, now int64) {
		for _, w := range schemes {
			h := http.Header{}
			for _, s := range w.Signatures {
				h.Set(s.Header, header)
			}
			h.Set("X-Slack-Request-Timestamp", stamp)
			got := Verify(w, candidates(key), Request{Header: h, Body: body, Received: time.Unix(now, 0)})
			if got.Verdict == OK && (key == "" || !signedByHand(got.Signature, header, stamp, key, string(body), now)) {
				t.Fatalf("%s is OK with %q and %q", got.Signature, header, key)
			}
		}
	})
}

// signedByHand decides what each scheme of the tests signs, written apart from
// the program.
func signedByHand(name, header, stamp, key, body string, now int64) bool {
	near := func(text string) bool {
		var at int64
		_, err := fmt.Sscanf(text, "%d", &at)
		return err == nil && at-now <= 300 && now-at <= 300
	}
	switch name {
	case "X-Hub-Signature":
		return header == "sha1="+digestOf(sha1.New, key, body)
	case "X-Body-Signature":
		return header == digestOf(sha256.New, key, body)
	case "X-Hub-Signature-256":
		return header == "sha256="+digestOf(sha256.New, key, body)
	case "X-Slack-Signature":
		return header == "v0="+digestOf(sha256.New, key, "v0:"+stamp+":"+body) && near(stamp)
	case "X-Xero-Signature":
		raw, _ := hex.DecodeString(digestOf(sha256.New, key, body))
		return header == base64.StdEncoding.EncodeToString(raw)
	case "X-Long":
		return header == digestOf(sha512.New, key, body)
	}
	_, rest, _ := strings.Cut(","+strings.NewReplacer(" ", "", "\t", "").Replace(header), ",t=")
	at, _, _ := strings.Cut(rest, ",")
	return strings.Contains(header, digestOf(sha256.New, key, at+"."+body)) && near(at)
}
