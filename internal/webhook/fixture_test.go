package webhook_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
	"backoffice/internal/webhook"
)

const shop = config.ID("acme:shop")

var (
	start = time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)
	by    = audit.Actor{ID: "u1", Name: "owner@acme.example", Addr: "203.0.113.7", RequestID: "r1"}
)

// A house is the room over a real data file, with a clock of the test's own.
type house struct {
	t      testing.TB
	db     *bolt.DB
	file   string
	box    *secret.Box
	store  store.Store
	config *config.Service
	hooks  *webhook.Service
	plan   plan
	failed chan string

	mu  sync.Mutex
	now time.Time
}

// A plan is what a test's house has that is different.
type plan struct {
	keep   webhook.Keep
	rate   int
	plain  bool // not over storetest.Replay: for tests that are about speed
	public string
	allow  []string // of replays
}

func open(t testing.TB, p plan) *house {
	t.Helper()
	keys := must(secret.Generate())(t)
	_, box, err := keys.NewInstallation()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, file: filepath.Join(t.TempDir(), "backoffice.db"), box: box, now: start, plan: p, failed: make(chan string, 100)}
	h.begin()
	t.Cleanup(h.end)
	return h
}

// begin starts the program's rooms over the file.
func (h *house) begin() {
	h.t.Helper()
	h.db = must(bolt.Open(h.file))(h.t)
	h.store = storetest.Replay(h.db)
	if h.plan.plain {
		h.store = h.db
	}
	catalogue := must(must(connector.Builtin())(h.t).With("testdata/definitions"))(h.t)
	h.config = config.New(config.Options{Store: h.store, Box: h.box, Catalogue: catalogue, Now: h.clock})
	public := must(url.Parse("http://127.0.0.1:1"))(h.t)
	if h.plan.public != "" {
		public = must(url.Parse(h.plan.public))(h.t)
	}
	h.hooks = must(webhook.New(webhook.Options{Store: h.store, Box: h.box, Config: h.config, Keep: h.plan.keep, Rate: h.plan.rate, Now: h.clock, PublicURL: public,
		Guard: must(egress.New(egress.Options{Allow: h.plan.allow}))(h.t),
		Own:   must(egress.New(egress.Options{Allow: []string{public.Host}}))(h.t),
		Failed: func(what string, err error) {
			select {
			case h.failed <- fmt.Sprint(what, ": ", err):
			default:
			}
		}}))(h.t)
}

// end stops the rooms. Whatever went wrong after an answer fails the test.
func (h *house) end() {
	h.hooks.Close()
	if err := h.db.Close(); err != nil {
		h.t.Error(err)
	}
	for len(h.failed) > 0 {
		h.t.Error("after an answer:", <-h.failed)
	}
}

func (h *house) restart() {
	h.t.Helper()
	h.end()
	h.begin()
}

// must is for what a test cannot go on without.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func text(s string) config.Value { return config.TextValue(secret.NewText(s)) }

// save keeps a version with these secrets: pairs of a key and its value.
func (h *house) save(id config.ID, then config.Then, accept time.Duration, secrets ...string) config.Version {
	h.t.Helper()
	d := config.Draft{ID: id, Then: then, Accept: accept, Values: []config.Input{{Key: "clientId", Value: text("shop-1")}}}
	for i := 0; i+1 < len(secrets); i += 2 {
		d.Values = append(d.Values, config.Input{Key: secrets[i], Secret: true, Value: text(secrets[i+1])})
	}
	if e, err := h.config.Get(h.t.Context(), id); err == nil {
		d.Revision, d.Base = e.Revision, e.Newest()
	}
	return must(h.config.Save(h.t.Context(), by, d))(h.t).Version
}

// delete deletes an entry.
func (h *house) delete(id config.ID) {
	h.t.Helper()
	e := must(h.config.Get(h.t.Context(), id))(h.t)
	if err := h.config.Delete(h.t.Context(), by, config.Move{ID: id, Revision: e.Revision}); err != nil {
		h.t.Fatal(err)
	}
}

// plainScheme and stampedScheme are the signatures of the shop.
func (h *house) scheme(i int) connector.Signature {
	return h.config.Definition(shop).Webhooks.Signatures[i]
}

// event is a body as the shop sends it.
func event(id, topic string) string {
	return fmt.Sprintf(`{"id":%q,"topic":%q,"account":"a-1","created":1789000000,"sent":1789000001,"attempt":2}`, id, topic)
}

// A message is a request to be received.
type message struct {
	path   string
	body   string
	from   string
	key    string // signs with the first scheme; "" sends no signature
	header http.Header
}

func (h *house) send(m message) (webhook.Notification, error) {
	return h.sendIn(h.t.Context(), m)
}

func (h *house) sendIn(ctx context.Context, m message) (webhook.Notification, error) {
	h.t.Helper()
	if m.path == "" {
		m.path = "shop"
	}
	if m.from == "" {
		m.from = "192.0.2.9"
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if m.key != "" {
		maps.Copy(header, webhook.Sign(h.scheme(0), secret.NewText(m.key), []byte(m.body), h.clock()))
	}
	maps.Copy(header, m.header)
	a, ok, err := h.hooks.Route(ctx, m.path)
	if err != nil || !ok {
		return webhook.Notification{}, fmt.Errorf("nobody is at %s: %w", m.path, err)
	}
	return h.hooks.Receive(ctx, a, webhook.Incoming{Method: "POST", From: m.from, Header: header, Body: []byte(m.body), Began: h.clock()})
}

// receive is send of what must be kept.
func (h *house) receive(m message) webhook.Notification {
	h.t.Helper()
	return must(h.send(m))(h.t)
}

// list is all that is kept of an owner, newest first.
func (h *house) list(f webhook.Filter) (out []webhook.Notification) {
	h.t.Helper()
	f.Limit = 200
	for {
		p := must(h.hooks.List(h.t.Context(), f))(h.t)
		out = append(out, p.Notifications...)
		if !p.More {
			return out
		}
		f.Before = p.Next
	}
}

// records are the keys with a prefix.
func (h *house) records(prefix string) (keys []string) {
	h.t.Helper()
	err := h.store.View(h.t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{Prefix: prefix})
		for _, i := range items {
			keys = append(keys, i.Key)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return keys
}

// until waits until what happens after answers has come so far.
func (h *house) until(what string, so func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	ticks := h.hooks.Watch(ctx)
	for !so() {
		if _, ok := <-ticks; !ok {
			h.t.Fatalf("it never came that %s", what)
		}
	}
}

// kind is what an error is for people.
func kind(err error) errs.Kind { k, _ := errs.Of(err); return k }

// signed are the headers of a body that this key signed with the first scheme.
func (h *house) signed(body, key string) http.Header {
	return webhook.Sign(h.scheme(0), secret.NewText(key), []byte(body), h.clock())
}
