package auth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"

	"github.com/gorilla/sessions"
)

func (w *world) sessions(secure bool) *SessionStore {
	return NewSessionStore(w.store, SessionOptions{Secure: secure, Now: w.clock.now})
}

// A browser is a real client of a real server over a SessionStore.
type browser struct {
	t      *testing.T
	w      *world
	st     *SessionStore
	server *httptest.Server
	client *http.Client
	last   *http.Response
}

func newBrowser(t *testing.T, w *world, st *SessionStore) *browser {
	t.Helper()
	b := &browser{t: t, w: w, st: st}
	b.server = httptest.NewUnstartedServer(http.HandlerFunc(b.serve))
	if st.secure {
		b.server.StartTLS()
	} else {
		b.server.Start()
	}
	t.Cleanup(b.server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.client = b.server.Client()
	b.client.Jar = jar
	return b
}

// serve answers with one word, "failed" for an error.
func (b *browser) serve(rw http.ResponseWriter, r *http.Request) {
	var err error
	word := ""
	switch r.URL.Path {
	case "/in": // ?user=id
		u, uerr := b.w.User(r.Context(), r.FormValue("user"))
		if err = uerr; err == nil {
			_, err = b.st.Renew(rw, r, u, home)
		}
	case "/out":
		err = b.st.SignOut(rw, r, audit.Actor{Addr: home, RequestID: "r9"})
	case "/who":
		word, err = b.who(r)
	case "/set", "/delete": // ?theme=
		var s *sessions.Session
		if s, err = b.st.Get(r, b.st.Name()); err == nil {
			s.Values["theme"] = r.FormValue("theme")
			if r.URL.Path == "/delete" {
				s.Options.MaxAge = -1
			}
			err = sessions.Save(r, rw)
		}
	case "/theme":
		var s *sessions.Session
		if s, err = b.st.Get(r, b.st.Name()); err == nil {
			word = fmt.Sprint(s.Values["theme"])
		}
	}
	if err != nil {
		word = "failed"
	}
	_, _ = io.WriteString(rw, word)
}

// who is the address of whoever is signed in, asked twice in one request.
func (b *browser) who(r *http.Request) (string, error) {
	s, ok, err := b.st.Current(r)
	again, okAgain, errAgain := b.st.Current(r)
	if s != again || ok != okAgain || err != errAgain {
		b.t.Error("Current answers differently the second time")
	}
	if err != nil || !ok {
		return "", err
	}
	u, err := b.w.User(r.Context(), s.UserID)
	return u.Email, err
}

func (b *browser) get(path string) string {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), "GET", b.server.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("User-Agent", "Test\xff"+strings.Repeat("é", 300))
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.last = res
	return string(body)
}

func (b *browser) signIn(u User) {
	b.t.Helper()
	if got := b.get("/in?user=" + u.ID); got != "" {
		b.t.Fatal("Renew failed")
	}
	if got := b.get("/who"); got != u.Email {
		b.t.Fatalf("signed in as %q", got)
	}
}

func (b *browser) site() *url.URL {
	u, err := url.Parse(b.server.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

func (b *browser) cookie() string {
	for _, c := range b.client.Jar.Cookies(b.site()) {
		if c.Name == b.st.Name() {
			return c.Value
		}
	}
	return ""
}

func (b *browser) setCookie(value string) {
	b.client.Jar.SetCookies(b.site(), []*http.Cookie{{Name: b.st.Name(), Value: value, Path: "/", Secure: b.st.secure}})
}

func (b *browser) sessionID() string {
	id, _, _ := strings.Cut(b.cookie(), ".")
	return id
}

func TestCookieAttributes(t *testing.T) {
	for _, tt := range []struct {
		secure bool
		name   string
	}{{false, "backoffice"}, {true, "__Host-backoffice"}} {
		w, u := withOwner(t)
		b := newBrowser(t, w, w.sessions(tt.secure))
		if b.get("/who") != "" || len(b.last.Cookies()) != 0 {
			t.Errorf("secure %v: an anonymous visitor got a cookie", tt.secure)
		}
		b.get("/in?user=" + u.ID)
		got := b.last.Cookies()
		if len(got) != 1 {
			t.Fatalf("secure %v: cookies %v", tt.secure, got)
		}
		want := http.Cookie{Name: tt.name, Value: b.cookie(), Path: "/", Secure: tt.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode, Raw: got[0].Raw}
		if !reflect.DeepEqual(*got[0], want) || len(want.Value) != 87 {
			t.Errorf("secure %v: cookie %+v, want %+v", tt.secure, *got[0], want)
		}
		if b.get("/who") != owner || len(b.last.Cookies()) != 0 {
			t.Errorf("secure %v: a page sets the cookie again", tt.secure)
		}
		b.get("/out")
		got = b.last.Cookies()
		want = http.Cookie{Name: tt.name, Path: "/", MaxAge: -1, Secure: tt.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
			Expires: time.Unix(1, 0).UTC(), RawExpires: "Thu, 01 Jan 1970 00:00:01 GMT", Raw: got[0].Raw}
		if len(got) != 1 || !reflect.DeepEqual(*got[0], want) || b.cookie() != "" {
			t.Errorf("secure %v: at sign-out %+v, want %+v", tt.secure, *got[0], want)
		}
	}
}

func TestWhatIsStored(t *testing.T) {
	w, u := withOwner(t)
	b := newBrowser(t, w, w.sessions(false))
	b.signIn(u)
	id, key, ok := parseCookie(b.cookie())
	if !ok || strings.Contains(w.dump(), key) || id == key {
		t.Error("the secret of the cookie is in the store, or is no secret")
	}
	rec := w.record(id)
	if want := (Session{UserID: u.ID, Created: w.clock.t, Seen: w.clock.t, Proof: w.clock.t, Addr: home, Agent: "Test\uFFFD" + strings.Repeat("é", 195)}); rec.Session != want {
		t.Errorf("record %+v, want %+v", rec.Session, want)
	}
	if len(rec.Hash) != 32 {
		t.Errorf("hash of %d bytes", len(rec.Hash))
	}
}

func (w *world) record(id string) (rec sessionRecord) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(r store.Reader) (err error) { rec, err = sessionRecords.Get(r, id); return err })
	if err != nil {
		w.t.Fatal(err)
	}
	return rec
}

// Whatever is changed in the cookie, it is no session then, and no error.
func TestTamperedCookie(t *testing.T) {
	w, u := withOwner(t)
	b := newBrowser(t, w, w.sessions(false))
	b.signIn(u)
	good := b.cookie()
	id, key, _ := strings.Cut(good, ".")
	bad := []string{"", ".", id, id + ".", "." + key, key + "." + id, id + "." + id, good + ".", good + "A", good[1:], good[:86], "a" + good, strings.ToLower(good), id + "." + newToken(), newToken() + "." + key, id + ".." + key, strings.Repeat("A", 4000)}
	for i := range good {
		for _, c := range "AZaz09-_.=" {
			if rune(good[i]) != c {
				bad = append(bad, good[:i]+string(c)+good[i+1:])
			}
		}
	}
	before := w.dump()
	for _, value := range bad {
		b.setCookie(value)
		if got := b.get("/who"); got != "" {
			t.Fatalf("cookie %q: %q", value, got)
		}
	}
	if w.dump() != before {
		t.Error("a bad cookie changed the store")
	}
	b.setCookie(good)
	if b.get("/who") != owner {
		t.Error("the good cookie is no session any more")
	}
}

func TestLifetimes(t *testing.T) {
	for name, tt := range map[string]struct {
		step  time.Duration // between visits
		steps int
		alive bool
	}{
		"just used":         {30*time.Minute - 1, 1, true},
		"idle":              {30 * time.Minute, 1, false},
		"busy":              {29 * time.Minute, 24, true},  // 11 h 36 min
		"busy for too long": {29 * time.Minute, 25, false}, // 12 h 5 min
		"at the very end":   {12*time.Hour/25 - 1, 25, true},
		"at the end":        {12 * time.Hour / 25, 25, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, u := withOwner(t)
			b := newBrowser(t, w, w.sessions(false))
			b.signIn(u)
			for i := range tt.steps {
				w.clock.add(tt.step)
				want := owner
				if i == tt.steps-1 && !tt.alive {
					want = ""
				}
				if got := b.get("/who"); got != want {
					t.Fatalf("visit %d: %q, want %q", i+1, got, want)
				}
			}
			if has := strings.Contains(w.dump(), "auth/session"); has != tt.alive {
				t.Errorf("its records are there: %v", has)
			}
		})
	}
}

// counting counts the transactions of a store.
type counting struct {
	store.Store
	views, updates atomic.Int32
}

func (c *counting) View(ctx context.Context, f func(store.Reader) error) error {
	c.views.Add(1)
	return c.Store.View(ctx, f)
}

func (c *counting) Update(ctx context.Context, f func(store.Tx) error) error {
	c.updates.Add(1)
	return c.Store.Update(ctx, f)
}

func TestReadingCostsNoWrite(t *testing.T) {
	w, u := withOwner(t)
	c := &counting{Store: w.store}
	b := newBrowser(t, w, NewSessionStore(c, SessionOptions{Now: w.clock.now}))
	cost := func(what string, views, updates int32) {
		t.Helper()
		c.views.Store(0)
		c.updates.Store(0)
		b.get("/who")
		if v, u := c.views.Load(), c.updates.Load(); v != views || u != updates {
			t.Errorf("%s: %d reads and %d writes, want %d and %d", what, v, u, views, updates)
		}
	}
	cost("anonymous", 0, 0)
	b.setCookie("nonsense")
	cost("malformed cookie", 0, 0)
	b.setCookie(newToken() + "." + newToken())
	cost("unknown cookie", 1, 0)
	b.signIn(u)
	cost("signed in", 1, 0)
	w.clock.add(time.Minute - 1)
	cost("within the minute", 1, 0)
	if seen := w.record(b.sessionID()).Seen; !seen.Equal(w.clock.t.Add(1 - time.Minute)) {
		t.Errorf("seen at %v", seen)
	}
	w.clock.add(1)
	cost("after a minute", 1, 1)
	if rec := w.record(b.sessionID()); !rec.Seen.Equal(w.clock.t) || !rec.Created.Equal(w.clock.t.Add(-time.Minute)) {
		t.Errorf("after a minute: %+v", rec.Session)
	}
	cost("right after", 1, 0)
}

func TestRenew(t *testing.T) {
	w, u := withOwner(t)
	b := newBrowser(t, w, w.sessions(false))
	b.signIn(u)
	b.get("/set?theme=dark")
	old := b.cookie()
	w.clock.add(11 * time.Minute)
	b.signIn(u)
	oldID, oldKey, _ := strings.Cut(old, ".")
	id, key, _ := strings.Cut(b.cookie(), ".")
	if id == oldID || key == oldKey {
		t.Error("id or secret is the old one")
	}
	if rec := w.record(id); !rec.Created.Equal(w.clock.t) {
		t.Errorf("the new life began at %v", rec.Created)
	}
	if b.get("/theme") != "dark" {
		t.Error("the values were lost")
	}
	if dump := w.dump(); strings.Contains(dump, oldID) {
		t.Error("the old session is still in the store")
	}
	b.setCookie(old)
	if b.get("/who") != "" {
		t.Error("the old cookie is still good")
	}
	if (Session{ID: id}).Binding() == (Session{ID: oldID}).Binding() || strings.Contains((Session{ID: id}).Binding(), id) || len((Session{ID: id}).Binding()) != 43 {
		t.Error("Binding does not tell sessions apart, or tells the id")
	}
}

// A second factor at the provider counts for its session and for what that is renewed
// to, and not for the next sign-in.
func TestFactorOfASignIn(t *testing.T) {
	w, u := withOwner(t)
	st := w.sessions(false)
	var kept []*http.Cookie
	visit := func(do func(http.ResponseWriter, *http.Request) (Session, error)) Session {
		t.Helper()
		rec, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		for _, k := range kept {
			r.AddCookie(k)
		}
		s, err := do(rec, r)
		if err != nil {
			t.Fatal(err)
		}
		kept = rec.Result().Cookies()
		return s
	}
	in := func(factor bool) func(http.ResponseWriter, *http.Request) (Session, error) {
		return func(rw http.ResponseWriter, r *http.Request) (Session, error) {
			return st.Enter(rw, r, Entry{User: u, Proof: w.clock.now(), Factor: factor}, home)
		}
	}
	if !visit(in(true)).Factor {
		t.Fatal("it does not count at all")
	}
	if !visit(func(rw http.ResponseWriter, r *http.Request) (Session, error) { return st.Renew(rw, r, u, home) }).Factor {
		t.Error("it does not count in the same session renewed")
	}
	if visit(in(false)).Factor {
		t.Error("it counts for another sign-in")
	}
}

// What Renew changed is seen by the rest of the same request.
func TestRenewWithinOneRequest(t *testing.T) {
	w, u := withOwner(t)
	st := w.sessions(false)
	r := httptest.NewRequest("GET", "/", nil)
	if _, ok, err := st.Current(r); ok || err != nil {
		t.Fatal(ok, err)
	}
	rec := httptest.NewRecorder()
	s, err := st.Renew(rec, r, u, home)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok, err := st.Current(r); got != s || !ok || err != nil {
		t.Errorf("Current = %+v, %v, %v; want %+v", got, ok, err, s)
	}
	if err := st.SignOut(rec, r, audit.Actor{}); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := st.Current(r); got != (Session{}) || ok || err != nil {
		t.Errorf("Current after SignOut = %+v, %v, %v", got, ok, err)
	}
}

// The values of one person's session are not handed to the next.
func TestRenewForAnotherPerson(t *testing.T) {
	w, u := withOwner(t)
	other := account{User: User{ID: newID(), Email: "other@acme.example", Grant: Grant{Role: Owner}, Created: w.clock.t, PasswordChanged: w.clock.t}}
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { return addAccount(tx, other) }); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, w, w.sessions(false))
	b.signIn(u)
	b.get("/set?theme=dark")
	b.signIn(other.User)
	if got := b.get("/theme"); got != "<nil>" {
		t.Errorf("theme %q", got)
	}
	if dump := w.dump(); strings.Contains(dump, "auth/sessions/"+u.ID) || !strings.Contains(dump, "auth/sessions/"+other.ID) {
		t.Error("the lists of the two are wrong")
	}
}

func TestRenewRefusesAnOldProof(t *testing.T) {
	w, u := withOwner(t)
	st := w.sessions(false)
	for name, stale := range map[string]User{
		"password changed since": {ID: u.ID, Email: u.Email, PasswordChanged: u.PasswordChanged.Add(-1)},
		"account gone":           {ID: "nobody", PasswordChanged: u.PasswordChanged},
		"nobody":                 {},
	} {
		before, rec := w.dump(), httptest.NewRecorder()
		s, err := st.Renew(rec, httptest.NewRequest("GET", "/", nil), stale, home)
		if !errs.Is(err, errs.Unsigned) || s != (Session{}) || len(rec.Result().Cookies()) != 0 || w.dump() != before {
			t.Errorf("%s: %+v, %v, %v", name, s, err, rec.Result().Cookies())
		}
	}
}

func TestSignOut(t *testing.T) {
	w, u := withOwner(t)
	st := w.sessions(false)
	for path, addr := range map[string]string{"/out": home, "/delete": ""} {
		b := newBrowser(t, w, st)
		b.signIn(u)
		cookie := b.cookie()
		w.clock.add(time.Second)
		if got := b.get(path); got != "" || b.cookie() != "" {
			t.Errorf("%s: %q, cookie %q", path, got, b.cookie())
		}
		want := audit.Event{Time: w.clock.t, Actor: audit.Actor{ID: u.ID, Name: owner, Addr: addr}, Action: audit.SignOut, Target: owner, Outcome: audit.Done}
		if addr != "" {
			want.Actor.RequestID = "r9"
		}
		if e := w.lastEvent(); !sameEvent(e, want) {
			t.Errorf("%s: event %+v, want %+v", path, e, want)
		}
		b.setCookie(cookie)
		if b.get("/who") != "" || strings.Contains(w.dump(), "auth/session") {
			t.Errorf("%s: the session goes on", path)
		}
		before := w.dump()
		b.setCookie(cookie)
		if got := b.get(path); got != "" || w.dump() != before || b.cookie() != "" {
			t.Errorf("%s, signed out already: %q", path, got)
		}
	}
}

func TestValues(t *testing.T) {
	w, u := withOwner(t)
	c := &counting{Store: w.store}
	b := newBrowser(t, w, NewSessionStore(c, SessionOptions{Now: w.clock.now}))
	before := w.dump()
	if b.get("/set?theme=dark") != "failed" || w.dump() != before {
		t.Error("a value of an anonymous visitor was kept")
	}
	b.signIn(u)
	if got := b.get("/theme"); got != "<nil>" {
		t.Errorf("a new session has the theme %q", got)
	}
	for _, theme := range []string{"dark", "<&>é\u2028"} {
		if b.get("/set?theme="+url.QueryEscape(theme)) != "" || b.get("/theme") != theme || b.get("/who") != owner {
			t.Errorf("theme %q came back as %q", theme, b.get("/theme"))
		}
		writes := c.updates.Load()
		if b.get("/set?theme="+url.QueryEscape(theme)) != "" || c.updates.Load() != writes {
			t.Error("the same value again was written")
		}
	}
	for name, tt := range map[string]struct {
		key, value any
		ok         bool
	}{
		"string": {"k", "v", true}, "bool": {"k", true, true}, "float": {"k", 1.5, true}, "nil": {"k", nil, true},
		"list": {"k", []any{"a", false, []any{}}, true}, "object": {"k", map[string]any{"a": 1.0}, true},
		"int": {"k", 1, false}, "key": {1, "v", false}, "struct": {"k", struct{}{}, false}, "in a list": {"k", []any{1}, false},
		"in an object": {"k", map[string]any{"a": time.Second}, false}, "nil list": {"k", []any(nil), false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: b.st.Name(), Value: b.cookie()})
		s, err := b.st.Get(r, b.st.Name())
		if err != nil || s.IsNew || s.ID == "" {
			t.Fatal(s, err)
		}
		s.Values = map[any]any{recordKey{}: s.Values[recordKey{}], tt.key: tt.value}
		if err := s.Save(r, httptest.NewRecorder()); (err == nil) != tt.ok {
			t.Errorf("%s: Save = %v", name, err)
		}
		again, err := b.st.New(r, b.st.Name())
		if same := reflect.DeepEqual(again.Values[tt.key], tt.value); err != nil || tt.ok && !same {
			t.Errorf("%s: came back as %#v, %v", name, again.Values[tt.key], err)
		}
	}
}

// A value cannot bring an ended session back.
func TestSaveAfterTheEnd(t *testing.T) {
	w, u := withOwner(t)
	b := newBrowser(t, w, w.sessions(false))
	b.signIn(u)
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: b.st.Name(), Value: b.cookie()})
	s, err := b.st.Get(r, b.st.Name())
	if err != nil {
		t.Fatal(err)
	}
	b.get("/out")
	before := w.dump()
	s.Values["theme"] = "dark"
	if err := s.Save(r, httptest.NewRecorder()); !errs.Is(err, errs.Unsigned) || w.dump() != before {
		t.Errorf("Save = %v", err)
	}
	if err := b.st.SignOut(httptest.NewRecorder(), r, audit.Actor{}); err != nil || w.dump() != before {
		t.Errorf("a second sign-out, begun before the first was done: %v", err)
	}
}

func TestOtherNames(t *testing.T) {
	w, _ := withOwner(t)
	st := w.sessions(true)
	r := httptest.NewRequest("GET", "/", nil)
	if s, err := st.Get(r, "backoffice"); err == nil || s == nil || !s.IsNew {
		t.Errorf("Get of another name = %v, %v", s, err)
	}
	if s, err := st.Get(r, st.Name()); err != nil || !s.IsNew || s.Name() != "__Host-backoffice" || s.Store() != sessions.Store(st) {
		t.Errorf("Get = %+v, %v", s, err)
	}
}

func TestAtMostFiftySessions(t *testing.T) {
	w, u := withOwner(t)
	st := w.sessions(false)
	var first, second *http.Cookie
	for i := range maxSessions + 1 {
		rec := httptest.NewRecorder()
		if _, err := st.Renew(rec, httptest.NewRequest("GET", "/", nil), u, home); err != nil {
			t.Fatal(err)
		}
		switch i {
		case 0:
			first = rec.Result().Cookies()[0]
		case 1:
			second = rec.Result().Cookies()[0]
		}
	}
	for c, want := range map[*http.Cookie]bool{first: false, second: true} {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(c)
		if _, ok, err := st.Current(r); ok != want || err != nil {
			t.Errorf("Current = %v, %v; want %v", ok, err, want)
		}
	}
	if n := strings.Count(w.dump(), "auth/session/"); n != maxSessions {
		t.Errorf("%d sessions, want %d", n, maxSessions)
	}
}

func TestEndAll(t *testing.T) {
	for _, tt := range []struct {
		except string // "mine", or an id
		ended  int
		mine   string
	}{{"mine", 2, owner}, {"", 3, ""}, {"of nobody", 3, ""}} {
		w, u := withOwner(t)
		st := w.sessions(false)
		var all []*browser
		for range 3 {
			b := newBrowser(t, w, st)
			b.signIn(u)
			all = append(all, b)
		}
		except := tt.except
		if except == "mine" {
			except = all[1].sessionID()
		}
		var ended int
		err := w.store.Update(t.Context(), func(tx store.Tx) (err error) { ended, err = EndAll(tx, u.ID, except); return err })
		if ended != tt.ended || err != nil {
			t.Errorf("EndAll = %d, %v; want %d", ended, err, tt.ended)
		}
		for i, want := range []string{"", tt.mine, ""} {
			if got := all[i].get("/who"); got != want {
				t.Errorf("except %q, browser %d: %q, want %q", tt.except, i, got, want)
			}
		}
	}
}

func TestSweepOfSessions(t *testing.T) {
	w, u := withOwner(t)
	st := w.sessions(false)
	gone, kept := newBrowser(t, w, st), newBrowser(t, w, st)
	gone.signIn(u)
	w.clock.add(29 * time.Minute)
	kept.signIn(u)
	sweep := func(sessions int) {
		t.Helper()
		if err := st.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		dump := w.dump()
		if n := strings.Count(dump, "auth/session/"); n != sessions {
			t.Errorf("%d sessions, want %d", n, sessions)
		}
		if has := strings.Contains(dump, "auth/sessions/"); has != (sessions > 0) {
			t.Errorf("the list is there: %v", has)
		}
	}
	sweep(2)
	w.clock.add(time.Minute)
	sweep(1)
	if kept.get("/who") != owner {
		t.Error("a live session was swept away")
	}
	w.clock.add(time.Hour)
	sweep(0)
}

// A sweep with nothing to do writes nothing, and a record that came back to life
// between its two looks is kept.
func TestSweepLooksTwice(t *testing.T) {
	w, u := withOwner(t)
	b := newBrowser(t, w, w.sessions(false))
	b.signIn(u)
	c := &counting{Store: w.store}
	s := sweeper[sessionRecord]{store: c, table: sessionRecords, gone: func(sessionRecord) bool { return false }, drop: dropSession}
	if err := s.sweep(t.Context()); err != nil || c.updates.Load() != 0 {
		t.Errorf("sweep = %v, with %d writes", err, c.updates.Load())
	}
	if err := s.dropAll(t.Context(), []string{b.sessionID(), "gone already"}); err != nil || b.get("/who") != owner {
		t.Errorf("dropAll = %v, or the session is gone", err)
	}
}

// An error of the store is an error, never "nobody is signed in".
func TestBrokenStoreIsNoSignOut(t *testing.T) {
	w, u := withOwner(t)
	b := newBrowser(t, w, w.sessions(false))
	b.signIn(u)
	err := w.store.Update(t.Context(), func(tx store.Tx) error { tx.Put("auth/session/"+b.sessionID(), []byte("{")); return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/who", "/out", "/theme", "/in?user=" + u.ID} {
		if got := b.get(path); got != "failed" || len(b.last.Cookies()) != 0 {
			t.Errorf("%s: %q, %v", path, got, b.last.Cookies())
		}
	}
}

func FuzzCookie(f *testing.F) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	const last = "AEIMQUYcgkosw048" // 256 bits leave two of the last character unused
	f.Add(newToken() + "." + newToken())
	f.Add("")
	f.Add(".")
	f.Add(strings.Repeat("A", 43) + "." + strings.Repeat("B", 43))
	f.Add(strings.Repeat("/", 43) + "." + strings.Repeat("A", 43))
	f.Add(strings.Repeat("A", 43) + "." + strings.Repeat("A", 42) + "B") // bits that no token has
	f.Add(strings.Repeat("A", 42) + "\n." + strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, value string) {
		id, key, ok := parseCookie(value)
		if ok && (id+"."+key != value || len(id) != 43 || len(key) != 43 || strings.Trim(id+key, alphabet) != "" || !strings.ContainsRune(last, rune(id[42])) || !strings.ContainsRune(last, rune(key[42]))) {
			t.Errorf("parseCookie(%q) = %q, %q", value, id, key)
		}
	})
}

// To peek is no use of a session: it does not keep it, and sees it end.
func TestPeek(t *testing.T) {
	w, u := withOwner(t)
	st := w.sessions(false)
	rec := httptest.NewRecorder()
	if _, err := st.Renew(rec, httptest.NewRequest("GET", "/", nil), u, "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range rec.Result().Cookies() {
		r.AddCookie(c)
	}
	for i, want := range []bool{true, true, true, false, false} {
		s, ok, err := st.Peek(r)
		if ok != want || err != nil || ok && s.UserID != u.ID || !ok && s != (Session{}) {
			t.Errorf("after %d times nine minutes: %+v, %v, %v; want %v", i, s, ok, err, want)
		}
		w.clock.add(9 * time.Minute)
		if i == 2 {
			w.clock.add(9 * time.Minute) // half an hour is over
		}
	}
	for _, cookie := range []string{"", "x", "a.b"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", st.Name()+"="+cookie)
		if s, ok, err := st.Peek(r); ok || err != nil {
			t.Errorf("%q: %+v, %v, %v", cookie, s, ok, err)
		}
	}
}
