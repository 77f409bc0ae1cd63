package oauth

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	xhtml "golang.org/x/net/html"
)

// checkMarkdown renders a text as a careless site would, with links found and
// HTML let through, and returns what is more than headings, tables, lists and code.
func checkMarkdown(t testing.TB, text string) (faults []string) {
	t.Helper()
	var page bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := md.Convert([]byte(text), &page); err != nil {
		t.Fatal(err)
	}
	root, err := xhtml.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	allowed := strings.Fields("html head body h1 h2 p table thead tbody tr th td code strong ul li")
	columns := 0
	for n := range root.Descendants() {
		if n.Type == xhtml.CommentNode || n.Type == xhtml.ElementNode && !slices.Contains(allowed, n.Data) {
			faults = append(faults, fmt.Sprintf("has %s %v", n.Data, n.Attr))
		}
		if n.Type != xhtml.ElementNode || n.Data != "tr" {
			continue
		}
		cells := 0
		for c := range n.ChildNodes() {
			if c.Type == xhtml.ElementNode {
				cells++
			}
		}
		if n.Parent.Data == "thead" {
			columns = cells
		} else if cells != columns {
			faults = append(faults, fmt.Sprintf("a row of %d cells in a table of %d", cells, columns))
		}
	}
	return append(faults, checkBars(text)...)
}

// checkBars counts what the parser forgives: cells beyond those of the head.
func checkBars(text string) (faults []string) {
	bars := 0
	for line := range strings.Lines(text) {
		switch n := strings.Count(line, "|"); {
		case !strings.HasPrefix(line, "|"):
			bars = 0
		case bars == 0:
			bars = n
		case n != bars:
			faults = append(faults, "a row with other bars than its head: "+line)
		}
		if strings.ContainsAny(line, "<>") {
			faults = append(faults, "an angle bracket: "+line)
		}
	}
	return faults
}

func TestProse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, prose, code string }{
		{"", "", ""},
		{"It works, as it should.", "It works, as it should.", "`It works, as it should.`"},
		{"see https://evil.example now", "see `https://evil.example` now", "`see https://evil.example now`"},
		{"www.evil.example a@b.example", "`www.evil.example a@b.example`", "`www.evil.example a@b.example`"},
		{"refused (invalid_client), x", "refused (`invalid_client`), x", "`refused (invalid_client), x`"},
		{"see [a](https://evil.example)", "see `[a](https://evil.example`)", "`see [a](https://evil.example)`"},
		{"![x](y) [a] *b* _c_", "`![x](y) [a] *b* _c_`", "`![x](y) [a] *b* _c_`"},
		{"<img src=x> a|b `c`", "`‹img src=x› a¦b ˋcˋ`", "`‹img src=x› a¦b ˋcˋ`"},
		{"[removed] was said", "`[removed]` was said", "`[removed] was said`"},
		{"one\n\n# two\x00\u202e", "one `#` two", "`one # two`"},
		{`he said "no" (twice)`, `he said "no" (twice)`, "`he said \"no\" (twice)`"},
		{"version 3 of acme:rocket", "version 3 of `acme:rocket`", "`version 3 of acme:rocket`"},
		{"Open https://evil.example.", "Open `https://evil.example`.", "`Open https://evil.example.`"},
		{"TLS 1.3, 42.", "TLS 1.3, 42.", "`TLS 1.3, 42.`"},
		{`\| \`, "`\\¦ \\`", "`\\¦ \\`"},
	} {
		if got := prose(tt.in); got != tt.prose {
			t.Errorf("prose of %q is %s, want %s", tt.in, got, tt.prose)
		}
		if got := code(tt.in); got != tt.code {
			t.Errorf("code of %q is %s, want %s", tt.in, got, tt.code)
		}
	}
}

// The checker has to find what it looks for.
func TestMarkdownCheckerFindsFaults(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"see https://evil.example", "a@b.example", "[a](b)", "![a](b)", "<b>x</b>", "a <!-- x -->", "> quoted", "1. one", "*emphasis*",
		"| a | b |\n|---|---|\n| x | y | z |\n", "# x\n\n| a |\n|---|\n| x | y |\n"} {
		if faults := checkMarkdown(t, bad); len(faults) == 0 {
			t.Errorf("nothing is wrong with %q", bad)
		}
	}
	if faults := checkMarkdown(t, "# a\n\n| a | `b` |\n|---|---|\n| x | y |\n\n- **b**\n"); len(faults) > 0 {
		t.Error(faults)
	}
}
