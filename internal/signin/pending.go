package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// maxSecret is the longest client secret, in bytes.
const maxSecret = 4096

// Save keeps the draft beside the setting in force, and begins the ten minutes in
// which by has to come back through it. It returns the token of a one-time link for
// that, or none if the provider cannot be reached; [View] then says why, and Begin
// tries again. It returns errs.Field errors: those of the draft, and secret where
// it has to be typed.
func (s *Service) Save(ctx context.Context, by audit.Actor, d Draft) (secret.Text, error) {
	setting, err := d.setting()
	c, old, oldErr := s.both(ctx)
	if oldErr != nil {
		return secret.Text{}, fmt.Errorf("saving how people sign in: %w", oldErr)
	}
	base := old.kept
	if base.Issuer == "" {
		base = c
	}
	if d.Secret.Len() > maxSecret {
		err = errors.Join(err, errs.Field("secret", "This is longer than any client secret."))
	}
	if d.Secret.IsZero() && !mayKeep(base, setting) {
		err = errors.Join(err, errNoSecret(base))
	}
	if err != nil {
		return secret.Text{}, err
	}
	p := pending{kept: kept{Setting: setting, By: by.ID, ByName: by.Name, At: s.now()}}
	m, problem := s.discover(ctx, setting.Issuer)
	if problem == nil {
		p.Origin = m.tokenOrigin()
	}
	if err := s.seal(&p.kept, base, d.Secret, problem == nil); err != nil {
		return secret.Text{}, err
	}
	return s.begin(ctx, by, p, problem, audit.Event{Action: audit.SignInSaved, Changes: changes(c, p.kept)}, old.Hash)
}

// mayKeep reports whether the secret of base may serve the setting: it goes to no
// other origin than it was typed for.
func mayKeep(base kept, s Setting) bool {
	return len(base.Sealed) > 0 && originOf(base.Issuer) == originOf(s.Issuer)
}

func errNoSecret(base kept) error {
	if len(base.Sealed) == 0 {
		return errs.Field("secret", "Enter the client secret that the provider gave to this application.")
	}
	return errs.Field("secret", "The issuer is at another address now. Type the client secret for it: a kept one is sent to nobody new.")
}

// seal puts a secret into k: the typed one, or the one of base if the token address
// is where it was. known says whether k has its origin; if not, a kept secret keeps
// its own.
func (s *Service) seal(k *kept, base kept, typed secret.Text, known bool) error {
	plain := []byte(typed.Reveal())
	if typed.IsZero() {
		if !known {
			k.Origin = base.Origin
		}
		if base.Origin != k.Origin {
			return errs.Field("secret", "The token address of the provider is at another host than the one for which the secret was typed. Type it again: a kept one is sent to nobody new.")
		}
		var err error
		if plain, err = s.box.Open(base.Sealed, base.sealedFor()); err != nil {
			return fmt.Errorf("opening the secret of the provider: %w", err)
		}
		k.Length = base.Length
	} else {
		k.Length = typed.Len()
	}
	k.Fingerprint = s.box.Fingerprint(string(plain))
	var err error
	if k.Sealed, err = s.box.Seal(plain, k.sealedFor()); err != nil {
		return fmt.Errorf("sealing the secret of the provider: %w", err)
	}
	if k.Hash, err = k.contentHash(); err != nil {
		return fmt.Errorf("naming a setting: %w", err)
	}
	return nil
}

// begin writes p, and begins its ten minutes unless there is a problem. It returns
// an errs.Conflict unless the pending setting is still the one with the hash.
func (s *Service) begin(ctx context.Context, by audit.Actor, p pending, problem error, e audit.Event, was string) (secret.Text, error) {
	token := secret.Text{}
	p.Begun, p.Token, p.Problem = s.now(), "", ""
	if problem != nil {
		_, p.Problem = errs.Of(problem)
		p.Begun = time.Time{}
		e.Note = "The provider cannot be used yet."
	} else {
		token = secret.NewText(newToken())
		p.Token = hash(token.Reveal())
	}
	e.Time, e.Actor, e.Target, e.Outcome = s.now(), by, p.Issuer, audit.Done
	err := s.store.Update(ctx, func(tx store.Tx) error {
		if err := auth.StillMay(tx, by, auth.SignInManage); err != nil {
			return err
		}
		now, err := orZero(pendings.Get(tx, ""))
		if err != nil {
			return err
		}
		if now.Hash != was {
			return errs.New(errs.Conflict, "Somebody else saved another setting a moment ago. Open the page again.")
		}
		return errors.Join(pendings.Put(tx, "", p), audit.Append(tx, e))
	})
	if err != nil {
		return secret.Text{}, fmt.Errorf("saving how people sign in: %w", err)
	}
	return token, nil
}

// Begin begins the ten minutes of the pending setting anew, for by, and returns the
// token of a new link, as Save does. It returns an errs.NotFound if nothing is
// pending.
func (s *Service) Begin(ctx context.Context, by audit.Actor) (secret.Text, error) {
	p, err := s.pending(ctx)
	if err != nil {
		return secret.Text{}, fmt.Errorf("reading how people sign in: %w", err)
	}
	if p.Issuer == "" {
		return secret.Text{}, errNonePending
	}
	was := p.Hash
	m, problem := s.discover(ctx, p.Issuer)
	switch {
	case problem != nil:
	case p.Origin == "": // the secret was typed before the provider could be asked
		typed, err := s.box.Open(p.Sealed, p.sealedFor())
		if err != nil {
			return secret.Text{}, fmt.Errorf("opening the secret of the provider: %w", err)
		}
		p.Origin = m.tokenOrigin()
		if err := s.seal(&p.kept, kept{}, secret.NewText(string(typed)), true); err != nil {
			return secret.Text{}, err
		}
	case p.Origin != m.tokenOrigin():
		problem = errMoved
	}
	p.By, p.ByName, p.Came = by.ID, by.Name, ""
	return s.begin(ctx, by, p, problem, audit.Event{Action: audit.SignInSaved}, was)
}

var errNonePending = errs.New(errs.NotFound, "No setting waits to be confirmed. It was discarded, or took effect.")

// Discard drops the pending setting. The one in force stays.
func (s *Service) Discard(ctx context.Context, by audit.Actor) error {
	now := s.now()
	err := s.store.Update(ctx, func(tx store.Tx) error {
		p, err := orZero(pendings.Get(tx, ""))
		if err == nil && p.Issuer == "" {
			err = errNonePending
		}
		if err != nil {
			return err
		}
		pendings.Delete(tx, "")
		return errors.Join(auth.StillMay(tx, by, auth.SignInManage), audit.Append(tx, audit.Event{Time: now, Actor: by, Action: audit.SignInDropped, Target: p.Issuer, Outcome: audit.Done}))
	})
	if err != nil {
		return fmt.Errorf("discarding a setting: %w", err)
	}
	return nil
}

// TurnOff takes the setting in force away, its secret included, so that everybody
// signs in with a password again. Who has none is in [auth.Service.Losing].
// A pending setting stays. It returns an errs.NotFound if there is none.
func (s *Service) TurnOff(ctx context.Context, by audit.Actor) error {
	now := s.now()
	err := s.store.Update(ctx, func(tx store.Tx) error {
		c, err := orZero(currents.Get(tx, ""))
		if err == nil && c.Issuer == "" {
			err = errs.New(errs.NotFound, "No provider is in force.")
		}
		if err != nil {
			return err
		}
		currents.Delete(tx, "")
		auth.ProviderOff(tx)
		return errors.Join(auth.StillMay(tx, by, auth.SignInManage),
			audit.Append(tx, audit.Event{Time: now, Actor: by, Action: audit.SignInOff, Target: c.Issuer, Outcome: audit.Done, Changes: changes(c, kept{})}))
	})
	if err != nil {
		return fmt.Errorf("turning the provider off: %w", err)
	}
	return nil
}

// CheckToken returns what the pending setting's button says if token opens its
// one-time link, or an errs.NotFound.
func (s *Service) CheckToken(ctx context.Context, token secret.Text) (button string, err error) {
	p, err := s.pending(ctx)
	if err != nil {
		return "", fmt.Errorf("reading how people sign in: %w", err)
	}
	if !p.opens(token, s.now()) {
		return "", errBadLink
	}
	return p.Button, nil
}

var errBadLink = errs.New(errs.NotFound, "This link is not valid, or no longer. It is good for ten minutes and for one use. The owner who saved the setting makes another one under Settings, Sign-in.")

func (s *Service) both(ctx context.Context) (c kept, p pending, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		if c, err = orZero(currents.Get(r, "")); err != nil {
			return err
		}
		p, err = orZero(pendings.Get(r, ""))
		return err
	})
	return c, p, err
}
