package server

import (
	"fmt"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
	"backoffice/internal/webhook"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// isQuiet reports whether the notifications show that the old secret is not in use
// any more: the new one signed some, and the old one none for quietFor.
func (s *rotateState) isQuiet(now time.Time) bool {
	last, newer := s.Entry.InForceSince, 0
	for _, u := range s.uses {
		switch {
		case s.isOld(u):
			last = u.Last
		case u.Signer.Key == s.Key:
			newer += u.Count
		}
	}
	return newer > 0 && now.Sub(last) >= quietFor
}

func (s *rotateState) isOld(u webhook.Use) bool {
	return u.Signer.Key == s.Key && u.Signer.Fingerprint == s.Old
}

// newPrint is the fingerprint of the new secret.
func (s *rotateState) newPrint() secret.Fingerprint {
	k, _ := s.New.Key(s.Key)
	return k.Fingerprint
}

// stepWatch shows which secret is in use.
func (p rotationPages) stepWatch(c echo.Context, page *templates.EntryRotatePage, s *rotateState, _ rotateTab) (templates.RotateStep, error) {
	step := templates.RotateStep{ID: "watch", Title: "Watch which secret is in use", Done: s.Open && (s.Finished() || s.quiet),
		Words: "While both are accepted, what comes shows who still uses the old one. It ends when the old one has signed nothing for an hour and the new one has."}
	if !s.Open || !s.InForce {
		return step, nil
	}
	if err := p.watchFindings(c, &step, s); err != nil {
		return step, err
	}
	step.Form, page.Since = templates.RotateWatch, p.when(s.Entry.InForceSince)
	page.Uses = p.useRows(c, s)
	switch {
	case s.def == nil || s.def.Webhooks == nil:
		step.Findings = append(step.Findings, templates.GuideFinding{Text: "No webhooks of this service are known, so none shows which secret is in use."})
	case !p.allows(c, newsPermission):
		step.Findings = append(step.Findings, templates.GuideFinding{Text: "Which secret signed what came is for those who may read notifications."})
	case len(s.uses) == 0:
		step.Findings = append(step.Findings, templates.GuideFinding{Text: "No notification came since the promotion, so none shows which secret is in use."})
	case s.quiet:
		step.Findings = append(step.Findings, templates.GuideFinding{Verdict: templates.VerdictOK, Text: "The new secret signs what comes, and the old one has signed nothing for an hour or more."})
	}
	step.Findings = append(step.Findings, templates.GuideFinding{Text: "Which secret consumers have read is not seen here: this program keeps no record of that."})
	return step, nil
}

// watchFindings are what the checks, tests and the radar used since the promotion.
func (p rotationPages) watchFindings(c echo.Context, step *templates.RotateStep, s *rotateState) error {
	ctx := c.Request().Context()
	switch w := s.Watch; {
	case w.On():
		seen, err := p.OAuth.Watched(ctx, w)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("Version %d comes back by itself if a check proves the new secret wrong until %s. %s so far.", w.Before, until(w.Until), plural(seen.Checks, "check"))
		step.Findings = append(step.Findings, templates.GuideFinding{Verdict: templates.VerdictInconclusive, Text: text, When: p.when(w.Since), By: w.By})
	case w.End != config.WatchOn && w.End != config.WatchReverted:
		f := templates.GuideFinding{Verdict: pick(w.End == config.WatchWorks, templates.VerdictOK, templates.VerdictInconclusive), Text: w.Found, When: p.when(w.Ended)}
		step.Findings = append(step.Findings, f)
	}
	if r, v := s.tested(s.New.ContentHash, s.Entry.InForceSince); r.ID != "" {
		step.Findings = append(step.Findings, p.runFinding(s, r, v, fmt.Sprintf("The last test used version %d: %s.", r.Version, r.Headline)))
	}
	healths, err := p.healths(c)
	if err != nil {
		return err
	}
	radar, ok, err := p.OAuth.RadarOf(ctx, s.Entry, healths[s.Entry.ID])
	if err != nil {
		return err
	}
	if ok && radar.Last.After(s.Entry.InForceSince) {
		step.Findings = append(step.Findings, templates.GuideFinding{Verdict: pick(radar.State == oauth.RadarOK, templates.VerdictOK, templates.VerdictNotChecked), Text: "The radar asked with the new secret.", When: p.when(radar.Last)})
	}
	return nil
}

// useRows are the counts of the notifications, the secret that signed last first.
func (p rotationPages) useRows(c echo.Context, s *rotateState) (out []templates.RotateUse) {
	if s.def == nil || s.def.Webhooks == nil || !p.allows(c, newsPermission) {
		return nil
	}
	rows := s.uses
	for _, want := range []webhook.Signer{{Key: s.Key, Fingerprint: s.newPrint(), Version: s.New.Number}, {Key: s.Key, Fingerprint: s.Old, Version: s.Entry.Previous}} {
		if !hasUse(rows, want) {
			rows = append(rows[:len(rows):len(rows)], webhook.Use{Signer: want})
		}
	}
	for _, u := range rows {
		row := templates.RotateUse{Fingerprint: templates.Fingerprint(u.Signer.Fingerprint), Old: s.isOld(u), Count: templates.Count(int64(u.Count)), Last: p.when(u.Last)}
		switch {
		case row.Old:
			row.Label = "The old secret"
		case u.Signer.Key == s.Key && u.Signer.Fingerprint == s.newPrint():
			row.Label = "The new secret"
		default:
			row.Label = u.Signer.Key
		}
		if u.LastID != "" && p.allows(c, newsPermission) {
			row.More = templates.Link{Label: "See it", URL: notificationURL(string(s.Entry.ID), u.LastID)}
		}
		out = append(out, row)
	}
	return out
}

func hasUse(rows []webhook.Use, s webhook.Signer) bool {
	for _, u := range rows {
		if u.Signer.Key == s.Key && u.Signer.Fingerprint == s.Fingerprint {
			return true
		}
	}
	return false
}
