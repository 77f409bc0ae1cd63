package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

// values is what may be typed, and what it means.
var values = []struct {
	typed   string
	kind    connector.Kind
	text    string
	literal string
	again   string // Typed
}{
	{"", connector.Text, "", `""`, ""},
	{"plain words", connector.Text, "plain words", `"plain words"`, "plain words"},
	{"true", connector.Boolean, "true", "true", "true"},
	{" false\n", connector.Boolean, "false", "false", "false"},
	{"True", connector.Text, "True", `"True"`, "True"},
	{"null", connector.Null, "", "null", "null"},
	{"5", connector.Number, "5", "5", "5"},
	{"-0", connector.Number, "-0", "-0", "-0"},
	{"2.10", connector.Number, "2.10", "2.10", "2.10"},
	{"12345678901234567890.12345678901234567890", connector.Number, "12345678901234567890.12345678901234567890", "12345678901234567890.12345678901234567890", "12345678901234567890.12345678901234567890"},
	{"1E400", connector.Number, "1E400", "1E400", "1E400"},
	{"007", connector.Text, "007", `"007"`, "007"},
	{"+49 30", connector.Text, "+49 30", `"+49 30"`, "+49 30"},
	{`"5"`, connector.Text, "5", `"5"`, `"5"`},
	{`"true"`, connector.Text, "true", `"true"`, `"true"`},
	{`"null"`, connector.Text, "null", `"null"`, `"null"`},
	{`" padded "`, connector.Text, " padded ", `" padded "`, " padded "},
	{`"\"quoted\""`, connector.Text, `"quoted"`, `"\"quoted\""`, `"\"quoted\""`},
	{`"open`, connector.Text, `"open`, `"\"open"`, `"open`},
	{`<a href="x">&amp;</a>`, connector.Text, `<a href="x">&amp;</a>`, `"<a href=\"x\">&amp;</a>"`, `<a href="x">&amp;</a>`},
	{"Zoë 東京 🚀", connector.Text, "Zoë 東京 🚀", `"Zoë 東京 🚀"`, "Zoë 東京 🚀"},
	{"two\nlines", connector.Text, "two\nlines", `"two\nlines"`, "two\nlines"},
	{`{"a":1}`, connector.Text, `{"a":1}`, `"{\"a\":1}"`, `{"a":1}`},
	{`[1]`, connector.Text, `[1]`, `"[1]"`, `[1]`},
	{"1 2", connector.Text, "1 2", `"1 2"`, "1 2"},
}

func TestParseValue(t *testing.T) {
	for _, tt := range values {
		v := config.ParseValue(tt.typed)
		if v.Kind() != tt.kind || v.Text().Reveal() != tt.text || v.Literal() != tt.literal || v.Typed() != tt.again {
			t.Errorf("ParseValue(%q) = %v %q, literal %s, typed %q; want %v %q, %s, %q",
				tt.typed, v.Kind(), v.Text().Reveal(), v.Literal(), v.Typed(), tt.kind, tt.text, tt.literal, tt.again)
		}
	}
}

// What was typed comes back from the sealed version as what it was.
func TestValuesComeBackFromTheStore(t *testing.T) {
	r := open(t)
	d := config.Draft{ID: "acme:anything"}
	for i, tt := range values {
		d.Values = append(d.Values, config.Input{Key: fmt.Sprint("k", i), Secret: i%2 == 0, Value: config.ParseValue(tt.typed)})
	}
	v := r.save(d)
	o, err := r.Open(t.Context(), d.ID, v.Number)
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range values {
		got := o.Values[fmt.Sprint("k", i)]
		if got.Kind() != tt.kind || got.Text().Reveal() != tt.text || got.Literal() != tt.literal {
			t.Errorf("%q came back as %v %q, literal %s", tt.typed, got.Kind(), got.Text().Reveal(), got.Literal())
		}
		if k, _ := v.Key(fmt.Sprint("k", i)); k.Kind != tt.kind || k.Length != secret.NewText(tt.text).Len() || k.Secret != (i%2 == 0) {
			t.Errorf("%q is shown as %+v", tt.typed, k)
		}
	}
	if len(o.Plain()) != len(values)/2 || len(o.Texts()) != len(values)/2 {
		t.Errorf("%d plain values and %d texts of %d values, half of which are secret", len(o.Plain()), len(o.Texts()), len(values))
	}
}

// Invariant 2: fmt does not ask the Text inside a Value, because the field is
// not exported, so Value itself must refuse to print.
func TestValueNeverPrints(t *testing.T) {
	const canary = "CANARY7f3a9c"
	v := text(canary)
	holder := struct {
		V  config.Value
		In []config.Input
		M  map[string]config.Value
	}{v, []config.Input{{Key: "k", Value: v}}, map[string]config.Value{"k": v}}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v, "holder", holder)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v, "holder", holder)
	out := log.String()
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%X", "%d", "%t"} {
		out += fmt.Sprintf(verb, v) + fmt.Sprintf(verb, &v) + fmt.Sprintf(verb, holder)
	}
	j, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out += string(j)
	if strings.Contains(out, canary) || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", canary)) {
		t.Errorf("a Value printed itself: %s", out)
	}
}

// What Typed puts into a form is read as the same value again.
func FuzzParseValue(f *testing.F) {
	for _, tt := range values {
		f.Add(tt.typed)
	}
	f.Add("\xff\"")
	f.Add("\"\xff\"")
	f.Add(`"\ud800"`)
	f.Fuzz(func(t *testing.T, typed string) {
		for _, v := range []config.Value{config.ParseValue(typed), text(typed)} {
			again := config.ParseValue(v.Typed())
			if again != v {
				t.Fatalf("%q is %v %q; typed again as %q it is %v %q", typed, v.Kind(), v.Text().Reveal(), v.Typed(), again.Kind(), again.Text().Reveal())
			}
		}
	})
}
