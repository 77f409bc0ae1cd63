package audit

import "golang.org/x/mod/sumdb/tlog"

// A Step is one hash of a proof: that of the events [From, To), which stand before
// (Before) or after those that are proven so far. Together they make Sum.
type Step struct {
	From, To int64
	Before   bool
	Hash     tlog.Hash
	Sum      tlog.Hash
}

// stepsOf are the steps of a proof that event n, whose hash is leaf, is among the
// events [lo, hi), and the hash of all of them. A proof of another length has none.
func stepsOf(proof tlog.RecordProof, lo, hi, n int64, leaf tlog.Hash) ([]Step, tlog.Hash) {
	if hi-lo <= 1 || len(proof) == 0 {
		return nil, leaf
	}
	middle := int64(1)
	for middle*2 < hi-lo {
		middle *= 2
	}
	middle += lo
	rest, given := proof[:len(proof)-1], proof[len(proof)-1]
	if n < middle {
		steps, sum := stepsOf(rest, lo, middle, n, leaf)
		sum = tlog.NodeHash(sum, given)
		return append(steps, Step{From: middle, To: hi, Hash: given, Sum: sum}), sum
	}
	steps, sum := stepsOf(rest, middle, hi, n, leaf)
	sum = tlog.NodeHash(given, sum)
	return append(steps, Step{From: lo, To: middle, Before: true, Hash: given, Sum: sum}), sum
}
