package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/webhook"

	"go.etcd.io/bbolt"
)

// The variables that "make faults" sets.
const (
	roundsVar = "BACKOFFICE_FAULT_ROUNDS"
	seedVar   = "BACKOFFICE_FAULT_SEED"
)

const (
	fewRounds   = 8 // as a part of all tests
	editors     = 6
	senders     = 3
	loadFor     = 400 * time.Millisecond // the kill comes at a random moment within it
	startFor    = 200 * time.Millisecond // or within this after the start, before anything is asked
	fullEvery   = 25                     // rounds after which all notifications are opened, not only new ones
	ownerEmail  = "owner@acme.example"
	guestEmail  = "guest@acme.example"
	faultsWords = "correct horse battery"
)

// A trial is the data of the rounds, and what is known of them.
type trial struct {
	*killed
	load    *load
	editors []*editor
	guest   *guest
	hooks   struct {
		sync.Mutex
		acked map[string]bool
	}
	seen  map[string]bool // notifications that were opened
	next  int64           // number of the first event that was not read
	about map[string][]string
	ins   int // events of the guest's sign-ins
	outs  int

	turner           *turner
	rotated, retired int // events of it
}

// Killed at random moments under a mixed load, the program starts again, has all
// that it acknowledged, has nothing without its event, has a log that verifies, and
// opens all that it sealed.
func TestKilledUnderAMixedLoad(t *testing.T) {
	rounds := fewRounds
	if n, err := strconv.Atoi(os.Getenv(roundsVar)); err == nil {
		rounds = n
	}
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv(seedVar), 10, 64); err == nil {
		seed = n
	}
	t.Logf("%d rounds, seed %d (set it with %s)", rounds, seed, seedVar)
	random := rand.New(rand.NewPCG(seed, 0))
	x := newTrial(t, random)
	var happened, starts int
	for round := range rounds {
		if random.IntN(5) == 0 { // during a start
			cmd := x.launch(t)
			time.Sleep(time.Duration(random.Int64N(int64(startFor))))
			end(t, cmd)
			starts++
			happened += x.check(t, round)
		}
		cmd, base := x.program(t, "--second-factor", "off", "--radar", "off", "--confirm-after", "15m")
		x.load.base = base
		x.ready(t)
		under := x.load.run()
		time.Sleep(time.Duration(random.Int64N(int64(loadFor)))) // the moment is what is random here
		end(t, cmd)
		under.Wait()
		happened += x.check(t, round)
		if t.Failed() {
			t.Fatalf("round %d, seed %d", round, seed)
		}
	}
	x.verify(t)
	for what, n := range x.load.statuses {
		t.Errorf("%s, %d times", what, n)
	}
	kinds := map[string]int{}
	for _, k := range x.editors {
		for _, mark := range k.m.log {
			kinds[strings.Fields(mark)[0]]++
		}
	}
	kinds["key.rotate"], kinds["key.retire"] = x.turner.rotated, x.turner.retired
	kinds["notification"], kinds["sign-in"], kinds["sign-out"] = len(x.hooks.acked), x.guest.ins, x.guest.outs
	t.Logf("%d rounds, %d of them with a kill during the start as well, seed %d: %d acts acknowledged, all there; %d more were carried out and not acknowledged; %d events",
		rounds, starts, seed, x.load.acked.Load(), happened, x.next)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		t.Logf("  %-16s %d", kind, kinds[kind])
	}
	if rounds >= fullEvery && (kinds["entry.save"] == 0 || kinds["entry.promote"] == 0 || kinds["notification"] == 0 || kinds["sign-in"] == 0 || kinds["key.rotate"] == 0) {
		t.Error("a kind of act was never acknowledged: the load is none")
	}
}

func newTrial(t *testing.T, random *rand.Rand) *trial {
	x := &trial{killed: furnish(t), seen: map[string]bool{}, about: map[string][]string{}}
	x.hooks.acked = map[string]bool{}
	x.open(t)
	people := auth.New(auth.Options{Store: x.db, Box: x.box})
	token, _, err := people.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	word := secret.NewText(faultsWords)
	if _, err := people.Setup(t.Context(), audit.Actor{}, auth.NewAdmin{Token: token, Email: ownerEmail, Password: word, Again: word}); err != nil {
		t.Fatal(err)
	}
	password, err := people.ConsoleAdd(t.Context(), guestEmail, auth.Grant{Role: auth.Viewer})
	if err != nil {
		t.Fatal(err)
	}
	x.close(t)
	x.load = &load{k: x.killed, owner: browser(t), statuses: map[string]int{}}
	x.guest = &guest{email: guestEmail, password: password.Reveal(), client: browser(t)}
	x.load.actors = append(x.load.actors, x.guest)
	for i := range editors {
		k := &editor{random: rand.New(rand.NewPCG(random.Uint64(), 0)), m: newModel(fmt.Sprintf("load-%d:intercom", i))}
		x.editors = append(x.editors, k)
		x.load.actors = append(x.load.actors, k)
	}
	x.turner = &turner{file: filepath.Join(x.dir, "backoffice.key")}
	x.load.actors = append(x.load.actors, x.turner)
	for i := range senders {
		x.load.actors = append(x.load.actors, &sender{place: i, mu: &x.hooks.Mutex, acked: x.hooks.acked})
	}
	return x
}

// launch starts the program and does not wait for it.
func (k *killed) launch(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("backoffice", "serve", "--addr", "127.0.0.1:0", "--public-url", "http://localhost:8080", "--data", k.dir, "--webhook-keep", "100000", "--second-factor", "off", "--radar", "off")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// end kills the program: SIGKILL.
func end(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

// ready asks a program that was just started what it is to know.
func (x *trial) ready(t *testing.T) {
	t.Helper()
	if status, body := get(t, x.load.base+"/readyz"); status != http.StatusOK {
		t.Errorf("after a kill, /readyz answers %d %q", status, body)
	}
	in, err := x.load.signedIn(x.load.owner)
	if err != nil {
		t.Fatal(err)
	}
	if !in { // the first time, or the session is too old
		status, to, err := x.load.post(x.load.owner, "/login", url.Values{"email": {ownerEmail}, "password": {faultsWords}})
		if err != nil || status != http.StatusSeeOther || strings.HasPrefix(to, "/login") {
			t.Fatalf("signing in: %d, %v", status, err)
		}
	}
	in, err = x.load.signedIn(x.guest.client)
	if err != nil {
		t.Fatal(err)
	}
	if in != x.guest.in && !x.guest.doubt {
		t.Errorf("after a kill, the guest's session is good: %v; acknowledged: %v", in, x.guest.in)
	}
	x.guest.in, x.guest.doubt = in, false
}

// check looks at the data that a kill left behind, on a copy: what starts again
// has to cope with the file as it is. It returns how many acts in doubt happened.
func (x *trial) check(t *testing.T, round int) (happened int) {
	t.Helper()
	c := &killed{dir: t.TempDir()}
	copyFile(t, filepath.Join(x.dir, "backoffice.db"), filepath.Join(c.dir, "backoffice.db"))
	sound(t, filepath.Join(c.dir, "backoffice.db"))
	c.box = x.unlocked(t, filepath.Join(c.dir, "backoffice.db"))
	c.open(t)
	defer c.close(t)
	x.events(t, c)
	x.logVerifies(t, c)
	known := []string{"acme:intercom"}
	for _, k := range x.editors {
		s := c.entry(t, k.m.id)
		did, err := k.m.settle(s, x.about[k.m.id])
		if err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if did {
			happened++
		}
		if k.m.there {
			known = append(known, k.m.id)
		}
	}
	x.nothingElse(t, c, known)
	x.notifications(t, c, round%fullEvery == 0)
	if x.ins < x.guest.ins || x.outs < x.guest.outs {
		t.Errorf("round %d: the log has %d sign-ins and %d sign-outs, %d and %d were acknowledged", round, x.ins, x.outs, x.guest.ins, x.guest.outs)
	}
	if x.rotated < x.turner.rotated || x.retired < x.turner.retired {
		t.Errorf("round %d: the log has %d new keys and %d retired ones, %d and %d were acknowledged", round, x.rotated, x.retired, x.turner.rotated, x.turner.retired)
	}
	return happened
}

// unlocked opens a copy of the data with the keys that are there now.
func (x *trial) unlocked(t *testing.T, path string) *secret.Box {
	t.Helper()
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	record, _, err := installation(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(x.dir, "backoffice.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.Read(b)
	if err != nil {
		t.Fatalf("the key file: %v", err)
	}
	box, err := keys.Unlock(record)
	if err != nil {
		t.Fatalf("the keys that are there do not open the data: %v", err)
	}
	return box
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sound has the engine check every page of the file.
func sound(t *testing.T, path string) {
	t.Helper()
	b, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatalf("the data file does not open: %v", err)
	}
	defer b.Close()
	err = b.View(func(tx *bbolt.Tx) (all error) {
		for err := range tx.Check() {
			all = errors.Join(all, err)
		}
		return all
	})
	if err != nil {
		t.Errorf("the data file is not sound: %v", err)
	}
}

// events reads the events that are new.
func (x *trial) events(t *testing.T, c *killed) {
	t.Helper()
	err := c.db.View(t.Context(), func(r store.Reader) error {
		rng := store.Range{Prefix: "audit/event/"}
		if x.next > 0 {
			rng.After = fmt.Sprintf("audit/event/%016d", x.next-1)
		}
		items, err := r.Scan(rng)
		if err != nil {
			return err
		}
		for _, it := range items {
			var e audit.Event
			if err := json.Unmarshal(it.Value, &e); err != nil {
				return fmt.Errorf("%s: %w", it.Key, err)
			}
			if e.N != x.next {
				return fmt.Errorf("event %d where %d is to be", e.N, x.next)
			}
			x.next++
			switch {
			case strings.HasPrefix(e.Target, "load-"):
				x.about[e.Target] = append(x.about[e.Target], act{action: e.Action, version: e.Version}.mark())
			case e.Action == audit.SignIn && e.Actor.Name == guestEmail:
				x.ins++
			case e.Action == audit.SignOut && e.Actor.Name == guestEmail:
				x.outs++
			case e.Action == audit.KeyRotated:
				x.rotated++
			case e.Action == audit.KeyRetired:
				x.retired++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// logVerifies checks the whole log against the head that was signed last.
func (x *trial) logVerifies(t *testing.T, c *killed) {
	t.Helper()
	notary, err := notaryOf(c.db, c.box, nil)
	if err != nil {
		t.Fatal(err)
	}
	checker := audit.NewChecker(audit.CheckerOptions{Notary: notary})
	if err := checker.Run(t.Context()); err != nil || checker.State().Done != x.next {
		t.Errorf("the log does not verify: %v; %d of %d events", err, checker.State().Done, x.next)
	}
}

// entry reads an entry with all its versions, opened.
func (k *killed) entry(t *testing.T, id string) (s stored) {
	t.Helper()
	e, err := k.all.Get(t.Context(), config.ID(id))
	if errs.Is(err, errs.NotFound) {
		return stored{}
	}
	if err != nil {
		t.Fatal(err)
	}
	s = stored{there: true, current: e.Current, pending: e.Pending, previous: e.Previous, next: e.Next, revision: e.Revision, clients: map[int]string{}, secrets: map[int]string{}}
	for n := 1; n < e.Next; n++ {
		o, err := k.all.Open(t.Context(), e.ID, n)
		if err != nil {
			t.Errorf("a sealed value does not open: %v", err)
			continue
		}
		s.clients[n], s.secrets[n] = o.Values["clientId"].Text().Reveal(), o.Values["clientSecret"].Text().Reveal()
	}
	return s
}

// nothingElse finds entries and versions that no event tells of.
func (x *trial) nothingElse(t *testing.T, c *killed, known []string) {
	t.Helper()
	all, err := c.all.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	versions := 0
	for _, e := range all {
		if versions += e.Next - 1; !slices.Contains(known, string(e.ID)) {
			t.Errorf("%s is there, and nobody made it", e.ID)
		}
	}
	err = c.db.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{Prefix: "config/version/"})
		if len(items) != versions {
			t.Errorf("%d versions are there, the entries have %d", len(items), versions)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// notifications opens those that are new, or all, and looks for each that was
// acknowledged.
func (x *trial) notifications(t *testing.T, c *killed, all bool) {
	t.Helper()
	if all {
		clear(x.seen)
	}
	for f := (webhook.Filter{Owner: "acme:intercom", Limit: 200}); ; {
		p, err := c.hooks.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		met := false
		for _, n := range p.Notifications {
			body, err := c.hooks.Body(t.Context(), n.Owner, n.ID)
			if err != nil || n.Verdict != webhook.OK || n.Length != len(body) {
				t.Errorf("notification %s: %s, %v", n.ID, n.Verdict, err)
			}
			met = met || x.seen[string(body)]
			x.seen[string(body)] = true
		}
		if f.Before = p.Next; !p.More || met {
			break
		}
	}
	for body := range x.hooks.acked {
		if !x.seen[body] {
			t.Errorf("%s was acknowledged and is lost", body)
		}
	}
}

// verify exports the log on the console and verifies the export, as an operator
// would.
func (x *trial) verify(t *testing.T) {
	t.Helper()
	var out, key buffer
	file := filepath.Join(t.TempDir(), "log.zip")
	if code := mainWith(t.Context(), []string{"audit", "key", "--data", x.dir}, console{&key, &out}); code != 0 {
		t.Fatalf("audit key: %s", out.String())
	}
	if code := mainWith(t.Context(), []string{"audit", "export", file, "--data", x.dir}, console{io.Discard, &out}); code != 0 {
		t.Fatalf("audit export: %s", out.String())
	}
	if code := mainWith(t.Context(), []string{"audit", "verify", file, "--key", strings.TrimSpace(key.String())}, console{&out, &out}); code != 0 || !strings.HasPrefix(out.String(), "VERIFIED: ") {
		t.Errorf("audit verify: %d, %s", code, out.String())
	}
}
