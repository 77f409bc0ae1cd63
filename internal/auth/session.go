package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

const (
	maxSessions = 50          // a user; the oldest gives way
	seenEvery   = time.Minute // last seen is written no more often, so that reading costs no write
	maxAgent    = 200         // characters of a User-Agent that are kept
)

// A Session is what is known about a browser that somebody has signed in with.
type Session struct {
	ID      string    `json:"-"` // not enough to use the session: the cookie has a secret too
	UserID  string    `json:"user"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"` // exact to a minute
	Addr    string    `json:"addr,omitempty"`
	Agent   string    `json:"agent,omitempty"`
	Proof   time.Time `json:"proof,omitzero"`   // when the password or a passkey was given last, or the sign-in at a provider
	Factor  bool      `json:"factor,omitempty"` // a second factor was given at the provider
}

// Binding is a code for this very session, for what must come back to the browser
// that started it. It is another one after Renew.
func (s Session) Binding() string {
	return base64.RawURLEncoding.EncodeToString(hashOf("session binding\x00" + s.ID))
}

// sessionRecord is the record of a Session.
type sessionRecord struct {
	Session
	Hash   []byte          `json:"hash"`             // SHA-256 of the secret in the cookie
	Values json.RawMessage `json:"values,omitempty"` // gorilla's Values: one JSON object
}

// sessionList holds the ids of a user's sessions, oldest first.
type sessionList struct {
	IDs []string `json:"ids"`
}

var (
	sessionRecords = store.Table[sessionRecord]{Prefix: "auth/session/", Memo: store.NewMemo(256, func(r *sessionRecord) {
		r.Hash, r.Values = slices.Clip(r.Hash), slices.Clip(r.Values)
	})}
	sessionLists = store.Table[sessionList]{Prefix: "auth/sessions/"}
)

// expired reports whether the session is too old, or was not used for too long.
func (st *SessionStore) expired(s Session, now time.Time) bool {
	return now.Sub(s.Seen) >= st.idle || now.Sub(s.Created) >= st.absolute
}

// Peek returns the session of the request, if it has a valid one, as it is stored
// now. Unlike Current it does not count as use: a page that listens by itself
// keeps nobody signed in.
func (st *SessionStore) Peek(r *http.Request) (Session, bool, error) {
	rec, ok, err := st.find(r)
	if err != nil || !ok || st.expired(rec.Session, st.now()) {
		return Session{}, false, err
	}
	return rec.Session, true, nil
}

// load finds the session of a request, and notes that it was used.
func (st *SessionStore) load(r *http.Request) (rec sessionRecord, ok bool, err error) {
	if rec, ok, err = st.find(r); err != nil || !ok {
		return sessionRecord{}, false, err
	}
	now := st.now()
	expired := st.expired(rec.Session, now)
	if !expired && now.Sub(rec.Seen) < seenEvery {
		return rec, true, nil
	}
	touched, ok, err := st.touch(r.Context(), rec.ID, now)
	if err == nil {
		return touched, ok, nil
	}
	// A file that cannot be written locks nobody out of reading: the session
	// counts as it stands, and an expired one is none.
	return rec, !expired, nil
}

// find reads the session of a request, expired or not. An absent, malformed,
// unknown or forged cookie is no session, and no error.
func (st *SessionStore) find(r *http.Request) (rec sessionRecord, ok bool, err error) {
	c, err := r.Cookie(st.name)
	if err != nil {
		return rec, false, nil
	}
	id, key, ok := parseCookie(c.Value)
	if !ok {
		return rec, false, nil
	}
	err = st.store.View(r.Context(), func(tx store.Reader) error {
		rec, err = sessionRecords.Get(tx, id)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return rec, false, nil
	case err != nil:
		return rec, false, fmt.Errorf("reading a session: %w", err)
	case subtle.ConstantTimeCompare(rec.Hash, hashOf(key)) != 1:
		return sessionRecord{}, false, nil
	}
	rec.ID = id
	return rec, true, nil
}

// touch deletes the session if it is expired, and else notes that it was seen.
func (st *SessionStore) touch(ctx context.Context, id string, now time.Time) (rec sessionRecord, ok bool, err error) {
	err = st.store.Update(ctx, func(tx store.Tx) error {
		rec, err = sessionRecords.Get(tx, id)
		ok = err == nil && !st.expired(rec.Session, now)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case err != nil:
			return err
		case !ok:
			return dropSession(tx, id, rec)
		}
		rec.ID = id
		if now.After(rec.Seen) {
			rec.Seen = now
		}
		return errors.Join(sessionRecords.Put(tx, id, rec), noteSeen(tx, rec.UserID, rec.Seen))
	})
	if err != nil || !ok {
		return sessionRecord{}, false, wrap("updating a session", err)
	}
	return rec, true, nil
}

// dropSession deletes a session and takes it off its user's list.
func dropSession(tx store.Tx, id string, rec sessionRecord) error {
	sessionRecords.Delete(tx, id)
	list, err := orZero(sessionLists.Get(tx, rec.UserID))
	if err != nil {
		return err
	}
	list.IDs = slices.DeleteFunc(list.IDs, func(s string) bool { return s == id })
	return putList(tx, rec.UserID, list)
}

func putList(tx store.Tx, userID string, list sessionList) error {
	if len(list.IDs) == 0 {
		sessionLists.Delete(tx, userID)
		return nil
	}
	return sessionLists.Put(tx, userID, list)
}

// EndAll ends all sessions of the user but the one with the id except, in the
// caller's transaction, and returns how many. The caller appends the audit event.
func EndAll(tx store.Tx, userID, except string) (ended int, err error) {
	list, err := orZero(sessionLists.Get(tx, userID))
	if err != nil {
		return 0, fmt.Errorf("ending sessions: %w", err)
	}
	var kept sessionList
	for _, id := range list.IDs {
		if id == except {
			kept.IDs = append(kept.IDs, id)
			continue
		}
		sessionRecords.Delete(tx, id)
		ended++
	}
	return ended, putList(tx, userID, kept)
}

// Renew gives the browser a new session for user, with new id and secret, and
// ends the one it had, in one transaction. Call it when somebody has just proven
// to be user: at sign-in, set-up and password change. The lifetime begins anew.
// The values of a session that was the same user's are kept. It returns an
// errs.Unsigned if the account is gone or disabled, or its password or its second
// factors were changed since user was read.
func (st *SessionStore) Renew(w http.ResponseWriter, r *http.Request, user User, addr string) (Session, error) {
	return st.enter(w, r, Entry{User: user, Proof: st.now()}, addr, true)
}

// Enter is Renew for what a sign-in ended with: it may have proven less than a
// password does. A second factor that was given at the provider in a session before
// does not count for it.
func (st *SessionStore) Enter(w http.ResponseWriter, r *http.Request, e Entry, addr string) (Session, error) {
	return st.enter(w, r, e, addr, false)
}

func (st *SessionStore) enter(w http.ResponseWriter, r *http.Request, e Entry, addr string, goesOn bool) (Session, error) {
	user := e.User
	s, err := st.Get(r, st.name)
	if err != nil {
		return Session{}, fmt.Errorf("renewing a session: %w", err)
	}
	old, had := recordOf(s)
	now, key := st.now(), newToken()
	rec := sessionRecord{
		Session: Session{ID: newToken(), UserID: user.ID, Created: now, Seen: now, Proof: e.Proof, Factor: e.Factor, Addr: addr, Agent: cut(r.UserAgent(), maxAgent)},
		Hash:    hashOf(key),
	}
	if old.UserID == user.ID {
		rec.Values, rec.Factor = old.Values, rec.Factor || goesOn && old.Factor
	}
	err = st.store.Update(r.Context(), func(tx store.Tx) error {
		if err := stillValid(tx, user); err != nil {
			return err
		}
		if had {
			if err := dropSession(tx, old.ID, old); err != nil {
				return err
			}
		}
		return addSession(tx, rec)
	})
	if err != nil {
		return Session{}, fmt.Errorf("renewing a session: %w", err)
	}
	st.setCookie(w, rec.ID+"."+key)
	return rec.Session, fill(s, rec)
}

// stillValid refuses a user who was proven by a password or a passkey that was
// changed since: the change ended all sessions, and this one would come after it.
func stillValid(tx store.Tx, user User) error {
	a, err := orZero(accounts.Get(tx, user.ID))
	if err != nil {
		return err
	}
	if user.ID == "" || a.ID != user.ID || !a.Active() || !a.PasswordChanged.Equal(user.PasswordChanged) ||
		!a.App.Equal(user.App) || a.Passkeys != user.Passkeys {
		return errs.New(errs.Unsigned, "This account was changed a moment ago. Sign in again.")
	}
	return nil
}

func addSession(tx store.Tx, rec sessionRecord) error {
	list, err := orZero(sessionLists.Get(tx, rec.UserID))
	if err != nil {
		return err
	}
	list.IDs = append(list.IDs, rec.ID)
	for len(list.IDs) > maxSessions {
		sessionRecords.Delete(tx, list.IDs[0])
		list.IDs = list.IDs[1:]
	}
	return errors.Join(sessionLists.Put(tx, rec.UserID, list), sessionRecords.Put(tx, rec.ID, rec), noteSeen(tx, rec.UserID, rec.Seen))
}

// SignOut ends the session of the request, with its audit event, and takes the
// cookie from the browser. Without a session it only does the latter. The person
// in by may be empty: the session says who it is.
func (st *SessionStore) SignOut(w http.ResponseWriter, r *http.Request, by audit.Actor) error {
	s, err := st.Get(r, st.name)
	if err != nil {
		return fmt.Errorf("signing out: %w", err)
	}
	rec, ok := recordOf(s)
	if ok {
		if err := st.end(r.Context(), rec, by); err != nil {
			return fmt.Errorf("signing out: %w", err)
		}
	}
	st.dropCookie(w)
	empty(s)
	return nil
}

// end deletes a session with its audit event.
func (st *SessionStore) end(ctx context.Context, rec sessionRecord, by audit.Actor) error {
	now := st.now()
	return st.store.Update(ctx, func(tx store.Tx) error {
		if _, err := sessionRecords.Get(tx, rec.ID); errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		a, err := orZero(accounts.Get(tx, rec.UserID))
		if err != nil {
			return err
		}
		who := by
		who.ID, who.Name = rec.UserID, a.Email
		return errors.Join(dropSession(tx, rec.ID, rec), audit.Append(tx, audit.Event{
			Time: now, Actor: who, Action: audit.SignOut, Target: a.Email, Outcome: audit.Done,
		}))
	})
}

// Sweep deletes the sessions that expired in browsers which never came back. It
// is called every hour or so.
func (st *SessionStore) Sweep(ctx context.Context) error {
	now := st.now()
	err := sweeper[sessionRecord]{
		store: st.store,
		table: sessionRecords,
		gone:  func(rec sessionRecord) bool { return st.expired(rec.Session, now) },
		drop:  dropSession,
	}.sweep(ctx)
	return wrap("sweeping the sessions", err)
}

// cut returns at most n characters of s, all of them valid.
func cut(s string, n int) string {
	runes := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	return string(runes[:min(n, len(runes))])
}
