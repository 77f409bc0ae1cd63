package bolt

import (
	"context"
	"syscall"

	"go.etcd.io/bbolt"
)

// Rest gives back the memory that parts of the file take which were read before.
// What is read again comes from the cache of the system. It is for whoever has
// gone through a large file, so that the program is not counted as using it all.
func (d *DB) Rest() {
	if d.begin(context.Background()) != nil {
		return
	}
	defer d.inUse.Done()
	_ = d.b.View(func(t *bbolt.Tx) error { // as long as it runs, the file stays mapped where it is
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, d.b.Info().Data, uintptr(t.Size()), syscall.MADV_DONTNEED)
		return nil // it is advice: without it, all works
	})
}
