package webhook_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/webhook"
)

// shelves is a house with six notifications, a minute apart, of three owners.
func shelves(t *testing.T) (*house, []webhook.Notification) {
	h := open(t, plan{})
	h.save("acme:shop", config.PutInForce, 0, "clientSecret", "a-1")
	h.save("mint:shop", config.PutInForce, 0, "clientSecret", "m-1")
	var all []webhook.Notification
	for _, m := range []message{
		{body: event("e0", "order.made"), key: "a-1"},
		{body: event("e0", "order.made"), key: "a-1"},
		{body: event("e2", "order.paid"), key: "m-1"},
		{body: event("e3", "bill.sent"), key: "x"},
		{body: `{"id":"e4","topic":"order.made","account":"a-2"}`, key: "a-1"},
		{path: "acme/shop", body: event("e5", "order.paid")},
	} {
		all = append(all, h.receive(m))
		h.pass(time.Minute)
	}
	return h, all
}

func TestListFilters(t *testing.T) {
	h, all := shelves(t)
	for _, tt := range []struct {
		name   string
		filter webhook.Filter
		want   []int // newest first
	}{
		{"all", webhook.Filter{}, []int{5, 4, 3, 2, 1, 0}},
		{"an entry", webhook.Filter{Owner: "acme:shop"}, []int{5, 4, 1, 0}},
		{"another", webhook.Filter{Owner: "mint:shop"}, []int{2}},
		{"the address", webhook.Filter{Owner: "shop"}, []int{3}},
		{"nobody", webhook.Filter{Owner: "none:shop"}, nil},
		{"verdict", webhook.Filter{Verdict: webhook.Unsigned}, []int{5}},
		{"verdict of an entry", webhook.Filter{Owner: "acme:shop", Verdict: webhook.OK}, []int{4, 1, 0}},
		{"refused", webhook.Filter{Refused: true}, []int{5, 3}},
		{"refused of an entry", webhook.Filter{Owner: "acme:shop", Refused: true}, []int{5}},
		{"repeated", webhook.Filter{Repeated: true}, []int{1}},
		{"topic", webhook.Filter{Topic: "order.paid"}, []int{5, 2}},
		{"topic of an entry", webhook.Filter{Owner: "acme:shop", Topic: "order.made"}, []int{4, 1, 0}},
		{"account", webhook.Filter{Account: "a-2"}, []int{4}},
		{"from", webhook.Filter{From: start.Add(4 * time.Minute)}, []int{5, 4}},
		{"to", webhook.Filter{To: start.Add(2 * time.Minute)}, []int{1, 0}},
		{"from and to of an entry", webhook.Filter{Owner: "acme:shop", From: start.Add(time.Minute), To: start.Add(5 * time.Minute)}, []int{4, 1}},
		{"before", webhook.Filter{Before: all[2].ID}, []int{1, 0}},
		{"before, of an entry", webhook.Filter{Owner: "acme:shop", Before: all[4].ID}, []int{1, 0}},
	} {
		for _, limit := range []int{1, 2, 200} {
			var got, want []string
			for _, i := range tt.want {
				want = append(want, all[i].ID)
			}
			f := tt.filter
			f.Limit = limit
			for pages := 0; ; pages++ {
				p := must(h.hooks.List(t.Context(), f))(t)
				if len(p.Notifications) > limit || p.More != (p.Next != "") || pages > 10 {
					t.Fatalf("%s: a page of %d, more %v, next %q", tt.name, len(p.Notifications), p.More, p.Next)
				}
				for _, n := range p.Notifications {
					got = append(got, n.ID)
				}
				if f.Before = p.Next; !p.More {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, %d a page: %q, want %q", tt.name, limit, got, want)
			}
		}
	}
	for _, bad := range []webhook.Filter{{Before: "x"}, {Before: "../../../../../../"}, {Owner: "a b"}, {Owner: "acme:shop/0"}} {
		if _, err := h.hooks.List(t.Context(), bad); kind(err) != errs.Invalid && kind(err) != errs.NotFound {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "x", "0000000000000000", "../config/entry/"} {
		if _, err := h.hooks.Get(t.Context(), "acme:shop", bad); kind(err) != errs.NotFound {
			t.Errorf("Get of %q: %v", bad, err)
		}
	}
}

// A page looks at a bounded number of notifications, and says where to go on.
func TestListIsBounded(t *testing.T) {
	h := open(t, plan{plain: true, rate: -1, keep: webhook.Keep{Notifications: 5000}})
	h.save("acme:shop", config.PutInForce, 0, "clientSecret", "a-1")
	rare := h.receive(message{body: event("rare", "bill.sent"), key: "a-1"})
	work := make(chan int)
	done := make(chan struct{}, 32)
	for range 32 {
		go func() {
			for i := range work {
				if _, err := h.send(message{body: event(fmt.Sprint(i), "order.made"), key: "a-1"}); err != nil {
					t.Error(err)
				}
			}
			done <- struct{}{}
		}()
	}
	for i := range 2100 {
		work <- i
	}
	close(work)
	for range 32 {
		<-done
	}
	p := must(h.hooks.List(t.Context(), webhook.Filter{Topic: "bill.sent"}))(t)
	if len(p.Notifications) != 0 || !p.More {
		t.Fatalf("the first page has %d, more %v", len(p.Notifications), p.More)
	}
	p = must(h.hooks.List(t.Context(), webhook.Filter{Topic: "bill.sent", Before: p.Next}))(t)
	if len(p.Notifications) != 1 || p.Notifications[0].ID != rare.ID || p.More {
		t.Errorf("the second page has %d, more %v", len(p.Notifications), p.More)
	}
}

func TestTotals(t *testing.T) {
	h, all := shelves(t)
	h.pass(24*time.Hour - 6*time.Minute + time.Second) // the first one is older than a day now
	for _, tt := range []struct {
		owner              string
		day, refused, kept int
		last, good         int
		topics             map[string]int
		signer             bool
	}{
		{"", 5, 2, 6, 5, 4, nil, false},
		{"acme:shop", 3, 1, 4, 5, 4, map[string]int{"order.made": 4}, true},
		{"mint:shop", 1, 0, 1, 2, 2, map[string]int{"order.paid": 2}, true},
		{"none:shop", 0, 0, 0, -1, -1, nil, false},
	} {
		got := must(h.hooks.Totals(t.Context(), tt.owner))(t)
		at := func(i int) time.Time {
			if i < 0 {
				return time.Time{}
			}
			return all[i].Received
		}
		var size int64
		for _, n := range all {
			if tt.owner == "" || n.Owner == tt.owner {
				size += int64(n.Length)
			}
		}
		if got.Day != tt.day || got.Refused != tt.refused || got.Kept != tt.kept || got.Bytes != size || !got.Last.Truncate(time.Second).Equal(at(tt.last)) ||
			!got.LastGood.Truncate(time.Second).Equal(at(tt.good)) || len(got.ByTopic) != len(tt.topics) || (got.LastSigner != nil) != tt.signer {
			t.Errorf("%q: %+v", tt.owner, got)
		}
		for topic, i := range tt.topics {
			if !got.ByTopic[topic].Equal(at(i)) {
				t.Errorf("%q: the last of %s was at %s", tt.owner, topic, got.ByTopic[topic])
			}
		}
	}
}

func TestWatch(t *testing.T) {
	h := open(t, plan{})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	ctx, cancel := context.WithCancel(t.Context())
	one, two := h.hooks.Watch(ctx), h.hooks.Watch(ctx)
	for range 3 {
		h.receive(message{body: event("e", "x"), key: "s-1"})
	}
	for _, c := range []<-chan struct{}{one, two} {
		if _, ok := <-c; !ok {
			t.Fatal("closed")
		}
		select {
		case <-c:
			t.Error("ticks that nobody took are more than one")
		default:
		}
	}
	cancel()
	for _, c := range []<-chan struct{}{one, two} {
		if _, ok := <-c; ok {
			t.Error("a tick after the end")
		}
	}
}
