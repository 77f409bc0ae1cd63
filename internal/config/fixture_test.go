package config_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
)

var start = time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)

// Two people, who are told apart in every record.
var (
	owner  = audit.Actor{ID: "u1", Name: "owner@acme.example", Addr: "203.0.113.7", RequestID: "r1"}
	editor = audit.Actor{ID: "u2", Name: "editor@acme.example", Addr: "203.0.113.8", RequestID: "r2"}
)

// rocket has a field of every sort; planet's address needs an optional field.
const rocketYAML = `
key: rocket
name: Rocket
initial: Ro
summary: A provider for tests.
fields:
  - {key: clientId, label: Client ID, required: true, pattern: '[a-z0-9-]+', shape: 'small letters, digits and -'}
  - {key: clientSecret, label: Client secret, secret: true, required: true}
  - {key: webhookSecret, label: Webhook secret, secret: true}
  - key: region
    label: Region
    default: one
    options:
      - {value: one, label: One, set: {tokenBase: "https://one.rocket.example"}}
      - {value: uno, label: Uno, set: {tokenBase: "https://one.rocket.example"}}
      - {value: two, label: Two, set: {tokenBase: "https://two.rocket.example"}}
  - {key: sandbox, label: Sandbox, kind: boolean}
  - {key: retries, label: Retries, kind: number}
oauth:
  authorizeUrl: https://rocket.example/oauth/authorize
  tokenUrl: "{tokenBase}/oauth/token"
  clientAuth: post
`

const planetYAML = `
key: planet
name: Planet
initial: Pl
summary: A provider whose address has the customer's name in it.
fields:
  - {key: clientId, label: Client ID, required: true}
  - {key: clientSecret, label: Client secret, secret: true, required: true}
  - {key: subdomain, label: Subdomain, pattern: '[A-Za-z0-9-]*', shape: 'letters, digits and -'}
oauth:
  authorizeUrl: https://planet.example/oauth/authorize
  tokenUrl: "https://{subdomain}.planet.example/oauth/token"
  clientAuth: post
`

// catalogue is read once: it is immutable.
var catalogue = sync.OnceValues(func() (*connector.Catalogue, error) {
	dir, err := os.MkdirTemp("", "definitions")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"rocket.yaml": rocketYAML, "planet.yaml": planetYAML} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	builtin, err := connector.Builtin()
	if err != nil {
		return nil, err
	}
	return builtin.With(dir)
})

// A room is a Service over a real file, with what a test needs beside it.
type room struct {
	*config.Service
	t     testing.TB
	store store.Store
	box   *secret.Box
	file  string

	mu   sync.Mutex
	time time.Time // of the clock, which goes on by a minute whenever it is read
}

// open returns a room over an empty file. Every Update callback runs twice
// (invariant 4): all tests of this package go through it.
func open(t testing.TB) *room {
	t.Helper()
	r := &room{t: t, file: filepath.Join(t.TempDir(), "config.db"), time: start}
	s, err := bolt.Open(r.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	keys, err := secret.Generate()
	if err != nil {
		t.Fatal(err)
	}
	if _, r.box, err = keys.NewInstallation(); err != nil {
		t.Fatal(err)
	}
	definitions, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	r.store = storetest.Replay(s)
	r.Service = config.New(config.Options{Store: r.store, Box: r.box, Catalogue: definitions, Now: r.now})
	return r
}

func (r *room) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.time = r.time.Add(time.Minute)
	return r.time
}

// text, plain, hidden and keep make the inputs of a draft.
func text(s string) config.Value { return config.TextValue(secret.NewText(s)) }

func plain(key, typed string) config.Input {
	return config.Input{Key: key, Value: config.ParseValue(typed)}
}

func hidden(key, value string) config.Input {
	return config.Input{Key: key, Secret: true, Value: text(value)}
}

func keep(key string) config.Input { return config.Input{Key: key, Secret: true, Keep: true} }

// draft is the n-th draft of an entry without a definition: plain and secret
// values that differ in every draft.
func draft(id config.ID, n int) config.Draft {
	return config.Draft{ID: id, Values: []config.Input{plain("note", fmt.Sprint("note ", n)), hidden("password", fmt.Sprint("pass-", n))}}
}

// save saves d by the owner, on the entry as it stands. It must succeed.
func (r *room) save(d config.Draft) config.Version {
	r.t.Helper()
	saved, err := r.Save(r.t.Context(), owner, r.onto(d))
	if err != nil {
		r.t.Fatalf("saving %s: %v", d.ID, err)
	}
	return saved.Version
}

// onto gives d the revision and the base of the entry as it stands.
func (r *room) onto(d config.Draft) config.Draft {
	if e, err := r.Get(context.Background(), d.ID); err == nil {
		d.Revision, d.Base = e.Revision, e.Newest()
	}
	return d
}

func (r *room) get(id config.ID) config.Entry {
	r.t.Helper()
	e, err := r.Get(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// refused fails the test unless saving d fails with exactly these field errors.
func (r *room) refused(d config.Draft, want map[string]string) {
	r.t.Helper()
	before := r.dump()
	_, err := r.Save(r.t.Context(), owner, r.onto(d))
	if !errs.Is(err, errs.Invalid) {
		r.t.Errorf("Save = %v, want an Invalid", err)
	}
	if got := errs.Fields(err); fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("fields at fault:\n%v, want\n%v", got, want)
	}
	r.unchanged(before)
}

// dump is the whole store.
func (r *room) dump() map[string]string {
	r.t.Helper()
	all := map[string]string{}
	err := r.store.View(context.Background(), func(rd store.Reader) error {
		items, err := rd.Scan(store.Range{})
		for _, it := range items {
			all[it.Key] = string(it.Value)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// unchanged fails the test unless the store is as it was.
func (r *room) unchanged(before map[string]string) {
	r.t.Helper()
	now := r.dump()
	for key, v := range now {
		if old, had := before[key]; !had || old != v {
			r.t.Errorf("%s was written", key)
		}
	}
	for key := range before {
		if _, has := now[key]; !has {
			r.t.Errorf("%s was removed", key)
		}
	}
}

// put writes one raw record.
func (r *room) put(key, value string) {
	r.t.Helper()
	err := r.store.Update(context.Background(), func(tx store.Tx) error { tx.Put(key, []byte(value)); return nil })
	if err != nil {
		r.t.Fatal(err)
	}
}

// breakAuditLog makes its size no number, so that nothing can be appended.
func (r *room) breakAuditLog() { r.t.Helper(); r.put("audit/size", "many") }

// events are all events of the log, newest first.
func (r *room) events() []audit.Event {
	r.t.Helper()
	p, err := audit.NewLog(r.store).List(context.Background(), audit.Filter{Limit: 10_000})
	if err != nil {
		r.t.Fatal(err)
	}
	return p.Events
}

var fingerprint = regexp.MustCompile(`^[0-9a-f]{12}$`)

// changes writes the changes of an event as "key:before>after", with # for a
// fingerprint.
func changes(e audit.Event) string {
	short := func(s string) string {
		if fingerprint.MatchString(s) {
			return "#"
		}
		return s
	}
	var out []string
	for _, c := range e.Changes {
		out = append(out, c.Key+":"+short(c.Before)+">"+short(c.After))
	}
	return strings.Join(out, ", ")
}

// kindOf is the kind of an error, or "" for none.
func kindOf(err error) string {
	if err == nil {
		return ""
	}
	kind, _ := errs.Of(err)
	return kind.String()
}
