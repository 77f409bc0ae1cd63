package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// maxLine is the length of the longest line that is read, in bytes: a store
// keeps no longer event.
const maxLine = 64 << 20

// lines reads lines that all end with a line feed.
type lines struct {
	r    *bufio.Reader
	long []byte
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 256<<10)} }

// next returns a line without its end, which is valid until the next call, or
// io.EOF after the last.
func (l *lines) next() ([]byte, error) {
	l.long = l.long[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		switch {
		case err == nil && len(l.long) == 0:
			return part[:len(part)-1], nil
		case err == nil:
			l.long = append(l.long, part...)
			return l.long[:len(l.long)-1], nil
		case errors.Is(err, bufio.ErrBufferFull) && len(l.long) < maxLine:
			l.long = append(l.long, part...)
		case errors.Is(err, io.EOF) && len(l.long)+len(part) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, errors.New("the last line is cut")
		default:
			return nil, err
		}
	}
}

// told is after how many events Progress is called.
const told = 10_000

func (v Verification) tell(done, of int64) {
	if v.Progress != nil && (done%told == 0 || done == of) {
		v.Progress(done, of)
	}
}

// all reads every event, builds the tree on and holds its root to the head, and
// the roots on the way to the heads that somebody kept. It returns the tree, and
// which heads are left.
func (v Verification) all(b bundle, tree frontier, kept []Earlier, p *Proven) (frontier, []Earlier, error) {
	events, err := b.open(eventsFile)
	if err != nil {
		return tree, kept, err
	}
	defer events.Close()
	if b[proofsFile] != nil {
		return tree, kept, faultf("an export of all events has no %s", proofsFile)
	}
	from := tree.size
	var hasher leafHasher
	odd := int64(-1)
	in := newLines(events)
	for {
		for len(kept) > 0 && kept[0].Size == tree.size {
			if tree.size > 0 && !kept[0].is(tree.root()) {
				return tree, kept, forkedAt(kept[0])
			}
			p.Earlier++
			kept = kept[1:]
		}
		leaf, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return tree, kept, faultf("%s is damaged after event %d: %v", eventsFile, tree.size-1, err)
		}
		if odd < 0 && !numbered(leaf, tree.size) {
			odd = tree.size
		}
		tree.add(hasher.hash(leaf))
		p.Events++
		v.tell(tree.size, p.Head.Size)
	}
	return tree, kept, whole(tree, from, odd, p.Head)
}

// whole is the last word on an export of the events from number from on.
func whole(tree frontier, from, odd int64, head Checkpoint) error {
	where := ""
	if odd >= 0 {
		where = fmt.Sprintf(". Line %d is the first that is not the event of its place", odd-from+1)
	}
	switch {
	case tree.size != head.Size:
		return faultf("the head signs %d events, and there are %d%s", head.Size, tree.size, where)
	case tree.root() != head.Root:
		return faultf("the events are not those of the signed head: at least one was changed, exchanged or put in%s", where)
	}
	return nil
}

// numbered reports whether an event says that it has number n. It is only a
// hint of where a fault is: the proof is the tree.
func numbered(leaf []byte, n int64) bool {
	var room [32]byte
	want := append(strconv.AppendInt(append(room[:0], `{"n":`...), n, 10), ',')
	return bytes.HasPrefix(leaf, want)
}

// some checks each event of a filtered export against its proof.
func (v Verification) some(b bundle, m Manifest, p *Proven) error {
	events, err := b.open(eventsFile)
	if err != nil {
		return err
	}
	defer events.Close()
	proofs, err := b.open(proofsFile)
	if err != nil {
		return err
	}
	defer proofs.Close()
	sum := sha256.New()
	in, way := newLines(io.TeeReader(events, sum)), newLines(proofs)
	before := proofOf{n: -1}
	for {
		leaf, err := in.next()
		proof, proofErr := way.next()
		if errors.Is(err, io.EOF) && errors.Is(proofErr, io.EOF) {
			break
		}
		if err = errors.Join(err, proofErr); err != nil {
			return faultf("after %d events, %s or %s is damaged or ends early", p.Events, eventsFile, proofsFile)
		}
		if before, err = before.next(proof); err != nil {
			return faultf("line %d of %s: %v", p.Events+1, proofsFile, err)
		}
		if err := v.one(m, p.Head, before, leaf); err != nil {
			return err
		}
		p.Events++
		v.tell(p.Events, m.Events)
	}
	if p.Events != m.Events || fmt.Sprintf("%x", sum.Sum(nil)) != m.SHA256 {
		return faultf("the events are not those that were exported: the signed manifest has %d, and another checksum", m.Events)
	}
	return nil
}

func (v Verification) one(m Manifest, head Checkpoint, proof proofOf, leaf []byte) error {
	if err := tlog.CheckRecord(proof.hashes, head.Size, head.Root, proof.n, tlog.RecordHash(leaf)); err != nil {
		return faultf("what stands for event %d is not event %d of the signed log", proof.n, proof.n)
	}
	e, err := decode(leaf, proof.n)
	if err != nil {
		return faultf("event %d is proven, but cannot be read", proof.n)
	}
	if !m.Filter.filter().matches(e) {
		return faultf("event %d is not what the filter chooses", proof.n)
	}
	return nil
}

// A proofOf is a line of proofs.txt with what it keeps of the line before.
type proofOf struct {
	n      int64
	hashes tlog.RecordProof
}

func (p proofOf) next(line []byte) (out proofOf, err error) {
	words := bytes.Split(line, []byte(" "))
	if len(words) < 2 {
		return out, errors.New("it has no number and no count")
	}
	if out.n, err = strconv.ParseInt(string(words[0]), 10, 64); err != nil || out.n <= p.n {
		return out, fmt.Errorf("%q is no number, or is not larger than the one before", words[0])
	}
	kept, err := strconv.Atoi(string(words[1]))
	if err != nil || kept < 0 || kept > len(p.hashes) {
		return out, fmt.Errorf("%q is no count of hashes of the line before", words[1])
	}
	for _, w := range words[2:] {
		h, err := parseHash(string(w))
		if err != nil {
			return out, err
		}
		out.hashes = append(out.hashes, h)
	}
	out.hashes = append(out.hashes, p.hashes[len(p.hashes)-kept:]...)
	return out, nil
}
