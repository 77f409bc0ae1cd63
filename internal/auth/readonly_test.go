package auth

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"backoffice/internal/store"
)

// full is a store whose disk is full: it reads, and refuses every Update.
type full struct{ store.Store }

func (full) Update(context.Context, func(store.Tx) error) error {
	return errors.New("no space left on device")
}

// A file that cannot be written locks nobody out of reading, and lets nobody in.
func TestSessionsWhileNothingCanBeWritten(t *testing.T) {
	w, u := withOwner(t)
	st := w.sessions(false)
	rec := httptest.NewRecorder()
	if _, err := st.Renew(rec, httptest.NewRequest("GET", "/", nil), u, "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range rec.Result().Cookies() {
		r.AddCookie(c)
	}
	onFull := NewSessionStore(full{w.store}, SessionOptions{Now: w.clock.now})
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {2 * time.Minute, true}, {20 * time.Minute, true}, {10 * time.Minute, false}} {
		w.clock.add(tt.after)
		if _, ok, err := onFull.Current(r.Clone(t.Context())); ok != tt.want || err != nil {
			t.Errorf("%s later: signed in %v, %v; want %v", tt.after, ok, err, tt.want)
		}
	}
}
