package backup

import (
	"fmt"

	"backoffice/internal/errs"
)

// headroom stays free on a disk, so that a backup does not stop the changes.
const headroom = 32 << 20 // bytes

// room returns an error, with words, unless the directory has room for n bytes and
// something is left. Where that cannot be found out, writing will tell.
func room(dir string, n int64) error {
	have, known := free(dir)
	if !known || have >= n+headroom {
		return nil
	}
	return errs.Newf(errs.Unavailable, "There is not enough space in %s: %s are needed, and %s are free. Free some space, or name another directory.", dir, megabytes(n+headroom), megabytes(have))
}

// rooms is room for a copy of the data in one directory, and an archive of it in another.
func rooms(spool, dir string, size int64) error {
	if dir != "" && !sameDisk(spool, dir) {
		if err := room(dir, size); err != nil { // it may be that nothing of it can be packed smaller
			return err
		}
		return room(spool, size)
	}
	return room(spool, 2*size)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
