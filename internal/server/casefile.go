package server

import (
	"mime"
	"net/http"

	"backoffice/internal/auth"
	"backoffice/internal/oauth"

	"github.com/labstack/echo/v4"
)

// caseFilePath exports a report.
const caseFilePath = "/config/:id/test/:run/casefile"

// caseFilePermission is more than reading takes: what is exported is made to
// leave the house, and the log gets an event.
const caseFilePermission = auth.ConfigExport

// caseFile is GET /config/:id/test/:run/casefile.
func (p testPages) caseFile(c echo.Context) error {
	e, _, err := p.entry(c)
	if err != nil {
		return err
	}
	about := oauth.About{Version: p.Site.Version, Environment: p.Site.Environment, PublicURL: p.origin()}
	name, archive, err := p.OAuth.CaseFile(c.Request().Context(), actor(c), oauth.Ref{Entry: e.ID, Report: c.Param("run")}, about)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return c.Blob(http.StatusOK, "application/zip", archive)
}
