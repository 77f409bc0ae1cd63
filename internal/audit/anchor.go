package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"backoffice/internal/errs"
)

// A Place keeps heads where this program cannot take them back.
type Place struct {
	Name string // for people
	// Push has the place keep a head as well.
	Push func(context.Context, Checkpoint) error
	// Kept returns the heads that the place has: the last one first if all is
	// false; nil: it cannot be asked.
	Kept func(all bool) ([]Earlier, error)
}

// An AnchorState is how a place stands.
type AnchorState struct {
	Place    string
	Size     int64     // events in the last head that it keeps
	Time     time.Time // when it took that; zero: not since the program started
	Failures int64     // since the program started
	Failing  string    // why the last try failed, in words; "" if it did not
	Alarm    string    // how the log contradicts what the place keeps; "" if not
}

// Anchors bring the signed heads to their places. They are safe for concurrent
// use.
type Anchors struct {
	notary *Notary
	places []Place

	mu      sync.Mutex
	states  []AnchorState
	checked []bool // what the place has was held against the log
}

// anchorEvery is how often heads are brought to their places, if there are new
// events: what is younger can be rewritten without a trace by whoever has the key.
const anchorEvery = time.Minute

// NewAnchors returns anchors that have brought nothing yet.
func NewAnchors(n *Notary, places ...Place) *Anchors {
	a := &Anchors{notary: n, places: places, states: make([]AnchorState, len(places)), checked: make([]bool, len(places))}
	for i, p := range places {
		a.states[i].Place = p.Name
	}
	return a
}

// State is how each place stands.
func (a *Anchors) State() []AnchorState {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]AnchorState{}, a.states...)
}

// Run brings heads to their places until ctx ends. It tells report of what
// fails and of alarms, each of them once in a row.
func (a *Anchors) Run(ctx context.Context, report func(place string, err error)) {
	tick := time.NewTicker(anchorEvery)
	defer tick.Stop()
	said := make([]string, len(a.places))
	for {
		for i, err := range a.Push(ctx) {
			text := ""
			if err != nil && ctx.Err() == nil {
				text = err.Error()
			}
			if text != "" && text != said[i] {
				report(a.places[i].Name, err)
			}
			said[i] = text
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Push brings the head of now to every place that does not have it, and returns
// what happened at each. Before the first time, what the place has is held
// against the log; if the log contradicts it, which is an alarm and a *Fault,
// nothing is brought there any more.
func (a *Anchors) Push(ctx context.Context) []error {
	out := make([]error, len(a.places))
	head, err := a.notary.Checkpoint(ctx)
	for i := range a.places {
		if err != nil {
			out[i] = a.failed(i, err)
			continue
		}
		out[i] = a.push(ctx, i, head)
	}
	return out
}

func (a *Anchors) push(ctx context.Context, i int, head Checkpoint) error {
	a.mu.Lock()
	state, checked := a.states[i], a.checked[i]
	a.mu.Unlock()
	if state.Alarm != "" {
		return &Fault{state.Alarm}
	}
	if !checked {
		size, err := a.meet(ctx, a.places[i])
		if err != nil {
			return a.failed(i, err)
		}
		a.mu.Lock()
		a.checked[i], a.states[i].Size = true, size
		a.mu.Unlock()
		state.Size = size
	}
	if head.Size == state.Size && state.Failing == "" {
		return nil
	}
	if err := a.places[i].Push(ctx, head); err != nil {
		return a.failed(i, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.states[i].Size, a.states[i].Time, a.states[i].Failing = head.Size, head.Time, ""
	return nil
}

// meet holds the last head of a place against the log, and returns its size.
func (a *Anchors) meet(ctx context.Context, p Place) (int64, error) {
	if p.Kept == nil {
		return 0, nil
	}
	kept, err := p.Kept(false)
	if err != nil || len(kept) == 0 {
		return 0, err
	}
	return kept[0].Size, a.notary.Continues(ctx, kept[0])
}

// failed notes why a place has not got a head. A *Fault is an alarm.
func (a *Anchors) failed(i int, err error) error {
	var fault *Fault
	a.mu.Lock()
	defer a.mu.Unlock()
	if errors.As(err, &fault) {
		a.states[i].Alarm = fault.Msg
		return err
	}
	a.states[i].Failures++
	a.states[i].Failing = words(err)
	return err
}

// Kept returns all heads of all places that can be asked, for a Checker. A place
// that cannot be read is left to Run, which says so.
func (a *Anchors) Kept() (out []Earlier, err error) {
	for _, p := range a.places {
		if p.Kept == nil {
			continue
		}
		kept, err := p.Kept(true)
		var fault *Fault
		if errors.As(err, &fault) {
			return nil, err
		}
		out = append(out, kept...)
	}
	return out, nil
}

// FilePlace is a file to which a line is appended for each head: on another
// mount, best one that this machine can only append to.
func FilePlace(path string, k Key) Place {
	return Place{Name: "file " + path,
		Push: func(_ context.Context, c Checkpoint) error { return appendAnchor(path, c) },
		Kept: func(all bool) ([]Earlier, error) { return keptIn(path, k, all) }}
}

func appendAnchor(path string, c Checkpoint) error {
	line, err := anchorLine(c)
	if err != nil {
		return err
	}
	return appendLines(path, line)
}

// appendLines appends whole lines to a file and waits until they are on the
// disk. A line before them that was cut gets its end.
func appendLines(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if errors.Is(err, os.ErrPermission) { // may be one that can be appended to, but not read
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	}
	if err != nil {
		return err
	}
	last := make([]byte, 1)
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			b = append([]byte("\n"), b...)
		}
	}
	_, err = f.Write(b)
	if syncErr := f.Sync(); err == nil && !errors.Is(syncErr, os.ErrInvalid) {
		err = syncErr
	}
	return errors.Join(err, f.Close())
}

// lastLines is how many bytes at the end of an anchor file have its last head.
const lastLines = 16 << 10

// keptIn reads the heads of an anchor file: all of them, or its last.
func keptIn(path string, k Key, all bool) ([]Earlier, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return nil, err // not mounted
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return nil, err
	}
	from := int64(0)
	if !all {
		from = max(0, info.Size()-lastLines)
	}
	heads, err := readAnchors(io.NewSectionReader(f, from, info.Size()-from), filepath.Base(path), k)
	if err != nil || all {
		return heads, err
	}
	last := heads[len(heads)-1]
	last.From = "the last line of " + filepath.Base(path)
	return []Earlier{last}, nil
}

// words are what may be shown of an error that stays.
func words(err error) string {
	if _, msg := errs.Of(err); msg != "" {
		return msg
	}
	return fmt.Sprint(err)
}
