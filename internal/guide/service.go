package guide

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// MaxNote is the length of a note to a tick, in characters.
const MaxNote = 200

var hands = store.Table[Hand]{Prefix: "guide/hand/"}

// A Service keeps what people say of set-ups. It is safe for concurrent use.
type Service struct {
	store  store.Store
	config *config.Service
	now    func() time.Time
}

// Options are what a Service is made of. All are needed.
type Options struct {
	Store  store.Store
	Config *config.Service
	Now    func() time.Time
}

// New returns a Service over o. From now on, deleting an entry deletes what was
// said of its set-up.
func New(o Options) *Service {
	o.Config.AlsoDelete(func(tx store.Tx, id config.ID) error {
		hands.Delete(tx, string(id))
		return nil
	})
	return &Service{store: o.Store, config: o.Config, now: o.Now}
}

// Hand returns what people said of the entry's set-up; nothing is no error.
func (s *Service) Hand(ctx context.Context, id config.ID) (h Hand, err error) {
	err = s.store.View(ctx, func(r store.Reader) (err error) {
		h, err = get(r, id)
		return err
	})
	if err != nil {
		return Hand{}, fmt.Errorf("reading the set-up of %s: %w", id, err)
	}
	return h, nil
}

func get(r store.Getter, id config.ID) (Hand, error) {
	h, err := hands.Get(r, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return Hand{}, nil
	}
	return h, err
}

// A Saying is a tick that somebody gives a step.
type Saying struct {
	Step    string
	Skipped bool   // not needed, rather than done; for optional steps only
	Note    string // "" for none
}

// Tick ticks a step. It returns an errs.NotFound, an errs.Invalid for a step that
// the guide does not have or that cannot be skipped, and an errs.Field error on
// "note". A tick that stands already is left as it is.
func (s *Service) Tick(ctx context.Context, by audit.Actor, id config.ID, say Saying) error {
	step, err := s.step(id, say.Step)
	if err != nil {
		return err
	}
	note := strings.TrimSpace(say.Note)
	if utf8.RuneCountInString(note) > MaxNote || !utf8.ValidString(note) {
		return errs.Field("note", fmt.Sprintf("A note has at most %d characters. Shorten it.", MaxNote))
	}
	if say.Skipped && !step.Optional {
		return errs.Newf(errs.Invalid, "“%s” is not optional, so it cannot be left out. Tick it when it is done.", step.Title)
	}
	e, now := s.event(by, audit.GuideTicked, id), s.now().UTC()
	e.Reason, e.Note = note, "Done: "+step.Title+"."
	if say.Skipped {
		e.Action, e.Note = audit.GuideSkipped, "Not needed: "+step.Title+"."
	}
	return s.change(ctx, id, e, func(h *Hand, e *audit.Event) error {
		t := Tick{By: by.Name, At: now, Note: note, Skipped: say.Skipped}
		if len(step.Kinds) > 0 {
			t.Kind = h.Kind
		}
		before, ticked := h.Ticks[step.ID]
		if ticked && before.Skipped == t.Skipped && before.Note == t.Note && before.Kind == t.Kind {
			return errSame
		}
		e.Changes = []audit.Change{{Key: "step " + step.ID, Before: word(before, ticked), After: word(t, true)}}
		h.Ticks = with(h.Ticks, step.ID, t)
		return nil
	})
}

// Untick takes a tick away. It returns what Tick returns; a step without a tick
// is left as it is.
func (s *Service) Untick(ctx context.Context, by audit.Actor, id config.ID, step string) error {
	gs, err := s.step(id, step)
	if err != nil {
		return err
	}
	e := s.event(by, audit.GuideUnticked, id)
	e.Note = "No longer said to be done: " + gs.Title + "."
	return s.change(ctx, id, e, func(h *Hand, e *audit.Event) error {
		before, ticked := h.Ticks[gs.ID]
		if !ticked {
			return errSame
		}
		e.Changes = []audit.Change{{Key: "step " + gs.ID, Before: word(before, true)}}
		delete(h.Ticks, gs.ID)
		return nil
	})
}

// Choose says what kind of app it is. What was ticked for another kind is no
// longer ticked. It returns an errs.NotFound, and an errs.Field error on "kind".
func (s *Service) Choose(ctx context.Context, by audit.Actor, id config.ID, kind string) error {
	def, err := s.definition(id)
	if err != nil {
		return err
	}
	k, ok := def.SetUp().Kind(kind)
	if !ok {
		return errs.Field("kind", "Choose one of the kinds of app.")
	}
	e, now := s.event(by, audit.GuideKind, id), s.now().UTC()
	e.Note = k.Label + "."
	return s.change(ctx, id, e, func(h *Hand, e *audit.Event) error {
		if h.Kind == kind {
			return errSame
		}
		e.Changes = []audit.Change{{Key: "kind of app", Before: h.Kind, After: kind}}
		for _, key := range dropOther(h.Ticks, kind) {
			e.Changes = append(e.Changes, audit.Change{Key: "step " + key, Before: "done"})
		}
		for _, key := range dropOther(h.Checks, kind) {
			e.Changes = append(e.Changes, audit.Change{Key: "item " + key, Before: "done"})
		}
		h.Kind, h.KindBy, h.KindAt = kind, by.Name, now
		return nil
	})
}

// A Checking is a step's checklist as somebody leaves it.
type Checking struct {
	Step  string
	Shown []string // the items that were done when they saw it
	Items []string // those that are done now
}

// Check ticks the items of a step's checklist that c adds to what it was shown, and
// unticks what it takes from that: what others did meanwhile stays. Who ticked an
// item first stays with it. It returns an errs.NotFound, and an errs.Invalid for an
// item that is not in the list.
func (s *Service) Check(ctx context.Context, by audit.Actor, id config.ID, c Checking) error {
	gs, err := s.step(id, c.Step)
	if err != nil {
		return err
	}
	for _, i := range c.Items {
		if !slices.ContainsFunc(gs.Checklist, func(x connector.GuideItem) bool { return x.ID == i }) {
			return errs.New(errs.Invalid, "The form has a line that the checklist does not have. Open the guide again and use its button.")
		}
	}
	e, now := s.event(by, audit.GuideChecked, id), s.now().UTC()
	return s.change(ctx, id, e, func(h *Hand, e *audit.Event) error {
		for _, i := range gs.Checklist {
			_, was := h.Checked(gs, i.ID)
			is := slices.Contains(c.Items, i.ID)
			if is == slices.Contains(c.Shown, i.ID) {
				continue // not touched
			}
			change := audit.Change{Key: "item " + check(gs.ID, i.ID)}
			switch {
			case is && !was:
				t := Tick{By: by.Name, At: now}
				if len(gs.Kinds) > 0 {
					t.Kind = h.Kind
				}
				h.Checks, change.After = with(h.Checks, check(gs.ID, i.ID), t), "done"
			case was && !is:
				delete(h.Checks, check(gs.ID, i.ID))
				change.Before = "done"
			default:
				continue
			}
			e.Changes = append(e.Changes, change)
		}
		if len(e.Changes) == 0 {
			return errSame
		}
		done := 0
		for _, i := range gs.Checklist {
			if _, ok := h.Checked(gs, i.ID); ok {
				done++
			}
		}
		e.Note = fmt.Sprintf("%d of %d lines of the checklist are done: %s.", done, len(gs.Checklist), gs.Title)
		return nil
	})
}

// A Draft is texts for a step's counters, by counter, made from the drafts as
// they stood at Revision, which is Hand.Draft.
type Draft struct {
	Step     string
	Texts    map[string]string
	Revision int64
}

// Write keeps drafts. It returns an errs.NotFound, an errs.Conflict if somebody
// wrote in between, and an errs.Field error for each text that is too long or no
// single line, on the id of its counter. The event has their lengths only.
func (s *Service) Write(ctx context.Context, by audit.Actor, id config.ID, d Draft) error {
	gs, err := s.step(id, d.Step)
	if err != nil {
		return err
	}
	texts := map[string]string{}
	var faults []error
	for _, c := range gs.Counters {
		texts[c.ID] = strings.TrimSpace(d.Texts[c.ID])
		faults = append(faults, fits(c, texts[c.ID]))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	e, now := s.event(by, audit.GuideDrafted, id), s.now().UTC()
	return s.change(ctx, id, e, func(h *Hand, e *audit.Event) error {
		if h.Draft != d.Revision {
			return errs.Newf(errs.Conflict, "%s saved these texts while you were writing. What you typed is kept below; saving again puts it in place of theirs.", h.DraftBy)
		}
		var notes []string
		for _, c := range gs.Counters {
			if h.Drafts[c.ID] == texts[c.ID] {
				continue
			}
			notes = append(notes, fmt.Sprintf("%s: %d of %d characters.", c.Label, utf8.RuneCountInString(texts[c.ID]), c.Limit))
		}
		if len(notes) == 0 {
			return errSame
		}
		if h.Drafts == nil {
			h.Drafts = map[string]string{}
		}
		maps.Copy(h.Drafts, texts)
		h.DraftBy, h.DraftAt, h.Draft = by.Name, now, h.Draft+1
		e.Note = strings.Join(notes, " ")
		return nil
	})
}

func fits(c connector.GuideCounter, text string) error {
	switch over := CountDraft(c, text).Over; {
	case !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\t\x00"):
		return errs.Field(c.ID, c.Label+" is one line of text. Remove line breaks and other control characters.")
	case over == 1:
		return errs.Field(c.ID, fmt.Sprintf("%s is one character too long: %d are allowed. Shorten it.", c.Label, c.Limit))
	case over > 1:
		return errs.Field(c.ID, fmt.Sprintf("%s is %d characters too long: %d are allowed. Shorten it.", c.Label, over, c.Limit))
	}
	return nil
}

// errSame ends a change that would change nothing: it leaves no record.
var errSame = errors.New("nothing changes")

// change runs f on what is said of the entry, and keeps it with the event in one
// transaction. f must be pure.
func (s *Service) change(ctx context.Context, id config.ID, event audit.Event, f func(*Hand, *audit.Event) error) error {
	err := s.store.Update(ctx, func(tx store.Tx) error {
		if ok, err := config.HasEntry(tx, id); err != nil || !ok {
			return errors.Join(err, gone(id, ok))
		}
		h, err := get(tx, id)
		if err != nil {
			return err
		}
		e := event
		if err := f(&h, &e); err != nil {
			return err
		}
		return errors.Join(hands.Put(tx, string(id), h), audit.Append(tx, e))
	})
	if errors.Is(err, errSame) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("changing the set-up of %s: %w", id, err)
	}
	return nil
}

func gone(id config.ID, there bool) error {
	if there {
		return nil
	}
	return errs.Newf(errs.NotFound, "There is no entry %s. It may have been deleted; the audit log says by whom.", id)
}

func (s *Service) event(by audit.Actor, action audit.Action, id config.ID) audit.Event {
	return audit.Event{Time: s.now().UTC(), Actor: by, Action: action, Target: string(id), Outcome: audit.Done}
}

// definition returns the definition of the entry, or an errs.Invalid: without one
// there is no guide.
func (s *Service) definition(id config.ID) (*connector.Definition, error) {
	def := s.config.Definition(id)
	if def == nil {
		return nil, errs.Newf(errs.Invalid, "No definition knows the service of %s, so there is no guide to it. The operator can add one.", id)
	}
	return def, nil
}

func (s *Service) step(id config.ID, step string) (connector.GuideStep, error) {
	def, err := s.definition(id)
	if err != nil {
		return connector.GuideStep{}, err
	}
	gs, ok := def.SetUp().Step(step)
	if !ok {
		return connector.GuideStep{}, errs.New(errs.Invalid, "The form names a step that this guide does not have. Open the guide again and use its buttons.")
	}
	return gs, nil
}

func with(m map[string]Tick, key string, t Tick) map[string]Tick {
	if m == nil {
		m = map[string]Tick{}
	}
	m[key] = t
	return m
}

// word is a tick in an event.
func word(t Tick, is bool) string {
	switch {
	case !is:
		return ""
	case t.Skipped:
		return "not needed"
	}
	return "done"
}
