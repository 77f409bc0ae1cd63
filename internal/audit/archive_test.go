package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// A keeper is a log of which old events are archived.
type keeper struct {
	store   store.Store
	dir     string
	archive *audit.Archive
	log     *audit.Log
	notary  *audit.Notary
}

func newKeeper(t testing.TB, s store.Store, dir string) keeper {
	t.Helper()
	k := keeper{store: s, dir: dir, archive: audit.OpenArchive(dir)}
	k.log = audit.NewLog(s).With(k.archive)
	k.notary = audit.NewNotary(audit.NotaryOptions{Store: s, Signer: signer(t, 7), Now: func() time.Time { return later }, Archive: k.archive})
	return k
}

// archiver keeps the events from number n on, of those of event.
func (k keeper) archiver(n int, ship *audit.Shipper) *audit.Archiver {
	return audit.NewArchiver(audit.ArchiverOptions{Notary: k.notary, Archive: k.archive, Keep: later.Sub(start.Add(time.Duration(n) * time.Hour)), Shipper: ship})
}

// keep archives until there is nothing more to do.
func (k keeper) keep(t testing.TB, n int) {
	t.Helper()
	for a, more := k.archiver(n, nil), true; more; {
		var err error
		if more, err = a.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func (k keeper) check(t testing.TB) (audit.CheckState, error) {
	t.Helper()
	c := audit.NewChecker(audit.CheckerOptions{Notary: k.notary})
	err := c.Run(t.Context())
	return c.State(), err
}

// files are the archive files, the oldest first.
func (k keeper) files(t testing.TB) (paths []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(k.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func slurp(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// part is a file for a verification.
func part(name string, b []byte) audit.Part {
	return audit.Part{Name: name, R: bytes.NewReader(b), Size: int64(len(b))}
}

// listAll pages through the log.
func listAll(t testing.TB, l *audit.Log, f audit.Filter) (out []audit.Event, missing []string) {
	t.Helper()
	for {
		p, err := l.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		out, missing = append(out, p.Events...), append(missing, p.Missing...)
		if !p.More {
			return out, missing
		}
		if f.Before != 0 && p.Next >= f.Before {
			t.Fatalf("a page that goes nowhere: %d, then %d", f.Before, p.Next)
		}
		f.Before = p.Next
	}
}

func filters() map[string]audit.Filter {
	return map[string]audit.Filter{
		"all": {}, "who": {Who: "person/1@acme.example"}, "action": {Action: audit.EntrySaved}, "target": {Target: "acme:service3", Limit: 7}, "outcome": {Outcome: audit.Refused},
		"from": {From: start.Add(150 * time.Hour)}, "to": {To: start.Add(350 * time.Hour)}, "old": {From: start.Add(50 * time.Hour), To: start.Add(60 * time.Hour)},
		"across": {From: start.Add(280 * time.Hour), To: start.Add(320 * time.Hour), Outcome: audit.Done}, "mixed": {Who: "person/2@acme.example", Target: "acme:service0"},
		"nobody": {Who: "nobody@acme.example"}, "before": {Before: 120, Limit: 30}}
}

// What pages, filters, receipts and exports give out is the same before and after
// events moved into archive files, and their records in the store are gone.
func TestArchivedEventsAreStillThere(t *testing.T) {
	k := newKeeper(t, open(t), t.TempDir())
	fill(t, k.store, 500)
	before := map[string][]audit.Event{}
	for name, f := range filters() {
		f.To = min0(f.To)
		before[name], _ = listAll(t, k.log, f)
	}
	k.keep(t, 150) // two files
	k.keep(t, 300)
	if got := len(k.files(t)); got != 2 {
		t.Fatalf("%d files", got)
	}
	if n := len(keys(t, k.store, "audit/event/")); n != 202 { // with two events about the archive
		t.Errorf("%d events in the store, want 202", n)
	}
	for _, ix := range keys(t, k.store, "audit/by/") {
		if n := ix[len(ix)-16:]; n < fmt.Sprintf("%016d", 300) {
			t.Fatalf("the index %s is still there", ix)
		}
	}
	for name, f := range filters() {
		f.To = min0(f.To)
		if after, missing := listAll(t, k.log, f); !reflect.DeepEqual(after, before[name]) || missing != nil {
			t.Errorf("%s: %d events, want %d; missing %v", name, len(after), len(before[name]), missing)
		}
	}
	for _, n := range []int64{0, 149, 150, 299, 300, 499} {
		want := event(int(n))
		want.N = n
		leaf, err := k.log.Get(t.Context(), n)
		if err != nil || !reflect.DeepEqual(leaf.Event, want) {
			t.Errorf("event %d: %+v, %v", n, leaf.Event, err)
		}
		b, err := k.notary.Receipt(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := verify(verification(t), b); err != nil || p.Event.N != n {
			t.Errorf("receipt %d: %+v, %v", n, p.Event, err)
		}
	}
	said, err := k.log.Get(t.Context(), 500)
	if e := said.Event; err != nil || e.Action != audit.LogArchived || e.Actor != (audit.Actor{}) || e.Note != "Events 0 to 149 are in "+filepath.Base(k.files(t)[0])+"." {
		t.Errorf("the event of the archive: %+v, %v", e, err)
	}
	for name, f := range filters() {
		f.Before, f.To = 0, min0(f.To)
		b, m := export(t, k.notary, f)
		p, err := verify(verification(t), b)
		if want := len(before[name]); err != nil || p.Events != m.Events || name != "before" && int(p.Events) != want {
			t.Errorf("export %s: %+v, %v; want %d events", name, p, err, want)
		}
	}
	if st, err := k.check(t); err != nil || st.Unread != 0 || st.Done != st.Of {
		t.Errorf("check: %+v, %v", st, err)
	}
}

// min0 keeps the events that the test itself makes out of a filter.
func min0(to time.Time) time.Time {
	if to.IsZero() {
		return start.Add(500 * time.Hour)
	}
	return to
}

// Without its file, an archived event is named with the file, and all else works.
func TestMissingArchiveIsNamed(t *testing.T) {
	k := newKeeper(t, open(t), t.TempDir())
	fill(t, k.store, 300)
	k.keep(t, 100)
	k.keep(t, 200)
	gone := k.files(t)[0]
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(gone)
	_, err := k.log.Get(t.Context(), 99)
	if kind, msg := errs.Of(err); kind != errs.Unavailable || !strings.Contains(msg, "Events 0 to 99 are in the archive file "+name) {
		t.Errorf("an event of it: %v", err)
	}
	if _, err := k.log.Get(t.Context(), 100); err != nil {
		t.Errorf("an event of the other file: %v", err)
	}
	events, missing := listAll(t, k.log, audit.Filter{To: start.Add(300 * time.Hour)})
	if len(events) != 200 || len(missing) != 1 || !strings.Contains(missing[0], name) {
		t.Errorf("%d events, missing %q", len(events), missing)
	}
	if events, missing := listAll(t, k.log, audit.Filter{From: start.Add(150 * time.Hour), To: start.Add(300 * time.Hour)}); len(events) != 150 || missing != nil {
		t.Errorf("it is not needed: %d events, missing %q", len(events), missing)
	}
	_, err = k.notary.Export(t.Context(), &bytes.Buffer{}, audit.Exporting{})
	if _, msg := errs.Of(err); !strings.Contains(msg, name) {
		t.Errorf("an export of all: %v", err)
	}
	var b bytes.Buffer
	m, err := k.notary.Export(t.Context(), &b, audit.Exporting{Live: true})
	if p, verifyErr := verify(verification(t), b.Bytes()); err != nil || verifyErr != nil || p.From != 200 || p.Events != m.Events || p.Kind != audit.KindPart {
		t.Errorf("an export of what is live: %+v, %v, %v", p, err, verifyErr)
	}
	if st, err := k.check(t); err != nil || st.Unread != 100 {
		t.Errorf("check: %+v, %v", st, err)
	}
	if _, _, err := k.changeAndReceipt(t); err != nil {
		t.Errorf("a change: %v", err)
	}
	if _, err := audit.NewLog(k.store).Get(t.Context(), 150); err == nil || !strings.Contains(err.Error(), "--audit-archive") {
		t.Errorf("without a directory: %v", err)
	}
}

func (k keeper) changeAndReceipt(t testing.TB) (int64, []byte, error) {
	t.Helper()
	n, err := k.log.Size(t.Context())
	if err == nil {
		err = audit.Record(t.Context(), k.store, event(1))
	}
	if err != nil {
		return n, nil, err
	}
	b, err := k.notary.Receipt(t.Context(), n)
	return n, b, err
}

// Archive files, alone and together, with and without what is live, are checked
// against signed heads and against older ones.
func TestArchivesAreVerified(t *testing.T) {
	k := newKeeper(t, open(t), t.TempDir())
	fill(t, k.store, 300)
	early, _ := export(t, k.notary, audit.Filter{}) // 301 events
	k.keep(t, 100)
	k.keep(t, 200)
	a, b := part("a", slurp(t, k.files(t)[0])), part("b", slurp(t, k.files(t)[1]))
	var live bytes.Buffer
	if _, err := k.notary.Export(t.Context(), &live, audit.Exporting{Live: true}); err != nil {
		t.Fatal(err)
	}
	rest, all := part("rest", live.Bytes()), part("all", early)
	for name, tt := range map[string]struct {
		files        []audit.Part
		from, events int64
		wrong        string
	}{
		"first":         {[]audit.Part{a}, 0, 100, ""},
		"second":        {[]audit.Part{b}, 100, 100, ""},
		"both":          {[]audit.Part{b, a}, 0, 200, ""},
		"with the rest": {[]audit.Part{rest, a, b}, 0, 304, ""},
		"the rest":      {[]audit.Part{rest}, 200, 104, ""},
		"a gap":         {[]audit.Part{a, rest}, 0, 0, "events 100 to 199 are in none of the files"},
		"twice":         {[]audit.Part{a, a}, 0, 0, "has events that another"},
		"overlap":       {[]audit.Part{a, all}, 0, 0, "has events that another"},
	} {
		p, err := verification(t).Files(tt.files)
		if tt.wrong != "" {
			var fault *audit.Fault
			if err == nil || errors.As(err, &fault) || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s: %v, want %q", name, err, tt.wrong)
			}
			continue
		}
		if err != nil || p.From != tt.from || p.Events != tt.events || p.Kind != audit.KindPart || p.Head.Size != tt.from+tt.events {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	since := verification(t, early)
	if p, err := since.Files([]audit.Part{a, b, rest}); err != nil || p.Earlier != 1 {
		t.Errorf("since an older export: %+v, %v", p, err)
	}
	if p, err := since.Files([]audit.Part{rest}); err != nil || p.Earlier != 1 {
		t.Errorf("the rest alone, since: %+v, %v", p, err)
	}
	_, err := since.Files([]audit.Part{a})
	isFault(t, "an archive against a later head", err, "head of 301")
	old := verification(t, slurp(t, k.files(t)[0]))
	if p, err := old.Files([]audit.Part{b, rest}); err != nil || p.Earlier != 1 {
		t.Errorf("since the first archive: %+v, %v", p, err)
	}
	before := verification(t)
	before.Earlier = []audit.Earlier{p99(t)}
	if _, err := before.Files([]audit.Part{rest}); err == nil || !strings.Contains(err.Error(), "these begin with event 200") {
		t.Errorf("a head from before: %v", err)
	}
}

// p99 is a kept head of 99 events.
func p99(t testing.TB) audit.Earlier {
	t.Helper()
	h, err := audit.ParseShort("99 " + strings.Repeat("0", 32))
	if err != nil {
		t.Fatal(err)
	}
	return h.Kept("paper")
}
