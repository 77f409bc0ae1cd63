package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"backoffice/internal/auth"
	"backoffice/web/templates"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

// How often a list that goes on is drawn: not more often than newsPause under a
// burst, and once in newsAgain where nothing happens, so that its times go on.
const (
	newsPause = time.Second
	newsAgain = time.Minute
)

// lookAgain is how often a stream asks whether its listener may still listen. It
// ends that soon after a session has ended, an account was disabled, or a role
// changed.
const lookAgain = time.Second

const eventStream = "text/event-stream"

// entryEvents is where the tab Webhooks of an entry listens.
const entryEvents = "/config/:id/webhooks/events"

// followNews sends a list that goes on, as server-sent events, each with the list
// as it is then. Whoever does not ask for events gets the list once. Every second
// it is asked again whether the session still may see it; listening keeps no
// session alive.
func (g gate) followNews(c echo.Context, may auth.Permission, draw func(context.Context) (templates.NotificationList, error)) error {
	return g.follow(c, may, g.Webhooks.Watch, func(ctx context.Context) (templ.Component, error) {
		list, err := draw(ctx)
		return templates.NotificationNews(list), err
	})
}

// follow is followNews for any list that watch tells of.
func (g gate) follow(c echo.Context, may auth.Permission, watch func(context.Context) <-chan struct{}, draw func(context.Context) (templ.Component, error)) error {
	ctx := c.Request().Context()
	news := watch(ctx) // before the first look, so that nothing falls in between
	list, err := draw(ctx)
	if err != nil && ctx.Err() != nil { // whoever would listen is gone already
		return nil
	}
	if err != nil {
		return err
	}
	if c.Request().Method == http.MethodHead || !strings.Contains(c.Request().Header.Get(echo.HeaderAccept), eventStream) {
		return render(c, http.StatusOK, list)
	}
	out, err := openStream(c)
	if err != nil {
		return nil // whoever listened is gone
	}
	for {
		if err := tellNews(ctx, out, list); err != nil {
			return nil
		}
		if err := g.awaitNews(c, may, out, news); err != nil {
			return nil
		}
		if !g.stillMay(c, may) {
			return out.send("over", nil)
		}
		visitOf(c).entries = nil // of this request once, which is long
		if list, err = draw(ctx); err != nil {
			g.Log.Warn("drawing news", "request", visitOf(c).requestID, "route", c.Path(), "error", err)
			return nil
		}
	}
}

// listens reports whether a request is that of a page which listens by itself, and
// so says nothing about whether anybody is still there.
func listens(c echo.Context) bool {
	return c.Path() == notificationEvents || c.Path() == entryEvents || c.Path() == auditNews || c.Path() == keysProgress
}

func tellNews(ctx context.Context, out stream, list templ.Component) error {
	var b bytes.Buffer
	if err := list.Render(ctx, &b); err != nil {
		return fmt.Errorf("drawing news: %w", err)
	}
	return out.send("news", b.Bytes())
}

// awaitNews waits until there is something to draw, or the listener may listen no
// more, and keeps the connection alive meanwhile. An error means that nobody listens
// any more, or that the program ends.
func (g gate) awaitNews(c echo.Context, may auth.Permission, out stream, news <-chan struct{}) error {
	ctx := c.Request().Context()
	pause := time.NewTimer(newsPause)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-pause.C:
	}
	beat, look, again := time.NewTicker(heartbeat), time.NewTicker(lookAgain), time.NewTimer(newsAgain)
	defer beat.Stop()
	defer look.Stop()
	defer again.Stop()
	for {
		select {
		case _, open := <-news:
			if !open {
				return context.Canceled
			}
			return nil
		case <-again.C:
			return nil
		case <-look.C:
			if !g.stillMay(c, may) {
				return nil
			}
		case <-beat.C:
			if err := out.comment("still there"); err != nil {
				return err
			}
		}
	}
}

// stillMay reports whether the session of a long request is still there and its
// person's role still has the permission.
func (g gate) stillMay(c echo.Context, may auth.Permission) bool {
	s, ok, err := g.Sessions.Peek(c.Request())
	if err != nil || !ok {
		return false
	}
	u, err := g.Auth.User(c.Request().Context(), s.UserID)
	return err == nil && u.Active() && u.May(may, g.Site.Production())
}
