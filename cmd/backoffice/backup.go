package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/backup"
	"backoffice/internal/control"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// engine is what a backup needs to know of data files.
var engine = backup.Engine{Check: bolt.CheckFile, Open: func(path string) (store.Store, error) { return bolt.Open(path) }}

// makerOf makes backups of the data in db. Changes go through s.
func makerOf(c checked, db *bolt.DB, box *secret.Box, n *audit.Notary) *backup.Maker {
	return &backup.Maker{Engine: engine, Snapshot: db.Snapshot, Size: func() int64 { return db.Stats().FileSize }, Notary: n, Box: box,
		Spool: c.Data, Program: version, Now: time.Now, AuditDir: c.AuditArchive, Recipients: c.recipients}
}

// backupsOf makes the backups of a running program, which leave pages the larger
// part of a processor.
func backupsOf(c checked, db *bolt.DB, s store.Store, box *secret.Box, n *audit.Notary) *backup.Service {
	m := makerOf(c, db, box, n)
	m.Rest = func(ctx context.Context, worked time.Duration) error { return restAfter(ctx, 2*worked) }
	return backup.NewService(backup.Options{Maker: m, Store: s, Dir: c.BackupDir, Every: c.BackupEvery, Keep: c.BackupKeep})
}

// restAfter waits, up to a second.
func restAfter(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(d, time.Second)):
		return nil
	}
}

// recipientsOf reads --backup-recipient, of which each may have several.
func recipientsOf(list []string) (backup.Recipients, error) {
	r, err := backup.ParseRecipients(strings.Fields(strings.Join(list, " ")))
	if err != nil {
		return r, fmt.Errorf("--backup-recipient: %w", err)
	}
	return r, nil
}

// backupTimes finds fault with the schedule.
func backupTimes(s settings) error {
	const least = time.Minute
	switch {
	case s.BackupEvery != 0 && s.BackupEvery < least:
		return fmt.Errorf("--backup-every is %s. Use a time from %s up, such as 24h, or 0 for none", s.BackupEvery, least)
	case s.BackupDir != "" && absolute(s.BackupDir) == absolute(s.Data):
		return fmt.Errorf("--backup-dir is %q, which is the data directory. Name another, best on another disk", s.BackupDir)
	case s.BackupDir != "":
		return between("--backup-keep", int64(s.BackupKeep), 1, 1000)
	}
	return nil
}

// scheduleTick is how often the schedule is looked at.
const scheduleTick = 30 * time.Second

// keepBackups keeps the schedule until ctx ends.
func keepBackups(ctx context.Context, s *backup.Service, log *slog.Logger) {
	s.Run(ctx, scheduleTick, func(err error) { log.Error("the scheduled backup", "error", err) })
}

// backupArgs are what the running program is asked for.
type backupArgs struct {
	Recipients []string `json:"recipients"` // none: those of its own settings
}

// registerBackup registers what "backoffice backup" has the running program do: its
// output is the archive.
func registerBackup(t *control.Table, s *backup.Service) {
	t.Register("backup", control.Typed(func(ctx context.Context, a backupArgs, out io.Writer) error {
		r := s.Recipients()
		if len(a.Recipients) > 0 {
			var err error
			if r, err = backup.ParseRecipients(a.Recipients); err != nil {
				return err
			}
		}
		_, err := give(ctx, s, r, out)
		return err
	}))
}

// give makes an archive, and writes it into out when it is whole.
func give(ctx context.Context, s *backup.Service, r backup.Recipients, out io.Writer) (backup.Made, error) {
	f, made, err := s.Give(ctx, consoleActor, backup.Console, r)
	if err != nil {
		return made, err
	}
	defer f.Close()
	_, err = io.Copy(struct{ io.Writer }{out}, f)
	return made, err
}

// backupCommand is "backoffice backup".
type backupCommand struct {
	dataSettings
	File      string   `arg:"" help:"File to make, as backoffice.tar.zst. - writes to standard output."`
	Overwrite bool     `help:"Replace the file if it is there."`
	Recipient []string `name:"backup-recipient" sep:"none" help:"Public key of age (age1…) to encrypt the backup to. Can be given more than once. Without it, those of the running program." env:"BACKOFFICE_BACKUP_RECIPIENT" placeholder:"AGE1…"`
}

// Help says what is in the file.
func (b *backupCommand) Help() string {
	return "The file has the data as it is at one moment, a signed head and the archive files of the audit log, and a manifest. The running program makes it while it goes on; otherwise the data file is opened. THE KEY FILE IS NOT IN IT: keep a copy of that apart. What to back up, and how to restore it, is in docs/backup.md."
}

// Run makes the file.
func (b *backupCommand) Run(ctx context.Context, con console) error {
	r, err := recipientsOf(b.Recipient)
	if err != nil {
		return err
	}
	if b.File == "-" {
		return b.write(ctx, con, r, con.out)
	}
	if _, err := os.Lstat(b.File); err == nil && !b.Overwrite {
		return fmt.Errorf("%s is there already. Name another file, or give --overwrite", b.File)
	}
	sum, begin := sha256.New(), &beginning{}
	size, err := replaceFile(b.File, b.Overwrite, func(w io.Writer) error {
		return b.write(ctx, con, r, io.MultiWriter(w, sum, begin))
	}, sum)
	if err != nil {
		return said(err)
	}
	fmt.Fprintf(con.out, "Backed up to %s: %s, SHA-256 %x.\n", b.File, sizeWords(size), sum.Sum(nil))
	if backup.Encrypted(begin.b) {
		fmt.Fprintln(con.out, "It is encrypted: only the secret key of age that belongs to a recipient opens it.")
	} else {
		fmt.Fprintln(con.out, "It is not encrypted. The values in it are sealed; names, reports and the audit log can be read by whoever has it. --backup-recipient encrypts.")
	}
	_, err = fmt.Fprintf(con.out, "The key file is NOT in it: without a copy of the key, kept apart, this backup cannot be restored.\nRehearse a restore with: backoffice verify %s\n", b.File)
	return err
}

// write has the archive made by the running program, or from the data file.
func (b *backupCommand) write(ctx context.Context, con console, r backup.Recipients, w io.Writer) error {
	err := control.Call(ctx, b.Data, "backup", backupArgs{r.Names()}, w)
	if !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	return b.open(ctx, con, func(db *bolt.DB, box *secret.Box, n *audit.Notary) error {
		m := makerOf(checked{settings: settings{Data: b.Data, AuditArchive: b.Archive}, recipients: r}, db, box, n)
		m.Said = func(words string) { fmt.Fprintln(con.err, words+" …") }
		made, err := give(ctx, backup.NewService(backup.Options{Maker: m, Store: db, Keep: 7}), r, w)
		if words := made.Without(); err == nil && words != "" {
			fmt.Fprintf(con.err, "backoffice: %s Name their directory with --audit-archive, or keep them yourself.\n", words)
		}
		return err
	})
}

// beginning keeps the first bytes that are written.
type beginning struct{ b []byte }

func (b *beginning) Write(p []byte) (int, error) {
	b.b = append(b.b, p[:min(len(p), 64-min(64, len(b.b)))]...)
	return len(p), nil
}

// replaceFile has f write a file, which gets its name only when it is whole, on the
// disk, and read back with the sum of what was written.
func replaceFile(path string, overwrite bool, f func(io.Writer) error, sum hash.Hash) (size int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".partial-*") // mode 0600
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	if err := f(w); err != nil {
		return 0, err
	}
	if err := errors.Join(w.Flush(), file.Sync()); err != nil {
		return 0, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	again := sha256.New()
	if size, err = io.Copy(again, file); err != nil {
		return 0, err
	}
	if hex.EncodeToString(again.Sum(nil)) != hex.EncodeToString(sum.Sum(nil)) {
		return 0, fmt.Errorf("what is read of %s is not what was written: its disk cannot be relied on", path)
	}
	if overwrite {
		err = os.Rename(file.Name(), path)
	} else if err = os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) { // a disk without links
		err = os.Rename(file.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return size, err
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func sizeWords(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// compactCommand is "backoffice compact".
type compactCommand struct{ dataDir }

// Help says what it is for.
func (c *compactCommand) Help() string {
	return "A data file does not shrink by itself: what is deleted is used again. After much was deleted, this gives the room back to the disk. The new file takes the place of the old one only after every key and value of it was compared."
}

// Run compacts the data file.
func (c *compactCommand) Run(ctx context.Context, con console) error {
	path := filepath.Join(c.Data, dataName)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is no data file %s. Name its directory with --data", path)
	}
	before, after, err := bolt.Compact(ctx, path)
	if err != nil {
		return said(err)
	}
	_, err = fmt.Fprintf(con.out, "Compacted %s from %s to %s. Nothing in it has changed.\n", path, sizeWords(before), sizeWords(after))
	return err
}
