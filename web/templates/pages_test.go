package templates

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
)

// draw renders a component as a handler would.
func draw(t *testing.T, c templ.Component) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A document is a drawn page with its elements in order.
type document struct {
	source   []byte
	elements []*html.Node
	ids      map[string]int
}

func parse(t *testing.T, source []byte) document {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	d := document{source: source, ids: map[string]int{}}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		d.elements = append(d.elements, n)
		if id, ok := attr(n, "id"); ok {
			d.ids[id]++
		}
	}
	return d
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// TestPages holds every page, full and empty, to the rules that a browser or a
// screen reader would otherwise find broken.
func TestPages(t *testing.T) {
	rules := map[string]func(*testing.T, document){
		"well formed":               wellFormed,
		"nothing inline":            nothingInline,
		"ids once":                  idsOnce,
		"controls labelled":         controlsLabelled,
		"references exist":          referencesExist,
		"icons exist":               iconsExist,
		"headings in order":         headingsInOrder,
		"landmarks":                 landmarks,
		"cells labelled":            cellsLabelled,
		"no template left unfilled": nothingUnfilled,
	}
	for _, s := range append(fullPages(), emptyPages()...) {
		d := parse(t, draw(t, s.page))
		for name, rule := range rules {
			t.Run(s.name+"/"+name, func(t *testing.T) { rule(t, d) })
		}
	}
}

// voidElements have no end tag.
var voidElements = map[string]bool{"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true, "link": true, "meta": true, "source": true, "track": true, "wbr": true}

// wellFormed checks that every element is closed where it was opened: the
// parser would repair that silently.
func wellFormed(t *testing.T, d document) {
	var open []string
	for z := html.NewTokenizer(bytes.NewReader(d.source)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("never closed: %v", open)
			}
			return
		case html.StartTagToken:
			if name, _ := z.TagName(); !voidElements[string(name)] {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Fatalf("</%s> closes %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func nothingInline(t *testing.T, d document) {
	for _, n := range d.elements {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
		if src, _ := attr(n, "src"); n.Data == "script" && (src == "" || text(n) != "") || n.Data == "style" {
			t.Errorf("inline <%s>", n.Data)
		}
	}
}

func idsOnce(t *testing.T, d document) {
	for id, n := range d.ids {
		if n > 1 || id == "" || strings.ContainsAny(id, " \t\n") {
			t.Errorf("id %q is there %d times", id, n)
		}
	}
}

// controlsLabelled checks that everything that can be filled in or pressed has
// a name.
func controlsLabelled(t *testing.T, d document) {
	labelled := map[string]bool{}
	for _, n := range d.elements {
		if target, ok := attr(n, "for"); ok && n.Data == "label" && text(n) != "" {
			labelled[target] = true
		}
	}
	for _, n := range d.elements {
		kind, _ := attr(n, "type")
		id, _ := attr(n, "id")
		aria, _ := attr(n, "aria-label")
		hidden, _ := attr(n, "aria-hidden")
		switch n.Data {
		case "button", "a", "summary":
			if text(n) == "" && aria == "" {
				t.Errorf("<%s> without a name", n.Data)
			}
		case "input", "select", "textarea":
			inLabel := n.Parent != nil && n.Parent.Data == "label"
			if kind != "hidden" && hidden != "true" && !labelled[id] && aria == "" && !inLabel {
				t.Errorf("<%s id=%q type=%q> without a label", n.Data, id, kind)
			}
		}
	}
}

func referencesExist(t *testing.T, d document) {
	for _, n := range d.elements {
		for _, name := range []string{"aria-describedby", "aria-labelledby", "for", "popovertarget", "data-copy", "data-add-row"} {
			value, _ := attr(n, name)
			for _, id := range strings.Fields(value) {
				if d.ids[id] == 0 {
					t.Errorf("<%s %s=%q> points at nothing", n.Data, name, id)
				}
			}
		}
		if target, ok := attr(n, "hx-target"); ok && d.ids[strings.TrimPrefix(target, "#")] == 0 {
			t.Errorf("hx-target=%q points at nothing", target)
		}
		if href, _ := attr(n, "href"); n.Data == "a" && strings.HasPrefix(href, "#") && !faultLink(n) && d.ids[href[1:]] == 0 {
			t.Errorf("<a href=%q> points at nothing", href)
		}
	}
}

// faultLink reports whether n is a link of an error summary. Where it leads is
// the handler's to say; TestFaultsLeadToControls checks that controls have the ids.
func faultLink(n *html.Node) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if id, _ := attr(p, "id"); id == "faults" {
			return true
		}
	}
	return false
}

var symbols = regexp.MustCompile(`<symbol id="([^"]+)"`)

func iconsExist(t *testing.T, d document) {
	svg, err := os.ReadFile("../static/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range symbols.FindAllSubmatch(svg, -1) {
		known[string(m[1])] = true
	}
	for _, n := range d.elements {
		if n.Data != "use" {
			continue
		}
		href, _ := attr(n, "href")
		if _, name, _ := strings.Cut(href, "#"); !known[name] {
			t.Errorf("there is no icon %q", name)
		}
	}
}

// headingsInOrder wants one h1, first, and no level left out on the way down.
func headingsInOrder(t *testing.T, d document) {
	last, h1 := 0, 0
	for _, n := range d.elements {
		if len(n.Data) != 2 || n.Data[0] != 'h' || n.Data[1] < '1' || n.Data[1] > '6' {
			continue
		}
		level := int(n.Data[1] - '0')
		if level == 1 {
			h1++
		}
		if level > last+1 && (last > 0 || level > 2) {
			t.Errorf("<h%d>%s follows <h%d>", level, text(n), last)
		}
		if text(n) == "" {
			t.Errorf("an empty <h%d>", level)
		}
		last = level
	}
	if h1 != 1 {
		t.Errorf("%d first headings, want one", h1)
	}
}

func landmarks(t *testing.T, d document) {
	count := map[string]int{}
	for _, n := range d.elements {
		count[n.Data]++
		if n.Data == "title" && !strings.HasSuffix(text(n), " · BackOffice") {
			t.Errorf("the title is %q", text(n))
		}
		if n.Data == "html" {
			if lang, _ := attr(n, "lang"); lang != "en" {
				t.Errorf("lang is %q", lang)
			}
		}
	}
	if count["main"] != 1 || count["title"] != 1 {
		t.Errorf("%d main, %d title; want one of each", count["main"], count["title"])
	}
	if first := d.firstLink(); first != "#main" {
		t.Errorf("the first link goes to %q, want the skip link", first)
	}
}

func (d document) firstLink() string {
	for _, n := range d.elements {
		if n.Data == "a" {
			href, _ := attr(n, "href")
			return href
		}
	}
	return ""
}

// cellsLabelled checks that every cell names its column, for narrow screens.
func cellsLabelled(t *testing.T, d document) {
	for _, n := range d.elements {
		if n.Data != "td" || text(n) == "" {
			continue
		}
		label, _ := attr(n, "data-label")
		class, _ := attr(n, "class")
		if label == "" && class != "num" { // the cells of row actions have no head
			t.Errorf("<td>%s</td> does not name its column", text(n))
		}
	}
}

func nothingUnfilled(t *testing.T, d document) {
	for _, n := range d.elements {
		href, ok := attr(n, "href")
		if n.Data == "a" && (!ok || href == "" || href == "about:invalid#TemplFailedSanitizationURL") {
			t.Errorf("<a href=%q>%s</a>", href, text(n))
		}
		if n.Data == "form" {
			if method, _ := attr(n, "method"); method == "post" {
				if action, _ := attr(n, "action"); action == "" {
					t.Error("a form posts nowhere")
				}
			}
		}
	}
}

// A fault in the summary leads to its control.
func TestFaultsLeadToControls(t *testing.T) {
	for _, s := range fullPages() {
		d := parse(t, draw(t, s.page))
		for _, n := range d.elements {
			href, _ := attr(n, "href")
			if n.Data == "a" && faultLink(n) && d.ids[strings.TrimPrefix(href, "#")] == 0 {
				t.Errorf("%s: the fault %q leads to %s, which is not there", s.name, text(n), href)
			}
		}
	}
}

func TestFragmentIsPartOfThePage(t *testing.T) {
	fragment := draw(t, EntriesFragment(sampleList()))
	if bytes.Contains(fragment, []byte("<html")) {
		t.Error("the fragment is a whole page")
	}
	page := parse(t, draw(t, ConfigList(sampleList())))
	for _, n := range parse(t, fragment).elements {
		if id, ok := attr(n, "id"); ok && page.ids[id] == 0 {
			t.Errorf("the fragment has id %q, which the page has not", id)
		}
	}
	for _, want := range []string{`id="entries"`, `id="pills"`, `id="showing"`} {
		if !bytes.Contains(fragment, []byte(want)) {
			t.Errorf("the fragment lacks %s", want)
		}
	}
}

// Evidence is shown as it was sent: no space appears between a name and its value.
func TestEvidenceIsExact(t *testing.T) {
	for _, tt := range []struct {
		line Line
		want string
	}{
		{Line{Key: "client_id=", Text: "5b1c"}, `<div><span class="k">client_id=</span>5b1c</div>`},
		{Line{Key: "code=", Text: "c1e9", Redacted: true, Note: "(used once)"}, `<div><span class="k">code=</span><span class="redacted">c1e9</span> <span class="k">(used once)</span></div>`},
		{Line{Key: "POST", Text: "https://api.example", Strong: true}, `<div><b>POST</b> https://api.example</div>`},
	} {
		if got := string(draw(t, line(tt.line))); got != tt.want {
			t.Errorf("%+v is drawn as %s, want %s", tt.line, got, tt.want)
		}
	}
}
