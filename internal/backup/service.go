package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// A Kind is what a backup was made for. Its text is stored and is never renamed.
type Kind string

// The kinds.
const (
	Scheduled  Kind = "schedule"
	ByHand     Kind = "page"     // into the directory, because somebody asked
	Downloaded Kind = "download" // to a browser
	Console    Kind = "console"  // to a command on the machine
)

// A Run is a backup that was made, or was not.
type Run struct {
	Time       time.Time     `json:"time"`
	Kind       Kind          `json:"kind"`
	By         string        `json:"by,omitempty"`
	File       string        `json:"file,omitempty"` // its name in the directory; "" for one that left
	Size       int64         `json:"size,omitempty"`
	SHA256     string        `json:"sha256,omitempty"`
	Events     int64         `json:"events,omitempty"` // in the audit log of the copy
	Recipients []string      `json:"recipients,omitempty"`
	Took       time.Duration `json:"took,omitempty"`
	Verified   bool          `json:"verified,omitempty"` // it was read back
	Without    string        `json:"without,omitempty"`  // what is not in it, in a sentence
	Fault      string        `json:"fault,omitempty"`    // why it was not made, in words
}

// runLog is the record of the last runs, oldest first.
type runLog struct {
	Runs []Run `json:"runs"`
}

var logs = store.Table[runLog]{Prefix: "backup/"}

const logID = "log"

// keptRuns is how many runs are kept beyond those whose files are.
const keptRuns = 30

// Options are what a Service needs. Maker and Store are.
type Options struct {
	*Maker
	Store store.Store
	Dir   string        // where backups go; "": nowhere by themselves
	Every time.Duration // 0: not by themselves
	Keep  int           // files of ours that stay in Dir
}

// A Service makes the backups of a running program, and knows how they stand. It
// is safe for concurrent use.
type Service struct {
	o Options

	busy  chan struct{} // holds one while an archive is made
	began time.Time     // of the schedule

	mu       sync.Mutex
	since    time.Time // when the one under way began; zero: none is
	failures int64     // since the program started
	failed   time.Time // the last scheduled try, if it failed
	failing  string    // why, in words; "" if it did not
	noted    time.Time // the last event about a failure
}

// NewService returns a Service that has made nothing yet.
func NewService(o Options) *Service {
	return &Service{o: o, busy: make(chan struct{}, 1), began: o.Now()}
}

// A State is how the backups stand.
type State struct {
	Dir        string
	Every      time.Duration
	Keep       int
	Recipients []string
	Runs       []Run     // newest first
	Since      time.Time // when the one under way began; zero: none is
	Failing    string    // why the last scheduled one was not made, in words
	Failures   int64     // since the program started
	Good       Run       // the last that is in Dir
	Next       time.Time // when the schedule makes the next; zero: there is no schedule
	Overdue    bool      // the schedule should have made one long ago
}

// State reads how the backups stand.
func (s *Service) State(ctx context.Context) (State, error) {
	l, err := s.runs(ctx)
	if err != nil {
		return State{}, err
	}
	st := State{Dir: s.o.Dir, Every: s.o.Every, Keep: s.o.Keep, Recipients: s.o.Recipients.Names(), Runs: slices.Clone(l.Runs)}
	slices.Reverse(st.Runs)
	if i := slices.IndexFunc(st.Runs, func(r Run) bool { return r.Fault == "" && r.File != "" }); i >= 0 {
		st.Good = st.Runs[i]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Since, st.Failing, st.Failures = s.since, s.failing, s.failures
	if s.scheduled() {
		st.Next = s.next(st.Good, s.o.Now())
		st.Overdue = s.o.Now().Sub(st.Next) > s.o.Every
	}
	return st, nil
}

func (s *Service) runs(ctx context.Context) (l runLog, err error) {
	err = s.o.Store.View(ctx, func(r store.Reader) error {
		l, err = logs.Get(r, logID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return l, fmt.Errorf("reading the last backups: %w", err)
	}
	return l, nil
}

// errBusy says that another is under way.
var errBusy = errs.New(errs.TooMany, "Another backup is being made. Try again when it is done.")

// begin takes the turn. The caller calls the function when it is done.
func (s *Service) begin() (end func(), err error) {
	select {
	case s.busy <- struct{}{}:
	default:
		return nil, errBusy
	}
	s.mu.Lock()
	s.since = s.o.Now()
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		s.since = time.Time{}
		s.mu.Unlock()
		<-s.busy
	}, nil
}

// Give makes an archive for somebody who takes it away, and returns it as a file
// without a name, from its beginning: it is gone when it is closed. The event is in
// the log by then. It is encrypted to r.
func (s *Service) Give(ctx context.Context, by audit.Actor, kind Kind, r Recipients) (*os.File, Made, error) {
	end, err := s.begin()
	if err != nil {
		return nil, Made{}, err
	}
	defer end()
	began := time.Now()
	f, err := nameless(s.o.Spool)
	if err != nil {
		return nil, Made{}, s.lost(ctx, by, kind, began, err)
	}
	m := *s.o.Maker
	m.Recipients = r
	made, err := m.Make(ctx, f, "")
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = s.note(ctx, by, newRun(made, by, kind, r, began))
	}
	if err != nil {
		return nil, Made{}, s.lost(ctx, by, kind, began, errors.Join(err, f.Close()))
	}
	return f, made, nil
}

// nameless is a file that goes with the program, however that ends.
func nameless(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, givenPattern)
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // where it cannot be removed yet, Sweep will
	return f, nil
}

const givenPattern = ".backup-*.archive"

// Save makes an archive in the directory, reads it back, and then removes the oldest
// of ours beyond those that are to be kept.
func (s *Service) Save(ctx context.Context, by audit.Actor, kind Kind) (Run, error) {
	if s.o.Dir == "" {
		return Run{}, errs.New(errs.Invalid, "There is no directory for backups. Name one with --backup-dir, or download a backup.")
	}
	end, err := s.begin()
	if err != nil {
		return Run{}, err
	}
	defer end()
	began := time.Now()
	run, err := s.save(ctx, by, kind, began)
	if err != nil {
		return Run{}, s.lost(ctx, by, kind, began, err)
	}
	return run, s.prune(ctx, run.File)
}

// partial names archives in the directory that are not whole yet.
const partial = ".backoffice-*.partial"

func (s *Service) save(ctx context.Context, by audit.Actor, kind Kind, began time.Time) (run Run, err error) {
	if info, err := os.Stat(s.o.Dir); err != nil || !info.IsDir() { // a mount that is not there is not made on the disk beneath
		return run, errs.Newf(errs.Unavailable, "The directory for backups, %s, is not there. Make it, or mount what belongs there.", s.o.Dir)
	}
	if err := remove(s.o.Dir, partial); err != nil {
		return run, err
	}
	f, err := os.CreateTemp(s.o.Dir, partial)
	if err != nil {
		return run, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	made, err := s.o.Make(ctx, f, s.o.Dir)
	if err != nil {
		return run, err
	}
	run = newRun(made, by, kind, s.o.Recipients, began)
	if err := s.readBack(ctx, f, made); err != nil {
		return run, err
	}
	run.Verified = true
	if run.File, err = settle(f.Name(), s.o.Dir, made, s.o.Recipients.Encrypt()); err != nil {
		return run, err
	}
	if err := s.note(ctx, by, run); err != nil {
		return run, err
	}
	s.mu.Lock()
	s.failing, s.failed, s.noted = "", time.Time{}, time.Time{}
	s.mu.Unlock()
	return run, nil
}

// Recipients are those of the settings.
func (s *Service) Recipients() Recipients { return s.o.Recipients }

func newRun(m Made, by audit.Actor, kind Kind, r Recipients, began time.Time) Run {
	return Run{Time: m.Made, Kind: kind, By: by.Name, Size: m.Size, SHA256: m.SHA256, Events: m.Events, Recipients: r.Names(), Without: m.Without(), Took: time.Since(began).Round(time.Millisecond)}
}

// actions say what a kind is on record as.
var actions = map[Kind]audit.Action{Scheduled: audit.BackupMade, ByHand: audit.BackupMade, Downloaded: audit.BackupTaken, Console: audit.BackupTaken}

// note puts a run on record, and among the last.
func (s *Service) note(ctx context.Context, by audit.Actor, run Run) error {
	e := audit.Event{Time: s.o.Now(), Actor: by, Action: actions[run.Kind], Target: run.File, Outcome: audit.Done,
		Note: fmt.Sprintf("%s, SHA-256 %s, with %d audit events. %s.%s", megabytes(run.Size), run.SHA256, run.Events, encryptedTo(run.Recipients), pick(run.Kind == Scheduled, " By the schedule.", ""))}
	if run.Without != "" {
		e.Note += " " + run.Without
	}
	if run.Fault != "" {
		e.Outcome, e.Note = audit.Failed, run.Fault
	}
	return s.o.Store.Update(ctx, func(tx store.Tx) error {
		l, err := logs.Get(tx, logID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		l.Runs = recent(append(l.Runs, run), s.o.Keep+keptRuns)
		if err := logs.Put(tx, logID, l); err != nil {
			return err
		}
		return audit.Append(tx, e)
	})
}

// recent are the last runs, oldest first: so many that are in the directory, and as
// many that left or failed. They are counted apart, because the schedule and the
// pruning go by the former.
func recent(runs []Run, many int) []Run {
	here, gone := many, many
	out := make([]Run, 0, len(runs))
	for _, r := range slices.Backward(runs) {
		left := &gone
		if r.File != "" {
			left = &here
		}
		if *left > 0 {
			*left, out = *left-1, append(out, r)
		}
	}
	slices.Reverse(out)
	return out
}

// lost counts a backup that was not made, and puts it on record. A schedule that
// fails again and again is on record once in its time.
func (s *Service) lost(ctx context.Context, by audit.Actor, kind Kind, began time.Time, err error) error {
	if ctx.Err() != nil {
		return err
	}
	err = full(err)
	words := "It could not be made. The log of the program says why."
	if _, msg := errs.Of(err); msg != "" {
		words = msg
	}
	now := s.o.Now()
	s.mu.Lock()
	s.failures++
	again := false
	if kind == Scheduled {
		again = !s.noted.IsZero() && now.Sub(s.noted) < s.o.Every
		s.failed, s.failing = now, words
		if !again {
			s.noted = now
		}
	}
	s.mu.Unlock()
	if again {
		return err
	}
	return errors.Join(err, s.note(ctx, by, Run{Time: now, Kind: kind, By: by.Name, Fault: words, Took: time.Since(began).Round(time.Millisecond)}))
}

// readBack holds what is in the file now against what was written; one that is not
// encrypted is also unpacked, and each part held against its hash.
func (s *Service) readBack(ctx context.Context, f *os.File, m Made) error {
	sum := newSum(s.o.Maker)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(sum, &untilReader{ctx, f}); err != nil {
		return err
	}
	if sum.hex() != m.SHA256 {
		return errs.Newf(errs.Unavailable, "The backup was written, and what is read of it is something else: the disk of %s cannot be relied on.", s.o.Dir)
	}
	if s.o.Recipients.Encrypt() {
		return nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	got, err := Read(ctx, &restingReader{ctx: ctx, r: f, rest: s.o.Rest}, nil)
	if err == nil && got.Parts[1].SHA256 != m.Parts[1].SHA256 {
		err = faultf("it has another data file")
	}
	return err
}

// settle gives the archive its name, which nothing has yet.
func settle(from, dir string, m Made, encrypted bool) (name string, err error) {
	for n := 1; n < 100; n++ {
		name = fileName(m.Manifest, n, encrypted)
		if err = os.Link(from, filepath.Join(dir, name)); !errors.Is(err, os.ErrExist) {
			break
		}
	}
	if err != nil && !errors.Is(err, os.ErrExist) { // a disk without links
		if _, statErr := os.Lstat(filepath.Join(dir, name)); statErr != nil {
			err = os.Rename(from, filepath.Join(dir, name))
		}
	}
	if err == nil {
		err = syncDir(dir)
	}
	return name, err
}

func pick[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}
