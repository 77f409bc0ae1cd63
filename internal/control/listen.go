package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// maxCallers is how many commands work at a time; more wait.
const maxCallers = 8

// A Listener is the open socket of a running program.
type Listener struct {
	table *Table
	ln    *net.UnixListener
	path  string
	log   *slog.Logger
	uids  []uint32 // whose processes are let in
}

// Listen opens the socket in dir. The caller holds the data file in dir, so a socket
// that is there is left from a program that was killed, and gives way. Listen refuses
// a directory that somebody else can write, and something in the socket's place that
// is no socket.
func (t *Table) Listen(dir string, log *slog.Logger) (*Listener, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, SocketName)
	if fi, err := os.Lstat(path); err == nil && fi.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("%s is there and is no socket. Move it away", path)
	}
	ln, err := bind(dir, path)
	if err != nil {
		return nil, fmt.Errorf("opening the socket %s: %w", path, err)
	}
	return &Listener{table: t, ln: ln, path: path, log: log, uids: []uint32{uint32(os.Getuid()), 0}}, nil
}

// bind makes the socket in a directory of its own, which only we can enter, and
// moves it to its place when it has its mode: so nobody can connect before.
func bind(dir, path string) (*net.UnixListener, error) {
	private, err := os.MkdirTemp(dir, ".control-*") // mode 0700
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	addr, done, err := address(private)
	if err != nil {
		return nil, err
	}
	defer done()
	ln, err := net.ListenUnix("unix", addr)
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false) // it is not where it was made
	made := filepath.Join(private, SocketName)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

// Serve answers until ctx ends, and returns when the last command has. Then the
// socket is gone.
func (l *Listener) Serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = errors.Join(os.Remove(l.path), l.ln.Close()) })
	defer stop()
	var callers sync.WaitGroup
	defer callers.Wait()
	room := make(chan struct{}, maxCallers)
	for {
		conn, err := l.ln.AcceptUnix()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return
		case err != nil: // out of file descriptors, perhaps
			l.log.Error("control socket", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			continue
		}
		callers.Go(func() {
			defer conn.Close()
			select {
			case room <- struct{}{}:
				defer func() { <-room }()
				l.answer(ctx, conn)
			case <-ctx.Done():
			}
		})
	}
}

// answer does what one caller asks for.
func (l *Listener) answer(ctx context.Context, conn *net.UnixConn) {
	uid, err := peer(conn)
	if err != nil || !slices.Contains(l.uids, uid) {
		l.log.Warn("control: refused", "uid", uid, "error", err)
		l.end(conn, errors.New("this socket is for the user that runs the program, and for root"))
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(askWait))
	q, err := readRequest(conn)
	if err != nil {
		l.end(conn, err)
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // a caller that leaves, or says more, has no command any more
		_, _ = conn.Read(make([]byte, 1))
		cancel()
	}()
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Now().Add(endWait)) })()
	l.log.Info("control", "command", q.Command, "uid", uid)
	if err = l.run(ctx, q, output{ctx, conn}); err != nil { // the caller gets words alone, which may refer to the log
		l.log.Warn("control: not done", "command", q.Command, "uid", uid, "error", err)
	}
	l.end(conn, err)
}

// run is Table.run, with a panic as an error.
func (l *Listener) run(ctx context.Context, q request, out output) (err error) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("panic in a command of the console", "command", q.Command, "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = errors.New("the program failed to do this. Its log says where")
		}
	}()
	return l.table.run(ctx, q.Command, q.Args, out)
}

// end writes the last frame.
func (l *Listener) end(conn net.Conn, err error) {
	_ = conn.SetWriteDeadline(time.Now().Add(askWait))
	if err == nil {
		_ = writeFrame(conn, frameDone, nil)
		return
	}
	b, _ := json.Marshal(failureOf(err)) // two plain members
	_ = writeFrame(conn, frameFailed, b)
}
