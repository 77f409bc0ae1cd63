package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"backoffice/internal/keeper"
	"backoffice/internal/secret"

	"golang.org/x/term"
)

// keySettings say where the key is.
type keySettings struct {
	KeyFile           string  `help:"File with the key that seals the data. Made at the first start. Default: backoffice.key in the data directory." env:"BACKOFFICE_KEY_FILE" placeholder:"FILE"`
	Key               keyText `help:"Content of a key file, instead of one. Set it in the environment: other users of this machine can see flags." env:"BACKOFFICE_KEY" placeholder:"JSON"`
	KeyCommand        string  `help:"Command that prints the content of a key file, instead of one. It is run without a shell." env:"BACKOFFICE_KEY_COMMAND" placeholder:"COMMAND"`
	KeyCommandStore   string  `help:"Command that takes the new content on its standard input, so that the key can be changed here. For --key-command." env:"BACKOFFICE_KEY_COMMAND_STORE" placeholder:"COMMAND"`
	KeyPassphraseFile string  `help:"File with the passphrase that the key is wrapped by." env:"BACKOFFICE_KEY_PASSPHRASE_FILE" placeholder:"FILE"`
	KeyPassphrase     keyText `help:"The passphrase itself, instead of a file. Set it in the environment." env:"BACKOFFICE_KEY_PASSPHRASE" placeholder:"PASSPHRASE"`
}

// credentialName is the systemd credential that a passphrase may be in.
const credentialName = "backoffice-key-passphrase"

// keeper reads the settings; it reads no key yet.
func (k *keySettings) keeper(dataDir string) (*keeper.Keeper, error) {
	var faults []error
	ways := 0
	for _, is := range []bool{k.KeyFile != "", !k.Key.IsZero(), k.KeyCommand != ""} {
		if is {
			ways++
		}
	}
	if ways > 1 {
		faults = append(faults, errors.New("both --key and --key-file are set, or one of them and --key-command. Use one, so that it is clear which key seals"))
	}
	if k.KeyCommandStore != "" && k.KeyCommand == "" {
		faults = append(faults, errors.New("--key-command-store is set without --key-command. Set both, or neither"))
	}
	if k.KeyPassphraseFile != "" && !k.KeyPassphrase.IsZero() {
		faults = append(faults, errors.New("both --key-passphrase and --key-passphrase-file are set. Use one of them"))
	}
	if k.KeyFile == "" {
		k.KeyFile = filepath.Join(dataDir, "backoffice.key")
	}
	o := keeper.Options{File: k.KeyFile, Content: k.Key.Text, Passphrase: k.passphrase}
	var err error
	for name, c := range map[string]struct {
		text  string
		words *[]string
	}{"--key-command": {k.KeyCommand, &o.Command}, "--key-command-store": {k.KeyCommandStore, &o.Store}} {
		if *c.words, err = keeper.SplitCommand(c.text); err != nil || c.text != "" && len(*c.words) == 0 {
			faults = append(faults, fmt.Errorf("%s cannot be read as a command: %v. Name a program and its words; quotes keep a word together", name, err))
		}
	}
	_, o.Wrap = k.givenPassphrase()
	return keeper.New(o), errors.Join(faults...)
}

// givenPassphrase says where a passphrase is given, if it is: a file, or "" for the
// environment.
func (k *keySettings) givenPassphrase() (file string, given bool) {
	if k.KeyPassphraseFile != "" {
		return k.KeyPassphraseFile, true
	}
	if !k.KeyPassphrase.IsZero() {
		return "", true
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		file := filepath.Join(dir, credentialName)
		if _, err := os.Stat(file); err == nil {
			return file, true
		}
	}
	return "", false
}

// passphrase is what the settings give, or what a person types.
func (k *keySettings) passphrase(ctx context.Context) (secret.Text, error) {
	file, given := k.givenPassphrase()
	switch {
	case given && file == "":
		return k.KeyPassphrase.Text, nil
	case given && file == k.KeyPassphraseFile:
		b, err := keeper.ReadFile("passphrase file", file)
		if errors.Is(err, fs.ErrNotExist) {
			return secret.Text{}, fmt.Errorf("the passphrase file %s is missing. Put it there, or name another with --key-passphrase-file", file)
		}
		return phraseText(b), err
	case given: // of systemd, in a directory of its own: the mode of the file says nothing
		b, err := os.ReadFile(file)
		if err != nil {
			return secret.Text{}, fmt.Errorf("the credential %s cannot be read: %w. Look at LoadCredential of the service", credentialName, err)
		}
		return phraseText(b), nil
	}
	return typed(ctx, "Passphrase of the key: ")
}

// phraseText is a passphrase without the end of its line.
func phraseText(b []byte) secret.Text { return secret.NewText(string(bytes.TrimRight(b, "\r\n"))) }

// typed asks for a passphrase at the terminal.
func typed(ctx context.Context, prompt string) (secret.Text, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return secret.Text{}, fmt.Errorf("the key needs a passphrase, and none is given. Set --key-passphrase-file, BACKOFFICE_KEY_PASSPHRASE or the systemd credential %s, or start this at a terminal", credentialName)
	}
	before, err := term.GetState(fd)
	if err != nil {
		return secret.Text{}, fmt.Errorf("reading the passphrase: %w", err)
	}
	// Whoever interrupts gets a terminal that shows what is typed.
	defer context.AfterFunc(ctx, func() { _ = term.Restore(fd, before); fmt.Fprintln(os.Stderr); os.Exit(1) })()
	fmt.Fprint(os.Stderr, prompt)
	b, err := term.ReadPassword(fd)
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return secret.Text{}, fmt.Errorf("reading the passphrase: %w", err)
	}
	return phraseText(b), nil
}
