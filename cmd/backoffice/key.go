package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
	keys, err := readKey(c)
	switch {
	case errors.Is(err, fs.ErrNotExist) && fresh:
		if keys, err = makeKey(c, con); err != nil {
			return nil, err
		}
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the key file %s is missing. The data file %s is sealed with key %s, and only that key opens it. Put back your copy of the key file; a new key would not help", c.KeyFile, c.dataFile, secret.KeyOf(record))
	case err != nil && fresh && c.Key.IsZero():
		return nil, fmt.Errorf("%w. There is no data yet that it could have sealed: if it is left from a first start that was cut short, remove it and start again", err)
	case err != nil:
		return nil, err
	}
	if fresh {
		return begin(ctx, s, keys)
	}
	box, err := keys.Unlock(record)
	var wrong *secret.WrongKeyError
	if errors.As(err, &wrong) {
		return nil, fmt.Errorf("%s is not the key of this data. The data file %s is sealed with key %s; this is key %s. Put back the key file that was saved with this data, or the data file that belongs to this key", keySource(c), c.dataFile, wrong.Missing, wrong.Have)
	}
	if err != nil {
		return nil, fmt.Errorf("the data file %s is damaged: its key record does not open. Put back your copy of it (%w)", c.dataFile, err)
	}
	return box, nil
}

// keySource says where the key came from.
func keySource(c checked) string {
	if !c.Key.IsZero() {
		return "BACKOFFICE_KEY"
	}
	return c.KeyFile
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

// readKey reads the key from the setting or from its file. The error is
// fs.ErrNotExist if there is none.
func readKey(c checked) (*secret.Keyset, error) {
	if !c.Key.IsZero() {
		keys, err := secret.Read([]byte(c.Key.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("BACKOFFICE_KEY cannot be used: %w. Set it to the content of the key file, or unset it and use the file", err)
		}
		return keys, nil
	}
	info, err := os.Stat(c.KeyFile)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, fmt.Errorf("the key file %s cannot be read: %w. Give it to the user that runs this program", c.KeyFile, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the key file %s may be read by others (mode %04o). Run: chmod 600 %s", c.KeyFile, info.Mode().Perm(), c.KeyFile)
	}
	b, err := os.ReadFile(c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("the key file %s cannot be read: %w. Give it to the user that runs this program", c.KeyFile, err)
	}
	keys, err := secret.Read(b)
	if err != nil {
		return nil, fmt.Errorf("the key file %s cannot be used: %w. Put back your copy of it", c.KeyFile, err)
	}
	return keys, nil
}

// makeKey writes a new key file, which must not exist yet, and says to keep a
// copy.
func makeKey(c checked, con console) (*secret.Keyset, error) {
	keys, err := secret.Generate()
	if err != nil {
		return nil, err
	}
	b, err := keys.Bytes()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(c.KeyFile), 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of the key file: %w", err)
	}
	if err := writeNew(c.KeyFile, b); err != nil {
		return nil, fmt.Errorf("making the key file: %w", err)
	}
	fmt.Fprintf(con.out, "A new key was made: %s\nKeep a copy of it in a safe place, apart from the data. Without it nobody can open what is sealed in %s, not even you.\n\n", c.KeyFile, c.dataFile)
	return keys, nil
}

// writeNew writes a file that must not exist yet, whole or not at all, and waits
// until it and its name are on the disk.
func writeNew(path string, content []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // fails if path exists
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
