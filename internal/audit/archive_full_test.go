package audit

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"backoffice/internal/errs"
)

// A full disk is said in words, and what the store says of its own disk stays.
func TestFullDiskIsSaid(t *testing.T) {
	for _, no := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		err := full(fmt.Errorf("x: %w", &os.PathError{Op: "write", Path: "audit-1.tmp", Err: no}))
		if kind, msg := errs.Of(err); kind != errs.Unavailable || !strings.Contains(msg, "nothing was dropped: the disk that holds the archive is full") {
			t.Errorf("%v: %v", no, err)
		}
	}
	own := errs.Wrap(errs.Unavailable, "Nothing was saved.", syscall.ENOSPC)
	if _, msg := errs.Of(full(own)); msg != "Nothing was saved." {
		t.Errorf("of the data: %q", msg)
	}
	if _, msg := errs.Of(full(os.ErrPermission)); msg != "" {
		t.Errorf("another error: %q", msg)
	}
}
