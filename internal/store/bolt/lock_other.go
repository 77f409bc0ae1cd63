//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package bolt

import "errors"

// lockFile opens the file, if it can be opened at all: there is no other way here.
func lockFile(path string) (*Lock, error) {
	d, err := Open(path)
	switch {
	case err == nil:
		return &Lock{d.Close}, nil
	case errors.Is(err, ErrLocked):
		return nil, err
	}
	return &Lock{func() error { return nil }}, nil
}
