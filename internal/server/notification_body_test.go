package server

import (
	"strings"
	"testing"

	"backoffice/internal/connector"
	"backoffice/web/templates"
)

// marked writes the spans of a body out: keys in <>, values that are read in (),
// what is written out in {}.
func marked(c templates.Content) string {
	var b strings.Builder
	for _, s := range c.Spans {
		around := map[templates.SpanKind]string{templates.SpanKey: "<>", templates.SpanRead: "()", templates.SpanOdd: "{}"}[s.Kind]
		if around == "" {
			around = "\x00\x00"
		}
		b.WriteString(strings.Trim(around[:1]+s.Text+around[1:], "\x00"))
	}
	return b.String()
}

func TestReadableBody(t *testing.T) {
	t.Parallel()
	reads := connector.NotificationReads{ID: "id", Topic: "data.topic", Happened: "header X-Time"}
	for _, tt := range []struct{ name, body, kind, want, caption string }{
		{"object", `{"id":"n1","data":{"topic":"ping","n":1e400},"x":[]}`, "application/json",
			"{\n  <\"id\":> (\"n1\"),\n  <\"data\":> {\n    <\"topic\":> (\"ping\"),\n    <\"n\":> 1e400\n  },\n  <\"x\":> []\n}", "application/json, 52 bytes, shown indented"},
		{"bytes stay", `{"a":"\u00e9\/\"","a":12345678901234567890.10}`, "", "{\n  <\"a\":> \"\\u00e9\\/\\\"\",\n  <\"a\":> 12345678901234567890.10\n}", "no content type, 46 bytes, shown indented"},
		{"white space goes", " [ 1 ,\r\n {} ] ", "text/x", "[\n  1,\n  {}\n]", "text/x, 14 bytes, shown indented"},
		{"read by an escaped name", `{"\u0069d":7}`, "a/b", "{\n  <\"\\u0069d\":> (7)\n}", "a/b, 13 bytes, shown indented"},
		{"not read in a list", `[{"id":7}]`, "a/b", "[\n  {\n    <\"id\":> 7\n  }\n]", "a/b, 10 bytes, shown indented"},
		{"bidi and invisible", "{\"id\":\"a\u202eb\u200b\"}", "a/b", "{\n  <\"id\":> (\"a){\\u202e}(b){\\u200b}(\")\n}", "a/b, 17 bytes, shown indented"},
		{"text", "a=1\r\n</script>\x00\x9f\U000e0041", "a/b", "a=1{\\r}\n</script>{\\u0000\\x9f\\U000e0041}", "a/b, 20 bytes, shown as text"},
		{"a plain value", `"x"`, "a/b", `"x"`, "a/b, 3 bytes, shown indented"},
		{"nothing", "", "a/b", "", "a/b, 0 bytes"},
		{"odd content type", "1", "a\u202e\n", "1", `a\u202e\u000a, 1 byte, shown indented`},
	} {
		c := readableBody([]byte(tt.body), tt.kind, reads)
		if got := marked(c); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if c.Caption != tt.caption || c.Cut != "" {
			t.Errorf("%s: caption %q, want %q; cut %q", tt.name, c.Caption, tt.caption, c.Cut)
		}
	}
}

// However long or deeply nested a body is, a page shows 64 KiB of it at most.
func TestReadableBodyIsBounded(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"long string": `"` + strings.Repeat("é", 1<<20) + `"`,
		"long list":   "[" + strings.Repeat("1,", 1<<19) + "1]",
		"deep":        strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"deep names":  strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000),
		"too deep":    strings.Repeat("[", 1<<20),
		"text":        strings.Repeat("\x9f", 1<<20),
	} {
		c := readableBody([]byte(body), "application/json", connector.NotificationReads{})
		size := 0
		for _, s := range c.Spans {
			size += len(s.Text)
		}
		if size > maxShown || size < maxShown-4 || !strings.Contains(c.Cut, "64 KiB") {
			t.Errorf("%s: %d bytes are shown, %q", name, size, c.Cut)
		}
		if strings.Contains(marked(c), "\uFFFD") {
			t.Errorf("%s: a character was cut in two", name)
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ping": "ping", "a\nb": `a\u000ab`, "a\u202eb": `a\u202eb`, "\xff": `\xff`, "\ufffd": "\ufffd", "": "", "12345678901": "1234567890…", "ééééééééééé": "éééééééééé…",
	} {
		if got := visible(in, 10); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

// What is shown of JSON is, but for white space and what is written out, the body
// itself.
func FuzzReadableBody(f *testing.F) {
	for _, s := range []string{`{"id":"x","a":[1,{"b":null}]}`, "[[[", `"\""`, "{\"\u202e\":1}", " 1 ", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := readableBody(body, "application/json", connector.NotificationReads{ID: "id"})
		size := 0
		for _, s := range c.Spans {
			size += len(s.Text)
			for _, r := range s.Text {
				if !plainRune(r, 2) {
					t.Errorf("%q is on the page", r)
				}
			}
		}
		if size > maxShown {
			t.Errorf("%d bytes are shown", size)
		}
	})
}
