package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backoffice/internal/secret"
)

// A load is what is asked of a program at once: each actor goes on until the
// program does not answer any more, and knows what was acknowledged.
type load struct {
	k        *killed
	base     string // of the program that runs now
	owner    *http.Client
	actors   []actor
	acked    atomic.Int64
	mu       sync.Mutex
	statuses map[string]int // answers that were none of those that are expected
}

// An actor is one of the load. act asks for one thing and returns an error if there
// was no answer.
type actor interface {
	name() string
	act(*load) error
}

func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// run has all actors act until the program is gone.
func (l *load) run() *sync.WaitGroup {
	var all sync.WaitGroup
	for _, a := range l.actors {
		all.Go(func() {
			for a.act(l) == nil {
			}
		})
	}
	return &all
}

// post sends a form and returns status and place of the answer.
func (l *load) post(c *http.Client, path string, form url.Values) (int, string, error) {
	req, err := http.NewRequest(http.MethodPost, l.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return res.StatusCode, res.Header.Get("Location"), nil
}

// unexpected notes an answer that no actor may get.
func (l *load) unexpected(who, what string, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.statuses[fmt.Sprintf("%s: %s answered %d", who, what, status)]++
}

// An editor changes one entry: it makes, saves, promotes, rolls back, discards and
// deletes it.
type editor struct {
	random *rand.Rand
	m      *model
	n      int
}

func (k *editor) name() string { return k.m.id }

func (k *editor) act(l *load) error {
	k.n++
	a := k.m.choose(k.random.IntN, fmt.Sprintf("%s-%d", strings.ReplaceAll(k.m.id, ":", "-"), k.n))
	path, form := k.m.form(a)
	k.m.doubt = &a
	status, to, err := l.post(l.owner, path, form)
	if err != nil {
		return err
	}
	k.m.doubt = nil
	if status != http.StatusSeeOther || strings.HasPrefix(to, "/login") {
		l.unexpected(k.m.id, a.mark(), status)
		return fmt.Errorf("answered %d", status)
	}
	k.m.after(a)
	l.acked.Add(1)
	return nil
}

// A sender sends notifications, each one once.
type sender struct {
	place int
	n     int
	mu    *sync.Mutex
	acked map[string]bool // bodies that were answered with 200; shared
}

func (s *sender) name() string { return fmt.Sprintf("sender %d", s.place) }

func (s *sender) act(l *load) error {
	s.n++
	body := fmt.Sprintf(`{"id":"notif_%d_%d","topic":"ping"}`, s.place, s.n)
	status, err := signedPost(l.base+"/webhooks/intercom", body)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		l.unexpected(s.name(), "a notification", status)
		return fmt.Errorf("answered %d", status)
	}
	s.mu.Lock()
	s.acked[body] = true
	s.mu.Unlock()
	l.acked.Add(1)
	time.Sleep(10 * time.Millisecond) // there are to be other acts, too
	return nil
}

// A guest signs in and out. A session that was given must be good after the kill, and
// one that was ended must not.
type guest struct {
	email, password string
	client          *http.Client
	in, doubt       bool
	ins, outs       int // acknowledged
}

func (g *guest) name() string { return g.email }

func (g *guest) act(l *load) error {
	g.doubt = true
	path, form := "/login", url.Values{"email": {g.email}, "password": {g.password}}
	if g.in {
		path, form = "/logout", url.Values{}
	}
	status, _, err := l.post(g.client, path, form)
	if err != nil {
		return err
	}
	g.doubt = false
	if status != http.StatusSeeOther {
		l.unexpected(g.email, path, status)
		return fmt.Errorf("answered %d", status)
	}
	if g.in {
		g.outs++
	} else {
		g.ins++
	}
	g.in = !g.in
	l.acked.Add(1)
	return nil
}

// signedIn reports whether the client's session is good.
func (l *load) signedIn(c *http.Client) (bool, error) {
	res, err := c.Get(l.base + "/account")
	if err != nil {
		return false, err
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return res.StatusCode == http.StatusOK, nil
}

// A turner changes the key that seals, has everything sealed anew, and retires the
// keys of before, again and again.
type turner struct {
	file    string // with the keys
	n       int
	rotated int // acknowledged
	retired int
}

func (k *turner) name() string { return "turner" }

func (k *turner) act(l *load) error {
	time.Sleep(15 * time.Millisecond) // there are to be other acts, too
	k.n++
	path, form := "/settings/keys/reseal", url.Values{}
	switch k.n % 4 {
	case 1:
		path = "/settings/keys/rotate"
	case 3:
		ids, err := keyIDs(k.file)
		if err != nil || len(ids) < 2 {
			return err
		}
		path, form = "/settings/keys/retire", url.Values{"key": {ids[len(ids)-1]}, "copy": {"no"}}
	}
	status, to, err := l.post(l.owner, path, form)
	if err != nil {
		return err
	}
	switch {
	case status == http.StatusSeeOther && !strings.HasPrefix(to, "/login"):
		l.acked.Add(1)
		if k.n%4 == 1 {
			k.rotated++
		}
		if k.n%4 == 3 {
			k.retired++
		}
	case k.n%4 == 3 && (status == http.StatusConflict || status == http.StatusUnprocessableEntity): // it still seals something
	default:
		l.unexpected("turner", path, status)
		return fmt.Errorf("answered %d", status)
	}
	return nil
}

// keyIDs are the ids in a key file, the one that seals first.
func keyIDs(file string) ([]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	keys, err := secret.Read(b)
	if err != nil {
		return nil, err
	}
	return keys.IDs(), nil
}
