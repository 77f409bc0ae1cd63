package audit

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// Exports whose maker has the key and lies: what contradicts itself is found.
func TestSignedContradictionsAreFound(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "audit.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)
	err = db.Update(t.Context(), func(tx store.Tx) error {
		for i := range 20 {
			e := Event{Time: now, Action: EntrySaved, Outcome: Done, Target: "acme:intercom"}
			if i%4 == 0 {
				e.Outcome = Failed
			}
			if err := Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	n := NewNotary(NotaryOptions{Store: db, Signer: s, Now: func() time.Time { return now }})
	some, all := exported(t, n, Filter{Outcome: Failed}), exported(t, n, Filter{})
	lines := func(b []byte) [][]byte { return bytes.SplitAfter(bytes.TrimSuffix(b, nil), []byte("\n")) }
	sign := func(text string) []byte {
		b, err := s.note(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, tt := range map[string]struct {
		from  map[string][]byte
		edit  func(files map[string][]byte, m *Manifest)
		words string
	}{
		"as it is":         {some, func(map[string][]byte, *Manifest) {}, ""},
		"another checksum": {some, func(_ map[string][]byte, m *Manifest) { m.SHA256 = strings.Repeat("0", 64) }, "another checksum"},
		"another count":    {some, func(_ map[string][]byte, m *Manifest) { m.Events++ }, "another checksum"},
		"another filter":   {some, func(_ map[string][]byte, m *Manifest) { m.Filter.Outcome = Done }, "not what the filter chooses"},
		"no filter":        {some, func(_ map[string][]byte, m *Manifest) { m.Filter = nil }, "contradicts itself"},
		"another kind":     {some, func(_ map[string][]byte, m *Manifest) { m.Kind = "most" }, "contradicts itself"},
		"another log":      {some, func(_ map[string][]byte, m *Manifest) { m.Log = "backoffice-00000000" }, "no manifest of this log"},
		"another size":     {some, func(_ map[string][]byte, m *Manifest) { m.Size++ }, "not of the same export"},
		"another time":     {some, func(_ map[string][]byte, m *Manifest) { m.Made = m.Made.Add(time.Second) }, "not of the same export"},
		"all, but not all": {all, func(_ map[string][]byte, m *Manifest) { m.Events-- }, "contradicts itself"},
		"an event twice": {some, func(f map[string][]byte, m *Manifest) {
			e, p := lines(f[eventsFile]), lines(f[proofsFile])
			f[eventsFile] = bytes.Join(append(e[:1:1], e...), nil)
			f[proofsFile] = bytes.Join(append(p[:1:1], p...), nil)
			m.Events++
			m.SHA256 = fmt.Sprintf("%x", sha256.Sum256(f[eventsFile]))
		}, "line 2 of proofs.txt"},
		"a manifest as head": {some, func(f map[string][]byte, _ *Manifest) { f[headFile] = f[manifestFile] }, "is no head of the log"},
		"a head of another name": {some, func(f map[string][]byte, _ *Manifest) {
			f[headFile] = sign(strings.Replace(headText(f), s.verifier.Name(), "other", 1))
		}, "is no head of the log"},
		"a size in another form": {some, func(f map[string][]byte, _ *Manifest) {
			f[headFile] = sign(strings.Replace(headText(f), "\n21\n", "\n021\n", 1))
		}, "no number of events"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{}
			for name, b := range tt.from {
				files[name] = bytes.Clone(b)
			}
			var m Manifest
			text, _, _ := strings.Cut(string(files[manifestFile]), "\n\n")
			if err := json.Unmarshal([]byte(text), &m); err != nil {
				t.Fatal(err)
			}
			tt.edit(files, &m)
			b, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			files[manifestFile] = sign(string(b) + "\n")
			err = checked(t, n.key, files)
			var fault *Fault
			if tt.words == "" && err != nil || tt.words != "" && (!errors.As(err, &fault) || !strings.Contains(err.Error(), tt.words)) {
				t.Errorf("%v; want a fault with %q", err, tt.words)
			}
		})
	}
}

// headText is the text of the checkpoint of an export.
func headText(f map[string][]byte) string {
	text, _, _ := strings.Cut(string(f[headFile]), "\n\n")
	return text + "\n"
}

func exported(t *testing.T, n *Notary, f Filter) map[string][]byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := n.Export(t.Context(), &b, Exporting{Filter: f}); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// checked verifies an export of these files.
func checked(t *testing.T, k Key, files map[string][]byte) error {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name}) // not compressed: quicker
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Verification{Key: k}.File(bytes.NewReader(b.Bytes()), int64(b.Len()))
	return err
}
