package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/store"
	"backoffice/internal/webhook"
)

func TestRepetitionsAreRecognised(t *testing.T) {
	h := open(t, plan{})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	junk := h.receive(message{body: event("e1", "order.made"), key: "forged"}) // what nobody signed is no first one
	one := h.receive(message{body: event("e1", "order.made"), key: "s-1"})
	two := h.receive(message{body: event("e1", "order.made"), key: "s-1"})
	other := h.receive(message{body: event("e2", "order.made"), key: "s-1"})
	nameless := h.receive(message{body: `{}`, key: "s-1"})
	again := h.receive(message{body: `{}`, key: "s-1"})
	h.restart()
	three := h.receive(message{body: event("e1", "order.made"), key: "s-1"})
	for name, tt := range map[string]struct {
		n       webhook.Notification
		repeats string
	}{"junk": {junk, ""}, "first": {one, ""}, "second": {two, one.ID}, "other": {other, ""}, "nameless": {nameless, ""}, "nameless again": {again, ""}, "after a restart": {three, one.ID}} {
		if tt.n.Repeats != tt.repeats || name != "junk" && tt.n.Status != 200 {
			t.Errorf("%s repeats %q, want %q (%d)", name, tt.n.Repeats, tt.repeats, tt.n.Status)
		}
	}
	if all := h.list(webhook.Filter{Owner: string(shop), Repeated: true}); len(all) != 2 || all[0].ID != three.ID || all[1].ID != two.ID {
		t.Errorf("listed as repeated: %+v", all)
	}
}

// Of many with one id at the same moment, one is the first, and all others name it.
func TestRepetitionsAtTheSameMoment(t *testing.T) {
	h := open(t, plan{})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	var mu sync.Mutex
	firsts, repeats := map[string]bool{}, map[string]int{}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			n, err := h.send(message{body: event("same", "order.made"), key: "s-1"})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if n.Repeats == "" {
				firsts[n.ID] = true
			} else {
				repeats[n.Repeats]++
			}
		})
	}
	wg.Wait()
	if len(firsts) != 1 || len(repeats) != 1 {
		t.Fatalf("%d firsts, and %d are repeated", len(firsts), len(repeats))
	}
	for id := range firsts {
		if repeats[id] != 31 {
			t.Errorf("%d repeat the first", repeats[id])
		}
	}
}

// A first one that was not kept leaves its place to the next.
func TestFirstThatIsNotKept(t *testing.T) {
	h := open(t, plan{})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	if n := h.receive(message{body: event("e0", "order.made"), key: "s-1"}); n.Repeats != "" {
		t.Fatal(n.Repeats)
	}
	gone, cancel := context.WithCancel(t.Context())
	a, _, err := h.hooks.Route(gone, "shop")
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	body := event("e1", "order.made")
	_, err = h.hooks.Receive(gone, a, webhook.Incoming{Method: "POST", Header: h.signed(body, "s-1"), Body: []byte(body), Began: start})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a request that ended before it was kept: %v", err)
	}
	if n := h.receive(message{body: body, key: "s-1"}); n.Repeats != "" {
		t.Errorf("it repeats %s, which was not kept", n.Repeats)
	}
	if all := h.list(webhook.Filter{}); len(all) != 2 {
		t.Errorf("%d are kept", len(all))
	}
}

// One that arrives while a first one with its id is being kept waits for what
// becomes of it: if it is not kept, there is nothing to repeat.
func TestRepetitionWaitsForTheFirst(t *testing.T) {
	h := open(t, plan{plain: true})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	h.receive(message{body: event("e0", "order.made"), key: "s-1"}) // the log is in memory, and reads nothing more
	held, enough := make(chan struct{}), make(chan struct{})
	go func() { // has the turn in the store for as long as the test wants
		_ = h.db.Update(context.Background(), func(store.Tx) error { close(held); <-enough; return nil })
	}()
	<-held
	gone, cancel := context.WithCancel(t.Context())
	one, two := make(chan error, 1), make(chan webhook.Notification, 1)
	go func() { _, err := h.sendIn(gone, message{body: event("e1", "order.made"), key: "s-1"}); one <- err }()
	for !h.hooks.Expecting(string(shop), "e1") {
		runtime.Gosched()
	}
	go func() { n, _ := h.send(message{body: event("e1", "order.made"), key: "s-1"}); two <- n }()
	cancel()
	if err := <-one; !errors.Is(err, context.Canceled) {
		t.Errorf("the first one: %v", err)
	}
	close(enough)
	if n := <-two; n.ID == "" || n.Repeats != "" {
		t.Errorf("the second one is %q and repeats %q, which was not kept", n.ID, n.Repeats)
	}
}

// Under a flood no more than 1.25 times what is to be kept is there at any time,
// junk takes no good one's place, and after it the newest are there.
func TestCapsHoldInAFlood(t *testing.T) {
	const keep = 100
	h := open(t, plan{keep: webhook.Keep{Notifications: keep}, rate: -1})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	for i := range keep {
		h.receive(message{body: event(fmt.Sprint("good", i), "order.made"), key: "s-1"})
	}
	flood := func(key string) {
		var wg sync.WaitGroup
		for sender := range 8 {
			wg.Go(func() {
				for i := range 60 {
					if _, err := h.send(message{body: event(fmt.Sprint(key, sender, "-", i), "order.made"), key: key}); err != nil {
						t.Error(err)
					}
					if n := len(h.records("webhook/note/")); n > (keep+keep/5)*5/4+8 {
						t.Errorf("%d are kept in the flood", n)
					}
				}
			})
		}
		wg.Wait()
	}
	flood("junk")
	good := h.list(webhook.Filter{Verdict: webhook.OK})
	if len(good) != keep || good[0].ProviderID != "good99" || good[keep-1].ProviderID != "good0" {
		t.Errorf("after a flood of junk %d good ones are kept", len(good))
	}
	if junk := h.list(webhook.Filter{Refused: true}); len(junk) < keep/5 || len(junk) > keep/5*5/4 {
		t.Errorf("%d refused ones are kept, want about %d", len(junk), keep/5)
	}
	flood("s-1")
	if good := h.list(webhook.Filter{Verdict: webhook.OK}); len(good) < keep || len(good) > keep*5/4 {
		t.Errorf("after a flood of good ones %d are kept", len(good))
	}
	h.restart()
	if err := h.hooks.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]int{"webhook/note/": keep + keep/5, "webhook/body/": keep + keep/5, "webhook/of/acme:shop/": keep + keep/5, "webhook/span/": 1} {
		if n := len(h.records(prefix)); n != want {
			t.Errorf("%d records %s, want %d", n, prefix, want)
		}
	}
}

func TestBytesAreBounded(t *testing.T) {
	h := open(t, plan{keep: webhook.Keep{Bytes: 100_000}, rate: -1})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	for i := range 60 {
		for _, key := range []string{"s-1", "forged"} {
			h.receive(message{body: event(fmt.Sprint(i), "order.made") + strings.Repeat(" ", 10_000), key: key})
			if n := must(h.hooks.Totals(t.Context(), ""))(t); n.Bytes > 160_000 {
				t.Fatalf("%d bytes are kept", n.Bytes)
			}
		}
	}
	large := h.receive(message{body: strings.Repeat("x", 500_000), key: "s-1"}) // more than all together: the last one stays
	if err := h.hooks.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := h.hooks.Body(t.Context(), string(shop), large.ID); err != nil || len(got) != 500_000 {
		t.Errorf("the last one: %d bytes, %v", len(got), err)
	}
}

func TestSweepDropsWhatIsOld(t *testing.T) {
	h := open(t, plan{keep: webhook.Keep{Age: 30 * 24 * time.Hour}})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	h.save("mint:shop", config.PutInForce, 0, "clientSecret", "m-1")
	h.receive(message{body: event("old", "order.made"), key: "s-1"})
	h.receive(message{body: event("old", "order.made"), key: "nobody"}) // of the address that both share
	h.pass(29 * 24 * time.Hour)
	young := h.receive(message{body: event("young", "order.made"), key: "s-1"})
	h.receive(message{body: event("young", "order.made"), key: "m-1"})
	for _, restarted := range []bool{false, true} {
		if restarted {
			h.restart()
		}
		if err := h.hooks.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(h.list(webhook.Filter{})); n != 4 {
			t.Errorf("before 30 days %d are kept, want 4", n)
		}
	}
	h.pass(24*time.Hour + time.Second)
	if err := h.hooks.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := h.list(webhook.Filter{Owner: string(shop)}); len(all) != 1 || all[0].ID != young.ID {
		t.Errorf("kept: %+v", all)
	}
	for prefix, want := range map[string]int{"webhook/note/": 2, "webhook/body/": 2, "webhook/of/": 2} {
		if n := len(h.records(prefix)); n != want {
			t.Errorf("%d records %s, want %d", n, prefix, want)
		}
	}
	if n := h.receive(message{body: event("old", "order.made"), key: "s-1"}); n.Repeats != "" {
		t.Errorf("it repeats %s, which is not kept any more", n.Repeats)
	}
}

// Deleting an entry deletes what was kept of it, and what is made anew under its
// id begins with nothing. The numbers go on in memory as if nothing had happened,
// which must not show.
func TestDeletingAnEntryDeletesItsNotifications(t *testing.T) {
	h := open(t, plan{})
	h.save("mint:shop", config.PutInForce, 0, "clientSecret", "m-1")
	other := h.receive(message{body: event("e", "x"), key: "m-1"})
	for _, restarted := range []bool{false, true} {
		h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
		var last webhook.Notification
		for i := range 300 { // more than one step of a span
			last = h.receive(message{body: event(fmt.Sprint(i), "order.made"), key: "s-1"})
		}
		h.receive(message{path: "acme/shop", body: event("junk", "order.made"), key: "forged"})
		if restarted {
			h.restart()
		}
		h.delete(shop)
		if left := h.list(webhook.Filter{}); len(left) != 1 || left[0].ID != other.ID {
			t.Errorf("%d are left", len(left))
		}
		for prefix, want := range map[string]int{"webhook/note/": 1, "webhook/body/": 1, "webhook/of/": 1, "webhook/span/": 1} {
			if n := len(h.records(prefix)); n != want {
				t.Errorf("%d records %s, want %d", n, prefix, want)
			}
		}
		for what, err := range map[string]error{"Get": second(h.hooks.Get(t.Context(), string(shop), last.ID)), "Body": second(h.hooks.Body(t.Context(), string(shop), last.ID))} {
			if kind(err) != errs.NotFound {
				t.Errorf("%s of one that is deleted: %v", what, err)
			}
		}
		h.save(shop, config.PutInForce, 0, "clientSecret", "s-2")
		if n := h.receive(message{body: event("0", "order.made"), key: "s-2"}); n.Repeats != "" || n.Verdict != webhook.OK {
			t.Errorf("in an entry that was made anew: %s, repeats %q", n.Verdict, n.Repeats)
		}
		if all := h.list(webhook.Filter{Owner: string(shop)}); len(all) != 1 {
			t.Errorf("made anew it has %d", len(all))
		}
		h.delete(shop)
	}
}

func second[T any](_ T, err error) error { return err }

// What is received while its entry is deleted is kept with it or not at all.
func TestDeletingWhileReceiving(t *testing.T) {
	h := open(t, plan{plain: true})
	for range 10 {
		h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
		a, _, err := h.hooks.Route(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		body := event("", "x")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					_, err := h.hooks.Receive(t.Context(), a, webhook.Incoming{Method: "POST", Header: h.signed(body, "s-1"), Body: []byte(body), Began: start})
					if kind(err) == errs.NotFound {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		h.delete(shop)
		wg.Wait()
		if left := h.records("webhook/"); len(left) != 0 {
			t.Fatalf("%d records are left: %q", len(left), left[0])
		}
	}
}

// Everything that was acknowledged in a burst is there, also after a restart.
func TestBurst(t *testing.T) {
	h := open(t, plan{plain: true, rate: -1})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	var mu sync.Mutex
	sent := map[string]string{}
	var wg sync.WaitGroup
	for sender := range 32 {
		wg.Go(func() {
			for i := range 20 {
				body := event(fmt.Sprint(sender, "-", i), "order.made")
				n, err := h.send(message{body: body, key: "s-1"})
				if err != nil || n.Status != 200 {
					t.Error(n.Verdict, err)
				}
				mu.Lock()
				sent[n.ID] = body
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	h.restart()
	all := h.list(webhook.Filter{Owner: string(shop)})
	if len(all) != 640 || len(sent) != 640 {
		t.Fatalf("%d are kept of %d", len(all), len(sent))
	}
	for i, n := range all {
		if i > 0 && n.ID >= all[i-1].ID {
			t.Errorf("%s comes after %s", n.ID, all[i-1].ID)
		}
		if body := must(h.hooks.Body(t.Context(), string(shop), n.ID))(t); string(body) != sent[n.ID] {
			t.Errorf("%s has the body %s", n.ID, body)
		}
	}
}
