// Package format knows in which form the records of a data file are, and brings
// older forms to that of this program.
//
// The form is a number in one record:
//
//	meta/format   {"format": 1, "program": "1.4.0", "since": "2026-11-22T21:56:35Z"}
//
// A file without the record is of form 1, from before there was one. A newer form
// is refused before anything is read or written: this program would not see what a
// later one keeps there, and could undo it. An older one is brought up step by
// step, after a copy of the file was made.
package format

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// Current is the form that this program reads and writes. A change of it needs a
// step in [Steps], a golden data file of the form before in the tests of
// cmd/backoffice, and a line in docs/upgrade.md.
const Current = 1

// Key is where the record is.
const Key = "meta/format"

// A Record says in which form the data is.
type Record struct {
	Format  int       `json:"format"`
	Program string    `json:"program"` // the version that wrote the form first
	Since   time.Time `json:"since"`
}

var records = store.Table[Record]{Prefix: "meta/"}

// Of returns the record of the data, and whether there is one. Data without one is
// of form 1.
func Of(ctx context.Context, s store.Store) (r Record, there bool, err error) {
	err = s.View(ctx, func(rd store.Reader) error {
		r, err = records.Get(rd, "format")
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return Record{Format: 1}, false, nil
	}
	if err == nil && r.Format < 1 {
		err = fmt.Errorf("%s is damaged: there is no form %d", Key, r.Format)
	}
	return r, true, err
}

// Readable returns an errs.Unavailable, with what to do, if the data is of a newer
// form than this program reads.
func Readable(ctx context.Context, s store.Store) error {
	r, _, err := Of(ctx, s)
	if err != nil {
		return fmt.Errorf("reading the form of the data: %w", err)
	}
	return newer(r, Current)
}

func newer(r Record, most int) error {
	if r.Format <= most {
		return nil
	}
	return errs.Newf(errs.Unavailable, "The data is of form %d, which version %s began, and this program reads forms up to %d. Nothing was changed. Start that version or a later one, or restore a backup that was made before the upgrade.", r.Format, r.Program, most)
}

// A Step brings data of form From to the next form. It may be cut short at any
// moment and run again, over data of which it has changed a part.
type Step struct {
	From  int
	Words string // what it does, for the log
	Run   func(ctx context.Context, s store.Store) error
}

// Steps are all there are, in order.
var Steps []Step

// An Upgrade is what Up needs to know.
type Upgrade struct {
	Program string    // the version that is running
	Now     time.Time // taken before
	Steps   []Step
	Current int
	// Before is called once, before the first step, with the form of the data: it
	// makes a copy. If it fails, nothing is changed.
	Before func(ctx context.Context, from int) error
	Said   func(words string) // told of each step; may be nil
}

// Up brings the data to the form of u, and writes the record where there is none.
func Up(ctx context.Context, s store.Store, u Upgrade) error {
	r, there, err := Of(ctx, s)
	if err != nil {
		return fmt.Errorf("reading the form of the data: %w", err)
	}
	if err := newer(r, u.Current); err != nil {
		return err
	}
	if there && r.Format == u.Current {
		return nil
	}
	if r.Format < u.Current {
		if err := u.Before(ctx, r.Format); err != nil {
			return fmt.Errorf("copying the data before the upgrade: %w. Nothing was changed", err)
		}
	}
	for form := r.Format; form < u.Current; form++ {
		if err := u.step(ctx, s, form); err != nil {
			return err
		}
	}
	if !there && r.Format == u.Current {
		return write(ctx, s, Record{u.Current, u.Program, u.Now})
	}
	return nil
}

// step takes one step, and notes it.
func (u Upgrade) step(ctx context.Context, s store.Store, form int) error {
	for _, step := range u.Steps {
		if step.From != form {
			continue
		}
		if u.Said != nil {
			u.Said(fmt.Sprintf("The data is brought from form %d to %d: %s", form, form+1, step.Words))
		}
		if err := step.Run(ctx, s); err != nil {
			return fmt.Errorf("bringing the data from form %d to %d: %w. Start again to go on, or put back the copy that was made before", form, form+1, err)
		}
		return write(ctx, s, Record{form + 1, u.Program, u.Now})
	}
	return fmt.Errorf("this program has no way from form %d of the data to %d", form, form+1)
}

func write(ctx context.Context, s store.Store, r Record) error {
	return s.Update(ctx, func(tx store.Tx) error { return records.Put(tx, "format", r) })
}
