package audit_test

import (
	"testing"

	"backoffice/internal/audit"
)

// The steps of a proof lead from each event to the root: every event beside it is
// in exactly one of them, on the side where it stands.
func TestStepsLeadToTheRoot(t *testing.T) {
	t.Parallel()
	s := open(t)
	log := audit.NewLog(s)
	for size := int64(1); size <= 21; size++ {
		if err := audit.Record(t.Context(), s, event(int(size-1))); err != nil {
			t.Fatal(err)
		}
		for n := range size {
			leaf, err := log.Get(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			lo, hi, sum := n, n+1, leaf.Hash
			for _, step := range leaf.Proof {
				switch {
				case step.Before && step.To == lo:
					lo = step.From
				case !step.Before && step.From == hi:
					hi = step.To
				default:
					t.Fatalf("event %d of %d: %+v does not stand beside [%d, %d)", n, size, step, lo, hi)
				}
				sum = step.Sum
			}
			if lo != 0 || hi != size || sum != leaf.Root {
				t.Errorf("event %d of %d: the steps lead to [%d, %d) and %s, the root is %s", n, size, lo, hi, sum, leaf.Root)
			}
		}
	}
}
