package webhook_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"backoffice/internal/config"
	"backoffice/internal/webhook"
)

// explained is the explanation that is kept with a notification after the answer.
func (h *house) explained(n webhook.Notification) webhook.Explanation {
	h.t.Helper()
	h.until("it is explained", func() bool {
		n = must(h.hooks.Get(h.t.Context(), n.Owner, n.ID))(h.t)
		return n.Explanation != nil
	})
	return *n.Explanation
}

// A signature in a header that the definition does not name is not kept, but it is
// looked at; later, that there was one is said.
func TestExplainedWithWhatIsNotKept(t *testing.T) {
	h := open(t, plan{})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	body := event("e1", "order.made")
	value := strings.TrimPrefix(h.signed(body, "s-1").Get("X-Shop-Signature"), "sha256=")
	n := h.receive(message{body: body, header: http.Header{"X-Other-Signature": {value}}})
	if n.Verdict != webhook.Unsigned {
		t.Fatalf("the verdict is %s", n.Verdict)
	}
	if x := h.explained(n); !slices.Equal(x.Causes, []webhook.Cause{webhook.WrongHeader}) || x.Signer == nil || !strings.Contains(x.Words, "X-Other-Signature") {
		t.Errorf("explained as %+v", x)
	}
	later := must(h.hooks.Explain(t.Context(), n.Owner, n.ID))(t)
	if !slices.Equal(later.Causes, []webhook.Cause{webhook.NoSignature}) || strings.Contains(later.Words, "No header carries a signature") ||
		!strings.Contains(later.Words, "X-Other-Signature came, whose value is not kept") {
		t.Errorf("later explained as %+v", later)
	}
	for _, line := range n.Headers {
		if strings.Contains(line.Value, value) {
			t.Errorf("%s is kept", line.Name)
		}
	}
}

// What cannot be seen in a signature is not taken out before it is explained.
func TestExplainedAsItCame(t *testing.T) {
	h := open(t, plan{})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	body := event("e1", "order.made")
	for _, odd := range []string{"\t", "\u200b", "\xa0"} {
		value := strings.Replace(h.signed(body, "s-1").Get("X-Shop-Signature"), "=", "="+odd, 1)
		n := h.receive(message{body: body, header: http.Header{"X-Shop-Signature": {value}}})
		for _, x := range []webhook.Explanation{h.explained(n), must(h.hooks.Explain(t.Context(), n.Owner, n.ID))(t)} {
			if n.Verdict != webhook.Malformed || slices.Contains(x.Causes, webhook.HoldsNow) || !slices.Contains(x.Causes, webhook.BadForm) {
				t.Errorf("with %q: %s, explained as %+v", odd, n.Verdict, x)
			}
		}
	}
}

// Of entries that share an address, what is accepted is tried before what is old.
func TestExplainTriesAcceptedOnesFirst(t *testing.T) {
	h := open(t, plan{})
	vendors := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for _, v := range vendors {
		for _, s := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18"} {
			h.save(config.ID(v+":shop"), config.PutInForce, 0, "clientSecret", v+s, "webhookSecret", v+"w"+s)
		}
	}
	body := event("e1", "order.made")
	n := h.receive(message{body: strings.ReplaceAll(body, `,"`, `, "`), header: h.signed(body, "h18")})
	if x := h.explained(n); !slices.Equal(x.Causes, []webhook.Cause{webhook.ChangedBody}) || x.Signer == nil || x.Signer.Entry != "h:shop" {
		t.Errorf("explained as %+v", x)
	}
}

// Who once saw an accepted notification can send it again and again. That takes no
// place of others, and does not make up for what it sends unsigned.
func TestRepetitionsTakeNoPlace(t *testing.T) {
	const keep = 50
	h := open(t, plan{keep: webhook.Keep{Notifications: keep}, rate: 1000})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	for i := range keep {
		h.receive(message{body: event(fmt.Sprint("good", i), "order.made"), key: "s-1"})
	}
	for range 2 * keep {
		if n := h.receive(message{body: event("good7", "order.made"), key: "s-1"}); n.Verdict != webhook.OK || n.Repeats == "" {
			t.Fatalf("%s, repeats %q", n.Verdict, n.Repeats)
		}
	}
	for range 2 {
		firsts := 0
		for _, n := range h.list(webhook.Filter{Verdict: webhook.OK}) {
			if n.Repeats == "" {
				firsts++
			}
		}
		if firsts != keep {
			t.Errorf("%d of %d are left", firsts, keep)
		}
		if n := len(h.list(webhook.Filter{Repeated: true})); n < keep/5 || n > keep/5*5/4 {
			t.Errorf("%d repetitions are kept, want about %d", n, keep/5)
		}
		h.restart()
	}
	turned := 0
	for i := range 100 {
		if _, ok := h.hooks.Admit("198.51.100.9"); !ok {
			turned++
		}
		key := "forged"
		if i%5 == 0 {
			key = "s-1"
		}
		h.receive(message{body: event("good7", "order.made"), key: key, from: "198.51.100.9"})
	}
	if turned < 50 {
		t.Errorf("%d of 100 requests were turned away", turned)
	}
}

// How many entries share an address makes no notification cost more than it may. What
// was not tried is said, and what holds is found afterwards.
func TestWorkOfOneNotificationIsBounded(t *testing.T) {
	h := open(t, plan{rate: -1, plain: true})
	const entries = 70 // two secrets each, over a body of the greatest length: more than may be hashed
	for i := range entries {
		h.save(config.ID(fmt.Sprintf("v%02d:shop", i)), config.PutInForce, 0, "clientSecret", fmt.Sprint("c-", i), "webhookSecret", fmt.Sprint("w-", i))
	}
	long := event("e1", "order.made") + strings.Repeat(" ", webhook.MaxBody-200)
	if n := h.receive(message{body: long, key: "c-0"}); n.Verdict != webhook.OK || n.Untried != 0 {
		t.Errorf("signed by the first: %s, %d untried", n.Verdict, n.Untried)
	}
	n := h.receive(message{body: long, key: "c-69"})
	if n.Verdict != webhook.Mismatch || n.Status != 401 || n.Untried < 1 || n.Untried > 20 {
		t.Errorf("signed by the last: %s, %d, %d untried", n.Verdict, n.Status, n.Untried)
	}
	if n := h.receive(message{body: long, key: "c-69", path: "v69/shop"}); n.Verdict != webhook.OK {
		t.Errorf("at its own address: %s", n.Verdict)
	}
	if n := h.receive(message{body: event("e2", "order.made"), key: "c-69"}); n.Verdict != webhook.OK {
		t.Errorf("a short one: %s", n.Verdict)
	}
	x := must(h.hooks.Explain(t.Context(), n.Owner, n.ID))(t)
	if strings.Contains(x.Words, "No secret known here") || !strings.Contains(x.Words, "were not tried") || !strings.Contains(x.Remedy, "fewer entries share") {
		t.Errorf("explained as %+v", x)
	}
}
