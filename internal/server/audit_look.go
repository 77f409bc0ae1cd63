package server

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"

	"github.com/labstack/echo/v4"
)

// lookEvery is how often it becomes an event that one person looks at the log:
// with an event for each page, the log would fill with those who read it.
const lookEvery = time.Hour

// looks knows who looked at the log lately, so that a page need not ask the log.
type looks struct {
	mu   sync.Mutex
	last map[string]time.Time // by the account's id
}

// look records that somebody looks at the log, unless the log has that of the
// last hour already. If it cannot be recorded, there is nothing to see.
func (g gate) look(c echo.Context) error {
	if c.Request().Method == http.MethodHead { // nobody sees anything
		return nil
	}
	by, now, ctx := actor(c), g.Now(), c.Request().Context()
	g.looks.mu.Lock()
	defer g.looks.mu.Unlock()
	if last, ok := g.looks.last[by.ID]; ok && now.Sub(last) < lookEvery {
		return nil
	}
	// After a start of the program, the log knows.
	found, err := g.Audit.List(ctx, audit.Filter{Who: by.Name, Action: audit.LogLooked, From: now.Add(-lookEvery), Limit: 1})
	if err != nil {
		return err
	}
	if len(found.Events) > 0 {
		g.looks.last[by.ID] = found.Events[0].Time
		return nil
	}
	e := audit.Event{Time: now, Actor: by, Action: audit.LogLooked, Outcome: audit.Done, Note: "The first time in an hour."}
	if err := audit.Record(ctx, g.Store, e); errors.Is(err, store.ErrUnsaved) {
		return errs.Wrap(errs.Unavailable, "The audit log is not shown now: that somebody looks at it is itself put on record, and nothing can be saved. The bar at the top of this page says why.", err)
	} else if err != nil {
		return err
	}
	g.looks.last[by.ID] = now
	return nil
}
