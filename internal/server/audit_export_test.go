package server

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/store"
)

// Each form of an export is what it says, with what the filter chooses, and the
// event of the export is in it.
func TestExportFromThePage(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:other", func(d *config.Draft) { d.Reason = "=HYPERLINK(1)" })
	p := h.owner()
	page := p.get("/audit?target=acme:other").want(200, "CSV, as filtered", "Everything, as a zip that can be verified")
	if got := controls(page.one("form[action=/audit/export]")); got.Encode() != "target=acme%3Aother" {
		t.Errorf("the form takes %v along", got)
	}
	for i, tt := range []struct {
		form, target, kind, ending string
		events                     int
	}{
		{"csv", "", "text/csv; charset=utf-8", "csv", 5}, {"csv", "acme:other", "text/csv; charset=utf-8", "csv", 1},
		{"jsonl", "", "application/jsonl", "jsonl", 7}, {"jsonl", "acme:other", "application/jsonl", "jsonl", 1},
		{"zip", "", "application/zip", "zip", 9}, {"zip", "acme:other", "application/zip", "zip", 1}, {"all", "acme:other", "application/zip", "zip", 11},
	} {
		a := p.post("/audit/export", "format", tt.form, "target", tt.target).want(200)
		want := `attachment; filename="backoffice-audit-20260917-120000.` + tt.ending + `"`
		if a.header.Get("Content-Type") != tt.kind || a.header.Get("Content-Disposition") != want {
			t.Errorf("%s: %v", tt.form, a.header)
		}
		n := 0
		switch tt.ending {
		case "csv":
			rows := must(csv.NewReader(strings.NewReader(a.body)).ReadAll())(t)
			if n = len(rows) - 1; rows[n][11] != "'=HYPERLINK(1)" && tt.target != "" {
				t.Errorf("the reason is %q", rows[n][11])
			}
		case "jsonl":
			n = strings.Count(a.body, "\n")
		case "zip":
			n = int(h.verified(a.body).Events)
		}
		exports := h.events(audit.LogExported)
		if e := exports[0]; n != tt.events || len(exports) != i+1 || e.Actor.Name != ownerEmail || !strings.HasPrefix(e.Note, "From the page of the log.") ||
			strings.Contains(e.Note, "acme:other") != (tt.target != "" && tt.form != "all") {
			t.Errorf("%s of %q: %d events, want %d; recorded %d times, as %+v", tt.form, tt.target, n, tt.events, len(exports), e)
		}
	}
}

// What cannot be exported as it is asked for is not exported at all.
func TestExportIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	for _, tt := range []struct{ name, value, words string }{
		{"format", "pdf", "There is no such form"}, {"from", "yesterday", "this is no time"}, {"action", "nosuch", "there is no such action"},
	} {
		form := fields("format", "zip")
		form.Set(tt.name, tt.value)
		p.send(http.MethodPost, "/audit/export", form).want(422, tt.words)
	}
	repair := h.breakUpdates(errors.New("the disk is full"))
	for _, form := range []string{"zip", "csv", "jsonl"} {
		if a := p.post("/audit/export", "format", form).want(500); a.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %v", form, a.header)
		}
	}
	repair()
	if n := len(h.events(audit.LogExported)); n != 0 {
		t.Errorf("%d exports are recorded", n)
	}
}

// An export that cannot go on breaks off, so that nobody takes it for a whole one.
func TestExportBreaksOff(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.long(3000)
	err := h.store.Update(t.Context(), func(tx store.Tx) error { tx.Delete(fmt.Sprintf("audit/event/%016d", 2500)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	p := h.owner()
	req := must(http.NewRequest(http.MethodPost, h.srv.URL+"/audit/export", strings.NewReader("format=jsonl")))(t)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res := must(p.client.Do(req))(t)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	n := 0
	for lines.Scan() {
		n++
	}
	if res.StatusCode != 200 || lines.Err() == nil || n >= 2500 {
		t.Errorf("%d, %d lines, %v", res.StatusCode, n, lines.Err())
	}
}

// long appends many events at once.
func (h *house) long(n int) {
	h.t.Helper()
	err := h.store.Update(h.t.Context(), func(tx store.Tx) error {
		for i := range n {
			e := audit.Event{Time: start.Add(-1), Actor: audit.Actor{Name: fmt.Sprintf("person-%d@acme.example", i%10), Addr: fmt.Sprintf("203.0.113.%d", i%20)},
				Action: audit.EntrySaved, Target: fmt.Sprintf("acme:s%03d", i%100), Outcome: audit.Done, Reason: "A reason that makes the event as long as they are"}
			if err := audit.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// At most two exports read the log at a time.
func TestExportsAtOnce(t *testing.T) {
	t.Parallel()
	var g gate
	h := open(t, plan{routes: func(real gate) []route { g = real; return routes(real) }})
	p := h.owner()
	g.exports <- struct{}{}
	p.post("/audit/export", "format", "csv").want(200)
	g.exports <- struct{}{}
	p.post("/audit/export", "format", "csv").want(429, "Try again when they have ended")
	<-g.exports
	p.post("/audit/export", "format", "csv").want(200)
	if n := len(h.events(audit.LogExported)); n != 2 {
		t.Errorf("%d exports are recorded, want 2", n)
	}
}

// A check by hand is an event, runs beside the work, and what it finds is on the
// log's page, on Settings and on Overview.
func TestCheckFromThePage(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get("/audit").want(200, "Not checked yet", "None was signed yet", "Heads are kept nowhere else")
	p.post("/audit/check").leadsTo("/audit")
	h.checked()
	short := h.deps.Notary.Last().Short()
	for _, path := range []string{"/audit", "/settings"} {
		if a := p.get(path).want(200, "Intact", "All 4 events of then were checked", h.deps.Notary.Last().Root.String()); a.value("input[id=log-short]") != short || a.value("input[id=log-key]") != h.deps.Notary.Key() {
			t.Errorf("%s: key %q, head %q", path, a.value("input[id=log-key]"), a.value("input[id=log-short]"))
		}
	}
	if e := h.events(audit.LogChecked); len(e) != 1 || e[0].Actor.Name != ownerEmail {
		t.Errorf("recorded as %+v", e)
	}
	p.get("/").want(200).lacks("not what was signed")
	err := h.store.Update(t.Context(), func(tx store.Tx) error {
		const key = "audit/event/0000000000000001"
		b, err := tx.Get(key)
		tx.Put(key, []byte(strings.Replace(string(b), ownerEmail, "other@acme.example", 1)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p.post("/audit/check", "back", "settings").leadsTo("/settings#proof")
	h.checked()
	for _, path := range []string{"/audit", "/settings", "/"} {
		p.get(path).want(200, "The audit log is not what was signed", "Event 1, or the hashes beside it, were changed")
	}
}

// checked waits for the check that was asked for.
func (h *house) checked() {
	h.t.Helper()
	select {
	case <-h.checks:
	case <-h.t.Context().Done():
		h.t.Fatal("no check ended")
	}
}

// A rare name is found at once. Filters together that no index helps are bounded:
// the page ends early, says so, and leads on. An export has all of it, and is found
// to follow its filter.
func TestRareNamesAreLookedForPartByPart(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("zeta:rare", nil)
	h.long(20_100)
	p := h.owner()
	p.get("/audit?text=ZETA").want(200, "zeta:rare", "1 event").lacks("there may be older ones")
	page := p.get("/audit?text=ZETA&action=entry.save").want(200, "No event of this part of the log matches", "0 events, and there may be older ones")
	p.get(page.link("Look through older events")).want(200, "No event matches")
	for _, filter := range [][]string{{"text", "ZETA"}, {"addr", "203.0.113.7", "target", "zeta:rare"}} {
		a := p.post("/audit/export", append([]string{"format", "zip"}, filter...)...).want(200)
		if got := h.verified(a.body); got.Events != 1 || got.Filter.Text+got.Filter.Addr != filter[1] {
			t.Errorf("%v: %+v", filter, got)
		}
	}
}
