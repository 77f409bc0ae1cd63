package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// A throttle counts the wrong passwords for one account or from one address.
// The first few are free; then each doubles the wait before the next attempt,
// from one second up to maxWait. For every forgiveAfter without a wrong one, one
// is forgiven; a right password clears the account's count, but not the
// address's, or somebody with one account could clear it at will.
//
// Nobody can lock an account out for good: a wait ends by itself, and an address
// from which the person has signed in before has a count of its own, which
// strangers cannot raise. From a new address a person may have to wait, at most
// maxWait, for as long as somebody keeps guessing.
//
// An attempt during a wait is not evaluated, so it neither tells anything nor
// lengthens the wait. The first one in each wait is recorded, the others are
// not: an attacker must not be able to fill the log at the speed of requests.
type throttle struct {
	Wrong   int       `json:"wrong"`
	Last    time.Time `json:"last"`              // when the last wrong one came
	Refused bool      `json:"refused,omitempty"` // an attempt in this wait has been recorded
}

const (
	freeByAccount = 5
	freeByAddress = 20
	maxWait       = 15 * time.Minute
	forgiveAfter  = 15 * time.Minute
	stepsToMax    = 10 // 1 s doubled so often is over maxWait
)

var throttles = store.Table[throttle]{Prefix: "auth/throttle/"}

// wait is how long the next attempt has to wait at now.
func (t throttle) wait(free int, now time.Time) time.Duration {
	if t.Wrong < free || t.Last.After(now.Add(maxWait)) { // a clock that was wrong must not lock anybody out
		return 0
	}
	total := min(time.Second<<min(t.Wrong-free, stepsToMax), maxWait)
	return max(0, t.Last.Add(total).Sub(now))
}

// left is how many wrong ones are not forgiven at now.
func (t throttle) left(now time.Time) int {
	return max(0, t.Wrong-int(max(0, now.Sub(t.Last))/forgiveAfter))
}

// wrong is t after one more wrong password.
func (t throttle) wrong(free int, now time.Time) throttle {
	return throttle{Wrong: min(t.left(now)+1, free+stepsToMax), Last: now}
}

// throttleKeys are the two counts that one attempt is held against.
type throttleKeys struct{ account, address string }

// each calls f for both keys with their free attempts. Without an account there is
// one.
func (k throttleKeys) each(f func(key string, free int) error) error {
	if k.account == "" {
		return f(k.address, freeByAddress)
	}
	return errors.Join(f(k.account, freeByAccount), f(k.address, freeByAddress))
}

// throttleKeys hides the typed e-mail address behind the installation's MAC. An
// unknown address is counted like a known one, or the difference would tell.
func (s *Service) throttleKeys(email, network string, known bool) throttleKeys {
	account := "account\x00" + email
	if known {
		account = "account from\x00" + network + "\x00" + email
	}
	return throttleKeys{account: s.mac(account), address: s.mac("address\x00" + network)}
}

func (s *Service) mac(text string) string {
	return base64.RawURLEncoding.EncodeToString(s.box.MAC("auth/throttle", []byte(text)))
}

// Network is what counts as one address: IPv6 is handed out by the /64.
func Network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if ap, perr := netip.ParseAddrPort(addr); perr == nil {
		ip, err = ap.Addr(), nil
	}
	if err != nil {
		return addr
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		prefix, _ := ip.Prefix(64) // 64 bits fit any IPv6 address
		return prefix.String()
	}
	return ip.String()
}

// waiting is the longest wait of the two counts, and whether a count that waits
// has no recorded attempt yet.
func (k throttleKeys) waiting(r getter, now time.Time) (longest time.Duration, unrecorded bool, err error) {
	err = k.each(func(key string, free int) error {
		t, err := orZero(throttles.Get(r, key))
		wait := t.wait(free, now)
		longest = max(longest, wait)
		unrecorded = unrecorded || wait > 0 && !t.Refused
		return err
	})
	return longest, unrecorded, err
}

// markRefused remembers that an attempt was recorded in the waits at now.
func (k throttleKeys) markRefused(tx store.Tx, now time.Time) error {
	return k.each(func(key string, free int) error {
		t, err := orZero(throttles.Get(tx, key))
		if err != nil || t.wait(free, now) == 0 {
			return err
		}
		t.Refused = true
		return throttles.Put(tx, key, t)
	})
}

// punish counts a wrong password, and returns how long the next has to wait.
func (k throttleKeys) punish(tx store.Tx, now time.Time) (longest time.Duration, err error) {
	err = k.each(func(key string, free int) error {
		t, err := orZero(throttles.Get(tx, key))
		if err != nil {
			return err
		}
		t = t.wrong(free, now)
		longest = max(longest, t.wait(free, now))
		return throttles.Put(tx, key, t)
	})
	return longest, err
}

// tooMany says how long to wait. The words are the same whichever count it was.
func tooMany(wait time.Duration) error {
	return errs.Newf(errs.TooMany, "Too many wrong attempts. Try again in %s.", inWords(wait))
}

// inWords rounds up, so that who waits so long has waited long enough.
func inWords(d time.Duration) string {
	n, unit := int((d+time.Second-1)/time.Second), "second"
	if n >= 60 {
		n, unit = int((d+time.Minute-1)/time.Minute), "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// Sweep deletes the counts in which everything is forgiven, and the invitations
// that have ended. It is called every hour or so; without it they would only take
// room.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	err := sweeper[throttle]{
		store: s.store,
		table: throttles,
		gone:  func(t throttle) bool { return t.left(now) == 0 || t.Last.After(now.Add(maxWait)) },
		drop:  func(tx store.Tx, id string, _ throttle) error { throttles.Delete(tx, id); return nil },
	}.sweep(ctx)
	if err != nil {
		return fmt.Errorf("sweeping the sign-in throttles: %w", err)
	}
	return wrap("sweeping the invitations", s.sweepInvitations(ctx))
}
