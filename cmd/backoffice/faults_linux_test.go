package main

import (
	"syscall"
	"testing"
	"unsafe"
)

// limit sets how large a file of another process may become, in bytes.
func limit(t *testing.T, pid int, bytes uint64) {
	t.Helper()
	lim := syscall.Rlimit{Cur: bytes, Max: ^uint64(0)}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&lim)), 0, 0, 0); errno != 0 {
		t.Fatalf("limiting the size of files: %v", errno)
	}
}
