//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package bolt

import "os"

// unlock does nothing: here, closing the file gives up its lock.
func unlock(*os.File) {}
