package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/backup"
	"backoffice/internal/format"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// rehearsal is what verify and restore have in common.
type rehearsal struct {
	dataSettings
	File       string   `arg:"" help:"A backup, as backoffice backup makes it."`
	Identity   []string `sep:"none" help:"File with the secret key of age that opens an encrypted backup. Can be given more than once." env:"BACKOFFICE_BACKUP_IDENTITY" placeholder:"FILE"`
	AnchorFile string   `name:"audit-anchor-file" help:"File to which signed heads of the audit log were appended, to hold the backup against." env:"BACKOFFICE_AUDIT_ANCHOR_FILE" placeholder:"FILE"`
}

// check unpacks the archive into dir and proves all of it. Its errors have the exit
// status: 1 if something does not hold, 2 if the check could not be made.
func (r *rehearsal) check(ctx context.Context, con console, dir string) (out backup.Checked, err error) {
	out, err = r.prove(ctx, con, dir)
	var fault *backup.Fault
	switch {
	case errors.As(err, &fault):
		return out, fmt.Errorf("NOT VERIFIED: %s: %w", r.File, err)
	case err != nil:
		return out, uncheckable{fmt.Errorf("%s was not checked: %w", r.File, said(err))}
	}
	return out, nil
}

func (r *rehearsal) prove(ctx context.Context, con console, dir string) (out backup.Checked, err error) {
	c, err := r.checked()
	if err != nil {
		return out, err
	}
	keys, err := c.keys.Load(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return out, fmt.Errorf("the key file %s is missing. No backup has the key in it: put your copy of the key file there, or name it with --key-file", c.keys.Words())
	}
	if err != nil {
		return out, err
	}
	check := backup.Check{Engine: engine, Now: time.Now, Keys: func(ids []string) error { return holds(keys, ids) },
		Unlock: func(ctx context.Context, s store.Store) (*secret.Box, error) { return unlock(ctx, s, c, con) },
		Said:   func(words string) { fmt.Fprintln(con.err, words+" …") }}
	for _, name := range r.Identity {
		ids, err := backup.ReadIdentities(name)
		if err != nil {
			return out, fmt.Errorf("--identity: %w", err)
		}
		check.Identities = append(check.Identities, ids...)
	}
	if r.AnchorFile != "" {
		check.Places = func(k audit.Key) []audit.Place { return []audit.Place{audit.FilePlace(r.AnchorFile, k)} }
	}
	f, err := os.Open(r.File)
	if err != nil {
		return out, err
	}
	defer f.Close()
	return check.Archive(ctx, f, dir)
}

// holds returns an error that names the keys that are missing.
func holds(keys *secret.Keyset, ids []string) error {
	var missing []string
	for _, id := range ids {
		if !keys.Has(id) {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("the key file is not the one of this backup: the backup is sealed with key %s, and the key file has %s. Put your copy of that key file in its place. Nothing was changed", strings.Join(missing, " and "), strings.Join(keys.IDs(), ", "))
}

// proven is what was proven, for people; its first word is for scripts.
func proven(c backup.Checked) string {
	var b strings.Builder
	fmt.Fprintf(&b, "VERIFIED: a backup made at %s by version %s: %s of the audit log, %s opened.\n", c.Made.Format(time.RFC3339), c.Program, plural(c.Events, "event"), plural(int64(c.Values), "sealed value"))
	fmt.Fprintf(&b, "Its hashes, its signature by the installation %s, every page of the data file and the whole audit log hold.\n", c.Installation)
	if c.Heads > 0 {
		fmt.Fprintf(&b, "It continues %s kept in the anchor file.\n", plural(int64(c.Heads), "head"))
	}
	if n := len(c.Missing); n > 0 {
		fmt.Fprintf(&b, "%s of the audit log were not there when it was made, and are not in it: %s. Keep them.\n", plural(int64(n), "archive file"), strings.Join(c.Missing, ", "))
	}
	for _, words := range c.Behind {
		fmt.Fprintf(&b, "%s After a restore the program raises an alarm about it, as it should: what came after the backup is lost.\n", words)
	}
	return b.String()
}

// verifyCommand is "backoffice verify".
type verifyCommand struct {
	rehearsal
	Work string `help:"Directory for what is unpacked, which is removed at the end. Default: that of the system for temporary files." placeholder:"DIR"`
}

// Help says what the exit status means.
func (v *verifyCommand) Help() string {
	return "Does all that a restore does before it replaces anything: it unpacks the backup, checks its hashes and its signature, every page of the data file and the whole audit log, and opens every sealed value with the key. It needs the key, and touches no data. The exit status is 0 if everything holds, 1 if something does not, and 2 if the check could not be made."
}

// Run rehearses.
func (v *verifyCommand) Run(ctx context.Context, con console) error {
	dir, err := os.MkdirTemp(v.Work, "backoffice-verify-*") // mode 0700
	if err != nil {
		return uncheckable{err}
	}
	defer os.RemoveAll(dir)
	c, err := v.check(ctx, con, dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(con.out, proven(c))
	return err
}

// restoreCommand is "backoffice restore".
type restoreCommand struct {
	rehearsal
	Force bool `help:"Also replace data that is newer than the backup, or of another installation. It is kept beside."`
}

// Help says what happens.
func (r *restoreCommand) Help() string {
	return "The program must be stopped, and the key file in its place. Everything that backoffice verify checks is checked first; only then the data file is replaced, in one step. The data file that was there is kept beside it."
}

// restoreDirs are where a restore unpacks, in the data directory.
const restoreDirs = ".restore-*"

// Run restores.
func (r *restoreCommand) Run(ctx context.Context, con console) (err error) {
	c, err := r.checked()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	unlock, err := holdFile(c.dataFile)
	if err != nil {
		return said(err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := sweepRestores(c.Data); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(c.Data, restoreDirs)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	got, err := r.check(ctx, con, dir)
	if err != nil {
		return fmt.Errorf("%w. Nothing was replaced", err)
	}
	fmt.Fprint(con.out, proven(got))
	return r.replace(ctx, con, c, got, dir)
}

// sweepRestores removes what restores that were killed have left.
func sweepRestores(data string) error {
	left, err := filepath.Glob(filepath.Join(data, restoreDirs))
	for _, name := range left {
		err = errors.Join(err, os.RemoveAll(name))
	}
	return err
}

// holdFile keeps everybody from opening the data file, if there is one.
func holdFile(path string) (release func() error, err error) {
	l, err := bolt.LockFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	}
	if errors.Is(err, bolt.ErrLocked) {
		return nil, fmt.Errorf("a program has the data file %s open. Stop it, and restore then", path)
	}
	if err != nil {
		return nil, err
	}
	return l.Release, nil
}

// replace puts what was checked in dir in the place of the data. Until the one rename
// in it, nothing of what is there is changed.
func (r *restoreCommand) replace(ctx context.Context, con console, c checked, got backup.Checked, dir string) error {
	if err := r.present(ctx, con, c, got, dir); err != nil {
		return err
	}
	if err := r.archives(got, dir); err != nil {
		return err
	}
	restored := filepath.Join(dir, dataName)
	if err := r.record(ctx, con, c, got, restored); err != nil {
		return fmt.Errorf("putting the restore on record: %w. Nothing was replaced", err)
	}
	kept, err := keepBeside(c.dataFile, time.Now())
	if err != nil {
		return fmt.Errorf("keeping the data file that is there: %w. Nothing was replaced", err)
	}
	if err := os.Rename(restored, c.dataFile); err != nil {
		return fmt.Errorf("putting the data file in place: %w. Nothing was replaced", err)
	}
	if err := syncDir(c.Data); err != nil {
		return err
	}
	fmt.Fprintf(con.out, "Restored %s as it was at %s.\n", c.dataFile, got.Made.Format(time.RFC3339))
	if kept != "" {
		fmt.Fprintf(con.out, "The data file that was there is kept as %s. Remove it when you are sure that nothing of it is missing.\n", kept)
	}
	_, err = fmt.Fprintln(con.out, "Start the program now. Everybody signs in with the password of then, and sessions that were ended since may be back: end those that you do not know.")
	return err
}

// present returns an error unless what is there may be replaced.
func (r *restoreCommand) present(ctx context.Context, con console, c checked, got backup.Checked, dir string) error {
	if r.Force {
		return nil
	}
	const instead = ". It would be kept beside the restored one. To go on, give --force. Nothing was replaced"
	events, same, err := look(ctx, c, got, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil: // that is what restores are for
		_, err = fmt.Fprintf(con.out, "The data file that is there cannot be read (%v).\n", said(err))
		return err
	case !same && events > 0:
		return fmt.Errorf("the data file %s is of another installation, or another key, than the backup%s", c.dataFile, instead)
	case events > got.Events:
		return fmt.Errorf("the data file %s is newer than the backup: %s of its audit log are not in the backup, and so are the changes that belong to them%s", c.dataFile, plural(events-got.Events, "event"), instead)
	}
	return nil
}

// look reads how many events the data file has that is there, and whether it is of the
// installation of the backup. It reads a copy: the file itself is locked, by us.
func look(ctx context.Context, c checked, got backup.Checked, dir string) (events int64, same bool, err error) {
	copied := filepath.Join(dir, "present.db")
	if err := copyTo(c.dataFile, copied); err != nil {
		return 0, false, err
	}
	defer os.Remove(copied)
	db, err := bolt.Open(copied)
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if events, err = audit.NewLog(db).Size(ctx); err != nil {
		return 0, false, err
	}
	if err := format.Readable(ctx, db); err != nil {
		return events, false, nil
	}
	box, err := unlock(ctx, db, c, console{io.Discard, io.Discard})
	return events, err == nil && backup.Installation(box) == got.Installation, nil
}

// archives puts the archive files of the audit log where the program finds them.
func (r *restoreCommand) archives(got backup.Checked, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "audit-archive", "*"))
	if err != nil || len(files) == 0 {
		return err
	}
	if r.Archive == "" {
		return fmt.Errorf("the backup has %s of the audit log. Name the directory where they belong with --audit-archive. Nothing was replaced", plural(int64(len(files)), "archive file"))
	}
	if err := os.MkdirAll(r.Archive, 0o700); err != nil {
		return err
	}
	for _, from := range files {
		to := filepath.Join(r.Archive, filepath.Base(from))       // its name has its hash in it
		if same, err := sameBytes(from, to); err != nil || same { // what was verified takes the place of what is damaged
			if err != nil {
				return err
			}
			continue
		}
		if err := copyTo(from, to+".new"); err != nil {
			return err
		}
		if err := os.Rename(to+".new", to); err != nil {
			return err
		}
	}
	return syncDir(r.Archive)
}

// sameBytes reports whether two files have the same content; one that is not there
// has not.
func sameBytes(a, b string) (bool, error) {
	sumA, err := sumOf(a)
	if err != nil {
		return false, err
	}
	sumB, err := sumOf(b)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && bytes.Equal(sumA, sumB), nil // one that cannot be read is replaced
}

func sumOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return sum.Sum(nil), err
}

// record appends the event to the log that is about to be put in place, and signs it.
func (r *restoreCommand) record(ctx context.Context, con console, c checked, got backup.Checked, path string) (err error) {
	db, err := bolt.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	box, err := unlock(ctx, db, c, con)
	if err != nil {
		return err
	}
	n, err := notaryOf(db, box, archiveIn(r.Archive))
	if err != nil {
		return err
	}
	e := audit.Event{Time: time.Now(), Actor: consoleActor, Action: audit.Restored, Target: filepath.Base(r.File), Outcome: audit.Done,
		Note: fmt.Sprintf("Restored from the backup that was made at %s, with %d events. What came after it is not in this log.", got.Made.Format(time.RFC3339), got.Events)}
	if err := audit.Record(ctx, db, e); err != nil {
		return err
	}
	_, err = n.Checkpoint(ctx)
	return err
}

// keepBeside gives the file a second name, and returns it; "" if there is no file.
func keepBeside(path string, now time.Time) (string, error) {
	to := path + ".before-restore-" + now.UTC().Format("20060102T150405Z")
	err := os.Link(path, to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case errors.Is(err, fs.ErrExist):
		return to, fmt.Errorf("%s is there already", to)
	case err != nil: // a disk without links
		err = copyTo(path, to)
	}
	return to, errors.Join(err, syncDir(filepath.Dir(path)))
}

// copyTo copies a file, with mode 0600, and waits until it is on the disk.
func copyTo(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Sync(), dst.Close())
}
