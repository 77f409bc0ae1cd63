package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

const checkpointPrefix = "audit/checkpoint/"

func checkpointKey(size int64) string { return fmt.Sprintf("%s%016d", checkpointPrefix, size) }

// keptCheckpoints is how many signed heads stay in the store.
const keptCheckpoints = 32

// ErrForked is wrapped by errors about a log that does not continue what was
// signed before.
var ErrForked = errors.New("the audit log does not continue what was signed before")

// NotaryOptions are what a Notary needs. All of it but Archive is required.
type NotaryOptions struct {
	Store  store.Store
	Signer *Signer
	Now    func() time.Time

	Archive *Archive // nil: events that were archived cannot be given out
}

// A Notary signs the heads of a log and gives out what can be proven with them.
// It never signs a tree that does not contain the one that it signed before. It
// is safe for concurrent use.
type Notary struct {
	store  store.Store
	log    *Log
	signer *Signer
	key    Key
	now    func() time.Time

	mu   sync.Mutex
	last *Checkpoint // nil: not read yet

	shown atomic.Pointer[Checkpoint] // last, for those who do not wait
}

// NewNotary returns the notary of the log that Append writes in o.Store.
func NewNotary(o NotaryOptions) *Notary {
	return &Notary{store: o.Store, log: NewLog(o.Store).With(o.Archive), signer: o.Signer, key: Key{o.Signer.verifier}, now: o.Now}
}

// Key is the public key: see Signer.Key.
func (n *Notary) Key() string { return n.signer.Key() }

// Run signs a head at most once a second, while there are events that no head
// covers, until ctx ends. It tells report of errors, each of them once in a row.
func (n *Notary) Run(ctx context.Context, report func(error)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	said := ""
	for {
		_, err := n.Checkpoint(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			report(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Checkpoint returns a head that covers every event of now: the last one, or a
// new one that is signed and stored at once. The error wraps ErrForked if the
// log does not continue the last one.
func (n *Notary) Checkpoint(ctx context.Context) (Checkpoint, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var next Checkpoint
	var gone []string
	err := n.store.View(ctx, func(r store.Reader) (err error) {
		last := n.last
		if last == nil {
			if last, err = n.lastSigned(r); err != nil {
				return err
			}
		}
		if next.Size, err = size(r); err != nil || n.last != nil && next.Size == last.Size && last.Note != nil {
			return err
		}
		if next.Root, err = extend(r, *last, next.Size); err != nil {
			return err
		}
		n.remember(last) // only now: after a restart, it too is held against the log
		gone, err = superfluous(r)
		return err
	})
	if err != nil {
		return Checkpoint{}, fmt.Errorf("head of the audit log: %w", err)
	}
	if next.Size == n.last.Size && n.last.Note != nil {
		return *n.last, nil
	}
	if next, err = n.signer.checkpoint(next.Size, next.Root, n.now()); err != nil {
		return Checkpoint{}, err
	}
	err = n.store.Update(ctx, func(tx store.Tx) error {
		tx.Put(checkpointKey(next.Size), next.Note)
		for _, key := range gone {
			tx.Delete(key)
		}
		return nil
	})
	if err != nil {
		return Checkpoint{}, fmt.Errorf("keeping a head of the audit log: %w", err)
	}
	n.remember(&next)
	return next, nil
}

// Last is the head that this notary signed or read last, without a Note if there
// is none yet. It does not wait.
func (n *Notary) Last() Checkpoint {
	if c := n.shown.Load(); c != nil {
		return *c
	}
	return Checkpoint{}
}

// remember has n.mu held.
func (n *Notary) remember(c *Checkpoint) {
	n.last = c
	n.shown.Store(c)
}

// lastSigned is the newest head in the store, or one without a Note of no
// events: a log of which nothing was signed yet.
func (n *Notary) lastSigned(r store.Reader) (*Checkpoint, error) {
	items, err := r.Scan(store.Range{Prefix: checkpointPrefix, Reverse: true, Limit: 1})
	if err != nil || len(items) == 0 {
		return &Checkpoint{}, err
	}
	c, err := OpenCheckpoint(items[0].Value, n.key)
	if err != nil {
		return nil, forked("The signed head %s in the data file cannot be believed: %s.", strings.TrimPrefix(items[0].Key, checkpointPrefix), err)
	}
	return &c, nil
}

// extend returns the root of the tree of size events, after proving from the
// stored hashes that it contains the tree that was signed before.
func extend(r getter, old Checkpoint, size int64) (tlog.Hash, error) {
	if size < old.Size {
		return tlog.Hash{}, forked("The audit log has %d events, and %d were signed on %s.", size, old.Size, old.Time.Format(time.DateOnly))
	}
	root, err := tlog.TreeHash(size, hashReader{r})
	if err != nil || old.Size == 0 {
		return root, err
	}
	proof, err := tlog.ProveTree(size, old.Size, hashReader{r})
	if err != nil {
		return tlog.Hash{}, err
	}
	if err := tlog.CheckTree(proof, size, root, old.Size, old.Root); err != nil {
		return tlog.Hash{}, forked("The first %d events of the audit log are not those that were signed on %s.", old.Size, old.Time.Format(time.DateOnly))
	}
	return root, nil
}

// forked is an alarm for people: nothing more is signed until it is settled.
func forked(format string, args ...any) error {
	msg := fmt.Sprintf(format, args...) + " Somebody changed the data file, or an older copy was put back. Compare it with your backups and anchors."
	return errs.Wrap(errs.Unavailable, msg, ErrForked)
}

// superfluous lists the keys of the oldest heads that are not kept.
func superfluous(r store.Reader) (keys []string, err error) {
	items, err := r.Scan(store.Range{Prefix: checkpointPrefix, Reverse: true})
	for i, it := range items {
		if i >= keptCheckpoints-1 {
			keys = append(keys, it.Key)
		}
	}
	return keys, err
}
