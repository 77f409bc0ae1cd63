package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"backoffice/internal/connector"
)

// maxDepth is how deep a body may be nested that is written anew.
const maxDepth = 100

// A tree is a JSON value with its members in order and its numbers as they stand.
type tree struct {
	kind  byte     // '{', '[', '"', or 'n' for a number, boolean or null
	text  string   // of a text, decoded; of a number, as it stands
	names []string // of the members, in order
	items []tree
}

func parseTree(body []byte) (tree, error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, byteOrderMark)))
	d.UseNumber()
	t, err := readTree(d, 0)
	if err != nil {
		return t, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return t, errors.New("something stands behind the value")
	}
	return t, nil
}

func readTree(d *json.Decoder, depth int) (tree, error) {
	token, err := d.Token()
	if err != nil {
		return tree{}, err
	}
	switch v := token.(type) {
	case json.Delim:
		return readItems(d, byte(v), depth+1)
	case string:
		return tree{kind: '"', text: v}, nil
	case nil:
		return tree{kind: 'n', text: "null"}, nil
	default:
		return tree{kind: 'n', text: fmt.Sprint(v)}, nil
	}
}

func readItems(d *json.Decoder, kind byte, depth int) (tree, error) {
	t := tree{kind: kind}
	if depth > maxDepth {
		return t, errors.New("nested too deep")
	}
	for d.More() {
		if kind == '{' {
			name, err := readTree(d, depth)
			if err != nil {
				return t, err
			}
			t.names = append(t.names, name.text)
		}
		item, err := readTree(d, depth)
		if err != nil {
			return t, err
		}
		t.items = append(t.items, item)
	}
	_, err := d.Token()
	return t, err
}

// sorted is t with the members of every object ordered by key, which gets their
// path. Members with the same key keep their order.
func (t tree) sorted(path string, key func(path, name string) string) tree {
	out := t
	out.items = slices.Clone(t.items)
	out.names = slices.Clone(t.names)
	order := make([]int, len(t.items))
	for i := range order {
		order[i] = i
	}
	if t.kind == '{' {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(key(path, t.names[a]), key(path, t.names[b])) })
	}
	for to, from := range order {
		below := path
		if t.kind == '{' {
			out.names[to] = t.names[from]
			below += "." + t.names[from]
		}
		out.items[to] = t.items[from].sorted(below, key)
	}
	return out
}

// sampleOrder orders members as the definition's sample of the topic has them,
// the unknown ones behind: a proxy that sorts loses the order, and the sample has it.
func sampleOrder(w *connector.Webhooks, body []byte) func(path, name string) string {
	at := map[string]int{}
	s, _ := w.Sample(Read(w, Request{Body: body}).Topic)
	if example, err := s.Fill(connector.SampleValues{}); err == nil {
		if t, err := parseTree(example); err == nil {
			t.remember("", at)
		}
	}
	return func(path, name string) string {
		i, ok := at[path+"."+name]
		if !ok {
			i = len(at)
		}
		return fmt.Sprintf("%06d", i)
	}
}

func (t tree) remember(path string, at map[string]int) {
	for i, item := range t.items {
		below := path
		if t.kind == '{' {
			below += "." + t.names[i]
			if _, known := at[below]; !known {
				at[below] = len(at)
			}
		}
		item.remember(below, at)
	}
}

// A style is a way of writing JSON.
type style struct {
	words        string
	comma, colon string
	indent       string // "" for one line
}

var styles = []style{
	{"without spaces", ",", ":", ""},
	{"with a space after each comma and colon", ", ", ": ", ""},
	{"with a space after each colon", ",", ": ", ""},
	{"indented by two spaces", ",", ": ", "  "},
	{"indented by four spaces", ",", ": ", "    "},
	{"indented by tabs", ",", ": ", "\t"},
}

// escapes are the characters that a writer of JSON may escape though it need not.
type escapes struct {
	words string
	html  bool // < > & and the line separators
	slash bool // / as \/
	ascii bool // everything beyond ASCII as \u
}

var escapings = []escapes{
	{},
	{words: `, with < > & as \u003c and so on`, html: true},
	{words: `, with every character beyond ASCII as \u and digits`, ascii: true},
	{words: `, with < > & and every character beyond ASCII as \u and digits`, html: true, ascii: true},
	{words: `, with / as \/`, slash: true},
	{words: `, with / as \/ and every character beyond ASCII as \u and digits`, slash: true, ascii: true},
}

// jsonForms writes a body that is JSON anew, as the usual writers do.
func jsonForms(w *connector.Webhooks, body []byte, yield func(bodyForm) bool) bool {
	kept, err := parseTree(body)
	if err != nil || kept.kind != '{' && kept.kind != '[' {
		return true
	}
	for _, order := range []struct {
		words string
		tree  tree
	}{
		{"", kept},
		{", in the order of the documented example", kept.sorted("", sampleOrder(w, body))},
		{", in alphabetical order", kept.sorted("", func(_, name string) string { return name })},
	} {
		for _, e := range escapings {
			for _, s := range styles {
				words := "written " + s.words + order.words + e.words
				text := appendTree(nil, order.tree, s, e, "\n")
				if !yield(bodyForm{words, true, text}) || !yield(bodyForm{words + ", and a line break at its end", true, join(text, "\n")}) {
					return false
				}
			}
		}
	}
	return true
}

// appendTree writes t. margin is the line break with the indent around it.
func appendTree(out []byte, t tree, s style, e escapes, margin string) []byte {
	switch t.kind {
	case '"':
		return appendText(out, t.text, e)
	case 'n':
		return append(out, t.text...)
	}
	out = append(out, t.kind)
	for i, item := range t.items {
		if i > 0 {
			out = append(out, s.comma...)
		}
		if s.indent != "" {
			out = append(append(out, margin...), s.indent...)
		}
		if t.kind == '{' {
			out = append(appendText(out, t.names[i], e), s.colon...)
		}
		out = appendTree(out, item, s, e, margin+s.indent)
	}
	if s.indent != "" && len(t.items) > 0 {
		out = append(out, margin...)
	}
	return append(out, t.kind+2) // } and ] stand two behind { and [
}

var shortEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

func appendText(out []byte, s string, e escapes) []byte {
	out = append(out, '"')
	for _, r := range s {
		short, ok := shortEscapes[r]
		switch {
		case ok:
			out = append(out, short...)
		case r == '/' && e.slash:
			out = append(out, `\/`...)
		case r < ' ', e.html && strings.ContainsRune("<>&\u2028\u2029", r), e.ascii && r > '~':
			out = appendEscape(out, r)
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return append(out, '"')
}

// appendEscape writes a character as \u and four digits, twice beyond the plane
// of the first 65,536.
func appendEscape(out []byte, r rune) []byte {
	if r > 0xFFFF {
		r -= 0x10000
		return fmt.Appendf(out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
	}
	return fmt.Appendf(out, `\u%04x`, r)
}
