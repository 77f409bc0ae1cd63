package audit

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// A frontier is the right edge of a growing tree: all that is needed to go on,
// and to say its root at any size. Its zero value is the empty tree.
type frontier struct {
	size   int64
	hashes []tlog.Hash // of the perfect subtrees, the largest first
}

// edgeAt reads the frontier of the first size events.
func edgeAt(r getter, size int64) (frontier, error) {
	var indexes []int64
	for at := int64(0); at < size; {
		level := bits.Len64(uint64(size-at)) - 1
		indexes = append(indexes, tlog.StoredHashIndex(level, at>>level))
		at += 1 << level
	}
	hashes, err := hashReader{r}.ReadHashes(indexes)
	return frontier{size, hashes}, err
}

// add appends a leaf and returns the hashes that it completed, from level 0 up,
// which are those of its record in the store. They are valid until the next add.
func (f *frontier) add(leaf tlog.Hash) []tlog.Hash {
	done := []tlog.Hash{leaf}
	f.hashes = append(f.hashes, leaf)
	for n := f.size; n&1 == 1; n >>= 1 {
		k := len(f.hashes) - 2
		f.hashes[k] = nodeHash(f.hashes[k], f.hashes[k+1])
		f.hashes = f.hashes[:k+1]
		done = append(done, f.hashes[k])
	}
	f.size++
	return done
}

// root is the hash of the tree; that of an empty one is the hash of nothing.
func (f *frontier) root() tlog.Hash {
	if f.size == 0 {
		return sha256.Sum256(nil)
	}
	h := f.hashes[len(f.hashes)-1]
	for i := len(f.hashes) - 2; i >= 0; i-- {
		h = nodeHash(f.hashes[i], h)
	}
	return h
}

// nodeHash is tlog.NodeHash without an allocation: RFC 6962, section 2.1.
func nodeHash(left, right tlog.Hash) tlog.Hash {
	var b [1 + 2*tlog.HashSize]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+tlog.HashSize:], right[:])
	return sha256.Sum256(b[:])
}

// A leafHasher is tlog.RecordHash with room that it uses again.
type leafHasher struct{ room []byte }

func (l *leafHasher) hash(leaf []byte) tlog.Hash {
	l.room = append(append(l.room[:0], 0), leaf...)
	return sha256.Sum256(l.room)
}
