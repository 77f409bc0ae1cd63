package oauth_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What a provider does differently is data: none of them is named in this room.
func TestNoProviderHasALineOfCode(t *testing.T) {
	t.Parallel()
	catalogue, err := builtin()
	must(t, err)
	var names []string
	for _, def := range catalogue.All() {
		for _, name := range []string{def.Key, def.Name} {
			if name = strings.ToLower(name); len(name) > 3 && name != "front" && name != "square" && name != "linear" && name != "notion" { // words of English
				names = append(names, regexp.QuoteMeta(name))
			}
		}
	}
	if len(names) < 50 {
		t.Fatalf("only %d names are looked for", len(names))
	}
	named := regexp.MustCompile(`(?i)\b(` + strings.Join(names, "|") + `)\b`)
	files, err := filepath.Glob("*.go")
	must(t, err)
	looked := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		looked++
		text, err := os.ReadFile(file)
		must(t, err)
		if found := named.FindAllString(string(text), -1); len(found) > 0 {
			t.Errorf("%s names %q", file, found)
		}
	}
	if looked < 20 {
		t.Errorf("only %d files were looked at", looked)
	}
}
