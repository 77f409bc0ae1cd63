//go:build !linux && !darwin

package control

import (
	"errors"
	"net"
)

// peer cannot be told here, so nobody is let in.
func peer(*net.UnixConn) (uint32, error) {
	return 0, errors.New("this system does not say whose process is at the other end")
}
