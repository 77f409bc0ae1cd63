package backup

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/format"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A Check rehearses a restore: it proves of an archive that what is in it is what
// was made, and that all of it can be read, opened and verified. All fields but
// Identities, Places and Said are needed.
type Check struct {
	Engine
	Identities []Identity
	// Keys returns an error that names what is missing if the key at hand cannot
	// open what these keys have sealed. It is asked before anything is written.
	Keys func(ids []string) error
	// Unlock opens the data with the key at hand.
	Unlock func(ctx context.Context, s store.Store) (*secret.Box, error)
	// Places are where heads of the audit log were kept, for a log with that key.
	Places func(key audit.Key) []audit.Place
	Now    func() time.Time
	Said   func(words string)         // told what is done
	Done   func(done, of int64)       // told how many bytes were read
	Opened func(values int, of int64) // told how many sealed values were opened
}

// Checked is what was proven of an archive.
type Checked struct {
	Manifest
	Values int      // sealed values that were opened
	Heads  int      // heads that were kept elsewhere, and that the log continues
	Behind []string // what is kept elsewhere and newer: putting the archive back will raise an alarm
	Unread int64    // audit events whose archive files are not in the archive
}

// Archive reads an archive, unpacks it into dir, which has to be there and empty, and
// checks all of it. It returns a *Fault if something does not hold.
func (c Check) Archive(ctx context.Context, r io.Reader, dir string) (out Checked, err error) {
	c.say("Reading the archive")
	var read, of int64
	u := unpacking{r: r, ids: c.Identities, dir: dir, see: func(m Manifest) error {
		of = m.size()
		if m.Format > format.Current {
			return fmt.Errorf("the data in it is of form %d, and this program reads forms up to %d. Use version %s, or a later one", m.Format, format.Current, m.Program)
		}
		if err := c.Keys(m.Keys); err != nil {
			return err
		}
		return room(dir, m.size())
	}, done: func(n int64) {
		if read += n; c.Done != nil {
			c.Done(read, of)
		}
	}}
	got, err := u.run(ctx)
	if err != nil {
		return out, err
	}
	out.Manifest = got.Manifest
	c.say("Checking every page of the data file")
	data := filepath.Join(dir, dataName)
	if err := c.Check(ctx, data); err != nil {
		return out, faultf("the data file in it is damaged: %v", err)
	}
	s, err := c.Open(data)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return out, c.data(ctx, s, got, &out)
}

func (c Check) say(words string) {
	if c.Said != nil {
		c.Said(words)
	}
}

// data checks what is in the data file.
func (c Check) data(ctx context.Context, s store.Store, got unpacked, out *Checked) error {
	form, _, err := format.Of(ctx, s)
	if err != nil {
		return err
	}
	if form.Format != got.Format {
		return faultf("the data is of form %d, and its manifest says %d", form.Format, got.Format)
	}
	box, err := c.Unlock(ctx, s)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(got.mac, macOf(box, got.raw)) != 1 || got.Installation != Installation(box) {
		return faultf("its manifest was not written by this installation, or was changed since: whoever did has not got the key")
	}
	if err := c.log(ctx, s, box, got, out); err != nil {
		return err
	}
	c.say("Opening every sealed value")
	out.Values, err = c.openAll(ctx, s, box)
	return err
}

// log checks the audit log.
func (c Check) log(ctx context.Context, s store.Store, box *secret.Box, got unpacked, out *Checked) error {
	c.say(fmt.Sprintf("Verifying %d events of the audit log", got.Events))
	signer, err := audit.NewSigner(box.MAC(audit.SigningDomain, nil))
	if err != nil {
		return err
	}
	n := audit.NewNotary(audit.NotaryOptions{Store: s, Signer: signer, Now: c.Now, Archive: audit.OpenArchive(filepath.Join(got.dir, auditDir))})
	key, err := audit.ParseKey(n.Key())
	if err != nil {
		return err
	}
	note, err := os.ReadFile(filepath.Join(got.dir, headName))
	if err != nil {
		return err
	}
	head, err := audit.OpenCheckpoint(note, key)
	if err != nil {
		return faultf("the signed head in it cannot be believed: %v", err)
	}
	size, err := audit.NewLog(s).Size(ctx)
	if err != nil {
		return err
	}
	if size != got.Events || head.Size != got.HeadSize || head.Root.String() != got.HeadRoot || n.Key() != got.AuditKey {
		return faultf("the audit log in it has %d events and a head of %d, and its manifest says %d and %d", size, head.Size, got.Events, got.HeadSize)
	}
	if err := n.Continues(ctx, head.Kept("the signed head in the archive")); err != nil {
		return logFault(err)
	}
	checker := audit.NewChecker(audit.CheckerOptions{Notary: n})
	if err := checker.Run(ctx); err != nil {
		return logFault(err)
	}
	out.Unread = checker.State().Unread
	return c.elsewhere(ctx, n, key, size, out)
}

// elsewhere holds the log against what was kept where nobody can rewrite it.
func (c Check) elsewhere(ctx context.Context, n *audit.Notary, key audit.Key, size int64, out *Checked) error {
	if c.Places == nil {
		return nil
	}
	for _, p := range c.Places(key) {
		if p.Kept == nil {
			continue
		}
		kept, err := p.Kept(true)
		if err != nil {
			return fmt.Errorf("reading the %s: %w", p.Name, err)
		}
		last := int64(0)
		for _, e := range kept {
			if last = max(last, e.Size); e.Size > size {
				continue
			}
			if err := n.Continues(ctx, e); err != nil {
				return logFault(err)
			}
			out.Heads++
		}
		if last > size {
			out.Behind = append(out.Behind, fmt.Sprintf("The %s keeps a head of %d events, and the archive has %d.", p.Name, last, size))
		}
	}
	return nil
}

// logFault is a fault for what the check of a log found.
func logFault(err error) error {
	var fault *audit.Fault
	if errors.As(err, &fault) || errors.Is(err, audit.ErrForked) {
		return faultf("the audit log in it does not hold: %v", err)
	}
	return err
}

// scanned is how many records are read at a time. The largest is of 1 MiB.
const scanned = 64

// eachSealed calls f with every record in which something may be sealed.
func eachSealed(ctx context.Context, s store.Store, f func(secret.Kind, store.Item) error) error {
	for _, k := range secret.Kinds() {
		if k.Find == nil {
			continue
		}
		for after := ""; ; {
			var items []store.Item
			err := s.View(ctx, func(r store.Reader) (err error) {
				items, err = r.Scan(store.Range{Prefix: k.Prefix, After: after, Limit: scanned})
				return err
			})
			if err != nil {
				return err
			}
			for _, it := range items {
				if err := f(k, it); err != nil {
					return err
				}
			}
			if len(items) < scanned {
				break
			}
			after = items[len(items)-1].Key
		}
	}
	return nil
}

// openAll opens every sealed value, and returns how many there are.
func (c Check) openAll(ctx context.Context, s store.Store, box *secret.Box) (n int, err error) {
	err = eachSealed(ctx, s, func(k secret.Kind, it store.Item) error {
		found, err := open(box, k, it)
		if err != nil {
			return faultf("a sealed value does not open, among the %s: %v", k.Words, err)
		}
		if n += found; c.Opened != nil {
			c.Opened(n, 0)
		}
		return nil
	})
	return n, err
}

// open opens what is sealed in a record, and forgets it.
func open(box *secret.Box, k secret.Kind, it store.Item) (int, error) {
	all, err := k.Find(it.Key, it.Value)
	if err != nil {
		return 0, err
	}
	for _, v := range all {
		plain, err := box.Open(v.Bytes, v.Place)
		if err != nil {
			return 0, err
		}
		clear(plain)
	}
	return len(all), nil
}

// Read checks that an archive is, byte for byte, what was made: its checksum, and the
// hash of each part. It writes nothing, and opens nothing that is sealed.
func Read(ctx context.Context, r io.Reader, ids []Identity) (Manifest, error) {
	u := unpacking{r: r, ids: ids, see: func(Manifest) error { return nil }}
	got, err := u.run(ctx)
	return got.Manifest, err
}

// Encrypted reports whether the archive that begins with these bytes is encrypted.
func Encrypted(begin []byte) bool { return bytes.HasPrefix(begin, []byte(ageMark)) }
