package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Call has the program whose data directory is dir run the command, and copies to
// out what it writes. It returns ErrNotRunning if no program listens there, and else
// the error of the command. If ctx ends, the command is told to stop.
func Call(ctx context.Context, dir, name string, args any, out io.Writer) error {
	path := filepath.Join(dir, SocketName)
	owner, err := socketOwner(path)
	if err != nil {
		return err
	}
	b, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("the arguments of %s: %w", name, err)
	}
	ask, err := json.Marshal(request{name, b})
	if err != nil {
		return fmt.Errorf("the arguments of %s: %w", name, err)
	}
	if len(ask) >= maxRequest {
		return fmt.Errorf("the arguments of %s have %d bytes; the limit is %d", name, len(ask), maxRequest)
	}
	conn, err := dial(dir)
	if err != nil {
		return err
	}
	defer conn.Close()
	// What answers has to be the program of whoever owns the directory.
	if uid, err := peer(conn); err != nil || uid != owner && uid != 0 {
		return fmt.Errorf("what answers at %s is not the program of its owner (user %d, %v)", path, uid, err)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_ = conn.SetWriteDeadline(time.Now().Add(askWait))
	if _, err := conn.Write(append(ask, '\n')); err != nil && !errors.Is(err, syscall.EPIPE) { // who was refused is told so
		return fmt.Errorf("asking the running program: %w", err)
	}
	err = readAnswer(conn, out)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// socketOwner is whose the socket is, in a directory that nobody else can write.
func socketOwner(path string) (uint32, error) {
	fi, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, ErrNotRunning
	case err != nil:
		return 0, fmt.Errorf("the socket of the running program: %w", err)
	case fi.Mode().Type() != fs.ModeSocket:
		return 0, ErrNotRunning
	}
	if err := checkDir(filepath.Dir(path)); err != nil {
		return 0, err
	}
	return ownerOf(fi)
}

// dial connects to the socket in dir.
func dial(dir string) (*net.UnixConn, error) {
	addr, done, err := address(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	conn, err := net.DialUnix("unix", nil, addr)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil, ErrNotRunning // left by a program that was killed
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the running program does not take commands from this user: %w. Run it as the program's user, or as root", err)
	case err != nil:
		return nil, fmt.Errorf("connecting to the running program: %w", err)
	}
	return conn, nil
}
