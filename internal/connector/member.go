package connector

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// How long texts may be, in characters. They end up on pages and in requests.
const (
	maxName   = 100       // keys, labels, names of headers and parameters
	maxToken  = 500       // scopes, URLs, patterns, values
	maxProse  = 1200      // help, notes
	maxList   = 1000      // items of a list
	maxLength = 256 << 10 // bytes of a file
)

// has reports whether the member stands in the file with a value.
func (o object) has(name string) bool { return o.members[name] != nil }

// text reads a member that is sent or compared: it is taken exactly as it is.
func (o object) text(name string, limit int) string {
	n, ok := o.members[name]
	if !ok {
		return ""
	}
	return o.r.text(join(o.path, name), n, limit)
}

func (r *reader) text(path string, n ast.Node, limit int) string {
	s, ok := textOf(n)
	switch {
	case !ok:
		r.faultf(path, "%s", wantText(n))
		return ""
	case !utf8.ValidString(s) || hasControl(s):
		r.faultf(path, "this text has a line break or another control character. Write it on one line, in quotes.")
		return ""
	case utf8.RuneCountInString(s) > limit:
		r.faultf(path, "this text is longer than %d characters. Shorten it.", limit)
		return ""
	}
	return s
}

// wantText says what to do about a node that is not text. A number is not
// taken as text: 2.10 and 2.1 would be the same.
func wantText(n ast.Node) string {
	switch describe(n) {
	case "nothing":
		return "here stands nothing, but text is wanted. Fill it, or leave the member out."
	case "a number", "a boolean":
		return "here stands " + describe(n) + ", but text is wanted. Put it in quotes."
	}
	return "here stands " + describe(n) + ", but text is wanted. Write one text; one that begins with { [ & or * stands in quotes."
}

// prose reads a member that is shown to people: line breaks become spaces.
func (o object) prose(name string, limit int) string {
	n, ok := o.members[name]
	if !ok {
		return ""
	}
	return o.r.prose(join(o.path, name), n, limit)
}

func (r *reader) prose(path string, n ast.Node, limit int) string {
	s, ok := textOf(n)
	if !ok {
		r.faultf(path, "%s", wantText(n))
		return ""
	}
	s = strings.Join(strings.Fields(s), " ")
	switch {
	case s == "":
		r.faultf(path, "this text is empty. Fill it, or leave the member out.")
	case !utf8.ValidString(s) || hasControl(s):
		r.faultf(path, "this text has a control character. Remove it.")
		return ""
	case utf8.RuneCountInString(s) > limit:
		r.faultf(path, "this text is longer than %d characters. Shorten it.", limit)
	}
	return s
}

// flag reads true or false; preset is the value of an absent member.
func (o object) flag(name string, preset bool) bool {
	n, ok := o.members[name]
	if !ok {
		return preset
	}
	if b, ok := n.(*ast.BoolNode); ok {
		return b.Value
	}
	o.r.faultf(join(o.path, name), "here stands %s. Write true or false.", describe(n))
	return preset
}

// choice reads one of a few words and returns its index, 0 after a fault.
func (o object) choice(name string, words []string) int {
	path := join(o.path, name)
	s := o.text(name, maxToken)
	i := slices.Index(words, s)
	if i < 0 {
		if s != "" {
			o.r.faultf(path, "%q is not known here. Write %s.", cut(s), oneOf(words))
		}
		return 0
	}
	return i
}

// list calls f for each item of a list.
func (o object) list(name string, f func(path string, n ast.Node)) {
	n, ok := o.members[name]
	if !ok {
		return
	}
	path := join(o.path, name)
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		o.r.faultf(path, "here stands %s, but a list is wanted. Begin each item with \"- \".", describe(n))
		return
	}
	if len(seq.Values) > maxList {
		o.r.faultf(path, "this list has more than %d items.", maxList)
		return
	}
	for i, v := range seq.Values {
		o.r.place(item(path, i), v)
		f(item(path, i), v)
	}
}

// texts reads a list of texts, each distinct.
func (o object) texts(name string, limit int) []string {
	var out []string
	o.list(name, func(path string, n ast.Node) {
		s := o.r.text(path, n, limit)
		if s == "" {
			o.r.emptyItem(path, n)
			return
		}
		if slices.Contains(out, s) {
			o.r.faultf(path, "%q stands in this list twice. Keep one of them.", cut(s))
			return
		}
		out = append(out, s)
	})
	return out
}

func (r *reader) emptyItem(path string, n ast.Node) {
	if s, ok := textOf(n); ok && s == "" {
		r.faultf(path, "this item is empty. Fill it or remove it.")
	}
}

// paragraphs reads a list of texts for people.
func (o object) paragraphs(name string) []string {
	var out []string
	o.list(name, func(path string, n ast.Node) {
		out = append(out, o.r.prose(path, n, maxProse))
	})
	return out
}

// pairs reads a mapping of text to text whose names the author chooses.
func (o object) pairs(name string) map[string]string {
	n, ok := o.members[name]
	if !ok {
		return nil
	}
	path := join(o.path, name)
	out := map[string]string{}
	o.r.eachPair(path, n, func(key string, keyNode, value ast.Node) {
		o.r.place(join(path, key), value)
		if len(key) > maxName {
			o.r.faultf(join(path, key), "this name is longer than %d characters. Shorten it.", maxName)
			return
		}
		out[key] = o.r.text(join(path, key), value, maxToken)
	})
	return out
}
