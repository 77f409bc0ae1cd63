package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"backoffice/internal/errs"
)

// fileName is that of the n-th archive of a second.
func fileName(m Manifest, n int, encrypted bool) string {
	again := ""
	if n > 1 {
		again = fmt.Sprintf("-%d", n)
	}
	return fmt.Sprintf("backoffice-%s-%s%s.tar.zst%s", m.Installation, m.Made.UTC().Format("20060102T150405Z"), again, pick(encrypted, ".age", ""))
}

// Name is what an archive is called where it is taken to.
func (m Made) Name(encrypted bool) string { return fileName(m.Manifest, 1, encrypted) }

// ours are the names of the archives of an installation.
func ours(installation string) *regexp.Regexp {
	return regexp.MustCompile(`^backoffice-` + regexp.QuoteMeta(installation) + `-[0-9]{8}T[0-9]{6}Z(-[0-9]{1,2})?\.tar\.zst(\.age)?$`)
}

// prune removes the oldest archives of this installation beyond those that are to be
// kept, never the one that was just made, and no other file. What is oldest is told
// by the order in which they were made, not by a clock.
func (s *Service) prune(ctx context.Context, made string) error {
	l, err := s.runs(ctx)
	if err != nil {
		return err
	}
	order := map[string]int{} // those that are not in the log come before, by their names
	for i, r := range l.Runs {
		if r.Fault == "" && r.File != "" {
			order[r.File] = i + 1
		}
	}
	found, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return err
	}
	pattern := ours(Installation(s.o.Box))
	var names []string
	for _, f := range found {
		if f.Type().IsRegular() && pattern.MatchString(f.Name()) {
			names = append(names, f.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if order[a] != order[b] {
			return order[a] - order[b]
		}
		return strings.Compare(a, b)
	})
	for _, name := range names[:max(0, len(names)-s.o.Keep)] {
		if name != made {
			err = errors.Join(err, os.Remove(filepath.Join(s.o.Dir, name)))
		}
	}
	return err
}

// SweepAll removes what a program that was killed has left of its backups, but for
// partial ones in the directory, which go before the next is made.
func SweepAll(spool string) error {
	return errors.Join(Sweep(spool), remove(spool, givenPattern))
}

// full gives the error of a disk that is full its words.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return errs.Wrap(errs.Unavailable, "No backup was made: the disk is full. Free some space, or name another directory.", err)
	}
	return err
}

func syncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// A sum is a SHA-256 that leaves others some of the processor.
type sum struct {
	hash.Hash
	pace
}

func newSum(m *Maker) *sum { return &sum{sha256.New(), pace{rest: m.Rest}} }

func (s *sum) Write(b []byte) (int, error) {
	n, _ := s.Hash.Write(b)
	return n, s.did(context.Background(), n)
}

func (s *sum) hex() string { return hexOf(s.Hash) }

// A restingReader is a reader that leaves others some of the processor.
type restingReader struct {
	ctx  context.Context
	r    io.Reader
	rest func(context.Context, time.Duration) error
	pace pace
}

func (r *restingReader) Read(b []byte) (int, error) {
	r.pace.rest = r.rest
	n, err := r.r.Read(b)
	if restErr := r.pace.did(r.ctx, n); err == nil {
		err = restErr
	}
	return n, err
}

// A pace rests after each portion.
type pace struct {
	rest  func(context.Context, time.Duration) error
	since int
	began time.Time
}

func (p *pace) did(ctx context.Context, n int) error {
	if p.rest == nil {
		return nil
	}
	if p.began.IsZero() {
		p.began = time.Now()
	}
	if p.since += n; p.since < portion {
		return nil
	}
	err := p.rest(ctx, time.Since(p.began))
	p.since, p.began = 0, time.Now()
	return err
}
