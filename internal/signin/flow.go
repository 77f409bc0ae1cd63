package signin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// A Purpose says what a way to the provider and back is for.
type Purpose string

// The purposes.
const (
	ToSignIn  Purpose = "sign-in"
	ToConfirm Purpose = "confirm" // that the pending setting works for its owner
	ToProve   Purpose = "prove"   // that whoever is signed in is still there
)

// Then is what somebody goes on with who has proven who they are: a form that was
// sent already, or an address.
type Then struct {
	Action string  `json:"action,omitempty"` // path of the form; "" for none
	Fields []Field `json:"fields,omitempty"`
}

// A Field is one of a form.
type Field struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// A flow is a way to the provider that has begun.
type flow struct {
	Purpose Purpose   `json:"purpose"`
	Hash    string    `json:"hash"` // of the setting's content
	Browser string    `json:"browser"`
	Started time.Time `json:"started"`
	Sealed  []byte    `json:"sealed,omitempty"` // a keeps; nil once used
	Next    string    `json:"next,omitempty"`
	User    string    `json:"user,omitempty"`   // whose proof it is
	Invite  string    `json:"invite,omitempty"` // key of an invitation
	Used    bool      `json:"used,omitempty"`
}

// keeps is what nobody but the program is to read of a flow.
type keeps struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Then     Then   `json:"then"`
}

// flowList has every flow, so that their number is bounded.
type flowList struct {
	All []listed `json:"all"`
}

type listed struct {
	Key     string    `json:"key"`
	Network string    `json:"network"` // a MAC of the address it is from
	Until   time.Time `json:"until"`
}

var (
	flows     = store.Table[flow]{Prefix: "auth/oidc/flow/"}
	flowLists = store.Table[flowList]{Prefix: "auth/oidc/flows"}
)

var _ = secret.Declare(secret.Kind{Prefix: "auth/oidc/flow/", Words: "sign-ins under way", Find: secret.Field("sealed")})

// The number of flows that are under way. One network's oldest gives way to its
// own, and beyond the whole number that of the network which has most: who starts
// many pushes out nobody who starts one.
const (
	maxFlows    = 500
	maxOfOneNet = 50
)

// A Departure is a browser that is about to leave for the provider.
type Departure struct {
	Purpose Purpose
	Browser string      // a secret of the browser, in its cookie
	Token   secret.Text // of a one-time link, ToConfirm
	User    string      // ToProve
	Next    string      // path to go to afterwards
	Invite  string      // key of the invitation whose link was opened
	Then    Then
}

// Start keeps a flow and returns the address at the provider to which the browser
// goes. It returns an errs.TooMany, an errs.NotFound for a link that is not good or
// where there is no provider, and an errs.Invalid, Unavailable or Refused if the
// provider cannot be used.
func (s *Service) Start(ctx context.Context, by audit.Actor, d Departure) (address string, err error) {
	if err := s.limit.allow(by.Addr); err != nil {
		return "", err
	}
	if err := s.auth.VouchWaits(ctx, by); err != nil {
		return "", err
	}
	k, err := s.settingFor(ctx, d)
	if err != nil {
		return "", err
	}
	p, err := s.provider(ctx, k.Issuer)
	if err != nil {
		return "", fmt.Errorf("asking the provider: %w", err)
	}
	if k.Origin != p.tokenOrigin() {
		return "", errMoved
	}
	state, nonce, verifier := newToken(), newToken(), oauth2.GenerateVerifier()
	f := flow{Purpose: d.Purpose, Hash: k.Hash, Browser: hash(d.Browser), Started: s.now(), Next: d.Next, User: d.User, Invite: d.Invite}
	key := hash(state)
	b, err := json.Marshal(keeps{nonce, verifier, d.Then})
	if err == nil {
		f.Sealed, err = s.box.Seal(b, flows.Prefix+key)
	}
	if err != nil {
		return "", fmt.Errorf("sealing a flow: %w", err)
	}
	net := s.network(by.Addr)
	err = s.store.Update(ctx, func(tx store.Tx) error {
		if d.Purpose == ToConfirm {
			if err := useToken(tx, d.Token, f.Started); err != nil {
				return err
			}
		}
		return errors.Join(list(tx, listed{key, net, f.Started.Add(flowFor)}, f.Started), flows.Put(tx, key, f))
	})
	if err != nil {
		return "", fmt.Errorf("starting a sign-in: %w", err)
	}
	conf := s.config(k, p.metadata)
	opts := []oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	if d.Purpose == ToProve {
		opts = append(opts, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return conf.AuthCodeURL(state, opts...), nil
}

// settingFor is the setting through which the browser leaves.
func (s *Service) settingFor(ctx context.Context, d Departure) (kept, error) {
	c, p, err := s.both(ctx)
	switch {
	case err != nil:
		return kept{}, fmt.Errorf("reading how people sign in: %w", err)
	case d.Browser == "":
		return kept{}, errors.New("starting a sign-in without a browser")
	case d.Purpose == ToConfirm && !p.opens(d.Token, s.now()):
		return kept{}, errBadLink
	case d.Purpose == ToConfirm:
		return p.kept, nil
	case c.Issuer == "":
		return kept{}, errs.New(errs.NotFound, "There is no provider to sign in through any more. Sign in with your password.")
	}
	return c, nil
}

// opens reports whether the token is that of the link.
func (p pending) opens(token secret.Text, now time.Time) bool {
	return p.Token != "" && p.running(now) && subtle.ConstantTimeCompare([]byte(p.Token), []byte(hash(token.Reveal()))) == 1
}

// useToken uses the link up.
func useToken(tx store.Tx, token secret.Text, now time.Time) error {
	p, err := orZero(pendings.Get(tx, ""))
	if err == nil && !p.opens(token, now) {
		err = errBadLink
	}
	if err != nil {
		return err
	}
	p.Token = ""
	return pendings.Put(tx, "", p)
}

// network hides where a flow is from.
func (s *Service) network(addr string) string {
	return fmt.Sprintf("%x", s.box.MAC("auth/oidc/flow", []byte(auth.Network(addr)))[:16])
}

// list adds a flow to the list, and drops what is over or too many.
func list(tx store.Tx, one listed, now time.Time) error {
	l, err := orZero(flowLists.Get(tx, ""))
	if err != nil {
		return err
	}
	kept := []listed{}
	for _, x := range l.All {
		if now.Before(x.Until) {
			kept = append(kept, x)
			continue
		}
		flows.Delete(tx, x.Key)
	}
	kept = append(kept, one)
	for {
		i := surplus(kept, one.Network)
		if i < 0 {
			return flowLists.Put(tx, "", flowList{kept})
		}
		flows.Delete(tx, kept[i].Key)
		kept = slices.Delete(kept, i, i+1)
	}
}

// surplus is the place of a flow that has to go, or -1.
func surplus(all []listed, net string) int {
	of := map[string]int{}
	for _, x := range all {
		of[x.Network]++
	}
	if of[net] <= maxOfOneNet {
		if len(all) <= maxFlows {
			return -1
		}
		for _, x := range all { // in their order, so that the answer is always the same
			if of[x.Network] > of[net] {
				net = x.Network
			}
		}
	}
	return slices.IndexFunc(all, func(x listed) bool { return x.Network == net })
}

// An Arrival is a browser that came back from the provider.
type Arrival struct {
	Query   url.Values
	Browser string
	User    string // who is signed in; "" for nobody
}

// The longest texts that a provider may send back, in bytes.
const (
	maxState = 256
	maxCode  = 4096
)

// take uses a flow up, and returns it with what it keeps. why is set if it cannot
// be used: then it is not used up, so that nobody can end the sign-in of another
// browser.
func (s *Service) take(ctx context.Context, a Arrival) (f flow, k keeps, why lapse, err error) {
	state := a.Query.Get("state")
	if state == "" || len(state) > maxState {
		return f, k, lapse{"The answer has no state of ours.", errBack}, nil
	}
	key, now := hash(state), s.now()
	err = s.store.Update(ctx, func(tx store.Tx) error {
		why = lapse{}
		f, err = flows.Get(tx, key)
		switch {
		case errors.Is(err, store.ErrNotFound):
			why = lapse{"The state is unknown: made up, or long over.", errBack}
			return nil
		case err != nil:
			return err
		case a.Browser == "" || subtle.ConstantTimeCompare([]byte(f.Browser), []byte(hash(a.Browser))) != 1:
			why = lapse{"The state belongs to another browser.", errBack}
			return nil
		case f.Used:
			why = lapse{"The state was used already.", "This answer of the provider was used already. Begin again at the sign-in page."}
			return nil
		case now.Sub(f.Started) >= flowFor || now.Before(f.Started):
			why = lapse{"The sign-in took more than ten minutes.", "This took more than ten minutes, so it is over. Begin again at the sign-in page."}
			return nil
		case f.Purpose == ToProve && f.User != a.User:
			why = lapse{"Somebody else is signed in than who started.", "You are signed in as somebody else by now, or not at all. Begin again."}
			return nil
		}
		done := f
		done.Used, done.Sealed = true, nil
		return flows.Put(tx, key, done)
	})
	if err != nil || why != (lapse{}) {
		return f, k, why, err
	}
	b, err := s.box.Open(f.Sealed, flows.Prefix+key)
	if err == nil {
		err = json.Unmarshal(b, &k)
	}
	if err != nil {
		return f, k, why, fmt.Errorf("opening a flow: %w", err)
	}
	return f, k, why, nil
}

const errBack = "The answer of the provider does not belong to a sign-in of this browser. Begin again at the sign-in page, and finish in the same browser."

// Sweep deletes the flows that are over. It is called every ten minutes or so.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	l, err := s.listed(ctx)
	if err != nil || !slices.ContainsFunc(l.All, func(x listed) bool { return !now.Before(x.Until) }) {
		return err
	}
	err = s.store.Update(ctx, func(tx store.Tx) error {
		l, err := orZero(flowLists.Get(tx, ""))
		if err != nil {
			return err
		}
		left := []listed{}
		for _, x := range l.All {
			if now.Before(x.Until) {
				left = append(left, x)
				continue
			}
			flows.Delete(tx, x.Key)
		}
		if len(left) == 0 {
			flowLists.Delete(tx, "")
			return nil
		}
		return flowLists.Put(tx, "", flowList{left})
	})
	if err != nil {
		return fmt.Errorf("sweeping sign-ins: %w", err)
	}
	return nil
}

func (s *Service) listed(ctx context.Context) (l flowList, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		l, err = orZero(flowLists.Get(r, ""))
		return err
	})
	return l, err
}
