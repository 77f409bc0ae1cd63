package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"backoffice/internal/control"
	"backoffice/internal/errs"
	"backoffice/internal/format"
	"backoffice/internal/keyring"
	"backoffice/internal/store/bolt"
)

// A command that changes the data from the console works both ways: the program
// that has the data file open does it, asked through the socket in the data
// directory; while none is running, the command opens the file itself. Both run the
// function that is registered by its name. What serve has registered is in
// rooms.commands; a command over a closed file registers the same on its own rooms.

// dataDir is where the data file is.
type dataDir struct {
	Data string `help:"Directory of the data file." default:"data" env:"BACKOFFICE_DATA"`
}

// do has the command of that name done, by the running program if there is one, and
// copies what it writes to con.out. register puts the command into a table over the
// data file, for when there is none; it makes no data file.
func (d dataDir) do(ctx context.Context, con console, name string, args any, register func(*control.Table, *bolt.DB)) error {
	err := control.Call(ctx, d.Data, name, args, con.out)
	if !errors.Is(err, control.ErrNotRunning) {
		return said(err)
	}
	err = d.open(func(db *bolt.DB) error {
		t := control.NewTable()
		register(t, db)
		return t.Run(ctx, name, args, con.out)
	})
	if errors.Is(err, bolt.ErrLocked) { // it has started since, or takes no commands
		if again := control.Call(ctx, d.Data, name, args, con.out); !errors.Is(again, control.ErrNotRunning) {
			return said(again)
		}
		return fmt.Errorf("the data file %s is open in another process, and there is no socket %s to reach it by: its log says why. Stop that process, and run this again", filepath.Join(d.Data, dataName), filepath.Join(d.Data, control.SocketName))
	}
	return said(err)
}

// open calls f with the data file of a stopped program. It makes none.
func (d dataDir) open(f func(*bolt.DB) error) (err error) {
	path := filepath.Join(d.Data, dataName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no data file %s. Name its directory with --data", path)
	}
	db, err := bolt.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := format.Readable(context.Background(), db); err != nil {
		return err
	}
	return f(db)
}

// said is an error in the words that were made for people, if there are any.
func said(err error) error {
	if _, msg := errs.Of(err); msg != "" {
		return errors.New(msg)
	}
	return err
}

// commands are what the running program does for the console.
func (r rooms) commands() *control.Table {
	t := control.NewTable()
	registerPeople(t, r.auth)
	registerBackup(t, r.backups)
	registerKeys(t, func(context.Context) (*keyring.Ring, error) { return r.keys, nil }, true)
	return t
}

// openSocket listens for commands. Without a socket the program runs all the same,
// and the console has to wait until it is stopped.
func openSocket(dir string, t *control.Table, log *slog.Logger) (serve func(context.Context)) {
	l, err := t.Listen(dir, log)
	if err != nil {
		log.Warn("no commands from the console while the program runs", "error", err)
		return func(context.Context) {}
	}
	return l.Serve
}
