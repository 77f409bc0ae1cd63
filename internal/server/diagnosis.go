package server

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// testNote is what stands beside every button that starts a test.
func testNote(provider string) string {
	return fmt.Sprintf("Up to %d calls to %s, and one look for what it publishes about itself. Those with a corrupted secret or a made-up client ID may count there as failed sign-ins. No real code is sent.",
		oauth.DefaultLimits().Calls, provider)
}

// start is POST /config/:id/test: a test without consent. It goes on by itself;
// the page that the answer leads to shows it.
func (p testPages) start(c echo.Context) error {
	e, _, err := p.entry(c)
	if err != nil {
		return err
	}
	n, err := p.shownVersion(c, e)
	if err != nil {
		return err
	}
	ref, err := p.OAuth.Diagnose(c.Request().Context(), actor(c), e.ID, n)
	switch kind, msg := errs.Of(err); kind {
	case errs.TooMany, errs.Invalid:
		if err != nil {
			return p.refused(c, err, templates.Notice{Verdict: templates.VerdictWarning, Heading: "No test was started", Text: msg, Refused: true})
		}
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, reportURL(ref))
}

// refused draws the tab with why no test was started.
func (p testPages) refused(c echo.Context, err error, why templates.Notice) error {
	because(c, err)
	p.retryAfter(c, err)
	kind, _ := errs.Of(err)
	return p.draw(c, tab{status: statuses[kind].status, refusal: why})
}

// retryAfter says to programs when it is worth another try, if that is known.
func (g gate) retryAfter(c echo.Context, err error) {
	if until := errs.Until(err); until.After(g.Now()) {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(until.Sub(g.Now()).Seconds()))))
	}
}

// liveOf is the test of the entry with this id that is under way or ended not
// long ago. One of values that belong to no entry is nobody's but its starter's.
func (p testPages) liveOf(id config.ID, run string) (*oauth.Live, bool) {
	if run == "" {
		return nil, false
	}
	l, ok := p.OAuth.Live(run)
	if !ok {
		return nil, false
	}
	r := l.Progress().Report
	return l, r.Entry == id && !homeless(r)
}

// homeless reports whether a run tested values of an entry that is not there.
func homeless(r oauth.Report) bool { return r.Unsaved && r.Version == 0 }

// underWay is the notice about a test that is under way, with the way to it.
func (p testPages) underWay(id config.ID) templates.Notice {
	run := p.OAuth.UnderWay(id)
	l, ok := p.liveOf(id, run)
	if !ok {
		return templates.Notice{}
	}
	r := l.Progress().Report
	return templates.Notice{Heading: "A test is under way", Text: fmt.Sprintf("%s started it %s.", r.By, p.when(r.Started).Ago),
		Link: templates.Link{Label: "Watch it", URL: reportURL(oauth.Ref{Entry: id, Report: run})}}
}

// fillLive draws a test under way, or one whose report could not be kept.
func (p testPages) fillLive(page *templates.EntryTestPage, progress oauth.Progress, e config.Entry, def *connector.Definition) {
	page.Rehearsal = progress.Report.Rehearsal
	if !progress.Done {
		page.Refresh = refreshSeconds
		page.Live = p.live(progress, reportURL(oauth.Ref{Entry: e.ID, Report: progress.Report.ID})+"/events")
		return
	}
	page.HasReport, page.Report, page.Notice = true, p.report(progress.Report, e, def, config.Version{}), notKept()
}

func notKept() templates.Notice {
	return templates.Notice{Verdict: templates.VerdictWarning, Heading: "This report could not be kept",
		Text: "It can be read here for a quarter of an hour, and is in no history. The log of the program says why."}
}

// refreshSeconds is how often a browser without scripts looks again.
const refreshSeconds = "2"

// live is a test under way as pages draw it.
func (g gate) live(progress oauth.Progress, events string) templates.LiveRun {
	r := progress.Report
	out := templates.LiveRun{Events: events, Heading: "Testing " + testedWords(r.Version, r.Unsaved), Doing: progress.Doing, By: "Started by " + r.By,
		Sentence: "The steps appear as they finish. You may leave this page: the test goes on, and its report is kept."}
	if r.Unsaved {
		out.Heading = "Testing values that are not saved"
	}
	if homeless(r) {
		out.Sentence = "The steps appear as they finish. Stay here: the entry is not saved, so its report is not kept."
	}
	for _, f := range r.Kind.Fields() {
		out.Fields = append(out.Fields, f.Label())
	}
	for _, s := range r.Steps {
		r.Took = max(r.Took, s.Start+s.Took)
	}
	drawSteps(&out.Report, r)
	for i := range out.Report.Steps {
		out.Report.Steps[i].Open = false
	}
	return out
}

// events is GET /config/:id/test/:run/events.
func (p testPages) events(c echo.Context) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	l, ok := p.liveOf(id, c.Param("run"))
	if !ok {
		return errs.New(errs.NotFound, "There is no such test under way. Its report, if it has one, is on the tab Test of the entry.")
	}
	return p.follow(c, auth.ConfigRead, l)
}

// follow sends how a test goes on, until it is done, nobody listens any more, or the
// listener may listen no more. Each event has all that was done, so one that was
// missed is not missed.
func (p testPages) follow(c echo.Context, may auth.Permission, l *oauth.Live) error {
	if c.Request().Method == http.MethodHead {
		c.Response().Header().Set(echo.HeaderContentType, "text/event-stream; charset=utf-8")
		return c.NoContent(http.StatusOK)
	}
	out, err := openStream(c)
	if err != nil {
		return nil // whoever listened is gone
	}
	progress := l.Progress()
	for {
		if err := p.tell(c.Request().Context(), out, progress); err != nil || progress.Done {
			return nil
		}
		if progress, err = p.next(c, may, out, l, progress); err != nil {
			return nil
		}
	}
}

// next waits for news, and keeps the connection alive meanwhile.
func (p testPages) next(c echo.Context, may auth.Permission, out stream, l *oauth.Live, last oauth.Progress) (oauth.Progress, error) {
	ctx, beat := c.Request().Context(), time.Now().Add(heartbeat) // of the connection: no clock of ours
	for {
		wait, cancel := context.WithTimeout(ctx, lookAgain)
		now := l.Next(wait, len(last.Report.Steps), last.Doing)
		cancel()
		switch {
		case ctx.Err() != nil:
			return now, ctx.Err()
		case !p.stillMay(c, may):
			return now, context.Canceled
		case now.Done || len(now.Report.Steps) != len(last.Report.Steps) || now.Doing != last.Doing:
			return now, nil
		case time.Now().Before(beat):
			continue
		}
		if err := out.comment("still there"); err != nil {
			return now, err
		}
		beat = time.Now().Add(heartbeat)
	}
}

// tell sends the steps so far, and at the end the headline.
func (p testPages) tell(ctx context.Context, out stream, progress oauth.Progress) error {
	var b bytes.Buffer
	if err := templates.LiveSteps(p.live(progress, "")).Render(ctx, &b); err != nil {
		return fmt.Errorf("drawing steps: %w", err)
	}
	if err := out.send("steps", b.Bytes()); err != nil || !progress.Done {
		return err
	}
	return out.send("done", []byte(progress.Report.Headline))
}
