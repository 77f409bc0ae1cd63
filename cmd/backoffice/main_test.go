package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"testing"
	"time"

	"backoffice/internal/control"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"backoffice": main, "backoffice-retire": func() {
		os.Exit(retireOld(os.Args[1], os.Args[2:]))
	}, "backoffice-await": func() {
		os.Exit(await(os.Args[1]))
	}, "backoffice-first": func() {
		os.Exit(firstStart(os.Args[1]))
	}, "backoffice-status": func() {
		os.Exit(wantStatus(os.Args[1], os.Args[2:]))
	}})
}

// Each behaviour of the command line is a script beneath testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(e *testscript.Env) error {
		e.Setenv("HOME", e.WorkDir)
		return nil
	}})
}

// await returns when a program with the data directory takes commands.
func await(dir string) int {
	for {
		err := control.Call(context.Background(), dir, "user.list", struct{}{}, io.Discard)
		if !errors.Is(err, control.ErrNotRunning) {
			return map[bool]int{true: 0, false: 1}[err == nil]
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// wantStatus runs the program and succeeds if it ends with that exit status.
func wantStatus(want string, args []string) int {
	if got := mainWith(context.Background(), args, console{os.Stdout, os.Stderr}); fmt.Sprint(got) != want {
		fmt.Fprintf(os.Stderr, "exit status %d, want %s\n", got, want)
		return 1
	}
	return 0
}

// firstStart starts the program over a new data directory and ends it as soon
// as it serves.
func firstStart(dir string) int {
	ctx, cancel := context.WithCancel(context.Background())
	s := defaults(dir)
	s.ready = func(net.Addr) { cancel() }
	if err := serve(ctx, s, "", console{os.Stdout, os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// retireOld retires the key of the data directory that opens and does not seal. For
// a script, a refusal is no failure.
func retireOld(dir string, more []string) int {
	var list bytes.Buffer
	if code := mainWith(context.Background(), []string{"keys", "list", "--data", dir}, console{&list, os.Stderr}); code != 0 {
		return code
	}
	old := regexp.MustCompile(`(?m)^([0-9a-f]{8}) +opens`).FindStringSubmatch(list.String())
	if old == nil {
		fmt.Fprintln(os.Stderr, "no key that opens only")
		return 1
	}
	mainWith(context.Background(), append([]string{"keys", "retire", old[1], "--data", dir}, more...), console{os.Stdout, os.Stderr})
	return 0
}
