package auth

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
)

const (
	owner    = "owner@acme.example"
	password = "CANARY one sentence is fine"
	home     = "203.0.113.7"
	abroad   = "198.51.100.9"
)

// A clock stands still until it is told to move.
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

// A world is a service over a real store, with a clock to set.
type world struct {
	*Service
	t     testing.TB
	store store.Store
	clock *clock
}

func newWorld(t testing.TB) *world {
	t.Helper()
	b, err := bolt.Open(filepath.Join(t.TempDir(), "auth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	keys, err := secret.Generate()
	if err != nil {
		t.Fatal(err)
	}
	_, box, err := keys.NewInstallation()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: storetest.Replay(b), clock: &clock{t: time.Date(2027, 9, 17, 12, 0, 0, 0, time.UTC)}}
	w.Service = New(Options{Store: w.store, Box: box, Now: w.clock.now})
	w.hasher = newHasher(params{memory: 64, time: 1, threads: 1}) // TestRealCost has the real one
	return w
}

func (w *world) token() secret.Text {
	w.t.Helper()
	token, needed, err := w.SetupToken(w.t.Context())
	if err != nil || !needed {
		w.t.Fatalf("SetupToken = needed %v, %v", needed, err)
	}
	return token
}

func newAdmin(token secret.Text) NewAdmin {
	return NewAdmin{Token: token, Email: " Owner@ACME.example ", Password: secret.NewText(password), Again: secret.NewText(password)}
}

// withOwner is a world in which the owner exists.
func withOwner(t *testing.T) (*world, User) {
	t.Helper()
	w := newWorld(t)
	u, err := w.Setup(t.Context(), audit.Actor{Addr: "192.0.2.1", RequestID: "r0"}, newAdmin(w.token()))
	if err != nil {
		t.Fatal(err)
	}
	return w, u
}

// withRealOwner is withOwner with passwords at their real cost.
func withRealOwner(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.hasher = newHasher(owasp)
	if _, err := w.Setup(t.Context(), audit.Actor{Addr: "192.0.2.1"}, newAdmin(w.token())); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) signIn(addr, email, pass string) (User, error) {
	return w.SignIn(w.t.Context(), audit.Actor{Addr: addr, RequestID: "r1"}, email, secret.NewText(pass))
}

// events are all audit events, oldest first.
func (w *world) events() []audit.Event {
	w.t.Helper()
	p, err := audit.NewLog(w.store).List(w.t.Context(), audit.Filter{Limit: 10_000})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Reverse(p.Events)
	return p.Events
}

func (w *world) lastEvent() audit.Event {
	w.t.Helper()
	all := w.events()
	if len(all) == 0 {
		w.t.Fatal("no event was recorded")
	}
	e := all[len(all)-1]
	e.N = 0
	return e
}

// dump is the whole store as text.
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

// breakAuditLog makes its size no number any more.
func (w *world) breakAuditLog() {
	w.t.Helper()
	err := w.store.Update(w.t.Context(), func(tx store.Tx) error { tx.Put("audit/size", []byte("many")); return nil })
	if err != nil {
		w.t.Fatal(err)
	}
}

func kindOf(err error) errs.Kind {
	k, _ := errs.Of(err)
	return k
}

func TestRolesAndPermissions(t *testing.T) {
	open := []Permission{Machine, Public, SetUp, Invited}
	for _, p := range Permissions() {
		if !(Grant{Role: Owner}).May(p, true) {
			t.Errorf("the owner may not %s", p)
		}
		for _, r := range []Role{"", "Owner", "owner ", "nobody"} {
			if (Grant{Role: r}).May(p, false) {
				t.Errorf("the unknown role %q may %s", r, p)
			}
		}
		if p.NeedsPerson() == slices.Contains(open, p) {
			t.Errorf("%s needs a person: %v", p, p.NeedsPerson())
		}
	}
	if n := len(Permissions()); n != 34 {
		t.Errorf("%d permissions, want 34", n)
	}
	if p := Permission("made.up"); (Grant{Role: Owner}).May(p, false) || !p.NeedsPerson() {
		t.Error("a permission that does not exist is granted")
	}
	for text, ok := range map[string]bool{"owner": true, "Owner": false, "": false, "admin": true, "editor": true, "auditor": true, "viewer": true, "owner ": false} {
		r, err := ParseRole(text)
		if (err == nil) != ok || ok && r != Role(text) || !ok && r != "" {
			t.Errorf("ParseRole(%q) = %q, %v", text, r, err)
		}
		if (r.Words() != "") != ok {
			t.Errorf("%q is for %q", r, r.Words())
		}
	}
}

func TestUsers(t *testing.T) {
	w := newWorld(t)
	if users, err := w.Users(t.Context()); err != nil || len(users) != 0 {
		t.Errorf("Users of an empty store = %v, %v", users, err)
	}
	w, u := withOwner(t)
	users, err := w.Users(t.Context())
	if err != nil || len(users) != 1 || users[0] != u {
		t.Errorf("Users = %+v, %v; want %+v", users, err, u)
	}
	if got, err := w.User(t.Context(), u.ID); err != nil || got != u {
		t.Errorf("User = %+v, %v; want %+v", got, err, u)
	}
	if got, err := w.User(t.Context(), "nobody"); !errs.Is(err, errs.NotFound) || !errors.Is(err, store.ErrNotFound) || got != (User{}) {
		t.Errorf("unknown User = %+v, %v", got, err)
	}
}
