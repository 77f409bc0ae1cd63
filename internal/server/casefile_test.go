package server

import (
	"net/http"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/store"
)

// The report has a link to its case file, which is a download, is kept by nobody
// on the way, and is on record. HEAD asks for nothing and records nothing.
func TestCaseFile(t *testing.T) {
	t.Parallel()
	h := open(t, plan{env: "staging"})
	h.save("acme:intercom", nil)
	p := h.owner()
	report := p.get(h.consent(p, "1", true)).want(303).header.Get("Location")
	page := p.get(report).want(200, "Download the case file")
	if !strings.Contains(page.body, `href="`+report+`/casefile"`) {
		t.Error("the link does not lead to the case file")
	}
	if a := p.raw(http.MethodHead, report+"/casefile", nil); a.status != http.StatusMethodNotAllowed || len(h.events(audit.CaseExported)) != 0 {
		t.Errorf("HEAD: %d, %d events", a.status, len(h.events(audit.CaseExported)))
	}
	a := p.get(report + "/casefile").want(200)
	want := "attachment; filename=backoffice-acme-intercom-20260917-120000.zip"
	if a.header.Get("Content-Disposition") != want || a.header.Get("Content-Type") != "application/zip" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the headers are %v", a.header)
	}
	events := h.events(audit.CaseExported)
	if len(events) != 1 || events[0].Actor.Name != ownerEmail || events[0].Target != "acme:intercom" || events[0].Version != 1 {
		t.Errorf("the events are %+v", events)
	}
	p.get(entry + "/test/20260917-120000.000-00000000/casefile").want(404)
	p.get("/config/acme:other/test/" + report[strings.LastIndexByte(report, '/')+1:] + "/casefile").want(404)
	must(0, h.store.Update(t.Context(), func(tx store.Tx) error { tx.Put("audit/size", []byte("no number")); return nil }))(t)
	if a := p.get(report + "/casefile"); a.status != 500 || a.header.Get("Content-Disposition") != "" {
		t.Errorf("without a record: %d, %q", a.status, a.header.Get("Content-Disposition"))
	}
}
