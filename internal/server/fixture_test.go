package server

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/backup"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/exchange"
	"backoffice/internal/guide"
	"backoffice/internal/keyring"
	"backoffice/internal/oauth"
	"backoffice/internal/outside"
	"backoffice/internal/sandbox"
	"backoffice/internal/secret"
	"backoffice/internal/signin"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
	"backoffice/internal/webhook"
)

const (
	ownerEmail = "owner@acme.example"
	password   = "CANARY-pass/word+7 &<é>"
	entry      = "/config/acme:intercom"
)

var start = time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)

// A house is the whole product over a real data file, served on a loopback
// address, with the rehearsal sandbox as the provider.
type house struct {
	t        testing.TB
	srv      *httptest.Server
	deps     Deps
	store    store.Store // as the rooms see it
	broken   atomic.Pointer[error]
	full     atomic.Pointer[error] // what updates fail with
	held     atomic.Pointer[chan struct{}]
	file     string
	db       *bolt.DB
	log      *buffer
	provider *sandbox.Provider
	proxies  []netip.Prefix
	heard    *[]answer // every answer, for the tests that look at all of them
	watch    audit.Watch
	checks   chan struct{} // of the log, that ended
	places   []audit.Place
	keys     *keptKeys

	mu  sync.Mutex
	now time.Time
}

// A plan is what a test's house has that is different.
type plan struct {
	https   bool
	public  string             // instead of the address it listens on
	proxies []string           // that are trusted
	routes  func(gate) []route // instead of the real table
	empty   bool               // there is no admin yet
	heard   *[]answer          // where all answers go
	ready   func() error       // instead of always
	trouble func() string      // what everybody is told
	notes   func() []string    // what whoever reads settings is told
	env     string             // name of the environment
	token   string             // of /metrics; "" for no metrics
	rate    int                // of notifications; 0 for the default
	factor  auth.FactorPolicy  // instead of "off"
	rule    config.Rule        // of approval
	places  []audit.Place      // that heads are brought to
	backups string             // directory of backups
	outside func(*egress.Options, *outside.Options)
}

// A seed is a data file in which the owner is set up, made once: hashing a
// password is slow on purpose.
type seed struct {
	file   []byte
	keys   *secret.Keyset
	record []byte
	owner  auth.User
}

var seeded = sync.OnceValues(func() (seed, error) {
	keys, err := secret.Generate()
	if err != nil {
		return seed{}, err
	}
	record, box, err := keys.NewInstallation()
	if err != nil {
		return seed{}, err
	}
	dir, err := os.MkdirTemp("", "server-test")
	if err != nil {
		return seed{}, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "seed.db")
	db, err := bolt.Open(path)
	if err != nil {
		return seed{}, err
	}
	a := auth.New(auth.Options{Store: db, Box: box, Now: func() time.Time { return start.Add(-time.Hour) }})
	token, _, err := a.SetupToken(context.Background())
	if err != nil {
		return seed{}, err
	}
	owner, err := a.Setup(context.Background(), audit.Actor{Addr: "203.0.113.7"}, auth.NewAdmin{Token: token, Email: ownerEmail,
		Password: secret.NewText(password), Again: secret.NewText(password)})
	if err := errors.Join(err, db.Close()); err != nil {
		return seed{}, err
	}
	file, err := os.ReadFile(path)
	return seed{file, keys, record, owner}, err
})

func open(t testing.TB, p plan) *house {
	t.Helper()
	s, err := seeded()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, file: filepath.Join(t.TempDir(), "backoffice.db"), log: &buffer{}, now: start, heard: p.heard, places: p.places, checks: make(chan struct{}, 1)}
	if !p.empty {
		if err := os.WriteFile(h.file, s.file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := bolt.Open(h.file)
	h.db = db
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h.store = &breakable{Store: storetest.Replay(db), err: &h.broken, full: &h.full, held: &h.held}
	h.srv = httptest.NewUnstartedServer(nil)
	h.srv.Config.ErrorLog = log.New(h.log, "http: ", 0)
	h.deps = h.furnish(p, must(s.keys.Unlock(s.record))(t)) // of its own: a test may change the key
	table := p.routes
	if table == nil {
		table = routes
	}
	if h.srv.Config.Handler, err = mount(h.deps, table); err != nil {
		t.Fatal(err)
	}
	if p.https {
		h.srv.StartTLS()
	} else {
		h.srv.Start()
	}
	t.Cleanup(h.srv.Close)
	return h
}

// furnish makes the rooms, as the program does.
func (h *house) furnish(p plan, box *secret.Box) Deps {
	h.t.Helper()
	public := &url.URL{Scheme: "http", Host: h.srv.Listener.Addr().String()}
	if p.https {
		public.Scheme = "https"
	}
	if p.public != "" {
		public = must(url.Parse(p.public))(h.t)
	}
	for _, s := range p.proxies {
		h.proxies = append(h.proxies, must(netip.ParsePrefix(s))(h.t))
	}
	catalogue, base := h.rehearsal(public)
	guard := must(egress.New(egress.Options{Allow: []string{strings.TrimPrefix(base, "http://")}}))(h.t)
	entries := config.New(config.Options{Store: h.store, Box: box, Catalogue: catalogue, Now: h.clock, Approval: p.rule})
	checker := h.outsideIn(public, p)
	hooks := must(webhook.New(webhook.Options{Store: h.store, Box: box, Config: entries, Guard: guard, PublicURL: public, Now: h.clock, Rate: p.rate,
		Own: must(egress.New(egress.Options{Allow: []string{outside.Guarded(public)}}))(h.t)}))(h.t)
	h.t.Cleanup(hooks.Close)
	files := must(exchange.Open(h.t.Context(), exchange.Options{Store: h.store, Box: box, Config: entries, Now: h.clock, Origin: public.String()}))(h.t)
	watch := h.watchLog()
	ready := p.ready
	if ready == nil {
		ready = func() error { return nil }
	}
	people := auth.New(auth.Options{Store: h.store, Box: box, Now: h.clock, PublicURL: public})
	return Deps{Store: h.store, Config: entries, Catalogue: catalogue, Outside: checker, Webhooks: hooks, Backups: h.backup(box, watch.Notary, p.backups), Guide: guide.New(guide.Options{Store: h.store, Config: entries, Now: h.clock}), Exchange: files, Audit: audit.NewLog(h.store), Notary: watch.Notary, AuditState: watch.State, AuditCheck: watch.Checker.Ask, Keys: h.ring(box), Now: h.clock,
		OAuth: oauth.New(oauth.Options{Store: h.store, Box: box, Config: entries, Guard: guard, PublicURL: public.String(), Now: h.clock,
			CallTimeout: 2 * time.Second}),
		Auth:     people,
		SignIn:   signin.New(signin.Options{Store: h.store, Box: box, Auth: people, Guard: must(egress.New(egress.Options{Allow: []string{"127.0.0.1"}}))(h.t), PublicURL: public.String(), Now: h.clock}),
		Sessions: auth.NewSessionStore(h.store, auth.SessionOptions{Secure: public.Scheme == "https", Now: h.clock}),
		Log:      slog.New(slog.NewJSONHandler(h.log, nil)),
		Site: Site{PublicURL: public, Environment: p.env, Proxies: h.proxies, Version: "1.0.0", Started: start, DataFile: h.file,
			DataSize: func() int64 { return 4096 }, FreeShare: func() float64 { return 0.25 }, Commits: func() (int64, int64) { return 7, 3 }, KeyFile: "backoffice.key", KeyInFile: true, Sandbox: base, Ready: ready, Trouble: p.trouble, Notes: p.notes,
			MetricsToken: secret.NewText(p.token), SecondFactor: cmp.Or(p.factor, auth.FactorOff)}}
}

// backup makes what makes backups.
func (h *house) backup(box *secret.Box, n *audit.Notary, dir string) *backup.Service {
	h.t.Helper()
	engine := backup.Engine{Check: bolt.CheckFile, Open: func(path string) (store.Store, error) { return bolt.Open(path) }}
	m := &backup.Maker{Engine: engine, Snapshot: h.db.Snapshot, Size: func() int64 { return 4096 }, Notary: n, Box: box, Spool: h.t.TempDir(), Program: "1.0.0", Now: h.clock}
	return backup.NewService(backup.Options{Maker: m, Store: h.store, Dir: dir, Every: 24 * time.Hour, Keep: 7})
}

// ring makes the keys, which a keeper in memory keeps.
func (h *house) ring(box *secret.Box) *keyring.Ring {
	h.t.Helper()
	h.keys = &keptKeys{}
	r := keyring.New(keyring.Options{Store: keyring.Guard(h.store, box), Box: box, Keeper: h.keys, Now: h.clock})
	if err := r.Note(context.Background(), audit.Actor{}); err != nil {
		h.t.Fatal(err)
	}
	return r
}

// keptKeys is a keyring.Keeper that can be made to be read only.
type keptKeys struct{ readOnly bool }

func (k *keptKeys) Writable() bool                                             { return !k.readOnly }
func (k *keptKeys) Save(context.Context, *secret.Keyset, *secret.Keyset) error { return nil }
func (k *keptKeys) Aside(_ context.Context, _ *secret.Keyset, id string) (string, error) {
	return "backoffice.key.with-" + id, nil
}

// watchLog makes what signs and checks the log. A check that is asked for runs
// beside the work, as in the program.
func (h *house) watchLog() audit.Watch {
	h.t.Helper()
	signer := must(audit.NewSigner(bytes.Repeat([]byte{7}, 32)))(h.t)
	n := audit.NewNotary(audit.NotaryOptions{Store: h.store, Signer: signer, Now: h.clock})
	w := audit.Watch{Notary: n, Anchors: audit.NewAnchors(n, h.places...), Checker: audit.NewChecker(audit.CheckerOptions{Notary: n})}
	ctx, done := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.Checker.Asked():
				_ = w.Checker.Run(ctx) // what it finds is in its state
				select {
				case h.checks <- struct{}{}:
				default: // nobody waits
				}
			}
		}
	})
	h.t.Cleanup(func() { done(); all.Wait() })
	h.watch = w
	return w
}

// outsideIn makes the check of the public URL.
func (h *house) outsideIn(public *url.URL, p plan) *outside.Checker {
	h.t.Helper()
	way := egress.Options{Allow: []string{outside.Guarded(public)}}
	o := outside.Options{Store: h.store, PublicURL: public, Now: h.clock, Upstream: ":8080"}
	if p.outside != nil {
		p.outside(&way, &o)
	}
	o.Guard = must(egress.New(way))(h.t)
	return must(outside.New(o))(h.t)
}

// rehearsal starts the sandbox and returns a catalogue that leads there.
func (h *house) rehearsal(public *url.URL) (*connector.Catalogue, string) {
	h.t.Helper()
	h.provider = must(sandbox.New(sandbox.Options{Seed: "server", RedirectURIs: []string{public.String() + "/auth/intercom/callback"}}))(h.t)
	srv := httptest.NewServer(h.provider)
	h.t.Cleanup(srv.Close)
	builtin := must(connector.Builtin())(h.t)
	return must(builtin.Rehearse("intercom", srv.URL))(h.t), srv.URL
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

// pass lets time go by.
func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// breakStore makes every call of the store fail until repair is called.
func (h *house) breakStore(err error) (repair func()) {
	h.broken.Store(&err)
	return func() { h.broken.Store(nil) }
}

// breakUpdates makes every update fail, as on a full disk, until repair is called.
func (h *house) breakUpdates(err error) (repair func()) {
	h.full.Store(&err)
	return func() { h.full.Store(nil) }
}

// hold keeps tests of a connection from ending, as a slow provider does, until
// release is called: only what no request waits for is kept waiting.
func (h *house) hold() (release func()) {
	held := make(chan struct{})
	h.held.Store(&held)
	return sync.OnceFunc(func() {
		h.held.Store(nil)
		close(held)
	})
}

// A breakable is a store that can fail as a full or lost disk does.
type breakable struct {
	store.Store
	err  *atomic.Pointer[error]
	full *atomic.Pointer[error]
	held *atomic.Pointer[chan struct{}]
}

func (b *breakable) View(ctx context.Context, f func(store.Reader) error) error {
	if err := b.err.Load(); err != nil {
		return *err
	}
	return b.Store.View(ctx, f)
}

func (b *breakable) Update(ctx context.Context, f func(store.Tx) error) error {
	if err := b.err.Load(); err != nil {
		return *err
	}
	if err := b.full.Load(); err != nil {
		return *err
	}
	if held := b.held.Load(); held != nil && ctx.Done() == nil {
		<-*held
	}
	return b.Store.Update(ctx, f)
}

// dump is everything that is stored.
func (h *house) dump() map[string]string {
	h.t.Helper()
	all := map[string]string{}
	err := h.store.View(h.t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{})
		for _, i := range items {
			all[i.Key] = string(i.Value)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// unchanged fails the test if anything is stored that was not before.
func (h *house) unchanged(before map[string]string, what string) {
	h.t.Helper()
	if after := h.dump(); !maps.Equal(before, after) {
		for k, v := range after {
			if before[k] != v {
				h.t.Errorf("%s changed %s", what, k)
			}
		}
		h.t.Errorf("%s: %d records became %d", what, len(before), len(after))
	}
}

// events are the audit events with this action, newest first.
func (h *house) events(a audit.Action) []audit.Event {
	h.t.Helper()
	return must(h.deps.Audit.List(h.t.Context(), audit.Filter{Action: a, Limit: 1000}))(h.t).Events
}

// save keeps an entry without the help of a page.
func (h *house) save(id string, change func(*config.Draft)) config.Version {
	h.t.Helper()
	d := config.Draft{ID: config.ID(id), Then: config.PutInForce}
	if h.deps.Config.Definition(d.ID) != nil {
		d.Values = h.intercom()
	}
	if change != nil {
		change(&d)
	}
	saved, err := h.deps.Config.Save(h.t.Context(), audit.Actor{ID: "u1", Name: ownerEmail, Addr: "203.0.113.7"}, d)
	if err != nil {
		h.t.Fatal(err)
	}
	return saved.Version
}

// intercom are the values that work at the sandbox.
func (h *house) intercom() []config.Input {
	return []config.Input{{Key: "clientId", Value: text(h.provider.ClientID())},
		{Key: "clientSecret", Secret: true, Value: text(h.provider.ClientSecret())},
		{Key: "region", Value: text("sandbox")}, {Key: "apiVersion", Value: text("2.10")}}
}

func text(s string) config.Value { return config.TextValue(secret.NewText(s)) }

// owner is the owner in a browser where they are signed in.
func (h *house) owner() *person {
	h.t.Helper()
	p := h.visitor()
	h.signIn(p, must(seeded())(h.t).owner)
	return p
}

// signIn gives the browser a session without the work of a password.
func (h *house) signIn(p *person, u auth.User) {
	h.t.Helper()
	rec, req := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	if _, err := h.deps.Sessions.Renew(rec, req, u, "127.0.0.1"); err != nil {
		h.t.Fatal(err)
	}
	p.client.Jar.SetCookies(must(url.Parse(h.srv.URL))(h.t), rec.Result().Cookies())
}

// become changes the role of the stored owner, as a later release might have
// written it.
func (h *house) become(role string) {
	h.t.Helper()
	key := "auth/user/" + must(seeded())(h.t).owner.ID
	err := h.store.Update(h.t.Context(), func(tx store.Tx) error {
		b, err := tx.Get(key)
		if err != nil {
			return err
		}
		changed := bytes.Replace(b, []byte(`"role":"owner"`), fmt.Appendf(nil, `"role":%q`, role), 1)
		if bytes.Equal(b, changed) {
			return errors.New("the record has no role")
		}
		tx.Put(key, changed)
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// buffer is a log that many goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var _ io.Writer = (*buffer)(nil)
