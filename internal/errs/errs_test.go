package errs_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"backoffice/internal/errs"
)

func TestOf(t *testing.T) {
	cause := errors.New("secret cause")
	for _, tt := range []struct {
		err  error
		kind errs.Kind
		msg  string
	}{
		{errs.New(errs.NotFound, "Gone."), errs.NotFound, "Gone."},
		{fmt.Errorf("doing x: %w", errs.Newf(errs.Conflict, "%s was faster.", "Ada")), errs.Conflict, "Ada was faster."},
		{errs.Wrap(errs.Unavailable, "No answer.", cause), errs.Unavailable, "No answer."},
		{errs.Field("email", "Enter one."), errs.Invalid, "Enter one."},
		{errors.Join(errors.New("other"), errs.New(errs.Refused, "No.")), errs.Refused, "No."},
		{cause, errs.Internal, ""},
		{nil, errs.Internal, ""},
	} {
		kind, msg := errs.Of(tt.err)
		if kind != tt.kind || msg != tt.msg {
			t.Errorf("Of(%v) = %v, %q; want %v, %q", tt.err, kind, msg, tt.kind, tt.msg)
		}
		if got := errs.Is(tt.err, tt.kind); got != (tt.err != nil) {
			t.Errorf("Is(%v, %v) = %v", tt.err, tt.kind, got)
		}
	}
}

func TestCauseIsForTheLogAlone(t *testing.T) {
	cause := errors.New("the cause")
	err := errs.Wrap(errs.Unavailable, "No answer.", cause)
	if _, msg := errs.Of(err); strings.Contains(msg, "cause") {
		t.Errorf("the words for people have the cause: %q", msg)
	}
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "the cause") {
		t.Errorf("the log would not have the cause: %v", err)
	}
}

func TestUntil(t *testing.T) {
	at := time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)
	early := &errs.Error{Kind: errs.TooMany, Msg: "Later.", Until: at}
	if got := errs.Until(fmt.Errorf("testing: %w", early)); !got.Equal(at) {
		t.Errorf("Until = %v, want %v", got, at)
	}
	for _, err := range []error{nil, errors.New("other"), errs.New(errs.TooMany, "Later.")} {
		if got := errs.Until(err); !got.IsZero() {
			t.Errorf("Until(%v) = %v, want none", err, got)
		}
	}
}

func TestFields(t *testing.T) {
	err := fmt.Errorf("saving: %w", errors.Join(errs.Field("a", "One."), fmt.Errorf("b: %w", errs.Field("b", "Two.")), errs.Field("a", "Three."), errs.New(errs.Invalid, "No field.")))
	if got, want := errs.Fields(err), map[string]string{"a": "One. Three.", "b": "Two."}; !reflect.DeepEqual(got, want) {
		t.Errorf("Fields = %v, want %v", got, want)
	}
	if got := errs.Fields(nil); len(got) != 0 {
		t.Errorf("Fields(nil) = %v", got)
	}
}

func TestKindNames(t *testing.T) {
	seen := map[string]bool{}
	for k := errs.Internal; k <= errs.Unavailable; k++ {
		name := k.String()
		if name == "" || seen[name] || strings.HasPrefix(name, "kind ") {
			t.Errorf("kind %d is called %q", int(k), name)
		}
		seen[name] = true
	}
	if got := errs.Kind(99).String(); got != "kind 99" {
		t.Errorf("an unknown kind is called %q", got)
	}
}
