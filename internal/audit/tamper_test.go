package audit_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"backoffice/internal/audit"
)

// Every byte of a receipt counts.
func TestEveryByteOfAReceiptCounts(t *testing.T) {
	s := open(t)
	fill(t, s, 21)
	b, err := notary(t, s).Receipt(t.Context(), 9)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		for _, bit := range []byte{0x01, 0x20, 0x80} {
			bad := bytes.Clone(b)
			bad[i] ^= bit
			if _, err := verify(verification(t), bad); err == nil {
				t.Fatalf("believed with byte %d changed from %q to %q", i, b[i], bad[i])
			}
		}
		if _, err := verify(verification(t), b[:i]); err == nil {
			t.Fatalf("believed when cut to %d bytes", i)
		}
	}
}

// A receipt has one form, and a changed log gives none out, nor an export.
func TestChangedLogGivesNothingOut(t *testing.T) {
	s := open(t)
	fill(t, s, 21)
	n := notary(t, s)
	b, err := n.Receipt(t.Context(), 9)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"\n9\n": "\n09\n", "/1\n": "/2\n", "\n\n": "\n\n\n"} {
		_, err := verify(verification(t), bytes.Replace(b, []byte(from), []byte(to), 1))
		isFault(t, to, err, "")
	}
	key := fmt.Sprintf("audit/event/%016d", 9)
	put(t, s, key, bytes.Replace(get(t, s, key), []byte("because"), []byte("BECAUSE"), 1))
	if _, err := n.Receipt(t.Context(), 9); !errors.Is(err, audit.ErrForked) || !strings.Contains(err.Error(), "Event 9 was changed") {
		t.Errorf("a receipt of a changed event: %v", err)
	}
	if _, err := n.Receipt(t.Context(), 8); err != nil {
		t.Errorf("of its neighbour: %v", err)
	}
	for name, f := range map[string]audit.Filter{"all": {}, "with it": {Target: event(9).Target}} {
		if _, err := n.Export(t.Context(), io.Discard, audit.Exporting{Filter: f}); !errors.Is(err, audit.ErrForked) {
			t.Errorf("an export, %s: %v", name, err)
		}
	}
}

// Every byte of every file of an export counts, in both kinds.
func TestEveryByteOfAnExportCounts(t *testing.T) {
	for name, f := range map[string]audit.Filter{"all": {}, "filtered": {Outcome: audit.Failed}} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			fill(t, s, 9)
			b, _ := export(t, notary(t, s), f)
			files, v := unzip(t, b), verification(t)
			if _, err := verify(v, rezip(t, files)); err != nil {
				t.Fatal(err)
			}
			for file, content := range files {
				for i := range content {
					bad := maps.Clone(files)
					bad[file] = bytes.Clone(content)
					bad[file][i] ^= 1
					if _, err := verify(v, rezip(t, bad)); err == nil && (file != "key.txt" || i < len(content)-1) {
						t.Fatalf("believed with byte %d of %s changed from %q to %q", i, file, content[i], bad[file][i])
					}
				}
			}
		})
	}
}

// The zip around the files: a changed byte is found, or changes nothing that is
// in a file.
func TestEveryByteOfTheZip(t *testing.T) {
	s := open(t)
	fill(t, s, 5)
	b, _ := export(t, notary(t, s), audit.Filter{})
	want, v := unzip(t, b), verification(t)
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if _, err := verify(v, bad); err == nil && !maps.EqualFunc(unzip(t, bad), want, bytes.Equal) {
			t.Fatalf("believed with byte %d changed", i)
		}
		if _, err := verify(v, b[:i]); err == nil {
			t.Fatalf("believed when cut to %d bytes", i)
		}
	}
}

// What somebody can do to the lines of an export is found, and where it shows,
// the line is named.
func TestLinesOfAnExport(t *testing.T) {
	s := open(t)
	fill(t, s, 40)
	n := notary(t, s)
	all, _ := export(t, n, audit.Filter{})
	some, _ := export(t, n, audit.Filter{Outcome: audit.Done})
	for name, tt := range map[string]struct {
		change     func([][]byte) [][]byte
		all, some_ string
	}{
		"drop":   {func(l [][]byte) [][]byte { return slices.Delete(l, 7, 8) }, "signs 41 events, and there are 40. Line 8 is the first", "is not event"},
		"swap":   {func(l [][]byte) [][]byte { l[3], l[4] = l[4], l[3]; return l }, "Line 4 is the first", "is not event"},
		"insert": {func(l [][]byte) [][]byte { return slices.Insert(l, 5, []byte(`{"n":5,"action":"entry.save"}`)) }, "signs 41 events, and there are 42. Line 7 is the first", "is not event"},
		"repeat": {func(l [][]byte) [][]byte { return slices.Insert(l, 5, l[4]) }, "Line 6 is the first", "is not event"},
		"change": {func(l [][]byte) [][]byte {
			l[6] = bytes.Replace(l[6], []byte("because"), []byte("becausE"), 1)
			return l
		}, "at least one was changed", "is not event"},
		"cut tail": {func(l [][]byte) [][]byte { return l[:len(l)-1] }, "signs 41 events, and there are 40", "ends early"},
		"append":   {func(l [][]byte) [][]byte { return append(l, l[0]) }, "signs 41 events, and there are 42", "ends early"},
		"nothing":  {func([][]byte) [][]byte { return nil }, "there are 0", "ends early"},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, b := range map[string][]byte{"all": all, "some": some} {
				files := unzip(t, b)
				lines := tt.change(bytes.Split(bytes.TrimSuffix(files["events.jsonl"], []byte("\n")), []byte("\n")))
				files["events.jsonl"] = nil
				for _, l := range lines {
					files["events.jsonl"] = append(append(files["events.jsonl"], l...), '\n')
				}
				_, err := verify(verification(t), rezip(t, files))
				isFault(t, kind, err, map[string]string{"all": tt.all, "some": tt.some_}[kind])
			}
		})
	}
	t.Run("drop with its proof", func(t *testing.T) {
		files := unzip(t, some)
		for _, name := range []string{"events.jsonl", "proofs.txt"} {
			lines := bytes.SplitAfter(files[name], []byte("\n"))
			files[name] = bytes.Join(lines[:len(lines)-2], nil)
		}
		_, err := verify(verification(t), rezip(t, files))
		isFault(t, "a filtered export", err, "signed manifest has 22")
	})
	t.Run("another export's files", func(t *testing.T) {
		files, other := unzip(t, some), unzip(t, all)
		for _, name := range []string{"checkpoint.txt", "manifest.txt", "events.jsonl"} {
			mixed := maps.Clone(files)
			mixed[name] = other[name]
			if _, err := verify(verification(t), rezip(t, mixed)); err == nil {
				t.Errorf("believed with %s of another export", name)
			}
		}
	})
	t.Run("a file twice", func(t *testing.T) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for range 2 {
			for name, content := range unzip(t, some) {
				w, err := z.CreateHeader(&zip.FileHeader{Name: name}) // not compressed: quicker
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write(content); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := verify(verification(t), b.Bytes())
		isFault(t, "twice", err, "does not belong")
	})
	t.Run("a file more, a file less", func(t *testing.T) {
		files := unzip(t, some)
		files["readme.txt"] = []byte("hello")
		_, err := verify(verification(t), rezip(t, files))
		isFault(t, "more", err, `"readme.txt" that does not belong`)
		for name := range unzip(t, some) {
			files := unzip(t, some)
			delete(files, name)
			_, err := verify(verification(t), rezip(t, files))
			isFault(t, "less", err, fmt.Sprint("has no ", name))
		}
	})
}
