package oauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// Diagnose starts a test of version n without anybody's consent and returns
// where its report will be. The run goes on by itself: watch it with Live. It
// returns an errs.NotFound, an errs.Invalid with a remedy if the version cannot
// be tested, and an errs.TooMany if the Limits say that it is too early.
func (s *Service) Diagnose(ctx context.Context, by audit.Actor, id config.ID, n int) (Ref, error) {
	o, err := s.config.Open(ctx, id, n)
	if err != nil {
		return Ref{}, err
	}
	return s.diagnose(ctx, by, id, o)
}

// DiagnoseDraft is Diagnose for values that are not saved. Its report is stored
// only if the draft is of an entry that exists; it can be watched in any case. It
// has the errors of config.Preview too.
func (s *Service) DiagnoseDraft(ctx context.Context, by audit.Actor, d config.Draft) (Ref, error) {
	o, err := s.config.Preview(ctx, d)
	if err != nil {
		return Ref{}, err
	}
	return s.diagnose(ctx, by, d.ID, o)
}

func (s *Service) diagnose(ctx context.Context, by audit.Actor, id config.ID, o config.Opened) (Ref, error) {
	sub, err := s.subjectOf(id, o)
	if err != nil {
		return Ref{}, err
	}
	if err := sub.ready(); err != nil {
		return Ref{}, err
	}
	at := s.now().UTC()
	r := s.newRun(sub, by, Diagnosis, time.Now(), at)
	r.report.Unsaved = o.Number == 0
	if r.report.Unsaved {
		r.report.Version = o.Base
	}
	d := &diagnosis{run: r, service: s, lease: s.lease(r), replies: map[string]reply{}, evidence: map[string]int{}}
	if d.live, err = s.lives.begin(r.report, by.ID, at); err != nil {
		return Ref{}, err
	}
	if err := d.lease.take(ctx, s.store, d.beginning(), d.present); err != nil {
		s.lives.end(r.report, false, at)
		return Ref{}, fmt.Errorf("starting a test of %s: %w", id, err)
	}
	go d.work()
	return Ref{Entry: id, Report: r.report.ID}, nil
}

// A diagnosis is a run that asks without consent. It is for one goroutine; the
// world sees it through live.
type diagnosis struct {
	*run
	service *Service
	live    *Live
	lease   lease
	asked   bool // the provider asked for a pause, or looks as if it locks us out

	base    question    // S, in the method that went further
	strange secret.Text // the made-up client ID
	tokens  evidence
	method  methodEvidence
	door    doorEvidence

	replies   map[string]reply // of the token address, by the letter of the question
	evidence  map[string]int   // index of the step, by letter
	reached   []int            // indexes of the steps that reached a host
	unreached []missed
	ticks     []tick

	doubts []config.Doubt
	own    OwnAddress

	endsSoon string // about a certificate that ends soon
	differs  string // about a metadata document that contradicts the definition

	stopped bool // nothing more is sent
	stop    *stopping
}

// A reply is an answer of the token address, in full and as it is compared.
type reply struct {
	reading reading
	answer  answer
	got     capture
}

// A stopping is why the questions ended early.
type stopping struct {
	class class
	step  int
	reply reply
	door  bool // at the authorize address: what the token address said still counts
}

func (s *Service) lease(r *run) lease {
	l := lease{run: r.report.ID, entry: r.report.Entry, host: hostName(r.ends.Token), name: r.provider(), at: r.report.Started, limits: s.limits, calls: s.limits.Calls}
	if r.ends.Rehearsal {
		l.limits = s.limits.rehearsing()
	}
	return l
}

// hostName is the host of an address with its port, if it is not the usual one, in
// one spelling.
func hostName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if port := u.Port(); port != "" && port != map[string]string{"https": "443", "http": "80"}[u.Scheme] {
		host = net.JoinHostPort(host, port)
	}
	return host
}

// present returns an errs.NotFound if the entry is gone. Values that are not
// saved may belong to none.
func (d *diagnosis) present(tx store.Tx) error {
	if d.homeless() {
		return nil
	}
	return d.report.present(tx)
}

func (d *diagnosis) beginning() audit.Event {
	e := audit.Event{Time: d.report.Started, Actor: d.by, Action: audit.Diagnosing, Target: string(d.report.Entry), Version: d.report.Version, Outcome: audit.Done}
	if d.report.Unsaved {
		e.Note = "With values that are not saved."
	}
	return e
}

// work is the run, from its first step to its report.
func (d *diagnosis) work() {
	s := d.service
	defer s.lives.under.Done()
	ctx, cancel := context.WithTimeout(s.life, d.lease.limits.Whole)
	defer cancel()
	d.run.began = time.Now() // the lease is no part of what the run takes
	d.guarded(ctx)
	d.report.Took = time.Since(d.began)
	err := d.keep()
	s.lives.end(d.report, true, s.now()) // first: whoever sees that it is done may start the next
	d.live.publish(Progress{Report: d.report, Done: true, Kept: err == nil && !d.homeless(), Err: err})
}

// guarded is examine, which reads foreign bytes: should that ever panic, it is this
// run alone that ends.
func (d *diagnosis) guarded(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			if told := d.service.panicked; told != nil {
				told(d.report.ID, fmt.Sprintf("%T", p), debug.Stack())
			}
			d.report.Verdict, d.report.Headline = Inconclusive, "This program failed while it read an answer"
			d.report.Remedies = []string{"Tell the operator: this is a fault of the program, and says nothing about the entry."}
		}
	}()
	d.examine(ctx)
}

// tell publishes that a step begins.
func (d *diagnosis) tell(doing string) {
	d.live.publish(Progress{Report: d.report, Doing: doing})
}

// add publishes a step that is over, and returns its index.
func (d *diagnosis) add(st Step) int {
	d.report.Steps = append(d.report.Steps, st)
	d.live.publish(Progress{Report: d.report})
	return len(d.report.Steps) - 1
}

// homeless reports whether the values that were tested belong to no entry.
func (d *diagnosis) homeless() bool { return d.report.Unsaved && d.version.Base == 0 }

// keep stores the report, what it cost, and the event, in one transaction.
//
// If the entry is gone, what was sent is on the record all the same.
func (d *diagnosis) keep() error {
	at, ctx := d.now(), context.Background()
	cost := func(tx store.Tx) error {
		return errors.Join(d.lease.settle(tx, d.report.Calls, d.asked, at), audit.Append(tx, d.ending()))
	}
	if d.homeless() {
		return d.service.store.Update(ctx, cost)
	}
	err := d.service.store.Update(ctx, func(tx store.Tx) error {
		return errors.Join(keepReport(tx, d.report), d.calibrate(tx), cost(tx))
	})
	if errs.Is(err, errs.NotFound) {
		err = errors.Join(err, d.service.store.Update(ctx, cost))
	}
	if err != nil {
		return fmt.Errorf("keeping the report of %s: %w", d.report.Entry, err)
	}
	return nil
}

// ending is the event of the verdict. It holds our own words only, and what was
// sent as a number.
func (d *diagnosis) ending() audit.Event {
	e := d.event()
	e.Action = audit.Diagnosed
	e.Note = fmt.Sprintf("%s. %s to %s.", d.report.Headline, counted(d.report.Calls, "call"), d.lease.host)
	if d.report.Unsaved {
		e.Note += " The values were not saved."
	}
	return e
}
