package signin

import (
	"context"
	"errors"
	"fmt"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/store"

	"golang.org/x/oauth2"
)

// A lapse is why a way back came to nothing: for the log, and for the person.
type lapse struct{ note, words string }

// An Outcome is what a browser came back with.
type Outcome struct {
	Purpose Purpose
	Next    string
	Then    Then
	InForce bool       // a setting took effect with it
	Entry   auth.Entry // whose session is to begin; the zero one ToProve
}

// Return ends what Start began. Besides the errors of [auth.Service.SignInVouched],
// with which the Outcome has its Next, it returns an errs.Refused with words for
// the person, whose reason is on record, and an errs.TooMany.
func (s *Service) Return(ctx context.Context, by audit.Actor, a Arrival) (Outcome, error) {
	if err := s.limit.allow(by.Addr); err != nil {
		return Outcome{}, err
	}
	if err := s.auth.VouchWaits(ctx, by); err != nil {
		return Outcome{}, err
	}
	f, kept, why, err := s.take(ctx, a)
	if err != nil {
		return Outcome{}, fmt.Errorf("taking up a sign-in: %w", err)
	}
	o := Outcome{Purpose: f.Purpose, Next: f.Next, Then: kept.Then}
	if why != (lapse{}) {
		return o, s.auth.VouchFailed(ctx, by, "", why.note, why.words)
	}
	k, err := s.settingOf(ctx, f)
	if err != nil {
		return o, err
	}
	if k.Issuer == "" {
		return o, s.auth.VouchFailed(ctx, by, "", "The setting was changed while the browser was at the provider.", "How people sign in was changed while you were at the provider. Begin again.")
	}
	v, why, err := s.vouch(ctx, k, f, kept, a)
	if err != nil {
		return o, err
	}
	if why != (lapse{}) {
		return o, s.fail(ctx, by, f, why)
	}
	switch f.Purpose {
	case ToProve:
		return o, s.prove(ctx, by, f, v)
	case ToConfirm:
		if err := s.confirm(ctx, by, f, v); err != nil {
			return o, err
		}
		o.InForce = true
	}
	o.Entry, err = s.auth.SignInVouched(ctx, by, v)
	return o, err
}

// settingOf is the setting through which the flow left, or the zero one if it is
// not that any more.
func (s *Service) settingOf(ctx context.Context, f flow) (kept, error) {
	c, p, err := s.both(ctx)
	if err != nil {
		return kept{}, fmt.Errorf("reading how people sign in: %w", err)
	}
	k := c
	if f.Purpose == ToConfirm {
		k = p.kept
	}
	if k.Hash != f.Hash {
		return kept{}, nil
	}
	return k, nil
}

// fail records what came to nothing. While a setting is confirmed, its page says it
// too.
func (s *Service) fail(ctx context.Context, by audit.Actor, f flow, why lapse) error {
	if f.Purpose == ToConfirm {
		if err := s.came(ctx, f, why.note); err != nil {
			return err
		}
	}
	return s.auth.VouchFailed(ctx, by, "", why.note, why.words)
}

// came keeps what came back through the pending setting, if it is still the one.
func (s *Service) came(ctx context.Context, f flow, note string) error {
	now := s.now()
	err := s.store.Update(ctx, func(tx store.Tx) error {
		p, err := orZero(pendings.Get(tx, ""))
		if err != nil || p.Hash != f.Hash {
			return err
		}
		p.Came, p.CameAt = note, now
		return pendings.Put(tx, "", p)
	})
	if err != nil {
		return fmt.Errorf("keeping what came back: %w", err)
	}
	return nil
}

// confirm puts the pending setting in force, if v is the owner who saved it and the
// ten minutes are not over. All of it is looked at in one transaction.
func (s *Service) confirm(ctx context.Context, by audit.Actor, f flow, v auth.Vouched) error {
	now := s.now()
	var what string
	err := s.store.Update(ctx, func(tx store.Tx) error {
		p, err := orZero(pendings.Get(tx, ""))
		if err != nil {
			return err
		}
		if p.Hash != f.Hash || !p.running(now) {
			what = "the ten minutes are over, or the setting was changed meanwhile"
			return nil
		}
		if what, err = auth.ConfirmOwner(tx, by, p.By, v, now); err != nil || what != "" {
			return err
		}
		was, err := orZero(currents.Get(tx, ""))
		if err != nil {
			return err
		}
		k := p.kept
		k.At = now
		pendings.Delete(tx, "")
		who := by
		who.ID, who.Name = p.By, p.ByName
		return errors.Join(currents.Put(tx, "", k), auth.ProviderInForce(tx, k.OwnersOnly),
			audit.Append(tx, audit.Event{Time: now, Actor: who, Action: audit.SignInInForce, Target: k.Issuer, Outcome: audit.Done, Changes: changes(was, k), Note: "Its owner came back through it."}))
	})
	if err != nil {
		return fmt.Errorf("putting a setting in force: %w", err)
	}
	if what != "" {
		return s.fail(ctx, by, f, lapse{"Not in force: " + what + ".",
			"The setting did not take effect: " + what + ". It still waits. Mend it under Settings, Sign-in, or make a new link there and come back as yourself."})
	}
	return nil
}

// prove lets somebody who is signed in go on, if they have just signed in at the
// provider again.
func (s *Service) prove(ctx context.Context, by audit.Actor, f flow, v auth.Vouched) error {
	switch {
	case v.Proof.IsZero():
		return s.auth.VouchFailed(ctx, by, by.Name, "While confirming an action, the provider did not tell when it had them sign in.",
			"The provider does not tell when you signed in there, so it cannot confirm who you are. Ask whoever runs it for the claim auth_time.")
	case v.Proof.Before(f.Started.Add(-leeway)):
		return s.auth.VouchFailed(ctx, by, by.Name, "While confirming an action, the provider had not asked them to sign in again.",
			"The provider did not ask you to sign in again, so nothing was confirmed. Sign out there, then try again.")
	}
	return s.auth.ProveVouched(ctx, by, f.User, v)
}

// vouch exchanges the code and verifies what comes back for it.
func (s *Service) vouch(ctx context.Context, k kept, f flow, mine keeps, a Arrival) (v auth.Vouched, why lapse, err error) {
	p, err := s.provider(ctx, k.Issuer)
	if err != nil {
		return v, lapse{"The provider cannot be asked.", "The sign-in provider does not answer as it should. Try again later."}, nil
	}
	if why := answered(p.metadata, a); why != (lapse{}) {
		return v, why, nil
	}
	plain, err := s.open(k, p.metadata)
	if errors.Is(err, errMoved) {
		return v, lapse{"The token address moved to another host than the secret was typed for, so it was not sent.", "The sign-in provider has moved. An owner of this instance has to look at it."}, nil
	}
	if err != nil {
		return v, lapse{}, err
	}
	conf := s.config(k, p.metadata)
	conf.ClientSecret = plain
	outward := context.WithValue(ctx, oauth2.HTTPClient, s.client)
	token, err := conf.Exchange(outward, a.Query.Get("code"), oauth2.VerifierOption(mine.Verifier))
	if err != nil {
		return v, refusedCode(err), nil
	}
	c, why := s.verify(outward, p, k, token, mine.Nonce)
	if why != (lapse{}) {
		return v, why, nil
	}
	return c.vouched(k, f, s.now()), lapse{}, nil
}

// answered looks at the answer before anything is sent for it.
func answered(m metadata, a Arrival) lapse {
	iss := a.Query["iss"]
	switch {
	case len(iss) > 1 || len(iss) == 1 && iss[0] != m.Issuer:
		return lapse{"The answer is from another issuer (iss).", errNotTrusted}
	case len(iss) == 0 && m.NamesItself:
		return lapse{"The answer does not name its issuer (iss), though the provider says that it does.", errNotTrusted}
	}
	if code := a.Query.Get("error"); code != "" {
		return lapse{"The provider answers " + known(code, authorizeErrors) + ".", "The sign-in provider let nobody in. " + authorizeErrors[known(code, authorizeErrors)]}
	}
	if code := a.Query.Get("code"); code == "" || len(code) > maxCode || len(a.Query["code"]) > 1 || len(a.Query["state"]) > 1 {
		return lapse{"The answer has no code, or more than one.", errNotTrusted}
	}
	return lapse{}
}

const (
	errNotTrusted = "The answer of the sign-in provider cannot be trusted, so nobody was signed in. Begin again; if it happens again, an owner of this instance finds the reason in the audit log."
	anotherError  = "an error of its own"
)

// authorizeErrors are the codes of RFC 6749 section 4.1.2.1 and of OpenID Connect
// Core section 3.1.2.6, with what to do.
var authorizeErrors = map[string]string{
	"access_denied":           "You said no there, or may not use this application. Whoever runs the provider can assign it to you.",
	"login_required":          "Sign in there, then try again.",
	"interaction_required":    "Sign in there, then try again.",
	"consent_required":        "Agree there, then try again.",
	"invalid_scope":           "An owner of this instance has to look at the scopes of the setting.",
	"unauthorized_client":     "An owner of this instance has to look at the setting.",
	"server_error":            "Try again later.",
	"temporarily_unavailable": "Try again later.",
	anotherError:              "Try again; if it happens again, tell an owner of this instance.",
}

// known is an error code that may be written down, as it is one of the standard's.
func known(code string, of map[string]string) string {
	if _, ok := of[code]; ok {
		return code
	}
	return anotherError
}

// tokenErrors are the codes of RFC 6749 section 5.2, with what they mean.
var tokenErrors = map[string]string{
	"invalid_client":         "the client ID or the client secret is wrong",
	"invalid_grant":          "the code was used before, is too old, or belongs to another redirect URI or challenge",
	"unauthorized_client":    "the client may not sign people in",
	"unsupported_grant_type": "the client may not sign people in",
	"invalid_request":        "it does not take the request",
	"invalid_scope":          "it does not know a scope",
	anotherError:             "it says no more that is understood",
}

// refusedCode says why no token came. Nothing of the answer but a code of the
// standard is kept: the rest is the provider's to choose.
func refusedCode(err error) lapse {
	const words = "The sign-in provider gave no token, so nobody was signed in. Begin again; if it happens again, an owner of this instance finds the reason in the audit log."
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode != "" {
		code := known(refused.ErrorCode, tokenErrors)
		return lapse{"The provider refuses the code with " + code + ": " + tokenErrors[code] + ".", words}
	}
	return lapse{"The provider gave no token for the code.", words}
}
