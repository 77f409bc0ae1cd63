// Command backoffice keeps the OAuth apps of an integration platform's
// connectors: configured, tested, watched and audited in a browser.
//
// One file a command. Each command is a struct of settings, which is flags,
// environment and help at once, and a function that tests call as main does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "0.1.0"

// commands are what the program can do.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Run the program. Every setting is a flag or a variable of the environment."`
	Rehearse rehearseCommand `cmd:"" help:"Run the program on this machine together with the rehearsal sandbox, to try it out."`
	Sandbox  sandboxCommand  `cmd:"" help:"Run the rehearsal sandbox alone: an Intercom-shaped provider with switchable faults."`
	Audit    auditCommand    `cmd:"" help:"Check what was given out of the audit log, on any machine; or export it here."`

	User userCommand `cmd:"" help:"Add, list, disable or reset people, whether the program runs or not."`

	Backup  backupCommand  `cmd:"" help:"Write a backup of everything but the key file into one file, also while the program runs."`
	Check   verifyCommand  `cmd:"" name:"verify" help:"Rehearse the restore of a backup: check all of it, and change nothing."`
	Restore restoreCommand `cmd:"" help:"Check a backup, and then put it in the place of the data. The program must be stopped."`
	Compact compactCommand `cmd:"" help:"Write the data file anew without its free pages. The program must be stopped."`

	Keys keysCommand `cmd:"" help:"List the keys that seal the data, make a new one, seal anew, and retire an old one; or wrap the key file."`

	Version kong.VersionFlag `help:"Print the version and end."`
}

// console is where a command talks to the person who started it.
type console struct{ out, err io.Writer }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := mainWith(ctx, os.Args[1:], console{os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// mainWith runs the command that args name and returns the exit status: 0 if
// all went well, 1 if the command failed, 2 if the words were wrong, or what an
// error of a command says itself.
func mainWith(ctx context.Context, args []string, con console) int {
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("backoffice"), kong.Vars{"version": version}, kong.Writers(con.out, con.err),
		kong.Exit(func(code int) { exit = code }), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(con),
		kong.Description("BackOffice keeps the OAuth apps of your connectors: their credentials sealed, their connections tested, every change on record."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: false, FlagsLast: true, WrapUpperBound: 100}))
	if err != nil {
		fmt.Fprintf(con.err, "backoffice: %v\n", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // --help or --version did their work
		return exit
	}
	if err != nil {
		fmt.Fprintf(con.err, "backoffice: %v. See backoffice --help.\n", err)
		return 2
	}
	if err := parsed.Run(); err != nil {
		fmt.Fprintf(con.err, "backoffice: %v\n", err)
		var status interface{ ExitCode() int }
		if errors.As(err, &status) {
			return status.ExitCode()
		}
		return 1
	}
	return 0
}
