package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/control"
	"backoffice/internal/keyring"
	"backoffice/internal/secret"
	"backoffice/internal/store/bolt"
)

// consoleActor is who acts here.
var consoleActor = audit.Actor{Name: "console"}

// keysCommand is "backoffice keys": the keys that seal the data, whether the program
// runs or not; and where they are kept.
type keysCommand struct {
	List   keysList   `cmd:"" help:"List the keys, since when they are there, and what each has sealed."`
	Rotate keysRotate `cmd:"" help:"Make a new key, which seals from now on. The others stay and open what they sealed."`
	Reseal keysReseal `cmd:"" help:"Seal everything anew that older keys have sealed. It can be interrupted, and goes on when it is called again."`
	Retire keysRetire `cmd:"" help:"Take a key away that seals nothing any more."`
	New    keysNew    `cmd:"" help:"Write a new key into a file, to be stored where --key-command finds it. No data is changed."`
	Wrap   keysWrap   `cmd:"" help:"Wrap the key file by a passphrase."`
	Unwrap keysUnwrap `cmd:"" help:"Take the passphrase off the key file."`
}

// keysData are the settings of what is done with the data.
type keysData struct {
	dataDir
	keySettings
}

// do has a command done, by the running program or over its data file.
func (k *keysData) do(ctx context.Context, con console, name string, args any) error {
	return k.dataDir.do(ctx, con, name, args, func(t *control.Table, db *bolt.DB) {
		registerKeys(t, func(ctx context.Context) (*keyring.Ring, error) { return k.ring(ctx, con, db) }, false)
	})
}

// ring is the keys of a data file that nothing serves.
func (k *keysData) ring(ctx context.Context, con console, db *bolt.DB) (*keyring.Ring, error) {
	c := checked{settings: settings{Data: k.Data, keySettings: k.keySettings}, dataFile: filepath.Join(k.Data, dataName)}
	var err error
	if c.keys, err = c.keySettings.keeper(k.Data); err != nil {
		return nil, err
	}
	if _, fresh, err := installation(ctx, db); err == nil && fresh {
		return nil, fmt.Errorf("the data file %s is empty: the program was never started with it", c.dataFile)
	}
	box, err := unlock(ctx, db, c, con)
	if err != nil {
		return nil, err
	}
	r := keyring.New(keyring.Options{Store: keyring.Guard(db, box), Box: box, Keeper: c.keys, Now: time.Now,
		Failed: func(what string, err error) { fmt.Fprintf(con.err, "backoffice: %s: %v\n", what, err) }})
	return r, r.Note(ctx, consoleActor)
}

// retireArgs name a key.
type retireArgs struct {
	ID   string `json:"id"`
	Copy bool   `json:"copy"`
}

// registerKeys registers what the commands beneath "backoffice keys" do. running
// says whether the ring has its Run beside it.
func registerKeys(t *control.Table, ring func(context.Context) (*keyring.Ring, error), running bool) {
	with := func(name string, f func(context.Context, *keyring.Ring, retireArgs, io.Writer) error) {
		t.Register(name, control.Typed(func(ctx context.Context, a retireArgs, out io.Writer) error {
			r, err := ring(ctx)
			if err != nil {
				return err
			}
			return f(ctx, r, a, out)
		}))
	}
	with("keys.list", func(ctx context.Context, r *keyring.Ring, _ retireArgs, out io.Writer) error {
		return listKeys(ctx, r, out)
	})
	with("keys.rotate", func(ctx context.Context, r *keyring.Ring, _ retireArgs, out io.Writer) error {
		id, err := r.Rotate(ctx, consoleActor)
		if err == nil {
			_, err = fmt.Fprintf(out, "Key %s seals from now on. Copy the key to where its copy is: a copy from before does not open what is sealed now.\nWhat older keys sealed: backoffice keys reseal\n", id)
		}
		return err
	})
	with("keys.reseal", func(ctx context.Context, r *keyring.Ring, _ retireArgs, out io.Writer) error {
		return resealKeys(ctx, r, running, out)
	})
	with("keys.unused", func(ctx context.Context, r *keyring.Ring, a retireArgs, _ io.Writer) error {
		return r.Unused(ctx, a.ID)
	})
	with("keys.retire", func(ctx context.Context, r *keyring.Ring, a retireArgs, out io.Writer) error {
		where, err := r.Retire(ctx, consoleActor, a.ID, a.Copy)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "Key %s is retired: nothing in the data is sealed with it.\n", a.ID)
		if where != "" {
			fmt.Fprintf(out, "The keys as they were before are in %s, as secret as the key itself. Backups from before need them: put the file where those backups' key is, and away from here.\n", where)
		}
		return nil
	})
}

// listKeys writes a table of the keys.
func listKeys(ctx context.Context, r *keyring.Ring, out io.Writer) error {
	s, err := r.State(ctx)
	for err == nil && s.Count.Time.IsZero() { // there is nobody here who would rather not wait
		s, err = r.State(ctx)
	}
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tSTATE\tSINCE\tSEALS")
	for _, k := range s.Keys {
		state := "opens"
		switch {
		case k.Primary:
			state = "seals"
		case !k.Retired.IsZero():
			state = "retired " + k.Retired.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.ID, state, k.Since.UTC().Format(time.DateTime), plural(int64(k.Sealed), "record"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if s.Work.UnderWay {
		_, err = fmt.Fprintf(out, "Sealing anew is under way: %s.\n", progressWords(s.Work))
	}
	return err
}

func progressWords(w keyring.Work) string {
	if w.Total == 0 {
		return plural(int64(w.Done), "record") + " done"
	}
	return fmt.Sprintf("%d of %s", w.Done, plural(int64(w.Total), "record"))
}

// resealKeys asks for a re-sealing and tells how it goes until it ends. While the
// program runs, it goes on there also if nobody looks any more.
func resealKeys(ctx context.Context, r *keyring.Ring, running bool, out io.Writer) error {
	const often = time.Second
	if err := r.Reseal(ctx, consoleActor); err != nil {
		return err
	}
	last, said := time.Now(), -1
	tell := func(s keyring.State) {
		if s.Work.UnderWay && time.Since(last) >= often && s.Work.Done != said {
			last, said = time.Now(), s.Work.Done
			fmt.Fprintln(out, progressWords(s.Work))
		}
	}
	if !running {
		if err := r.Finish(ctx, tell); err != nil {
			return err
		}
	}
	for {
		s, err := r.State(ctx)
		if err != nil {
			return err
		}
		if tell(s); !s.Work.UnderWay {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(often / 4):
		}
	}
	return listKeys(ctx, r, out)
}

type keysList struct{ keysData }

// Run lists the keys.
func (k *keysList) Run(ctx context.Context, con console) error {
	return k.do(ctx, con, "keys.list", retireArgs{})
}

type keysRotate struct {
	keysData
	To string `help:"Only write the keys with a new one into this new file, for somebody to store where the key is kept." placeholder:"FILE"`
}

// Run makes a new key.
func (k *keysRotate) Run(ctx context.Context, con console) error {
	if k.To == "" {
		return k.do(ctx, con, "keys.rotate", retireArgs{})
	}
	return k.export(ctx, con, k.To, (*secret.Keyset).Rotated)
}

// export writes the keys, changed, into a new file, and changes nothing else.
func (k *keysData) export(ctx context.Context, con console, to string, change func(*secret.Keyset) (*secret.Keyset, error)) error {
	kp, err := k.keeper(k.Data)
	if err != nil {
		return err
	}
	keys, err := kp.Load(ctx)
	if err == nil {
		keys, err = change(keys)
	}
	if err == nil {
		err = kp.Export(keys, to)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.out, "The keys are in %s, which only you may read: %s, of which the first one seals. Nothing else is changed yet.\nStore its content where the key is kept, keep a copy, remove this file, and start the program again.\n", to, strings.Join(keys.IDs(), ", "))
	return err
}

type keysReseal struct{ keysData }

// Run seals anew.
func (k *keysReseal) Run(ctx context.Context, con console) error {
	return k.do(ctx, con, "keys.reseal", retireArgs{})
}

type keysRetire struct {
	keysData
	ID     string `arg:"" help:"Id of the key, as the list shows it."`
	NoCopy bool   `help:"Keep no copy of the keys beside the key file. Backups that were sealed with the key can then only be opened with a copy of your own."`
	To     string `help:"Only write the keys without this one into this new file, for somebody to store where the key is kept." placeholder:"FILE"`
}

// Run retires the key.
func (k *keysRetire) Run(ctx context.Context, con console) error {
	if k.To == "" {
		return k.do(ctx, con, "keys.retire", retireArgs{k.ID, !k.NoCopy})
	}
	if err := k.do(ctx, con, "keys.unused", retireArgs{ID: k.ID}); err != nil {
		return err
	}
	return k.export(ctx, con, k.To, func(keys *secret.Keyset) (*secret.Keyset, error) { return keys.Without(k.ID) })
}

type keysNew struct {
	File string `arg:"" help:"File that must not exist yet."`
}

// Run makes a key.
func (k *keysNew) Run(ctx context.Context, con console) error {
	s := keySettings{KeyFile: k.File}
	kp, err := s.keeper("")
	if err != nil {
		return err
	}
	keys, err := secret.Generate()
	if err == nil {
		err = kp.Make(ctx, keys)
	}
	if err == nil {
		_, err = fmt.Fprintf(con.out, "Key %s is in %s, which only you may read. Store its content where --key-command finds it, keep a copy, and remove this file.\n", keys.ID(), k.File)
	}
	return err
}

// keyFileSettings are those of what changes a key file, and no data.
type keyFileSettings struct {
	Data              string  `help:"Directory of the key file, unless --key-file names it." default:"data" env:"BACKOFFICE_DATA"`
	KeyFile           string  `help:"The key file. Default: backoffice.key in the data directory." env:"BACKOFFICE_KEY_FILE" placeholder:"FILE"`
	KeyPassphraseFile string  `help:"File with the passphrase. Without it, and without the variable, you are asked." env:"BACKOFFICE_KEY_PASSPHRASE_FILE" placeholder:"FILE"`
	KeyPassphrase     keyText `help:"The passphrase itself. Set it in the environment." env:"BACKOFFICE_KEY_PASSPHRASE" placeholder:"PASSPHRASE"`
}

func (k keyFileSettings) settings() *keySettings {
	return &keySettings{KeyFile: k.KeyFile, KeyPassphraseFile: k.KeyPassphraseFile, KeyPassphrase: k.KeyPassphrase}
}

type keysWrap struct{ keyFileSettings }

// Run wraps the key file.
func (k *keysWrap) Run(ctx context.Context, con console) error {
	s := k.settings()
	kp, err := s.keeper(k.Data)
	if err != nil {
		return err
	}
	phrase, err := s.passphrase(ctx)
	if _, given := s.givenPassphrase(); err == nil && !given {
		var again secret.Text
		if again, err = typed(ctx, "The same again: "); err == nil && again != phrase {
			err = errors.New("the two are not the same. Nothing was changed")
		}
	}
	if err == nil {
		err = kp.WrapFile(ctx, phrase)
	}
	if err == nil {
		_, err = fmt.Fprintf(con.out, "%s is wrapped. From the next start on the program needs the passphrase, and so does whoever opens a backup. Copies from before are not wrapped.\n", s.KeyFile)
	}
	return err
}

type keysUnwrap struct{ keyFileSettings }

// Run takes the passphrase off the key file.
func (k *keysUnwrap) Run(ctx context.Context, con console) error {
	s := k.settings()
	kp, err := s.keeper(k.Data)
	if err == nil {
		err = kp.UnwrapFile(ctx)
	}
	if err == nil {
		_, err = fmt.Fprintf(con.out, "%s is not wrapped any more: whoever can read it has the key.\n", s.KeyFile)
	}
	return err
}
