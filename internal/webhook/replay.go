package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/egress"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// maxReplays is how many replays of a notification are kept with it: the last ones.
const maxReplays = 20

// targetField is the field of the form that a bad target is a fault of.
const targetField = "target"

// Replay sends a kept notification to a target once more: its body as it came,
// signed anew with the entry's current secret and, where the scheme has a time,
// with that of now. The result is kept with the notification, together with its
// event, also if ctx ends meanwhile.
//
// Only an accepted notification is replayed: signing what nobody signed would
// make it genuine. It returns an errs.NotFound, an errs.Field error on "target",
// and an errs.Invalid if there is nothing to sign, or nothing to sign with.
func (s *Service) Replay(ctx context.Context, by audit.Actor, owner, id, target string) (Replay, error) {
	n, err := s.Get(ctx, owner, id)
	if err != nil {
		return Replay{}, err
	}
	if !n.Good() {
		return Replay{}, errs.New(errs.Invalid, "This notification was refused, so it is not signed and sent on. Only accepted ones are: else a forged one would become a genuine one.")
	}
	to, err := s.target(target)
	if err != nil {
		return Replay{}, err
	}
	body, err := s.openBody(ctx, id)
	if err != nil {
		return Replay{}, err
	}
	p, signer, err := s.signedAgain(ctx, n, body)
	if err != nil {
		return Replay{}, err
	}
	p.to, p.client = to, s.guard.Client(egress.CallOptions{})
	r := Replay{Time: s.now().UTC(), By: by.Name, Target: shownURL(to), Signer: &signer}
	got := s.post(ctx, p)
	r.Status, r.Took = got.status, got.took
	r.Words = got.words(to.Hostname())
	return r, s.keepReplay(context.WithoutCancel(ctx), by, n, r)
}

// target reads and checks where to send.
func (s *Service) target(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errs.Field(targetField, "Type the address to send it to, as in https://staging.example.com/webhooks/intercom.")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme == "" {
		return nil, errs.Field(targetField, "This is no web address. Write it in full, as in https://staging.example.com/webhooks/intercom.")
	}
	if err := s.guard.CheckURL(u); err != nil {
		_, msg := errs.Of(err)
		return nil, errs.Field(targetField, msg)
	}
	u.Fragment = ""
	return u, nil
}

// signedAgain is the request of a replay, without its target.
func (s *Service) signedAgain(ctx context.Context, n Notification, body []byte) (sending, Signer, error) {
	g, e, err := s.group(ctx, config.ID(n.Owner))
	if err != nil {
		return sending{}, Signer{}, err
	}
	scheme, ok := schemeOf(g.def.Webhooks, n.Signature)
	if !ok {
		return sending{}, Signer{}, errs.Newf(errs.Invalid, "The definition of %s does not say any more how %s is made, so this notification cannot be signed again.", g.def.Name, n.Signature)
	}
	key, ok, err := s.signingKey(ctx, e, g.def)
	if err != nil {
		return sending{}, Signer{}, err
	}
	if !ok {
		return sending{}, Signer{}, nothingToSignWith(e.ID)
	}
	h := Sign(scheme, key.Secret, body, s.now())
	h.Set("Content-Type", cmp.Or(n.ContentType, "application/octet-stream"))
	r := g.def.Webhooks.Reads
	kept, _ := n.header()
	for _, place := range []string{r.ID, r.Topic, r.Account, r.Happened, r.FirstSent, r.Attempt} {
		if name, inHeader := strings.CutPrefix(place, headerWord); inHeader {
			if v := kept.Get(name); v != "" {
				h.Set(name, v)
			}
		}
	}
	return sending{header: h, body: body}, key.Signer, nil
}

func nothingToSignWith(id config.ID) error {
	return errs.Newf(errs.Invalid, "%s has no version in force with a signing secret, so there is nothing to sign with. Put one in force first.", id)
}

// words are the result in a sentence.
func (r sent) words(host string) string {
	switch {
	case r.failed != nil:
		return r.failed.Msg
	case r.status >= 200 && r.status < 300:
		return fmt.Sprintf("%s accepted it with %s.", host, statusWords(r.status))
	case r.location != "":
		return fmt.Sprintf("%s answered %s, a redirect to %s, which is not followed. Use the address that it leads to.", host, statusWords(r.status), r.location)
	}
	return fmt.Sprintf("%s answered %s.", host, statusWords(r.status))
}

func statusWords(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d %s", status, text)
	}
	return fmt.Sprint(status)
}

// keepReplay keeps the result and its event in one transaction. The event is
// written even if the notification is pruned meanwhile: the call was made.
func (s *Service) keepReplay(ctx context.Context, by audit.Actor, n Notification, r Replay) error {
	e := audit.Event{Time: r.Time, Actor: by, Action: audit.NotificationReplayed, Target: n.Owner, Version: r.Signer.Version, Outcome: audit.Done,
		Note: fmt.Sprintf("Notification %s to %s: %s", n.ID, r.Target, r.Words)}
	if r.Status < 200 || r.Status > 299 {
		e.Outcome = audit.Failed
	}
	err := s.store.Update(ctx, func(tx store.Tx) error {
		kept, err := notes.Get(tx, n.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		default:
			kept.Replays = append(kept.Replays, r)
			kept.Replays = kept.Replays[max(0, len(kept.Replays)-maxReplays):]
			if err := notes.Put(tx, n.ID, kept); err != nil {
				return err
			}
		}
		return audit.Append(tx, e)
	})
	if err != nil {
		return fmt.Errorf("keeping a replay of %s: %w", n.ID, err)
	}
	s.watchers.tick()
	return nil
}
