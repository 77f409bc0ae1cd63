package config_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/config"
)

func keys(n int) (in []config.Input) {
	for i := range n {
		in = append(in, plain(fmt.Sprintf("key%03d", i), fmt.Sprint(i)))
	}
	return in
}

// At each limit an entry is saved; one step further it is refused, with the
// field and the words.
func TestLimits(t *testing.T) {
	const id = "acme:anything"
	words := func(n int) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprintf("scope%03d", i))
		}
		return out
	}
	long := strings.Repeat("k", config.MaxName)
	for name, tt := range map[string]struct {
		at, beyond config.Draft
		want       map[string]string
	}{
		"keys": {
			config.Draft{Values: keys(100)},
			config.Draft{Values: keys(101)},
			map[string]string{"key": "An entry has at most 100 keys; these are 101. Remove some, or make a second entry with a module part in its id."},
		},
		"bytes of a value": {
			config.Draft{Values: []config.Input{hidden("blob", strings.Repeat("é", 32<<10))}},
			config.Draft{Values: []config.Input{hidden("blob", strings.Repeat("é", 32<<10)+"x")}},
			map[string]string{"blob": "The value of blob has 65537 bytes; the limit is 65536 (64 KiB)."},
		},
		"characters of a key": {
			config.Draft{Values: []config.Input{plain(long, "1")}},
			config.Draft{Values: []config.Input{plain(long+"k", "1")}},
			map[string]string{long + "k": "A key has at most 128 characters; this has 129. Shorten it."},
		},
		"characters of a reason": {
			config.Draft{Reason: strings.Repeat("é", 1000)},
			config.Draft{Reason: strings.Repeat("é", 1001)},
			map[string]string{"reason": "A reason has at most 1000 characters; this has 1001. Shorten it."},
		},
		"scopes": {
			config.Draft{Scopes: words(500)},
			config.Draft{Scopes: words(501)},
			map[string]string{"scope": "An entry has at most 500 scopes; these are 501. Remove some."},
		},
		"characters of a topic": {
			config.Draft{Topics: []string{strings.Repeat("é", 200)}},
			config.Draft{Topics: []string{strings.Repeat("é", 201)}},
			map[string]string{"topic": "The name of a topic has at most 200 characters. Shorten it."},
		},
		"days of acceptance": {
			config.Draft{Then: config.PutInForce, Accept: config.MaxAccept},
			config.Draft{Then: config.PutInForce, Accept: config.MaxAccept + 1},
			map[string]string{"hours": "The version that was in force can stay accepted for at most 90 days. Choose a shorter time."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			tt.at.ID, tt.beyond.ID = id, id
			r.refused(tt.beyond, tt.want)
			v := r.save(tt.at)
			o, err := r.Open(t.Context(), id, v.Number)
			if err != nil || len(o.Values) != len(tt.at.Values) || !sameRecord(o.Version, v) {
				t.Errorf("at the limit: %d values of %d, %v", len(o.Values), len(tt.at.Values), err)
			}
		})
	}
}

// The store takes the largest entry that the limits allow.
func TestLargestEntryIsKept(t *testing.T) {
	r := open(t)
	d := config.Draft{ID: "acme:anything"}
	for i := range config.MaxKeys {
		d.Values = append(d.Values, hidden(fmt.Sprint("key", i), strings.Repeat("x", config.MaxValue)))
	}
	v := r.save(d)
	o, err := r.Open(t.Context(), d.ID, v.Number)
	if err != nil {
		t.Fatal(err)
	}
	for i, in := range d.Values {
		if o.Values[in.Key] != in.Value {
			t.Fatalf("value %d came back changed", i)
		}
	}
}

func TestWhatCannotBeKept(t *testing.T) {
	const name = "A key has letters, digits and signs of plain ASCII, without spaces."
	for label, tt := range map[string]struct {
		draft config.Draft
		want  map[string]string
	}{
		"no key":            {config.Draft{Values: []config.Input{plain("", "1")}}, map[string]string{"key": "A value has no key. Name it, or remove the row."}},
		"key with a space":  {config.Draft{Values: []config.Input{plain("client id", "1")}}, map[string]string{"client id": name}},
		"key with a break":  {config.Draft{Values: []config.Input{plain("clientId\n", "1")}}, map[string]string{"clientId\n": name}},
		"key beyond ASCII":  {config.Draft{Values: []config.Input{plain("clıentId", "1")}}, map[string]string{"clıentId": name}},
		"key twice":         {config.Draft{Values: []config.Input{plain("a", "1"), plain("a", "2")}}, map[string]string{"a": "The key a is there twice. Remove one of them."}},
		"bad key twice":     {config.Draft{Values: []config.Input{keep("a"), plain("a", "2")}}, map[string]string{"a": "There is no stored value of a to keep. Type it. The key a is there twice. Remove one of them."}},
		"bytes":             {config.Draft{Values: []config.Input{hidden("a", "\xff")}}, map[string]string{"a": "The value of a has bytes that are not text. Encode it, for example as base64."}},
		"quoted bytes":      {config.Draft{Values: []config.Input{plain("a", "\"\xff\"")}}, map[string]string{"a": "The value of a has bytes that are not text. Encode it, for example as base64."}},
		"a zero byte":       {config.Draft{Values: []config.Input{hidden("a", "x\x00y")}}, map[string]string{"a": "The value of a has bytes that are not text. Encode it, for example as base64."}},
		"reason of bytes":   {config.Draft{Reason: "\xff"}, map[string]string{"reason": "The reason has bytes that are not text. Type it again."}},
		"empty scope":       {config.Draft{Scopes: []string{"a", ""}}, map[string]string{"scope": "A scope has no name. Remove it, or name it."}},
		"scope with a line": {config.Draft{Scopes: []string{"a\nb"}}, map[string]string{"scope": "The name of a scope has a character that cannot be shown. Type it again."}},
		"topic of bytes":    {config.Draft{Topics: []string{"\xff"}}, map[string]string{"topic": "The name of a topic has a character that cannot be shown. Type it again."}},
		"negative time":     {config.Draft{Then: config.PutInForce, Accept: -time.Hour}, map[string]string{"hours": "The version that was in force can stay accepted for at most 90 days. Choose a shorter time."}},
		"id":                {config.Draft{ID: "acme"}, map[string]string{"id": idForm}},
		"several at once": {
			config.Draft{Values: []config.Input{plain("a b", "1"), hidden("c", "\xff")}, Reason: "\xff", Scopes: []string{""}},
			map[string]string{"a b": name, "c": "The value of c has bytes that are not text. Encode it, for example as base64.",
				"reason": "The reason has bytes that are not text. Type it again.", "scope": "A scope has no name. Remove it, or name it."},
		},
	} {
		t.Run(label, func(t *testing.T) {
			r := open(t)
			if tt.draft.ID == "" {
				tt.draft.ID = "acme:anything"
			}
			r.refused(tt.draft, tt.want)
		})
	}
}

func TestAnUnknownThenIsRefused(t *testing.T) {
	r := open(t)
	d := draft("acme:anything", 1)
	d.Then = 7
	if _, err := r.Save(t.Context(), owner, d); kindOf(err) != "internal" {
		t.Errorf("Save = %v, want an error of ours", err)
	}
	r.unchanged(nil)
}

// What the caller holds is not changed by a save: a form is drawn again from
// it.
func TestSaveLeavesTheDraftAlone(t *testing.T) {
	r := open(t)
	d := config.Draft{ID: "acme:rocket", Base: 9, Values: []config.Input{{Key: "clientId", Value: text(" id ")}, {Key: "clientSecret", Value: text("s")}},
		Scopes: []string{"b", "a", "b"}, Topics: []string{"y", "x", "y"}}
	want := d
	want.Values, want.Scopes, want.Topics = slices.Clone(d.Values), slices.Clone(d.Scopes), slices.Clone(d.Topics)
	saved, err := r.Save(t.Context(), owner, d)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("the draft became %+v, want %+v", d, want)
	}
	v := saved.Version
	if !slices.Equal(v.Scopes, []string{"a", "b"}) || !slices.Equal(v.Topics, []string{"x", "y"}) || v.Base != 0 {
		t.Errorf("scopes %q, topics %q, base %d; want sorted sets and no base", v.Scopes, v.Topics, v.Base)
	}
}
