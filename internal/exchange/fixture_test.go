package exchange_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/exchange"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
)

var (
	ada = audit.Actor{ID: "u1", Name: "ada@acme.example", Addr: "203.0.113.7", RequestID: "r1"}
	bo  = audit.Actor{ID: "u2", Name: "bo@acme.example", Addr: "203.0.113.8", RequestID: "r2"}
)

// A house is an instance over a real file. Every Update callback runs twice.
type house struct {
	t testing.TB
	*exchange.Service
	config *config.Service
	log    *audit.Log
	store  store.Store
	time   time.Time // moved by tests
}

func open(t testing.TB, origin string) *house {
	t.Helper()
	h := &house{t: t, time: time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)}
	s, err := bolt.Open(filepath.Join(t.TempDir(), "exchange.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h.store = storetest.Replay(s)
	keys, err := secret.Generate()
	if err != nil {
		t.Fatal(err)
	}
	_, box, err := keys.NewInstallation()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := connector.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return h.time }
	h.config = config.New(config.Options{Store: h.store, Box: box, Catalogue: catalogue, Now: now})
	h.log = audit.NewLog(h.store)
	h.Service, err = exchange.Open(t.Context(), exchange.Options{Store: h.store, Box: box, Config: h.config, Now: now, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	again, err := exchange.Open(t.Context(), exchange.Options{Store: h.store, Box: box, Config: h.config, Now: now, Origin: origin})
	if err != nil || again.Recipient() != h.Recipient() {
		t.Fatalf("the identity was not kept: %v", err)
	}
	return h
}

// everything is the sight of somebody without limits.
func everything(config.ID) bool { return true }

// save keeps an entry with these values; names that begin with "!" are secrets.
func (h *house) save(id config.ID, then config.Then, values ...string) config.Version {
	h.t.Helper()
	d := config.Draft{ID: id, Then: then, Scopes: []string{"read"}, Topics: []string{"contact.created"}}
	if e, err := h.config.Get(h.t.Context(), id); err == nil {
		d.Revision, d.Base = e.Revision, e.Newest()
	}
	for i := 0; i < len(values); i += 2 {
		name, hidden := values[i], false
		if name[0] == '!' {
			name, hidden = name[1:], true
		}
		d.Values = append(d.Values, config.Input{Key: name, Secret: hidden, Value: config.ParseValue(values[i+1])})
	}
	saved, err := h.config.Save(h.t.Context(), ada, d)
	if err != nil {
		h.t.Fatalf("saving %s: %v", id, err)
	}
	return saved.Version
}

// opened is the newest version of an entry.
func (h *house) opened(id config.ID) config.Opened {
	h.t.Helper()
	e, err := h.config.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	o, err := h.config.Open(h.t.Context(), id, e.Newest())
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

// value is one value of the newest version, as JSON.
func (h *house) value(id config.ID, key string) string {
	h.t.Helper()
	return h.opened(id).Values[key].Literal()
}

// export writes the entries out.
func (h *house) export(shape exchange.Shape, recipients string, ids ...config.ID) []byte {
	h.t.Helper()
	b, err := h.Export(h.t.Context(), ada, exchange.Order{IDs: ids, Shape: shape, Recipients: recipients})
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// load uploads a file and plans its import.
func (h *house) load(b []byte) (string, exchange.Plan) {
	h.t.Helper()
	token, err := h.Load(ada, b, secret.Text{})
	if err != nil {
		h.t.Fatal(err)
	}
	return token, h.plan(token)
}

func (h *house) plan(token string) exchange.Plan {
	h.t.Helper()
	p, err := h.Plan(h.t.Context(), ada, token, everything)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// actions are the actions of all events, oldest first, with their targets.
func (h *house) actions() (out []string) {
	h.t.Helper()
	page, err := h.log.List(context.Background(), audit.Filter{Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range page.Events {
		out = append([]string{string(e.Action) + " " + e.Target}, out...)
	}
	return out
}
