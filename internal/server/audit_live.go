package server

import (
	"context"
	"time"

	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

// auditNews is where the page of the log listens.
const auditNews = "/audit/live/events"

// events is GET /audit/live/events: the log as it goes on, with the same filter.
// It is the page that somebody looks at, and no look of its own.
func (p auditPages) events(c echo.Context) error {
	f, faults := readFilter(c)
	if len(faults) > 0 {
		return errs.New(errs.Invalid, faults[0].Msg)
	}
	f.Before = 0
	f.Only = p.sight(c)
	return p.follow(c, auditCheck, p.watchEvents, func(ctx context.Context) (templ.Component, error) {
		log, err := p.Audit.List(ctx, f)
		if err != nil {
			return nil, err
		}
		page := templates.AuditPage{Filtered: chooses(f)}
		p.fill(c, &page, log)
		if log.More {
			page.Older = auditURL(c, log.Next)
		}
		if page.State, err = p.logState(c); err != nil {
			return nil, err
		}
		return templates.AuditNews(page), nil
	})
}

// watchEvents tells when the log has grown, or its check ended: nobody who changes
// something waits for who watches, so that the log is asked, once a second. The
// end of the program ends it, as it ends what notifications tell.
func (p auditPages) watchEvents(ctx context.Context) <-chan struct{} {
	out, over := make(chan struct{}, 1), p.Webhooks.Watch(ctx)
	seen := p.seen(ctx)
	go func() {
		defer close(out)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case _, open := <-over:
				if !open {
					return
				}
				continue
			case <-tick.C:
			}
			now := p.seen(ctx)
			if now == seen {
				continue
			}
			seen = now
			select {
			case out <- struct{}{}:
			default: // it is told already
			}
		}
	}()
	return out
}

// A sight is what a page of the log depends on.
type sight struct {
	events, checked int64
	ended           time.Time
	alarms          int
}

// seen is the sight of now; where it cannot be read, the next look is soon.
func (p auditPages) seen(ctx context.Context) sight {
	s, err := p.AuditState(ctx)
	if err != nil {
		return sight{}
	}
	return sight{s.Events, s.Check.Done, s.Check.Ended, len(s.Alarms())}
}
