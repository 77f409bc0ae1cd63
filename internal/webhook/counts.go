package webhook

import (
	"slices"
	"sync/atomic"
)

// counts are what came since the program started.
type counts struct {
	verdicts [6]atomic.Int64 // in the order of Verdicts
	turned   [3]atomic.Int64 // in the order of Turns
}

// A Turn is why a request was turned away before it was read.
type Turn string

// The turns.
const (
	TooFast  Turn = "rate"      // its source sends too many
	TooLarge Turn = "too-large" // its body is longer than MaxBody
	TooSlow  Turn = "too-slow"  // its body did not come in time
)

// Turns lists all turns.
func Turns() []Turn { return []Turn{TooFast, TooLarge, TooSlow} }

func (c *counts) add(v Verdict) {
	if i := slices.Index(Verdicts(), v); i >= 0 {
		c.verdicts[i].Add(1)
	}
}

// TurnedAway counts a request that was not taken.
func (s *Service) TurnedAway(t Turn) { s.counts.turned[slices.Index(Turns(), t)].Add(1) }

// Counts are how many notifications were kept since the program started, by
// verdict, and how many requests were turned away.
func (s *Service) Counts() (map[Verdict]int64, map[Turn]int64) {
	kept, turned := map[Verdict]int64{}, map[Turn]int64{}
	for i, v := range Verdicts() {
		kept[v] = s.counts.verdicts[i].Load()
	}
	for i, t := range Turns() {
		turned[t] = s.counts.turned[i].Load()
	}
	return kept, turned
}
