package guide

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
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

var (
	ada = audit.Actor{ID: "u1", Name: "ada@acme.example", Addr: "203.0.113.7", RequestID: "r1"}
	bob = audit.Actor{ID: "u2", Name: "bob@acme.example", Addr: "203.0.113.8", RequestID: "r2"}
)

const entry config.ID = "acme:intercom"

// A desk is a Service over a real data file, with an entry in it.
type desk struct {
	*Service
	t     *testing.T
	store store.Store
	log   *audit.Log
	cfg   *config.Service
}

func open(t *testing.T) *desk {
	t.Helper()
	keys, err := secret.Generate()
	hold(t, err)
	_, box, err := keys.NewInstallation()
	hold(t, err)
	db, err := bolt.Open(filepath.Join(t.TempDir(), "data.db"))
	hold(t, err)
	t.Cleanup(func() { _ = db.Close() })
	catalogue, err := connector.Builtin()
	hold(t, err)
	d := &desk{t: t, store: storetest.Replay(db)}
	now := func() time.Time { return then }
	d.log = audit.NewLog(d.store)
	d.cfg = config.New(config.Options{Store: d.store, Box: box, Catalogue: catalogue, Now: now})
	d.Service = New(Options{Store: d.store, Config: d.cfg, Now: now})
	d.save(entry)
	return d
}

func hold(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (d *desk) save(id config.ID) config.Entry {
	d.t.Helper()
	values := []config.Input{{Key: "note", Value: config.TextValue(secret.NewText("x"))}}
	if d.cfg.Definition(id) != nil {
		values = []config.Input{{Key: "clientId", Value: config.TextValue(secret.NewText("a"))},
			{Key: "clientSecret", Secret: true, Value: config.TextValue(secret.NewText("s"))},
			{Key: "region", Value: config.TextValue(secret.NewText("US"))}, {Key: "apiVersion", Value: config.TextValue(secret.NewText("2.16"))}}
	}
	_, err := d.cfg.Save(d.t.Context(), ada, config.Draft{ID: id, Values: values})
	hold(d.t, err)
	e, err := d.cfg.Get(d.t.Context(), id)
	hold(d.t, err)
	return e
}

func (d *desk) hand() Hand {
	d.t.Helper()
	h, err := d.Hand(d.t.Context(), entry)
	hold(d.t, err)
	return h
}

// events are those of the guide, newest first.
func (d *desk) events() (out []audit.Event) {
	d.t.Helper()
	list, err := d.log.List(d.t.Context(), audit.Filter{Limit: 1000})
	hold(d.t, err)
	for _, e := range list.Events {
		if strings.HasPrefix(string(e.Action), "guide.") {
			out = append(out, e)
		}
	}
	return out
}

// dump is everything that is stored.
func (d *desk) dump() map[string]string {
	d.t.Helper()
	all := map[string]string{}
	hold(d.t, d.store.View(d.t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{})
		for _, i := range items {
			all[i.Key] = string(i.Value)
		}
		return err
	}))
	return all
}

func changes(list []audit.Change) string {
	var out []string
	for _, c := range list {
		out = append(out, c.Key+": "+c.Before+" → "+c.After)
	}
	return strings.Join(out, "; ")
}

// An act is one change of what is said, by itself.
type act struct {
	name string
	do   func(ctx context.Context, s *Service) error
}

// acts go one after the other on a new entry. Each changes something.
var acts = []struct {
	act
	action  audit.Action
	reason  string
	note    string
	changes string
}{
	{act{"tick", func(ctx context.Context, s *Service) error {
		return s.Tick(ctx, ada, entry, Saying{Step: "account", Note: " the old one "})
	}}, audit.GuideTicked, "the old one", "Done: Have a developer account.", "step account:  → done"},
	{act{"skip", func(ctx context.Context, s *Service) error {
		return s.Tick(ctx, bob, entry, Saying{Step: "webhooks", Skipped: true})
	}}, audit.GuideSkipped, "", "Not needed: Receive webhooks.", "step webhooks:  → not needed"},
	{act{"tick after all", func(ctx context.Context, s *Service) error {
		return s.Tick(ctx, bob, entry, Saying{Step: "webhooks"})
	}}, audit.GuideTicked, "", "Done: Receive webhooks.", "step webhooks: not needed → done"},
	{act{"untick", func(ctx context.Context, s *Service) error { return s.Untick(ctx, ada, entry, "account") }},
		audit.GuideUnticked, "", "No longer said to be done: Have a developer account.", "step account: done → "},
	{act{"choose", func(ctx context.Context, s *Service) error { return s.Choose(ctx, ada, entry, "public") }},
		audit.GuideKind, "", "Public app.", "kind of app:  → public"},
	{act{"tick as a public app", func(ctx context.Context, s *Service) error { return s.Tick(ctx, ada, entry, Saying{Step: "live"}) }},
		audit.GuideTicked, "", "Done: Go live.", "step live:  → done"},
	{act{"check", func(ctx context.Context, s *Service) error {
		return s.Check(ctx, ada, entry, Checking{Step: "live", Items: []string{"video", "policies"}})
	}}, audit.GuideChecked, "", "2 of 11 lines of the checklist are done: Go live.", "item live/policies:  → done; item live/video:  → done"},
	{act{"check another", func(ctx context.Context, s *Service) error {
		return s.Check(ctx, bob, entry, Checking{Step: "live", Shown: []string{"video", "policies"}, Items: []string{"video", "rules"}})
	}}, audit.GuideChecked, "", "2 of 11 lines of the checklist are done: Go live.", "item live/policies: done → ; item live/rules:  → done"},
	{act{"draft", func(ctx context.Context, s *Service) error {
		return s.Write(ctx, ada, entry, Draft{Step: "live", Texts: map[string]string{"listing-name": " Tickets for Zoë ", "short-description": ""}})
	}}, audit.GuideDrafted, "", "Name of the listing: 15 of 40 characters.", ""},
	{act{"choose another", func(ctx context.Context, s *Service) error { return s.Choose(ctx, bob, entry, "internal") }},
		audit.GuideKind, "", "Internal integration.", "kind of app: public → internal; step live: done → ; item live/rules: done → ; item live/video: done → "},
}

func TestSayings(t *testing.T) {
	t.Parallel()
	d := open(t)
	for i, a := range acts {
		hold(t, a.do(t.Context(), d.Service))
		events := d.events()
		if len(events) != i+1 {
			t.Fatalf("%s: %d events", a.name, len(events))
		}
		e := events[0]
		if e.Action != a.action || e.Reason != a.reason || e.Note != a.note || changes(e.Changes) != a.changes || e.Target != string(entry) || e.Outcome != audit.Done || e.Actor.ID == "" {
			t.Errorf("%s: %s of %s by %s: %q, %q, %q\nwant %s: %q, %q, %q", a.name, e.Action, e.Target, e.Actor.Name, e.Reason, e.Note, changes(e.Changes), a.action, a.reason, a.note, a.changes)
		}
		before := d.dump()
		if err := a.do(t.Context(), d.Service); a.action != audit.GuideDrafted && err != nil {
			t.Errorf("%s once more: %v", a.name, err)
		}
		if !maps.Equal(before, d.dump()) {
			t.Errorf("%s once more changed something", a.name)
		}
	}
	h := d.hand()
	if h.Kind != "internal" || h.KindBy != bob.Name || !h.KindAt.Equal(then) || len(h.Ticks) != 1 || len(h.Checks) != 0 || h.Drafts["listing-name"] != "Tickets for Zoë" || h.Draft != 1 || h.DraftBy != ada.Name {
		t.Errorf("in the end there is %+v", h)
	}
	if got := h.Ticks["webhooks"]; got != (Tick{By: bob.Name, At: then}) {
		t.Errorf("the tick is %+v", got)
	}
}

// Who ticked a line first stays with it, and a tick on a step of some kinds of
// app rests on the kind.
func TestChecksKeepTheirPerson(t *testing.T) {
	t.Parallel()
	d := open(t)
	hold(t, d.Choose(t.Context(), ada, entry, "public"))
	hold(t, d.Check(t.Context(), ada, entry, Checking{Step: "live", Items: []string{"video"}}))
	hold(t, d.Check(t.Context(), bob, entry, Checking{Step: "live", Shown: []string{"video", "policies"}, Items: []string{"video", "rules"}}))
	live, _ := definition(t, "intercom").SetUp().Step("live")
	for item, by := range map[string]string{"video": ada.Name, "rules": bob.Name} {
		if got, ok := d.hand().Checked(live, item); !ok || got.By != by || got.Kind != "public" {
			t.Errorf("%s is ticked by %+v, want %s", item, got, by)
		}
	}
	h := d.hand()
	h.Kind = "internal"
	if _, ok := h.Checked(live, "video"); ok {
		t.Error("a line of a public app counts for an internal integration")
	}
}

// Invariant 1, and 4 by storetest.Replay: no saying without its record.
func TestNoSayingWithoutItsRecord(t *testing.T) {
	t.Parallel()
	for i, a := range acts {
		d := open(t)
		for _, earlier := range acts[:i] {
			hold(t, earlier.do(t.Context(), d.Service))
		}
		hold(t, d.store.Update(t.Context(), func(tx store.Tx) error { tx.Put("audit/size", []byte("damaged")); return nil }))
		before := d.dump()
		if err := a.do(t.Context(), d.Service); err == nil {
			t.Errorf("%s was done without its record", a.name)
		}
		if !maps.Equal(before, d.dump()) {
			t.Errorf("%s changed something without its record", a.name)
		}
	}
}

func TestBadSayings(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.save("acme:homemade")
	long := strings.Repeat("é", 41)
	draft := func(name, short string, revision int64) func(context.Context, *Service) error {
		return func(ctx context.Context, s *Service) error {
			return s.Write(ctx, ada, entry, Draft{Step: "live", Revision: revision, Texts: map[string]string{"listing-name": name, "short-description": short}})
		}
	}
	before := d.dump()
	for _, c := range []struct {
		act
		kind  errs.Kind
		field string
		msg   string
	}{
		{act{"no such step", func(ctx context.Context, s *Service) error { return s.Tick(ctx, ada, entry, Saying{Step: "nope"}) }}, errs.Invalid, "", "a step that this guide does not have"},
		{act{"untick no such step", func(ctx context.Context, s *Service) error { return s.Untick(ctx, ada, entry, "") }}, errs.Invalid, "", "a step that this guide does not have"},
		{act{"skip what is needed", func(ctx context.Context, s *Service) error {
			return s.Tick(ctx, ada, entry, Saying{Step: "credentials", Skipped: true})
		}}, errs.Invalid, "", "“Copy the credentials” is not optional"},
		{act{"long note", func(ctx context.Context, s *Service) error {
			return s.Tick(ctx, ada, entry, Saying{Step: "account", Note: strings.Repeat("é", 201)})
		}}, errs.Invalid, "note", "at most 200 characters"},
		{act{"no such kind", func(ctx context.Context, s *Service) error { return s.Choose(ctx, ada, entry, "secret") }}, errs.Invalid, "kind", "Choose one of the kinds"},
		{act{"no kind", func(ctx context.Context, s *Service) error { return s.Choose(ctx, ada, entry, "") }}, errs.Invalid, "kind", "Choose one of the kinds"},
		{act{"no such item", func(ctx context.Context, s *Service) error {
			return s.Check(ctx, ada, entry, Checking{Step: "live", Items: []string{"video", "oscar"}})
		}}, errs.Invalid, "", "a line that the checklist does not have"},
		{act{"no checklist", func(ctx context.Context, s *Service) error {
			return s.Check(ctx, ada, entry, Checking{Step: "account", Items: []string{"video"}})
		}}, errs.Invalid, "", "a line that the checklist does not have"},
		{act{"name one too long", draft(long, "", 0)}, errs.Invalid, "listing-name", "Name of the listing is one character too long: 40 are allowed. Shorten it."},
		{act{"text too long", draft("", strings.Repeat("界", 73), 0)}, errs.Invalid, "short-description", "Short description is 3 characters too long: 70 are allowed. Shorten it."},
		{act{"two lines", draft("a\nb", "", 0)}, errs.Invalid, "listing-name", "Name of the listing is one line of text."},
		{act{"not text", draft("\xff", "", 0)}, errs.Invalid, "listing-name", "is one line of text"},
		{act{"overtaken", draft("a", "", 3)}, errs.Conflict, "", "saved these texts while you were writing"},
		{act{"no entry", func(ctx context.Context, s *Service) error {
			return s.Tick(ctx, ada, "gone:intercom", Saying{Step: "account"})
		}}, errs.NotFound, "", "There is no entry gone:intercom"},
		{act{"no definition", func(ctx context.Context, s *Service) error {
			return s.Tick(ctx, ada, "acme:homemade", Saying{Step: "account"})
		}}, errs.Invalid, "", "No definition knows the service of acme:homemade"},
	} {
		err := c.do(t.Context(), d.Service)
		kind, msg := errs.Of(err)
		if c.field != "" {
			msg = errs.Fields(err)[c.field]
		}
		if err == nil || kind != c.kind || !strings.Contains(msg, c.msg) || (c.field == "") != (len(errs.Fields(err)) == 0) {
			t.Errorf("%s: %v, %q; want %v, %q on %q", c.name, kind, msg, c.kind, c.msg, c.field)
		}
	}
	if !maps.Equal(before, d.dump()) {
		t.Error("what was refused changed something")
	}
}

// Drafts are compare-and-swap: the second of two does not overwrite the first.
func TestDraftsAreNotOverwritten(t *testing.T) {
	t.Parallel()
	d := open(t)
	write := func(by audit.Actor, name string, revision int64) error {
		return d.Write(t.Context(), by, entry, Draft{Step: "live", Revision: revision, Texts: map[string]string{"listing-name": name}})
	}
	hold(t, write(ada, "Ada's", 0))
	if err := write(bob, "Bob's", 0); !errs.Is(err, errs.Conflict) || d.hand().Drafts["listing-name"] != "Ada's" {
		t.Errorf("%v; the draft is %q", err, d.hand().Drafts["listing-name"])
	}
	hold(t, write(bob, "Bob's", 1))
	if h := d.hand(); h.Drafts["listing-name"] != "Bob's" || h.Draft != 2 {
		t.Errorf("after all it is %+v", h)
	}
}

// Many people at once: nothing that was said is lost, and each has its event.
func TestConcurrentSayings(t *testing.T) {
	t.Parallel()
	d := open(t)
	var steps []string
	for _, s := range definition(t, "intercom").SetUp().Steps {
		steps = append(steps, s.ID)
	}
	var at sync.WaitGroup
	failed := make(chan error, 100)
	for i, step := range steps {
		for _, by := range []audit.Actor{ada, bob} {
			at.Go(func() {
				failed <- d.Tick(t.Context(), by, entry, Saying{Step: step})
				failed <- d.Write(t.Context(), by, entry, Draft{Step: "live", Texts: map[string]string{"listing-name": fmt.Sprint(by.Name[:3], i)}})
			})
		}
	}
	at.Wait()
	close(failed)
	conflicts := 0
	for err := range failed {
		if errs.Is(err, errs.Conflict) {
			conflicts++
			continue
		}
		hold(t, err)
	}
	h := d.hand()
	if got := slices.Sorted(maps.Keys(h.Ticks)); !slices.Equal(got, slices.Sorted(slices.Values(steps))) {
		t.Errorf("ticked are %v", got)
	}
	if n := len(d.events()); n != len(steps)+1 || conflicts != 2*len(steps)-1 || h.Draft != 1 {
		t.Errorf("%d events, %d conflicts, drafts at %d", n, conflicts, h.Draft)
	}
}

// What was said goes with its entry, and is not found under the next of its name.
func TestDeletedWithItsEntry(t *testing.T) {
	t.Parallel()
	d := open(t)
	hold(t, d.Tick(t.Context(), ada, entry, Saying{Step: "account"}))
	e, err := d.cfg.Get(t.Context(), entry)
	hold(t, err)
	hold(t, d.cfg.Delete(t.Context(), ada, config.Move{ID: entry, Revision: e.Revision}))
	for key := range d.dump() {
		if strings.HasPrefix(key, "guide/") {
			t.Errorf("%s is left", key)
		}
	}
	d.save(entry)
	if h := d.hand(); len(h.Ticks) != 0 {
		t.Errorf("the next entry begins with %+v", h)
	}
}

func TestCountDraft(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text            string
		length, over    int
		banned, stopped bool
	}{
		{"", 0, 0, false, false},
		{"Zoë’s 界", 7, 0, false, false},
		{"0123456789", 10, 0, false, false},
		{"01234567890", 11, 1, false, false},
		{"for inTERcom", 12, 2, true, false},
		{"a stop.", 7, 0, false, true},
		{"no. stop", 8, 0, false, false},
	} {
		want := Count{c.length, c.over, c.banned, c.stopped}
		if got := CountDraft(connector.GuideCounter{Limit: 10, Without: "Intercom", NoFinalStop: true}, c.text); got != want {
			t.Errorf("%q: %+v, want %+v", c.text, got, want)
		}
	}
	if got := CountDraft(connector.GuideCounter{Limit: 5}, "Intercom."); got != (Count{9, 4, false, false}) {
		t.Errorf("without rules: %+v", got)
	}
}
