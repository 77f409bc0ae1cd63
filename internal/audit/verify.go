package audit

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A Fault is what a verification found not to hold, in words for people. Any
// other error of this file says that the check could not be made.
type Fault struct{ Msg string }

func (f *Fault) Error() string { return f.Msg }

func faultf(format string, args ...any) error { return &Fault{fmt.Sprintf(format, args...)} }

// A Verification checks what was given out of a log. It needs neither the data
// file nor the program that made it.
type Verification struct {
	Key      Key
	Earlier  []Earlier            // heads that the log must continue
	Progress func(done, of int64) // called now and then; nil: nobody watches
}

// An Earlier is a head that somebody kept.
type Earlier struct {
	From string // where it was kept
	Size int64
	is   func(root tlog.Hash) bool
}

// Kept returns the head of a checkpoint, to be continued.
func (c Checkpoint) Kept(from string) Earlier {
	return Earlier{From: from, Size: c.Size, is: func(root tlog.Hash) bool { return root == c.Root }}
}

// Kept returns the head of a short form, to be continued.
func (h ShortHead) Kept(from string) Earlier { return Earlier{From: from, Size: h.Size, is: h.is} }

// What a file is.
const (
	KindAll      = "all"
	KindFiltered = "filtered"
	KindReceipt  = "receipt"
	KindPart     = "part" // an archive file, several, or an export of what is live
)

// A Proven is what a verification proved.
type Proven struct {
	Kind    string
	Events  int64 // that were checked
	From    int64 // the first of them; not of a receipt and a filtered export
	Head    Checkpoint
	Filter  Filter // of a filtered export
	Event   Event  // of a receipt
	Earlier int    // heads that the log was found to continue
}

// ErrUnknownFile is wrapped by the error about a file that is neither an export
// nor a receipt.
var ErrUnknownFile = errors.New("this is neither an export nor a receipt of an audit log")

// zipMagic is how a zip begins.
const zipMagic = "PK"

// kindOf says by its first bytes what a file is to be read as.
func kindOf(r io.ReaderAt) (string, error) {
	head := make([]byte, 64)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	switch text := string(head[:n]); {
	case strings.HasPrefix(text, zipMagic):
		return KindAll, nil
	case strings.HasPrefix(text, receiptHead[:strings.Index(receiptHead, "/")]):
		return KindReceipt, nil
	}
	return "", ErrUnknownFile
}

// File checks an export or a receipt of size bytes. The error is a *Fault if
// something in it does not hold.
func (v Verification) File(r io.ReaderAt, size int64) (Proven, error) {
	kind, err := kindOf(r)
	if err != nil {
		return Proven{}, err
	}
	if kind == KindReceipt {
		return v.receipt(io.NewSectionReader(r, 0, size))
	}
	return v.Files([]Part{{Name: "the file", R: r, Size: size}})
}

// maxReceipt is how long a receipt may be: the longest event, and its proof.
const maxReceipt = maxLine + 64<<10

func (v Verification) receipt(r io.Reader) (Proven, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxReceipt))
	if err != nil {
		return Proven{}, err
	}
	rec, err := readReceipt(b)
	if err != nil {
		return Proven{}, faultf("the receipt is damaged: %v", err)
	}
	p := Proven{Kind: KindReceipt, Events: 1}
	if p.Head, err = OpenCheckpoint(rec.signed, v.Key); err != nil {
		return p, faultf("the head in the receipt cannot be believed: %v", err)
	}
	if err := tlog.CheckRecord(rec.proof, p.Head.Size, p.Head.Root, rec.number, tlog.RecordHash(rec.leaf)); err != nil {
		return p, faultf("the event is not event %d of the signed log", rec.number)
	}
	if err := json.Unmarshal(rec.leaf, &p.Event); err != nil {
		return p, faultf("event %d is proven, but cannot be read", rec.number)
	}
	return p, v.sameHead(&p)
}

// sameHead checks kept heads against one head without the events: only one of
// the same size can be compared.
func (v Verification) sameHead(p *Proven) error {
	for _, e := range v.Earlier {
		switch {
		case e.Size > p.Head.Size:
			return tooFew(p.Head.Size, e)
		case e.Size < p.Head.Size:
			return fmt.Errorf("whether %d events continue the %d of %s takes an export of all events", p.Head.Size, e.Size, e.From)
		case !e.is(p.Head.Root):
			return forkedAt(e)
		}
		p.Earlier++
	}
	return nil
}

func tooFew(size int64, e Earlier) error {
	return faultf("it has %d events, but %s is a head of %d: events at the end are missing, or the two files are in the wrong order", size, e.From, e.Size)
}

func forkedAt(e Earlier) error {
	return faultf("its first %d events are not those of %s: the log was rewritten in between", e.Size, e.From)
}

// A bundle is an opened export.
type bundle map[string]*zip.File

func openBundle(r io.ReaderAt, size int64) (bundle, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, faultf("the zip is damaged or cut: %v", err)
	}
	b := bundle{}
	for _, f := range z.File {
		if b[f.Name] != nil || !slices.Contains([]string{eventsFile, proofsFile, headFile, keyFile, manifestFile}, f.Name) {
			return nil, faultf("the zip has a file %q that does not belong there", f.Name)
		}
		b[f.Name] = f
	}
	return b, nil
}

// small reads one of the small files.
func (b bundle) small(name string) ([]byte, error) {
	const limit = 64 << 10
	r, err := b.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil, faultf("%s is damaged: %v", name, err)
	}
	return text, nil
}

func (b bundle) open(name string) (io.ReadCloser, error) {
	f := b[name]
	if f == nil {
		return nil, faultf("the zip has no %s", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, faultf("%s is damaged: %v", name, err)
	}
	return r, nil
}

// head reads the signed head and the signed manifest, and checks that they, and
// the key that is enclosed, belong together.
func (b bundle) head(k Key) (c Checkpoint, m Manifest, err error) {
	signed, err := b.small(headFile)
	if err != nil {
		return c, m, err
	}
	if c, err = OpenCheckpoint(signed, k); err != nil {
		return c, m, faultf("the head cannot be believed: %v", err)
	}
	if m, err = b.manifest(k); err != nil {
		return c, m, err
	}
	enclosed, err := b.small(keyFile)
	if err != nil {
		return c, m, err
	}
	other, err := ParseKey(string(enclosed))
	if err != nil || other.verifier.Name() != k.Name() || other.verifier.KeyHash() != k.verifier.KeyHash() {
		return c, m, faultf("%s has another key than the one that signed", keyFile)
	}
	if m.Size != c.Size || !m.Made.Equal(c.Time) {
		return c, m, faultf("%s and %s are not of the same export", manifestFile, headFile)
	}
	return c, m, nil
}

func (b bundle) manifest(k Key) (m Manifest, err error) {
	signed, err := b.small(manifestFile)
	if err != nil {
		return m, err
	}
	text, err := k.open(signed)
	if err != nil {
		return m, faultf("the manifest cannot be believed: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || m.Log != k.Name() {
		return m, faultf("the manifest is signed, but is no manifest of this log")
	}
	if m.Format != exportFormat && m.Format != partFormat {
		return m, fmt.Errorf("the export has the format %q. This program reads %q and %q; use the one that made it", m.Format, exportFormat, partFormat)
	}
	if !m.consistent() {
		return m, faultf("the manifest contradicts itself")
	}
	return m, nil
}

func (m Manifest) consistent() bool {
	switch m.Kind {
	case KindFiltered:
		return m.Format == exportFormat && m.Filter != nil && m.SHA256 != "" && m.From == 0 && m.Edge == nil
	case KindAll:
		return m.Format == exportFormat && m.Events == m.Size && m.From == 0 && m.Edge == nil
	case KindPart:
		return m.Format == partFormat && m.Events == m.Size-m.From && m.Events >= 0 && edgeFits(m.From, len(m.Edge))
	}
	return false
}

// filtered checks a filtered export.
func (v Verification) filtered(b bundle) (p Proven, err error) {
	head, m, err := b.head(v.Key)
	if err != nil {
		return p, err
	}
	p = Proven{Kind: m.Kind, Head: head, Filter: m.Filter.filter()}
	if err := v.some(b, m, &p); err != nil {
		return p, err
	}
	return p, v.sameHead(&p)
}

// ReadEarlier takes the heads out of something that was kept: an export, a
// receipt, an anchor file, or a checkpoint as a signed note. The head of each is
// believed only if k signed it; its events are not looked at.
func ReadEarlier(r io.ReaderAt, size int64, from string, k Key) ([]Earlier, error) {
	kind, err := kindOf(r)
	switch {
	case errors.Is(err, ErrUnknownFile):
		return readAnchors(io.NewSectionReader(r, 0, size), from, k)
	case err != nil:
		return nil, err
	case kind == KindReceipt:
		p, err := Verification{Key: k}.receipt(io.NewSectionReader(r, 0, size))
		return []Earlier{p.Head.Kept(from)}, err
	}
	b, err := openBundle(r, size)
	if err != nil {
		return nil, err
	}
	c, _, err := b.head(k)
	return []Earlier{c.Kept(from)}, err
}
