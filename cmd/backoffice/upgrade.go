package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"backoffice/internal/format"
	"backoffice/internal/store/bolt"
)

// upgrade brings the data to the form of this program, after a copy of it was made.
func upgrade(ctx context.Context, c checked, db *bolt.DB, log *slog.Logger) error {
	err := format.Up(ctx, db, format.Upgrade{Program: version, Now: time.Now().UTC(), Steps: format.Steps, Current: format.Current,
		Before: func(ctx context.Context, from int) error { return copyBefore(ctx, c, db, from) },
		Said:   func(words string) { log.Info(words) }})
	return said(err)
}

// copyBefore copies the data file beside itself, before a step of an upgrade.
func copyBefore(ctx context.Context, c checked, db *bolt.DB, from int) (err error) {
	to := fmt.Sprintf("%s.before-upgrade-from-%d-%s", c.dataFile, from, time.Now().UTC().Format("20060102T150405Z"))
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = db.Snapshot(ctx, f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return syncDir(c.Data)
}
