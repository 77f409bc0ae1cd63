// Package keeper reads and writes the key of an installation where the operator
// keeps it: in a file, in a variable of the environment, or behind a command that
// asks a secret manager. What is kept may be wrapped by a passphrase.
//
// What is read is a Tink keyset in JSON, or that as an age file (age-encryption.org,
// version 1) for a passphrase, in armor. Which of them it is, it says itself.
package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"backoffice/internal/errs"
	"backoffice/internal/secret"
)

// Options say where the key is. One of File, Content and Command is set.
type Options struct {
	File    string
	Content secret.Text // of the environment
	Command []string    // whose output is the content
	Store   []string    // takes new content on its input; for Command only

	// Passphrase returns what wraps the key, or an error with the remedy. It is
	// called when something wrapped is read.
	Passphrase func(context.Context) (secret.Text, error)

	// Wrap has a new key file be wrapped, by Passphrase.
	Wrap bool
}

// A Keeper keeps the key. It is safe for concurrent use.
type Keeper struct {
	o Options

	mu      sync.Mutex
	phrase  secret.Text // that unwrapped what was read; empty: it was not wrapped
	wrapped bool
}

// New returns a Keeper.
func New(o Options) *Keeper { return &Keeper{o: o} }

// Words says where the key is: a path, or what it comes from.
func (k *Keeper) Words() string {
	switch {
	case !k.o.Content.IsZero():
		return "BACKOFFICE_KEY"
	case len(k.o.Command) > 0:
		return "the command " + filepath.Base(k.o.Command[0])
	}
	return k.o.File
}

// Wrapped reports whether what was read is wrapped by a passphrase.
func (k *Keeper) Wrapped() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.wrapped
}

// Writable reports whether Save can be called.
func (k *Keeper) Writable() bool {
	return k.o.Content.IsZero() && (len(k.o.Command) == 0 || len(k.o.Store) > 0)
}

// InFile reports whether the key is in a file of this machine.
func (k *Keeper) InFile() bool { return k.o.Content.IsZero() && len(k.o.Command) == 0 }

// Load reads the key. The error says what to do; it is fs.ErrNotExist if there is no
// key file.
func (k *Keeper) Load(ctx context.Context) (*secret.Keyset, error) {
	content, err := k.read(ctx)
	if err != nil {
		return nil, err
	}
	content, err = k.unwrap(ctx, content)
	if err != nil {
		return nil, err
	}
	keys, err := secret.Read(content)
	switch {
	case err == nil:
		return keys, nil
	case k.InFile():
		return nil, fmt.Errorf("the key file %s cannot be used: %w. Put back your copy of it", k.o.File, err)
	case len(k.o.Command) > 0:
		return nil, fmt.Errorf("what --key-command printed cannot be used: %w. It has to print the content of a key file and nothing else", err)
	}
	return nil, fmt.Errorf("BACKOFFICE_KEY cannot be used: %w. Set it to the content of the key file, or unset it and use the file", err)
}

func (k *Keeper) read(ctx context.Context) ([]byte, error) {
	switch {
	case !k.o.Content.IsZero():
		return []byte(k.o.Content.Reveal()), nil
	case len(k.o.Command) > 0:
		return runCommand(ctx, "--key-command", k.o.Command, nil)
	}
	return ReadFile("key file", k.o.File)
}

// maxFile is the size of the largest key file. One of ten keys, wrapped, has 4 KiB.
const maxFile = 256 << 10

// ReadFile reads a file that only its owner may read. The error is fs.ErrNotExist if
// there is none.
func ReadFile(what, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("the %s %s cannot be read: %w. Give it to the user that runs this program", what, path, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the %s %s may be read by others (mode %04o). Run: chmod 600 %s", what, path, info.Mode().Perm(), path)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("the %s %s has %d bytes, which no key has. Name the right file", what, path, info.Size())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the %s %s cannot be read: %w. Give it to the user that runs this program", what, path, err)
	}
	return b, nil
}

// unwrap is content without its wrapping, if it has one.
func (k *Keeper) unwrap(ctx context.Context, content []byte) ([]byte, error) {
	if !IsWrapped(content) {
		k.remember(secret.Text{}, false)
		return content, nil
	}
	k.mu.Lock()
	phrase := k.phrase
	k.mu.Unlock()
	if phrase.IsZero() {
		var err error
		if phrase, err = k.o.Passphrase(ctx); err != nil {
			return nil, err
		}
	}
	plain, err := Unwrap(content, phrase)
	if err != nil {
		return nil, fmt.Errorf("the key in %s is wrapped, and %w", k.Words(), err)
	}
	k.remember(phrase, true)
	return plain, nil
}

func (k *Keeper) remember(phrase secret.Text, wrapped bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.phrase, k.wrapped = phrase, wrapped
}

// content is what is kept of these keys: wrapped if what was read was.
func (k *Keeper) content(keys *secret.Keyset) ([]byte, error) {
	b, err := keys.Bytes()
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	phrase, wrapped := k.phrase, k.wrapped
	k.mu.Unlock()
	if !wrapped {
		return b, nil
	}
	return Wrap(b, phrase)
}

// Make writes a new key file, which must not exist yet.
func (k *Keeper) Make(ctx context.Context, keys *secret.Keyset) error {
	if k.o.Wrap {
		phrase, err := k.o.Passphrase(ctx)
		if err != nil {
			return err
		}
		k.remember(phrase, true)
	}
	b, err := k.content(keys)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(k.o.File), 0o700); err != nil {
		return fmt.Errorf("making the directory of the key file: %w", err)
	}
	err = WriteNew(k.o.File, b)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("making the key file: %s is there already. Name another file, or remove it if its keys are not needed", k.o.File)
	case err != nil:
		return fmt.Errorf("making the key file: %w", err)
	}
	return nil
}

// Export writes keys into a new file for somebody to store, wrapped if what was read
// was.
func (k *Keeper) Export(keys *secret.Keyset, path string) error {
	b, err := k.content(keys)
	if err != nil {
		return err
	}
	if err = WriteNew(path, b); errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%s is there already. Name another file, or remove it if its keys are not needed: %w", path, err)
	}
	return err
}

// Save puts now in the place of was. It returns nil only when now is durable and was
// read back. What is there has to be was: if somebody has changed it, nothing is
// written.
func (k *Keeper) Save(ctx context.Context, was, now *secret.Keyset) error {
	there, err := k.Load(ctx)
	if err != nil {
		return errs.Wrap(errs.Unavailable, "The key could not be read where it is kept, so nothing was changed. The log of the program says why.", err)
	}
	if !there.Equal(was) {
		return errs.New(errs.Conflict, "The key was changed where it is kept since this program started, so nothing was changed. Start the program again; then it knows that key.")
	}
	if err := k.write(ctx, now); err != nil {
		return errs.Wrap(errs.Unavailable, "The new keys could not be written where the key is kept. What was there is still there, unless the log says otherwise. The log of the program says why.", err)
	}
	if there, err = k.Load(ctx); err == nil && !there.Equal(now) {
		err = errors.New("what was read back is not what was written")
	}
	if err != nil {
		return errs.Wrap(errs.Unavailable, "The new keys were written, but could not be read back, so they are not used. Compare what is kept there with your copy. The log of the program says why.", err)
	}
	return nil
}

func (k *Keeper) write(ctx context.Context, keys *secret.Keyset) error {
	b, err := k.content(keys)
	switch {
	case err != nil:
		return err
	case k.InFile():
		return replace(k.o.File, b)
	}
	_, err = runCommand(ctx, "--key-command-store", k.o.Store, b)
	return err
}

// WrapFile wraps the key file, which is not wrapped yet, by a passphrase.
func (k *Keeper) WrapFile(ctx context.Context, phrase secret.Text) error {
	b, err := k.read(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no key file %s. Name it with --key-file", k.o.File)
	}
	if err != nil {
		return err
	}
	if IsWrapped(b) {
		return fmt.Errorf("the key file %s is wrapped already. Unwrap it first, to have another passphrase", k.o.File)
	}
	if _, err := secret.Read(b); err != nil {
		return fmt.Errorf("the key file %s cannot be used: %w. Put back your copy of it", k.o.File, err)
	}
	wrapped, err := Wrap(b, phrase)
	if err != nil {
		return err
	}
	if again, err := Unwrap(wrapped, phrase); err != nil || !bytes.Equal(again, b) {
		return errors.Join(errors.New("what was wrapped does not unwrap to the same, so nothing was changed"), err)
	}
	return replace(k.o.File, wrapped)
}

// UnwrapFile takes the passphrase off the key file.
func (k *Keeper) UnwrapFile(ctx context.Context) error {
	b, err := k.read(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no key file %s. Name it with --key-file", k.o.File)
	case err != nil:
		return err
	case !IsWrapped(b):
		return fmt.Errorf("the key file %s is not wrapped", k.o.File)
	}
	if b, err = k.unwrap(ctx, b); err != nil {
		return err
	}
	if _, err := secret.Read(b); err != nil {
		return fmt.Errorf("the key file %s cannot be used: %w. Put back your copy of it", k.o.File, err)
	}
	return replace(k.o.File, b)
}

// Aside copies the keys into a file beside the key file, before one is retired, and
// returns its path.
func (k *Keeper) Aside(_ context.Context, keys *secret.Keyset, retired string) (string, error) {
	if !k.InFile() {
		return "", errs.New(errs.Invalid, "The key is in no file, so no copy can be put beside it. Copy it where it is kept; then retire without a copy.")
	}
	path := k.o.File + ".with-" + retired
	err := k.Export(keys, path)
	if errors.Is(err, fs.ErrExist) { // of a try before
		return path, nil
	}
	if err != nil {
		return "", errs.Wrap(errs.Unavailable, "The copy of the keys could not be written, so nothing was changed. The log of the program says why.", err)
	}
	return path, nil
}

// WriteNew writes a file that must not exist yet, whole or not at all, for its owner
// alone, and waits until it and its name are on the disk.
func WriteNew(path string, content []byte) error {
	return put(path, content, os.Link) // fails if path exists
}

// replace writes a file in the place of another, whole or not at all, and waits until
// it is on the disk. Where path is a link, what it leads to is replaced.
func replace(path string, content []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	return put(path, content, os.Rename)
}

func put(path string, content []byte, name func(from, to string) error) error {
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
	if err := name(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
