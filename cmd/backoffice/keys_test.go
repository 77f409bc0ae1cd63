package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/control"
	"backoffice/internal/egress"
	"backoffice/internal/exchange"
	"backoffice/internal/keeper"
	"backoffice/internal/keyring"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
	"backoffice/internal/signin"
	"backoffice/internal/store"
	"backoffice/internal/webhook"
)

// code is what an app shows now for the secret of an enrolment (RFC 6238).
func code(t *testing.T, e auth.Enrolment, now time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(e.Key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	var step [8]byte
	binary.BigEndian.PutUint64(step[:], uint64(now.Unix()/30))
	mac := hmac.New(sha1.New, key)
	mac.Write(step[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// sealAll has every room seal something. A room with a new kind adds to it, or
// TestNoKindIsForgotten fails.
func (k *killed) sealAll(t *testing.T) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	by := audit.Actor{ID: "u1", Name: "owner@acme.example"}
	text := func(s string) config.Value { return config.TextValue(secret.NewText(s)) }
	_, err := k.all.Save(t.Context(), by, config.Draft{ID: "acme:airtable", Then: config.PutInForce, Values: []config.Input{
		{Key: "clientId", Value: text("client-2")}, {Key: "clientSecret", Secret: true, Value: text("airtable-secret")}}})
	check(err)
	guard, err := egress.New(egress.Options{})
	check(err)
	runs := oauth.New(oauth.Options{Store: k.db, Box: k.box, Config: k.all, Guard: guard, PublicURL: "http://localhost:8080", Now: time.Now})
	defer runs.Close()
	_, _, err = runs.Start(t.Context(), by, "session", "acme:airtable", 1) // with PKCE
	check(err)
	mac := hmac.New(sha1.New, []byte(signingSecret))
	body := []byte(`{"id":"notif_1","topic":"ping"}`)
	mac.Write(body)
	address, _, err := k.hooks.Route(t.Context(), "intercom")
	check(err)
	n, err := k.hooks.Receive(t.Context(), address, webhook.Incoming{Method: http.MethodPost, Body: body, Began: time.Now(),
		Header: http.Header{"X-Hub-Signature": {"sha1=" + hex.EncodeToString(mac.Sum(nil))}}})
	if check(err); n.Verdict != webhook.OK {
		t.Fatalf("the notification is %s", n.Verdict)
	}
	_, err = exchange.Open(t.Context(), exchange.Options{Store: k.db, Box: k.box, Config: k.all, Now: time.Now}) // makes an identity for imports
	check(err)
	people := auth.New(auth.Options{Store: k.db, Box: k.box, Now: time.Now})
	for _, name := range []string{"ada@acme.example", "bob@acme.example"} {
		_, err := people.ConsoleAdd(t.Context(), name, auth.Grant{Role: auth.Owner})
		check(err)
	}
	all, err := people.People(t.Context())
	check(err)
	_, err = exchange.Open(t.Context(), exchange.Options{Store: k.db, Box: k.box, Config: k.all, Now: time.Now, Origin: "http://localhost:8080"})
	check(err)
	for i, p := range all {
		e, err := people.BeginFactor(t.Context(), p.ID, "BackOffice")
		check(err)
		if i == 0 {
			_, err = people.ConfirmFactor(t.Context(), audit.Actor{ID: p.ID, Name: p.Email}, "", code(t, e, time.Now()))
			check(err)
		}
	}
	k.sealSignIn(t, people, guard, audit.Actor{ID: all[0].ID, Name: all[0].Email})
}

// sealSignIn keeps a sign-in provider, which nobody can reach: so the setting waits.
// What only a provider that answers brings about is put there in its stored form.
func (k *killed) sealSignIn(t *testing.T, people *auth.Service, guard *egress.Guard, by audit.Actor) {
	t.Helper()
	s := signin.New(signin.Options{Store: k.db, Box: k.box, Auth: people, Guard: guard, PublicURL: "http://localhost:8080"})
	if _, err := s.Save(t.Context(), by, signin.Draft{Issuer: "https://sign-in.invalid", ClientID: "client-3", Secret: secret.NewText("sign-in-secret")}); err != nil {
		t.Fatal(err)
	}
	flow := "auth/oidc/flow/x"
	sealed, err := k.box.Seal([]byte("{}"), flow)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]any{"sealed": sealed})
	if err != nil {
		t.Fatal(err)
	}
	err = k.db.Update(t.Context(), func(tx store.Tx) error {
		pending, err := tx.Get("auth/oidc/pending")
		tx.Put("auth/oidc/current", pending)
		tx.Put(flow, b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Every kind that is declared is there, and after a change of the key nothing in the
// whole file is sealed with the old one, in whatever way: no kind is forgotten.
func TestNoKindIsForgotten(t *testing.T) {
	k := furnish(t)
	k.open(t)
	defer k.close(t)
	k.sealAll(t)
	c := checked{dataFile: filepath.Join(k.dir, dataName)}
	var err error
	if c.keys, err = (&keySettings{}).keeper(k.dir); err != nil {
		t.Fatal(err)
	}
	box, err := unlock(t.Context(), k.db, c, console{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	r := keyring.New(keyring.Options{Store: keyring.Guard(k.db, box), Box: box, Keeper: c.keys, Now: time.Now})
	if err := r.Note(t.Context(), consoleActor); err != nil {
		t.Fatal(err)
	}
	old, public := box.KeyID(), logKey(t, k.db, box)
	before := k.traces(t, old)
	for _, kind := range secret.Kinds() {
		found := false
		for key := range before {
			found = found || strings.HasPrefix(key, kind.Prefix)
		}
		if kind.Find != nil && !found {
			t.Errorf("the test seals nothing of the kind %s (%s): have sealAll do it", kind.Prefix, kind.Words)
		}
	}
	if _, err := r.Rotate(t.Context(), consoleActor); err != nil {
		t.Fatal(err)
	}
	if err := r.Reseal(t.Context(), consoleActor); err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(t.Context(), func(keyring.State) {}); err != nil {
		t.Fatal(err)
	}
	for key := range k.traces(t, old) {
		t.Errorf("%s is sealed with the old key", key)
	}
	if after := k.traces(t, box.KeyID()); len(after) != len(before) {
		t.Errorf("%d records are sealed with the new key, %d were with the old one", len(after), len(before))
	}
	if _, err := r.Retire(t.Context(), consoleActor, old, false); err != nil {
		t.Fatal(err)
	}
	if got := logKey(t, k.db, box); got != public {
		t.Errorf("the log is signed with %s now, and was with %s", got, public)
	}
	k.box = box
	k.close(t)
	k.open(t)
	for id, want := range map[config.ID]string{"acme:intercom": signingSecret, "acme:airtable": "airtable-secret"} {
		if o, err := k.all.Open(t.Context(), id, 1); err != nil || o.Values["clientSecret"].Text().Reveal() != want {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func logKey(t *testing.T, s store.Store, box *secret.Box) string {
	t.Helper()
	n, err := notaryOf(s, box, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n.Key() + " " + box.Fingerprint("x").String()
}

// traces are the keys of all records of the file in which the id of the key stands as
// it does in front of what is sealed: plain, or in base64 at any offset.
func (k *killed) traces(t *testing.T, id string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	err := k.db.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{})
		for _, it := range items {
			for _, trace := range secret.Traces(id) {
				if bytes.Contains(it.Value, trace) {
					out[it.Key] = true
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A program that is killed while it seals anew goes on at the next start, and nothing
// is lost: neither what was sealed before, nor what was saved beside it.
func TestKilledWhileResealing(t *testing.T) {
	k := furnish(t)
	k.open(t)
	text := func(s string) config.Value { return config.TextValue(secret.NewText(s)) }
	const entries = 1500
	var all sync.WaitGroup
	for part := range 16 { // they share commits
		all.Go(func() {
			for i := part; i < entries; i += 16 {
				_, err := k.all.Save(t.Context(), audit.Actor{ID: "u1", Name: "o"}, config.Draft{ID: config.ID(fmt.Sprintf("v%d:plain", i)), Values: []config.Input{
					{Key: "s", Secret: true, Value: text(fmt.Sprintf("secret %d", i))}}})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	k.close(t)
	old := k.box.KeyID()

	cmd, base := k.program(t)
	call := func(ctx context.Context, name string, out io.Writer) error {
		return control.Call(ctx, k.dir, name, retireArgs{}, out)
	}
	for { // until it takes commands
		if err := call(t.Context(), "keys.rotate", io.Discard); err == nil {
			break
		}
	}
	go func() { _ = call(t.Context(), "keys.reseal", io.Discard) }()
	acknowledged := 0
	for killed := false; !killed; acknowledged++ {
		body := fmt.Sprintf(`{"id":"notif_%d","topic":"ping"}`, acknowledged)
		if status, err := signedPost(base+"/webhooks/intercom", body); err != nil || status != http.StatusOK {
			t.Fatal(status, err)
		}
		var list bytes.Buffer
		if err := call(t.Context(), "keys.list", &list); err != nil {
			t.Fatal(err)
		}
		var done, total int
		if _, words, ok := strings.Cut(list.String(), "under way: "); ok {
			_, _ = fmt.Sscanf(words, "%d of %d", &done, &total)
		}
		if killed = done > entries/10; killed {
			if err := cmd.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
			if done >= total {
				t.Fatal("it was killed after the end")
			}
		}
	}
	_ = cmd.Wait()
	k.box = k.kept(t)
	k.open(t)
	left, changed := len(k.traces(t, old)), len(k.traces(t, k.box.KeyID()))
	if left == 0 || changed == 0 {
		t.Errorf("%d records are sealed with the old key, %d with the new one: nothing was in the middle", left, changed)
	}
	k.whole(t, entries, acknowledged)
	k.close(t)

	cmd, _ = k.program(t) // it goes on by itself
	for {
		var list bytes.Buffer
		if err := call(t.Context(), "keys.list", &list); err == nil && !strings.Contains(list.String(), "under way") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	k.open(t)
	defer k.close(t)
	if left := k.traces(t, old); len(left) != 0 {
		t.Errorf("%d records are still sealed with the old key", len(left))
	}
	k.whole(t, entries, acknowledged)
	t.Logf("killed with %d records left of %d; %d notifications meanwhile", left, left+changed, acknowledged)
}

// kept is the box of the key file as it is now.
func (k *killed) kept(t *testing.T) *secret.Box {
	t.Helper()
	keys, err := keeper.New(keeper.Options{File: filepath.Join(k.dir, "backoffice.key")}).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k.open(t)
	defer k.close(t)
	var record []byte
	err = k.db.View(t.Context(), func(r store.Reader) (err error) {
		record, err = r.Get(secret.InstallationKey)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	box, err := keys.Unlock(record)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// whole checks that every value opens.
func (k *killed) whole(t *testing.T, entries, notifications int) {
	t.Helper()
	for i := range entries {
		o, err := k.all.Open(t.Context(), config.ID(fmt.Sprintf("v%d:plain", i)), 1)
		if err != nil || o.Values["s"].Text().Reveal() != fmt.Sprintf("secret %d", i) {
			t.Fatalf("entry %d: %v", i, err)
		}
	}
	p, err := k.hooks.List(t.Context(), webhook.Filter{Owner: "acme:intercom", Limit: 200})
	if err != nil || len(p.Notifications) != min(notifications, 200) {
		t.Errorf("%d notifications of %d: %v", len(p.Notifications), notifications, err)
	}
	for _, n := range p.Notifications {
		if _, err := k.hooks.Body(t.Context(), n.Owner, n.ID); err != nil {
			t.Error(err)
		}
	}
}
