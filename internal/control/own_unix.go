//go:build unix

package control

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// longestPath is how long the path of a socket may be, in bytes, on every system.
const longestPath = 100

// address is that of the socket in dir. A path that is too long for the kernel is
// shortened where there is a way. Call done after it was used.
func address(dir string) (addr *net.UnixAddr, done func(), err error) {
	path := filepath.Join(dir, SocketName)
	if len(path) <= longestPath {
		return &net.UnixAddr{Name: path, Net: "unix"}, func() {}, nil
	}
	if runtime.GOOS != "linux" {
		return nil, nil, fmt.Errorf("the path %s is too long for a socket. Use a data directory with a shorter one", path)
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	return &net.UnixAddr{Name: fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), SocketName), Net: "unix"}, func() { _ = d.Close() }, nil
}

// checkDir refuses a directory in which somebody else could put a socket of theirs.
func checkDir(dir string) error {
	fi, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("the data directory: %w", err)
	}
	owner, err := ownerOf(fi)
	if err != nil {
		return err
	}
	me := uint32(os.Getuid())
	switch {
	case !fi.IsDir():
		return fmt.Errorf("%s is no directory", dir)
	case fi.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("others can write the data directory %s (mode %04o), so what is in it cannot be trusted. Run: chmod go-w %s", dir, fi.Mode().Perm(), dir)
	case owner != me && owner != 0 && me != 0:
		return fmt.Errorf("the data directory %s belongs to another user (%d)", dir, owner)
	}
	return nil
}

// ownerOf is the user that a file belongs to.
func ownerOf(fi fs.FileInfo) (uint32, error) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("whose %s is cannot be told", fi.Name())
	}
	return st.Uid, nil
}
