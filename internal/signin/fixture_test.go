package signin

import (
	"context"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/egress"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/signin/signintest"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
)

const (
	ownerEmail = "owner@acme.example"
	password   = "CANARY one sentence is fine"
	browser    = "the-browser-of-a-person"
	home       = "203.0.113.7"
	public     = "https://backoffice.acme.example"
)

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A world is the service over a real store, with a real provider in this process.
type world struct {
	*Service
	t     *testing.T
	store store.Store
	box   *secret.Box
	auth  *auth.Service
	clock *clock
	idp   *signintest.Provider
	owner auth.User
}

// A seed has the owner, made once: hashing a password is slow on purpose.
type seed struct {
	file  []byte
	box   *secret.Box
	owner auth.User
}

var start = time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)

var seeded = sync.OnceValue(func() seed {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	keys, err := secret.Generate()
	check(err)
	_, box, err := keys.NewInstallation()
	check(err)
	dir, err := os.MkdirTemp("", "signin-test")
	check(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "seed.db")
	db, err := bolt.Open(path)
	check(err)
	a := auth.New(auth.Options{Store: db, Box: box, Now: func() time.Time { return start }})
	token, _, err := a.SetupToken(context.Background())
	check(err)
	u, err := a.Setup(context.Background(), audit.Actor{Addr: home}, auth.NewAdmin{Token: token, Email: ownerEmail, Password: secret.NewText(password), Again: secret.NewText(password)})
	check(err)
	check(db.Close())
	b, err := os.ReadFile(path)
	check(err)
	return seed{b, box, u}
})

func newWorld(t *testing.T) *world {
	t.Helper()
	s := seeded()
	path := filepath.Join(t.TempDir(), "signin.db")
	if err := os.WriteFile(path, s.file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, store: storetest.Replay(db), box: s.box, clock: &clock{t: start}, owner: s.owner}
	w.idp = signintest.New(w.clock.now)
	srv := httptest.NewServer(w.idp)
	t.Cleanup(srv.Close)
	w.idp.Issuer, w.idp.Redirects = srv.URL, []string{public + CallbackPath}
	w.idp.People = []signintest.Person{
		{Subject: "s-owner", Email: "Owner@ACME.example", Name: "Ada"},
		{Subject: "s-grace", Email: "grace@acme.example", Name: "Grace", Groups: []string{"everybody", "integrators"}},
		{Subject: "s-nobody", Email: "nobody@acme.example", Name: "Nobody", Groups: []string{"everybody"}},
		{Subject: "s-elsewhere", Email: "eve@elsewhere.example", Name: "Eve", Groups: []string{"integrators"}},
		{Subject: "s-unverified", Email: "una@acme.example", Name: "Una", Unverified: true, Groups: []string{"integrators"}},
		{Subject: "s-mailless", Name: "Max", Groups: []string{"integrators"}},
		{Subject: "s-admin", Email: "admin@acme.example", Name: "Ali", Groups: []string{"admins"}},
		{Subject: "s-mfa", Email: "mia@acme.example", Name: "Mia", Groups: []string{"integrators"}, AMR: []string{"pwd", "mfa"}},
	}
	guard, err := egress.New(egress.Options{Allow: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	w.auth = auth.New(auth.Options{Store: w.store, Box: w.box, Now: w.clock.now})
	w.Service = New(Options{Store: w.store, Box: w.box, Auth: w.auth, Guard: guard, PublicURL: public, Now: w.clock.now})
	return w
}

func (w *world) by(u auth.User) audit.Actor {
	return audit.Actor{ID: u.ID, Name: u.Email, Addr: home, RequestID: "r1"}
}

// draft is a setting that works.
func (w *world) draft() Draft {
	return Draft{Issuer: w.idp.Issuer, ClientID: w.idp.ClientID, Secret: secret.NewText(w.idp.Secret), Scopes: "email profile", GroupsClaim: "groups", Button: "Sign in with Example ID",
		Domains: "acme.example", Rules: "admins = admin\nintegrators = editor acme:*"}
}

// save keeps a draft and returns the token of its link.
func (w *world) save(d Draft) secret.Text {
	w.t.Helper()
	token, err := w.Save(w.t.Context(), w.by(w.owner), d)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// inForce is a world whose setting the owner has confirmed.
func inForce(t *testing.T, change func(*Draft)) *world {
	t.Helper()
	w := newWorld(t)
	d := w.draft()
	if change != nil {
		change(&d)
	}
	if o, err := w.through(Departure{Purpose: ToConfirm, Token: w.save(d)}, "s-owner"); err != nil || !o.InForce || o.Entry.User.ID != w.owner.ID {
		t.Fatalf("the owner came back: %+v, %v", o, err)
	}
	w.clock.add(time.Minute)
	return w
}

// leave starts, and returns the address at the provider.
func (w *world) leave(d Departure) string {
	w.t.Helper()
	d.Browser = browser
	address, err := w.Start(w.t.Context(), audit.Actor{Addr: home, RequestID: "r2"}, d)
	if err != nil {
		w.t.Fatal(err)
	}
	return address
}

// visit signs somebody in at the provider, and returns what the browser comes back
// with.
func (w *world) visit(address, as string) url.Values {
	w.t.Helper()
	u, err := w.idp.Visit(address, as)
	if err != nil {
		w.t.Fatal(err)
	}
	return u.Query()
}

func (w *world) back(q url.Values, user string) (Outcome, error) {
	return w.Return(w.t.Context(), audit.Actor{Addr: home, RequestID: "r3"}, Arrival{Query: q, Browser: browser, User: user})
}

// through is the whole way.
func (w *world) through(d Departure, as string) (Outcome, error) {
	w.t.Helper()
	return w.back(w.visit(w.leave(d), as), d.User)
}

// signIn is the whole way of somebody who signs in.
func (w *world) signIn(as string) (Outcome, error) {
	w.t.Helper()
	return w.through(Departure{Purpose: ToSignIn, Next: "/config"}, as)
}

// last is the newest event with the action.
func (w *world) last(a audit.Action) audit.Event {
	w.t.Helper()
	p, err := audit.NewLog(w.store).List(w.t.Context(), audit.Filter{Action: a, Limit: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(p.Events) == 0 {
		return audit.Event{}
	}
	return p.Events[0]
}

// refused wants an errs.Refused whose reason is on record, and neither a word of
// the reason nor of a token on the page.
func (w *world) refused(what string, err error, note string) {
	w.t.Helper()
	kind, words := errs.Of(err)
	e := w.last(audit.SignInFailed)
	if kind != errs.Refused || words == "" {
		w.t.Errorf("%s: %v, want a refusal", what, err)
		return
	}
	if !strings.HasPrefix(e.Note, note) || e.Outcome != audit.Failed || e.Actor.Addr != home {
		w.t.Errorf("%s: event %+v, want the note %q", what, e, note)
	}
}

func (w *world) dump() string {
	w.t.Helper()
	var b strings.Builder
	err := w.store.View(w.t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{})
		for _, it := range items {
			b.WriteString(it.Key + " = " + string(it.Value) + "\n")
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return b.String()
}
