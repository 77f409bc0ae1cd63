package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// exportsAtOnce is how many exports may be under way: each reads all of the log.
const exportsAtOnce = 2

// auditFilters are the parameters of a filter of the log.
var auditFilters = []string{"who", "action", "target", "outcome", "addr", "text", "from", "to"}

// chosen is the filter of this page, for the form of an export.
func chosen(c echo.Context) (out []templates.Choice) {
	for _, name := range auditFilters {
		if v := c.FormValue(name); v != "" {
			out = append(out, templates.Choice{Name: name, Label: v})
		}
	}
	return out
}

// An exported is one form in which the log can be taken away.
type exported struct {
	ending, kind string
	write        func(context.Context, io.Writer, audit.Exporting) error
}

func (p auditPages) forms() map[string]exported {
	zip := exported{"zip", "application/zip", func(ctx context.Context, w io.Writer, x audit.Exporting) error {
		_, err := p.Notary.Export(ctx, w, x)
		return err
	}}
	return map[string]exported{"zip": zip, "all": zip,
		"csv": {"csv", "text/csv; charset=utf-8", func(ctx context.Context, w io.Writer, x audit.Exporting) error {
			return p.Audit.CSV(ctx, w, x, p.Now())
		}},
		"jsonl": {"jsonl", "application/jsonl", func(ctx context.Context, w io.Writer, x audit.Exporting) error {
			return p.Audit.Lines(ctx, w, x, p.Now())
		}}}
}

// export is POST /audit/export. The event is in the log before the first byte is
// out. A connection is broken rather than ended where the export is not whole.
func (p auditPages) export(c echo.Context) error {
	form, ok := p.forms()[c.FormValue("format")]
	f, faults := readFilter(c)
	switch {
	case !ok:
		return errs.New(errs.Invalid, "There is no such form of an export. Choose one of the menu of the audit log.")
	case c.FormValue("format") == "all":
		f = audit.Filter{}
	case len(faults) > 0: // else it would have more than was asked for
		return errs.New(errs.Invalid, "Nothing was exported: "+lowerFirst(faults[0].Msg))
	}
	select {
	case p.exports <- struct{}{}:
		defer func() { <-p.exports }()
	default:
		return errs.New(errs.TooMany, "Other exports are under way, and each reads all of the log. Try again when they have ended.")
	}
	f.Before, f.Limit = 0, 0
	w := &exportWriter{c: c, kind: form.kind, name: fmt.Sprintf("backoffice-audit-%s.%s", p.Now().UTC().Format("20060102-150405"), form.ending)}
	err := form.write(c.Request().Context(), w, audit.Exporting{By: actor(c), Filter: f, Note: "From the page of the log."})
	if err == nil && !w.begun { // of nothing at all, there is a file too
		_, err = w.Write(nil)
	}
	if err == nil || !w.begun {
		return err
	}
	p.Log.Warn("an export of the audit log broke off", "request", visitOf(c).requestID, "error", err)
	panic(http.ErrAbortHandler)
}

// An exportWriter answers with a file that takes as long as it takes: the limit
// of the server is for whole answers, and this one is for each part.
type exportWriter struct {
	c          echo.Context
	kind, name string
	begun      bool
	last       time.Time // the limit was moved
}

func (w *exportWriter) Write(b []byte) (int, error) {
	res := w.c.Response()
	if !w.begun {
		w.begun = true
		res.Header().Set(echo.HeaderContentType, w.kind)
		res.Header().Set(echo.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", w.name))
		res.WriteHeader(http.StatusOK)
	}
	if now := time.Now(); now.Sub(w.last) > time.Second { // of the connection: no clock of ours
		w.last = now
		if err := http.NewResponseController(res).SetWriteDeadline(now.Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return 0, err
		}
	}
	return res.Write(b)
}
