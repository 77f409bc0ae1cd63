// Package control is how a command on this machine's console reaches the program
// that is running: it holds the data file, so nobody else can open it.
//
// A room that has something for the console registers it by a name, once, and the
// same function then works both ways:
//
//	t := control.NewTable()
//	t.Register("user.add", control.Typed(func(ctx context.Context, a addArgs, out io.Writer) error { … }))
//
//	t.Run(ctx, "user.add", args, out)              // in this process, over a data file that is closed
//	control.Call(ctx, dir, "user.add", args, out)  // in the program that has the data file of dir open
//
// The program listens with [Table.Listen] on a Unix socket in its data directory.
// What a [Command] writes to out arrives while it works, in any amount; a writer
// that nobody reads any more fails. Its context ends when the caller leaves or the
// program is to end. The caller gets nil only if the command returned nil: what was
// cut off is an error. An [errs.Error] arrives with its kind and words.
//
// Who may: the socket has mode 0600, in a directory that nobody else can write, and
// the kernel says whose process is at the other end: that of the program's own user,
// or of root. Everybody else is refused before a byte is read, so a command has no
// password to ask for. Whoever is the program's user can read the data file anyway.
//
// The wire: the caller sends one line of JSON, {"command":…,"args":…}, of at most
// 64 KiB. The answer is frames of one byte (o: output; d: done; f: failed), four
// bytes of length, big endian, and the content.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// SocketName is the socket in the data directory.
const SocketName = "backoffice.sock"

// ErrNotRunning is returned by Call if no program listens.
var ErrNotRunning = errors.New("control: no program listens")

// A Command does one thing for the console. args is its JSON, as the caller gave it.
type Command func(ctx context.Context, args json.RawMessage, out io.Writer) error

// Typed is a Command that takes its arguments as an A. A member that A does not
// have is refused.
func Typed[A any](f func(context.Context, A, io.Writer) error) Command {
	return func(ctx context.Context, args json.RawMessage, out io.Writer) error {
		var a A
		d := json.NewDecoder(bytes.NewReader(args))
		d.DisallowUnknownFields()
		if err := d.Decode(&a); err != nil {
			return fmt.Errorf("reading the arguments: %w", err)
		}
		return f(ctx, a, out)
	}
}

// A Table has the commands by name. Register all of them before it is used; then it
// is safe for concurrent use.
type Table struct{ commands map[string]Command }

// NewTable returns a table without commands.
func NewTable() *Table { return &Table{commands: map[string]Command{}} }

// Register adds a command. It panics if the name is empty or taken.
func (t *Table) Register(name string, c Command) {
	if _, taken := t.commands[name]; taken || name == "" || c == nil {
		panic("control: the command " + name + " is registered twice, or is none")
	}
	t.commands[name] = c
}

// Names lists the commands, sorted.
func (t *Table) Names() []string {
	names := make([]string, 0, len(t.commands))
	for n := range t.commands {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Run runs the command in this process, with arguments that go through JSON as
// those of [Call] do.
func (t *Table) Run(ctx context.Context, name string, args any, out io.Writer) error {
	b, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("the arguments of %s: %w", name, err)
	}
	return t.run(ctx, name, b, out)
}

func (t *Table) run(ctx context.Context, name string, args json.RawMessage, out io.Writer) error {
	c, ok := t.commands[name]
	if !ok {
		return fmt.Errorf("the running program knows no command %q. It is of another version: start it again with this one", name)
	}
	return c(ctx, args, out)
}
