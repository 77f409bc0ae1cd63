package backup

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"time"
)

// ArchiveFormat is the form of the archives that this program writes and reads.
const ArchiveFormat = 1

// The names in an archive.
const (
	manifestName = "manifest.json"
	macName      = "manifest.mac"
	headName     = "checkpoint"
	dataName     = "backoffice.db"
	auditDir     = "audit-archive"
)

// Domains of the MACs under the key of the installation.
const (
	macDomain  = "backup manifest"
	nameDomain = "backup installation"
)

// A Manifest says what is in an archive. Every field is in the open to whoever can
// read the archive, and none is secret.
type Manifest struct {
	Archive      int       `json:"archive"` // form of the archive
	Made         time.Time `json:"made"`    // when the copy was begun
	Program      string    `json:"program"` // version of the program that made it
	Installation string    `json:"installation"`
	Format       int       `json:"format"` // form of the data
	Keys         []string  `json:"keys"`   // ids of the keys that open it; the key that seals now is the last
	Events       int64     `json:"events"` // in the audit log
	HeadSize     int64     `json:"headSize"`
	HeadRoot     string    `json:"headRoot"`
	AuditKey     string    `json:"auditKey"` // public key of the audit log
	Missing      []string  `json:"missing,omitempty"`
	Parts        []Part    `json:"parts"` // in the order in which they follow
}

// Without says in a sentence which archive files of the audit log are not in it, or
// "".
func (m Manifest) Without() string {
	switch n := len(m.Missing); n {
	case 0:
		return ""
	case 1:
		return "1 archive file of the audit log is not in it, because it was not found."
	default:
		return fmt.Sprintf("%d archive files of the audit log are not in it, because they were not found.", n)
	}
}

// A Part is a file in an archive.
type Part struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // in hex
}

// auditFile is the name of an archive file of the audit log.
var auditFile = regexp.MustCompile(`^audit-[0-9]{16}-[0-9]{16}-[0-9a-f]{32}\.zip$`)

// readManifest decodes what write encoded, and refuses anything that an archive of
// this program cannot have: names are joined to directories.
func readManifest(b []byte) (m Manifest, err error) {
	var form struct{ Archive int }
	if err := json.Unmarshal(b, &form); err != nil {
		return m, faultf("its manifest is no JSON")
	}
	if form.Archive > ArchiveFormat {
		return m, &TooNew{form.Archive}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || form.Archive < 1 {
		return m, faultf("its manifest is none of this program")
	}
	if len(m.Parts) < 2 || m.Parts[0].Name != headName || m.Parts[1].Name != dataName {
		return m, faultf("its manifest has no checkpoint and data file")
	}
	for i, p := range m.Parts {
		if dir, file := path.Split(p.Name); i > 1 && (dir != auditDir+"/" || !auditFile.MatchString(file)) {
			return m, faultf("its manifest names a part that no archive has")
		}
		if sum, err := hex.DecodeString(p.SHA256); err != nil || len(sum) != 32 || p.Size < 0 {
			return m, faultf("its manifest says nothing of the bytes of %s", p.Name)
		}
		if slices.ContainsFunc(m.Parts[:i], func(q Part) bool { return q.Name == p.Name }) {
			return m, faultf("its manifest names %s twice", p.Name)
		}
	}
	if len(m.Keys) == 0 || m.Installation == "" {
		return m, faultf("its manifest names no key")
	}
	return m, nil
}

// size is how many bytes the parts have.
func (m Manifest) size() (n int64) {
	for _, p := range m.Parts {
		n += p.Size
	}
	return n
}

// A Fault says that an archive is not what was made, in words.
type Fault struct{ Msg string }

func (f *Fault) Error() string { return f.Msg }

func faultf(format string, args ...any) error { return &Fault{fmt.Sprintf(format, args...)} }

// TooNew says that a later program made the archive.
type TooNew struct{ Form int }

func (t *TooNew) Error() string {
	return fmt.Sprintf("the archive is of form %d, and this program reads forms up to %d. Use the version that made it, or a later one", t.Form, ArchiveFormat)
}
