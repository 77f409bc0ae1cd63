package bolt

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"backoffice/internal/store"

	"go.etcd.io/bbolt"
)

// walkBytes is how much of the file a walk reads at a time.
const walkBytes = 4 << 20

// Walk reads the whole file once, in portions, and finds pages that are missing,
// that are not where they belong, or whose keys are out of order: an [ErrDamaged].
// What a value says it cannot judge. rest is called between two portions with the
// bytes that were read.
func (d *DB) Walk(ctx context.Context, rest func(ctx context.Context, read int) error) error {
	var after []byte
	for {
		next, read, err := d.walkOn(ctx, after)
		if err != nil || next == nil {
			return err
		}
		if err := rest(ctx, read); err != nil {
			return err
		}
		after = next
	}
}

// walkOn reads a portion of what is behind the key after, and returns its last key,
// or nil if there is no more.
func (d *DB) walkOn(ctx context.Context, after []byte) (next []byte, read int, err error) {
	if err := d.begin(ctx); err != nil {
		return nil, 0, err
	}
	defer d.inUse.Done()
	t, err := d.snapshot()
	if err != nil {
		return nil, 0, d.saw(err)
	}
	defer func() { _ = t.Rollback() }()
	if err := d.cut(t); err != nil {
		return nil, 0, d.saw(err)
	}
	err = guard(func() error {
		b := t.Bucket(bucket)
		if b == nil {
			return fmt.Errorf("%w: it has no bucket", ErrDamaged)
		}
		next, read, err = portion(b, after)
		return err
	})
	return next, read, d.saw(err)
}

func portion(b *bbolt.Bucket, after []byte) (next []byte, read int, err error) {
	c := b.Cursor()
	k, v := c.First()
	if after != nil {
		if k, v = c.Seek(after); bytes.Equal(k, after) {
			k, v = c.Next()
		}
	}
	page, last, sum := os.Getpagesize(), bytes.Clone(after), byte(0)
	for ; k != nil; k, v = c.Next() {
		if last != nil && bytes.Compare(k, last) <= 0 {
			return nil, read, fmt.Errorf("%w: the key %.40q is behind %.40q", ErrDamaged, k, last)
		}
		last = append(last[:0], k...)
		for i := 0; i < len(v); i += page {
			sum ^= v[i]
		}
		if read += len(k) + len(v); read >= walkBytes {
			runtime.KeepAlive(sum) // else nothing would have to be read
			return last, read, nil
		}
	}
	runtime.KeepAlive(sum)
	return nil, read, nil
}

// Examine looks whether the file is still there and as long as it has to be, and if
// there is a trouble that may be over, whether it is: by a commit as large as the
// one that failed. What it finds is told by Trouble. It is called every few seconds.
func (d *DB) Examine(ctx context.Context) {
	if d.begin(ctx) != nil {
		return
	}
	defer d.inUse.Done()
	if t, err := d.snapshot(); err != nil {
		_ = d.saw(err)
	} else {
		_ = d.whole(t)
		_ = t.Rollback()
	}
	if t := d.trouble.Load(); t != nil && !t.Kind.lasts() {
		d.probe(ctx, t.size)
	}
}

// probeKey has a value only while a commit is tried out.
const probeKey = "store/probe"

// probeMore is what there has to be room for beside what a commit that failed took,
// in bytes: the next one is not to fail again.
const probeMore = 64 << 10

// probe commits that many bytes and takes them away again.
func (d *DB) probe(ctx context.Context, size int) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	value := make([]byte, min(size, maxBytes)+probeMore)
	if d.Update(ctx, func(tx store.Tx) error { tx.Put(probeKey, value); return nil }) == nil {
		_ = d.Update(ctx, func(tx store.Tx) error { tx.Delete(probeKey); return nil })
	}
}
