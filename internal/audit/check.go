package audit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"backoffice/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

// A Checker goes over the log that is in use, event by event, beside the work.
// It is safe for concurrent use.
type Checker struct {
	notary *Notary
	kept   func() ([]Earlier, error) // heads that were kept elsewhere
	wait   func(ctx context.Context, events int) error

	asked chan struct{} // holds one

	mu    sync.Mutex
	state CheckState
}

// A CheckState is how far a check is, and what it found.
type CheckState struct {
	Done  int64     // events that were checked
	Of    int64     // events that are to be checked
	Ended time.Time // when all of them were; zero: not yet, or Fault
	Fault string    // what does not hold, in words; "": nothing was found. It stays until a check ends well
	Asked bool      // somebody wants another check, which has not begun

	// Unread is how many of the events are in archive files that are not there:
	// their hashes were checked, and not they.
	Unread int64
}

// CheckerOptions are what a Checker needs.
type CheckerOptions struct {
	Notary *Notary
	// Kept returns the heads that were kept where the server cannot rewrite
	// them; nil: there are none.
	Kept func() ([]Earlier, error)
	// Wait is called before so many events are read, and holds the check back;
	// nil: nothing does.
	Wait func(ctx context.Context, events int) error
}

// NewChecker returns a Checker that has not begun.
func NewChecker(o CheckerOptions) *Checker {
	c := &Checker{notary: o.Notary, kept: o.Kept, wait: o.Wait, asked: make(chan struct{}, 1)}
	if c.kept == nil {
		c.kept = func() ([]Earlier, error) { return nil, nil }
	}
	if c.wait == nil {
		c.wait = func(context.Context, int) error { return nil }
	}
	return c
}

// State is how far the check is.
func (c *Checker) State() CheckState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Ask has whoever runs the checks run one more, soon. It does not wait.
func (c *Checker) Ask() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.asked <- struct{}{}:
		c.state.Asked = true
	default:
	}
}

// Asked receives what Ask asks for.
func (c *Checker) Asked() <-chan struct{} { return c.asked }

// Run checks the whole log once: that the signed head continues the one before;
// that every event up to it has the hashes that stand beside it in the store, and
// together the signed root; that each is found under its person, action, target
// and outcome; and that the heads that are still stored, and those kept
// elsewhere, are its own. Of events that were archived it checks the hashes, and
// each archive file that is there. It returns a *Fault, or an error that wraps ErrForked,
// for what does not hold.
func (c *Checker) Run(ctx context.Context) error {
	err := c.run(ctx)
	var fault *Fault
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.state.Ended, c.state.Fault = c.notary.now(), ""
	case errors.As(err, &fault) || errors.Is(err, ErrForked):
		c.state.Fault = words(err)
	}
	return err
}

func (c *Checker) run(ctx context.Context) error {
	head, err := c.notary.Checkpoint(ctx)
	if err != nil {
		return err
	}
	c.tell(0, head.Size)
	heads, err := c.heads(ctx, head)
	if err != nil {
		return err
	}
	files, err := c.files(ctx, head)
	if err != nil {
		return err
	}
	var a account
	for {
		for len(heads) > 0 && heads[0].Size == a.tree.size {
			if a.tree.size > 0 && !heads[0].is(a.tree.root()) {
				return forkedAt(heads[0])
			}
			heads = heads[1:]
		}
		if len(files) > 0 && files[0].To == a.tree.size {
			if !bytes.Equal(files[0].Root, rootOf(a.tree)) {
				return faultf("the record of the archive file %s is damaged: its tree is not that of the log", files[0].name())
			}
			files = files[1:]
		}
		if a.tree.size == head.Size {
			break
		}
		if len(files) > 0 && files[0].From == a.tree.size {
			if err := c.file(files[0]); err != nil {
				return err
			}
		}
		to := min(a.tree.size+portion, head.Size)
		if len(heads) > 0 {
			to = min(to, heads[0].Size)
		}
		if len(files) > 0 {
			to = min(to, files[0].To)
		}
		if err := c.wait(ctx, int(to-a.tree.size)); err != nil {
			return err
		}
		if err := c.notary.store.View(ctx, func(r store.Reader) error { return a.goOn(r, to) }); err != nil {
			return err
		}
		c.tell(a.tree.size, head.Size)
	}
	return nil
}

func (c *Checker) tell(done, of int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Done, c.state.Of, c.state.Ended, c.state.Asked = done, of, time.Time{}, len(c.asked) > 0
	if done == 0 {
		c.state.Unread = 0
	}
}

// files are the records of the archive files: the events that are not in the
// store have to be in them, each in one, and nothing else is to be in the store.
func (c *Checker) files(ctx context.Context, head Checkpoint) (out []volume, err error) {
	err = c.notary.store.View(ctx, func(r store.Reader) error {
		gone, err := dropped(r)
		if err != nil {
			return err
		}
		if out, err = volumes(r, 0, head.Size); err != nil {
			return err
		}
		next := int64(0)
		for _, v := range out {
			if v.From != next {
				return faultf("the record of the archive file with event %d is missing", next)
			}
			next = v.To
		}
		noted, err := number(r, archivedKey, 0)
		if err == nil && (gone > next || noted != next) {
			return faultf("%d events were dropped and %d archived, but the records of the archive files end at %d", gone, noted, next)
		}
		if err != nil {
			return err
		}
		first, err := r.Scan(store.Range{Prefix: eventPrefix, Limit: 1})
		if err == nil && len(first) > 0 && first[0].Key < eventKey(gone) {
			return faultf("%s is in the store, although %d events were dropped from it", first[0].Key, gone)
		}
		return err
	})
	return out, err
}

// file checks an archive file that is there.
func (c *Checker) file(v volume) error {
	err := c.notary.log.archive.check(v, c.notary.key)
	var absent missing
	var fault *Fault
	switch {
	case errors.As(err, &absent):
		c.mu.Lock()
		defer c.mu.Unlock()
		c.state.Unread += v.To - v.From
		return nil
	case errors.As(err, &fault):
		return fault
	}
	return err
}

func rootOf(tree frontier) []byte {
	root := tree.root()
	return root[:]
}

// heads are those that the log must pass through, the smallest first.
func (c *Checker) heads(ctx context.Context, head Checkpoint) ([]Earlier, error) {
	heads, err := c.kept()
	if err != nil {
		return nil, err
	}
	for _, e := range heads {
		if e.Size > head.Size {
			return nil, tooFew(head.Size, e)
		}
	}
	err = c.notary.store.View(ctx, func(r store.Reader) error {
		items, err := r.Scan(store.Range{Prefix: checkpointPrefix})
		for _, it := range items {
			stored, openErr := OpenCheckpoint(it.Value, c.notary.key)
			if openErr != nil {
				return faultf("the signed head %s in the data file cannot be believed: %v", strings.TrimPrefix(it.Key, checkpointPrefix), openErr)
			}
			if stored.Size <= head.Size { // else it was signed since
				heads = append(heads, stored.Kept("the head that was signed on "+stored.Time.Format(time.DateTime)))
			}
		}
		return err
	})
	slices.SortStableFunc(heads, func(a, b Earlier) int { return cmp.Compare(a.Size, b.Size) })
	return heads, err
}

// An account is what a check knows of the events that it has passed.
type account struct {
	tree   frontier
	hasher leafHasher
	border int64 // events from here on are not indexed yet
	finer  int64 // events before it are not found by address and parts of names
	names  map[[2]string]bool
	done   bool // the event before was done, and is in the store
	passed int  // events of this portion that are in archive files
}

// goOn checks the events up to number to.
func (a *account) goOn(r store.Reader, to int64) error {
	var err error
	if a.border, err = indexed(r, to); err != nil {
		return err
	}
	if a.finer, err = finer(r, to); err != nil {
		return err
	}
	a.passed = 0
	after := func(prefix string) store.Range {
		rng := store.Range{Prefix: prefix, Limit: int(to - a.tree.size)}
		if a.tree.size > 0 {
			rng.After = fmt.Sprintf("%s%016d", prefix, a.tree.size-1)
		}
		return rng
	}
	gone, err := dropped(r)
	if err != nil {
		return err
	}
	events, err := r.Scan(after(eventPrefix))
	if err != nil {
		return err
	}
	hashes, err := r.Scan(after(hashPrefix))
	if err != nil {
		return err
	}
	for i := 0; a.tree.size < to; i++ {
		n := a.tree.size
		if i >= len(hashes) || hashes[i].Key != hashKey(n) {
			return faultf("the hashes of event %d are missing from the log", n)
		}
		if n < gone { // its file has the event
			b := hashes[i].Value
			if len(b) < tlog.HashSize || !bytes.Equal(b, join(a.tree.add(tlog.Hash(b[:tlog.HashSize])))) {
				return faultf("the hashes of event %d were changed after they were written", n)
			}
			a.passed++
			continue
		}
		at := i - a.passed
		if at >= len(events) || events[at].Key != eventKey(n) {
			return faultf("event %d is missing from the log", n)
		}
		if !bytes.Equal(hashes[i].Value, join(a.tree.add(a.hasher.hash(events[at].Value)))) {
			return faultf("event %d, or the hashes beside it, were changed after they were written", n)
		}
		if err := a.findable(r, events[at].Value, n); err != nil {
			return err
		}
	}
	return nil
}

// findable checks that an event is found where a filter looks for it: by its
// indexes, or beyond them.
func (a *account) findable(r getter, leaf []byte, n int64) error {
	e, err := decode(leaf, n)
	if err != nil {
		return faultf("event %d cannot be read", n)
	}
	if n >= a.border {
		a.done = false
		return nil
	}
	for _, ix := range e.indexes() {
		if n < a.finer && field(ix) == "address" {
			continue
		}
		_, err := r.Get(fmt.Sprintf("%s%016d", ix, n))
		if errors.Is(err, store.ErrNotFound) {
			return faultf("event %d is there, but filters do not find it by its %s", n, field(ix))
		}
		if err != nil {
			return err
		}
	}
	if a.done && e.Outcome != Done {
		if _, err := r.Get(doneKey(n - 1)); errors.Is(err, store.ErrNotFound) {
			return faultf("event %d is there, but filters do not find it by its outcome", n-1)
		} else if err != nil {
			return err
		}
	}
	if a.done = e.Outcome == Done; n < a.finer {
		return nil
	}
	return a.spelled(r, e)
}

// field is what an index is of.
func field(ix string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(ix, "audit/by/"), "/")
	switch name {
	case "who":
		return "person"
	case "addr":
		return "address"
	}
	return name
}

// Continues reports as a *Fault if the log of now does not contain what a head
// that was kept elsewhere says. It reads few hashes, not the events.
func (n *Notary) Continues(ctx context.Context, e Earlier) error {
	head, err := n.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if e.Size > head.Size {
		return faultf("the log has %d events, but %s is a head of %d: an older copy of the data file was put back, or events were taken away", head.Size, e.From, e.Size)
	}
	return n.store.View(ctx, func(r store.Reader) error {
		if e.Size == 0 {
			return nil
		}
		root, err := tlog.TreeHash(e.Size, hashReader{r})
		if err == nil && !e.is(root) {
			err = forkedAt(e)
		}
		return err
	})
}
