package audit

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	archivePrefix = "audit/archive/"
	archivedKey   = "audit/archived"
	droppedKey    = "audit/dropped"
)

func archiveKey(from int64) string { return fmt.Sprintf("%s%016d", archivePrefix, from) }

// dropped returns how many of the oldest events are in archive files only.
func dropped(r getter) (int64, error) { return number(r, droppedKey, 0) }

// A volume is the record of one archive file, which has the events [From, To).
type volume struct {
	From   int64     `json:"from"`
	To     int64     `json:"to"`
	Root   []byte    `json:"root"`   // of the tree of the first To events
	SHA256 []byte    `json:"sha256"` // of the file
	First  time.Time `json:"first"`  // of the first event
	Last   time.Time `json:"last"`   // of the last one

	slack time.Duration // how far the times of events may be out of order; not stored
}

// name is that of the file: its range, and half of the root, so that the file of
// another log has another name.
func (v volume) name() string {
	return fmt.Sprintf("audit-%016d-%016d-%x.zip", v.From, v.To-1, v.Root[:min(len(v.Root), tlog.HashSize/2)])
}

// outside reports whether f wants none of the events, by their time.
func (v volume) outside(f Filter) bool {
	return !f.From.IsZero() && v.Last.Before(f.From.Add(-v.slack)) || !f.To.IsZero() && v.First.After(f.To.Add(v.slack))
}

// volumes reads the records of the files that have events of [lo, hi), the oldest first.
func volumes(r store.Reader, lo, hi int64) (out []volume, err error) {
	items, err := r.Scan(store.Range{Prefix: archivePrefix})
	if err != nil {
		return nil, err
	}
	apart, err := slack(r)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		v, err := readVolume(it)
		if err != nil {
			return nil, err
		}
		v.slack = apart
		if v.To > lo && v.From < hi {
			out = append(out, v)
		}
	}
	return out, nil
}

// volumeOf reads the record of the file that has event n.
func volumeOf(r store.Reader, n int64) (volume, error) {
	items, err := r.Scan(store.Range{Prefix: archivePrefix, After: archiveKey(n + 1), Reverse: true, Limit: 1})
	if err != nil {
		return volume{}, err
	}
	if len(items) == 0 {
		return volume{}, faultf("event %d was archived, and the record of its file is missing from the log", n)
	}
	v, err := readVolume(items[0])
	if err == nil {
		v.slack, err = slack(r)
	}
	if err == nil && n >= v.To {
		err = faultf("event %d was archived, and the record of its file is missing from the log", n)
	}
	return v, err
}

func readVolume(it store.Item) (v volume, err error) {
	d := json.NewDecoder(bytes.NewReader(it.Value))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil || it.Key != archiveKey(v.From) || v.To <= v.From || len(v.Root) != tlog.HashSize {
		return v, faultf("the record %s of an archive file is damaged", it.Key)
	}
	// Several texts may mean the same, and one of them was written.
	if own, err := json.Marshal(v); err != nil || !bytes.Equal(own, it.Value) {
		return v, faultf("the record %s of an archive file is damaged", it.Key)
	}
	return v, nil
}

// An Archive opens the archive files in a directory, read-only. It is safe for
// concurrent use. A nil Archive has no files.
type Archive struct {
	dir string

	mu   sync.Mutex
	open []opened // the last used at the end
}

// An opened is a file in memory.
type opened struct {
	name   string
	leaves [][]byte
}

// keptOpen is how many files stay in memory: each is some megabytes, and a page
// over the oldest events reads two of them.
const keptOpen = 3

// OpenArchive returns the archive in a directory, which need not be there.
func OpenArchive(dir string) *Archive { return &Archive{dir: dir} }

// A missing is an archive file that is not where it should be.
type missing struct{ error }

func (m missing) Unwrap() error { return m.error }

// read returns the content of a file. An absent file is a missing, and another
// than the one that was recorded a *Fault; both have words for people, which
// name it.
func (a *Archive) read(v volume) ([]byte, error) {
	if a == nil {
		return nil, missing{errs.Newf(errs.Unavailable, "Events %d to %d are in the archive file %s. Name its directory with --audit-archive to see them.", v.From, v.To-1, v.name())}
	}
	b, err := os.ReadFile(filepath.Join(a.dir, v.name()))
	if errors.Is(err, os.ErrNotExist) {
		return nil, missing{errs.Wrap(errs.Unavailable, fmt.Sprintf("Events %d to %d are in the archive file %s, which is missing. Put it back into the archive directory to see them.", v.From, v.To-1, v.name()), err)}
	}
	if err != nil {
		return nil, errs.Wrap(errs.Unavailable, fmt.Sprintf("The archive file %s cannot be read.", v.name()), err)
	}
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:], v.SHA256) {
		return nil, v.changed("it is not the one that was written")
	}
	return b, nil
}

func (v volume) changed(how string) error {
	f := faultf("the archive file %s was changed, or is that of another log: %s", v.name(), how)
	return errs.Wrap(errs.Unavailable, fmt.Sprintf("The archive file %s was changed, or is that of another log. Put back the one that was written.", v.name()), f)
}

// leaves are the events of a file. They are shared: nobody may change them.
func (a *Archive) leaves(v volume) ([][]byte, error) {
	if a != nil {
		if leaves := a.use(v.name()); leaves != nil {
			return leaves, nil
		}
	}
	b, err := a.read(v)
	if err != nil {
		return nil, err
	}
	leaves, err := unpack(b)
	if err != nil || int64(len(leaves)) != v.To-v.From {
		return nil, v.changed(fmt.Sprintf("%d events of %d can be read (%v)", len(leaves), v.To-v.From, err))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open = append(a.open, opened{v.name(), leaves})
	a.open = a.open[max(0, len(a.open)-keptOpen):]
	return leaves, nil
}

// use returns what is in memory of a file that is still there, or nil.
func (a *Archive) use(name string) [][]byte {
	if _, err := os.Stat(filepath.Join(a.dir, name)); err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, o := range a.open {
		if o.name == name {
			a.open = append(append(a.open[:i:i], a.open[i+1:]...), o)
			return o.leaves
		}
	}
	return nil
}

// unpack returns the lines of the events in a bundle.
func unpack(b []byte) ([][]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	f, err := z.Open(eventsFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for len(text) > 0 {
		line, rest, found := bytes.Cut(text, []byte("\n"))
		if !found {
			return out, io.ErrUnexpectedEOF
		}
		out, text = append(out, line[:len(line):len(line)]), rest
	}
	return out, nil
}

// check reads a file anew and checks all of it: that it is the one that was
// recorded, and that the log with this key had its events at their place.
func (a *Archive) check(v volume, k Key) error {
	b, err := a.read(v)
	if err != nil {
		return err
	}
	p, err := Verification{Key: k}.Files([]Part{{Name: v.name(), R: bytes.NewReader(b), Size: int64(len(b))}})
	if err != nil {
		return v.changed(err.Error())
	}
	if p.From != v.From || p.Head.Size != v.To || !bytes.Equal(p.Head.Root[:], v.Root) {
		return v.changed(fmt.Sprintf("it has events %d to %d of another tree", p.From, p.Head.Size-1))
	}
	leaves, err := unpack(b)
	if err != nil {
		return v.changed(err.Error())
	}
	first, err := decode(leaves[0], v.From)
	last, lastErr := decode(leaves[len(leaves)-1], v.To-1)
	if err = errors.Join(err, lastErr); err != nil || !first.Time.Equal(v.First) || !last.Time.Equal(v.Last) {
		return faultf("the record of the archive file %s is damaged: its times are not those of the events", v.name())
	}
	return nil
}

// An ArchiveFile is an archive file that the log's records name.
type ArchiveFile struct {
	Name   string // in the directory of the archive
	SHA256 []byte
	Events int64
}

// ArchiveFiles lists the archive files of the log in s, the oldest first.
func ArchiveFiles(ctx context.Context, s store.Store) (out []ArchiveFile, err error) {
	err = s.View(ctx, func(r store.Reader) error {
		total, err := size(r)
		if err != nil {
			return err
		}
		all, err := volumes(r, 0, total)
		for _, v := range all {
			out = append(out, ArchiveFile{v.name(), v.SHA256, v.To - v.From})
		}
		return err
	})
	return out, err
}
