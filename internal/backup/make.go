package backup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/format"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// An Engine knows what a data file is made of.
type Engine struct {
	// Check reads all of the file at path, which nobody has open, and returns an
	// error if a part of it makes no sense.
	Check func(ctx context.Context, path string) error
	// Open opens the file at path.
	Open func(path string) (store.Store, error)
}

// A Maker makes archives of the data in use. All fields but AuditDir, Recipients,
// Rest and Said are needed. It is safe for concurrent use.
type Maker struct {
	Engine
	// Snapshot writes a consistent copy of the data into w, which is fast.
	Snapshot func(ctx context.Context, w io.Writer) (int64, error)
	Size     func() int64 // of the data, in bytes
	Notary   *audit.Notary
	Box      *secret.Box
	Spool    string // directory for a copy of the data, which is gone when the archive is made
	Program  string // version
	Now      func() time.Time

	AuditDir   string // of the archive files of the audit log; "": there are none
	Recipients Recipients
	// Rest is called now and then with how long something worked, to leave others
	// some of the processor; nil: nobody else needs it.
	Rest func(ctx context.Context, worked time.Duration) error
	Said func(words string) // told what is done; may be nil
}

// Made is an archive that was made.
type Made struct {
	Manifest
	Size   int64  // bytes of the archive
	SHA256 string // of the archive, in hex
}

// Installation is the id by which archives of this installation know each other. It
// is no secret.
func Installation(b *secret.Box) string { return hex.EncodeToString(b.MAC(nameDomain, nil)[:4]) }

func (m *Maker) say(format string, args ...any) {
	if m.Said != nil {
		m.Said(fmt.Sprintf(format, args...))
	}
}

// Make writes an archive into f, and syncs it. dir is where f is, to look for space.
// The data can be read and changed meanwhile.
func (m *Maker) Make(ctx context.Context, f *os.File, dir string) (Made, error) {
	if err := rooms(m.Spool, dir, m.Size()); err != nil {
		return Made{}, err
	}
	made := Made{Manifest: Manifest{Archive: ArchiveFormat, Made: m.Now().UTC(), Program: m.Program, Installation: Installation(m.Box), Keys: m.Box.Keys().IDs(), AuditKey: m.Notary.Key()}}
	head, err := m.Notary.Checkpoint(ctx)
	if err != nil {
		return Made{}, err
	}
	made.HeadSize, made.HeadRoot = head.Size, head.Root.String()
	m.say("Copying the data, %s", megabytes(m.Size()))
	data, err := m.copy(ctx)
	if err != nil {
		return Made{}, err
	}
	defer os.Remove(data.path)
	m.say("Checking the copy")
	if err := m.Check(ctx, data.path); err != nil {
		return Made{}, fmt.Errorf("the copy of the data is damaged, and so is the data: %w", err)
	}
	parts := []source{content(headName, head.Note), data.source}
	files, err := m.look(ctx, data.path, &made.Manifest)
	if err != nil {
		return Made{}, err
	}
	parts = append(parts, files...)
	for _, p := range parts {
		made.Parts = append(made.Parts, p.Part)
	}
	m.say("Packing it")
	return m.write(ctx, f, made, parts)
}

// A copied is a copy of the data.
type copied struct {
	source
	path string
}

// copy takes the copy. It is as fast as the disk, because what is freed meanwhile
// is not used again before it ends.
func (m *Maker) copy(ctx context.Context) (c copied, err error) {
	f, err := os.CreateTemp(m.Spool, spoolPattern) // mode 0600
	if err != nil {
		return c, fmt.Errorf("copying the data: %w", err)
	}
	c.path = f.Name()
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	n, err := m.Snapshot(ctx, w)
	if err = errors.Join(err, w.Flush(), f.Close()); err != nil {
		return c, errors.Join(fmt.Errorf("copying the data: %w", err), os.Remove(c.path))
	}
	c.source = source{Part{dataName, n, hexOf(sum)}, func() (io.ReadCloser, error) { return os.Open(c.path) }}
	return c, nil
}

// spoolPattern names copies of the data that are being packed.
const spoolPattern = ".backup-*.db"

// Sweep removes what a program that was killed has left in the directory of the
// copies. Nothing may be made meanwhile.
func Sweep(spool string) error { return remove(spool, spoolPattern) }

func remove(dir, pattern string) error {
	left, err := filepath.Glob(filepath.Join(dir, pattern))
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// look fills in what the copy says of itself, and finds the archive files that
// belong to it.
func (m *Maker) look(ctx context.Context, path string, to *Manifest) (files []source, err error) {
	s, err := m.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if to.Events, err = audit.NewLog(s).Size(ctx); err != nil {
		return nil, err
	}
	form, _, err := format.Of(ctx, s)
	if err != nil {
		return nil, err
	}
	to.Format = form.Format
	if to.Keys, err = m.keysOf(ctx, s, to.Keys); err != nil {
		return nil, err
	}
	all, err := audit.ArchiveFiles(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		name := filepath.Join(m.AuditDir, a.Name)
		info, err := os.Stat(name)
		if m.AuditDir == "" || errors.Is(err, fs.ErrNotExist) {
			to.Missing = append(to.Missing, a.Name)
			continue
		}
		if err != nil {
			return nil, err
		}
		files = append(files, source{Part{auditDir + "/" + a.Name, info.Size(), hex.EncodeToString(a.SHA256)}, func() (io.ReadCloser, error) { return os.Open(name) }})
	}
	return files, nil
}

// keysOf are the ids of the keys that sealed anything in s, the one that seals now
// last. In the middle of a re-sealing these are several, whichever opens the
// installation's record. before are those that were there before the copy was made:
// if there was and is one, nothing else can have sealed.
func (m *Maker) keysOf(ctx context.Context, s store.Store, before []string) (ids []string, err error) {
	now := m.Box.Keys()
	if len(before) == 1 && slices.Equal(before, now.IDs()) {
		return before, nil
	}
	err = eachSealed(ctx, s, func(k secret.Kind, it store.Item) error {
		found, err := k.Find(it.Key, it.Value)
		if err != nil { // it is told by who opens it, not by who copies it
			return nil
		}
		for _, v := range found {
			if id := secret.KeyOf(v.Bytes); id != now.ID() && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		return nil
	})
	slices.Sort(ids)
	return append(ids, now.ID()), err
}

func content(name string, b []byte) source {
	sum := sha256.Sum256(b)
	return source{Part{name, int64(len(b)), hex.EncodeToString(sum[:])}, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// write packs the parts into f.
func (m *Maker) write(ctx context.Context, f *os.File, made Made, parts []source) (Made, error) {
	manifest, err := json.MarshalIndent(made.Manifest, "", "  ")
	if err != nil {
		return Made{}, err
	}
	sum := sha256.New()
	w := &gentle{ctx: ctx, f: f, rest: m.Rest, began: time.Now()}
	err = pack(ctx, io.MultiWriter(w, sum), m.Recipients, manifest, macOf(m.Box, manifest), made.Made, parts)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return Made{}, fmt.Errorf("packing: %w", err)
	}
	made.Size, made.SHA256 = w.n, hexOf(sum)
	return made, nil
}

func macOf(b *secret.Box, manifest []byte) []byte {
	return []byte(hex.EncodeToString(b.MAC(macDomain, manifest)) + "\n")
}

func hexOf(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// gentle writes a file in portions that go to the disk one after the other: a
// change that is to be saved waits behind one of them, not behind all.
type gentle struct {
	ctx   context.Context
	f     *os.File
	rest  func(context.Context, time.Duration) error
	n     int64
	since int64
	began time.Time
}

// portion is how many bytes are written before they are brought to the disk.
const portion = 2 << 20

func (g *gentle) Write(b []byte) (int, error) {
	n, err := g.f.Write(b)
	g.n += int64(n)
	g.since += int64(n)
	if err == nil && g.since >= portion && g.rest != nil {
		g.since = 0
		if err = g.f.Sync(); err == nil {
			err = g.rest(g.ctx, time.Since(g.began))
		}
		g.began = time.Now()
	}
	return n, err
}

// encryptedTo says whom an archive is for, in words.
func encryptedTo(names []string) string {
	if len(names) == 0 {
		return "Not encrypted, but for the values that are sealed in it"
	}
	return "Encrypted to " + strings.Join(names, " and ")
}
