//go:build unix

package control

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"backoffice/internal/errs"
)

// A program is a table that listens.
type program struct {
	dir  string
	log  *lines
	stop func()
}

// lines is a bytes.Buffer for several goroutines.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, dir string, table *Table, change ...func(*Listener)) program {
	t.Helper()
	p := program{dir: dir, log: &lines{}}
	l, err := table.Listen(dir, slog.New(slog.NewTextHandler(p.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(l)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); l.Serve(ctx) }()
	p.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(p.stop)
	return p
}

type greeting struct {
	Name string `json:"name"`
}

func greeter() *Table {
	t := NewTable()
	t.Register("greet", Typed(func(_ context.Context, g greeting, out io.Writer) error {
		_, err := fmt.Fprintf(out, "hello %s\n", g.Name)
		return err
	}))
	t.Register("fail", func(_ context.Context, _ json.RawMessage, out io.Writer) error {
		fmt.Fprint(out, "half")
		return fmt.Errorf("failing: %w", errs.Wrap(errs.Conflict, "Somebody was faster.", errors.New("inner")))
	})
	t.Register("panic", func(context.Context, json.RawMessage, io.Writer) error { panic("secret words") })
	return t
}

func private(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBothWaysAreTheSame(t *testing.T) {
	table := greeter()
	p := start(t, private(t), table)
	for name, call := range map[string]func(string, any, io.Writer) error{
		"in process": func(n string, a any, out io.Writer) error { return table.Run(t.Context(), n, a, out) },
		"socket":     func(n string, a any, out io.Writer) error { return Call(t.Context(), p.dir, n, a, out) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := call("greet", greeting{"Ada"}, &out); err != nil || out.String() != "hello Ada\n" {
				t.Errorf("greet = %q, %v", out.String(), err)
			}
			out.Reset()
			err := call("fail", nil, &out)
			kind, msg := errs.Of(err)
			if out.String() != "half" || kind != errs.Conflict || msg != "Somebody was faster." {
				t.Errorf("fail = %q, %v", out.String(), err)
			}
			if err := call("greet", map[string]string{"name": "x", "nmae": "y"}, io.Discard); err == nil || !strings.Contains(err.Error(), "nmae") {
				t.Errorf("an unknown argument: %v", err)
			}
			if err := call("gone", nil, io.Discard); err == nil || !strings.Contains(err.Error(), `no command "gone"`) {
				t.Errorf("an unknown command: %v", err)
			}
		})
	}
	err := Call(t.Context(), p.dir, "panic", nil, io.Discard)
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(p.log.String(), "secret words") || !strings.Contains(p.log.String(), "listen.go") {
		t.Errorf("a panic: %v, log %s", err, p.log)
	}
	if got := fmt.Sprint(table.Names()); got != "[fail greet panic]" {
		t.Errorf("Names = %s", got)
	}
}

// 200 MB arrive as they were written, without being held anywhere.
func TestLargeOutput(t *testing.T) {
	const size = 200 << 20
	table := NewTable()
	sent := sha256.New()
	table.Register("stream", func(_ context.Context, _ json.RawMessage, out io.Writer) error {
		src := rand.NewChaCha8([32]byte{1})
		_, err := io.Copy(io.MultiWriter(out, sent), io.LimitReader(src, size))
		return err
	})
	p := start(t, private(t), table)
	got := sha256.New()
	n := &counter{w: got}
	if err := Call(t.Context(), p.dir, "stream", nil, n); err != nil || n.n != size || !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
		t.Errorf("%d bytes of %d, same %v, %v", n.n, size, bytes.Equal(got.Sum(nil), sent.Sum(nil)), err)
	}
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.w.Write(p)
}

// What is cut off is no success: neither when the program ends, nor when it is killed.
func TestCutOff(t *testing.T) {
	table := NewTable()
	begun, ended := make(chan struct{}), make(chan error, 1)
	table.Register("wait", func(ctx context.Context, _ json.RawMessage, out io.Writer) error {
		fmt.Fprint(out, "some")
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	p := start(t, private(t), table)
	var out bytes.Buffer
	answered := make(chan error, 1)
	go func() { answered <- Call(context.WithoutCancel(t.Context()), p.dir, "wait", nil, &out) }()
	<-begun
	p.stop()
	if err := <-answered; err == nil {
		t.Error("a command that was ended was done")
	}
	<-ended
	if err := readAnswer(strings.NewReader("o\x00\x00\x00\x04some"), io.Discard); !errors.Is(err, io.EOF) {
		t.Errorf("an answer without an end: %v", err)
	}
	for _, junk := range []string{"x\x00\x00\x00\x00", "o\xff\xff\xff\xff", "f\x00\x00\x00\x01{", "o\x00\x00\x00\x09half"} {
		if err := readAnswer(strings.NewReader(junk), io.Discard); err == nil {
			t.Errorf("%q is an answer", junk)
		}
	}
}

// A caller that leaves stops its command.
func TestCallerLeaves(t *testing.T) {
	table := NewTable()
	begun, ended := make(chan struct{}), make(chan struct{})
	table.Register("wait", func(ctx context.Context, _ json.RawMessage, _ io.Writer) error {
		close(begun)
		<-ctx.Done()
		close(ended)
		return nil
	})
	p := start(t, private(t), table)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if err := Call(ctx, p.dir, "wait", nil, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("Call = %v", err)
	}
	<-ended
}

func TestNotRunning(t *testing.T) {
	dir := private(t)
	if err := Call(t.Context(), dir, "greet", nil, io.Discard); !errors.Is(err, ErrNotRunning) {
		t.Errorf("without a socket: %v", err)
	}
	stale(t, dir)
	if err := Call(t.Context(), dir, "greet", nil, io.Discard); !errors.Is(err, ErrNotRunning) {
		t.Errorf("at the socket of a killed program: %v", err)
	}
	p := start(t, dir, greeter()) // over the stale one
	var out bytes.Buffer
	if err := Call(t.Context(), dir, "greet", greeting{"again"}, &out); err != nil || out.String() != "hello again\n" {
		t.Errorf("over a stale socket: %q, %v", out.String(), err)
	}
	p.stop()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// stale leaves a socket as a killed program does.
func stale(t *testing.T, dir string) {
	t.Helper()
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, SocketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWhoIsLetIn(t *testing.T) {
	dir := private(t)
	p := start(t, dir, greeter())
	fi, err := os.Lstat(filepath.Join(dir, SocketName))
	if err != nil || fi.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("the socket: %v, %v", fi.Mode(), err)
	}
	p.stop()
	me := uint32(os.Getuid())
	p = start(t, dir, greeter(), func(l *Listener) {
		if len(l.uids) != 2 || l.uids[0] != me || l.uids[1] != 0 {
			t.Errorf("let in: %v", l.uids)
		}
		l.uids = []uint32{me + 1}
	})
	if err := Call(t.Context(), dir, "greet", greeting{"x"}, io.Discard); err == nil || !strings.Contains(err.Error(), "for the user that runs the program") || !strings.Contains(p.log.String(), "refused") {
		t.Errorf("another user: %v; log %s", err, p.log)
	}
}

// A process of another user is refused by the kernel's word, also where the modes
// would let it in.
func TestAnotherUser(t *testing.T) {
	if os.Getenv("CONTROL_TEST_DIR") != "" {
		conn, err := dial(os.Getenv("CONTROL_TEST_DIR"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("answer:", readAnswer(conn, io.Discard))
		return
	}
	if os.Getuid() != 0 {
		t.Skip("only root can start a process of another user")
	}
	dir, err := os.MkdirTemp("/tmp", "control-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	start(t, dir, greeter())
	binary := filepath.Join(dir, "control.test")
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"binary": os.WriteFile(binary, program, 0o755), "directory": os.Chmod(dir, 0o755), "socket": os.Chmod(filepath.Join(dir, SocketName), 0o666)} {
		if err != nil {
			t.Fatal(name, err)
		}
	}
	cmd := exec.Command(binary, "-test.run=^TestAnotherUser$", "-test.v")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), "CONTROL_TEST_DIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "answer: this socket is for the user that runs the program, and for root") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestDirectoryIsChecked(t *testing.T) {
	for mode, ok := range map[fs.FileMode]bool{0o700: true, 0o750: true, 0o755: true, 0o770: false, 0o707: false, 0o1777: false} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode&0o777); err != nil {
			t.Fatal(err)
		}
		l, err := greeter().Listen(dir, slog.New(slog.DiscardHandler))
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "chmod go-w") {
			t.Errorf("%04o: %v", mode, err)
		}
		if err == nil {
			_ = l.ln.Close()
			continue
		}
		stale(t, dir)
		if err := Call(t.Context(), dir, "greet", nil, io.Discard); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
			t.Errorf("Call in %04o: %v", mode, err)
		}
	}
	dir := private(t)
	if err := os.WriteFile(filepath.Join(dir, SocketName), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := greeter().Listen(dir, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("over a file: %v", err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, SocketName)); string(b) != "mine" {
		t.Error("the file was changed")
	}
}

// A data directory may be deeper than the kernel lets a socket's path be.
func TestLongPath(t *testing.T) {
	dir := filepath.Join(private(t), strings.Repeat("deep", 30), strings.Repeat("deeper", 20))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, dir, greeter())
	var out bytes.Buffer
	if err := Call(t.Context(), dir, "greet", greeting{"down there"}, &out); err != nil || out.String() != "hello down there\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// Callers that say nothing, too much or nonsense hurt nobody else.
func TestBadCallers(t *testing.T) {
	p := start(t, private(t), greeter())
	for _, said := range []string{"\n", "{}\n", "nonsense\n", `{"command":"greet","args":3}` + "\n", strings.Repeat("x", maxRequest+1)} {
		conn, err := dial(p.dir)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.WriteString(conn, said) }()
		if err := readAnswer(conn, io.Discard); err == nil {
			t.Errorf("%.20q was done", said)
		}
		_ = conn.Close()
	}
	if err := Call(t.Context(), p.dir, "greet", greeting{strings.Repeat("x", maxRequest)}, io.Discard); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("too much: %v", err)
	}
	for range maxCallers - 1 { // all but one place is taken by those who say nothing
		conn, err := dial(p.dir)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := Call(ctx, p.dir, "greet", greeting{"x"}, io.Discard); err != nil {
		t.Errorf("beside them: %v", err)
	}
}

func TestRegisterTwice(t *testing.T) {
	table := greeter()
	defer func() {
		if recover() == nil {
			t.Error("a name was registered twice")
		}
	}()
	table.Register("greet", func(context.Context, json.RawMessage, io.Writer) error { return nil })
}

// A caller gets words; what they rest on is in the log of the program.
func TestFailuresAreLogged(t *testing.T) {
	table := NewTable()
	table.Register("fail", func(context.Context, json.RawMessage, io.Writer) error {
		return errs.Wrap(errs.Unavailable, "It did not work. The log says why.", errors.New("the cause"))
	})
	p := start(t, private(t), table)
	if err := Call(t.Context(), p.dir, "fail", nil, io.Discard); err == nil || !strings.Contains(err.Error(), "The log says why") || strings.Contains(err.Error(), "the cause") {
		t.Errorf("the caller: %v", err)
	}
	p.stop()
	if got := p.log.String(); !strings.Contains(got, "command=fail") || !strings.Contains(got, "the cause") {
		t.Errorf("the log: %s", got)
	}
}
