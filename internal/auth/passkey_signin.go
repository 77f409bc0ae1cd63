package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

var (
	// errPasskey has the same words for a passkey of nobody, of somebody who is
	// disabled, and for an answer that is wrong.
	errPasskey = errs.New(errs.Invalid, "This passkey was not accepted. Try again, or use your password.")
	// errStopped is for who has the private key, so it tells nobody else anything.
	errStopped = errs.New(errs.Invalid, "This passkey is stopped: its counter went back, so there may be a copy of it. Use another way to sign in, then remove it under your account.")
)

// BeginPasskeySignIn asks any passkey of this instance for a sign-in, in the browser
// session with the binding, and returns the question as JSON. It names nobody.
func (s *Service) BeginPasskeySignIn(by audit.Actor, binding string) (string, error) {
	if s.party == nil {
		return "", errNoParty
	}
	asked, data, err := s.party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return "", wrap("asking for a passkey", err)
	}
	s.open.begin(ceremony{purpose: toSignIn, binding: binding, source: Network(by.Addr), began: s.now(), data: *data})
	return asJSON(asked)
}

// BeginSecondPasskey asks for a passkey of who gave the right password, as the
// ticket says. It returns an errs.Unsigned for a ticket that is not good any more.
func (s *Service) BeginSecondPasskey(ctx context.Context, by audit.Actor, t secret.Text, binding string) (string, error) {
	_, a, err := s.openTicket(ctx, t)
	if err != nil {
		return "", err
	}
	return s.ask(ctx, s.open, ceremony{purpose: toSecond, binding: binding, user: a.ID, source: Network(by.Addr)}, protocol.VerificationPreferred)
}

// BeginConfirm asks for a passkey of the user, who is signed in, in place of the
// password. It returns an errs.NotFound for who has none.
func (s *Service) BeginConfirm(ctx context.Context, userID, binding string) (string, error) {
	return s.ask(ctx, s.own, ceremony{purpose: toConfirm, binding: binding, user: userID, source: userID}, protocol.VerificationRequired)
}

// ask begins c with the passkeys of its user.
func (s *Service) ask(ctx context.Context, at *ceremonies, c ceremony, uv protocol.UserVerificationRequirement) (string, error) {
	if s.party == nil {
		return "", errNoParty
	}
	who, err := s.holder(ctx, c.user)
	if err != nil {
		return "", err
	}
	if who.keys = s.party.usable(who.keys); len(who.keys) == 0 {
		return "", errs.New(errs.NotFound, "You have no passkey that can be used here.")
	}
	asked, data, err := s.party.BeginLogin(who, webauthn.WithUserVerification(uv))
	if err != nil {
		return "", wrap("asking for a passkey", err)
	}
	c.began, c.data = s.now(), *data
	at.begin(c)
	return asJSON(asked)
}

// SignInWithPasskey returns the entry of whose passkey answered BeginPasskeySignIn in
// the same browser session and verified its person, which counts for both factors.
// It returns an errs.TooMany, or an errs.Invalid whose words tell nothing.
func (s *Service) SignInWithPasskey(ctx context.Context, by audit.Actor, binding string, answer secret.Text) (Entry, error) {
	return s.settlePasskey(ctx, by, s.open, passkeyGuess{purpose: toSignIn, binding: binding, answer: answer, note: "With the passkey %s, without a password.",
		done: audit.SignIn})
}

// SignInWithSecondPasskey ends a sign-in that needed a second factor. It returns
// what SignInWithPasskey does, and an errs.Unsigned for a ticket that is not good
// any more.
func (s *Service) SignInWithSecondPasskey(ctx context.Context, by audit.Actor, t secret.Text, binding string, answer secret.Text) (Entry, error) {
	said, a, err := s.openTicket(ctx, t)
	if err != nil {
		return Entry{}, err
	}
	note := "With the password and the passkey %s."
	if said.Through {
		note = "Through the provider. With the passkey %s."
	}
	e, err := s.settlePasskey(ctx, by, s.open, passkeyGuess{purpose: toSecond, binding: binding, answer: answer, note: note, done: audit.SignIn, expected: a})
	if err == nil && said.Through {
		e.Proof = said.Proof
	}
	return e, err
}

// ConfirmPasskey returns nil if a passkey of the user answered BeginConfirm in the
// same browser session and verified its person. It counts as CheckPassword does, and
// is on record.
func (s *Service) ConfirmPasskey(ctx context.Context, by audit.Actor, userID, binding string, answer secret.Text) error {
	a, err := s.account(ctx, userID)
	if err != nil {
		return err
	}
	_, err = s.settlePasskey(ctx, by, s.own, passkeyGuess{purpose: toConfirm, binding: binding, answer: answer, note: "With the passkey %s.",
		done: audit.Confirmed, expected: a, while: whileConfirming})
	return err
}

// maxHandle is the longest user handle that there can be, in bytes.
const maxHandle = protocol.MaximumUserHandleLength

// A passkeyGuess is the answer of a passkey, and what it is for.
type passkeyGuess struct {
	guess
	purpose  purpose
	binding  string
	answer   secret.Text
	expected account      // who has to answer; the zero one at a sign-in with a passkey alone
	note     string       // of the event if it is right; %s is the passkey
	done     audit.Action // what is recorded then
	while    string       // what is added to the event of a wrong one

	key   passkey // as it was when it was judged; the zero one for a passkey of nobody
	count uint32  // that came with the answer
	sync  bool    // it is kept in a backup now
}

// settlePasskey judges an answer, and commits what follows from it.
func (s *Service) settlePasskey(ctx context.Context, by audit.Actor, at *ceremonies, p passkeyGuess) (Entry, error) {
	if s.party == nil {
		return Entry{}, errNoParty
	}
	said, err := protocol.ParseCredentialRequestResponseBytes([]byte(p.answer.Reveal()))
	if err != nil {
		return Entry{}, errUnread // the cause would quote it
	}
	now, net := s.now(), Network(by.Addr)
	asked, open := at.take(said.Response.CollectedClientData.Challenge, p.purpose, p.binding, now)
	if err := s.nameHolder(ctx, &p, said); err != nil {
		return Entry{}, fmt.Errorf("looking for a passkey: %w", err)
	}
	p.guess.failure = audit.Event{Actor: by, Action: audit.SignInFailed, Target: p.guess.account.Email, Note: p.while}
	p.wrong, p.network = errPasskey, s.mac("known\x00"+net)
	p.keys = throttleKeys{account: s.mac("passkey\x00" + string(said.RawID)), address: s.mac("address\x00" + net)}
	p.lapse = s.judge(&p, said, asked, open)
	if id := p.guess.account.ID; id != "" && by.ID == "" && p.lapse == "" {
		by.ID, by.Name = id, p.guess.account.Email
	}
	var answer error
	var user User
	err = s.store.Update(ctx, func(tx store.Tx) error {
		user, answer, err = s.commitPasskey(tx, p, by, now)
		return err
	})
	if err == nil {
		err = answer
	}
	if err != nil {
		return Entry{}, wrap("judging a passkey", err)
	}
	return Entry{User: user, Proof: now}, nil
}

// nameHolder fills in whose passkey answered: of the account that has to answer, or
// of the one that the answer names. For a passkey of nobody both stay empty.
func (s *Service) nameHolder(ctx context.Context, p *passkeyGuess, said *protocol.ParsedCredentialAssertionData) error {
	id := p.expected.ID
	if p.purpose == toSignIn {
		id = string(said.Response.UserHandle)
	}
	if id == "" || len(id) > maxHandle {
		return nil
	}
	return s.store.View(ctx, func(r store.Reader) error {
		a, err := orZero(accounts.Get(r, id))
		if err != nil {
			return err
		}
		set, err := orZero(passkeySets.Get(r, id))
		if err != nil {
			return err
		}
		if i := find(set.Keys, said.RawID); i >= 0 {
			p.guess.account, p.key = a, set.Keys[i]
		} else if p.purpose != toSignIn {
			p.guess.account = a
		}
		return nil
	})
}

// judge says why the answer does not count; "" if it does so far. For a passkey of
// nobody it does the same work with a key that cannot be right.
func (s *Service) judge(p *passkeyGuess, said *protocol.ParsedCredentialAssertionData, asked ceremony, open bool) string {
	data := said.Response.AuthenticatorData
	p.count, p.sync = data.Counter, data.Flags.HasBackupState()
	who, key := p.guess.account.ID, p.key
	if key.ID == nil {
		who = string(said.Response.UserHandle)
		key = passkey{ID: said.RawID, PublicKey: s.party.decoy, Syncable: data.Flags.HasBackupEligible()}
	}
	var err error
	if p.purpose == toSignIn {
		_, _, err = s.party.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return holder{id: who, keys: []passkey{key}}, nil }, asked.data, said)
	} else {
		asked.data.AllowedCredentialIDs = [][]byte{key.ID} // that it is theirs is looked at here, and again in the transaction
		_, err = s.party.ValidateLogin(holder{id: asked.user, keys: []passkey{key}}, asked.data, said)
	}
	switch {
	case !open:
		return "A passkey answered what was not asked here: it had expired, was answered already, or was asked in another browser session."
	case p.key.ID == nil:
		return "A passkey that is not registered for the account."
	case p.purpose != toSignIn && asked.user != p.guess.account.ID:
		return "A passkey answered what somebody else was asked."
	case p.key.Host != s.party.id():
		return "A passkey of another host."
	case err != nil:
		return "The answer of the passkey " + p.key.quoted() + " was wrong: " + cut(err.Error(), 120) + "."
	}
	return ""
}

// commitPasskey commits what follows from an answer that was judged. The passkey and
// its account are looked at again as they are in the transaction.
func (s *Service) commitPasskey(tx store.Tx, p passkeyGuess, by audit.Actor, now time.Time) (user User, answer, err error) {
	wait, unrecorded, err := p.keys.waiting(tx, now)
	switch {
	case err != nil:
		return User{}, nil, err
	case wait > 0:
		return User{}, tooMany(wait), p.recordRefused(tx, now, unrecorded)
	case p.lapse != "":
		return User{}, p.wrong, p.recordWrong(tx, now)
	}
	a, err := accountByID(tx, p.guess.account.ID)
	if err != nil {
		return User{}, nil, err
	}
	set, err := orZero(passkeySets.Get(tx, a.ID))
	if err != nil {
		return User{}, nil, err
	}
	counts, err := passwordCounts(tx, a) // where only the provider signs in, a passkey goes no way round it
	if err != nil {
		return User{}, nil, err
	}
	grouped, err := byGroup(tx, a)
	if err != nil {
		return User{}, nil, err
	}
	keys := slices.Clone(set.Keys)
	i := find(keys, p.key.ID)
	switch {
	case !a.Active():
		p.lapse = "The account is disabled."
	case !counts && p.purpose != toSecond, grouped && p.purpose == toSignIn:
		p.lapse = "Right, but the account signs in through the provider."
	case i < 0 || !bytes.Equal(keys[i].PublicKey, p.key.PublicKey):
		p.lapse = "The passkey " + p.key.quoted() + " was removed."
	case !keys[i].Stopped.IsZero():
		p.lapse, p.wrong = "The passkey "+p.key.quoted()+" is stopped, because its counter went back.", errStopped
	case p.purpose == toSecond && !a.PasswordChanged.Equal(p.expected.PasswordChanged):
		return User{}, errTicket, nil
	case wentBack(keys[i].Count, p.count):
		return s.stopPasskey(tx, p, a, keys, i, by, now)
	}
	if p.lapse != "" {
		return User{}, p.wrong, p.recordWrong(tx, now)
	}
	keys[i].Count, keys[i].Synced, keys[i].Used = p.count, p.sync, now
	throttles.Delete(tx, p.keys.account)
	event := stamp(audit.Event{Action: p.done, Note: fmt.Sprintf(p.note, keys[i].quoted())}, by, now, a.Email)
	return a.User, nil, errors.Join(passkeySets.Put(tx, a.ID, passkeySet{keys}), p.remember(tx), audit.Append(tx, event))
}

// wentBack reports whether a counter did not go on as it does as long as there is
// one authenticator. Those that do not count always say 0 (WebAuthn, section 6.1.1).
func wentBack(was, is uint32) bool { return is <= was && (is != 0 || was != 0) }

// stopPasskey commits that there may be a copy of a passkey: neither counts any more.
func (s *Service) stopPasskey(tx store.Tx, p passkeyGuess, a account, keys []passkey, i int, by audit.Actor, now time.Time) (User, error, error) {
	keys[i].Stopped = now
	event := stamp(audit.Event{Action: audit.PasskeyStopped,
		Note: fmt.Sprintf("%s: its counter went back from %d to %d, so there may be a copy of it.", keys[i].quoted(), keys[i].Count, p.count)}, by, now, a.Email)
	p.lapse = "The counter of the passkey " + keys[i].quoted() + " went back."
	return User{}, errStopped, errors.Join(passkeySets.Put(tx, a.ID, passkeySet{keys}), audit.Append(tx, event), p.recordWrong(tx, now))
}
