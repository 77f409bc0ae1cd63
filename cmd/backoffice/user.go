package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/store/bolt"
)

// userCommand is "backoffice user": people, from the console of the machine, while
// the program is stopped. It is the way back when nobody can sign in.
type userCommand struct {
	Add     userAdd     `cmd:"" help:"Add somebody, and print a password made for them."`
	List    userList    `cmd:"" help:"List everybody."`
	Disable userDisable `cmd:"" help:"Keep somebody from signing in, and end their sessions."`
	Reset   userReset   `cmd:"" help:"Give somebody a new password, remove their second factor, and enable them."`
}

// dataDir is where the data file of a stopped program is.
type dataDir struct {
	Data string `help:"Directory of the data file." default:"data" env:"BACKOFFICE_DATA"`
}

// open calls f with the people of the data file. It makes none.
func (d dataDir) open(f func(*auth.Service) error) (err error) {
	path := filepath.Join(d.Data, dataName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no data file %s. Name its directory with --data", path)
	}
	db, err := bolt.Open(path)
	if err != nil {
		return fmt.Errorf("%w. People are changed here while the program is stopped; while it runs, use Team", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return said(f(auth.New(auth.Options{Store: db})))
}

// said is an error in the words that were made for people, if there are any.
func said(err error) error {
	if _, msg := errs.Of(err); msg != "" {
		return errors.New(msg)
	}
	return err
}

type userAdd struct {
	dataDir
	Email   string `arg:"" help:"E-mail address."`
	Role    string `help:"owner, admin, editor, auditor or viewer." required:""`
	Entries string `help:"Only these entries, for example acme:*. Empty means all."`
}

// Run adds the account.
func (u *userAdd) Run(ctx context.Context, con console) error {
	return u.open(func(s *auth.Service) error {
		password, err := s.ConsoleAdd(ctx, u.Email, auth.Grant{Role: auth.Role(u.Role), Entries: auth.NewPattern(u.Entries)})
		if err == nil {
			fmt.Fprintf(con.out, "Added %s as %s. The password, to be changed after the first sign-in:\n\n  %s\n\n", u.Email, u.Role, password.Reveal())
		}
		return err
	})
}

type userList struct{ dataDir }

// Run lists everybody.
func (u *userList) Run(ctx context.Context, con console) error {
	return u.open(func(s *auth.Service) error {
		people, err := s.People(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "E-MAIL\tROLE\tENTRIES\tSECOND FACTOR\tLAST SEEN\tSTATE")
		for _, p := range people {
			factor, seen, state := "none", "never", "active"
			if !p.Factor.IsZero() {
				factor = "app"
			}
			if !p.Seen.IsZero() {
				seen = p.Seen.UTC().Format(time.DateTime)
			}
			if !p.Active() {
				state = "disabled"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Email, p.Role, p.Entries.Words(), factor, seen, state)
		}
		return w.Flush()
	})
}

type userDisable struct {
	dataDir
	Email string `arg:"" help:"E-mail address."`
}

// Run disables the account.
func (u *userDisable) Run(ctx context.Context, con console) error {
	return u.open(func(s *auth.Service) error {
		err := s.ConsoleDisable(ctx, u.Email)
		if err == nil {
			fmt.Fprintf(con.out, "%s cannot sign in any more.\n", u.Email)
		}
		return err
	})
}

type userReset struct {
	dataDir
	Email string `arg:"" help:"E-mail address."`
}

// Run resets the account.
func (u *userReset) Run(ctx context.Context, con console) error {
	return u.open(func(s *auth.Service) error {
		password, err := s.ConsoleReset(ctx, u.Email)
		if err == nil {
			fmt.Fprintf(con.out, "%s signs in with this password, without a second factor:\n\n  %s\n\n", u.Email, password.Reveal())
		}
		return err
	})
}
