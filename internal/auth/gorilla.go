package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"

	"github.com/gorilla/sessions"
)

// SessionOptions say how long sessions live and where their cookie goes.
type SessionOptions struct {
	Secure   bool             // the public URL is https
	Idle     time.Duration    // 30 minutes if 0
	Absolute time.Duration    // 12 hours if 0
	Proof    time.Duration    // how long a password counts; 5 minutes if 0
	Now      func() time.Time // time.Now if nil
}

// A SessionStore is a gorilla sessions.Store that keeps sessions on the server,
// so that they can be ended. The cookie is "id.secret"; only a hash of the secret
// is stored. There are sessions of signed-in persons only: they begin with Renew
// and end with SignOut. It is safe for concurrent use.
type SessionStore struct {
	store          store.Store
	name           string
	secure         bool
	idle, absolute time.Duration
	proof          time.Duration
	now            func() time.Time
}

var _ sessions.Store = (*SessionStore)(nil)

// NewSessionStore returns the sessions in s.
func NewSessionStore(s store.Store, o SessionOptions) *SessionStore {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Idle == 0 {
		o.Idle = 30 * time.Minute
	}
	if o.Absolute == 0 {
		o.Absolute = 12 * time.Hour
	}
	if o.Proof == 0 {
		o.Proof = proofFor
	}
	return &SessionStore{
		store: s, name: cookieName(o.Secure), secure: o.Secure, idle: o.Idle, absolute: o.Absolute, proof: o.Proof,
		now: func() time.Time { return o.Now().UTC() },
	}
}

// Name is the name of the cookie, which Get wants.
func (st *SessionStore) Name() string { return st.name }

// Current returns the session of the request, if it has a valid one. Within one
// request the store is asked once.
func (st *SessionStore) Current(r *http.Request) (Session, bool, error) {
	s, err := st.Get(r, st.name)
	if err != nil {
		return Session{}, false, err
	}
	rec, ok := recordOf(s)
	return rec.Session, ok, nil
}

// Get returns the session of the request, from gorilla's registry if it was asked
// for before. Only an error of the store, or another name than Name, is an error.
func (st *SessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(st, name)
}

// New returns the session that the request's cookie names, or an empty one with
// IsNew set. It writes nothing but the time of the last visit, once a minute, and
// deletes a session that it finds expired.
func (st *SessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(st, name)
	s.Options = cookieOptions(st.secure)
	s.IsNew = true
	if name != st.name {
		return s, fmt.Errorf("no sessions are kept under the name %q", name)
	}
	rec, ok, err := st.load(r)
	if err != nil || !ok {
		return s, err
	}
	return s, fill(s, rec)
}

// Save stores the session's Values if they changed. Their keys are strings and
// their values what JSON has. With a negative MaxAge it signs out. For anonymous
// visitors nothing is kept: Values are an error there.
func (st *SessionStore) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if s.Options != nil && s.Options.MaxAge < 0 {
		return st.SignOut(w, r, audit.Actor{})
	}
	values, err := encodeValues(s.Values)
	if err != nil {
		return fmt.Errorf("saving a session: %w", err)
	}
	rec, ok := recordOf(s)
	switch {
	case bytes.Equal(values, rec.Values):
		return nil
	case !ok:
		return fmt.Errorf("saving a session: nothing is kept for anonymous visitors")
	}
	err = st.store.Update(r.Context(), func(tx store.Tx) error {
		stored, err := orZero(sessionRecords.Get(tx, rec.ID))
		if err != nil {
			return err
		}
		if stored.UserID == "" {
			return errs.New(errs.Unsigned, "You have been signed out. Sign in again.")
		}
		stored.Values = values
		return sessionRecords.Put(tx, rec.ID, stored)
	})
	if err != nil {
		return fmt.Errorf("saving a session: %w", err)
	}
	rec.Values = values
	s.Values[recordKey{}] = rec
	return nil
}

// recordKey is where a session carries its record among the Values. No other
// package can make the key, so none can sign anybody in by setting a value.
type recordKey struct{}

func recordOf(s *sessions.Session) (sessionRecord, bool) {
	rec, ok := s.Values[recordKey{}].(sessionRecord)
	return rec, ok
}

// fill makes s the session of rec.
func fill(s *sessions.Session, rec sessionRecord) error {
	var values map[string]any
	if len(rec.Values) > 0 {
		if err := json.Unmarshal(rec.Values, &values); err != nil {
			return fmt.Errorf("reading the values of a session: %w", err)
		}
	}
	empty(s)
	s.ID, s.IsNew = rec.ID, false
	for k, v := range values {
		s.Values[k] = v
	}
	s.Values[recordKey{}] = rec
	return nil
}

// empty makes s the session of nobody.
func empty(s *sessions.Session) {
	s.ID, s.IsNew, s.Values = "", true, map[any]any{}
}

// encodeValues returns Values as a JSON object, and nil if there are none.
func encodeValues(values map[any]any) (json.RawMessage, error) {
	plain := make(map[string]any, len(values))
	for k, v := range values {
		if _, ok := k.(recordKey); ok {
			continue
		}
		name, ok := k.(string)
		if !ok || !isJSON(v) {
			return nil, fmt.Errorf("value %q of type %T would not survive JSON", k, v)
		}
		plain[name] = v
	}
	if len(plain) == 0 {
		return nil, nil
	}
	return json.Marshal(plain)
}

// isJSON reports whether v comes back from JSON as it is now.
func isJSON(v any) bool {
	switch v := v.(type) {
	case string, bool, float64, nil:
		return true
	case []any:
		for _, e := range v {
			if !isJSON(e) {
				return false
			}
		}
		return v != nil
	case map[string]any:
		for _, e := range v {
			if !isJSON(e) {
				return false
			}
		}
		return v != nil
	}
	return false
}
