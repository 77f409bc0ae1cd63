package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// maxManifest is how many bytes of a manifest are read: some thousand archive files.
const maxManifest = 4 << 20

// unpacked is what is of an archive in a directory.
type unpacked struct {
	Manifest
	raw, mac []byte // of the manifest
	dir      string
}

// An unpacking reads an archive.
type unpacking struct {
	r   io.Reader
	ids []Identity
	// dir is where the parts go. It has to exist; "": they are read and forgotten.
	dir string
	// see is called with the manifest, which nothing proves yet, before anything is
	// written: it may refuse.
	see func(Manifest) error
	// done is told how many bytes were written.
	done func(n int64)
}

// run reads all of the archive. It returns a *Fault if it is not, byte for byte, what
// was made; an error that wraps ErrIdentity; or one of see or of the disk.
func (u unpacking) run(ctx context.Context) (out unpacked, err error) {
	in := bufio.NewReaderSize(&untilReader{ctx, u.r}, 1<<20)
	if mark, _ := in.Peek(len(ageMark)); string(mark) == ageMark {
		clear, err := decrypt(in, u.ids)
		if err != nil {
			return out, err
		}
		in = bufio.NewReaderSize(clear, 1<<20)
	}
	held := &holding{r: in, sum: sha256.New()}
	z, err := zstd.NewReader(held, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(32<<20), zstd.WithDecoderLowmem(true))
	if err != nil {
		return out, err
	}
	defer z.Close()
	out, err = u.parts(tar.NewReader(z))
	var newer *TooNew
	if err == nil || errors.As(err, &newer) { // what is after the last part has to be there as well
		_, restErr := io.Copy(io.Discard, z)
		if restErr == nil {
			restErr = held.end()
		}
		if restErr != nil { // or it is no other form, but damage
			err = restErr
		}
	}
	return out, u.reason(ctx, err)
}

// reason makes a Fault of whatever says that the bytes are not right.
func (u unpacking) reason(ctx context.Context, err error) error {
	var fault *Fault
	var mine *own
	switch {
	case err == nil, ctx.Err() != nil:
		return errors.Join(err, ctx.Err())
	case errors.As(err, &mine):
		return mine.error
	case errors.As(err, &fault):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return faultf("it ends too early: a part of it is missing")
	}
	return faultf("it is damaged, or no backup of BackOffice: %v", err)
}

// own is an error that says nothing of the archive.
type own struct{ error }

func (o *own) Unwrap() error { return o.error }

func (u unpacking) parts(t *tar.Reader) (out unpacked, err error) {
	if out.raw, err = small(t, manifestName, maxManifest); err != nil {
		return out, err
	}
	if out.Manifest, err = readManifest(out.raw); err != nil {
		var newer *TooNew
		if errors.As(err, &newer) {
			return out, &own{err}
		}
		return out, err
	}
	if out.mac, err = small(t, macName, 1<<10); err != nil {
		return out, err
	}
	if err := u.see(out.Manifest); err != nil {
		return out, &own{err}
	}
	out.dir = u.dir
	for _, p := range out.Parts {
		if err := u.part(t, p); err != nil {
			return out, err
		}
	}
	if _, err := t.Next(); !errors.Is(err, io.EOF) {
		return out, errors.Join(faultf("it has more than its manifest names"), err)
	}
	return out, nil
}

// part writes one part to its place, and holds it against its hash.
func (u unpacking) part(t *tar.Reader, p Part) error {
	h, err := next(t, p.Name)
	if err != nil {
		return err
	}
	if h.Size != p.Size {
		return faultf("%s has %d bytes, and %d are in the manifest", p.Name, h.Size, p.Size)
	}
	sum := sha256.New()
	if u.dir == "" {
		if _, err := io.Copy(sum, t); err != nil {
			return err
		}
		return same(sum, p)
	}
	name := filepath.Join(u.dir, filepath.FromSlash(p.Name))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return &own{err}
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return &own{err}
	}
	w := &counting{w: f, done: u.done}
	_, err = io.Copy(io.MultiWriter(sum, w), t)
	if w.err != nil {
		err = &own{fmt.Errorf("writing %s: %w", name, w.err)}
	}
	if closeErr := errors.Join(f.Sync(), f.Close()); err == nil && closeErr != nil {
		err = &own{closeErr}
	}
	if err != nil {
		return err
	}
	return same(sum, p)
}

func same(sum hash.Hash, p Part) error {
	if hexOf(sum) != p.SHA256 {
		return faultf("%s is not what was put in", p.Name)
	}
	return nil
}

// counting keeps the errors of a file apart from those of an archive.
type counting struct {
	w    io.Writer
	done func(int64)
	err  error
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	if c.err = err; c.done != nil {
		c.done(int64(n))
	}
	return n, err
}

func next(t *tar.Reader, name string) (*tar.Header, error) {
	h, err := t.Next()
	if err != nil {
		return nil, err
	}
	if h.Name != name || h.Typeflag != tar.TypeReg {
		return nil, faultf("where %s should be, there is something else", name)
	}
	return h, nil
}

func small(t *tar.Reader, name string, most int64) ([]byte, error) {
	h, err := next(t, name)
	if err != nil {
		return nil, err
	}
	if h.Size > most {
		return nil, faultf("its %s is too large", name)
	}
	return io.ReadAll(t)
}

// holding reads all but the last frame, and sums it up.
type holding struct {
	r    *bufio.Reader
	sum  hash.Hash
	last []byte // the frame, once the end was seen
}

func (h *holding) Read(b []byte) (int, error) {
	if h.last != nil {
		return 0, io.EOF
	}
	// More than a trailer has to be ahead for one byte to be given out.
	ahead, err := h.r.Peek(min(len(b), h.r.Size()-trailerSize) + trailerSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	n := len(ahead) - trailerSize
	if n < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	if n == 0 {
		h.last = bytes.Clone(ahead)
		return 0, io.EOF
	}
	copy(b, ahead[:n])
	h.sum.Write(ahead[:n])
	_, err = h.r.Discard(n)
	return n, err
}

// end checks the last frame.
func (h *holding) end() error {
	if h.last == nil { // the decoder was content before
		if _, err := io.Copy(io.Discard, h); err != nil {
			return err
		}
	}
	if !bytes.Equal(h.last, trailer(h.sum)) {
		return faultf("its checksum does not hold: it was changed, or a part of it is missing")
	}
	return nil
}
