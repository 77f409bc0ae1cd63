package server

import (
	"net/http"
	"sync"
	"time"

	"backoffice/internal/config"
	"backoffice/web/templates"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

// A report never changes, and neither does most of the page that shows it: what
// stands below the head of the tab Test is drawn once for each key.

// maxBodies is how many are remembered: tens of kilobytes each.
const maxBodies = 16

// bodyAge is how old the times on a remembered page may be: they are told in
// minutes.
const bodyAge = 10 * time.Second

// A bodyKey is everything that the body depends on.
type bodyKey struct {
	entry      config.ID
	revision   int64
	generation int64  // of all reports
	run        string // the one that was asked for; "" for the latest
	away       int64  // when the run that has not come back was started
	may        templates.May
	at         int64
}

type drawnBody struct {
	body      templ.Component
	rehearsal bool
}

// bodies are the remembered ones. It is safe for concurrent use.
type bodies struct {
	mu   sync.Mutex
	seen map[bodyKey]drawnBody
}

func (b *bodies) get(k bodyKey) (drawnBody, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, ok := b.seen[k]
	return d, ok
}

func (b *bodies) put(k bodyKey, d drawnBody) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil {
		b.seen = map[bodyKey]drawnBody{}
	}
	for old := range b.seen {
		if len(b.seen) < maxBodies {
			break
		}
		delete(b.seen, old) // any one
	}
	b.seen[k] = d
}

// bodyKey is the key of the page that was asked for. plain is false for one that
// answers a form, or shows a test under way: it is drawn each time.
func (p testPages) bodyKey(c echo.Context, e config.Entry, t tab) (k bodyKey, plain bool, err error) {
	if t != (tab{status: http.StatusOK}) || c.FormValue("version") != "" || p.OAuth.UnderWay(e.ID) != "" {
		return bodyKey{}, false, nil
	}
	ctx := c.Request().Context()
	k = bodyKey{entry: e.ID, revision: e.Revision, run: c.Param("run"), may: p.mayOf(c), at: p.Now().UnixNano() / int64(bodyAge)}
	if k.generation, err = p.OAuth.Generation(ctx); err != nil {
		return bodyKey{}, false, err
	}
	run, ok, err := p.OAuth.Started(ctx, e.ID)
	if ok {
		k.away = run.Time.UnixNano()
	}
	return k, true, err
}
