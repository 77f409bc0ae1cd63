package keyring

import (
	"context"
	"errors"
	"fmt"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

var errReadOnly = errs.New(errs.Invalid, "This program cannot write where its key is kept, so it cannot change the key by itself. Make the new keys with “backoffice keys rotate --to FILE”, store them where the key is, and start the program again.")

// Rotate makes a new key, which seals from now on, and returns its id. The others
// go on opening what they sealed. It returns an errs.Invalid if the keys cannot be
// written.
func (r *Ring) Rotate(ctx context.Context, by audit.Actor) (id string, err error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	if !r.Keeper.Writable() {
		return "", errReadOnly
	}
	was := r.Box.Keys()
	now, err := was.Rotated()
	if err != nil {
		return "", err
	}
	// Kept, then known, then used: whatever ends here, nothing is sealed with a key
	// that is not kept, and no start takes the data for complete without it.
	if err := r.Keeper.Save(ctx, was, now); err != nil {
		return "", fmt.Errorf("keeping the new key: %w", err)
	}
	if err := r.note(ctx, by, now, ""); err != nil {
		return "", err
	}
	r.Box.Use(now)
	r.forget()
	return now.ID(), nil
}

// Retire takes the key of that id away, once it is proven that nothing is sealed
// with it. With aside, a copy of the keys with it is kept, and where is said: what
// was copied of the data before, and sealed with it, opens with that alone. It
// returns an errs.Conflict with the number of what it still seals, an errs.NotFound
// or an errs.Invalid.
func (r *Ring) Retire(ctx context.Context, by audit.Actor, id string, aside bool) (where string, err error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	was := r.Box.Keys()
	if err := r.mayRetire(id); err != nil {
		return "", err
	}
	if !r.Keeper.Writable() {
		return "", errs.Newf(errs.Invalid, "This program cannot write where its key is kept, so it cannot take the key away by itself. Make the keys without it with “backoffice keys retire %s --to FILE”, store them where the key is, and start the program again.", id)
	}
	if err := r.unused(ctx, id); err != nil {
		return "", err
	}
	now, err := was.Without(id)
	if err != nil {
		return "", err
	}
	note := "No copy of it was kept."
	if aside {
		if where, err = r.Keeper.Aside(ctx, was, id); err != nil {
			return "", fmt.Errorf("keeping the key aside: %w", err)
		}
		note = "A copy was kept."
	}
	if err := r.Keeper.Save(ctx, was, now); err != nil {
		return "", fmt.Errorf("taking the key away: %w", err)
	}
	r.Box.Use(now)
	r.forget()
	return where, r.note(ctx, by, now, note)
}

// Unused returns an errs.Conflict if anything is sealed with the key of that id, and
// an error if it is not one that could go: for whoever changes the keys elsewhere,
// while nothing serves.
func (r *Ring) Unused(ctx context.Context, id string) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	if err := r.mayRetire(id); err != nil {
		return err
	}
	return r.unused(ctx, id)
}

func (r *Ring) mayRetire(id string) error {
	keys := r.Box.Keys()
	switch {
	case !keys.Has(id):
		return errs.Newf(errs.NotFound, "There is no key %.20s among the keys. The list shows all.", id)
	case keys.ID() == id:
		return errs.Newf(errs.Invalid, "Key %s is the one that seals. Make a new one first, and seal anew under it.", id)
	}
	return nil
}

// unused proves that nothing is sealed with the key, and nothing will be: from here
// to the proof, the store takes nothing more of it.
func (r *Ring) unused(ctx context.Context, id string) error {
	c, err := count(ctx, r.Store)
	if err == nil {
		err = refuse(c, "", id)
	}
	if err != nil {
		return err
	}
	r.Store.ending.Store(&id)
	defer r.Store.ending.Store(nil)
	// Updates have their turns one after the other: when this one is through, none
	// is under way that was looked at before.
	if err := r.Store.Update(ctx, func(store.Tx) error { return nil }); err != nil {
		return err
	}
	c, stray, err := proveUnused(ctx, r.Store, id)
	if err != nil {
		return fmt.Errorf("looking for what is sealed with key %s: %w", id, err)
	}
	return refuse(c, stray, id)
}

func refuse(c Count, stray, id string) error {
	n := c.Of(id)
	switch {
	case n > 0:
		return errs.Newf(errs.Conflict, "Key %s still seals %s. Seal anew first; then it can be retired.", id, records(n))
	case c.Odd > 0:
		return errs.Newf(errs.Conflict, "%s could not be read, so it is not proven that key %s seals nothing. Look into the log, and put back a copy of the data if it is damaged.", records(c.Odd), id)
	case stray != "":
		return errs.Wrap(errs.Conflict, "A record that is of no known kind seems to be sealed with key "+id+", so the key stays. This is a fault of the program: please report it.", errors.New(stray))
	}
	return nil
}

func records(n int) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}
