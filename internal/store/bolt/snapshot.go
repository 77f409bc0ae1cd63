package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"backoffice/internal/errs"

	"go.etcd.io/bbolt"
)

// Snapshot writes a consistent copy of the file into w: what was committed before
// it began, and nothing that is committed later. It returns the bytes written.
//
// Changes go on meanwhile, but what they free is not used again before Snapshot
// returns, so that the file grows. w has to be as fast as a file of this machine,
// and never somebody at the other end of a network.
func (d *DB) Snapshot(ctx context.Context, w io.Writer) (n int64, err error) {
	if err := d.begin(ctx); err != nil {
		return 0, err
	}
	defer d.inUse.Done()
	err = d.b.View(func(t *bbolt.Tx) error {
		return guard(func() error {
			n, err = t.WriteTo(&until{ctx: ctx, w: w})
			return err
		})
	})
	if err != nil {
		return n, fmt.Errorf("copying %s: %w", d.path, err)
	}
	return n, nil
}

// until is a writer that ends with its ctx.
type until struct {
	ctx context.Context
	w   io.Writer
}

func (u *until) Write(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(b)
}

// CheckFile reads every page of the file at path, which nobody may have open, and
// returns [ErrDamaged] if one makes no sense, keys are out of order, or a page is
// both free and in use. It changes nothing.
func CheckFile(ctx context.Context, path string) (err error) {
	d, err := Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	err = d.b.View(func(t *bbolt.Tx) error {
		// First in this goroutine, where a page that leads out of the mapping is
		// an error; bbolt's own check runs in another, and would take the process down.
		if err := guard(func() error { return walk(ctx, t) }); err != nil {
			return err
		}
		var first error
		for err := range t.Check() { // to its end: else its goroutine stays
			if first == nil {
				first = fmt.Errorf("%w: %w", ErrDamaged, err)
			}
		}
		return first
	})
	if errors.Is(err, ErrDamaged) {
		return refusal(path, err)
	}
	return err
}

// walk reads every key and value.
func walk(ctx context.Context, t *bbolt.Tx) error {
	var before []byte
	n, sum := 0, byte(0)
	return t.Bucket(bucket).ForEach(func(k, v []byte) error {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if before != nil && bytes.Compare(before, k) >= 0 {
			return fmt.Errorf("%w: keys are out of order", ErrDamaged)
		}
		before = append(before[:0], k...)
		for i := 0; i < len(v); i += 4096 { // a page of a long value
			sum += v[i]
		}
		return nil
	})
}

// compactTx is how many bytes a commit of a compaction has.
const compactTx = 16 << 20

// Compact writes what is in the file at path, which nobody may have open, anew
// without its free pages, and returns the sizes before and after. The new file
// takes the place of the old one only after every key and value of it was compared
// and it is on the disk; until then nothing is changed.
func Compact(ctx context.Context, path string) (before, after int64, err error) {
	src, err := Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, src.Close()) }() // holds the lock to the end
	to := path + ".compact"
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) { // of one that was cut short
		return 0, 0, err
	}
	defer os.Remove(to)
	if err := compact(src, to); err != nil {
		return 0, 0, fmt.Errorf("compacting %s: %w", path, full(err))
	}
	if err := src.same(ctx, to); err != nil {
		return 0, 0, err
	}
	before, after = size(path), size(to)
	if err := os.Rename(to, path); err != nil {
		return 0, 0, err
	}
	return before, after, syncDir(filepath.Dir(path))
}

func compact(src *DB, to string) (err error) {
	dst, err := bbolt.Open(to, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType, NoSync: true})
	if err != nil {
		return err
	}
	dst.AllocSize = 1 << 20
	defer func() { err = errors.Join(err, dst.Close()) }()
	if err := guard(func() error { return bbolt.Compact(dst, src.b, compactTx) }); err != nil {
		return err
	}
	return dst.Sync()
}

// same returns an error unless the file at path has the keys and values of d.
func (d *DB) same(ctx context.Context, path string) (err error) {
	if err := CheckFile(ctx, path); err != nil {
		return err
	}
	other, err := Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.Close()) }()
	differ := fmt.Errorf("the compacted copy %s is not the same as %s: nothing was replaced", path, d.path)
	return d.b.View(func(ours *bbolt.Tx) error {
		return other.b.View(func(theirs *bbolt.Tx) error {
			return guard(func() error {
				c := theirs.Bucket(bucket).Cursor()
				k2, v2 := c.First()
				err := ours.Bucket(bucket).ForEach(func(k, v []byte) error {
					if !bytes.Equal(k, k2) || !bytes.Equal(v, v2) {
						return differ
					}
					k2, v2 = c.Next()
					return ctx.Err()
				})
				if err == nil && k2 != nil {
					err = differ
				}
				return err
			})
		})
	})
}

// full gives an error of a disk that is full its words.
func full(err error) error {
	if noSpace(err) {
		return errs.Wrap(errs.Unavailable, "The disk is full. Nothing was replaced. Free some space and try again.", err)
	}
	return err
}

// noSpace reports whether a disk, or somebody's share of it, is full.
func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// A Lock keeps every program from opening a data file, whatever is in it.
type Lock struct{ release func() error }

// Release lets others open the file again.
func (l *Lock) Release() error { return l.release() }

// LockFile takes the lock on the file at path, which has to exist, without reading
// it. It returns [ErrLocked], with words, if another process has the file open.
func LockFile(path string) (*Lock, error) {
	l, err := lockFile(path)
	if errors.Is(err, ErrLocked) {
		return nil, refusal(path, err)
	}
	return l, err
}
