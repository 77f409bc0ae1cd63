package webhook

import (
	"context"
	"fmt"
	"time"

	"backoffice/internal/store"
)

// Totals are what is kept of one owner, or of all.
type Totals struct {
	Day     int // received in the last 24 hours, as far as it is kept
	Refused int // of them, not accepted
	Kept    int
	Bytes   int64 // of the bodies that are kept

	Last       time.Time // when the last one came; the zero time if none is kept
	LastGood   time.Time
	ByTopic    map[string]time.Time // when the last accepted one of a topic came; nil for all owners
	LastSigner *Signer              // of the last accepted one; nil for all owners
}

// Totals counts what is kept of an owner, or of all if owner is "". Of all it
// reads the marks alone.
func (s *Service) Totals(ctx context.Context, owner string) (Totals, error) {
	prefix := ""
	if owner != "" {
		if err := checkOwner(owner); err != nil {
			return Totals{}, err
		}
		prefix = marksOf(owner)
	}
	var t Totals
	day := s.now().Add(-24 * time.Hour)
	err := s.store.View(ctx, func(r store.Reader) error {
		for after, full := "", true; full; {
			records, err := marks.Scan(r, store.Range{Prefix: prefix, After: after, Limit: 1000})
			if err != nil {
				return err
			}
			for _, rec := range records {
				t.count(rec.Value, day)
				after = rec.ID
				if owner == "" || !rec.Value.good() {
					continue
				}
				if err := t.read(r, rec.Value.ID); err != nil {
					return err
				}
			}
			full = len(records) == 1000
		}
		return nil
	})
	if err != nil {
		return Totals{}, fmt.Errorf("counting notifications: %w", err)
	}
	return t, nil
}

func (t *Totals) count(m mark, day time.Time) {
	at := m.at()
	t.Kept, t.Bytes = t.Kept+1, t.Bytes+m.Bytes
	if !at.Before(day) {
		t.Day++
		if !m.good() {
			t.Refused++
		}
	}
	if at.After(t.Last) {
		t.Last = at
	}
	if m.good() && at.After(t.LastGood) {
		t.LastGood = at
	}
}

// read takes what only the notification itself says.
func (t *Totals) read(r store.Getter, id string) error {
	n, err := notes.Get(r, id)
	if err != nil {
		return fmt.Errorf("reading notification %s: %w", id, err)
	}
	if t.ByTopic == nil {
		t.ByTopic = map[string]time.Time{}
	}
	if n.Topic != "" {
		t.ByTopic[n.Topic] = n.Received
	}
	if n.Signer != nil {
		t.LastSigner = n.Signer
	}
	return nil
}
