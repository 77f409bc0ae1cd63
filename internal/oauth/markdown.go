package oauth

import (
	"strings"
	"unicode"
)

// A markdown is a text that is being written. Whatever it is given as a value is
// foreign: it cannot leave its cell, and makes no link, image, HTML or emphasis,
// in any dialect of Markdown.
type markdown struct{ strings.Builder }

func (m *markdown) heading(level int, ours string) {
	m.WriteString(strings.Repeat("#", level) + " " + ours + "\n\n")
}

// item is a line of a list. Behind the first word, nothing begins a block.
func (m *markdown) item(words string) { m.WriteString("- " + words + "\n") }

func (m *markdown) para(words string) { m.WriteString(words + "\n\n") }

func (m *markdown) end() { m.WriteString("\n") }

// table writes cells that code, prose or this package made.
func (m *markdown) table(columns []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	m.row(columns)
	m.WriteString(strings.Repeat("|---", len(columns)) + "|\n")
	for _, r := range rows {
		m.row(r)
	}
	m.end()
}

func (m *markdown) row(cells []string) {
	for _, c := range cells {
		if c == "" {
			c = "–"
		}
		m.WriteString("| " + c + " ")
	}
	m.WriteString("|\n")
}

// unmarked has the four characters that could end a code span, a cell or begin
// HTML in a careless dialect, and what stands for them. The HAR file has them as
// they were.
var unmarked = strings.NewReplacer("`", "ˋ", "|", "¦", "<", "‹", ">", "›")

// marked takes unmarked back, for the search of a finished file.
var marked = strings.NewReplacer("ˋ", "`", "¦", "|", "‹", "<", "›", ">")

// code is a foreign text as a code span, in which nothing is looked for.
func code(s string) string {
	if s = strings.Join(strings.Fields(unmarked.Replace(printable(s))), " "); s == "" {
		return ""
	}
	return "`" + s + "`"
}

// prose is a sentence, which may quote a foreign text: words that could be more
// than a word are code.
func prose(s string) string {
	words := strings.Fields(printable(s))
	out := make([]string, 0, len(words))
	for from := 0; from < len(words); {
		to := from + 1
		if plain(words[from]) {
			out = append(out, words[from])
		} else {
			for to < len(words) && !plain(words[to]) {
				to++
			}
			span := strings.Join(words[from:to], " ")
			inner := strings.TrimRight(strings.TrimLeft(span, `("`), `.,;:!?)"`) // the marks of a sentence are no part of an address
			before, after, _ := strings.Cut(span, inner)
			out = append(out, before+code(inner)+after)
		}
		from = to
	}
	return strings.Join(out, " ")
}

// plain reports whether a word means itself in every dialect: letters and digits
// with the punctuation of a sentence around them. A dot or a colon between
// letters could make a host of it.
func plain(word string) bool {
	inner := strings.Trim(word, `.,;:?!"'’“”()…`)
	if strings.Trim(inner, "0123456789.") == "" {
		return true
	}
	return !strings.ContainsFunc(inner, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("-–'’", c)
	})
}
