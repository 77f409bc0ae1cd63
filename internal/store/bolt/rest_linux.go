package bolt

import (
	"syscall"
	"unsafe"

	"go.etcd.io/bbolt"
)

// Rest gives back the memory that parts of the file take which were read before.
// What is read again comes from the cache of the system. It is for whoever has
// read all of a large file, and would be counted as using it all.
func (d *DB) Rest() {
	_ = d.b.View(func(t *bbolt.Tx) error { // as long as it runs, the file stays mapped where it is
		info := d.b.Info()
		if info.Data != 0 && t.Size() > 0 {
			// The mapping is at least as long as the transaction's view of the file.
			mapped := unsafe.Slice((*byte)(unsafe.Pointer(info.Data)), t.Size()) //nolint:govet // no Go memory
			_ = syscall.Madvise(mapped, syscall.MADV_DONTNEED)                    // advice: without it, all works
		}
		return nil
	})
}
