package exchange

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

	"backoffice/internal/errs"
)

// A Fault is a place of a file that cannot be taken, with the reason. It quotes
// no value.
type Fault struct {
	Line int    // from 1; 0 is the file as a whole
	ID   string // of the entry, if the row has one
	Msg  string
}

// A sentence is an error for people: whole, with what to do.
type sentence string

func (s sentence) Error() string { return string(s) }

// Read reads a file of either shape. What is wrong with single rows comes back as
// faults beside the rows that are right; an errs.Field on "file" means that
// nothing of it can be read. Whoever wrote the file is not believed: sizes are
// bounded, and no part of a value gets into an error.
func Read(b []byte) (File, []Fault, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	switch {
	case len(bytes.TrimSpace(b)) == 0:
		return File{}, nil, errs.Field("file", "The file is empty. Choose one, or paste its text.")
	case len(b) > MaxFile:
		return File{}, nil, errs.Field("file", fmt.Sprintf("The file has %d bytes; %d MiB are read. Export in parts, by the vendor for example.", len(b), MaxFile>>20))
	case !utf8.Valid(b):
		return File{}, nil, errs.Field("file", "The file is not text in UTF-8. Choose the file of an export, or save it as UTF-8.")
	}
	read := readYAML
	if b[bytes.IndexFunc(b, func(r rune) bool { return !strings.ContainsRune(" \t\r\n", r) })] == '{' {
		read = readJSON
	}
	head, rows, err := read(b)
	if err != nil {
		return File{}, nil, err
	}
	f, err := readHead(head)
	if err != nil {
		return File{}, nil, err
	}
	if len(rows) > MaxRows {
		return File{}, nil, errs.Field("file", fmt.Sprintf("The file has %d entries; %d are taken at once. Cut it in parts.", len(rows), MaxRows))
	}
	var faults []Fault
	f.Entries, faults = readRows(rows)
	return f, faults, nil
}

// A rawRow is a row as JSON, or why it is none.
type rawRow struct {
	line  int
	json  []byte
	fault string
}

// readHead reads everything of a file but its entries.
func readHead(b []byte) (File, error) {
	var f File
	if err := strictly(b, &f); err != nil {
		return File{}, errs.Field("file", "The head of the file cannot be read: "+err.Error()+" Compare it with an export.")
	}
	if f.Format != Format {
		was := "It says no format."
		if f.Format != "" {
			was = fmt.Sprintf("Its format is %q.", cut(f.Format))
		}
		return File{}, errs.Field("file", was+" This program reads "+Format+": the file has to say so in its first line.")
	}
	return f, nil
}

// readRows reads the rows one by one, so that each fault has its place.
func readRows(raw []rawRow) (rows []Row, faults []Fault) {
	seen := map[string]int{}
	for _, x := range raw {
		var row Row
		msg := x.fault
		if msg == "" {
			if err := strictly(x.json, &row); err != nil {
				msg = err.Error()
			}
		}
		row.line = x.line
		if first, twice := seen[row.ID]; msg == "" && twice {
			msg = fmt.Sprintf("This id is in line %d already. Remove one of the two.", first)
		}
		if msg == "" && row.ID == "" {
			msg = "The row has no id, such as acme:intercom."
		}
		if name, both := row.both(); msg == "" && both {
			msg = fmt.Sprintf("%s stands in values and in secrets. Leave it in one of them.", cut(name))
		}
		if msg != "" {
			faults = append(faults, Fault{Line: x.line, ID: cut(row.ID), Msg: msg})
			continue
		}
		seen[row.ID] = x.line
		rows = append(rows, row)
	}
	return rows, faults
}

// both finds a name that is a value and a secret at once.
func (r Row) both() (string, bool) {
	for name := range r.Secrets {
		if _, ok := r.Values[name]; ok {
			return name, true
		}
	}
	return "", false
}

// strictly decodes JSON and refuses what the type does not know. The error is a
// sentence that quotes names, and no values.
func strictly(b []byte, into any) error {
	if name, twice := repeated(json.NewDecoder(bytes.NewReader(b))); twice {
		return sentence(fmt.Sprintf("%q is there twice.", cut(name)))
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		return sentence(fmt.Sprintf("%s has to be a %s.", cmp.Or(kind.Field, "A row"), shapeOf(kind.Type.Kind().String())))
	case errors.Is(err, errNoScalar):
		return sentence("A value is a text, a number, true, false or null; lists and objects cannot be kept.")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return sentence(fmt.Sprintf("%s is not known here. Check its spelling, or remove it.", cut(name)))
	}
	return sentence("It is not of the shape that an export has.")
}

func shapeOf(kind string) string {
	switch kind {
	case "struct", "map":
		return "list of names with values"
	case "slice":
		return "list"
	case "string":
		return "text"
	case "int", "int64":
		return "whole number"
	case "bool":
		return "true or false"
	}
	return "time, such as 2026-01-31T12:00:00Z"
}

// repeated finds a name that an object of the next JSON value has twice, at any depth.
func repeated(d *json.Decoder) (string, bool) {
	var open []map[string]bool // nil for a list
	name := true               // the next text of an object is a name
	for {
		t, err := d.Token()
		if err != nil {
			return "", false // the decoder says what is wrong
		}
		inside := len(open) > 0 && open[len(open)-1] != nil
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{':
				open, name = append(open, map[string]bool{}), true
				continue
			case '[':
				open = append(open, nil)
				continue
			}
			open = open[:len(open)-1]
		case string:
			if inside && name {
				if open[len(open)-1][t] {
					return t, true
				}
				open[len(open)-1][t] = true
				name = false
				continue
			}
		}
		name = true
		if len(open) == 0 {
			return "", false
		}
	}
}

// readJSON takes the rows out of a file of JSON, each with its line.
func readJSON(b []byte) (head []byte, rows []rawRow, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	lines := lineCounter{b: b}
	bad := func(err error) error {
		at := d.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = syntax.Offset
		}
		return errs.Field("file", fmt.Sprintf("Line %d is no JSON that can be read. Look for a comma or a quotation mark that lacks there, or that the file is whole.", lines.at(at)))
	}
	if _, err := d.Token(); err != nil { // {
		return nil, nil, bad(err)
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, nil, bad(err)
		}
		name, _ := t.(string)
		if _, twice := members[name]; twice {
			return nil, nil, errs.Field("file", fmt.Sprintf("%q is in the head of the file twice. Remove one.", cut(name)))
		}
		if name == "entries" {
			members[name] = json.RawMessage("[]")
			if rows, err = jsonRows(d, &lines); err != nil {
				return nil, nil, bad(err)
			}
			continue
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, nil, bad(err)
		}
		members[name] = raw
	}
	if _, err := d.Token(); err != nil { // }
		return nil, nil, bad(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, bad(err)
	}
	head, err = json.Marshal(members)
	return head, rows, err
}

func jsonRows(d *json.Decoder, lines *lineCounter) (rows []rawRow, err error) {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, cmp.Or(err, errors.New("entries is no list"))
	}
	for d.More() {
		at := d.InputOffset()
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		rows = append(rows, rawRow{line: lines.begin(at), json: raw})
	}
	_, err = d.Token()
	return rows, err
}

// A lineCounter turns offsets, which only rise, into numbers of lines.
type lineCounter struct {
	b    []byte
	done int64
	n    int
}

func (l *lineCounter) at(offset int64) int {
	offset = min(max(offset, l.done), int64(len(l.b)))
	l.n += bytes.Count(l.b[l.done:offset], []byte("\n"))
	l.done = offset
	return l.n + 1
}

// begin is the line on which the value after offset begins.
func (l *lineCounter) begin(offset int64) int {
	for offset < int64(len(l.b)) && slices.Contains([]byte(" \t\r\n,"), l.b[offset]) {
		offset++
	}
	return l.at(offset)
}
