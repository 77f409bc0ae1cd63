package connector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// The reader walks the syntax tree instead of decoding into structs, so that
// it can report every fault of a file at once, each at its own place, and so
// that validation can say later where a value stood.

type position struct{ line, column int }

type reader struct {
	file   string
	at     map[string]position // where a value stands, by path: "fields[2].pattern"
	faults Faults
}

// An object is a mapping with a fixed set of members.
type object struct {
	r       *reader
	path    string
	members map[string]ast.Node
}

// parseTree returns the one node of the file, or nil after reporting why not.
func (r *reader) parseTree(data []byte) (root ast.Node) {
	defer func() {
		if recover() != nil {
			r.faults = append(r.faults, Fault{File: r.file, Msg: "this is not YAML that can be read. Compare it with the example in the documentation."})
			root = nil
		}
	}()
	tree, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntaxFault(err)
		return nil
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		r.faults = append(r.faults, Fault{File: r.file, Line: 1, Column: 1,
			Msg: "a file holds exactly one definition. Remove further documents (---), or fill the empty file."})
		return nil
	}
	return tree.Docs[0].Body
}

func (r *reader) syntaxFault(err error) {
	f := Fault{File: r.file, Msg: "this is not YAML: " + firstLine(err.Error()) + "."}
	var ye yaml.Error
	if errors.As(err, &ye) {
		f.Msg = "this is not YAML: " + firstLine(ye.GetMessage()) + "."
		if t := ye.GetToken(); t != nil && t.Position != nil {
			f.Line, f.Column = t.Position.Line, t.Position.Column
		}
	}
	r.faults = append(r.faults, f)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.ReplaceAll(s, "'\t'", "tab")
}

// faultf reports a fault at path, or at the nearest thing around it that has
// a place.
func (r *reader) faultf(path, format string, args ...any) {
	f := Fault{File: r.file, Msg: fmt.Sprintf(format, args...)}
	for p := path; ; p = p[:strings.LastIndexAny(p, ".[")] {
		if at, ok := r.at[p]; ok {
			f.Line, f.Column = at.line, at.column
			break
		}
		if !strings.ContainsAny(p, ".[") {
			at := r.at[""]
			f.Line, f.Column = at.line, at.column
			break
		}
	}
	r.faults = append(r.faults, f)
}

// place remembers where the value of path stands.
func (r *reader) place(path string, n ast.Node) {
	if n == nil {
		return
	}
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		n = m.Values[0].Key
	}
	if v, ok := n.(*ast.MappingValueNode); ok {
		n = v.Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		r.at[path] = position{t.Position.Line, t.Position.Column}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// pairsOf returns the pairs of a mapping. The parser gives a single pair
// either form.
func pairsOf(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

// object reads n as a mapping whose members are among known.
func (r *reader) object(path string, n ast.Node, known []string) object {
	o := object{r: r, path: path, members: map[string]ast.Node{}}
	r.place(path, n)
	r.eachPair(path, n, func(name string, key, value ast.Node) {
		if !slices.Contains(known, name) {
			r.place(join(path, name), key)
			r.faultf(join(path, name), "there is no member %q here. %s", cut(name), suggest(name, known))
			return
		}
		o.members[name] = value
		r.place(join(path, name), value)
	})
	return o
}

// eachPair calls f for each pair of a mapping with distinct text keys.
func (r *reader) eachPair(path string, n ast.Node, f func(name string, key, value ast.Node)) {
	pairs, ok := pairsOf(n)
	if !ok {
		r.faultf(path, "here stands %s, but members are wanted. Write them as \"name: value\" lines.", describe(n))
		return
	}
	seen := map[string]bool{}
	for _, pair := range pairs {
		name, ok := textOf(pair.Key)
		switch {
		case !ok || pair.Key.IsMergeKey():
			r.place(path+".?", pair.Key)
			r.faultf(path+".?", "this member's name is not plain text. Put it in quotes, and write out what an anchor would repeat.")
		case seen[name]:
			r.place(path+".?", pair.Key)
			r.faultf(path+".?", "%q stands here twice. Keep one of them.", cut(name))
		default:
			seen[name] = true
			f(name, pair.Key, pair.Value)
		}
	}
}

// suggest names the member that was probably meant, or all there are.
func suggest(name string, known []string) string {
	for _, k := range known {
		if foldKey(k) == foldKey(name) {
			return fmt.Sprintf("Write %q.", k)
		}
	}
	return "Use " + oneOf(known) + "."
}

// textOf returns the text of a scalar that is text: plain, quoted or a block.
func textOf(n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		if s.Value != nil {
			return s.Value.Value, true
		}
	}
	return "", false
}

// describe says in words what a node is, for messages.
func describe(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.BoolNode:
		return "a boolean"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a group of members"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias"
	}
	return "something else"
}

// cut shortens a text of the file for a message.
func cut(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar })
}
