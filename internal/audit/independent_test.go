package audit_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"backoffice/internal/audit"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What follows is a verifier as docs/audit-format.md describes it, with the
// packages tlog, note, zip and json and no code of ours: another could be written.

// theirHead opens a signed head.
func theirHead(msg []byte, key string) (tlog.Tree, error) {
	v, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return tlog.Tree{}, err
	}
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 5 || lines[0] != v.Name() || !strings.HasPrefix(lines[3], "time ") {
		return tlog.Tree{}, fmt.Errorf("no head: %q", n.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func theirReceipt(b []byte, key string) error {
	top, signed, _ := bytes.Cut(b, []byte("\n\n"))
	head, err := theirHead(signed, key)
	if err != nil {
		return err
	}
	lines := strings.Split(string(top), "\n")
	n, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || lines[0] != "backoffice-receipt/1" {
		return fmt.Errorf("no receipt: %v", err)
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, h)
	}
	var event map[string]any
	if err := json.Unmarshal([]byte(lines[2]), &event); err != nil || event["n"] != float64(n) {
		return fmt.Errorf("event %v: %v", event["n"], err)
	}
	return tlog.CheckRecord(proof, head.N, head.Hash, n, tlog.RecordHash([]byte(lines[2])))
}

// theirExport checks an export of either kind and returns its number of events.
func theirExport(b []byte, key string) (events int, err error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return 0, err
	}
	file := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return 0, err
		}
		if file[f.Name], err = io.ReadAll(r); err != nil {
			return 0, err
		}
	}
	head, err := theirHead(file["checkpoint.txt"], key)
	if err != nil {
		return 0, err
	}
	v, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return 0, err
	}
	manifest, err := note.Open(file["manifest.txt"], note.VerifierList(v))
	if err != nil {
		return 0, err
	}
	var m struct {
		Format, Kind, SHA256 string
		Size, Events         int64
	}
	if err := json.Unmarshal([]byte(manifest.Text), &m); err != nil || m.Format != "backoffice-audit-export/1" || m.Size != head.N {
		return 0, fmt.Errorf("manifest %+v: %v", m, err)
	}
	lines := strings.SplitAfter(string(file["events.jsonl"]), "\n")
	lines = lines[:len(lines)-1] // nothing stands behind the last line feed
	if int64(len(lines)) != m.Events {
		return 0, fmt.Errorf("%d events of %d", len(lines), m.Events)
	}
	if m.Kind == "all" {
		return len(lines), theirTree(lines, head)
	}
	if fmt.Sprintf("%x", sha256.Sum256(file["events.jsonl"])) != m.SHA256 {
		return 0, fmt.Errorf("another checksum")
	}
	return len(lines), theirProofs(lines, strings.Split(string(file["proofs.txt"]), "\n"), head)
}

// theirTree builds the tree of tlog.StoredHashes.
func theirTree(lines []string, head tlog.Tree) error {
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	for n, line := range lines {
		more, err := tlog.StoredHashes(int64(n), []byte(strings.TrimSuffix(line, "\n")), reader)
		if err != nil {
			return err
		}
		hashes = append(hashes, more...)
	}
	root, err := tlog.TreeHash(int64(len(lines)), reader)
	if err == nil && (root != head.Hash || int64(len(lines)) != head.N) {
		err = fmt.Errorf("%d events with root %v, want %d with %v", len(lines), root, head.N, head.Hash)
	}
	return err
}

// theirArchives checks archive files and an export of what is live, in their
// order, as one chain, and returns its number of events. Each file begins with
// the edge of the tree so far, by which it can be checked alone as well.
func theirArchives(key string, files ...[]byte) (events int64, err error) {
	v, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return 0, err
	}
	var before tlog.Tree
	for i, b := range files {
		var m struct {
			Format, Kind       string
			From, Size, Events int64
			Edge               []string
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return 0, err
		}
		file := map[string][]byte{}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				return 0, err
			}
			if file[f.Name], err = io.ReadAll(r); err != nil {
				return 0, err
			}
		}
		manifest, err := note.Open(file["manifest.txt"], note.VerifierList(v))
		if err != nil {
			return 0, err
		}
		head, err := theirHead(file["checkpoint.txt"], key)
		if err != nil {
			return 0, err
		}
		if err := json.Unmarshal([]byte(manifest.Text), &m); err != nil || m.Format != "backoffice-audit-part/1" || m.Size != head.N || m.Size-m.From != m.Events {
			return 0, fmt.Errorf("manifest %+v: %v", m, err)
		}
		lines := strings.SplitAfter(string(file["events.jsonl"]), "\n")
		lines = lines[:len(lines)-1]
		if int64(len(lines)) != m.Events || i > 0 && before.N != m.From {
			return 0, fmt.Errorf("%d events of %d from %d, after %d", len(lines), m.Events, m.From, before.N)
		}
		first, err := theirGrowth(m.From, m.Edge, lines, head)
		if err != nil {
			return 0, err
		}
		if i > 0 && first != before.Hash {
			return 0, fmt.Errorf("from %d on, it continues another tree", m.From)
		}
		before, events = head, events+m.Events
	}
	return events, nil
}

// theirGrowth puts the hashes of the edge to their places, adds the leaves, and
// compares the root. It returns the root of the tree before them.
func theirGrowth(from int64, edge, lines []string, head tlog.Tree) (first tlog.Hash, err error) {
	stored := map[int64]tlog.Hash{}
	reader := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			h, ok := stored[i]
			if !ok {
				return nil, fmt.Errorf("no hash %d", i)
			}
			out = append(out, h)
		}
		return out, nil
	})
	at := int64(0)
	for level := 62; level >= 0; level-- { // a perfect tree for each bit of from, the largest first
		if from&(1<<level) == 0 {
			continue
		}
		if stored[tlog.StoredHashIndex(level, at>>level)], err = tlog.ParseHash(edge[0]); err != nil {
			return first, err
		}
		edge, at = edge[1:], at+1<<level
	}
	if first, err = tlog.TreeHash(from, reader); err != nil || len(edge) > 0 {
		return first, fmt.Errorf("%d hashes too many: %v", len(edge), err)
	}
	for i, line := range lines {
		n := from + int64(i)
		hashes, err := tlog.StoredHashes(n, []byte(strings.TrimSuffix(line, "\n")), reader)
		if err != nil {
			return first, err
		}
		for j, h := range hashes {
			stored[tlog.StoredHashIndex(0, n)+int64(j)] = h
		}
	}
	root, err := tlog.TreeHash(head.N, reader)
	if err == nil && root != head.Hash {
		err = fmt.Errorf("root %v of %d events, want %v", root, head.N, head.Hash)
	}
	return first, err
}

func TestAnotherVerifierAgreesOnArchives(t *testing.T) {
	k := newKeeper(t, open(t), t.TempDir())
	fill(t, k.store, 700)
	k.keep(t, 77)
	k.keep(t, 300)
	k.keep(t, 512)
	var live bytes.Buffer
	if _, err := k.notary.Export(t.Context(), &live, audit.Exporting{Live: true}); err != nil {
		t.Fatal(err)
	}
	var files [][]byte
	for _, path := range k.files(t) {
		files = append(files, slurp(t, path))
	}
	files = append(files, live.Bytes())
	for _, tt := range []struct {
		files [][]byte
		want  int64
	}{{files, 704}, {files[:3], 512}, {files[1:2], 223}, {files[2:], 404}, {files[3:], 192}, {files[:1], 77}} {
		if got, err := theirArchives(k.notary.Key(), tt.files...); err != nil || got != tt.want {
			t.Errorf("%d files: %d events, %v; want %d", len(tt.files), got, err, tt.want)
		}
	}
	for i, b := range files {
		bad := unzip(t, b)
		bad["events.jsonl"] = bytes.Replace(bad["events.jsonl"], []byte("because"), []byte("BECAUSE"), 1)
		if _, err := theirArchives(k.notary.Key(), rezip(t, bad)); err == nil {
			t.Errorf("file %d: a changed event was believed", i)
		}
	}
	if _, err := theirArchives(k.notary.Key(), files[0], files[2]); err == nil {
		t.Error("a gap was believed")
	}
}

func theirProofs(events, proofs []string, head tlog.Tree) error {
	var proof tlog.RecordProof
	for i, event := range events {
		words := strings.Split(proofs[i], " ")
		n, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			return err
		}
		kept, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		var next tlog.RecordProof
		for _, w := range words[2:] {
			b, err := base64.StdEncoding.DecodeString(w)
			if err != nil {
				return err
			}
			next = append(next, tlog.Hash(b))
		}
		proof = append(next, proof[len(proof)-kept:]...)
		if err := tlog.CheckRecord(proof, head.N, head.Hash, n, tlog.RecordHash([]byte(strings.TrimSuffix(event, "\n")))); err != nil {
			return fmt.Errorf("event %d: %w", n, err)
		}
	}
	return nil
}

func TestAnotherVerifierAgrees(t *testing.T) {
	s := open(t)
	fill(t, s, 700)
	n := notary(t, s)
	for name, tt := range map[string]struct {
		filter audit.Filter
		want   int
	}{"all": {audit.Filter{}, 701}, "outcome": {audit.Filter{Outcome: audit.Failed}, 175}, "target": {audit.Filter{Target: "acme:service3"}, 140}} {
		b, _ := export(t, n, tt.filter)
		got, err := theirExport(b, n.Key())
		if name == "all" {
			tt.want = len(bytes.Split(unzip(t, b)["events.jsonl"], []byte("\n"))) - 1 // with the exports before it
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %d events, %v; want %d", name, got, err, tt.want)
		}
		files := unzip(t, b)
		files["events.jsonl"] = bytes.Replace(files["events.jsonl"], []byte("because"), []byte("BECAUSE"), 1)
		if _, err := theirExport(rezip(t, files), n.Key()); err == nil {
			t.Errorf("%s: a changed event was believed", name)
		}
	}
	for _, i := range []int64{0, 1, 255, 256, 699, 700} {
		b, err := n.Receipt(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		if err := theirReceipt(b, n.Key()); err != nil {
			t.Errorf("receipt %d: %v", i, err)
		}
		if err := theirReceipt(bytes.Replace(b, []byte(`"outcome":"`), []byte(`"outcome":"x`), 1), n.Key()); err == nil {
			t.Errorf("receipt %d: a changed event was believed", i)
		}
	}
}

// The receipt and the key that docs/audit-format.md shows are real.
func TestExampleOfTheDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/audit-format.md")
	if err != nil {
		t.Fatal(err)
	}
	var key, receipt, short string
	for i, block := range strings.Split(string(b), "```\n") {
		switch {
		case i%2 == 0:
		case strings.HasPrefix(block, "backoffice-receipt/1\n"):
			receipt = block
		case strings.HasPrefix(block, "backoffice-") && strings.Count(block, "\n") == 1:
			key = block
		case strings.HasPrefix(block, "6 "):
			short = strings.TrimSpace(block)
		}
	}
	if err := theirReceipt([]byte(receipt), key); err != nil {
		t.Errorf("the receipt of the docs: %v", err)
	}
	k, err := audit.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := verify(audit.Verification{Key: k}, []byte(receipt))
	if err != nil || p.Event.N != 4 || p.Head.Short() != short {
		t.Errorf("%+v, %v; the short form is %q", p, err, short)
	}
}
