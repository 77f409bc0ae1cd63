package outside

import (
	"context"
	"net/url"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
)

// VisitPath is the page of a visit, where a browser comes back to.
const VisitPath = "/settings/outside-in"

// A Visit is a check that an admin's browser makes: it follows a link to the
// public URL, is redirected once, comes back, and sends a form. It can see less
// than the server: no headers, no HEAD, no certificate.
type Visit struct {
	Link    string // to follow, by GET; "" once the request has come
	Came    bool   // the link's request came here
	Back    bool   // and so did the redirect's
	Action  string // where the form goes
	Field   string // the form's one field
	Value   string
	Expires time.Time
}

// formField and formText are what the form of a visit sends.
const (
	formField = "text"
	formText  = "a+b=c %2F d&e café"
)

// Begin starts a visit for the person behind by. visitor names the session: only
// requests of that session count. An earlier visit of it is over.
func (c *Checker) Begin(by audit.Actor, visitor string) error {
	if visitor == "" {
		return errs.New(errs.Unsigned, "Sign in first: the check belongs to whoever starts it.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	if old := c.visits[visitor]; old != nil {
		c.forget(old)
		delete(c.visits, visitor)
	}
	if len(c.visits) >= visitsLimit {
		return errs.New(errs.TooMany, "Too many checks are under way. Try again in ten minutes.")
	}
	r := c.newRun(by, visitor, first, back, posting)
	r.seen[first].query, r.seen[back].query = callbackQuery(r.seen[first].nonce), callbackQuery(r.seen[back].nonce)
	r.seen[posting].body = []byte(url.Values{formField: {formText}}.Encode())
	c.visits[visitor] = r
	return nil
}

// Visit returns the visit of a session, and whether it has one.
func (c *Checker) Visit(visitor string) (Visit, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	r := c.visits[visitor]
	if r == nil || visitor == "" {
		return Visit{}, false
	}
	v := Visit{Came: r.seen[first].arrived, Back: r.seen[back].arrived, Expires: r.expires,
		Action: c.origin() + webhookAddress(r.seen[posting].nonce), Field: formField, Value: formText}
	if !v.Came {
		v.Link = c.origin() + c.callback(r.seen[first].nonce)
	}
	return v, true
}

// Finish ends the visit of a session with what has arrived so far, keeps the
// report with its audit event, and returns it. Without a visit it is NotFound.
func (c *Checker) Finish(ctx context.Context, visitor string) (Report, error) {
	c.mu.Lock()
	c.sweep()
	r := c.visits[visitor]
	if r == nil || visitor == "" {
		c.mu.Unlock()
		return Report{}, errs.New(errs.NotFound, "No check by your browser is under way: it may have taken longer than ten minutes. Start it again in the settings.")
	}
	c.forget(r)
	delete(c.visits, visitor)
	report := c.report(r, c.now())
	c.mu.Unlock()
	return report, c.keep(ctx, report, r.by)
}

// sweep ends the visits whose time is over. c.mu is held.
func (c *Checker) sweep() {
	for session, r := range c.visits {
		if !c.now().Before(r.expires) {
			c.forget(r)
			delete(c.visits, session)
		}
	}
}
