package connector

import (
	"strings"
	"testing"

	"backoffice/internal/errs"
)

func TestDefinition_MisspelledKey(t *testing.T) {
	d, _ := builtin(t).Get("intercom")
	for _, c := range []struct{ key, want string }{
		{"clientID", "clientId"},
		{"client_id", "clientId"},
		{"CLIENT-SECRET", "clientSecret"},
		{"callbackURL", "callbackUrl"},
		{"clientId", ""},
		{"sandbox", ""},
		{"", ""},
	} {
		if got, ok := d.MisspelledKey(c.key); got != c.want || ok != (c.want != "") {
			t.Errorf("MisspelledKey(%q) = %q, %v, want %q", c.key, got, ok, c.want)
		}
	}
}

func TestDefinition_Permission(t *testing.T) {
	d := parsed(t, sound)
	for _, c := range []struct{ name, id string }{
		{"contacts.read", "contacts.read"},
		{"Read contacts", "contacts.read"},
		{"READ CONTACTS", "contacts.read"},
		{"contacts_read", "contacts.read"},
		{"RC", "contacts.read"},
		{"write contacts", "Write contacts"},
		{"delete contacts", ""},
		{"", ""},
	} {
		p, ok := d.Permission(c.name)
		if ok != (c.id != "") || ok && p.ID() != c.id {
			t.Errorf("Permission(%q) = %q, %v, want %q", c.name, p.ID(), ok, c.id)
		}
	}
}

func TestDefinition_FieldAndTopic(t *testing.T) {
	d := parsed(t, sound)
	if f, ok := d.Field("tenant"); !ok || f.Label != "Tenant" {
		t.Errorf("Field(tenant) = %+v, %v", f, ok)
	}
	if f, ok := d.Field("Tenant"); ok {
		t.Errorf("Field(Tenant) = %+v: case counts", f)
	}
	if topic, ok := d.Topic("contact.made"); !ok || topic.Needs[0] != "Write contacts" {
		t.Errorf("Topic(contact.made) = %+v, %v", topic, ok)
	}
	if topic, ok := d.Topic("contact.created"); ok {
		t.Errorf("Topic(contact.created) = %+v: an alias is no topic", topic)
	}
}

func TestField_Check(t *testing.T) {
	number := Field{Key: "n", Label: "Count", Kind: Number}
	boolean := Field{Key: "b", Label: "Sandbox", Kind: Boolean}
	text := Field{Key: "t", Label: "Tenant", Required: true, Pattern: "a+|b+", Shape: "some a or some b"}
	choice := Field{Key: "c", Label: "Region", Options: []Option{{Value: "eu", Label: "Europe"}}}
	for _, c := range []struct {
		f     Field
		value string
		words string // "" for a value that fits
	}{
		{number, "", ""}, {number, "12", ""}, {number, "-1.5e3", ""},
		{number, "twelve", "Count must be a number."}, {number, `"12"`, "Count must be a number."}, {number, " 12", "Count must be a number."},
		{number, "null", "Count must be a number."}, {number, "0x1", "Count must be a number."}, {number, "NaN", "Count must be a number."},
		{boolean, "true", ""}, {boolean, "false", ""}, {boolean, "yes", "Sandbox must be true or false."}, {boolean, "True", "Sandbox must be true or false."},
		{text, "", "Tenant is missing. Fill it in."}, {text, "aaa", ""}, {text, "bb", ""},
		{text, "ab", "Tenant must be some a or some b."}, {text, "xbb", "Tenant must be some a or some b."}, {text, "aax", "Tenant must be some a or some b."},
		{text, "a\n", "Tenant must be some a or some b."},
		{choice, "eu", ""}, {choice, "EU", "Region is none of the choices. Choose one of the list."},
	} {
		err := c.f.Check(c.value)
		if (err != nil) != (c.words != "") || err != nil && (errs.Fields(err)[c.f.Key] != c.words || !errs.Is(err, errs.Invalid)) {
			t.Errorf("%s: Check(%q) = %v, want %q", c.f.Label, c.value, err, c.words)
		}
	}
}

// A pattern keeps a place only if no text that it matches can leave it.
func TestPlace_keeps(t *testing.T) {
	for _, c := range []struct {
		place   place
		pattern string
		want    bool
	}{
		{inHost, `[a-z0-9-]+`, true},
		{inHost, `[a-z]+(\.[a-z]+)*`, true},
		{inHost, `a|b/`, false},
		{inHost, `(?i)acme`, true},
		{inHost, `(?i)school`, false}, // s also matches the long s
		{inHost, `\w+`, false},        // has _
		{inHost, `a_b`, false},
		{inHost, `.*`, false},
		{inHost, `(?s).`, false},
		{inHost, `[^@]`, false},
		{inHost, `\PL`, false},
		{inHost, `[à-ü]+`, false},
		{inHost, `[a-z]+@?`, false},
		{inHost, `[a-z`, false},
		{inPath, `\w+`, true},
		{inPath, `\d{4}-\d\d`, true},
		{inPath, `[a-z/]+`, false},
		{inPath, `a%2f`, false},
		{inQuery, `[a-z~]+`, true},
		{inQuery, `[a-z&]+`, false},
		{inText, `[ -~]+`, true},
		{inText, `[\x00-~]+`, false},
		{inText, `é`, false},
		{asBase, `https://[a-z.]+`, true},
		{asBase, `https?://[a-z.]+`, false},
		{asBase, `(?i)https://[a-z.]+`, false},
		{asBase, `https://a|ftp://b`, false},
		{asBase, `(https://[a-z.]+)?`, false},
		{asBase, `https://[a-z.@]+`, false},
		{asBase, `[a-z:/.]+`, false},
	} {
		if got := c.place.keeps(c.pattern); got != c.want {
			t.Errorf("%s, %s: got %v", placeNames[c.place], c.pattern, got)
		}
	}
}

func TestEnums(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{ClientSecretPost.String(), "post"}, {ClientSecretBasic.String(), "basic"}, {ClientAuth(7).String(), "unknown"},
		{Text.String(), "text"}, {Number.String(), "number"}, {Boolean.String(), "boolean"}, {Null.String(), "null"}, {Kind(-1).String(), "unknown"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if got := oneOf([]string{"a"}) + oneOf(nil) + strings.ToUpper(oneOf([]string{"b", "c"})); got != "aB OR C" {
		t.Errorf("oneOf writes %q", got)
	}
}
