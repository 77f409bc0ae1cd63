package oauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/egress"
)

// harShapes is HAR 1.2 as its specification has it: the members of each object
// with their types, "?" for those that may be missing. What is not here may not
// be in a log.
var harShapes = map[string]map[string]string{
	"har":         {"log": "{log}"},
	"log":         {"version": "string", "creator": "{creator}", "browser?": "{creator}", "pages?": "[page]", "entries": "[entry]", "comment?": "string"},
	"creator":     {"name": "string", "version": "string", "comment?": "string"},
	"page":        {"startedDateTime": "time", "id": "string", "title": "string", "pageTimings": "{pageTimings}", "comment?": "string"},
	"pageTimings": {"onContentLoad?": "phase", "onLoad?": "phase", "comment?": "string"},
	"entry": {"pageref?": "string", "startedDateTime": "time", "time": "elapsed", "request": "{request}", "response": "{response}", "cache": "{cache}",
		"timings": "{timings}", "serverIPAddress?": "string", "connection?": "string", "comment?": "string"},
	"request": {"method": "word", "url": "url", "httpVersion": "word", "cookies": "[cookie]", "headers": "[pair]", "queryString": "[pair]",
		"postData?": "{postData}", "headersSize": "size", "bodySize": "size", "comment?": "string"},
	"response": {"status": "count", "statusText": "string", "httpVersion": "word", "cookies": "[cookie]", "headers": "[pair]", "content": "{content}",
		"redirectURL": "string", "headersSize": "size", "bodySize": "size", "comment?": "string"},
	"cookie": {"name": "string", "value": "string", "path?": "string", "domain?": "string", "expires?": "time", "httpOnly?": "bool", "secure?": "bool",
		"comment?": "string"},
	"pair":     {"name": "string", "value": "string", "comment?": "string"},
	"postData": {"mimeType": "word", "params?": "[param]", "text?": "string", "comment?": "string"},
	"param":    {"name": "string", "value?": "string", "fileName?": "string", "contentType?": "string", "comment?": "string"},
	"content":  {"size": "count", "compression?": "number", "mimeType": "word", "text?": "string", "encoding?": "string", "comment?": "string"},
	"cache":    {"beforeRequest?": "{cacheState}", "afterRequest?": "{cacheState}", "comment?": "string"},
	"timings": {"blocked?": "phase", "dns?": "phase", "connect?": "phase", "send": "elapsed", "wait": "elapsed", "receive": "elapsed", "ssl?": "phase",
		"comment?": "string"},
}

// checkHAR returns what is wrong with a HAR 1.2 log.
func checkHAR(b []byte) (faults []string) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil || d.More() {
		return []string{fmt.Sprintf("no single JSON value: %v", err)}
	}
	c := harChecker{}
	c.object("har", "", root)
	if len(c.faults) > 0 {
		return c.faults
	}
	log := root.(map[string]any)["log"].(map[string]any)
	if log["version"] != "1.2" {
		c.fault("log.version", "is %v", log["version"])
	}
	for i, e := range log["entries"].([]any) {
		c.sums(fmt.Sprintf("entries[%d]", i), e.(map[string]any))
	}
	return c.faults
}

type harChecker struct{ faults []string }

func (c *harChecker) fault(path, format string, args ...any) {
	c.faults = append(c.faults, path+" "+fmt.Sprintf(format, args...))
}

func (c *harChecker) object(shape, path string, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		c.fault(path, "is no object")
		return
	}
	for name, kind := range harShapes[shape] {
		plain := strings.TrimSuffix(name, "?")
		if value, ok := m[plain]; ok {
			c.value(kind, path+"."+plain, value)
		} else if plain == name {
			c.fault(path+"."+plain, "is missing")
		}
	}
	for name := range m {
		if harShapes[shape][name] == "" && harShapes[shape][name+"?"] == "" && !strings.HasPrefix(name, "_") {
			c.fault(path+"."+name, "is not in the specification")
		}
	}
}

func (c *harChecker) value(kind, path string, v any) {
	text, isText := v.(string)
	number, _ := v.(json.Number)
	f, err := number.Float64()
	isNumber := number != "" && err == nil
	ok := false
	switch kind {
	case "string":
		ok = isText
	case "word":
		ok = isText && text != ""
	case "bool":
		_, ok = v.(bool)
	case "time":
		_, err := time.Parse("2006-01-02T15:04:05.999Z07:00", text)
		ok = isText && err == nil
	case "url":
		u, err := url.Parse(text)
		ok = isText && err == nil && u.Fragment == "" && u.User == nil
	case "number":
		ok = isNumber
	case "elapsed":
		ok = isNumber && f >= 0
	case "phase":
		ok = isNumber && (f >= 0 || f == -1)
	case "count", "size":
		n, err := number.Int64()
		ok = isNumber && err == nil && (n >= 0 || kind == "size" && n == -1)
	default:
		c.nested(kind, path, v)
		return
	}
	if !ok {
		c.fault(path, "is %v, which is no %s", v, kind)
	}
}

func (c *harChecker) nested(kind, path string, v any) {
	if strings.HasPrefix(kind, "{") {
		c.object(strings.Trim(kind, "{}"), path, v)
		return
	}
	list, ok := v.([]any)
	if !ok {
		c.fault(path, "is no list")
	}
	for i, x := range list {
		c.object(strings.Trim(kind, "[]"), fmt.Sprintf("%s[%d]", path, i), x)
	}
}

// sums checks what the specification says about members together.
func (c *harChecker) sums(path string, e map[string]any) {
	t := e["timings"].(map[string]any)
	of := func(name string) float64 {
		n, ok := t[name].(json.Number)
		f, err := n.Float64()
		if !ok || err != nil || f < 0 {
			return 0
		}
		return f
	}
	sum := of("blocked") + of("dns") + of("connect") + of("send") + of("wait") + of("receive")
	if total, _ := e["time"].(json.Number).Float64(); math.Abs(total-sum) > 0.0005 {
		c.fault(path+".time", "is %v, and the timings are %v", total, sum)
	}
	if of("ssl") > of("connect") {
		c.fault(path+".timings.ssl", "is not a part of connect")
	}
	if p, ok := e["request"].(map[string]any)["postData"].(map[string]any); ok && p["params"] != nil && p["text"] != nil {
		c.fault(path+".request.postData", "has params and text")
	}
}

// The checker has to find what it looks for.
func TestHARCheckerFindsFaults(t *testing.T) {
	t.Parallel()
	good, err := harOf(caseFile{report: sampleDiagnosis()}).encode()
	if err != nil {
		t.Fatal(err)
	}
	if faults := checkHAR(good); len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, tt := range []struct{ name, old, new, fault string }{
		{"version", `"version": "1.2"`, `"version": "1.1"`, "log.version is 1.1"},
		{"member", `"cache": {},`, ``, ".cache is missing"},
		{"null", `"cookies": []`, `"cookies": null`, ".cookies is no list"},
		{"unknown", `"cache": {}`, `"cache": {"x": 1}`, ".cache.x is not in the specification"},
		{"time", `T10:15:00.020Z"`, ` 10:15"`, "which is no time"},
		{"sum", `"wait": 80.000`, `"wait": 79.000`, "and the timings are"},
		{"ssl", `"ssl": 6.000`, `"ssl": 60.000`, "is not a part of connect"},
		{"size", `"headersSize": -1`, `"headersSize": -2`, "which is no size"},
		{"number", `"status": 401`, `"status": "401"`, "which is no count"},
		{"exclusive", `"params": [`, `"text": "x", "params": [`, "has params and text"},
		{"JSON", `{`, ``, "no single JSON value"},
	} {
		bad := strings.Replace(string(good), tt.old, tt.new, 1)
		if faults := strings.Join(checkHAR([]byte(bad)), "\n"); !strings.Contains(faults, tt.fault) || bad == string(good) {
			t.Errorf("%s: found %q, want %q", tt.name, faults, tt.fault)
		}
	}
}

// The phases of a call as HAR has them.
func TestTimings(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, tt := range []struct {
		name  string
		p     egress.Phases
		total time.Duration
		want  string
		time  string
	}{
		{"all", egress.Phases{DNS: ms, Connect: 2 * ms, TLS: 3 * ms, Send: ms / 2, Wait: 10 * ms, Receive: ms}, 20 * ms,
			`{"blocked":2.500,"dns":1.000,"connect":5.000,"send":0.500,"wait":10.000,"receive":1.000,"ssl":3.000}`, "20.000"},
		{"plain http to an address", egress.Phases{Connect: 2 * ms, Wait: 10 * ms}, 12 * ms,
			`{"blocked":-1,"dns":-1,"connect":2.000,"send":0.000,"wait":10.000,"receive":0.000,"ssl":-1}`, "12.000"},
		{"refused before anything", egress.Phases{}, 0,
			`{"blocked":-1,"dns":-1,"connect":-1,"send":0.000,"wait":0.000,"receive":0.000,"ssl":-1}`, "0.000"},
		{"phases that overlap", egress.Phases{Wait: 10 * ms, Receive: 3 * ms}, 11 * ms,
			`{"blocked":-1,"dns":-1,"connect":-1,"send":0.000,"wait":10.000,"receive":3.000,"ssl":-1}`, "13.000"},
		{"nonsense", egress.Phases{DNS: -ms, Wait: math.MaxInt64, TLS: math.MaxInt64, Connect: math.MaxInt64}, math.MinInt64,
			`{"blocked":-1,"dns":-1,"connect":3600000.000,"send":0.000,"wait":3600000.000,"receive":0.000,"ssl":3600000.000}`, "7200000.000"},
	} {
		got, total := timings(egress.Exchange{Phases: tt.p, Total: tt.total})
		b, err := json.Marshal(got)
		sum, err2 := json.Marshal(total)
		if err != nil || err2 != nil || string(b) != tt.want || string(sum) != tt.time {
			t.Errorf("%s: %s in %s, want %s in %s (%v, %v)", tt.name, b, sum, tt.want, tt.time, err, err2)
		}
	}
}

// A step that followed redirects has the lines of several messages. The entry has
// those of its own call, and the others are told beside.
func TestMessageOfAChain(t *testing.T) {
	t.Parallel()
	st := sampleDiagnosis().Steps[3]
	st.Sent[3].Value = "https://auth.rocket.example/login"
	for url, want := range map[string]string{
		"https://auth.rocket.example/authorize": "GET client_id state | Status Location | GET Status title",
		"https://auth.rocket.example/login":     "GET | Status title | GET client_id state Status Location",
		"https://auth.rocket.example/other":     "GET client_id state | Status Location | GET Status title",
	} {
		sent, received, others := st.message(*sampleExchange("GET", url, 0, 200))
		var got []string
		for _, lines := range [][]Line{sent, received, others} {
			var names []string
			for _, l := range lines {
				names = append(names, l.Name)
			}
			got = append(got, strings.Join(names, " "))
		}
		if strings.Join(got, " | ") != want {
			t.Errorf("%s: %s, want %s", url, strings.Join(got, " | "), want)
		}
	}
}
