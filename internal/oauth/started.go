package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/store"
)

// startedLife is how long a run that did not come back is spoken of.
const startedLife = 24 * time.Hour

// A Started is the latest consent run of an entry that has not come back. A
// provider that does not know the client ID or the redirect URI shows an error
// of its own, and the browser never returns: this is all that is left of it.
type Started struct {
	Version     int       `json:"version"`
	ContentHash string    `json:"hash"`
	Service     string    `json:"service"` // {service} of the callback
	RedirectURI string    `json:"redirectUri"`
	Time        time.Time `json:"time"`
	By          string    `json:"by"`
	Flow        string    `json:"flow"` // the key of its flow
}

var starteds = store.Table[Started]{Prefix: "oauth/started/"}

func (f flow) started(key, by string) Started {
	return Started{Version: f.Version, ContentHash: f.ContentHash, Service: f.Service, RedirectURI: f.RedirectURI, Time: f.Started, By: by, Flow: key}
}

// returned removes the trace of the run whose flow has this key. A later run of
// the entry keeps its own.
func returned(tx store.Tx, id config.ID, key string) error {
	s, err := starteds.Get(tx, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil && s.Flow == key {
		starteds.Delete(tx, string(id))
	}
	return err
}

// Started returns the latest consent run of the entry that has not come back, of
// the last day. ok is false if there is none.
func (s *Service) Started(ctx context.Context, id config.ID) (run Started, ok bool, err error) {
	err = s.store.View(ctx, func(r store.Reader) (err error) {
		run, err = starteds.Get(r, string(id))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return Started{}, false, nil
	}
	if err != nil {
		return Started{}, false, fmt.Errorf("reading the run of %s that was started: %w", id, err)
	}
	if s.now().Sub(run.Time) >= startedLife {
		return Started{}, false, nil
	}
	return run, true, nil
}
