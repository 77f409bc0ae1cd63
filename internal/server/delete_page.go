package server

import (
	"fmt"
	"net/http"
	"strconv"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// deletePages delete an entry, after its id was typed.
type deletePages struct{ gate }

// ask is GET /config/:id/delete.
func (p deletePages) ask(c echo.Context) error { return p.draw(c, http.StatusOK, "") }

func (p deletePages) draw(c echo.Context, status int, fault string) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabNone)
	if err != nil {
		return err
	}
	page := templates.DeletePage{Frame: p.frame(c, "Delete "+string(e.ID), templates.SectionConfiguration), Entry: head,
		Revision: strconv.FormatInt(e.Revision, 10), Typed: c.FormValue("confirm"), Error: fault}
	page.Breaks = []string{fmt.Sprintf("Its %s %s, with everything that is sealed there, for good.", plural(e.Next-1, "version"), pick(e.Next == 2, "goes", "go")),
		"The reports of its tests go with it, and what was ticked in its set-up guide."}
	if e.Current != 0 {
		page.Breaks = append([]string{fmt.Sprintf("Version %d is in force: whoever uses %s gets nothing from then on.", e.Current, e.ID)}, page.Breaks...)
	}
	page.Keeps = []string{"Its events stay in the audit log, and this deletion becomes one of them."}
	log, err := p.Audit.List(c.Request().Context(), audit.Filter{Target: string(e.ID), Limit: 1})
	if err == nil && len(log.Events) > 0 {
		page.Keeps = append(page.Keeps, fmt.Sprintf("The newest of them: %s, %s.", log.Events[0].Action.Title(), p.when(log.Events[0].Time).Ago))
	}
	return render(c, status, templates.Delete(page))
}

// remove is POST /config/:id/delete.
func (p deletePages) remove(c echo.Context) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	if c.FormValue("confirm") != string(id) {
		return p.draw(c, http.StatusUnprocessableEntity, "That is not the id of this entry, so nothing was deleted.")
	}
	revision, err := strconv.ParseInt(c.FormValue("revision"), 10, 64)
	if err != nil {
		return errs.New(errs.Invalid, "The form could not be read. Open the entry again and choose Delete there.")
	}
	err = p.Config.Delete(c.Request().Context(), actor(c), config.Move{ID: id, Revision: revision})
	if errs.Is(err, errs.Conflict) {
		_, msg := errs.Of(err)
		return p.draw(c, http.StatusConflict, msg+" Nothing was deleted. Look at it again before you do.")
	}
	if err != nil {
		return err
	}
	return p.see(c, "/config", flash{said: saidDeleted})
}
