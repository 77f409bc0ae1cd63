package audit_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
)

// export is what Export writes.
func export(t testing.TB, n *audit.Notary, f audit.Filter) ([]byte, audit.Manifest) {
	t.Helper()
	var b bytes.Buffer
	m, err := n.Export(t.Context(), &b, audit.Exporting{By: audit.Actor{Name: "person/1@acme.example"}, Filter: f})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), m
}

func verification(t testing.TB, older ...[]byte) audit.Verification {
	t.Helper()
	v := audit.Verification{Key: key(t, signer(t, 7))}
	for _, b := range older {
		heads, err := audit.ReadEarlier(bytes.NewReader(b), int64(len(b)), "the older", v.Key)
		if err != nil {
			t.Fatal(err)
		}
		v.Earlier = append(v.Earlier, heads...)
	}
	return v
}

func verify(v audit.Verification, b []byte) (audit.Proven, error) {
	return v.File(bytes.NewReader(b), int64(len(b)))
}

// isFault fails the test unless err says that something does not hold.
func isFault(t *testing.T, what string, err error, words string) {
	t.Helper()
	var fault *audit.Fault
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: %v; want a fault with %q", what, err, words)
	}
}

// Every size around the powers of two, so that every shape of a tree is met; 501
// and 1001 are more than a portion.
func TestExportOfAllIsVerified(t *testing.T) {
	for _, events := range []int{0, 1, 2, 3, 4, 7, 8, 30, 31, 501, 1001} {
		s := open(t)
		fill(t, s, events)
		b, m := export(t, notary(t, s), audit.Filter{})
		if want := int64(events + 1); m.Events != want || m.Size != want || m.Kind != audit.KindAll {
			t.Errorf("manifest %+v, want all %d with the event of the export", m, want)
		}
		p, err := verify(verification(t), b)
		if err != nil || p.Events != m.Events || p.Head.Size != m.Size || p.Kind != audit.KindAll || p.Earlier != 0 {
			t.Errorf("export of %d events: %+v, %v", events, p, err)
		}
	}
}

// A filtered export has what a plain loop over all events chooses.
func TestFilteredExportIsVerified(t *testing.T) {
	const total = 1203
	s := open(t)
	fill(t, s, total)
	n := notary(t, s)
	for name, f := range map[string]audit.Filter{
		"who":     {Who: "person/1@acme.example", To: start.Add(total * time.Hour)},
		"action":  {Action: audit.EntrySaved},
		"target":  {Target: "acme:service3"},
		"outcome": {Outcome: audit.Refused},
		"time":    {From: start.Add(50 * time.Hour), To: start.Add(52 * time.Hour)},
		"mixed":   {Who: "person/2@acme.example", Outcome: audit.Failed, Target: "acme:service0"},
		"none":    {Who: "nobody@acme.example"},
		"ignored": {Outcome: audit.Failed, Before: 40, Limit: 3},
	} {
		t.Run(name, func(t *testing.T) {
			b, m := export(t, n, f)
			want := 0
			for i := range total {
				e := event(i)
				if (f.Who == "" || f.Who == e.Actor.Name) && (f.Action == "" || f.Action == e.Action) && (f.Target == "" || f.Target == e.Target) &&
					(f.Outcome == "" || f.Outcome == e.Outcome) && (f.From.IsZero() || !e.Time.Before(f.From)) && (f.To.IsZero() || e.Time.Before(f.To)) {
					want++
				}
			}
			p, err := verify(verification(t), b)
			f.Before, f.Limit = 0, 0
			if err != nil || int(p.Events) != want || m.Events != p.Events || p.Kind != audit.KindFiltered || !reflect.DeepEqual(p.Filter, f) {
				t.Errorf("%+v, %v; want %d events", p, err, want)
			}
		})
	}
}

// What is exported while events are added is of one tree.
func TestExportBesideChanges(t *testing.T) {
	s := open(t)
	fill(t, s, 1500)
	n := notary(t, s)
	w := &meddler{meddle: func() {
		if err := audit.Record(t.Context(), s, event(1)); err != nil {
			t.Error(err)
		}
	}}
	m, err := n.Export(t.Context(), w, audit.Exporting{})
	if err != nil || m.Size != 1501 || !w.done {
		t.Fatalf("%+v, %v", m, err)
	}
	if p, err := verify(verification(t), w.Bytes()); err != nil || p.Events != 1501 {
		t.Errorf("%+v, %v", p, err)
	}
}

// meddler does something at the first write.
type meddler struct {
	bytes.Buffer
	meddle func()
	done   bool
}

func (m *meddler) Write(p []byte) (int, error) {
	if !m.done {
		m.done = true
		m.meddle()
	}
	return m.Buffer.Write(p)
}

// That somebody exports is on record before the first byte leaves.
func TestExportIsOnRecord(t *testing.T) {
	s := open(t)
	fill(t, s, 3)
	n := notary(t, s)
	export(t, n, audit.Filter{Target: "acme:service1"})
	var table bytes.Buffer
	if err := audit.NewLog(s).CSV(t.Context(), &table, audit.Exporting{By: audit.Actor{Name: "person/2@acme.example"}}, start); err != nil {
		t.Fatal(err)
	}
	page, err := audit.NewLog(s).List(t.Context(), audit.Filter{Action: audit.LogExported})
	if err != nil || len(page.Events) != 2 {
		t.Fatalf("%d events, %v; want 2", len(page.Events), err)
	}
	if e := page.Events[1]; e.Actor.Name != "person/1@acme.example" || !strings.Contains(e.Note, `{"target":"acme:service1"}`) {
		t.Errorf("the export's event is %+v", e)
	}
	if e := page.Events[0]; e.Actor.Name != "person/2@acme.example" || !strings.Contains(e.Note, "table") {
		t.Errorf("the table's event is %+v", e)
	}
	fails := failing{}
	if _, err := n.Export(t.Context(), fails, audit.Exporting{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("an export that nobody takes: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestLaterExportContinuesTheEarlier(t *testing.T) {
	s := open(t)
	n := notary(t, s)
	fill(t, s, 5)
	first, _ := export(t, n, audit.Filter{})
	note, err := n.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := n.Receipt(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := audit.Record(t.Context(), s, event(i)); err != nil {
			t.Fatal(err)
		}
	}
	second, _ := export(t, n, audit.Filter{})
	if p, err := verify(verification(t, first, note.Note, receipt, second), second); err != nil || p.Earlier != 4 {
		t.Errorf("%+v, %v", p, err)
	}
	short, err := audit.ParseShort(note.Short())
	if err != nil {
		t.Fatal(err)
	}
	v := audit.Verification{Key: key(t, signer(t, 7)), Earlier: []audit.Earlier{short.Kept("paper")}}
	if p, err := verify(v, second); err != nil || p.Earlier != 1 {
		t.Errorf("short form: %+v, %v", p, err)
	}
	_, err = verify(verification(t, second), first)
	isFault(t, "the wrong order", err, "6 events, but the older is a head of 27")

	other := open(t) // the same signer, another history
	fill(t, other, 4)
	if err := audit.Record(t.Context(), other, event(9)); err != nil {
		t.Fatal(err)
	}
	fork := notary(t, other)
	export(t, fork, audit.Filter{})
	forked, _ := export(t, fork, audit.Filter{})
	_, err = verify(verification(t, first), forked)
	isFault(t, "a fork", err, "first 6 events are not those of the older")
	_, err = verify(v, forked)
	isFault(t, "a fork beside paper", err, "first 6 events are not those of paper")

	some, _ := export(t, n, audit.Filter{Outcome: audit.Done})
	var fault *audit.Fault
	if _, err = verify(verification(t, first), some); err == nil || errors.As(err, &fault) || !strings.Contains(err.Error(), "takes an export of all events") {
		t.Errorf("a filtered export beside an older: %v; want that it cannot be checked", err)
	}
}

func TestReceiptIsVerified(t *testing.T) {
	for _, events := range []int{1, 2, 3, 8, 13} {
		s := open(t)
		fill(t, s, events)
		n := notary(t, s)
		for i := range events {
			b, err := n.Receipt(t.Context(), int64(i))
			if err != nil {
				t.Fatal(err)
			}
			want := event(i)
			want.N = int64(i)
			p, err := verify(verification(t), b)
			if err != nil || !reflect.DeepEqual(p.Event, want) || p.Kind != audit.KindReceipt || p.Head.Size != int64(events) || p.Events != 1 {
				t.Errorf("receipt %d of %d: %+v, %v", i, events, p, err)
			}
		}
		if _, err := n.Receipt(t.Context(), int64(events)); err == nil || !strings.Contains(err.Error(), "has no event") {
			t.Errorf("a receipt of no event: %v", err)
		}
	}
}

func TestVerifyNamesWhatItCannotRead(t *testing.T) {
	s := open(t)
	fill(t, s, 3)
	b, _ := export(t, notary(t, s), audit.Filter{})
	_, err := verify(audit.Verification{Key: key(t, signer(t, 8))}, b)
	isFault(t, "another key", err, "not signed with the key")
	for _, other := range []string{"", "{}", "hello"} {
		if _, err := verify(verification(t), []byte(other)); !errors.Is(err, audit.ErrUnknownFile) {
			t.Errorf("%q: %v", other, err)
		}
		if _, err := audit.ReadEarlier(strings.NewReader(other), int64(len(other)), "x", key(t, signer(t, 7))); err == nil {
			t.Errorf("%q has heads", other)
		}
	}
	seen := []string{}
	v := verification(t)
	v.Progress = func(done, of int64) { seen = append(seen, fmt.Sprint(done, "/", of)) }
	if _, err := verify(v, b); err != nil || !slices.Equal(seen, []string{"4/4"}) {
		t.Errorf("progress %v, %v", seen, err)
	}
}

// unzip and rezip take an export apart and put it together again.
func unzip(t testing.TB, b []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func rezip(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name}) // not compressed: quicker
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// No cell is a formula, and the table reads back as it was.
func TestTableHasNoFormula(t *testing.T) {
	s := open(t)
	evil := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\ufeff=1", "＝1", "＋1", "－1", "＠1", "|calc", "%0A=1"}
	words := append(slices.Clone(evil), "plain", "a=b", "a", "b", "“,\"", "")
	for i, word := range words {
		e := event(i)
		e.Reason, e.Target, e.Actor.Name, e.Note = word, word, word, word
		e.Changes = []audit.Change{{Key: word, Before: word, After: word}}
		if err := audit.Record(t.Context(), s, e); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := audit.NewLog(s).CSV(t.Context(), &b, audit.Exporting{Filter: audit.Filter{Outcome: audit.Done}}, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{}
	for i, word := range words {
		if e := event(i); e.Outcome == audit.Done {
			if i < len(evil) {
				word = "'" + word
			}
			want = append(want, []string{fmt.Sprint(i), word, word, word})
		}
	}
	if len(rows) != len(want)+2 || rows[0][0] != "event" || rows[len(rows)-1][6] != string(audit.LogExported) {
		t.Fatalf("%d rows, want the titles, %d events and the export's own: %q", len(rows), len(want), rows)
	}
	for i, w := range want {
		row := rows[i+1]
		if got := []string{row[0], row[2], row[11], row[13]}; !slices.Equal(got, w) || strings.HasPrefix(w[1], "'") != strings.HasPrefix(row[12], "'") {
			t.Errorf("row %d: %q, want %q", i+1, row, w)
		}
	}
}
