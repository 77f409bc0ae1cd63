package webhook_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/secret"
	"backoffice/internal/webhook"
)

// BenchmarkReceive has 64 senders at a time, without a network:
//
//	go test ./internal/webhook -run - -bench Receive -cpuprofile cpu.prof
func BenchmarkReceive(b *testing.B) {
	h := open(b, plan{plain: true, rate: -1})
	h.save(shop, config.PutInForce, 0, "clientSecret", "s-1")
	a, ok, err := h.hooks.Route(b.Context(), "shop")
	if err != nil || !ok {
		b.Fatal(ok, err)
	}
	var id atomic.Int64
	before := h.db.Stats()
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	left := atomic.Int64{}
	left.Store(int64(b.N))
	for range 64 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				body := []byte(event(fmt.Sprint(id.Add(1)), "order.made") + strings.Repeat(" ", 400))
				header := webhook.Sign(h.scheme(0), secret.NewText("s-1"), body, start)
				header.Set("Content-Type", "application/json")
				header.Set("User-Agent", "sender/1.0")
				if n, err := h.hooks.Receive(b.Context(), a, webhook.Incoming{Method: "POST", From: "192.0.2.9", Header: header, Body: body, Began: time.Now()}); err != nil || !n.Good() {
					b.Error(n.Verdict, err)
				}
			}
		})
	}
	wg.Wait()
	after := h.db.Stats()
	b.ReportMetric(float64(after.Updates-before.Updates)/float64(after.Commits-before.Commits), "updates/commit")
}
