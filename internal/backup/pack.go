package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// A source is a part that is to be packed.
type source struct {
	Part
	open func() (io.ReadCloser, error)
}

// The last frame of an archive: a skippable one, with the SHA-256 of all before it.
const (
	skippable   = 0x184D2A5B
	trailerSize = 8 + sha256.Size
)

func trailer(sum hash.Hash) []byte {
	b := binary.LittleEndian.AppendUint32(nil, skippable)
	b = binary.LittleEndian.AppendUint32(b, sha256.Size)
	return sum.Sum(b)
}

// pack writes the archive of the parts into w, encrypted if there are recipients.
func pack(ctx context.Context, w io.Writer, r Recipients, manifest, mac []byte, made time.Time, parts []source) (err error) {
	sink := w
	var sealing io.WriteCloser
	if r.Encrypt() {
		if sealing, err = age.Encrypt(w, r.keys...); err != nil {
			return fmt.Errorf("encrypting: %w", err)
		}
		sink = sealing
	}
	sum := sha256.New()
	z, err := zstd.NewWriter(io.MultiWriter(sink, sum), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	put := func(name string, size int64, r io.Reader) error {
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: made.UTC().Truncate(time.Second)}); err != nil {
			return err
		}
		n, err := io.Copy(t, &untilReader{ctx, r})
		if err == nil && n != size {
			err = fmt.Errorf("%s has %d bytes, and had %d", name, n, size)
		}
		return err
	}
	err = put(manifestName, int64(len(manifest)), bytes.NewReader(manifest))
	if err == nil {
		err = put(macName, int64(len(mac)), bytes.NewReader(mac))
	}
	for _, p := range parts {
		if err != nil {
			break
		}
		err = p.into(put)
	}
	if err == nil {
		err = t.Close()
	}
	if closeErr := z.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		_, err = sink.Write(trailer(sum))
	}
	if sealing != nil && err == nil {
		err = sealing.Close()
	}
	return err
}

// into packs a part, and holds it against its hash: it is of another moment.
func (p source) into(put func(string, int64, io.Reader) error) error {
	r, err := p.open()
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	if err := put(p.Name, p.Size, io.TeeReader(r, sum)); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", sum.Sum(nil)); got != p.SHA256 {
		return fmt.Errorf("%s was changed while it was packed", p.Name)
	}
	return nil
}

// untilReader is a reader that ends with its ctx.
type untilReader struct {
	ctx context.Context
	r   io.Reader
}

func (u *untilReader) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(b)
}
