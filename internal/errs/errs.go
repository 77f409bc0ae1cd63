// Package errs names the failures that a user may be told about.
//
// An [Error] is made once, where its meaning is known; on the way up it is
// only wrapped with fmt.Errorf("doing x: %w", err). Whatever is not an *Error
// is our own fault: the page then says so in general words and gives a
// reference that is in the log. Nothing in Msg may come from a secret, a
// foreign body or an internal name.
package errs

import (
	"errors"
	"fmt"
	"time"
)

// A Kind says what sort of failure it is. internal/server gives each its HTTP
// status; no other room knows about statuses.
type Kind int

// The kinds. The zero Kind is Internal, so that an error that nobody thought
// about is never shown to a user.
const (
	Internal    Kind = iota // our fault: generic words, a reference
	Invalid                 // what was sent cannot be accepted as it is
	Unsigned                // nobody is signed in
	Refused                 // signed in, but not allowed
	NotFound                // it does not exist
	Conflict                // somebody else was faster
	TooMany                 // too many attempts; try later
	Unavailable             // something we depend on does not answer
)

var kindNames = [...]string{"internal", "invalid", "unsigned", "refused", "not found", "conflict", "too many", "unavailable"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return kindNames[k]
}

// An Error is a failure with words for people. Msg is one or two whole
// sentences: what happened, and what to do about it. Field, if set, is the
// name of the form field at fault. Until, if set, is when it is worth another
// try. Err, if set, is for the log only.
type Error struct {
	Kind  Kind
	Msg   string
	Field string
	Until time.Time
	Err   error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Msg + " (" + e.Err.Error() + ")"
	}
	return e.Msg
}

func (e *Error) Unwrap() error { return e.Err }

// New returns an error of the given kind with words for people.
func New(k Kind, msg string) error { return &Error{Kind: k, Msg: msg} }

// Newf is New with a format. Its arguments are shown to people.
func Newf(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Msg: fmt.Sprintf(format, args...)}
}

// Field returns an Invalid error about one field of a form.
func Field(name, msg string) error { return &Error{Kind: Invalid, Msg: msg, Field: name} }

// Wrap is New with a cause that goes to the log and never to the page.
func Wrap(k Kind, msg string, err error) error { return &Error{Kind: k, Msg: msg, Err: err} }

// Of returns the kind of err and the words that may be shown. For an error
// without an *Error in its chain it returns Internal and no words.
func Of(err error) (Kind, string) {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind, e.Msg
	}
	return Internal, ""
}

// Until returns when what failed with err is worth another try. It is the zero
// time if that is not known.
func Until(err error) time.Time {
	var e *Error
	if errors.As(err, &e) {
		return e.Until
	}
	return time.Time{}
}

// Is reports whether err is of kind k.
func Is(err error, k Kind) bool {
	if err == nil {
		return false
	}
	got, _ := Of(err)
	return got == k
}

// Fields returns the messages of all Field errors joined in err (see
// errors.Join), by field name. Messages of one field are joined by a space.
func Fields(err error) map[string]string {
	out := map[string]string{}
	collect(err, out)
	return out
}

func collect(err error, out map[string]string) {
	if err == nil {
		return
	}
	if e, ok := err.(*Error); ok && e.Field != "" {
		if out[e.Field] != "" {
			out[e.Field] += " "
		}
		out[e.Field] += e.Msg
		return
	}
	switch u := err.(type) {
	case interface{ Unwrap() []error }:
		for _, sub := range u.Unwrap() {
			collect(sub, out)
		}
	case interface{ Unwrap() error }:
		collect(u.Unwrap(), out)
	}
}
