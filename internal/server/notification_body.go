package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"backoffice/internal/connector"
	"backoffice/web/templates"
)

// How much of a body a page shows. The indentation of what is nested deeper than
// maxIndent stays the same: else a few bytes could make a very long page.
const (
	maxShown  = 64 << 10 // bytes, with what the indentation adds
	maxIndent = 40
	maxPaths  = 8 // members of members that a definition may read
)

// readableBody is a body as a page shows it: JSON indented, byte for byte but for
// its white space, with the values marked that the definition reads; anything else
// as the text that it is. What cannot be seen is written out.
func readableBody(body []byte, contentType string, reads connector.NotificationReads) templates.Content {
	p := bodyPrinter{in: body, reads: map[string]bool{}}
	for _, path := range []string{reads.ID, reads.Topic, reads.Account, reads.Happened, reads.FirstSent, reads.Attempt} {
		p.reads[path] = path != ""
	}
	how := "shown as text"
	if json.Valid(body) {
		how = "shown indented"
		p.value(0, "")
	} else {
		p.put(templates.SpanPlain, string(body))
	}
	kind := visible(contentType, shownText)
	if kind == "" {
		kind = "no content type"
	}
	c := templates.Content{Caption: fmt.Sprintf("%s, %s, %s", kind, bytesWords(len(body)), how), Spans: p.out}
	if len(body) == 0 {
		c.Caption = kind + ", 0 bytes"
	}
	if p.full() {
		c.Cut = fmt.Sprintf("Only the first %s are shown. The download has all of it.", binarySize(maxShown))
	}
	return c
}

// bytesWords is an exact number of bytes: a signature is over each of them.
func bytesWords(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return templates.Count(int64(n)) + " bytes"
}

// A bodyPrinter walks through JSON that is known to be valid and stops where
// enough is shown. It decodes nothing: what a page shows of a string or number
// are its own bytes.
type bodyPrinter struct {
	in    []byte
	at    int
	out   []templates.Span
	size  int
	cut   bool
	reads map[string]bool // paths whose values are marked
}

func (p *bodyPrinter) full() bool { return p.cut }

func (p *bodyPrinter) space() {
	for p.at < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.at]) >= 0 {
		p.at++
	}
}

func (p *bodyPrinter) value(depth int, path string) {
	p.space()
	kind := templates.SpanPlain
	if p.reads[path] {
		kind = templates.SpanRead
	}
	switch p.in[p.at] {
	case '{', '[':
		p.group(depth, path)
	case '"':
		p.put(kind, p.text())
	default:
		from := p.at
		for p.at < len(p.in) && strings.IndexByte(" \t\r\n,]}", p.in[p.at]) < 0 {
			p.at++
		}
		p.put(kind, string(p.in[from:p.at]))
	}
}

// group walks through an object or a list.
func (p *bodyPrinter) group(depth int, path string) {
	open := p.in[p.at]
	end := open + 2 // of both pairs of brackets
	p.at++
	p.put(templates.SpanPlain, string(open))
	p.space()
	if p.in[p.at] == end {
		p.at++
		p.put(templates.SpanPlain, string(end))
		return
	}
	for !p.full() {
		p.line(depth + 1)
		member := "[]"
		if open == '{' {
			member = p.member(depth, path)
		}
		p.value(depth+1, member)
		if p.full() {
			return
		}
		p.space()
		p.at++
		if p.in[p.at-1] == end {
			p.line(depth)
			p.put(templates.SpanPlain, string(end))
			return
		}
		p.put(templates.SpanPlain, ",")
	}
}

// member writes the name of a member and returns the path of its value.
func (p *bodyPrinter) member(depth int, path string) string {
	p.space()
	name := p.text()
	p.put(templates.SpanKey, name+":")
	p.put(templates.SpanPlain, " ")
	p.space()
	p.at++ // the colon
	var decoded string
	if depth >= maxPaths || json.Unmarshal([]byte(name), &decoded) != nil {
		return "[]"
	}
	if path == "" {
		return decoded
	}
	return path + "." + decoded
}

// text is the string that begins here, in its quotes.
func (p *bodyPrinter) text() string {
	from := p.at
	for p.at++; p.in[p.at] != '"'; p.at++ {
		if p.in[p.at] == '\\' {
			p.at++
		}
	}
	p.at++
	return string(p.in[from:p.at])
}

func (p *bodyPrinter) line(depth int) {
	p.put(templates.SpanPlain, "\n"+strings.Repeat("  ", min(depth, maxIndent)))
}

// put adds text in one kind, and what cannot be seen in a kind of its own.
func (p *bodyPrinter) put(kind templates.SpanKind, text string) {
	for len(text) > 0 && !p.cut {
		n, odd := 0, false
		for n < len(text) {
			r, size := utf8.DecodeRuneInString(text[n:])
			if !plainRune(r, size) {
				odd = true
				break
			}
			n += size
		}
		p.add(kind, text[:n])
		text = text[n:]
		if odd {
			r, size := utf8.DecodeRuneInString(text)
			p.add(templates.SpanOdd, escaped(r, size, text[0]))
			text = text[size:]
		}
	}
}

// add adds a span as far as there is room. Neighbours of one kind become one.
func (p *bodyPrinter) add(kind templates.SpanKind, text string) {
	if text == "" || p.cut {
		return
	}
	if room := maxShown - p.size; len(text) > room {
		for room > 0 && !utf8.RuneStart(text[room]) {
			room--
		}
		text, p.cut = text[:room], true
	}
	p.size += len(text)
	if last := len(p.out) - 1; last >= 0 && p.out[last].Kind == kind {
		p.out[last].Text += text
		return
	}
	p.out = append(p.out, templates.Span{Kind: kind, Text: text})
}

// plainRune reports whether a character may stand on a page as it is: not one
// that cannot be seen, nor one that turns the text around it round.
func plainRune(r rune, size int) bool {
	return r == '\n' || r == '\t' || (r != utf8.RuneError || size > 1) && unicode.IsPrint(r)
}

// escaped writes a character out: \u202e, or \x9f for a byte that is no text.
func escaped(r rune, size int, first byte) string {
	switch {
	case r == utf8.RuneError && size <= 1:
		return fmt.Sprintf(`\x%02x`, first)
	case r == '\r':
		return `\r`
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// shownText is how many characters a page shows of what a notification says in
// one place.
const shownText = 300

// visible is text from outside on one line: what cannot be seen is written out,
// and what is longer than most characters is cut.
func visible(text string, most int) string {
	var b strings.Builder
	for i, n := 0, 0; i < len(text); n++ {
		if n == most {
			b.WriteString("…")
			break
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if plainRune(r, size) && r != '\n' && r != '\t' {
			b.WriteString(text[i : i+size])
		} else {
			b.WriteString(escaped(r, size, text[i]))
		}
		i += size
	}
	return b.String()
}
