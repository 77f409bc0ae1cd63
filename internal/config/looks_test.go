package config

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// A pasteCase is a row of testdata/pastes.json, which the script of the forms is
// held to as well (e2e TestPastedRules).
type pasteCase struct {
	Name, Text, Use, Clean string
	Trimmed                int
	Removed                []string
	Said                   string
	Doubts                 []struct {
		Kind          DoubtKind
		Found, Remedy string
	}
}

func pastes(t testing.TB) (cases []pasteCase) {
	t.Helper()
	b, err := os.ReadFile("testdata/pastes.json")
	if err == nil {
		err = json.Unmarshal(b, &cases)
	}
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

var uses = map[string]use{"id": clientID, "secret": clientSecret, "field": otherField, "own": ownKey}

func TestLooks(t *testing.T) {
	seen := map[DoubtKind]bool{}
	for _, c := range pastes(t) {
		p, ok := uses[c.Use]
		if !ok {
			t.Fatalf("%s: no such use", c.Name)
		}
		var want []look
		for _, d := range c.Doubts {
			want, seen[d.Kind] = append(want, look{d.Kind, d.Found, d.Remedy}), true
		}
		if got := looksOf(c.Text, p); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: doubts\n%+v, want\n%+v", c.Name, got, want)
		}
		clean, how := cleanText(c.Text)
		if clean != c.Clean || how.Trimmed != c.Trimmed || len(how.Removed) != len(c.Removed) || how.Words() != c.Said {
			t.Errorf("%s: cleaned to %q, %+v, %q; want %q, %d, %q, %q", c.Name, clean, how, how.Words(), c.Clean, c.Trimmed, c.Removed, c.Said)
		}
		for i := range how.Removed {
			if how.Removed[i] != c.Removed[i] {
				t.Errorf("%s: removed %q, want %q", c.Name, how.Removed[i], c.Removed[i])
			}
		}
	}
	for k := InvisibleCharacter; k <= NotASCII; k++ {
		if !seen[k] {
			t.Errorf("no case has the kind %s", k)
		}
	}
}
