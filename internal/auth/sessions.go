package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// proofFor is how long a password counts that was given in a session, unless the
// options say otherwise: what is worth more than the session itself asks again
// after that.
const proofFor = 5 * time.Minute

// Proven reports whether the password was given in the session a moment ago.
func (st *SessionStore) Proven(s Session) bool {
	return !s.Proof.IsZero() && st.now().Sub(s.Proof) < st.proof
}

// Handle names the session on pages. It is not the id, and leads to nothing but
// this session's end.
func (s Session) Handle() string {
	return base64.RawURLEncoding.EncodeToString(hashOf("session handle\x00" + s.ID))[:22]
}

// Of returns the sessions of the user that are not over, the one that was used
// last first.
func (st *SessionStore) Of(ctx context.Context, userID string) (out []Session, err error) {
	now := st.now()
	err = st.store.View(ctx, func(r store.Reader) error {
		list, err := orZero(sessionLists.Get(r, userID))
		if err != nil {
			return err
		}
		for _, id := range list.IDs {
			rec, err := orZero(sessionRecords.Get(r, id))
			if err != nil {
				return err
			}
			if rec.ID = id; rec.UserID == userID && !st.expired(rec.Session, now) {
				out = append(out, rec.Session)
			}
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Session) int { return b.Seen.Compare(a.Seen) })
	return out, wrap("listing sessions", err)
}

// An Ending says which sessions of a user end: the one with the handle, or with
// none all but the one whose id is Keep.
type Ending struct{ UserID, Handle, Keep string }

// End ends sessions, with one event, and returns how many. Everybody may end the
// own ones; others' only who has TeamSessions and reaches the person. It returns
// an errs.NotFound for a handle of a session that is over.
func (st *SessionStore) End(ctx context.Context, by audit.Actor, e Ending) (ended int, err error) {
	now := st.now()
	err = st.store.Update(ctx, func(tx store.Tx) error {
		whose, err := mayEnd(tx, by, e.UserID)
		if err != nil {
			return err
		}
		list, err := orZero(sessionLists.Get(tx, e.UserID))
		if err != nil {
			return err
		}
		var kept sessionList
		for _, id := range list.IDs {
			if e.Handle != "" && (Session{ID: id}).Handle() != e.Handle || e.Handle == "" && id == e.Keep {
				kept.IDs = append(kept.IDs, id)
				continue
			}
			sessionRecords.Delete(tx, id)
		}
		switch ended = len(list.IDs) - len(kept.IDs); {
		case ended == 0 && e.Handle != "":
			return errs.New(errs.NotFound, "This session has ended already.")
		case ended == 0:
			return nil
		}
		event := stamp(audit.Event{Action: audit.SessionEnded, Note: fmt.Sprintf("Sessions ended: %d.", ended)}, by, now, whose.Email)
		return errors.Join(putList(tx, e.UserID, kept), audit.Append(tx, event))
	})
	return ended, wrap("ending sessions", err)
}

// mayEnd is the account whose sessions by may end.
func mayEnd(tx store.Tx, by audit.Actor, userID string) (account, error) {
	whose, err := accountByID(tx, userID)
	if err != nil || by.ID == userID {
		return whose, err
	}
	me, err := orZero(accounts.Get(tx, by.ID))
	if err == nil && (me.ID == "" || !me.Active() || !me.May(TeamSessions, true) || !me.Reaches(whose.Grant)) {
		err = errNoChange
	}
	return whose, err
}
