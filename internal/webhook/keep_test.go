package webhook_test

import (
	"reflect"
	"testing"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/webhook"
)

func TestNotificationIsKeptAsItCame(t *testing.T) {
	h := open(t, plan{})
	v := h.save(shop, config.PutInForce, 0, "clientSecret", "s-1", "webhookSecret", "hook-1")
	k, _ := v.Key("webhookSecret")
	body := event("e1", "order.made")
	n := h.receive(message{body: body, key: "hook-1", from: "198.51.100.7"})
	want := webhook.Notification{Owner: "acme:shop", ID: n.ID, Address: "shop", Received: start, Status: 200, From: "198.51.100.7", Source: "Europe",
		Verdict: webhook.OK, Signature: "X-Shop-Signature", Signer: &webhook.Signer{Entry: shop, Version: 1, Standing: webhook.Current, Key: "webhookSecret", Fingerprint: k.Fingerprint},
		ProviderID: "e1", Topic: "order.made", Account: "a-1", Happened: time.Unix(1789000000, 0).UTC(), FirstSent: time.Unix(1789000001, 0).UTC(), Attempt: 2,
		Method: "POST", ContentType: "application/json", Length: len(body), Headers: n.Headers}
	if !reflect.DeepEqual(n, want) || len(n.Headers) != 2 {
		t.Errorf("received\n%+v, want\n%+v", n, want)
	}
	h.restart()
	kept := must(h.hooks.Get(t.Context(), "acme:shop", n.ID))(t)
	if !reflect.DeepEqual(kept, want) {
		t.Errorf("kept\n%+v, want\n%+v", kept, want)
	}
	if got := must(h.hooks.Body(t.Context(), "acme:shop", n.ID))(t); string(got) != body {
		t.Errorf("the body is %s", got)
	}
	if all := h.list(webhook.Filter{}); len(all) != 1 || !reflect.DeepEqual(all[0], want) {
		t.Errorf("listed %+v", all)
	}
}
