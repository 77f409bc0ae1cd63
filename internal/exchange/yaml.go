package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"backoffice/internal/errs"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxDepth is how deep a file of YAML may nest; a row needs four.
const maxDepth = 16

// readYAML takes the rows out of a file of YAML. The syntax tree is turned into
// JSON instead of being decoded, because decoding takes the digits off numbers and
// the lines off rows. Anchors and aliases are refused: a short file could stand
// for a huge one.
func readYAML(b []byte) (head []byte, rows []rawRow, err error) {
	if line, deep := nested(b); deep {
		return nil, nil, errs.Field("file", fmt.Sprintf("Line %d nests deeper than a file of entries does.", line))
	}
	root, err := parseYAML(b)
	if err != nil {
		return nil, nil, err
	}
	members := map[string]json.RawMessage{}
	top, ok := pairs(root)
	if !ok {
		return nil, nil, errs.Field("file", "This is no file of entries: it has to begin with format, and to have entries.")
	}
	for _, p := range top {
		name, err := keyName(p)
		if err == nil && members[name] != nil {
			err = sentence(fmt.Sprintf("%q is there twice.", cut(name)))
		}
		if err != nil {
			return nil, nil, errs.Field("file", fmt.Sprintf("Line %d: %v", lineOf(p), err))
		}
		if list, ok := p.Value.(*ast.SequenceNode); ok && name == "entries" {
			members[name], rows = json.RawMessage("[]"), yamlRows(list)
			continue
		}
		if members[name], err = toJSON(p.Value); err != nil {
			return nil, nil, errs.Field("file", fmt.Sprintf("Line %d: %v", lineOf(p), err))
		}
	}
	head, err = json.Marshal(members)
	return head, rows, err
}

func yamlRows(list *ast.SequenceNode) (rows []rawRow) {
	for _, n := range list.Values {
		row := rawRow{line: lineOf(n)}
		var err error
		if row.json, err = toJSON(n); err != nil {
			row.fault = err.Error()
		}
		rows = append(rows, row)
	}
	return rows
}

// parseYAML returns the one node of the file. The parser's words may quote a
// value, so only the place is told.
func parseYAML(b []byte) (root ast.Node, err error) {
	broken := errs.Field("file", "This is no YAML that can be read. Compare it with an export, or import JSON.")
	defer func() {
		if recover() != nil {
			root, err = nil, broken
		}
	}()
	tree, err := parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey())
	var syntax yaml.Error
	if errors.As(err, &syntax) && syntax.GetToken() != nil && syntax.GetToken().Position != nil {
		return nil, errs.Field("file", fmt.Sprintf("Line %d is no YAML that can be read. Look at indentation, colons and quotation marks there.", syntax.GetToken().Position.Line))
	}
	if err != nil {
		return nil, broken
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, errs.Field("file", "The file has to be one document of YAML. Remove further ones (---).")
	}
	return tree.Docs[0].Body, nil
}

// nested reports the first line that nests deeper than maxDepth by what it
// begins with, or by its brackets. It is coarse and quick: it keeps what the
// parser recurses over small.
func nested(b []byte) (line int, deep bool) {
	flow := 0
	for l := range bytes.Lines(b) {
		line++
		rest := bytes.TrimLeft(l, " ")
		if len(l)-len(rest) > 200 {
			return line, true
		}
		if lead := rest[:len(rest)-len(bytes.TrimLeft(rest, "-?:&*!|> \t"))]; bytes.Count(lead, []byte(" ")) > maxDepth {
			return line, true
		}
		flow = max(0, flow+bytes.Count(l, []byte("["))+bytes.Count(l, []byte("{"))-bytes.Count(l, []byte("]"))-bytes.Count(l, []byte("}")))
		if open := bytes.Count(l, []byte("[")) + bytes.Count(l, []byte("{")); flow > 10*maxDepth || open > 200 {
			return line, true
		}
	}
	return 0, false
}

// pairs are the members of a mapping.
func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func lineOf(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		n = m.Values[0]
	}
	if p, ok := n.(*ast.MappingValueNode); ok {
		n = p.Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func keyName(p *ast.MappingValueNode) (string, error) {
	s, ok := p.Key.(*ast.StringNode)
	if !ok {
		return "", sentence("a name is no plain text. Put it into quotation marks.")
	}
	return s.Value, nil
}

// toJSON is the JSON of a node. Its errors quote no value.
func toJSON(n ast.Node) ([]byte, error) {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return []byte("null"), nil
	case *ast.StringNode:
		return []byte(quoted(n.Value)), nil
	case *ast.LiteralNode:
		return []byte(quoted(n.Value.Value)), nil
	case *ast.BoolNode:
		return fmt.Appendf(nil, "%t", n.Value), nil
	case *ast.IntegerNode, *ast.FloatNode:
		if t := strings.TrimSpace(n.GetToken().Value); json.Valid([]byte(t)) {
			return []byte(t), nil
		}
		return nil, sentence(fmt.Sprintf("line %d has a number in a notation that JSON lacks. Write it in decimal, or put it into quotation marks if it is a text.", lineOf(n)))
	case *ast.SequenceNode:
		return listJSON(n)
	case *ast.MappingNode, *ast.MappingValueNode:
		return objectJSON(n)
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return nil, sentence(fmt.Sprintf("line %d uses an anchor or an alias. Write the value out.", lineOf(n)))
	}
	return nil, sentence(fmt.Sprintf("line %d has something that is no text, number, boolean, list or mapping. Put it into quotation marks if it is a text.", lineOf(n)))
}

func listJSON(n *ast.SequenceNode) ([]byte, error) {
	parts := make([][]byte, 0, len(n.Values))
	for _, v := range n.Values {
		b, err := toJSON(v)
		if err != nil {
			return nil, err
		}
		parts = append(parts, b)
	}
	return slices.Concat([]byte("["), bytes.Join(parts, []byte(",")), []byte("]")), nil
}

func objectJSON(n ast.Node) ([]byte, error) {
	members, _ := pairs(n)
	parts := make([][]byte, 0, len(members))
	for _, p := range members {
		name, err := keyName(p)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", lineOf(p), err)
		}
		b, err := toJSON(p.Value)
		if err != nil {
			return nil, err
		}
		parts = append(parts, slices.Concat([]byte(quoted(name)), []byte(":"), b))
	}
	return slices.Concat([]byte("{"), bytes.Join(parts, []byte(",")), []byte("}")), nil
}
