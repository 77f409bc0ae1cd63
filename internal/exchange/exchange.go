// Package exchange moves entries between instances: as a file of JSON or YAML
// that people can read and edit, with secrets left out or sealed to age
// recipients, and back in by a plan that is looked at before anything is written.
//
// An instance has an age identity of its own. Who exports for it seals to its
// recipient, so a private key is neither typed nor sent. One record:
//
//	exchange/identity   the identity, sealed
package exchange

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/secret"
	"backoffice/internal/store"

	"filippo.io/age"
)

// identityKey is where the identity of the instance stands.
const identityKey = "exchange/identity"

var _ = secret.Declare(secret.Kind{Prefix: identityKey, Words: "identity for imports", Find: secret.Whole})

// Options are what a Service is made of. All are needed.
type Options struct {
	Store  store.Store
	Box    *secret.Box
	Config *config.Service
	Now    func() time.Time
	Origin string // public URL of this instance, which files name
}

// A Service exports and imports entries. It is safe for concurrent use.
type Service struct {
	store    store.Store
	config   *config.Service
	now      func() time.Time
	origin   string
	instance string // names this installation in files
	own      *age.X25519Identity
	held     shelf
}

// Open returns the Service over o, and makes the identity of the instance where
// there is none yet.
func Open(ctx context.Context, o Options) (*Service, error) {
	own, err := identity(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("opening the identity for imports: %w", err)
	}
	return &Service{store: o.Store, config: o.Config, now: o.Now, origin: o.Origin, own: own,
		instance: hex.EncodeToString(o.Box.MAC("instance", nil)[:8])}, nil
}

// identity reads the identity, or keeps a new one. Of two that are made at once,
// the first that is kept is used by both.
func identity(ctx context.Context, o Options) (*age.X25519Identity, error) {
	sealed, err := stored(ctx, o.Store)
	if errors.Is(err, store.ErrNotFound) {
		if err = keepFresh(ctx, o); err == nil {
			sealed, err = stored(ctx, o.Store)
		}
	}
	if err != nil {
		return nil, err
	}
	plain, err := o.Box.Open(sealed, identityKey)
	if err != nil {
		return nil, err
	}
	return age.ParseX25519Identity(string(plain))
}

func stored(ctx context.Context, st store.Store) (sealed []byte, err error) {
	err = st.View(ctx, func(r store.Reader) (err error) {
		sealed, err = r.Get(identityKey)
		return err
	})
	return sealed, err
}

func keepFresh(ctx context.Context, o Options) error {
	fresh, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	sealed, err := o.Box.Seal([]byte(fresh.String()), identityKey)
	if err != nil {
		return err
	}
	return o.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Get(identityKey)
		if errors.Is(err, store.ErrNotFound) {
			tx.Put(identityKey, sealed)
			return nil
		}
		return err
	})
}

// Recipient is what others seal to for this instance: "age1…". It is no secret.
func (s *Service) Recipient() string { return s.own.Recipient().String() }

// event is an event of this room.
func (s *Service) event(by audit.Actor, a audit.Action, target, note string) audit.Event {
	return audit.Event{Time: s.now().UTC(), Actor: by, Action: a, Target: target, Outcome: audit.Done, Note: note}
}
