package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"backoffice/internal/config"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

const (
	randomID     = "3f9c1a2b77d0"
	randomSecret = "kZ8vQ2mX7tR4wB9nL5cJ1hG6dF3sA0pY"
)

// doubtsOf are the doubts about a draft that is not saved, as lines
// "key kind: found remedy".
func (r *room) doubtsOf(d config.Draft) (out []string) {
	r.t.Helper()
	d = r.onto(d)
	var base config.Opened
	if d.Base != 0 {
		var err error
		if base, err = r.Open(r.t.Context(), d.ID, d.Base); err != nil {
			r.t.Fatal(err)
		}
	}
	return r.lines(d.ID, r.Unsaved(d, base))
}

func (r *room) lines(id config.ID, o config.Opened) (out []string) {
	r.t.Helper()
	doubts, err := r.Doubts(r.t.Context(), id, o)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, d := range doubts {
		out = append(out, fmt.Sprintf("%s (%s) %s %s: %s", d.Key, d.Label, d.Kind, d.Other, d.Words()))
	}
	return out
}

func app(id config.ID, client, key string, further ...config.Input) config.Draft {
	return config.Draft{ID: id, Values: append([]config.Input{field("clientId", client), field("clientSecret", key), field("region", "US"), field("apiVersion", "2.10")}, further...)}
}

// What the values of one entry say by themselves.
func TestInspect(t *testing.T) {
	const (
		gitlab, salesforce = "gloas-" + randomSecret, "3MVG9" + randomSecret
		google             = "12345-a1b2.apps.googleusercontent.com"
		guid               = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
	)
	for name, tt := range map[string]struct {
		draft config.Draft
		want  []string
	}{
		"nothing odd": {app("acme:intercom", randomID, randomSecret, plain("retries", "5"), hidden("mine", "pass word,")), nil},
		"in the order of the fields": {app("acme:intercom", "my app", `"secret"`, field("mine", "a\u200bb")), []string{
			"clientId (Client ID) space-inside : There is a space inside. Ids and secrets have none. Copy it again, alone, from the provider's page.",
			"clientSecret (Client secret) quotation-mark : There is a quotation mark at its beginning or end. It comes from code or a document. Copy what stands between the marks.",
			"mine (mine) invisible-character : It holds invisible characters: U+200B zero width space. Nothing is removed from a key of your own: type the value again if they do not belong to it."}},
		"cleaned first": {app("acme:intercom", " "+randomID+"\n", "\u200b"+randomSecret), nil},
		"another secret of the definition": {app("acme:intercom", randomID, randomSecret, field("webhookSecret", "changeme")), []string{
			"webhookSecret (Webhook secret) placeholder : It is a placeholder of a guide or an example. Put in the value that the provider's page shows for your app."}},
		"id and secret equal": {app("acme:intercom", randomSecret, randomSecret), []string{
			"clientSecret (Client secret) same-as-id : It is the same as Client ID. Copy each of the two from its own field of the provider's page."}},
		"a token of Intercom": {app("acme:intercom", randomID, "dG9rOjAxMjM0NTY3ODlhYmNkZWY="), []string{
			"clientSecret (Client secret) base64-encoded : It is text in base64, as in a header or a Kubernetes secret. Decode it first, or copy it from the provider's page.",
			"clientSecret (Client secret) other-thing : It looks like an Intercom access token. Copy the client secret instead, from Basic Information of the app in the Developer Hub."}},
		"the ID of a secret of Microsoft": {app("acme:microsoft", guid, guid+"\t"), []string{
			"clientSecret (Client secret) other-thing : It looks like the ID of a secret, not its value. Copy the value, which stands beside the Secret ID and is shown only once. If it is gone, make a new secret.",
			"clientSecret (Client secret) same-as-id : It is the same as Client ID. Copy each of the two from its own field of the provider's page."}},
		"Salesforce's own key": {app("acme:salesforce", salesforce, randomSecret), nil},
		"another provider's key": {app("acme:intercom", salesforce, randomSecret), []string{
			"clientId (Client ID) other-thing : It looks like a Salesforce consumer key. Copy this from the app at Intercom, or move it to an entry of the provider that it is from."}},
		"another provider's id as the secret": {app("acme:intercom", randomID, google), []string{
			"clientId (Client ID) swapped : By their looks, Client ID and Client secret have changed places. Put each into the other's field."}},
		"a module of the provider":  {app("acme:google:drive", google, randomSecret), nil},
		"a service of the provider": {app("acme:googleChat", google, randomSecret), nil},
		"a token as the secret":     {app("acme:slack", randomID, "xoxb"+"-012345678901"), []string{"clientSecret (Client secret) other-thing : It looks like a Slack token. Copy the client secret, and put it here."}},
		"a token as the id":         {app("acme:slack", "xoxb"+"-012345678901", randomSecret), []string{"clientId (Client ID) other-thing : It looks like a Slack token. Copy the client ID, and put it here."}},
		"a plain entry":             {app("acme:own", gitlab, randomSecret), []string{"clientId (clientId) swapped : By their looks, clientId and clientSecret have changed places. Put each into the other's field."}},
		"a plain entry, put right":  {app("acme:own", randomID, gitlab), nil},
		"a plain entry, named freely": {config.Draft{ID: "acme:own", Values: []config.Input{field("client_id", "x y"), hidden("CLIENT-SECRET", " Bearer abc")}}, []string{
			"CLIENT-SECRET (CLIENT-SECRET) space-around : It begins or ends with white space. Nothing is removed from a key of your own: type the value again if that does not belong to it.",
			"CLIENT-SECRET (CLIENT-SECRET) label-along : It begins with a name, or with a word like Bearer. Copy only what stands after that.",
			"client_id (client_id) space-inside : There is a space inside. Ids and secrets have none. Copy it again, alone, from the provider's page."}},
		"a pattern that fits the other": {config.Draft{ID: rocket, Values: []config.Input{field("clientId", "Under_Score"), field("clientSecret", "small-letters")}}, []string{
			"clientId (Client ID) swapped : By their looks, Client ID and Client secret have changed places. Put each into the other's field."}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := open(t).doubtsOf(tt.draft); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// Values that stand elsewhere too are found by their fingerprints, in every
// version that carries a label, and no longer when it does not.
func TestSharedValues(t *testing.T) {
	r := open(t)
	want := func(when string, d config.Draft, want ...string) {
		t.Helper()
		if got := r.doubtsOf(d); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	const remedy, both = " Copy it again from this entry's own app, unless both are to use one.",
		" If both entries are to use one app, leave it: a new secret then concerns both. Else copy ID and secret from this entry's own app."
	mine := app("acme:intercom", randomID, randomSecret, hidden("mine", "on"))
	want("alone", mine)
	r.save(app("globex:intercom", "other-id", randomSecret, hidden("mine", "on")))
	want("pending elsewhere", mine, "clientSecret (Client secret) shared-value globex:intercom: Same value as Client secret of globex:intercom, version 1, pending."+remedy)
	if err := r.promote("globex:intercom", 1); err != nil {
		t.Fatal(err)
	}
	want("in force elsewhere", mine, "clientSecret (Client secret) shared-value globex:intercom: Same value as Client secret of globex:intercom, version 1, in force."+remedy)
	r.save(app("globex:intercom", "other-id", "a new secret of theirs"))
	if err := r.promote("globex:intercom", 2); err != nil {
		t.Fatal(err)
	}
	want("previous elsewhere", mine, "clientSecret (Client secret) shared-value globex:intercom: Same value as Client secret of globex:intercom, version 1, previous."+remedy)
	r.save(app("hooli:own", randomID, "theirs", hidden("shared", randomSecret)))
	want("in a key of another name, and the id", mine,
		"clientId (Client ID) shared-value hooli:own: Same value as clientId of hooli:own, version 1, pending."+remedy,
		"clientSecret (Client secret) shared-value globex:intercom: Same value as Client secret of globex:intercom, version 1, previous, and as one more entry."+remedy)
	r.save(app("initech:intercom", randomID, randomSecret))
	want("the whole app", mine, "clientSecret (Client secret) shared-value initech:intercom: Same app as initech:intercom: ID and secret are those of its version 1, pending, and as 2 more entries."+both)
	r.save(mine)
	o, err := r.Open(t.Context(), mine.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.lines(mine.ID, o); len(got) != 1 || !strings.Contains(got[0], "initech:intercom") {
		t.Errorf("once it is saved: %q", got)
	}
	for _, id := range []config.ID{"globex:intercom", "hooli:own", "initech:intercom"} {
		if err := r.Delete(t.Context(), owner, config.Move{ID: id, Revision: r.get(id).Revision}); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.lines(mine.ID, o); got != nil {
		t.Errorf("after the others were deleted: %q", got)
	}
}

func (r *room) promote(id config.ID, n int) error {
	_, err := r.Promote(r.t.Context(), owner, config.Move{ID: id, Version: n, Revision: r.get(id).Revision, Accept: 3600e9})
	return err
}

// A UUID where the secret belongs, and a long run of hexadecimal digits where the
// id does, look swapped, also in a first version and with no definition's help.
func TestSwappedByTheirLooks(t *testing.T) {
	const uuid, hex = "5b1c7f0e-3c44-4c0e-9a7a-1d2e3f405162", "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"
	for _, tt := range []struct {
		id, secret string
		swapped    bool
	}{{hex, uuid, true}, {uuid, hex, false}, {uuid, uuid[:35] + "3", false}, {hex, hex[:39] + "d", false}} {
		d := app("acme:intercom", tt.id, tt.secret)
		got := strings.Join(open(t).doubtsOf(d), "\n")
		if strings.Contains(got, "changed places") != tt.swapped || strings.Contains(got, tt.id) || strings.Contains(got, tt.secret) {
			t.Errorf("id %s, secret %s: %q", tt.id, tt.secret, got)
		}
	}
}

// Swapped values are known by what the entry's other versions hold.
func TestSwappedAgainstAnotherVersion(t *testing.T) {
	for name, tt := range map[string]struct {
		id, secret string
		want       []string
	}{
		"right":      {randomID, "another secret", []string{"clientSecret (Client secret) space-inside : There is a space inside. Ids and secrets have none. Copy it again, alone, from the provider's page."}},
		"both":       {randomSecret, randomID, []string{"clientId (Client ID) swapped : Client ID and Client secret have changed places against version 1. One of the two versions has them the wrong way round. The provider's page says which is which; usually only the secret is hidden there."}},
		"id twice":   {randomID, randomID, []string{"clientSecret (Client secret) same-as-id : It is the same as Client ID. Copy each of the two from its own field of the provider's page."}},
		"the old id": {"newer", randomID, []string{"clientSecret (Client secret) swapped : This is the Client ID of version 1. Copy the Client secret, and put it here."}},
		"the secret": {randomSecret, "newer", []string{"clientId (Client ID) swapped : This is the Client secret of version 1. Put the Client ID here. Pages show this field to everybody, so also make a new secret at the provider."}},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			r.save(app("acme:intercom", randomID, randomSecret))
			if got := r.doubtsOf(app("acme:intercom", tt.id, tt.secret)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			v := r.save(app("acme:intercom", tt.id, tt.secret))
			o, err := r.Open(t.Context(), "acme:intercom", v.Number)
			if got := r.lines("acme:intercom", o); err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("once saved %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

// With many entries a value is found without opening any of them, and after a
// change only what changed is read again.
func TestSharedValuesOfManyEntries(t *testing.T) {
	const many = 10_000
	r := open(t)
	r.fill(many)
	err := r.store.Update(t.Context(), func(tx store.Tx) error {
		for i := range many {
			id := fmt.Sprintf("acme:service%05d", i)
			b, err := json.Marshal(config.Version{Entry: config.ID(id), Number: 1, Sealed: []byte("not to be opened"), Keys: []config.Key{
				{Name: "clientSecret", Secret: true, Length: 9, Fingerprint: r.box.Fingerprint(fmt.Sprint("secret-", i))}}})
			if err != nil {
				return err
			}
			tx.Put(fmt.Sprintf("config/version/%s/0000001", id), b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.doubtsOf(app("acme:intercom", "3f9c", "secret-7654")); len(got) != 1 || !strings.Contains(got[0], "acme:service07654, version 1, in force.") {
		t.Fatalf("got %q", got)
	}
	r.put("config/version/acme:service00001/0000001", "damaged, and not to be read again")
	r.save(app("globex:intercom", "4e0b", "secret-1234"))
	if got := r.doubtsOf(app("acme:intercom", "3f9c", "secret-1234")); len(got) != 1 || !strings.Contains(got[0], "acme:service01234, version 1, in force, and as one more entry.") {
		t.Errorf("got %q", got)
	}
}

func TestDoubtKinds(t *testing.T) {
	for _, k := range config.DoubtKinds() {
		text, err := k.MarshalText()
		var back config.DoubtKind
		if err != nil || string(text) != k.String() || back.UnmarshalText(text) != nil || back != k {
			t.Errorf("%d is %q, %v, and back %d", k, text, err, back)
		}
	}
	var k config.DoubtKind
	if k.UnmarshalText([]byte("odd")) == nil || len(config.DoubtKinds()) != 17 {
		t.Error("unknown text is taken, or a kind is missing")
	}
	if _, err := config.DoubtKind(99).MarshalText(); err == nil || config.DoubtKind(99).String() != "DoubtKind(99)" {
		t.Error("a kind that does not exist has a text")
	}
}

// FuzzInspect: looking at values never panics, cleaning is idempotent, and what
// is said has no eight characters in a row of a value, but for the words that
// stand in the sources.
func FuzzInspect(f *testing.F) {
	for _, s := range []string{"", " a ", "client_secret=" + randomSecret, "Bearer x", "\u200b\ufeff", "\xff\xfe", "дом–дом", "dG9rOmFiYw==", "https://a.example", "****", "“x”", "kZ8vQ2mX7tR4\u00a0wB9nL5cJ1hG6", "kZ8vQ2mX7tR4\u2013дwB9nL5cJ1hG6", "C" + strings.Repeat("0", 64)} {
		f.Add(s, randomSecret)
		f.Add(randomID, s)
	}
	words := ""
	for _, file := range []string{"clean.go", "looks.go", "inspect.go", "doubts.go", "../connector/mistake.go", "../connector/definitions/intercom.yaml"} {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		words += strings.Join(strings.Fields(string(b)), " ") + "\n"
	}
	words += "It is the same as Client ID.\nBy their looks, Client ID and Client secret have changed places.\nclientSecret\n"
	r := open(f)
	def := r.Definition("acme:intercom")
	f.Fuzz(func(t *testing.T, client, key string) {
		o := r.Unsaved(app("acme:intercom", client, key, field("own", client), hidden("further", key)), config.Opened{})
		said := fmt.Sprintf("%+v", o.Cleaned)
		for _, d := range append(config.Inspect(def, o), config.Inspect(nil, o)...) {
			said += fmt.Sprintf("\n%s %s %s", d.Kind, d.Words(), d.Label)
			if d.Found == "" || d.Remedy == "" || !strings.HasSuffix(d.Words(), ".") || !utf8.ValidString(d.Words()) {
				t.Errorf("not in sentences: %+v", d)
			}
		}
		for _, c := range o.Cleaned {
			said += c.Words()
		}
		for _, v := range []string{client, key} {
			runes := []rune(v)
			for i := 0; i+8 <= len(runes); i++ {
				if part := string(runes[i : i+8]); strings.Contains(said, part) && !strings.Contains(words, part) {
					t.Errorf("%q shows a part of the value %q", said, v)
				}
			}
			fieldOf, _ := def.Field("clientSecret")
			once, _ := config.Clean(fieldOf, secret.NewText(v))
			if twice, c := config.Clean(fieldOf, once); twice != once || !reflect.DeepEqual(c, config.Cleaning{Key: "clientSecret"}) {
				t.Errorf("cleaning twice takes off %+v more", c)
			}
		}
	})
}
