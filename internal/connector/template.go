package connector

import (
	"errors"
	"fmt"
	"strings"
)

// A place is where a variable stands in a template. What a value may contain
// depends on it, so that no value can break out of its place.
type place int

const (
	asBase  place = iota // scheme and host, perhaps with a path: the URL begins with it
	inHost               // a part of the host name
	inPath               // a part of one path segment
	inQuery              // a part of the query
	inText               // a header or parameter value, escaped by whoever sends it
)

var placeNames = [...]string{"as the beginning of a URL", "in a host name", "in a path", "in a query", "in a header or parameter"}

// allows reports whether a value may contain c at this place.
func (p place) allows(c rune) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.':
		return true
	case c == '_' || c == '~':
		return p != inHost
	case c == '/' || c == ':':
		return p == asBase || p == inText
	}
	return p == inText && c >= ' ' && c <= '~'
}

// A part of a template is literal text or a variable at its place.
type part struct {
	literal  string
	variable string
	place    place
}

type template []part

// split cuts s into literals and {variables}.
func split(s string) (template, error) {
	var t template
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			return append(t, part{literal: s}), nil
		}
		if i > 0 {
			t = append(t, part{literal: s[:i]})
		}
		end := strings.IndexByte(s, '}')
		if s[i] != '{' || end < 0 {
			return nil, errors.New("a brace stands alone. Write a variable as {name}")
		}
		name := s[i+1 : end]
		if !isKey(name) {
			return nil, fmt.Errorf("{%s} is not a variable's name. Use letters, digits, - and _, with a letter first", cut(name))
		}
		t = append(t, part{variable: name})
		s = s[end+1:]
	}
	return t, nil
}

// parseText reads the template of a header or parameter value.
func parseText(s string) (template, error) {
	t, err := split(s)
	for i := range t {
		t[i].place = inText
		if strings.ContainsFunc(t[i].literal, func(c rune) bool { return !inText.allows(c) }) {
			return nil, errors.New("a header or parameter value is printable ASCII. Remove other characters")
		}
	}
	return t, err
}

// parseURL reads the template of a URL and finds the place of each variable.
func parseURL(s string) (template, error) {
	t, err := split(s)
	if err != nil {
		return nil, err
	}
	if len(t) == 0 {
		return nil, errors.New("the URL is empty. Write it from https:// on")
	}
	if err := checkLiterals(s); err != nil {
		return nil, err
	}
	at := inHost
	rest := t
	if t[0].variable != "" {
		t[0].place, at, rest = asBase, inPath, t[1:]
		if len(rest) > 0 && !strings.HasPrefix(rest[0].literal, "/") {
			return nil, fmt.Errorf("after {%s} at the beginning comes / or nothing", t[0].variable)
		}
	} else if !strings.HasPrefix(t[0].literal, "https://") {
		return nil, errors.New("a URL begins with https:// or with a variable. Nothing else is called")
	}
	placeVariables(rest, at)
	return t, nil
}

// placeVariables walks the parts from the given place on.
func placeVariables(parts template, at place) {
	for i := range parts {
		p := &parts[i]
		p.place = at
		literal := strings.TrimPrefix(p.literal, "https://")
		switch {
		case at != inQuery && strings.Contains(literal, "?"):
			at = inQuery
		case at == inHost && strings.Contains(literal, "/"):
			at = inPath
		}
	}
}

// checkLiterals refuses what no URL of a definition may have.
func checkLiterals(s string) error {
	switch {
	case strings.Contains(s, "#"):
		return errors.New("a URL here has no fragment. Remove # and what follows")
	case strings.Contains(authority(s), "@"):
		return errors.New("a URL here has no user name or password. Remove what stands before @, and @")
	case strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || c == '\\' || c == '"' || c == '<' || c == '>' }):
		return errors.New("a URL has printable ASCII without spaces, quotes and backslashes. Percent-encode other characters")
	}
	return nil
}

// authority is what stands between :// and the path: for a template with its
// braces.
func authority(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if i := strings.IndexAny(s, "/?"); i >= 0 {
		s = s[:i]
	}
	return s
}

// fill puts values in place of the variables. A variable without a value
// becomes empty; whoever calls it has checked that there is one.
func (t template) fill(values map[string]string) string {
	var b strings.Builder
	for _, p := range t {
		if p.variable != "" {
			b.WriteString(values[p.variable])
		} else {
			b.WriteString(p.literal)
		}
	}
	return b.String()
}

// host is what the template makes of the host (with its port) under values;
// for a template that begins with a variable, it is that of the variable.
func (t template) host(values map[string]string) string {
	begin := authorityOf(t)
	if t[0].variable != "" {
		begin = t[:1]
	}
	_, s, _ := strings.Cut(begin.fill(values), "://")
	s, _, _ = strings.Cut(s, "/")
	return s
}

// authorityOf returns the parts up to the end of the host.
func authorityOf(t template) template {
	var out template
	for _, p := range t {
		if p.variable != "" && p.place != inHost {
			break
		}
		rest := strings.TrimPrefix(p.literal, "https://")
		if i := strings.IndexAny(rest, "/?"); p.variable == "" && i >= 0 {
			return append(out, part{literal: p.literal[:len(p.literal)-len(rest)+i]})
		}
		out = append(out, p)
	}
	return out
}

// isKey reports whether s can be the key of a field or variable.
func isKey(s string) bool {
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '_' || c == '-')) {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}
