// Package keyring knows which key seals what, and carries out a change of it: a new
// key, sealing anew under it while the program serves, and the end of an old one.
//
// What is sealed is declared by the rooms as kinds ([secret.Kind]); this room knows
// no record's meaning. The keys themselves are kept by a [Keeper]. Records:
//
//	keys/ring    the ids of the keys that may seal something, since when, and those that are retired
//	keys/reseal  a re-sealing under way: to which key, and how many records it has changed
//
// The order in which a key changes makes every crash harmless. A new key is kept
// before the data knows it, and known before it seals; an old one is proven unused
// before it goes. What a crash leaves undone, [Ring.Note] and [Ring.Run] do at the
// next start.
//
// Sealed bytes are made outside of transactions and committed later. A [Guarded]
// store refuses those of a key that went in between, so that "nothing is sealed
// under it" cannot become untrue.
package keyring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A Keeper keeps the keys where the next start finds them. It is safe for
// concurrent use.
type Keeper interface {
	// Writable reports whether Save can be called. If not, whoever keeps the key
	// changes it.
	Writable() bool

	// Save puts now in the place of was. It returns nil only when now is durable,
	// and was read back; and an error if what is there is not was any more.
	Save(ctx context.Context, was, now *secret.Keyset) error

	// Aside keeps a copy of the keys under a name of its own, before a key of them
	// is retired, and returns where it is.
	Aside(ctx context.Context, keys *secret.Keyset, retired string) (where string, err error)
}

// Options are what a Ring is made of. All but Rest and Failed are needed.
type Options struct {
	Store  *Guarded
	Box    *secret.Box
	Keeper Keeper
	Now    func() time.Time
	Pause  time.Duration                // between two portions of a re-sealing, at least
	Rest   func()                       // called after much was read: the store may let go of it
	Failed func(what string, err error) // of what is done beside requests
}

// A Ring is the keys of an installation. It is safe for concurrent use.
type Ring struct {
	Options
	asked chan struct{} // a re-sealing was asked for
	turn  sync.Mutex    // held by what changes keys, one at a time

	mu       sync.Mutex
	counted  Count
	counting chan struct{} // closed when the count under way ends; nil: none is
	total    int           // of the re-sealing under way; 0: not counted yet
}

// New returns a Ring. Call Note before serving.
func New(o Options) *Ring {
	if o.Failed == nil {
		o.Failed = func(string, error) {}
	}
	if o.Rest == nil {
		o.Rest = func() {}
	}
	return &Ring{Options: o, asked: make(chan struct{}, 1)}
}

// ring is the record of the keys.
type ring struct {
	Primary string  `json:"primary"`
	Keys    []known `json:"keys"` // in the order in which they came
}

// known is a key that the data knows.
type known struct {
	ID      string    `json:"id"`
	Since   time.Time `json:"since"`            // when the data met it
	Retired time.Time `json:"retired,omitzero"` // when it went; the zero time: it is there
}

func (r ring) find(id string) (known, bool) {
	i := slices.IndexFunc(r.Keys, func(k known) bool { return k.ID == id })
	if i < 0 {
		return known{}, false
	}
	return r.Keys[i], true
}

// live are the ids of the keys that may seal something.
func (r ring) live() (out []string) {
	for _, k := range r.Keys {
		if k.Retired.IsZero() {
			out = append(out, k.ID)
		}
	}
	return out
}

var (
	rings = store.Table[ring]{Prefix: "keys/"}
	works = store.Table[work]{Prefix: "keys/"}
)

const (
	ringID = "ring"
	workID = "reseal"
)

// get is a record, or its zero value and false.
func get[T any](t store.Table[T], g store.Getter, id string) (v T, ok bool, err error) {
	v, err = t.Get(g, id)
	if errors.Is(err, store.ErrNotFound) {
		return v, false, nil
	}
	return v, err == nil, err
}

// Note has the data know the keys that are there now, with an event for each that
// came or went since the last time. At the first time it says nothing: keys that
// were always there are no change. Who did it is by.
func (r *Ring) Note(ctx context.Context, by audit.Actor) error {
	keys := r.Box.Keys()
	return r.note(ctx, by, keys, "")
}

func (r *Ring) note(ctx context.Context, by audit.Actor, keys *secret.Keyset, note string) error {
	now := r.Now().UTC()
	ids, primary := keys.IDs(), keys.ID()
	err := r.Store.Update(ctx, func(tx store.Tx) error {
		was, had, err := get(rings, tx, ringID)
		if err != nil {
			return err
		}
		is, events := was.with(ids, primary, now)
		if had && len(events) == 0 {
			return nil
		}
		for _, e := range events {
			if !had {
				continue
			}
			e.Actor, e.Note = by, strings.TrimSpace(e.Note+" "+note)
			if err := audit.Append(tx, e); err != nil {
				return err
			}
		}
		return rings.Put(tx, ringID, is)
	})
	if err != nil {
		return fmt.Errorf("noting the keys: %w", err)
	}
	return nil
}

// with is the record once these keys are there, and the events of the difference.
func (r ring) with(ids []string, primary string, now time.Time) (ring, []audit.Event) {
	var events []audit.Event
	var came []string // beside the one that seals
	out := ring{Primary: primary}
	for _, k := range r.Keys {
		here := slices.Contains(ids, k.ID)
		switch {
		case here && !k.Retired.IsZero(): // it was put back
			k.Retired, came = time.Time{}, append(came, k.ID)
		case !here && k.Retired.IsZero():
			k.Retired = now
			events = append(events, audit.Event{Time: now, Action: audit.KeyRetired, Target: k.ID, Outcome: audit.Done})
		}
		out.Keys = append(out.Keys, k)
	}
	for _, id := range ids {
		if _, ok := r.find(id); !ok {
			out.Keys, came = append(out.Keys, known{ID: id, Since: now}), append(came, id)
		}
	}
	came = slices.DeleteFunc(came, func(id string) bool { return id == primary })
	if primary != r.Primary || len(came) > 0 {
		e := audit.Event{Time: now, Action: audit.KeyRotated, Target: primary, Outcome: audit.Done}
		if r.Primary != primary {
			e.Changes = []audit.Change{{Key: "key that seals", Before: r.Primary, After: primary}}
		}
		if len(came) > 0 {
			e.Note = "Other keys that came: " + strings.Join(came, ", ") + "."
		}
		events = append(events, e)
	}
	return out, events
}
