package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A program is one run of "backoffice rehearse" with its own data directory.
type program struct {
	url     string // of the product, as people type it
	sandbox string // of the rehearsal sandbox
	setup   string // the one-time link that was printed at the start
	cmd     *exec.Cmd
	log     *record
	ended   chan error
}

// start runs the program until the test ends, and then asks it to stop, as an
// operator would. A test in which it does not end cleanly, or in which it
// logged an error, has failed.
func start(t *testing.T, more ...string) *program {
	t.Helper()
	port, sandboxPort := freePort(t), freePort(t)
	p := &program{url: "http://localhost:" + port, sandbox: "http://localhost:" + sandboxPort}
	p.launch(t, append([]string{"rehearse", "--addr", "127.0.0.1:" + port, "--sandbox-addr", "127.0.0.1:" + sandboxPort, "--data", t.TempDir()}, more...)...)
	return p
}

// launch runs the program with these arguments.
func (p *program) launch(t *testing.T, args ...string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p.log, p.ended = &record{}, make(chan error, 1)
	p.cmd = exec.Command(path, args...)
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
	links := make(chan string, 1)
	go p.read(out, links)
	select {
	case p.setup = <-links:
	case err := <-p.ended:
		p.ended <- err
		t.Fatalf("the program ended at once (%v):\n%s", err, p.log)
	case <-time.After(*patience):
		t.Fatalf("the program printed no set-up link within %s:\n%s", *patience, p.log)
	}
}

var setupLink = regexp.MustCompile(`http://\S+/setup\?token=\S+`)

// read copies what the program prints into its log, and gives the set-up link
// away. It is the one that waits for the end of the process, because all output
// must be read before.
func (p *program) read(out io.Reader, links chan<- string) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		p.log.Write(append(lines.Bytes(), '\n'))
		if link := setupLink.FindString(lines.Text()); link != "" {
			links <- link
		}
	}
	p.ended <- p.cmd.Wait()
}

func (p *program) stop(t *testing.T) {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stopping the program: %v", err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			t.Errorf("the program did not end cleanly: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the program did not stop within 30 seconds of SIGTERM")
		p.cmd.Process.Kill()
		<-p.ended
	}
	for line := range strings.Lines(p.log.String()) {
		if strings.Contains(line, "level=ERROR") {
			t.Errorf("the program logged an error: %s", line)
		}
	}
	if t.Failed() {
		t.Logf("what the program printed:\n%s", p.log)
	}
}

var ports struct {
	sync.Mutex
	given map[string]bool
}

// freePort is a port of the loopback interface that nobody listens on now, and
// that no other test of this run was given.
func freePort(t *testing.T) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.given == nil {
		ports.given = map[string]bool{}
	}
	for {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
		ln.Close()
		if !ports.given[port] {
			ports.given[port] = true
			return port
		}
	}
}

// keepPath is where a file about a failed test goes.
func keepPath(t *testing.T, name string) (string, error) {
	dir := filepath.Join(*keep, strings.ReplaceAll(t.Name(), "/", "-"))
	return filepath.Join(dir, name), os.MkdirAll(dir, 0o755)
}

// A record is output that may be written and read at the same time.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}
