package config

import (
	"context"
	"fmt"

	"backoffice/internal/audit"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
)

// A Look asks to see one secret value of a version.
type Look struct {
	ID      ID
	Version int
	Key     string
	Reason  string
}

// Reveal returns one secret after its event is in the log: if the event cannot
// be written, the secret is not returned. Whether the person may see it, and
// has just given the password, is for the caller to establish. It returns an
// errs.NotFound for a key that the version does not have, an errs.Invalid for
// one that is no secret, and an errs.Field error on "reason".
func (s *Service) Reveal(ctx context.Context, by audit.Actor, l Look) (secret.Text, error) {
	if err := checkReason(l.Reason); err != nil {
		return secret.Text{}, err
	}
	o, err := s.Open(ctx, l.ID, l.Version)
	if err != nil {
		return secret.Text{}, err
	}
	k, ok := o.Key(l.Key)
	switch {
	case !ok:
		return secret.Text{}, errs.Newf(errs.NotFound, "Version %d of %s has no key %s.", l.Version, l.ID, l.Key)
	case !k.Secret:
		return secret.Text{}, errs.Newf(errs.Invalid, "%s is no secret: its value stands on the page of the entry.", l.Key)
	}
	err = audit.Record(ctx, s.store, audit.Event{Time: s.now().UTC(), Actor: by, Action: audit.SecretRevealed, Target: string(l.ID),
		Version: l.Version, Outcome: audit.Done, Reason: l.Reason, Changes: []audit.Change{{Key: l.Key, Before: string(k.Fingerprint), After: string(k.Fingerprint)}}})
	if err != nil {
		return secret.Text{}, fmt.Errorf("recording the reveal of %s: %w", l.Key, err)
	}
	return o.Values[l.Key].Text(), nil
}

// A Comparison says which versions of an entry hold a pasted value.
type Comparison struct {
	Fingerprint secret.Fingerprint // of the paste
	Length      int                // of the paste, in characters
	Versions    []Compared         // newest first; every version that has the key
}

// Compared is one version's value beside the paste.
type Compared struct {
	Version int
	Key     Key
	Same    bool
}

// compareDepth bounds how many versions a paste is compared with.
const compareDepth = 50

// Compare fingerprints a paste and holds it against the values that the newest
// fifty versions of the entry have under key. It cleans the
// paste where Save would. The paste is neither stored nor logged; that it was
// compared, and with what answer, is an event before the answer is given, because
// many guesses would find a short secret. It returns an errs.NotFound for an
// unknown entry.
func (s *Service) Compare(ctx context.Context, by audit.Actor, id ID, key string, paste secret.Text) (Comparison, error) {
	vs, err := s.Versions(ctx, id, 0, compareDepth)
	if err != nil {
		return Comparison{}, err
	}
	if f, known := field(s.Definition(id), key); known {
		paste, _ = Clean(f, paste)
	}
	c := Comparison{Fingerprint: s.box.Fingerprint(paste.Reveal()), Length: paste.Len()}
	answer := "Equal to none of its versions."
	for _, v := range vs {
		k, ok := v.Key(key)
		if !ok {
			continue
		}
		same := k.Kind != connector.Null && k.Fingerprint == c.Fingerprint
		if same {
			answer = fmt.Sprintf("Equal to version %d.", v.Number)
		}
		c.Versions = append(c.Versions, Compared{v.Number, k, same})
	}
	if len(c.Versions) == 0 {
		return c, nil // nothing was learnt
	}
	err = audit.Record(ctx, s.store, audit.Event{Time: s.now().UTC(), Actor: by, Action: audit.SecretCompared, Target: string(id),
		Outcome: audit.Done, Changes: []audit.Change{{Key: key}}, Note: answer})
	if err != nil {
		return Comparison{}, fmt.Errorf("recording a comparison with %s: %w", id, err)
	}
	return c, nil
}
