package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"backoffice/internal/secret"
)

// The kinds of these tests: those of the rooms are not there.
var (
	_ = secret.Declare(secret.Kind{Prefix: "config/version/", Words: "values", Find: secret.Field("sealed")})
	_ = secret.Declare(secret.Kind{Prefix: "k", Words: "samples", Find: secret.Whole})
)

const canary = "CANARY-7f3a9c"

// Invariant 2, its smallest part: a Text never prints its value.
func TestTextNeverPrints(t *testing.T) {
	text := secret.NewText(canary)
	holder := struct{ Secret secret.Text }{text}
	hidden := struct{ inner struct{ text secret.Text } }{struct{ text secret.Text }{text}} // fmt asks no method of it
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", text, "holder", holder)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", text, "holder", holder)
	out := log.String()
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%X", "%d", "%t", "%T"} {
		out += fmt.Sprintf(verb, text) + fmt.Sprintf(verb, &text) + fmt.Sprintf(verb, holder) + fmt.Sprintf(verb, []secret.Text{text}) + fmt.Sprintf(verb, hidden) + fmt.Sprintf(verb, map[string]any{"x": hidden})
	}
	j, err := json.Marshal(map[secret.Text]any{text: holder})
	if err != nil {
		t.Fatal(err)
	}
	x, err := xml.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	out += string(j) + string(x) + fmt.Errorf("wrapped: %v", text).Error() + text.String()
	if strings.Contains(out, canary) || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", canary)) {
		t.Errorf("a Text printed its value: %s", out)
	}
	if text.Reveal() != canary || text.IsZero() || !(secret.Text{}).IsZero() || secret.NewText("Zoë").Len() != 3 ||
		text != secret.NewText(canary) || text == secret.NewText("other") || secret.NewText("") != (secret.Text{}) || (secret.Text{}).Reveal() != "" {
		t.Error("Reveal, IsZero or Len is wrong")
	}
}

func newBox(t *testing.T) (*secret.Keyset, *secret.Box, []byte) {
	t.Helper()
	k, err := secret.Generate()
	if err != nil {
		t.Fatal(err)
	}
	record, b, err := k.NewInstallation()
	if err != nil {
		t.Fatal(err)
	}
	return k, b, record
}

// Invariant 3: a sealed value opens only where it was sealed.
func TestSealedValueOpensOnlyWhereItWasSealed(t *testing.T) {
	_, b, _ := newBox(t)
	sealed, err := b.Seal([]byte(canary), "config/version/acme:intercom/1")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte(canary)) {
		t.Fatal("sealed value holds its plain text")
	}
	if plain, err := b.Open(sealed, "config/version/acme:intercom/1"); err != nil || string(plain) != canary {
		t.Errorf("Open = %q, %v", plain, err)
	}
	for _, elsewhere := range []string{"config/version/acme:intercom/2", "config/version/acme:intercom/", ""} {
		if _, err := b.Open(sealed, elsewhere); !errors.Is(err, secret.ErrDamaged) {
			t.Errorf("opened at %q: %v", elsewhere, err)
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := b.Open(bad, "config/version/acme:intercom/1"); err == nil {
			t.Errorf("opened with byte %d flipped", i)
		}
	}
	for n := range sealed {
		if _, err := b.Open(sealed[:n], "config/version/acme:intercom/1"); err == nil {
			t.Errorf("opened when cut to %d bytes", n)
		}
	}
}

func TestKeyFileRoundTrip(t *testing.T) {
	k, b, record := newBox(t)
	file, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := secret.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	b2, err := again.Unlock(record)
	if err != nil {
		t.Fatal(err)
	}
	if b.Fingerprint("x") != b2.Fingerprint("x") || b.KeyID() != b2.KeyID() {
		t.Error("a reopened installation has other fingerprints or another key id")
	}
	for _, bad := range []string{"", "{}", "null", "not json", `{"primaryKeyId":1,"key":[]}`, strings.Replace(string(file), "TINK", "RAW", 1)} {
		if _, err := secret.Read([]byte(bad)); err == nil {
			t.Errorf("read a key file of %q", bad)
		}
	}
}

func TestWrongKeyNamesTheMissingOne(t *testing.T) {
	k, _, record := newBox(t)
	other, _, _ := newBox(t)
	_, err := other.Unlock(record)
	var wrong *secret.WrongKeyError
	if !errors.As(err, &wrong) || wrong.Missing != k.ID() || wrong.Have != other.ID() {
		t.Fatalf("Unlock with another key: %v", err)
	}
	record[len(record)-1] ^= 1
	if _, err := k.Unlock(record); !errors.Is(err, secret.ErrDamaged) {
		t.Errorf("Unlock of a damaged record: %v", err)
	}
}

func TestFingerprint(t *testing.T) {
	_, b, _ := newBox(t)
	_, other, _ := newBox(t)
	f := b.Fingerprint("s3cr3t")
	if len(f) != 12 || f != b.Fingerprint("s3cr3t") || f == b.Fingerprint("s3cr3t ") || f == other.Fingerprint("s3cr3t") {
		t.Errorf("fingerprint %q: want 12 digits, the same for the same value here, another elsewhere", f)
	}
	if got := secret.Fingerprint("9c41e07b5d2f").String(); got != "9c41 e07b 5d2f" {
		t.Errorf("String = %q", got)
	}
	if bytes.Equal(b.MAC("a", []byte("bc")), b.MAC("ab", []byte("c"))) {
		t.Error("the domain of a MAC runs into its data")
	}
}

func FuzzOpen(f *testing.F) {
	k, err := secret.Generate()
	if err != nil {
		f.Fatal(err)
	}
	_, b, err := k.NewInstallation()
	if err != nil {
		f.Fatal(err)
	}
	good, err := b.Seal([]byte(canary), "k")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, "k")
	f.Add([]byte{1, 0, 0, 0, 0}, "k")
	f.Fuzz(func(t *testing.T, sealed []byte, key string) {
		plain, err := b.Open(sealed, key)
		if err == nil && !(key == "k" && bytes.Equal(sealed, good)) {
			t.Errorf("opened forged bytes %x at %q: %q", sealed, key, plain)
		}
	})
}
