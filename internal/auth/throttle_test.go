package auth

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// waits are the seconds before attempts 1, 2, … after the free ones.
var waits = []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900}

// Guesses for one account, each from another address: known or not, the same.
func TestWaitGrowsByAccount(t *testing.T) {
	for _, email := range []string{owner, "nobody@acme.example"} {
		w, _ := withOwner(t)
		n := 0
		addr := func() string { n++; return fmt.Sprintf("10.%d.%d.1", n/250, n%250) }
		for i := range freeByAccount {
			if _, err := w.signIn(addr(), email, "wrong"); !errs.Is(err, errs.Invalid) {
				t.Fatalf("%s: free attempt %d: %v", email, i+1, err)
			}
		}
		w.checkWaits(t, email, addr)
	}
}

// Guesses from one address, each for another account.
func TestWaitGrowsByAddress(t *testing.T) {
	for _, same := range [][]string{{abroad}, {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "[2001:db8:1:2::7]:4711"}, {"::ffff:10.1.1.1", "10.1.1.1", "10.1.1.1:99"}} {
		w, _ := withOwner(t)
		n := 0
		addr := func() string { n++; return same[n%len(same)] }
		for i := range freeByAddress {
			if _, err := w.signIn(addr(), fmt.Sprintf("x%d@acme.example", i), "wrong"); !errs.Is(err, errs.Invalid) {
				t.Fatalf("free attempt %d: %v", i+1, err)
			}
		}
		if _, err := w.signIn("2001:db8:1:3::1", owner, password); err != nil {
			t.Errorf("another address has to wait too: %v", err)
		}
		w.checkWaits(t, "", addr)
	}
}

// checkWaits fails the attempts after the free ones. Each is refused until the
// very end of its wait, even with the right password, and costs no wait.
func (w *world) checkWaits(t *testing.T, email string, addr func() string) {
	t.Helper()
	account := func(i int) string {
		if email == "" {
			return fmt.Sprintf("y%d@acme.example", i)
		}
		return email
	}
	for i, seconds := range waits {
		wait := time.Duration(seconds) * time.Second
		w.clock.add(wait - 1)
		for _, pass := range []string{password, "wrong", "wrong"} {
			_, err := w.signIn(addr(), account(i), pass)
			if kind, msg := errs.Of(err); kind != errs.TooMany || msg != "Too many wrong attempts. Try again in 1 second." {
				t.Fatalf("before the end of wait %d: %v", i, err)
			}
		}
		w.clock.add(1)
		if _, err := w.signIn(addr(), account(i), "wrong"); !errs.Is(err, errs.Invalid) {
			t.Fatalf("after wait %d of %v: %v", i, wait, err)
		}
	}
	if _, err := w.signIn(addr(), account(99), password); !strings.Contains(fmt.Sprint(err), "Try again in 15 minutes.") {
		t.Errorf("in the longest wait: %v", err)
	}
}

// A count gets smaller by itself, and a right password clears the account's but
// not the address's.
func TestCountsRecover(t *testing.T) {
	w, _ := withOwner(t)
	for range freeByAccount - 1 {
		_, _ = w.signIn(abroad, owner, "wrong")
	}
	if _, err := w.signIn(abroad, owner, password); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * (freeByAccount - 1) {
		if i == freeByAccount-1 {
			w.clock.add(freeByAccount * forgiveAfter)
		}
		if _, err := w.signIn(home, owner, "wrong"); !errs.Is(err, errs.Invalid) {
			t.Errorf("attempt %d after a right password: %v", i+1, err)
		}
	}
	for i := range freeByAddress { // those of the beginning are forgiven by now
		if _, err := w.signIn(abroad, fmt.Sprint("x", i), "wrong"); !errs.Is(err, errs.Invalid) {
			t.Errorf("attempt %d from the address: %v", i+1, err)
		}
		if _, err := w.signIn(abroad, owner, password); i < freeByAddress-1 && err != nil {
			t.Errorf("the right password after attempt %d: %v", i+1, err)
		}
	}
	if _, err := w.signIn(abroad, owner, password); !errs.Is(err, errs.TooMany) {
		t.Errorf("right passwords cleared the count of the address: %v", err)
	}

	full := throttle{Wrong: freeByAccount + stepsToMax, Last: w.clock.t}
	for _, tt := range []struct {
		t    throttle
		add  time.Duration
		wait time.Duration
		left int
	}{
		{full, 0, maxWait, 15},
		{full, 14 * time.Minute, time.Minute, 15},
		{full, maxWait, 0, 14},
		{full, 15 * forgiveAfter, 0, 0},
		{full, math.MaxInt64, 0, 0},
		{full, -time.Minute, 16 * time.Minute, 15},
		{full, -time.Hour, 0, 15}, // the clock was wrong when it was written
		{throttle{Wrong: freeByAccount - 1, Last: w.clock.t}, 0, 0, 4},
		{throttle{Wrong: freeByAccount, Last: w.clock.t}, 0, time.Second, 5},
		{throttle{Wrong: math.MaxInt, Last: w.clock.t}, 0, maxWait, math.MaxInt},
		{throttle{}, 0, 0, 0},
	} {
		now := w.clock.t.Add(tt.add)
		if wait, left := tt.t.wait(freeByAccount, now), tt.t.left(now); wait != tt.wait || left != tt.left {
			t.Errorf("%+v after %v: wait %v, left %d; want %v, %d", tt.t, tt.add, wait, left, tt.wait, tt.left)
		}
	}
	if got := full.wrong(freeByAccount, w.clock.t); got != full {
		t.Errorf("the count goes on rising: %+v", got)
	}
}

// Nobody is locked out by somebody else's guesses.
func TestKnownAddressHasItsOwnCount(t *testing.T) {
	w, _ := withOwner(t)
	if _, err := w.signIn(home, owner, password); err != nil {
		t.Fatal(err)
	}
	for i, wait := range append([]int{0, 0, 0, 0, 0}, waits...) {
		w.clock.add(time.Duration(wait) * time.Second)
		_, _ = w.signIn(fmt.Sprint("10.0.0.", i), owner, "wrong")
	}
	if _, err := w.signIn(abroad, owner, password); !errs.Is(err, errs.TooMany) {
		t.Errorf("from a new address during an attack: %v", err)
	}
	if _, err := w.signIn(home, owner, password); err != nil {
		t.Errorf("from home during an attack: %v", err)
	}
	if _, err := w.signIn(abroad, owner, password); !errs.Is(err, errs.TooMany) {
		t.Errorf("the sign-in from home gave the attacker new attempts: %v", err)
	}
	for range freeByAccount {
		_, _ = w.signIn(home, owner, "wrong")
	}
	if _, err := w.signIn(home, owner, password); !errs.Is(err, errs.TooMany) {
		t.Errorf("wrong passwords from home are free: %v", err)
	}
	w.clock.add(maxWait)
	for range 2 * maxKnown { // one place, once
		if _, err := w.signIn(home, owner, password); err != nil {
			t.Fatal(err)
		}
	}
	if known := w.known(t); len(known.MACs) != 1 {
		t.Errorf("%d known addresses, want 1", len(known.MACs))
	}
	for i := range maxKnown {
		if _, err := w.signIn(fmt.Sprint("192.0.2.", i), owner, password); err != nil {
			t.Fatal(err)
		}
	}
	if known := w.known(t); len(known.MACs) != maxKnown || slices.Contains(known.MACs, w.mac("known\x00"+home)) {
		t.Errorf("after %d other addresses: %d known, with home among them", maxKnown, len(known.MACs))
	}
}

// known is what is remembered of the owner's addresses.
func (w *world) known(t *testing.T) (k knownNetworks) {
	t.Helper()
	a, err := w.find(t.Context(), owner)
	if err == nil {
		err = w.store.View(t.Context(), func(r store.Reader) (err error) { k, err = knowns.Get(r, a.ID); return err })
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Many guesses at the same moment are evaluated before the first is counted.
// They are answered as if they had come one after the other.
func TestGuessesAtOnce(t *testing.T) {
	w, _ := withOwner(t)
	var invalid, tooMany atomic.Int32
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			switch _, err := w.signIn(abroad, owner, "wrong"); kindOf(err) {
			case errs.Invalid:
				invalid.Add(1)
			case errs.TooMany:
				tooMany.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if invalid.Load() != freeByAccount || tooMany.Load() != 40-freeByAccount {
		t.Errorf("%d answered, %d refused; want %d answered", invalid.Load(), tooMany.Load(), freeByAccount)
	}
	if n := len(w.events()); n != 1+freeByAccount+1 {
		t.Errorf("%d events; want the set-up, %d answers and one refusal", n, freeByAccount)
	}
}

// A right guess that was evaluated while others used up the free attempts.
func TestRightGuessIsWithheld(t *testing.T) {
	w, _ := withOwner(t)
	a, err := w.find(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	g := guess{account: a, failure: audit.Event{Action: audit.SignInFailed, Actor: audit.Actor{Addr: home}}, password: secret.NewText(password), wrong: errWrong}
	right, _, err := w.evaluate(t.Context(), &g, owner)
	if !right || err != nil {
		t.Fatalf("evaluate = %v, %v", right, err)
	}
	for range freeByAccount {
		_, _ = w.signIn(abroad, owner, "wrong")
	}
	if err := w.settle(t.Context(), g, right, w.clock.t, nil); !errs.Is(err, errs.TooMany) {
		t.Errorf("settle = %v", err)
	}
}

// An attack stays visible in the log, and cannot fill it.
func TestOneRefusedAttemptAWaitIsRecorded(t *testing.T) {
	w, _ := withOwner(t)
	for range freeByAccount {
		_, _ = w.signIn(abroad, owner, "wrong")
	}
	if e := w.lastEvent(); e.Note != "Wrong password. The next attempt has to wait 1 second." {
		t.Errorf("the event that begins a wait says %q", e.Note)
	}
	for _, wait := range waits[:4] {
		before := len(w.events())
		for range 10 {
			_, _ = w.signIn(abroad, owner, "wrong")
		}
		if n := len(w.events()) - before; n != 1 {
			t.Errorf("%d events in one wait, want 1", n)
		}
		want := audit.Event{Time: w.clock.t, Actor: audit.Actor{Addr: abroad, RequestID: "r1"}, Action: audit.SignInFailed, Target: owner, Outcome: audit.Refused,
			Note: "Not evaluated: after wrong attempts it has to wait. Further attempts in this wait are not recorded."}
		if e := w.lastEvent(); !sameEvent(e, want) {
			t.Errorf("event %+v, want %+v", e, want)
		}
		w.clock.add(time.Duration(wait) * time.Second)
		_, _ = w.signIn(abroad, owner, "wrong")
	}
}

// During a wait no password is hashed, so an attack costs the program little.
func TestWaitingIsCheap(t *testing.T) {
	w, _ := withOwner(t)
	for range freeByAccount {
		_, _ = w.signIn(abroad, owner, "wrong")
	}
	w.fillQueue()
	for range 2 {
		if _, err := w.signIn(abroad, owner, password); !errs.Is(err, errs.TooMany) {
			t.Errorf("in the wait: %v", err)
		}
	}
	w.clock.add(time.Second)
	if _, err := w.signIn(abroad, owner, password); !errs.Is(err, errs.Unavailable) {
		t.Errorf("after the wait: %v", err)
	}
}

// Two people in one office do not share a count.
func TestKnownAddressOfTwo(t *testing.T) {
	w, u := withOwner(t)
	a, err := w.account(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	a.ID, a.Email = newID(), "other@acme.example"
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { return addAccount(tx, a) }); err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{owner, a.Email} {
		if _, err := w.signIn(home, email, password); err != nil {
			t.Fatal(err)
		}
	}
	for range freeByAccount {
		_, _ = w.signIn(home, owner, "wrong")
	}
	if _, err := w.signIn(home, owner, password); !errs.Is(err, errs.TooMany) {
		t.Errorf("who was wrong: %v", err)
	}
	if _, err := w.signIn(home, a.Email, password); err != nil {
		t.Errorf("the other: %v", err)
	}
}

func TestSweepOfThrottles(t *testing.T) {
	w, _ := withOwner(t)
	const prefix = "auth/throttle/"
	for i := range sweepBatch + 3 { // two counts each
		_, _ = w.signIn(fmt.Sprintf("10.0.%d.%d", i/250, i%250), fmt.Sprintf("x%d@acme.example", i), "wrong")
	}
	w.clock.add(forgiveAfter - 1)
	_, _ = w.signIn(abroad, owner, "wrong")
	count := func() int {
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		return strings.Count(w.dump(), prefix)
	}
	if n := count(); n != 2*(sweepBatch+3)+2 {
		t.Errorf("%d counts before they are forgiven", n)
	}
	w.clock.add(1)
	if n := count(); n != 2 {
		t.Errorf("%d counts, want the two of the last attempt", n)
	}
	w.clock.add(forgiveAfter)
	if n := count(); n != 0 {
		t.Errorf("%d counts in the end", n)
	}
}

func TestInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1: "1 second", time.Second: "1 second", time.Second + 1: "2 seconds", 59 * time.Second: "59 seconds", 59*time.Second + 1: "1 minute",
		time.Minute: "1 minute", time.Minute + 1: "2 minutes", maxWait: "15 minutes",
	} {
		if got := inWords(d); got != want {
			t.Errorf("inWords(%v) = %q, want %q", d, got, want)
		}
	}
}
