package audit

import (
	"context"
	"fmt"
	"time"

	"backoffice/internal/store"
)

// A Bucket is a stretch of time and how many events are in it: From is inclusive,
// To exclusive.
type Bucket struct {
	From, To time.Time
	Events   int64
	About    bool // Events is estimated from those that were looked at
}

const (
	// mostBuckets is how many an Activity has at most.
	mostBuckets = 60
	// sampled is how many events of a bucket are looked at, where nothing counts
	// them: so a chart costs the same over any log.
	sampled = 12
	// inRow is how many of them stand beside each other.
	inRow = 4
)

// steps are the lengths of buckets that people read easily.
var steps = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour, 364 * 24 * time.Hour}

// Activity counts the events that f chooses over time, in at most sixty buckets
// from the first event, or f.From, to the last, or f.To. With one name in the
// filter, or none, the counts are exact but for events that are out of order by a
// moment, and so they are for a text that few names have; else a bucket with many
// is estimated, and says so. The cost is bounded: some thousand reads, however long
// the log is. Before and Limit do not count, and events that are in archive files
// are not counted.
func (l *Log) Activity(ctx context.Context, f Filter) (out []Bucket, err error) {
	f.Before, f.Limit = 0, 0
	err = l.store.View(ctx, func(r store.Reader) error {
		out, err = activity(r, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("counting the events of the audit log: %w", err)
	}
	return out, nil
}

func activity(r store.Reader, f Filter) ([]Bucket, error) {
	total, err := size(r)
	if err != nil {
		return nil, err
	}
	border, err := dropped(r)
	if err != nil || border == total {
		return nil, err
	}
	first, err := read(r, border)
	if err != nil {
		return nil, err
	}
	last, err := read(r, total-1)
	if err != nil {
		return nil, err
	}
	from, to := first.Time, last.Time.Add(time.Nanosecond)
	if f.From.After(from) {
		from = f.From
	}
	if !f.To.IsZero() && f.To.Before(to) {
		to = f.To
	}
	out := buckets(from, to)
	t, err := f.tally(r)
	if err != nil {
		return nil, err
	}
	lo := border
	for i := range out {
		if i == 0 {
			if lo, err = firstFrom(r, out[i].From, 0, total); err != nil {
				return nil, err
			}
		}
		hi, err := firstFrom(r, out[i].To, lo, total)
		if err != nil {
			return nil, err
		}
		if out[i].Events, out[i].About, err = t.count(r, lo, hi); err != nil {
			return nil, err
		}
		lo = hi
	}
	return out, nil
}

// buckets cuts a time into parts of the shortest step that makes few of them. All
// begin at a multiple of it, but for the first, and end there, but for the last.
func buckets(from, to time.Time) (out []Bucket) {
	step := steps[len(steps)-1]
	for _, s := range steps {
		if to.Sub(from.Truncate(s)) <= s*mostBuckets {
			step = s
			break
		}
	}
	for at := from.Truncate(step); at.Before(to) && len(out) < mostBuckets; at = at.Add(step) {
		b := Bucket{From: at, To: at.Add(step)}
		if b.From.Before(from) {
			b.From = from
		}
		if b.To.After(to) {
			b.To = to
		}
		out = append(out, b)
	}
	return out
}
