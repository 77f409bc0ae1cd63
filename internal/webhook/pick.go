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
		name, ok := p.name()
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
		if !p.value(below(paths, strconv.AppendInt(nil, int64(i), 10))) {
			return false
		}
		p.space()
		if !p.next(',') {
			return p.next(']')
		}
	}
}

// below are the paths that go on in the member called name.
func below(paths []wanted, name []byte) (out []wanted) {
	for _, w := range paths {
		if first, rest, deeper := strings.Cut(w.path, "."); first == string(name) && w.path != "" && (!deeper || rest != "") {
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

// endsWord are the marks and spaces.
var endsWord = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ',': true, ':': true, '{': true, '}': true, '[': true, ']': true, '"': true}

// word reads what stands up to the next mark or space.
func (p *picker) word() string {
	end := 0
	for end < len(p.rest) && !endsWord[p.rest[end]] {
		end++
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	if len(word) > maxFact {
		word = word[:maxFact]
	}
	return string(word)
}

// name reads the name of a member, without a copy of it where it is written plainly.
func (p *picker) name() ([]byte, bool) {
	whole := p.rest
	if len(whole) == 0 || whole[0] != '"' || !p.skipText() {
		return nil, false
	}
	raw := whole[1 : len(whole)-len(p.rest)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw, true
	}
	p.rest = whole
	text, ok := p.text()
	return []byte(text), ok
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

// skipText passes over a text, up to the quote that is not escaped. Where there
// are escapes it goes byte by byte: one search for each would not end in a body
// that is made of them.
func (p *picker) skipText() bool {
	rest := p.rest[1:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return false
	}
	if i := bytes.IndexByte(rest[:end], '\\'); i >= 0 {
		for end = i; end < len(rest) && rest[end] != '"'; end++ {
			if rest[end] == '\\' {
				end++
			}
		}
	}
	if end >= len(rest) {
		return false
	}
	p.rest = rest[end+1:]
	return true
}

func (p *picker) space() {
	i := 0
	for i < len(p.rest) && (p.rest[i] == ' ' || p.rest[i] == '\t' || p.rest[i] == '\r' || p.rest[i] == '\n') {
		i++
	}
	p.rest = p.rest[i:]
}

func (p *picker) next(c byte) bool {
	if len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}
