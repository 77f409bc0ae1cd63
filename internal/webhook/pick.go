package webhook

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// A wanted is a scalar that is looked for in a JSON body. The path is member
// names, or the numbers of a list's items, with dots between them.
type wanted struct {
	path string
	to   *string
}

// pick finds scalars in a JSON body without decoding the rest of it: a map of
// a body costs more than its signature. It reads up to the last thing wanted, or
// to where the body is no JSON any more, and follows no deeper than the paths.
func pick(body []byte, paths []wanted) {
	p := picker{rest: bytes.TrimPrefix(body, []byte("\ufeff")), left: len(paths)}
	p.value(paths)
}

type picker struct {
	rest []byte
	left int // how many are not found yet
}

// value reads one value, of which paths are wanted. It reports whether reading
// can go on.
func (p *picker) value(paths []wanted) bool {
	p.space()
	switch {
	case len(p.rest) == 0:
		return false
	case len(paths) == 0:
		return p.skip()
	case p.rest[0] == '{':
		return p.members(paths)
	case p.rest[0] == '[':
		return p.items(paths)
	}
	text, ok := p.scalar()
	for _, w := range paths {
		if w.path == "" && ok {
			*w.to = text
			p.left--
		}
	}
	return ok && p.left > 0
}

func (p *picker) members(paths []wanted) bool {
	p.rest = p.rest[1:]
	for {
		p.space()
		if p.next('}') {
			return true
		}
		name, ok := p.text()
		if !ok {
			return false
		}
		p.space()
		if !p.next(':') || !p.value(below(paths, name)) {
			return false
		}
		p.space()
		if !p.next(',') {
			return p.next('}')
		}
	}
}

func (p *picker) items(paths []wanted) bool {
	p.rest = p.rest[1:]
	for i := 0; ; i++ {
		p.space()
		if p.next(']') {
			return true
		}
		if !p.value(below(paths, strconv.Itoa(i))) {
			return false
		}
		p.space()
		if !p.next(',') {
			return p.next(']')
		}
	}
}

// below are the paths that go on in the member called name.
func below(paths []wanted, name string) (out []wanted) {
	for _, w := range paths {
		if first, rest, deeper := strings.Cut(w.path, "."); first == name && w.path != "" && (!deeper || rest != "") {
			out = append(out, wanted{rest, w.to})
		}
	}
	return out
}

// skip passes over one value, however deep, without recursion.
func (p *picker) skip() bool {
	for depth := 0; ; {
		p.space()
		if len(p.rest) == 0 {
			return false
		}
		switch c := p.rest[0]; c {
		case '{', '[':
			depth, p.rest = depth+1, p.rest[1:]
		case '}', ']':
			depth, p.rest = depth-1, p.rest[1:]
		case ',', ':':
			p.rest = p.rest[1:]
		case '"':
			if !p.skipText() {
				return false
			}
		default:
			if p.word() == "" {
				return false
			}
		}
		if depth <= 0 {
			return depth == 0
		}
	}
}

// scalar reads a text, number or boolean; null is the empty text.
func (p *picker) scalar() (string, bool) {
	if p.rest[0] == '"' {
		return p.text()
	}
	word := p.word()
	if word == "null" {
		return "", true
	}
	return word, word != ""
}

// word reads what stands up to the next mark or space.
func (p *picker) word() string {
	end := bytes.IndexAny(p.rest, " \t\r\n,:{}[]\"")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	if len(word) > maxFact {
		word = word[:maxFact]
	}
	return string(word)
}

// text reads a text. A very long one is empty: nothing wanted is that long.
func (p *picker) text() (string, bool) {
	if len(p.rest) == 0 || p.rest[0] != '"' {
		return "", false
	}
	whole := p.rest
	if !p.skipText() {
		return "", false
	}
	raw := whole[:len(whole)-len(p.rest)]
	if len(raw) > 64*maxFact {
		return "", true
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", true
	}
	return s, true
}

// skipText passes over a text, up to the quote that is not escaped.
func (p *picker) skipText() bool {
	rest := p.rest[1:]
	for {
		i := bytes.IndexAny(rest, `"\`)
		if i < 0 {
			return false
		}
		if rest[i] == '"' {
			p.rest = rest[i+1:]
			return true
		}
		if i+2 > len(rest) {
			return false
		}
		rest = rest[i+2:]
	}
}

func (p *picker) space() { p.rest = bytes.TrimLeft(p.rest, " \t\r\n") }

func (p *picker) next(c byte) bool {
	if len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}
