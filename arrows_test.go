// Package backoffice has only this test: it holds the arrows between the rooms.
package backoffice_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A listed package is what "go list -json" says of one.
type listed struct {
	ImportPath string
	Imports    []string // direct, without tests
	Deps       []string // all, without tests
}

// rooms has every package of the module with the packages of the module that it
// may import. A new room needs a row here, and a sentence in ARCHITECTURE.md.
var rooms = map[string][]string{
	"internal/errs":            {},
	"internal/secret":          {"internal/errs"},
	"internal/ical":            {},
	"internal/control":         {"internal/errs"},
	"internal/connector":       {"internal/errs"},
	"internal/egress":          {"internal/errs"},
	"internal/sandbox":         {"internal/errs"},
	"internal/store":           {"internal/errs"},
	"internal/format":          {"internal/errs", "internal/store"},
	"internal/backup":          {"internal/errs", "internal/store", "internal/audit", "internal/format", "internal/secret"},
	"internal/store/bolt":      {"internal/errs", "internal/store"},
	"internal/store/storetest": {"internal/errs", "internal/store"},
	"internal/audit":           {"internal/errs", "internal/store"},
	"internal/keyring":         {"internal/errs", "internal/store", "internal/audit", "internal/secret"},
	"internal/keeper":          {"internal/errs", "internal/secret"},
	"internal/auth":            {"internal/errs", "internal/store", "internal/audit", "internal/secret"},
	"internal/auth/authtest":   {},
	"internal/config":          {"internal/errs", "internal/store", "internal/audit", "internal/secret", "internal/connector"},
	"internal/oauth": {"internal/errs", "internal/store", "internal/audit", "internal/secret", "internal/connector", "internal/config",
		"internal/egress"},
	"internal/webhook": {"internal/errs", "internal/store", "internal/audit", "internal/secret", "internal/connector", "internal/config",
		"internal/egress"},
	"internal/signin":            {"internal/errs", "internal/store", "internal/audit", "internal/secret", "internal/auth", "internal/egress"},
	"internal/signin/signintest": {},
	"internal/guide":             {"internal/errs", "internal/store", "internal/audit", "internal/connector", "internal/config"},
	"internal/outside":           {"internal/errs", "internal/store", "internal/audit", "internal/egress"},
	"internal/exchange":          {"internal/errs", "internal/store", "internal/audit", "internal/secret", "internal/config"},
	"web":                        {},
	"web/templates":              {"web"},
	"internal/server": {"internal/errs", "internal/store", "internal/audit", "internal/secret", "internal/connector", "internal/config",
		"internal/egress", "internal/oauth", "internal/outside", "internal/webhook", "internal/guide", "internal/exchange", "internal/auth", "internal/signin", "internal/ical", "internal/keyring", "internal/backup", "web", "web/templates"},
	"cmd/backoffice": {"internal/errs", "internal/store", "internal/store/bolt", "internal/audit", "internal/secret", "internal/connector",
		"internal/config", "internal/egress", "internal/oauth", "internal/outside", "internal/webhook", "internal/guide", "internal/exchange", "internal/auth", "internal/signin", "internal/keyring", "internal/keeper", "internal/server", "internal/sandbox", "internal/control",
		"internal/backup", "internal/format"},
}

// nevers are what a room must not reach at all, with the reason.
var nevers = []struct{ room, never, why string }{
	{"internal/config", "github.com/labstack/echo", "requests end in server"},
	{"internal/oauth", "github.com/labstack/echo", "requests end in server"},
	{"internal/auth", "github.com/labstack/echo", "requests end in server"},
	{"internal/outside", "github.com/labstack/echo", "requests end in server"},
	{"internal/signin", "github.com/labstack/echo", "requests end in server"},
	{"internal/signin", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/auth", "backoffice/internal/egress", "who somebody is is decided without a call"},
	{"internal/webhook", "github.com/labstack/echo", "requests end in server"},
	{"internal/guide", "github.com/labstack/echo", "requests end in server"},
	{"internal/exchange", "net/http", "a file comes and goes through server"},
	{"internal/exchange", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/guide", "net/http", "what is known of a set-up is read, never asked for"},
	{"internal/guide", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/webhook", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/outside", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/keyring", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/keyring", "os/exec", "where keys are kept is the business of keeper"},
	{"internal/keeper", "backoffice/internal/store", "the key is not in the data"},
	{"internal/audit", "github.com/labstack/echo", "requests end in server"},
	{"internal/backup", "net/http", "an archive is a file, wherever it goes"},
	{"internal/backup", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/audit", "net/http", "the log knows nothing of requests"},
	{"internal/config", "net/http", "entries know nothing of requests"},
	{"internal/config", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/oauth", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/auth", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/audit", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/server", "go.etcd.io/bbolt", "only cmd chooses the engine"},
	{"internal/sandbox", "github.com/labstack/echo", "the sandbox plays the other side and shares nothing with us"},
	{"internal/control", "backoffice/internal/store", "it carries commands, and knows none of them"},
	{"internal/control", "net/http", "its socket answers no browser"},
	{"internal/errs", "net/http", "a status is server's business"},
	{"web/templates", "backoffice/internal/", "a page must have no type in which a secret could arrive"},
	{"web/templates", "golang.org/x/oauth2", "a page must have no type in which a secret could arrive"},
}

func TestArrows(t *testing.T) {
	found := list(t)
	for _, p := range found {
		room := strings.TrimPrefix(p.ImportPath, "backoffice/")
		may, known := rooms[room]
		if !known {
			t.Errorf("the room %s is not on the map: say in ARCHITECTURE.md what it is for, and give it a row here", room)
			continue
		}
		for _, i := range p.Imports {
			if in, ours := strings.CutPrefix(i, "backoffice/"); ours && !slices.Contains(may, in) {
				t.Errorf("%s must not import %s: there is no such arrow in ARCHITECTURE.md", room, in)
			}
		}
	}
	if len(found) != len(rooms) {
		t.Errorf("%d packages, %d rooms on the map", len(found), len(rooms))
	}
}

func TestNevers(t *testing.T) {
	found := list(t)
	for _, n := range nevers {
		i := slices.IndexFunc(found, func(p listed) bool { return p.ImportPath == "backoffice/"+n.room })
		if i < 0 {
			t.Errorf("there is no room %s", n.room)
			continue
		}
		for _, d := range found[i].Deps {
			if d == n.never || strings.HasPrefix(d, strings.TrimSuffix(n.never, "/")+"/") {
				t.Errorf("%s must not reach %s: %s", n.room, d, n.why)
			}
		}
	}
}

// list is every package of the module that has code, but for the tests that
// drive the whole program.
func list(t *testing.T) (out []listed) {
	t.Helper()
	b, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(b))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath != "backoffice" && !strings.HasPrefix(p.ImportPath, "backoffice/e2e") {
			out = append(out, p)
		}
	}
}
