package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/egress"
	"backoffice/internal/oauth"
	"backoffice/internal/outside"
	"backoffice/internal/store"
	"backoffice/internal/webhook"
)

// ownAddress checks the public URL from outside. Its guard is its own: it alone
// may call that host and port wherever they are, also on this machine.
func ownAddress(c checked, db store.Store, now func() time.Time) (*outside.Checker, error) {
	guard, err := egress.New(egress.Options{Allow: []string{outside.Guarded(c.public)}})
	if err != nil {
		return nil, fmt.Errorf("--public-url: %w", err)
	}
	return outside.New(outside.Options{Store: db, PublicURL: c.public, Guard: guard, Now: now, Upstream: c.Addr})
}

// day is what the settings count ages in.
const day = 24 * time.Hour

// receive makes the room of notifications. The guard with which it calls the
// public URL, for test notifications, may call nothing else on this machine.
func receive(c checked, r webhook.Options, log *slog.Logger) (*webhook.Service, error) {
	own, err := egress.New(egress.Options{Allow: []string{outside.Guarded(c.public)}})
	if err != nil {
		return nil, fmt.Errorf("--public-url: %w", err)
	}
	r.Own, r.PublicURL, r.Rate = own, c.public, c.WebhookRate
	r.Keep = webhook.Keep{Notifications: c.WebhookKeep, Age: time.Duration(c.WebhookDays) * day, Bytes: c.WebhookBytes}
	r.Failed = func(what string, err error) { log.Error(what, "error", err) }
	return webhook.New(r)
}

// ownFresh is for how long a check of our own address answers for the next test
// of a connection.
const ownFresh = time.Hour

// checkOwn is the check as a step of a test of a connection.
func checkOwn(own *outside.Checker) oauth.CheckOwn {
	return func(ctx context.Context, by audit.Actor) (oauth.OwnAddress, error) {
		s, err := own.Summary(ctx)
		if err != nil {
			return oauth.OwnAddress{}, err
		}
		if !s.Known || s.Age > ownFresh {
			if _, err := own.Run(ctx, by); err != nil {
				return oauth.OwnAddress{}, err
			}
			if s, err = own.Summary(ctx); err != nil {
				return oauth.OwnAddress{}, err
			}
		}
		return oauth.OwnAddress{Verdict: ownVerdicts[s.Verdict], Headline: s.Headline, Time: s.Time}, nil
	}
}

var ownVerdicts = map[outside.Verdict]oauth.Verdict{outside.OK: oauth.OK, outside.Warning: oauth.Warning, outside.Inconclusive: oauth.Inconclusive, outside.Wrong: oauth.Wrong}
