package webhook_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/webhook"
)

// rotated is an entry whose secrets stand everywhere: version 1 is older, 2 previous until
// an hour from now, 3 current, 4 pending.
func rotated(t *testing.T, p plan) *house {
	h := open(t, p)
	h.save(shop, config.PutInForce, 0, "clientSecret", "c-1", "webhookSecret", "w-1")
	h.save(shop, config.PutInForce, time.Hour, "clientSecret", "c-2", "webhookSecret", "w-2")
	h.save(shop, config.PutInForce, time.Hour, "clientSecret", "c-3", "webhookSecret", "w-3")
	h.save(shop, config.Pend, 0, "clientSecret", "c-4", "webhookSecret", "w-4")
	return h
}

func TestVerdictAndStanding(t *testing.T) {
	bad := http.Header{"X-Shop-Signature": {"sha256=nothing"}}
	for _, tt := range []struct {
		name     string
		key      string
		header   http.Header
		stamped  time.Duration // before now, if not 0: signed with the second scheme
		after    time.Duration
		verdict  webhook.Verdict
		status   int
		version  int // of the signer; 0: nobody
		standing webhook.Standing
		signedBy string
	}{
		{"current, first key", "w-3", nil, 0, 0, webhook.OK, 200, 3, webhook.Current, "webhookSecret"},
		{"current, second key", "c-3", nil, 0, 0, webhook.OK, 200, 3, webhook.Current, "clientSecret"},
		{"previous", "w-2", nil, 0, 0, webhook.OK, 200, 2, webhook.Previous, "webhookSecret"},
		{"previous, second key", "c-2", nil, 0, 0, webhook.OK, 200, 2, webhook.Previous, "clientSecret"},
		{"previous, just before its deadline", "w-2", nil, 0, time.Hour - 1, webhook.OK, 200, 2, webhook.Previous, "webhookSecret"},
		{"previous, at its deadline", "w-2", nil, 0, time.Hour, webhook.Mismatch, 401, 0, "", ""},
		{"pending", "w-4", nil, 0, 0, webhook.OK, 200, 4, webhook.Pending, "webhookSecret"},
		{"pending, second key", "c-4", nil, 0, 0, webhook.OK, 200, 4, webhook.Pending, "clientSecret"},
		{"pending, long after", "w-4", nil, 0, 1000 * time.Hour, webhook.OK, 200, 4, webhook.Pending, "webhookSecret"},
		{"older", "w-1", nil, 0, 0, webhook.Mismatch, 401, 0, "", ""},
		{"nobody's", "x", nil, 0, 0, webhook.Mismatch, 401, 0, "", ""},
		{"malformed", "", bad, 0, 0, webhook.Malformed, 401, 0, "", ""},
		{"unsigned", "", nil, 0, 0, webhook.Unsigned, 401, 0, "", ""},
		{"in time", "w-3", nil, 4 * time.Minute, 0, webhook.OK, 200, 3, webhook.Current, "webhookSecret"},
		{"too late", "w-3", nil, 6 * time.Minute, 0, webhook.Stale, 401, 3, webhook.Current, "webhookSecret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := rotated(t, plan{})
			h.pass(tt.after)
			m := message{body: event("e1", "order.made"), key: tt.key, header: tt.header}
			if tt.stamped != 0 {
				m.key, m.header = "", webhook.Sign(h.scheme(1), secret.NewText(tt.key), []byte(m.body), h.clock().Add(-tt.stamped))
			}
			n := h.receive(m)
			if n.Verdict != tt.verdict || n.Status != tt.status || n.Owner != string(shop) {
				t.Errorf("%s, %d, of %s; want %s, %d", n.Verdict, n.Status, n.Owner, tt.verdict, tt.status)
			}
			if tt.version == 0 {
				if n.Signer != nil {
					t.Errorf("signed by %+v", n.Signer)
				}
				return
			}
			if s := n.Signer; s == nil || s.Version != tt.version || s.Standing != tt.standing || s.Key != tt.signedBy || s.Entry != shop ||
				(tt.standing == webhook.Previous) != s.Until.Equal(start.Add(time.Hour)) {
				t.Errorf("signed by %+v, want version %d, %s, %s", s, tt.version, tt.standing, tt.signedBy)
			}
		})
	}
}

func TestEntryWithoutASecret(t *testing.T) {
	h := open(t, plan{})
	h.save(shop, config.PutInForce, 0)
	if n := h.receive(message{body: event("e1", "x"), key: "any"}); n.Verdict != webhook.NoSecret || n.Status != 401 {
		t.Errorf("%s, %d", n.Verdict, n.Status)
	}
}

// Retiring the version before ends what its secret signs at once, long before the
// deadline, and nothing else.
func TestRetireEndsASecretAtOnce(t *testing.T) {
	h := open(t, plan{})
	h.save(shop, config.PutInForce, 0, "clientSecret", "one")
	h.save(shop, config.PutInForce, time.Hour, "clientSecret", "two")
	send := func(key string) webhook.Verdict { return h.receive(message{body: event("", "x"), key: key}).Verdict }
	if a, b := send("one"), send("two"); a != webhook.OK || b != webhook.OK {
		t.Errorf("before: %s, %s", a, b)
	}
	e := must(h.config.Get(t.Context(), shop))(t)
	if _, err := h.config.Retire(t.Context(), by, config.Move{ID: shop, Revision: e.Revision, Version: 1}); err != nil {
		t.Fatal(err)
	}
	if a, b := send("one"), send("two"); a != webhook.Mismatch || b != webhook.OK {
		t.Errorf("after: %s, %s", a, b)
	}
	h.restart()
	if a, b := send("one"), send("two"); a != webhook.Mismatch || b != webhook.OK {
		t.Errorf("after a restart: %s, %s", a, b)
	}
}

// What is accepted follows the entry, without a restart.
func TestSecretsFollowTheEntry(t *testing.T) {
	h := open(t, plan{})
	h.save(shop, config.PutInForce, 0, "clientSecret", "one")
	send := func(key string) webhook.Verdict { return h.receive(message{body: event("", "x"), key: key}).Verdict }
	if v := send("one"); v != webhook.OK {
		t.Errorf("before the rotation: %s", v)
	}
	h.save(shop, config.PutInForce, time.Hour, "clientSecret", "two")
	if a, b := send("one"), send("two"); a != webhook.OK || b != webhook.OK {
		t.Errorf("after it: %s, %s", a, b)
	}
	signers := must(h.hooks.Signers(t.Context(), shop))(t)
	if len(signers) != 2 || signers[0].Standing != webhook.Current || signers[0].Version != 2 || signers[1].Standing != webhook.Previous {
		t.Errorf("signers %+v", signers)
	}
	h.pass(time.Hour)
	if a, b := send("one"), send("two"); a != webhook.Mismatch || b != webhook.OK {
		t.Errorf("after the deadline: %s, %s", a, b)
	}
	if signers := must(h.hooks.Signers(t.Context(), shop))(t); len(signers) != 1 {
		t.Errorf("signers after the deadline %+v", signers)
	}
	h.delete(shop)
	if _, err := h.send(message{body: "x"}); err == nil || !strings.Contains(err.Error(), "nobody is at") {
		t.Errorf("after the entry was deleted: %v", err)
	}
}

func TestVendorsShareAService(t *testing.T) {
	h := open(t, plan{})
	h.save("acme:shop", config.PutInForce, 0, "clientSecret", "acme-1")
	own, shared, err := h.hooks.Addresses(t.Context(), "acme:shop")
	if own != "shop" || len(shared) != 0 || err != nil {
		t.Errorf("alone: %s, %v, %v", own, shared, err)
	}
	h.save("mint:shop", config.PutInForce, 0, "clientSecret", "mint-1")
	own, shared, err = h.hooks.Addresses(t.Context(), "acme:shop")
	if own != "acme/shop" || len(shared) != 1 || shared[0] != "mint:shop" || err != nil {
		t.Errorf("together: %s, %v, %v", own, shared, err)
	}
	for _, tt := range []struct {
		path, key, owner string
		verdict          webhook.Verdict
	}{
		{"shop", "acme-1", "acme:shop", webhook.OK},
		{"shop", "mint-1", "mint:shop", webhook.OK},
		{"shop", "other", "shop", webhook.Mismatch},
		{"shop", "", "shop", webhook.Unsigned},
		{"acme/shop", "acme-1", "acme:shop", webhook.OK},
		{"acme/shop", "mint-1", "acme:shop", webhook.Mismatch},
		{"mint/shop", "mint-1", "mint:shop", webhook.OK},
		{"mint/shop", "", "mint:shop", webhook.Unsigned},
	} {
		n := h.receive(message{path: tt.path, body: event("", "x"), key: tt.key})
		if n.Owner != tt.owner || n.Verdict != tt.verdict || n.Address != tt.path {
			t.Errorf("%s signed with %q: %s of %s at %s, want %s of %s", tt.path, tt.key, n.Verdict, n.Owner, n.Address, tt.verdict, tt.owner)
		}
		if got, err := h.hooks.Get(t.Context(), tt.owner, n.ID); err != nil || got.Owner != tt.owner {
			t.Errorf("kept of %s: %v", tt.owner, err)
		}
		if _, err := h.hooks.Get(t.Context(), "other:shop", n.ID); kind(err) != errs.NotFound {
			t.Errorf("found under another owner: %v", err)
		}
	}
	for owner, want := range map[string]int{"acme:shop": 3, "mint:shop": 3, "shop": 2, "": 8} {
		if got := h.list(webhook.Filter{Owner: owner}); len(got) != want {
			t.Errorf("%q has %d, want %d", owner, len(got), want)
		}
	}
	for _, path := range []string{"", "shops", "acme", "other/shop", "acme/shop/x", "acme:shop", "shop/acme", "gitlab"} {
		if _, ok, err := h.hooks.Route(t.Context(), path); ok || err != nil {
			t.Errorf("somebody is at %q (%v)", path, err)
		}
	}
}

// An explanation comes by itself after the answer, is kept, and can be asked for.
func TestRefusedOnesAreExplained(t *testing.T) {
	h := rotated(t, plan{})
	h.pass(2 * time.Hour)
	n := h.receive(message{body: event("e1", "order.made"), key: "w-2"})
	var kept webhook.Notification
	h.until("it is explained", func() bool {
		kept = must(h.hooks.Get(t.Context(), n.Owner, n.ID))(t)
		return kept.Explanation != nil
	})
	now := must(h.hooks.Explain(t.Context(), n.Owner, n.ID))(t)
	for _, x := range []webhook.Explanation{*kept.Explanation, now} {
		if len(x.Causes) != 1 || x.Causes[0] != webhook.ExpiredSecret || x.Signer == nil || x.Signer.Version != 2 || x.Signer.Standing != webhook.Expired {
			t.Errorf("explained as %+v, signer %+v", x, x.Signer)
		}
	}
	older := h.receive(message{body: event("e2", "order.made"), key: "w-1"})
	if x := must(h.hooks.Explain(t.Context(), older.Owner, older.ID))(t); x.Signer == nil || x.Signer.Version != 1 || x.Signer.Standing != webhook.Older {
		t.Errorf("explained as %+v, signer %+v", x, x.Signer)
	}
	if _, err := h.hooks.Explain(t.Context(), n.Owner, "0000000000000000"); kind(err) != errs.NotFound {
		t.Errorf("explaining nothing: %v", err)
	}
}
