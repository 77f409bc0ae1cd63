package outside

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/egress"
	"backoffice/internal/store"
)

// A Report is one finished check.
type Report struct {
	Time      time.Time         `json:"time"` // when it began, UTC
	Took      time.Duration     `json:"took"`
	By        string            `json:"by"`
	ByBrowser bool              `json:"byBrowser,omitempty"` // an admin's browser made the requests, not the server
	PublicURL string            `json:"publicURL"`
	Findings  []Finding         `json:"findings"`            // one an aspect, in the order of Aspects
	Exchanges []egress.Exchange `json:"exchanges,omitempty"` // of the server's own requests
}

// A Finding is what is known about one aspect. Its texts are for people; what
// arrived is foreign text in them, cut and printable.
type Finding struct {
	Aspect     Aspect  `json:"aspect"`
	Verdict    Verdict `json:"verdict"`
	Registered string  `json:"registered,omitempty"` // what providers were given, or are to be given
	Sent       string  `json:"sent,omitempty"`
	Delivered  string  `json:"delivered,omitempty"` // what the proxy made of it
	Reason     string  `json:"reason"`
	Remedy     string  `json:"remedy,omitempty"`
	// Lines are what to change, in the words of each proxy's configuration.
	Lines map[Proxy]string `json:"lines,omitempty"`
}

// Finding returns what the report says about a.
func (r Report) Finding(a Aspect) Finding {
	for _, f := range r.Findings {
		if f.Aspect == a {
			return f
		}
	}
	return Finding{Aspect: a, Reason: "This report does not know of it."}
}

// Verdict is the gravest of the findings.
func (r Report) Verdict() (v Verdict) {
	for _, f := range r.Findings {
		v = max(v, f.Verdict)
	}
	return v
}

// With lists the aspects that have the verdict v.
func (r Report) With(v Verdict) (out []Aspect) {
	for _, f := range r.Findings {
		if f.Verdict == v {
			out = append(out, f.Aspect)
		}
	}
	return out
}

// Headline is the report in one sentence, without a full stop.
func (r Report) Headline() string {
	switch wrong := r.With(Wrong); {
	case len(wrong) == 1:
		return "The public address has a fault: " + named(wrong)
	case len(wrong) > 1:
		return fmt.Sprintf("The public address has %d faults: %s", len(wrong), named(wrong))
	}
	switch r.Verdict() {
	case Inconclusive:
		return "Whether the public address works could not be decided: " + named(r.With(Inconclusive))
	case Warning:
		return "The public address works, with something to know: " + named(r.With(Warning))
	case OK:
		return "The public address brings here what is sent to it"
	}
	return "Nothing could be checked"
}

func named(list []Aspect) string {
	words := make([]string, len(list))
	for i, a := range list {
		words[i] = a.Label()
	}
	return strings.Join(words, ", ")
}

// A Summary is the last report in short, for other rooms and pages.
type Summary struct {
	Known    bool // false: never checked, or only under another public URL
	Verdict  Verdict
	Headline string
	Wrong    []Aspect
	Time     time.Time
	Age      time.Duration // by the Checker's clock
}

const lastKey = "last"

var reports = store.Table[Report]{Prefix: "outside/"}

// Last returns the last report about the public URL that is configured now, and
// whether there is one. It reads the store once.
func (c *Checker) Last(ctx context.Context) (Report, bool, error) {
	if r := c.last.Load(); r != nil {
		return *r, r.PublicURL == c.origin(), nil
	}
	var r Report
	err := c.store.View(ctx, func(s store.Reader) (err error) {
		r, err = reports.Get(s, lastKey)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return Report{}, false, nil
	}
	if err != nil {
		return Report{}, false, fmt.Errorf("reading the last outside-in check: %w", err)
	}
	c.last.CompareAndSwap(nil, &r)
	return r, r.PublicURL == c.origin(), nil
}

// Summary is Last in short. It is cheap enough for every page.
func (c *Checker) Summary(ctx context.Context) (Summary, error) {
	r, ok, err := c.Last(ctx)
	if err != nil || !ok {
		return Summary{}, err
	}
	return Summary{Known: true, Verdict: r.Verdict(), Headline: r.Headline(), Wrong: r.With(Wrong), Time: r.Time, Age: c.now().Sub(r.Time)}, nil
}

// keep stores r as the last report, with its audit event.
func (c *Checker) keep(ctx context.Context, r Report, by audit.Actor) error {
	how := "This server asked its own address"
	if r.ByBrowser {
		how = "The admin's browser asked"
	}
	e := audit.Event{Time: r.Time, Actor: by, Action: audit.OutsideChecked, Outcome: audit.Done, Note: r.Headline() + ". " + how + "."}
	err := c.store.Update(context.WithoutCancel(ctx), func(tx store.Tx) error {
		if err := reports.Put(tx, lastKey, r); err != nil {
			return err
		}
		return audit.Append(tx, e)
	})
	if err != nil {
		return fmt.Errorf("keeping an outside-in check: %w", err)
	}
	c.last.Store(&r)
	return nil
}
