package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// A Filter selects notifications. The zero value of each member selects all.
type Filter struct {
	Owner    string // an entry's id, or an address that several share
	Verdict  Verdict
	Refused  bool // only what was not accepted
	Repeated bool // only what repeats another
	Topic    string
	Account  string
	From, To time.Time // received at From or later, and before To
	Before   string    // older than the notification with this id
	Limit    int       // 0 means 50; at most 200

	Only func(owner string) bool // whose the reader may see; nil for everybody's
}

// A Page is what List found, newest first.
type Page struct {
	Notifications []Notification
	More          bool   // there may be older ones: ask again with Before
	Next          string // the Before of the next page; "" if there is none
}

const (
	pageSize    = 50
	maxPage     = 200
	maxExamined = 2000 // notifications that one page looks at
	readAtOnce  = 100
)

// List returns the notifications that f selects, newest first. It looks at no
// more than 2,000 of them: a page with few or none can have More.
func (s *Service) List(ctx context.Context, f Filter) (Page, error) {
	if f.Limit <= 0 {
		f.Limit = pageSize
	}
	f.Limit = min(f.Limit, maxPage)
	if f.Before != "" && !isID(f.Before) {
		return Page{}, errs.New(errs.Invalid, "This page of the list cannot be found. Begin at its first page.")
	}
	if f.Owner != "" {
		if err := checkOwner(f.Owner); err != nil {
			return Page{}, err
		}
	}
	var p Page
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		if f.Owner == "" {
			p, err = listAll(r, f)
		} else {
			p, err = listOwner(r, f)
		}
		return err
	})
	if err != nil {
		return Page{}, fmt.Errorf("listing notifications: %w", err)
	}
	return p, nil
}

// after is the key from which to read downwards.
func (f Filter) after() string {
	if f.To.IsZero() || f.To.UnixNano() < 0 {
		return f.Before
	}
	to := idOf(f.To.UnixNano())
	if f.Before != "" && f.Before < to {
		return f.Before
	}
	return to
}

// listAll walks down all notifications.
func listAll(r store.Reader, f Filter) (p Page, err error) {
	for after, examined := f.after(), 0; ; {
		records, err := notes.Scan(r, store.Range{After: after, Reverse: true, Limit: readAtOnce})
		if err != nil {
			return p, err
		}
		for _, rec := range records {
			n := rec.Value
			if n.Received.Before(f.From) {
				return p, nil
			}
			if f.selects(n) {
				if len(p.Notifications) == f.Limit {
					return p.goesOn(p.Notifications[f.Limit-1].ID), nil
				}
				p.Notifications = append(p.Notifications, n)
			}
			after = rec.ID
			examined++
		}
		if len(records) < readAtOnce {
			return p, nil
		}
		if examined >= maxExamined {
			return p.goesOn(after), nil
		}
	}
}

// listOwner walks down the marks of an owner, and reads what may be selected.
func listOwner(r store.Reader, f Filter) (p Page, err error) {
	records, err := marks.Scan(r, store.Range{Prefix: marksOf(f.Owner), Reverse: true, Limit: maxMarks})
	if err != nil {
		return p, err
	}
	after := f.after()
	for _, rec := range records {
		m := rec.Value
		if after != "" && m.ID >= after || !f.mayBe(m) {
			continue
		}
		n, err := notes.Get(r, m.ID)
		if err != nil {
			return p, fmt.Errorf("reading notification %s: %w", m.ID, err)
		}
		if n.Received.Before(f.From) {
			return p, nil
		}
		if !f.selects(n) {
			continue
		}
		if len(p.Notifications) == f.Limit {
			return p.goesOn(p.Notifications[f.Limit-1].ID), nil
		}
		p.Notifications = append(p.Notifications, n)
	}
	return p, nil
}

// maxMarks is more than an owner has, unless the operator keeps very many.
const maxMarks = 100_000

func (p Page) goesOn(next string) Page {
	p.More, p.Next = true, next
	return p
}

// mayBe is selects, as far as a mark tells.
func (f Filter) mayBe(m mark) bool {
	return (f.Verdict == "" || m.Verdict == f.Verdict) && (!f.Refused || !m.good()) && (!f.Repeated || m.Repeats)
}

func (f Filter) selects(n Notification) bool {
	return (f.Only == nil || f.Only(n.Owner)) && (f.Verdict == "" || n.Verdict == f.Verdict) && (!f.Refused || !n.Good()) && (!f.Repeated || n.Repeats != "") &&
		(f.Topic == "" || n.Topic == f.Topic) && (f.Account == "" || n.Account == f.Account) &&
		!n.Received.Before(f.From) && (f.To.IsZero() || n.Received.Before(f.To))
}

var errGone = errs.New(errs.NotFound, "This notification is not kept any more, or there never was one.")

// Missing is the errs.NotFound of a notification that is not there.
func Missing() error { return errGone }

// Get returns one notification, or an errs.NotFound.
func (s *Service) Get(ctx context.Context, owner, id string) (Notification, error) {
	if !isID(id) {
		return Notification{}, errGone
	}
	var n Notification
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		n, err = notes.Get(r, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && n.Owner != owner {
		return Notification{}, errGone
	}
	if err != nil {
		return Notification{}, fmt.Errorf("reading notification %s: %w", id, err)
	}
	return n, nil
}

// Body returns the body of a notification as it came, or an errs.NotFound.
func (s *Service) Body(ctx context.Context, owner, id string) ([]byte, error) {
	if _, err := s.Get(ctx, owner, id); err != nil {
		return nil, err
	}
	return s.openBody(ctx, id)
}

func (s *Service) openBody(ctx context.Context, id string) ([]byte, error) {
	var sealed []byte
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		sealed, err = r.Get(bodyKey(id))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, errGone
	}
	if err != nil {
		return nil, fmt.Errorf("reading the body of notification %s: %w", id, err)
	}
	body, err := s.box.Open(sealed, bodyKey(id))
	if err != nil {
		return nil, fmt.Errorf("opening the body of notification %s: %w", id, err)
	}
	return body, nil
}
