package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var (
	shots    = flag.String("shots", "", "directory that TestScreenshots fills; without it that test does nothing")
	built    = flag.String("backoffice", "", "a program that is built already; without it the tests build their own")
	keep     = flag.String("keep", filepath.Join(os.TempDir(), "backoffice-e2e"), "directory for the screenshots of failed tests")
	patience = flag.Duration("patience", 30*time.Second, "how long a step waits for its condition")
)

// scratch is the directory of what a run builds; TestMain removes it.
var scratch string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "backoffice-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(scratch)
	defer closeBrowser()
	return m.Run()
}

// binary is the path of the program, which is built once a run.
var binary = sync.OnceValues(func() (string, error) {
	if *built != "" {
		return filepath.Abs(*built)
	}
	out := filepath.Join(scratch, "backoffice")
	build := exec.Command("go", "build", "-o", out, "backoffice/cmd/backoffice")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, said)
	}
	return out, nil
})
