package server

import (
	"fmt"
	"slices"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/guide"
	"backoffice/internal/oauth"
	"backoffice/internal/webhook"

	"github.com/labstack/echo/v4"
)

// A guided is what the guide of one entry is drawn from.
type guided struct {
	entry config.Entry
	def   *connector.Definition
	open  config.Opened // the version that counts
	ends  connector.Endpoints
	facts guide.Facts
	hand  guide.Hand
	limit *oauth.Report // the newest run at today's addresses whose answers told a limit; nil if none did
	hook  string        // the webhook URL
	edits bool          // the person may save the entry

	seesNews bool // the person may see notifications
}

// guided gathers what the rooms know of an entry's set-up.
func (g gate) guided(c echo.Context, e config.Entry, def *connector.Definition) (v guided, err error) {
	v = guided{entry: e, def: def, edits: g.allows(c, configWrite)}
	ctx := c.Request().Context()
	n := e.Current
	if n == 0 {
		n = e.Newest()
	}
	if v.open, err = g.open(c, e.ID, n); err != nil {
		return v, err
	}
	v.ends, _ = def.Resolve(v.open.Texts()) // what is missing, the form and the test say
	v.facts = guide.Facts{Version: v.open.Version, Redirect: g.OAuth.RedirectURI(def, v.open),
		Missing: missingPermissions(def, v.open.Topics, permissionIDs(def, v.open.Scopes))}
	if e.Pending != 0 && e.Pending != n {
		pending, err := g.version(c, e.ID, e.Pending)
		if err != nil {
			return v, err
		}
		v.facts.Pending = &pending
	}
	if v.hand, err = g.Guide.Hand(ctx, e.ID); err != nil {
		return v, err
	}
	if err := g.addReceived(c, &v); err != nil {
		return v, err
	}
	if err := g.addRefusal(c, &v); err != nil {
		return v, err
	}
	return v, g.addRuns(c, &v)
}

// guideNotifications and guidePagesOfThem bound how many accepted notifications are looked
// at, to find one that this program has not sent itself.
const (
	guideNotifications = 20
	guidePagesOfThem   = 100
)

// addReceived adds where notifications go, and the last that proves that they come:
// one of our own proves only that the address works. Where none holds for the
// version that counts, it is the last of the provider's.
func (g gate) addReceived(c echo.Context, v *guided) error {
	if v.def.Webhooks == nil {
		return nil
	}
	ctx := c.Request().Context()
	path, _, err := g.ownHook(c, v.entry.ID)
	if err != nil {
		return fmt.Errorf("finding the webhook address of %s: %w", v.entry.ID, err)
	}
	v.seesNews = g.allows(c, newsPermission)
	v.hook = g.hookAddress(path)
	f := webhook.Filter{Owner: string(v.entry.ID), Verdict: webhook.OK, Limit: guideNotifications}
	for range guidePagesOfThem {
		page, err := g.Webhooks.List(ctx, f)
		if err != nil {
			return err
		}
		if done, err := g.pickReceived(c, v, page.Notifications); done || err != nil || !page.More {
			return err
		}
		f.Before, f.Limit = page.Next, 10*guideNotifications
	}
	return nil
}

// pickReceived looks for one that holds, and reports whether there is one.
func (g gate) pickReceived(c echo.Context, v *guided, list []webhook.Notification) (bool, error) {
	for _, n := range list {
		if n.Test || n.Signer == nil || n.Signer.Entry != v.entry.ID {
			continue
		}
		got := guide.Received{ID: n.ID, Topic: n.Topic, At: n.Received, Key: n.Signer.Key, Fingerprint: string(n.Signer.Fingerprint), Number: n.Signer.Version}
		signed, err := g.version(c, v.entry.ID, n.Signer.Version)
		if err != nil {
			return false, err
		}
		got.Version = &signed
		if got.Holds(v.def, v.facts.Version) {
			v.facts.Received = &got
			return true, nil
		}
		if v.facts.Received == nil {
			v.facts.Received = &got
		}
	}
	return false, nil
}

// addRefusal adds what the radar saw of the version in force since its test.
func (g gate) addRefusal(c echo.Context, v *guided) error {
	tested, err := g.healths(c)
	if check := tested[v.entry.ID].Current; err == nil && check.Radar && check.Standing == oauth.Broken {
		v.facts.Refused = &guide.Refusal{Headline: check.Last.Headline, At: check.Last.Started}
	}
	return err
}

// addRuns adds the tests of the entry, newest first. A report is read whole only
// where its summary does not say enough: for the redirect URI that it used, up to
// the first that used today's, and for the limit that it saw.
func (g gate) addRuns(c echo.Context, v *guided) error {
	list, err := g.OAuth.Reports(c.Request().Context(), v.entry.ID)
	if err != nil {
		return err
	}
	settled := false // today's redirect URI has been seen at work
	for _, s := range list {
		if s.Denied || s.Unsaved && s.ContentHash != v.open.ContentHash {
			continue
		}
		run, err := g.guideRun(c, v.entry.ID, s)
		if err != nil {
			return err
		}
		limits := v.limit == nil && s.Kind != oauth.Diagnosis
		redirects := !settled && (s.Kind == oauth.ConsentRun || run.Fields.Redirect == guide.Good)
		if limits || redirects {
			r, err := g.OAuth.Report(c.Request().Context(), v.entry.ID, s.ID)
			if err != nil {
				return err
			}
			run.Redirect = redirectOf(r)
			settled = settled || s.ContentHash == v.open.ContentHash && run.Redirect == v.facts.Redirect
			if limits && r.RateLimit != nil && r.Region == v.ends.Region {
				v.limit = &r
			}
		}
		v.facts.Runs = append(v.facts.Runs, run)
	}
	return nil
}

// guideRun is a run as the guide takes it, with the version that it tested: one
// never changes, and reports go with their entry.
func (g gate) guideRun(c echo.Context, id config.ID, s oauth.Summary) (guide.Run, error) {
	run := guide.Run{ID: s.ID, Number: s.Version, Hash: s.ContentHash, At: s.Started, By: s.By, Headline: s.Headline, Whole: guideVerdict(s.Verdict),
		Partly: s.Verdict == oauth.Warning, Kind: map[oauth.Kind]guide.RunKind{oauth.ConsentRun: guide.Consent, oauth.Diagnosis: guide.WithoutConsent, oauth.TokenRun: guide.PastedToken}[s.Kind]}
	for _, f := range s.Fields {
		v := guideVerdict(f.Verdict)
		switch f.Field {
		case oauth.ClientID:
			run.Fields.ClientID = v
		case oauth.ClientSecret:
			run.Fields.ClientSecret = v
		case oauth.RedirectURI:
			run.Fields.Redirect = v
		case oauth.Permission:
			run.Fields.Permission = v
		}
	}
	if s.Unsaved || s.Version == 0 {
		return run, nil
	}
	version, err := g.version(c, id, s.Version)
	run.Version = &version
	return run, err
}

func guideVerdict(v oauth.Verdict) guide.Verdict {
	switch v {
	case oauth.OK:
		return guide.Good
	case oauth.Wrong:
		return guide.Bad
	}
	return guide.Undecided
}

// redirectOf is the redirect URI that a run sent, or "" if the report does not
// have it whole.
func redirectOf(r oauth.Report) string {
	for _, st := range r.Steps {
		for _, l := range st.Sent {
			if l.Name == "redirect_uri" && !l.Redacted {
				return l.Value
			}
		}
	}
	return ""
}

// missingPermissions are the permissions that chosen topics need and nobody
// declared, by their labels, each need once.
func missingPermissions(def *connector.Definition, topics, declared []string) (out []string) {
	for _, name := range topics {
		t, ok := def.Topic(name)
		if !ok || satisfied(t, declared) {
			continue
		}
		if words := strings.Join(needLabels(def, t), " or "); !slices.Contains(out, words) {
			out = append(out, words)
		}
	}
	return out
}
