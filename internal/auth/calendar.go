package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A calendarOf is a person's calendar address, which is good without a session:
// programs that show calendars send no cookie.
type calendarOf struct {
	Key     string    `json:"key"` // the hash of its token
	Created time.Time `json:"created"`
}

// calendarFor is whose address a token is.
type calendarFor struct {
	User string `json:"user"`
}

// As with invitations, a record's key is the hash of 256 random bits.
var (
	calendars    = store.Table[calendarFor]{Prefix: "auth/calendar/"}
	calendarsOf  = store.Table[calendarOf]{Prefix: "auth/calendars/"}
	errNoFeed    = errs.New(errs.NotFound, "There is no such calendar.")
	errNoAddress = errs.New(errs.NotFound, "You have no calendar address. It may have been withdrawn a moment ago.")
)

// MakeCalendar makes the token of the person's calendar address, in place of any
// earlier one; only its hash is kept.
func (s *Service) MakeCalendar(ctx context.Context, by audit.Actor) (secret.Text, error) {
	token := secret.NewText(newToken())
	key, now := inviteKey(token), s.now()
	event := stamp(audit.Event{Action: audit.CalendarMade}, by, now, by.Name)
	err := s.store.Update(ctx, func(tx store.Tx) error {
		a, err := accountByID(tx, by.ID)
		if err != nil {
			return err
		}
		if !a.Active() {
			return errNoFeed
		}
		if _, err := dropCalendar(tx, by.ID); err != nil {
			return err
		}
		return errors.Join(calendars.Put(tx, key, calendarFor{by.ID}), calendarsOf.Put(tx, by.ID, calendarOf{key, now}), audit.Append(tx, event))
	})
	if err != nil {
		return secret.Text{}, wrap("making a calendar address", err)
	}
	return token, nil
}

// EndCalendar withdraws the person's calendar address. It returns an errs.NotFound
// if there is none.
func (s *Service) EndCalendar(ctx context.Context, by audit.Actor) error {
	event := stamp(audit.Event{Action: audit.CalendarEnded}, by, s.now(), by.Name)
	err := s.store.Update(ctx, func(tx store.Tx) error {
		there, err := dropCalendar(tx, by.ID)
		if err == nil && !there {
			err = errNoAddress
		}
		if err != nil {
			return err
		}
		return audit.Append(tx, event)
	})
	return wrap("withdrawing a calendar address", err)
}

func dropCalendar(tx store.Tx, id string) (there bool, err error) {
	old, err := orZero(calendarsOf.Get(tx, id))
	if err != nil || old.Key == "" {
		return false, err
	}
	calendars.Delete(tx, old.Key)
	calendarsOf.Delete(tx, id)
	return true, nil
}

// Calendar returns when the person's calendar address was made; the zero time if
// there is none.
func (s *Service) Calendar(ctx context.Context, id string) (made time.Time, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		c, err := orZero(calendarsOf.Get(r, id))
		made = c.Created
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("reading a calendar address: %w", err)
	}
	return made, nil
}

// CalendarUser returns whose calendar address has the token, as that person may do
// now. It returns an errs.NotFound for any other token, and for who is disabled.
func (s *Service) CalendarUser(ctx context.Context, token secret.Text) (u User, err error) {
	if !isToken(token.Reveal()) {
		return User{}, errNoFeed
	}
	err = s.store.View(ctx, func(r store.Reader) error {
		c, err := orZero(calendars.Get(r, inviteKey(token)))
		if err != nil {
			return err
		}
		if c.User == "" {
			return errNoFeed
		}
		a, err := accountByID(r, c.User)
		if err == nil && !a.Active() {
			err = errNoFeed
		}
		u = a.User
		return err
	})
	if err != nil {
		return User{}, wrap("reading whose calendar it is", err)
	}
	return u, nil
}
