package main

import (
	"bufio"
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/webhook"
)

const signingSecret = "kill-test-client-secret"

// killed are data that a killed program leaves behind, opened by the test.
type killed struct {
	dir   string
	box   *secret.Box
	db    *bolt.DB
	hooks *webhook.Service
	all   *config.Service
	log   io.Writer // of the program; nil: with that of the tests

	binary string // the program; "": this test's own
}

func (k *killed) open(t *testing.T) {
	t.Helper()
	var err error
	if k.db, err = bolt.Open(filepath.Join(k.dir, "backoffice.db")); err != nil {
		t.Fatal(err)
	}
	catalogue, err := connector.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	guard, err := egress.New(egress.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k.all = config.New(config.Options{Store: k.db, Box: k.box, Catalogue: catalogue, Now: time.Now})
	if k.hooks, err = webhook.New(webhook.Options{Store: k.db, Box: k.box, Config: k.all, Guard: guard, Own: guard, Now: time.Now,
		PublicURL: &url.URL{Scheme: "http", Host: "localhost"}}); err != nil {
		t.Fatal(err)
	}
}

func (k *killed) close(t *testing.T) {
	t.Helper()
	k.hooks.Close()
	if err := k.db.Close(); err != nil {
		t.Error(err)
	}
}

// furnish makes data with one entry whose notifications can be verified.
func furnish(t *testing.T) *killed {
	t.Helper()
	keys, err := secret.Generate()
	if err != nil {
		t.Fatal(err)
	}
	file, err := keys.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	record, box, err := keys.NewInstallation()
	if err != nil {
		t.Fatal(err)
	}
	k := &killed{dir: t.TempDir(), box: box}
	if err := os.WriteFile(filepath.Join(k.dir, "backoffice.key"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	k.open(t)
	defer k.close(t)
	if err := k.db.Update(t.Context(), func(tx store.Tx) error { tx.Put(secret.InstallationKey, record); return nil }); err != nil {
		t.Fatal(err)
	}
	text := func(s string) config.Value { return config.TextValue(secret.NewText(s)) }
	_, err = k.all.Save(t.Context(), audit.Actor{ID: "u1", Name: "owner@acme.example"}, config.Draft{ID: "acme:intercom", Then: config.PutInForce, Values: []config.Input{
		{Key: "clientId", Value: text("client-1")}, {Key: "clientSecret", Secret: true, Value: text(signingSecret)}, {Key: "region", Value: text("US")}, {Key: "apiVersion", Value: text("2.10")}}})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var listening = regexp.MustCompile(`listening on ([0-9.:]+)\)`)

// program starts the program, which TestMain has put into the path, over the data
// in a process of its own.
func (k *killed) program(t *testing.T, more ...string) (*exec.Cmd, string) {
	t.Helper()
	args := []string{"serve", "--addr", "127.0.0.1:0", "--public-url", "http://localhost:8080", "--data", k.dir, "--webhook-rate", "1000000", "--webhook-keep", "100000"}
	cmd := exec.Command(cmp.Or(k.binary, "backoffice"), append(args, more...)...)
	cmd.Stderr = os.Stderr
	if k.log != nil {
		cmd.Stderr = k.log
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			return cmd, "http://" + m[1]
		}
	}
	_ = cmd.Wait()
	t.Fatalf("the program ended before it listened: %v", k.log)
	return nil, ""
}

func signedPost(address, body string) (int, error) {
	mac := hmac.New(sha1.New, []byte(signingSecret))
	mac.Write([]byte(body))
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	res.Body.Close()
	return res.StatusCode, nil
}

// A program that is killed in the middle of a burst has kept every notification
// that it acknowledged, and one that is started again goes on.
func TestKilledInABurst(t *testing.T) {
	k := furnish(t)
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	for round := range 2 {
		cmd, base := k.program(t)
		enough := make(chan struct{})
		var senders sync.WaitGroup
		for sender := range 16 {
			senders.Go(func() {
				for i := 0; ; i++ {
					body := fmt.Sprintf(`{"id":"notif_%d_%d_%d","topic":"ping"}`, round, sender, i)
					status, err := signedPost(base+"/webhooks/intercom", body)
					if err != nil {
						return // it was killed
					}
					mu.Lock()
					if status == http.StatusOK {
						acknowledged[body] = true
					}
					if len(acknowledged) == (round+1)*400 {
						close(enough)
					}
					mu.Unlock()
					if status != http.StatusOK {
						t.Errorf("answered %d", status)
						return
					}
				}
			})
		}
		<-enough
		if err := cmd.Process.Kill(); err != nil { // SIGKILL, while the others send
			t.Fatal(err)
		}
		senders.Wait()
		_ = cmd.Wait()
	}
	k.open(t)
	defer k.close(t)
	kept := map[string]bool{}
	for f := (webhook.Filter{Owner: "acme:intercom", Limit: 200}); ; {
		p, err := k.hooks.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range p.Notifications {
			body, err := k.hooks.Body(t.Context(), n.Owner, n.ID)
			if err != nil || n.Verdict != webhook.OK || n.Length != len(body) {
				t.Errorf("%s: %s, %v", n.ID, n.Verdict, err)
			}
			kept[string(body)] = true
		}
		if f.Before = p.Next; !p.More {
			break
		}
	}
	for body := range acknowledged {
		if !kept[body] {
			t.Errorf("%s was acknowledged and is lost", body)
		}
	}
	t.Logf("%d acknowledged, %d kept", len(acknowledged), len(kept))
}
