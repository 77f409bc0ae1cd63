package auth

import (
	"slices"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
)

// A purpose is what a passkey is asked for. An answer to one is none to another.
type purpose int

const (
	toSignIn  purpose = iota + 1 // alone, by whoever it belongs to
	toSecond                     // after the password
	toConfirm                    // by who is signed in
	toAdd
)

// A ceremony is one question to a passkey: what was asked, and in which browser
// session.
type ceremony struct {
	purpose purpose
	binding string // of the browser session that began it
	user    string // id of the account that is asked; "" at a sign-in with a passkey alone
	name    string // of the passkey that is being made
	source  string // whose room it takes: a network, or an account
	began   time.Time
	data    webauthn.SessionData
}

// ceremonies keeps what passkeys were asked until the answer comes. They are in
// memory: visitors begin them, and visitors write nothing into the store. There are
// at most maxOpen, and at most maxOpenEach of one source; the oldest give way. When
// the program starts again, who was about to answer is told to try again. It is
// safe for concurrent use.
type ceremonies struct {
	mu  sync.Mutex
	all []ceremony // the one that began first, first
}

const (
	ceremonyFor = 5 * time.Minute
	maxOpen     = 4096
	maxOpenEach = 64
)

// begin keeps c.
func (cs *ceremonies) begin(c ceremony) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	same := 0
	cs.all = slices.DeleteFunc(cs.all, func(o ceremony) bool {
		over := c.began.Sub(o.began) >= ceremonyFor
		if !over && o.source == c.source {
			same++
		}
		return over
	})
	if same >= maxOpenEach || len(cs.all) >= maxOpen {
		oldest := max(0, slices.IndexFunc(cs.all, func(o ceremony) bool { return same < maxOpenEach || o.source == c.source }))
		cs.all = slices.Delete(cs.all, oldest, oldest+1)
	}
	cs.all = append(cs.all, c)
}

// take ends the ceremony with the challenge, and returns it if it is open still, was
// begun for p, and in the browser session with the binding. Whatever the answer is,
// there is no second one.
func (cs *ceremonies) take(challenge string, p purpose, binding string, now time.Time) (ceremony, bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for i, c := range cs.all {
		if c.data.Challenge != challenge {
			continue
		}
		cs.all = slices.Delete(cs.all, i, i+1)
		return c, c.purpose == p && c.binding == binding && binding != "" && now.Sub(c.began) < ceremonyFor
	}
	return ceremony{}, false
}
