package main

import (
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/format"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// writeGolden makes the golden data file of the present form anew. A file that was
// released is never made anew: a later form gets one of its own beside it.
var writeGolden = flag.Bool("golden", false, "write the golden data file of this form")

// goldenEmail is the person of the golden files. Their password and the key are in the
// repository: nothing in them is a secret.
const goldenEmail = "zoe@acme.example"

// goldenDir is where the golden file of a form is.
func goldenDir(form string) string { return filepath.Join("testdata", "golden", form) }

// makeGolden furnishes data with at least one record of each sort that is made without
// a provider, and of everything that is sealed.
func makeGolden(t *testing.T, dir string) {
	k := furnish(t)
	p := start(t, func() settings { s := defaults(k.dir); s.SecondFactor = "off"; return s }())
	for i, body := range []string{`{"id":"notif_1","topic":"ping"}`, `{"id":"notif_2","topic":"company.created","app_id":"w"}`} {
		if status, err := signedPost(p.url+"/webhooks/intercom", body); err != nil || status != 200 {
			t.Fatalf("notification %d: %d, %v", i, status, err)
		}
	}
	until(t, "the head", func() string { // signed, and explained
		time.Sleep(1500 * time.Millisecond)
		return "signed"
	}, "signed")
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	k.open(t)
	k.sealAll(t)
	password, err := auth.New(auth.Options{Store: k.db, Box: k.box, Now: time.Now}).ConsoleAdd(t.Context(), goldenEmail, auth.Grant{Role: auth.Owner})
	if err != nil {
		t.Fatal(err)
	}
	k.close(t)
	if _, _, err := bolt.Compact(t.Context(), filepath.Join(k.dir, dataName)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte(password.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dataName, "backoffice.key"} {
		if err := copyTo(filepath.Join(k.dir, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// The data file of every form that was released opens with this program: every sealed
// value, the whole audit log, and every page.
func TestGolden(t *testing.T) {
	if *writeGolden {
		makeGolden(t, goldenDir("1"))
	}
	forms, err := os.ReadDir(filepath.Join("testdata", "golden"))
	if err != nil || len(forms) != format.Current {
		t.Fatalf("%d golden files for %d forms: %v", len(forms), format.Current, err)
	}
	for _, form := range forms {
		t.Run("form "+form.Name(), func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{dataName, "backoffice.key"} {
				if err := copyTo(filepath.Join(goldenDir(form.Name()), name), filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			if info, err := os.Stat(filepath.Join(dir, dataName)); err != nil || info.Size() > 1<<20 {
				t.Errorf("%v, %v; want less than 1 MiB", info, err)
			}
			goldenKinds(t, dir)
			s := defaults(dir)
			s.SecondFactor = "off"
			p := start(t, s)
			goldenPages(t, p, form.Name())
			if err := p.stop(); err != nil {
				t.Fatal(err)
			}
			// A backup of it opens every sealed value, and verifies the log.
			file := filepath.Join(t.TempDir(), "backup")
			if out, err := run(t, "backup", file, "--data", dir); err != nil {
				t.Fatal(out)
			}
			if out, err := run(t, "verify", file, "--data", dir); err != nil || !strings.Contains(out, "VERIFIED") {
				t.Error(out)
			}
		})
	}
}

// goldenKinds looks for a record of each sort that is kept sealed, and of the others.
func goldenKinds(t *testing.T, dir string) {
	db, err := bolt.Open(filepath.Join(dir, dataName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// A later sort of record is in the golden file of a later form, and not in this one.
	prefixes := []string{"config/entry/", "config/version/", "webhook/note/", "webhook/body/", "auth/user/", "auth/factor/", "auth/factor-new/", "oauth/flow/",
		"audit/event/", "audit/hash/", "audit/checkpoint/", "keys/", "secret/installation", "meta/format"}
	err = db.View(context.Background(), func(r store.Reader) error {
		for _, prefix := range prefixes {
			if found, err := r.Scan(store.Range{Prefix: prefix, Limit: 1}); err != nil || len(found) == 0 {
				t.Errorf("the golden file has no record under %s (%v)", prefix, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

var links = regexp.MustCompile(`href="(/[^"#]*)`)

// goldenPages signs in and opens every page that a link leads to.
func goldenPages(t *testing.T, p program, form string) {
	password, err := os.ReadFile(filepath.Join(goldenDir(form), "password"))
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	res, err := c.PostForm(p.url+"/login", url.Values{"email": {goldenEmail}, "password": {string(password)}})
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != 200 || !strings.Contains(string(said), goldenEmail) || res.Request.URL.Path != "/" {
		t.Fatalf("signing in: %d at %s\n%s", res.StatusCode, res.Request.URL, said)
	}
	seen, opened := map[string]bool{"/": true}, 0
	kinds := map[string]int{}
	for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
		res, err := c.Get(p.url + queue[0])
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 || !strings.Contains(string(body), goldenEmail) && strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d, %v", queue[0], res.StatusCode, err)
			continue
		}
		opened++
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, m := range links.FindAllStringSubmatch(string(body), -1) {
			to := strings.ReplaceAll(m[1], "&amp;", "&")
			kind := strings.Join(strings.SplitN(to, "/", 4)[:min(3, strings.Count(to, "/")+1)], "/")
			if seen[to] || strings.HasPrefix(to, "/static/") || kinds[kind] > 12 {
				continue
			}
			seen[to] = true
			kinds[kind]++
			queue = append(queue, to)
		}
	}
	for _, must := range []string{"/config/acme:intercom", "/audit/0", "/team", "/settings", "/settings/backup", "/settings/keys", "/webhooks", "/account", "/connectors"} {
		if !seen[must] {
			t.Errorf("no link leads to %s", must)
		}
	}
	if opened < 40 {
		t.Errorf("%d pages opened", opened)
	}
	t.Logf("%d pages", opened)
}
