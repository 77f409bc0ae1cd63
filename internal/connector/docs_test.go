package connector

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

func documentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/connectors.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The section of the documentation for each kind of object, by the words that
// stand before its table.
var documented = map[string]string{
	"definition": "### The definition", "field": "### A field", "option": "### An option of a field", "mistake": "### A mistake of a field", "oauth": "### `oauth`",
	"identity": "### `identity`", "fact": "A fact:", "permission": "### A permission", "topic": "### A topic", "webhooks": "### `webhooks`",
	"signature": "A signature, always", "knownError": "A known error:", "topicAlias": "An alias of topics:",
	"timestamp": "The time of a signature", "reads": "What a notification says of itself", "source": "Where notifications come from:", "sample": "A sample", "rateLimit": "### `rateLimit`", "link": "### A link",
}

var tableRow = regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|")

func TestDocs_everyMemberIsDocumented(t *testing.T) {
	text := documentation(t)
	for _, kind := range slices.Sorted(maps.Keys(members)) {
		_, section, ok := strings.Cut(text, "\n"+documented[kind])
		if !ok || documented[kind] == "" {
			t.Errorf("%s has no section %q", kind, documented[kind])
			continue
		}
		_, table, _ := strings.Cut(section, "|---|---|\n")
		table, _, _ = strings.Cut(table, "\n\n")
		var rows []string
		for _, m := range tableRow.FindAllStringSubmatch(table, -1) {
			rows = append(rows, m[1])
		}
		if !slices.Equal(rows, members[kind]) {
			t.Errorf("%s: the documentation has %v, the language %v", kind, rows, members[kind])
		}
	}
}

func TestDocs_exampleIsSoundAndWhole(t *testing.T) {
	_, example, _ := strings.Cut(documentation(t), "```yaml\n")
	example, _, ok := strings.Cut(example, "\n```")
	if !ok {
		t.Fatal("there is no example")
	}
	d := parsed(t, example)
	e, err := d.Resolve(map[string]string{"tenant": "acme"})
	if err != nil {
		t.Fatal(err)
	}
	if e.Token != "https://login.examplecrm.example/oauth/token" || e.Identity != "https://eu.api.examplecrm.example/tenants/acme/me" ||
		e.AuthorizeParams["audience"] != "https://acme.examplecrm.example" {
		t.Errorf("the example resolves to %+v", e)
	}
	used := map[string]bool{}
	tree, err := parser.ParseBytes([]byte(example), 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Walk(names(used), tree.Docs[0].Body)
	for kind, list := range members {
		for _, name := range list {
			if !used[name] {
				t.Errorf("the example has no %s of a %s", name, kind)
			}
		}
	}
}

// names collects the names of all members below a node.
type names map[string]bool

func (n names) Visit(node ast.Node) ast.Visitor {
	if pairs, ok := pairsOf(node); ok {
		for _, pair := range pairs {
			if name, ok := textOf(pair.Key); ok {
				n[name] = true
			}
		}
	}
	return n
}

// The error examples are what the program says, word for word.
func TestDocs_errorExamplesAreReal(t *testing.T) {
	said := map[string]bool{}
	for _, c := range broken {
		_, err := Parse("crm.yaml", []byte(strings.Replace(sound, c.old, c.new, 1)))
		for _, line := range strings.Split(err.Error(), "\n") {
			said[faultPlace.ReplaceAllString(line, "")] = true
		}
	}
	_, section, _ := strings.Cut(documentation(t), "## What errors look like")
	lines := regexp.MustCompile(`(?m)^crm\.yaml:.*$`).FindAllString(section, -1)
	if len(lines) != 6 {
		t.Fatalf("%d examples of errors", len(lines))
	}
	for _, line := range lines {
		if !faultPlace.MatchString(line) || !said[faultPlace.ReplaceAllString(line, "")] {
			t.Errorf("the program never says %q", line)
		}
	}
}

var faultPlace = regexp.MustCompile(`^crm\.yaml:\d+:\d+: `)
