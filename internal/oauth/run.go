package oauth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"backoffice/internal/audit"
	"backoffice/internal/egress"
	"backoffice/internal/secret"
)

// A run is one test under way. It is for one goroutine.
type run struct {
	subject
	guard   *egress.Guard
	box     *secret.Box
	timeout time.Duration
	by      audit.Actor
	began   time.Time // monotonic, unlike the times of the clock
	report  Report
	scrub   scrubber

	probeLimits ProbeLimits
	told        []Grant // what the token answer says about scopes
	who         met     // the answer to the identity call
}

func (s *Service) newRun(sub subject, by audit.Actor, kind Kind, began, at time.Time) *run {
	r := &run{subject: sub, guard: s.guard, box: s.box, timeout: s.timeout, by: by, began: began, probeLimits: s.probeLimits}
	r.report = Report{Entry: sub.version.Entry, Version: sub.version.Number, ContentHash: sub.version.ContentHash, Kind: kind,
		Provider: sub.def.Name, Region: sub.ends.Region, Rehearsal: sub.ends.Rehearsal, Started: at, By: by.Name}
	for _, f := range kind.Fields() {
		r.report.Fields = append(r.report.Fields, FieldVerdict{Field: f, Reason: "The run did not get that far."})
	}
	r.report.ID = newReportID(at)
	if !sub.secret.IsZero() {
		basic := sub.clientID + ":" + sub.secret.Reveal()
		r.scrub.add(sub.secret.Reveal(), basic, url.QueryEscape(sub.clientID)+":"+url.QueryEscape(sub.secret.Reveal()))
	}
	if sub.hideID {
		r.scrub.add(sub.clientID)
	}
	return r
}

// newReportID sorts by time, and no two runs have the same.
func newReportID(at time.Time) string { return at.Format("20060102-150405.000") + "-" + randomHex(4) }

// randomHex is n random bytes.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b)
}

func (r *run) provider() string { return r.def.Name }

// now is the time of the clock by which the run began.
func (r *run) now() time.Time { return r.report.Started.Add(time.Since(r.began)) }

// judge sets what the report says about f.
func (r *run) judge(f Field, v Verdict, reason string) {
	r.report.set(FieldVerdict{Field: f, Verdict: v, Reason: reason})
}

// finish stores the report with its event. It returns an errs.NotFound if the
// entry was deleted in the meantime.
func (s *Service) finish(ctx context.Context, r *run) (Ref, error) {
	r.report.Took = time.Since(r.began)
	if err := s.keep(ctx, r.report, r.grantRun(), r.event()); err != nil {
		return Ref{}, fmt.Errorf("keeping the report of %s: %w", r.report.Entry, err)
	}
	return Ref{Entry: r.report.Entry, Report: r.report.ID}, nil
}

// event has the headline, which is ours, and nothing that the provider said.
func (r *run) event() audit.Event {
	e := audit.Event{Time: r.report.Started, Actor: r.by, Action: audit.TestFinished, Target: string(r.report.Entry),
		Version: r.report.Version, Outcome: audit.Failed, Note: r.report.Headline + "."}
	if words := grantWords(r.report.Grants); words != "" && len(r.def.Probes) > 0 {
		e.Note += " Permissions: " + words + "."
	}
	if r.report.Kind == TokenRun {
		e.Action = audit.TokenTested
	}
	if r.report.Verdict == OK || r.report.Verdict == Warning {
		e.Outcome = audit.Done
	}
	return e
}

// call has send make one request with a client of the guard, and times it as st.
// What came back is in the capture, also if it is no answer at all.
func (r *run) call(ctx context.Context, st *Step, send func(ctx context.Context, c *http.Client, got *capture)) capture {
	trace := &egress.Trace{}
	c := r.guard.Client(egress.CallOptions{Timeout: r.timeout})
	got := capture{next: c.Transport}
	c.Transport = &got
	r.timed(st, func() { send(egress.WithTrace(ctx, trace), c, &got) })
	if x := trace.Exchanges(); len(x) > 0 {
		st.Exchange = r.shown(x[0])
	}
	return got
}

// timed times f as st.
func (r *run) timed(st *Step, f func()) {
	st.Start = time.Since(r.began)
	f()
	st.Took = time.Since(r.began) - st.Start
}

// shown takes what the provider could have put into an exchange out of it.
func (r *run) shown(x egress.Exchange) *egress.Exchange {
	x.URL = r.scrub.clean(x.URL, maxOwnURL)
	x.ContentType = r.scrub.foreign(x.ContentType)
	x.Protocol = r.scrub.foreign(x.Protocol)
	for i := range x.ResponseHeaders {
		x.ResponseHeaders[i].Value = r.scrub.foreign(x.ResponseHeaders[i].Value)
	}
	if x.TLS != nil {
		x.TLS.Issuer = r.scrub.foreign(x.TLS.Issuer)
		for i, n := range x.TLS.Names {
			x.TLS.Names[i] = r.scrub.foreign(n)
		}
		for i, c := range x.TLS.Chain {
			x.TLS.Chain[i].Subject, x.TLS.Chain[i].Issuer = r.scrub.foreign(c.Subject), r.scrub.foreign(c.Issuer)
		}
	}
	return &x
}

// line is a line of what we sent, which is the admin's or the definition's text.
func (r *run) line(name, value string) Line {
	shown := r.scrub.clean(value, maxOwnURL)
	return Line{Name: name, Value: shown, Redacted: strings.Contains(shown, removed)}
}

// foreignLine is a line of what came back.
func (r *run) foreignLine(name, value string) Line {
	shown := r.scrub.foreign(value)
	return Line{Name: name, Value: shown, Redacted: strings.Contains(shown, removed)}
}

// gone stands for a value that is in no form in the report.
func gone(name string, value secret.Text) Line {
	return Line{Name: name, Value: removed, Redacted: true, Note: characters(value.Len())}
}

// fingerprinted stands for a value that is told by its fingerprint.
func (r *run) fingerprinted(name string, value secret.Text) Line {
	return Line{Name: name, Value: r.box.Fingerprint(value.Reveal()).String(), Redacted: true, Note: characters(value.Len())}
}

func (r *run) clientIDLine() Line {
	if r.hideID {
		return r.fingerprinted("client_id", secret.NewText(r.clientID))
	}
	return r.line("client_id", r.clientID)
}

func characters(n int) string { return counted(n, "character") }

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// shortCode is an error code that may stand in a sentence: one word of a
// machine's kind. Anything else is shown as evidence only.
func (r *run) shortCode(code string) string {
	if utf8.RuneCountInString(code) > 64 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != "" || r.scrub.foreign(code) != code {
		return ""
	}
	return code
}
