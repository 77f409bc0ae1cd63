package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/format"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// auditCommand is "backoffice audit".
type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Check an export or a receipt of the audit log, on any machine, with the public key alone."`
	Export auditExportCommand `cmd:"" help:"Write the audit log, or a part of it, into a file that can be verified."`
	Key    auditKeyCommand    `cmd:"" help:"Print the public key that the audit log is signed with. The program must be stopped."`
}

// dataSettings are those of the settings that opening the data takes.
type dataSettings struct {
	Data string `help:"Directory of the data file, and of the key file unless --key-file names another." default:"data" env:"BACKOFFICE_DATA"`
	keySettings
	Archive string `name:"audit-archive" help:"Directory of the archive files of old audit events." env:"BACKOFFICE_AUDIT_ARCHIVE" placeholder:"DIR"`
}

// with opens the data of a program that is stopped, has f work on it, and closes
// it. It never makes a data file.
func (d dataSettings) with(ctx context.Context, con console, f func(*bolt.DB, *audit.Notary) error) (err error) {
	return d.open(ctx, con, func(db *bolt.DB, _ *secret.Box, n *audit.Notary) error { return f(db, n) })
}

// checked are these settings as serve has them.
func (d dataSettings) checked() (c checked, err error) {
	c = checked{settings: settings{Data: d.Data, keySettings: d.keySettings}, dataFile: filepath.Join(d.Data, dataName)}
	if c.keys, err = c.keySettings.keeper(d.Data); err != nil {
		return c, err
	}
	return c, nil
}

// open is with for who also needs the box.
func (d dataSettings) open(ctx context.Context, con console, f func(*bolt.DB, *secret.Box, *audit.Notary) error) (err error) {
	c, err := d.checked()
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.dataFile); err != nil {
		return fmt.Errorf("there is no data to read: %w. Name its directory with --data", err)
	}
	db, err := bolt.Open(c.dataFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := format.Readable(ctx, db); err != nil {
		return said(err)
	}
	if _, fresh, err := installation(ctx, db); err == nil && fresh {
		return fmt.Errorf("the data file %s is empty: the program was never started with it", c.dataFile)
	}
	box, err := unlock(ctx, db, c, con)
	if err != nil {
		return err
	}
	notary, err := notaryOf(db, box, archiveIn(d.Archive))
	if err != nil {
		return err
	}
	return f(db, box, notary)
}

// notaryOf is the notary of the log in s. Its key comes of the installation's,
// so that every data file has one, also one from before there were heads.
func notaryOf(s store.Store, box *secret.Box, archive *audit.Archive) (*audit.Notary, error) {
	signer, err := audit.NewSigner(box.MAC(audit.SigningDomain, nil))
	if err != nil {
		return nil, err
	}
	return audit.NewNotary(audit.NotaryOptions{Store: s, Signer: signer, Now: time.Now, Archive: archive}), nil
}

// auditKeyCommand is "backoffice audit key".
type auditKeyCommand struct{ dataSettings }

// Run prints the public key.
func (k *auditKeyCommand) Run(ctx context.Context, con console) error {
	return k.with(ctx, con, func(_ *bolt.DB, n *audit.Notary) error {
		_, err := fmt.Fprintln(con.out, n.Key())
		return err
	})
}
