package exchange_test

import (
	"strings"
	"testing"

	"backoffice/internal/errs"
	"backoffice/internal/exchange"
)

// TestReadFaults has files that cannot be read at all, and rows that cannot, each
// with its line. No answer quotes a value.
func TestReadFaults(t *testing.T) {
	const head = "format: backoffice.entries/1\nentries:\n"
	for _, tt := range []struct {
		name, file string
		says       string // of the whole file
		line       int    // of the one row at fault
		row        string
	}{
		{name: "empty", file: " \n", says: "The file is empty."},
		{name: "no text", file: "{\xff}", says: "not text in UTF-8"},
		{name: "broken JSON", file: "{\n\"format\": \"backoffice.entries/1\",\n\"entries\": [{\"id\" \"HIDDEN\"}]}", says: "Line 3 is no JSON"},
		{name: "cut JSON", file: "{\n\"format\": \"backoffice.entries/1\",\n\"entries\": [", says: "Line 3 is no JSON"},
		{name: "more after JSON", file: "{\"format\": \"backoffice.entries/1\"}\n{}", says: "Line 2 is no JSON"},
		{name: "a member twice", file: `{"format": "backoffice.entries/1", "by": "a", "by": "b"}`, says: `"by" is in the head of the file twice`},
		{name: "another format", file: "format: other/2\n", says: `Its format is "other/2". This program reads backoffice.entries/1`},
		{name: "no format", file: "entries: []\n", says: "It says no format."},
		{name: "a list", file: "- HIDDEN\n", says: "This is no file of entries"},
		{name: "unknown in the head", file: head + "  []\nentires: []\n", says: "\"entires\" is not known here"},
		{name: "broken YAML", file: head + "  - id: \"acme:HIDDEN\n", says: "Line 3 is no YAML"},
		{name: "two documents", file: head + "  - id: a:b\n---\na: b\n", says: "one document"},
		{name: "deep brackets", file: head + "  - " + strings.Repeat("[", 5000) + "\n", says: "Line 3 nests deeper"},
		{name: "deep dashes", file: head + "  " + strings.Repeat("- ", 5000) + "\n", says: "Line 3 nests deeper"},
		{name: "entries is no list", file: "format: backoffice.entries/1\nentries: HIDDEN\n", says: "entries has to be a list"},

		{name: "an anchor", file: head + "  - id: acme:a\n  - id: acme:b\n    values: &x {a: HIDDEN}\n", line: 4, row: "uses an anchor"},
		{name: "a number of another notation", file: head + "  - id: acme:a\n    values:\n      n: 0x1F\n", line: 3, row: "line 5 has a number in a notation"},
		{name: "an id twice", file: head + "  - id: acme:a\n  - id: acme:a\n", line: 4, row: "This id is in line 3 already"},
		{name: "no id", file: head + "  - values: {a: HIDDEN}\n", line: 3, row: "The row has no id"},
		{name: "an object as a value", file: head + "  - id: acme:a\n    values: {a: {b: HIDDEN}}\n", line: 3, row: "lists and objects cannot be kept"},
		{name: "a row that is a text", file: head + "  - HIDDEN\n", line: 3, row: "A row has to be a list of names with values"},
		{name: "a key twice", file: head + "  - id: acme:a\n    values:\n      a: HIDDEN\n      a: HIDDEN\n", line: 3, row: `"a" is there twice`},
		{name: "JSON rows have lines", file: "{\"format\": \"backoffice.entries/1\",\n\"entries\": [\n{\"id\": \"a:b\"},\n\n{\"ID\": 1, \"x\": \"HIDDEN\"}]}", line: 5, row: "id has to be a text"},
	} {
		f, faults, err := exchange.Read([]byte(tt.file))
		said := errs.Fields(err)["file"]
		if tt.says != "" && !strings.Contains(said, tt.says) || tt.says == "" && err != nil {
			t.Errorf("%s: %v %+v", tt.name, err, f)
		}
		if tt.row != "" && (len(faults) != 1 || faults[0].Line != tt.line || !strings.Contains(faults[0].Msg, tt.row)) || tt.row == "" && len(faults) != 0 {
			t.Errorf("%s: %+v", tt.name, faults)
		}
		for _, x := range faults {
			said += x.Msg + x.ID
		}
		if strings.Contains(said, "HIDDEN") {
			t.Errorf("%s quotes a value: %s", tt.name, said)
		}
	}
}

// FuzzRead: whatever is read does not bring the program down, and what was read
// can be written and read again.
func FuzzRead(f *testing.F) {
	f.Add([]byte("format: backoffice.entries/1\nentries:\n  - id: acme:a\n    values: {a: 1.50, b: x, c: null}\n"))
	f.Add([]byte(`{"format":"backoffice.entries/1","entries":[{"id":"a:b","values":{"k":"\u003c\ud83d\ude00"},"secrets":{"s":{"length":3}}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, _, err := exchange.Read(b)
		if err != nil {
			return
		}
		for _, shape := range []exchange.Shape{exchange.JSON, exchange.YAML} {
			var out strings.Builder
			if err := file.Write(&out, shape); err != nil {
				t.Fatalf("%s: %v", shape, err)
			}
			again, faults, err := exchange.Read([]byte(out.String()))
			if err != nil || len(faults) != 0 || len(again.Entries) != len(file.Entries) {
				t.Fatalf("%s: %v %v of\n%s", shape, err, faults, out.String())
			}
			var back strings.Builder
			if err := again.Write(&back, shape); err != nil || back.String() != out.String() {
				t.Fatalf("%s came back as\n%s\nnot as\n%s", shape, back.String(), out.String())
			}
		}
	})
}
