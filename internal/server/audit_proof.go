package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// What of the log can be taken away and checked without this program.
const (
	receiptPath   = "/audit/:n/receipt"
	auditKeyPath  = "/audit/proof/key"
	auditHeadPath = "/audit/proof/head"
)

// receipt is GET /audit/:n/receipt. It is no export, and no event of its own: it
// has nothing that the event's page, which is a look at the log, does not show.
func (p auditPages) receipt(c echo.Context) error {
	n, err := strconv.ParseInt(c.Param("n"), 10, 64)
	if err != nil {
		return errNoEvent
	}
	if err := p.look(c); err != nil {
		return err
	}
	if !p.unlimited(c) {
		leaf, err := p.Audit.Get(c.Request().Context(), n)
		if errs.Is(err, errs.NotFound) || err == nil && !p.sees(c, leaf.Event) {
			return eventNotFound(n)
		}
		if err != nil {
			return err
		}
	}
	b, err := p.Notary.Receipt(c.Request().Context(), n)
	if err != nil {
		return err
	}
	return download(c, fmt.Sprintf("audit-receipt-%d.txt", n), b)
}

var errNoEvent = errs.New(errs.NotFound, "Events have numbers. The audit log lists them.")

// key is GET /audit/proof/key: the public key, for backoffice audit verify.
func (p auditPages) key(c echo.Context) error {
	return download(c, "audit-key.txt", []byte(p.Notary.Key()+"\n"))
}

// head is GET /audit/proof/head: a signed head of the log of now.
func (p auditPages) head(c echo.Context) error {
	head, err := p.Notary.Checkpoint(c.Request().Context())
	if err != nil {
		return err
	}
	return download(c, fmt.Sprintf("audit-head-%d.txt", head.Size), head.Note)
}

// download answers with a small file of text.
func download(c echo.Context, name string, b []byte) error {
	c.Response().Header().Set(echo.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	return c.Blob(http.StatusOK, echo.MIMETextPlainCharsetUTF8, b)
}

// relate leads to the other events of who did it and of what it is about, and to
// what the event is the record of.
func (p auditPages) relate(c echo.Context, page *templates.AuditEventPage, e audit.Event) error {
	add := func(label, address string) {
		page.Related = append(page.Related, templates.Link{Label: label, URL: address})
	}
	id, err := config.ParseID(e.Target)
	if err == nil && page.Target.Known() {
		if e.Version > 0 {
			add(fmt.Sprintf("Version %d of %s", e.Version, e.Target), fmt.Sprintf("%s?version=%d", entryURL(id), e.Version))
		}
		if tested(e.Action) {
			if report, err := p.reportOf(c, id, e); err != nil {
				return err
			} else if report != "" {
				add("The report of this test", report)
			}
			add("Tests of "+e.Target, entryURL(id)+"/test")
		}
	}
	if e.Target != "" && e.Target != e.Actor.Name {
		add("Everything about "+e.Target, "/audit?target="+url.QueryEscape(e.Target))
	}
	if e.Actor.Name != "" {
		add("Everything that "+e.Actor.Name+" did", "/audit?who="+url.QueryEscape(e.Actor.Name))
	}
	return nil
}

// reportOf is the report that an event about a test is the record of, if it is
// still kept: its event has the time at which the run started.
func (p auditPages) reportOf(c echo.Context, id config.ID, e audit.Event) (string, error) {
	reports, err := p.OAuth.Reports(c.Request().Context(), id)
	if err != nil {
		return "", err
	}
	for _, r := range reports {
		if r.Started.Equal(e.Time) {
			return reportURL(oauth.Ref{Entry: id, Report: r.ID}), nil
		}
	}
	return "", nil
}

// recordAt is where the event is that was written about a target at a time, or
// within some time from then on, for who may see it. Times on a page are seconds.
func (g gate) recordAt(c echo.Context, target string, at time.Time, within time.Duration) string {
	if !g.allows(c, auditPermission) {
		return ""
	}
	from := at.UTC().Truncate(time.Second)
	to := at.UTC().Add(within).Truncate(time.Second).Add(time.Second)
	return "/audit?" + url.Values{"target": {target}, "from": {from.Format(timeSeconds)}, "to": {to.Format(timeSeconds)}}.Encode()
}

// recordsAbout is where the events about an entry are, for who may see them.
func (g gate) recordsAbout(c echo.Context, id config.ID) string {
	if !g.allows(c, auditPermission) {
		return ""
	}
	return "/audit?target=" + url.QueryEscape(string(id))
}

// tested reports whether an action is about a test of a connection, so that there
// is a report of it or beside it.
func tested(a audit.Action) bool {
	switch a {
	case audit.TestStarted, audit.TestFinished, audit.TokenTested, audit.Diagnosing, audit.Diagnosed, audit.RadarAsked, audit.RadarTurned, audit.CaseExported:
		return true
	}
	return false
}
