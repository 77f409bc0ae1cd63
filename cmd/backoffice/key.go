package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"backoffice/internal/keyring"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// unlock opens the data with its key, before anything is served. Over new data
// it makes the key; over data that is there it never does: a missing, wrong or
// unreadable key is an error that says what to do.
func unlock(ctx context.Context, s store.Store, c checked, con console) (*secret.Box, error) {
	record, fresh, err := installation(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", c.dataFile, err)
	}
	if record == nil && !fresh {
		return nil, fmt.Errorf("the data file %s has data but no record of its key, so it is damaged. Put back your copy of it", c.dataFile)
	}
	keys, err := c.keys.Load(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist) && fresh:
		if keys, err = makeKey(ctx, c, con); err != nil {
			return nil, err
		}
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the key file %s is missing. The data file %s is sealed with key %s, and only that key opens it. Put back your copy of the key file; a new key would not help", c.KeyFile, c.dataFile, secret.KeyOf(record))
	case err != nil && fresh && c.keys.InFile():
		return nil, fmt.Errorf("%w. There is no data yet that it could have sealed: if it is left from a first start that was cut short, remove it and start again", err)
	case err != nil:
		return nil, err
	}
	if fresh {
		return begin(ctx, s, keys)
	}
	if err := keyring.Check(ctx, s, keys); err != nil {
		return nil, lacking(err, c, secret.KeyOf(record))
	}
	box, err := keys.Unlock(record)
	if err != nil {
		return nil, fmt.Errorf("the data file %s is damaged: its key record does not open. Put back your copy of it (%w)", c.dataFile, err)
	}
	return box, nil
}

// lacking puts into words which keys of the data are missing. first is the id of the
// one that opens the installation's record.
func lacking(err error, c checked, first string) error {
	var lack *keyring.LackError
	if !errors.As(err, &lack) {
		return fmt.Errorf("reading %s: %w", c.dataFile, err)
	}
	what := "lacks a key of this data"
	var keys []string
	for _, l := range lack.Lacks {
		if l.ID == first {
			what = "is not the key of this data"
		}
		keys = append(keys, fmt.Sprintf("key %s (%s)", l.ID, plural(int64(l.Sealed), "record")))
	}
	return fmt.Errorf("%s %s. The data file %s is sealed with %s; this is key %s. Put back the key file that was saved with this data, or the data file that belongs to this key",
		c.keys.Words(), what, c.dataFile, strings.Join(keys, " and "), strings.Join(lack.Have, ", "))
}

// installation reads the record that proves the key; fresh is true if there is
// nothing at all in the store.
func installation(ctx context.Context, s store.Store) (record []byte, fresh bool, err error) {
	err = s.View(ctx, func(r store.Reader) error {
		record, err = r.Get(secret.InstallationKey)
		if err == nil || !errors.Is(err, store.ErrNotFound) {
			return err
		}
		any, err := r.Scan(store.Range{Limit: 1})
		fresh = len(any) == 0
		return err
	})
	return record, fresh, err
}

// begin ties new data to its key.
func begin(ctx context.Context, s store.Store, keys *secret.Keyset) (*secret.Box, error) {
	record, box, err := keys.NewInstallation()
	if err != nil {
		return nil, err
	}
	err = s.Update(ctx, func(tx store.Tx) error {
		tx.Put(secret.InstallationKey, record)
		return nil
	})
	return box, err
}

// makeKey writes a new key file, which must not exist yet, and says to keep a
// copy.
func makeKey(ctx context.Context, c checked, con console) (*secret.Keyset, error) {
	keys, err := secret.Generate()
	if err != nil {
		return nil, err
	}
	if err := c.keys.Make(ctx, keys); err != nil {
		return nil, err
	}
	wrapped := ""
	if c.keys.Wrapped() {
		wrapped = " It is wrapped by the passphrase that was given: keep that, too."
	}
	fmt.Fprintf(con.out, "A new key was made: %s\nKeep a copy of it in a safe place, apart from the data.%s Without it nobody can open what is sealed in %s, not even you.\n\n", c.KeyFile, wrapped, c.dataFile)
	return keys, nil
}
