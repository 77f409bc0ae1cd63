package auth

import (
	"testing"
	"time"
)

// With a clock that goes back an hour, a wait is never longer than its bound, a
// session ends no earlier than it would have, and a code is still good only once.
func TestClockGoesBackAnHour(t *testing.T) {
	now := time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)
	locked := throttle{}
	for range freeByAccount + stepsToMax {
		locked = locked.wrong(freeByAccount, now)
	}
	if wait := locked.wait(freeByAccount, now); wait != maxWait {
		t.Fatalf("the wait is %s", wait)
	}
	for back := time.Minute; back <= 3*time.Hour; back += time.Minute {
		if wait := locked.wait(freeByAccount, now.Add(-back)); wait > 2*maxWait {
			t.Errorf("%s earlier, the wait is %s", back, wait)
		}
		if left := locked.left(now.Add(-back)); left != locked.Wrong {
			t.Errorf("%s earlier, %d of %d are left", back, left, locked.Wrong)
		}
	}
	st := NewSessionStore(nil, SessionOptions{Now: func() time.Time { return now }})
	s := Session{Created: now.Add(-time.Hour), Seen: now}
	for _, at := range []time.Duration{-time.Hour, -3 * time.Hour, 29 * time.Minute} {
		if st.expired(s, now.Add(at)) {
			t.Errorf("%s later, the session is over", at)
		}
	}
	if !st.expired(s, now.Add(31*time.Minute)) {
		t.Error("the session lasts for ever")
	}
	key := make([]byte, factorSize)
	used := stepAt(now)
	if step, ok := stepOf(key, codeAt(key, used), now.Add(-time.Hour)); ok && step > used {
		t.Error("a code that was used is good again")
	}
	if step, ok := stepOf(key, codeAt(key, used), now); !ok || step != used {
		t.Error("the code is none")
	}
}
