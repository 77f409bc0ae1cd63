package config

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// A Rule is what has to be true of a version before it may be put in force. Its text
// is stored and is never renamed. An entry has one of its own, or "" to follow that
// of the instance.
type Rule string

// The rules.
const (
	RuleNone   Rule = "none"
	RulePerson Rule = "person" // a second person approved exactly this content, over exactly what is in force
	RuleTest   Rule = "test"   // its last test that decided was good, and is not stale
	RuleBoth   Rule = "both"
)

// Rules lists all rules, the one that asks for nothing first.
func Rules() []Rule { return []Rule{RuleNone, RulePerson, RuleTest, RuleBoth} }

// ParseRule returns the rule that s names, and refuses any other text.
func ParseRule(s string) (Rule, error) {
	if r := Rule(s); slices.Contains(Rules(), r) {
		return r, nil
	}
	return "", fmt.Errorf("unknown approval rule %q", s)
}

// Person reports whether the rule asks for a second person.
func (r Rule) Person() bool { return r == RulePerson || r == RuleBoth }

// Test reports whether the rule asks for a good test.
func (r Rule) Test() bool { return r == RuleTest || r == RuleBoth }

// Words says what the rule asks for.
func (r Rule) Words() string {
	switch r {
	case RulePerson:
		return "A second person has to approve a version before it is put in force."
	case RuleTest:
		return "A version needs a good test before it is put in force."
	case RuleBoth:
		return "A version needs a good test and the approval of a second person before it is put in force."
	}
	return "A version can be put in force without anybody's approval."
}

// lowers reports whether to asks for less than r.
func (r Rule) lowers(to Rule) bool { return r.Person() && !to.Person() || r.Test() && !to.Test() }

// A Decision is what somebody decided about a pending version: Approved, or rejected
// (which also withdraws an approval). An approval holds for one content over one that
// is in force, and for nothing else.
type Decision struct {
	Approved bool      `json:"approved,omitempty"`
	Version  int       `json:"version"`
	Hash     string    `json:"hash"`               // content hash of the version
	Base     int       `json:"base,omitempty"`     // what was in force; 0 for nothing
	BaseHash string    `json:"baseHash,omitempty"` // content hash of Base
	ByID     string    `json:"byId"`
	By       string    `json:"by"`
	Time     time.Time `json:"time"`
	Comment  string    `json:"comment,omitempty"`
}

// A Review is the history of one version that the labels do not tell.
type Review struct {
	Decisions []Decision `json:"decisions,omitempty"` // oldest first; the last maxDecisions
	InForce   time.Time  `json:"inForce,omitzero"`    // since when it was in force the first time; zero if it never was, or before this was noted
}

const maxDecisions = 20

// reviews has a record for each version that was decided about, or was in force.
var reviews = store.Table[Review]{Prefix: "config/review/"}

// deletedRules has the rule of each deleted entry that had one of its own: an entry
// that is made anew has it again, or deleting would be a way past it.
var deletedRules = store.Table[Rule]{Prefix: "config/deleted-rule/"}

// standingRule is the rule of the instance as it was last.
var standingRule = store.Table[Rule]{Prefix: "config/rule"}

// errHeld is the cause of a refusal by a rule, which is on record.
var errHeld = errors.New("config: the approval rule is not met")

// ProveWith has f tell whether a content of an entry has a good test that is not
// stale at the time now. Call it before serving; f must be pure.
func (s *Service) ProveWith(f func(r store.Getter, id ID, hash string, now time.Time) (bool, error)) {
	s.proven = f
}

// RuleOf is the rule that holds for the entry. The zero Entry has that of the instance.
func (s *Service) RuleOf(e Entry) Rule {
	if e.Rule != "" {
		return e.Rule
	}
	return s.rule
}

// Approved reports whether the pending version has the approval of a second person,
// which any change of it, or of what is in force, has voided.
func (e Entry) Approved() bool {
	d := e.Decision
	return d.Approved && e.Pending != 0 && d.Version == e.Pending && d.Hash == e.PendingHash && d.Base == e.Current && d.BaseHash == e.CurrentHash
}

// Rejected reports whether the last word about the pending version was against it.
func (e Entry) Rejected() bool {
	d := e.Decision
	return d.ByID+d.By != "" && !d.Approved && e.Pending != 0 && d.Version == e.Pending && d.Hash == e.PendingHash
}

// A Readiness is what a rule asks for and what of it there is.
type Readiness struct {
	Rule     Rule
	Approved bool
	Tested   bool
}

// Ready reports whether the pending version may be put in force.
func (r Readiness) Ready() bool {
	return (!r.Rule.Person() || r.Approved) && (!r.Rule.Test() || r.Tested)
}

// Readiness is how the pending version of e stands to its rule.
func (s *Service) Readiness(ctx context.Context, e Entry) (out Readiness, err error) {
	now := s.now().UTC()
	err = s.store.View(ctx, func(r store.Reader) (err error) {
		out, err = s.readiness(r, e, e.PendingHash, now)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("reading how %s stands to its rule: %w", e.ID, err)
	}
	return out, nil
}

func (s *Service) readiness(r store.Getter, e Entry, hash string, now time.Time) (Readiness, error) {
	out := Readiness{Rule: s.RuleOf(e), Approved: e.Approved()}
	if !out.Rule.Test() || s.proven == nil {
		return out, nil
	}
	var err error
	out.Tested, err = s.proven(r, e.ID, hash, now)
	return out, err
}

// hold refuses to put a version with that content in force if the rule of e asks for
// what it does not have. n is e's pending version, or 0 for a version that is saved
// in the same transaction, which nobody can have approved.
func (s *Service) hold(tx store.Getter, e Entry, n int, hash string, now time.Time) error {
	ready, err := s.readiness(tx, e, hash, now)
	if err != nil {
		return err
	}
	ready.Approved = ready.Approved && n == e.Pending
	var lacks []string
	if ready.Rule.Person() && !ready.Approved {
		lacks = append(lacks, "the approval of a second person")
	}
	if ready.Rule.Test() && !ready.Tested {
		lacks = append(lacks, "a good test of these values")
	}
	if len(lacks) == 0 {
		return nil
	}
	what := fmt.Sprintf("Version %d lacks %s, so it was not put in force.", n, strings.Join(lacks, " and "))
	if n == 0 {
		what = "What is put in force lacks " + strings.Join(lacks, " and ") + ". Save it as pending first."
	}
	return errs.Wrap(errs.Invalid, what, errHeld)
}

// holdBack refuses to roll back to a version that was never in force, which would be
// a way past the rule, and asks for a reason. What was in force may come back without
// a new approval: that is what rolling back in an emergency is for. It returns what
// is to be said of it in the event.
func (s *Service) holdBack(tx store.Getter, e Entry, m Move, hash string, now time.Time) (string, error) {
	if s.RuleOf(e) == RuleNone {
		return "", nil
	}
	r, err := review(tx, e.ID, m.Version)
	if err != nil {
		return "", err
	}
	if r.InForce.IsZero() && m.Version != e.Previous {
		return "", errs.Wrap(errs.Invalid, fmt.Sprintf("Version %d is not known to have been in force, so rolling back to it needs what its entry asks of a new version. Save its values as pending.", m.Version), errHeld)
	}
	if strings.TrimSpace(m.Reason) == "" {
		return "", errs.New(errs.Invalid, "This entry asks for approval, and a roll-back goes without. Say why, for the audit log.")
	}
	note := "Without a new approval: the version was in force before"
	if i := slices.IndexFunc(r.Decisions, func(d Decision) bool { return d.Approved && d.Hash == hash }); i >= 0 {
		note += ", approved by " + r.Decisions[i].By
	}
	return note + ".", nil
}

func review(r store.Getter, id ID, n int) (Review, error) {
	v, err := reviews.Get(r, versionID(id, n))
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return v, err
}

// noteInForce notes of what is in force now, and of what was before, that it was.
func noteInForce(tx store.Tx, before, after Entry) error {
	var faults []error
	for _, e := range []Entry{before, after} {
		if e.Current == 0 {
			continue
		}
		r, err := review(tx, e.ID, e.Current)
		if err == nil && r.InForce.IsZero() {
			r.InForce = e.InForceSince
			err = reviews.Put(tx, versionID(e.ID, e.Current), r)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// Reviews returns the history of the versions with these numbers, by number.
func (s *Service) Reviews(ctx context.Context, id ID, numbers ...int) (map[int]Review, error) {
	out := map[int]Review{}
	err := s.store.View(ctx, func(r store.Reader) error {
		for _, n := range numbers {
			v, err := review(r, id, n)
			if err != nil {
				return err
			}
			out[n] = v
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading what was decided about %s: %w", id, err)
	}
	return out, nil
}

// held records that a rule refused what the event says, if that is what err is.
func (s *Service) held(ctx context.Context, event audit.Event, err error) error {
	if !errors.Is(err, errHeld) {
		return err
	}
	_, event.Note = errs.Of(err)
	event.Outcome, event.Changes = audit.Refused, nil
	return errors.Join(err, audit.Record(context.WithoutCancel(ctx), s.store, event))
}
