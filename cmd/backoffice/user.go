package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/control"
	"backoffice/internal/store/bolt"
)

// userCommand is "backoffice user": people, from the console of the machine, also
// while the program runs. It is the way back when nobody can sign in.
type userCommand struct {
	Add     userAdd     `cmd:"" help:"Add somebody, and print a password made for them."`
	List    userList    `cmd:"" help:"List everybody."`
	Disable userDisable `cmd:"" help:"Keep somebody from signing in, and end their sessions."`
	Reset   userReset   `cmd:"" help:"Give somebody a new password, remove their app, passkeys and recovery codes, and enable them."`
}

// people has the command done with the people of the data file.
func (d dataDir) people(ctx context.Context, con console, name string, args any) error {
	return d.do(ctx, con, name, args, func(t *control.Table, db *bolt.DB) { registerPeople(t, auth.New(auth.Options{Store: db})) })
}

// registerPeople registers what the commands beneath "backoffice user" do.
func registerPeople(t *control.Table, s *auth.Service) {
	t.Register("user.add", control.Typed(func(ctx context.Context, a userAddArgs, out io.Writer) error {
		password, err := s.ConsoleAdd(ctx, a.Email, auth.Grant{Role: auth.Role(a.Role), Entries: auth.NewPattern(a.Entries)})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "Added %s as %s. The password, to be changed after the first sign-in:\n\n  %s\n\n", a.Email, a.Role, password.Reveal())
		return err
	}))
	t.Register("user.list", control.Typed(func(ctx context.Context, _ struct{}, out io.Writer) error { return listPeople(ctx, s, out) }))
	t.Register("user.disable", control.Typed(func(ctx context.Context, a userArgs, out io.Writer) error {
		if err := s.ConsoleDisable(ctx, a.Email); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, "%s cannot sign in any more.\n", a.Email)
		return err
	}))
	t.Register("user.reset", control.Typed(func(ctx context.Context, a userArgs, out io.Writer) error {
		password, err := s.ConsoleReset(ctx, a.Email)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s signs in with this password, without a second factor:\n\n  %s\n\n", a.Email, password.Reveal())
		return err
	}))
}

// userArgs name an account.
type userArgs struct {
	Email string `json:"email"`
}

// userAddArgs are a new account.
type userAddArgs struct {
	Email   string `json:"email"`
	Role    string `json:"role"`
	Entries string `json:"entries"`
}

type userAdd struct {
	dataDir
	Email   string `arg:"" help:"E-mail address."`
	Role    string `help:"owner, admin, editor, auditor or viewer." required:""`
	Entries string `help:"Only these entries, for example acme:*. Empty means all."`
}

// Run adds the account.
func (u *userAdd) Run(ctx context.Context, con console) error {
	return u.people(ctx, con, "user.add", userAddArgs{u.Email, u.Role, u.Entries})
}

type userList struct{ dataDir }

// Run lists everybody.
func (u *userList) Run(ctx context.Context, con console) error {
	return u.people(ctx, con, "user.list", struct{}{})
}

// listPeople writes a table of everybody.
func listPeople(ctx context.Context, s *auth.Service, out io.Writer) error {
	people, err := s.People(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "E-MAIL\tROLE\tENTRIES\tSECOND FACTOR\tLAST SEEN\tSTATE")
	for _, p := range people {
		factor, seen, state := "none", "never", "active"
		if p.HasFactor() {
			factor = p.Factors()
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
}

type userDisable struct {
	dataDir
	Email string `arg:"" help:"E-mail address."`
}

// Run disables the account.
func (u *userDisable) Run(ctx context.Context, con console) error {
	return u.people(ctx, con, "user.disable", userArgs{u.Email})
}

type userReset struct {
	dataDir
	Email string `arg:"" help:"E-mail address."`
}

// Run resets the account.
func (u *userReset) Run(ctx context.Context, con console) error {
	return u.people(ctx, con, "user.reset", userArgs{u.Email})
}
