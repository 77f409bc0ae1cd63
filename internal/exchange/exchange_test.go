package exchange_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/exchange"
	"backoffice/internal/secret"

	"filippo.io/age"
)

const (
	theSecret = "s3cr3t-0123456789-abcdefghijklmnopqrstuv"
	hook      = "hook-\"quoted\" <&> ünïcode\nsecond line"
)

// TestThereAndBack takes entries from one instance to another and back.
func TestThereAndBack(t *testing.T) {
	for _, shape := range []exchange.Shape{exchange.JSON, exchange.YAML} {
		t.Run(string(shape), func(t *testing.T) {
			a, b := open(t, "https://a.example"), open(t, "https://b.example")
			a.save("acme:intercom", config.PutInForce, "clientId", `"0123"`, "!clientSecret", theSecret, "region", "US", "apiVersion", `"2.14"`)
			a.save("acme:own", config.PutInForce, "count", "12345678901234567890.10", "yes", "true", "none", "null", "text", `"true"`,
				"long", "line one\nline two\n", "odd", "- a: [b] #c", "!hook", hook, "!number", "0.10")
			a.save("acme:later", config.Pend, "k", "v")
			file := a.export(shape, b.Recipient(), "acme:intercom", "acme:own", "acme:later")
			for _, leak := range []string{theSecret, "hook-", "0.10\""} {
				if bytes.Contains(file, []byte(leak)) {
					t.Errorf("the file has %q in the clear", leak)
				}
			}
			token, p := b.load(file)
			if p.From != "https://a.example" || p.Own || p.By != ada.Name || !p.Exported.Equal(a.time) || len(p.Faults) != 0 || p.Count(exchange.Create) != 3 {
				t.Fatalf("plan %+v", p)
			}
			done, err := b.Apply(t.Context(), bo, token, exchange.Decision{}, everything)
			if !errs.Is(err, errs.NotFound) {
				t.Fatalf("somebody else applied the plan: %+v %v", done, err)
			}
			done, err = b.Apply(t.Context(), ada, token, exchange.Decision{Reason: "moved"}, everything)
			if err != nil || done != (exchange.Applied{Created: 3}) {
				t.Fatalf("applied %+v, %v", done, err)
			}
			for _, id := range []config.ID{"acme:intercom", "acme:own", "acme:later"} {
				from, to := a.opened(id), b.opened(id)
				if len(from.Values) != len(to.Values) || len(from.Values) == 0 || !slices.Equal(from.Scopes, to.Scopes) || !slices.Equal(from.Topics, to.Topics) {
					t.Errorf("%s: %d values here, %d there", id, len(from.Values), len(to.Values))
				}
				for _, k := range from.Keys {
					other, _ := to.Key(k.Name)
					if to.Values[k.Name].Literal() != from.Values[k.Name].Literal() || other.Secret != k.Secret || other.Kind != k.Kind {
						t.Errorf("%s %s did not arrive as it was", id, k.Name)
					}
				}
				if e, _ := b.config.Get(t.Context(), id); e.Pending != 1 || e.Current != 0 {
					t.Errorf("%s is at %+v", id, e)
				}
			}
			want := []string{"entry.create acme:intercom", "entry.create acme:own", "entry.create acme:later", "entries.import "}
			if got := b.actions(); !slices.Equal(got, want) {
				t.Errorf("events there: %q", got)
			}
			want = []string{"entry.create acme:intercom", "entry.create acme:own", "entry.create acme:later", "entries.export ",
				"secret.export acme:intercom", "secret.export acme:own"}
			if got := a.actions(); !slices.Equal(got, want) {
				t.Errorf("events here: %q", got)
			}

			// The same file again: nothing to do; and it does not open where it was made.
			if _, p := b.load(file); p.Count(exchange.Same) != 3 {
				t.Errorf("a second import would do %+v", p.Items)
			}
			if _, p := a.load(file); p.Count(exchange.Same) != 3 || !p.Own {
				t.Errorf("at home the import would do %+v", p.Items)
			}
		})
	}
}

// TestTypedIdentity opens a file that was sealed to a person.
func TestTypedIdentity(t *testing.T) {
	a, b := open(t, "https://a.example"), open(t, "https://b.example")
	me, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	a.save("acme:own", config.PutInForce, "!hook", hook)
	file := a.export(exchange.YAML, me.Recipient().String(), "acme:own")
	if _, p := b.load(file); p.Items[0].Verdict != exchange.Conflict || !slices.Equal(p.Items[0].Missing, []string{"hook"}) || p.Items[0].Anyway {
		t.Errorf("without the identity: %+v", p.Items[0])
	}
	token, err := b.Load(ada, file, secret.NewText("# a comment\n"+me.String()+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Apply(t.Context(), ada, token, exchange.Decision{}, everything); !errs.Is(err, errs.Conflict) {
		t.Errorf("a plan that nobody looked at was applied: %v", err)
	}
	b.plan(token)
	if _, err := b.Apply(t.Context(), ada, token, exchange.Decision{}, everything); err != nil {
		t.Fatal(err)
	}
	if got := b.opened("acme:own").Values["hook"].Text().Reveal(); got != hook {
		t.Errorf("the secret arrived as %q", got)
	}
	if _, err := b.Load(ada, file, secret.NewText("AGE-SECRET-KEY-1NO")); errs.Fields(err)["identity"] == "" {
		t.Errorf("a bad identity: %v", err)
	}
}

// TestVerdicts has each verdict of a row with its reason.
func TestVerdicts(t *testing.T) {
	other := open(t, "https://other.example")
	other.save("acme:own", config.PutInForce, "a", "x", "!hook", "another")
	foreign := other.export(exchange.JSON, "", "acme:own")

	for _, tt := range []struct {
		name    string
		foreign bool
		change  func(h *house) // after the export
		edit    func(file string) string
		sight   func(config.ID) bool
		verdict exchange.Verdict
		anyway  bool
		why     string // a part of it
		note    string // a part of it
		diff    string
		missing string
		fault   string
	}{
		{name: "same", verdict: exchange.Same},
		{name: "edited by hand", edit: swap(`"a": "x"`, `"a": "y"`), verdict: exchange.Change, diff: "a"},
		{name: "deleted here", change: func(h *house) { h.remove("acme:own") }, verdict: exchange.Conflict, why: "does not have hook", missing: "hook"},
		{name: "changed here since", change: func(h *house) { h.save("acme:own", config.PutInForce, "a", "z", "!hook", hook) },
			verdict: exchange.Conflict, anyway: true, why: "ada@acme.example changed it on 2026-09-17 12:00 UTC. It is at version 2, and the file has version 1", diff: "a"},
		{name: "pending here", change: func(h *house) { h.save("acme:own", config.Pend, "a", "z", "!hook", hook) }, edit: swap(`"a": "x"`, `"a": "y"`),
			verdict: exchange.Conflict, anyway: true, why: "Version 2 is pending here", diff: "a"},
		{name: "in force here, and another pending", change: func(h *house) { h.save("acme:own", config.Pend, "a", "z", "!hook", hook) },
			verdict: exchange.Same, note: "Version 2 is pending, and stays so"},
		{name: "another secret here since", change: func(h *house) { h.save("acme:own", config.PutInForce, "a", "x", "!hook", "rotated") },
			edit: swap(`"a": "x"`, `"a": "y"`), verdict: exchange.Conflict, anyway: true, why: "hook was another one when the file was written", diff: "a"},
		{name: "a secret in the clear", edit: swap(`"a": "x"`, `"a": "x", "hook": "typed-by-hand"`, `"hook": {`, `"other": {`), verdict: exchange.Conflict,
			note: "hook is a secret, and stands in the clear", why: "does not have other", missing: "other"},
		{name: "of another instance", foreign: true, verdict: exchange.Same, note: "hook stays as it is here"},
		{name: "of another instance, changed", foreign: true, edit: swap(`"a": "x"`, `"a": "y"`), verdict: exchange.Change, note: "hook stays as it is here", diff: "a"},
		{name: "another connector", edit: swap(`"id": "acme:own"`, `"id": "acme:own", "connector": "strange"`), verdict: exchange.Same, note: "connector strange, which is not known"},
		{name: "a field of a definition is missing", edit: swap(`"acme:own"`, `"acme:intercom"`, `"hook": {`, `"clientSecret": {`),
			verdict: exchange.Conflict, why: "does not have clientSecret", missing: "clientSecret"},
		{name: "another app", change: func(h *house) {
			h.save("acme:intercom", config.PutInForce, "clientId", `"0123"`, "!clientSecret", theSecret, "region", "US", "apiVersion", `"2.14"`)
		}, edit: func(string) string {
			return `{"format": "backoffice.entries/1", "entries": [{"id": "acme:intercom", "scopes": ["read"], "topics": ["contact.created"],
				"values": {"clientId": "9876", "region": "US", "apiVersion": "2.14"}, "secrets": {"clientSecret": {"fingerprint": "", "length": 1}}}]}`
		}, verdict: exchange.Change, note: "clientSecret stays as it is here: the file does not have its value. clientId is another one than the one in force: this is another app", diff: "clientId"},
		{name: "not for this person", sight: func(config.ID) bool { return false }, fault: "Your role is not for this entry."},
		{name: "no id", edit: swap(`"acme:own"`, `"acme"`), fault: "id"},
		{name: "an unknown field", edit: swap(`"version"`, `"versoin"`), fault: "\"versoin\" is not known"},
		{name: "a list as a value", edit: swap(`"x"`, `["x"]`), fault: "lists and objects cannot be kept"},
		{name: "a name twice", edit: swap(`"a": "x"`, `"a": "x", "a": "y"`), fault: `"a" is there twice.`},
		{name: "a text as the version", edit: swap(`"version": 1`, `"version": "1"`), fault: "version has to be a whole number"},
		{name: "a value and a secret", edit: swap(`"a": "x"`, `"a": "x", "hook": "y"`), fault: "hook stands in values and in secrets"},
		{name: "a scope that cannot be", edit: swap(`"read"`, `""`), verdict: exchange.Conflict, why: "A scope has no name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, "https://here.example")
			h.save("acme:own", config.PutInForce, "a", "x", "!hook", hook)
			file := string(h.export(exchange.JSON, "", "acme:own"))
			if tt.foreign {
				file = string(foreign)
			}
			if tt.change != nil {
				tt.change(h)
			}
			if tt.edit != nil {
				edited := tt.edit(file)
				if edited == file {
					t.Fatal("nothing was edited")
				}
				file = edited
			}
			sight := tt.sight
			if sight == nil {
				sight = everything
			}
			token, err := h.Load(ada, []byte(file), secret.Text{})
			if err != nil {
				t.Fatal(err)
			}
			p, err := h.Plan(t.Context(), ada, token, sight)
			if err != nil {
				t.Fatal(err)
			}
			if tt.fault != "" {
				if len(p.Items) != 0 || len(p.Faults) != 1 || !strings.Contains(p.Faults[0].Msg, tt.fault) || p.Faults[0].Line != 8 {
					t.Fatalf("faults %+v, items %+v", p.Faults, p.Items)
				}
				return
			}
			if len(p.Items) != 1 || len(p.Faults) != 0 {
				t.Fatalf("faults %+v, items %+v", p.Faults, p.Items)
			}
			i := p.Items[0]
			diff := []string{}
			for _, d := range i.Diff {
				diff = append(diff, d.Name)
			}
			if i.Verdict != tt.verdict || i.Anyway != tt.anyway || strings.Join(diff, " ") != tt.diff || strings.Join(i.Missing, " ") != tt.missing {
				t.Errorf("%s, anyway %t, differs in %q, lacks %q: %+v", i.Verdict, i.Anyway, diff, i.Missing, i)
			}
			for _, x := range []struct {
				want string
				got  []string
			}{{tt.why, i.Why}, {tt.note, i.Notes}} {
				if got := strings.Join(x.got, " "); (x.want == "") != (got == "") || !strings.Contains(got, x.want) {
					t.Errorf("said %q, want %q", got, x.want)
				}
			}
		})
	}
}

// swap replaces each old by its new, once.
func swap(pairs ...string) func(string) string {
	return func(s string) string {
		for i := 0; i < len(pairs); i += 2 {
			s = strings.Replace(s, pairs[i], pairs[i+1], 1)
		}
		return s
	}
}

func (h *house) remove(id config.ID) {
	h.t.Helper()
	e, err := h.config.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.config.Delete(h.t.Context(), ada, config.Move{ID: id, Revision: e.Revision, Reason: "gone"}); err != nil {
		h.t.Fatal(err)
	}
}

// TestApply applies what was chosen, all or nothing.
func TestApply(t *testing.T) {
	a, b := open(t, "https://a.example"), open(t, "https://b.example")
	for i := range 5 {
		a.save(config.ID(fmt.Sprintf("acme:s%d", i)), config.PutInForce, "a", fmt.Sprint("v", i), "!hook", hook)
	}
	ids := []config.ID{"acme:s0", "acme:s1", "acme:s2", "acme:s3", "acme:s4"}
	file := a.export(exchange.YAML, "", ids...)
	b.save("acme:s1", config.PutInForce, "a", "old", "!hook", "own")
	b.save("acme:s2", config.PutInForce, "a", "old", "!hook", "own")

	token, p := b.load(file)
	if p.Count(exchange.Conflict) != 3 || p.Count(exchange.Change) != 2 {
		t.Fatalf("%+v", p.Items)
	}
	if _, err := b.Apply(t.Context(), ada, token, exchange.Decision{Anyway: []config.ID{"acme:s0"}}, everything); !errs.Is(err, errs.Invalid) {
		t.Errorf("an entry without its secret was imported: %v", err)
	}
	if _, err := b.Apply(t.Context(), ada, token, exchange.Decision{LeaveOut: ids}, everything); !errs.Is(err, errs.Invalid) {
		t.Errorf("an import of nothing: %v", err)
	}
	before := b.actions()
	b.save("acme:s2", config.PutInForce, "a", "newer", "!hook", "own")
	typed := map[config.ID]map[string]secret.Text{"acme:s0": {"hook": secret.NewText("typed-0")}}
	if _, err := b.Apply(t.Context(), ada, token, exchange.Decision{Typed: typed}, everything); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), "acme:s2") {
		t.Errorf("a plan was applied that had become old: %v", err)
	}
	if got := b.actions(); len(got) != len(before)+1 {
		t.Errorf("a refused import left events: %q", got[len(before):])
	}
	if p = b.plan(token); p.Count(exchange.Create) != 1 { // what was typed is still there
		t.Errorf("what was typed was lost: %+v", p.Items)
	}
	tooLong := exchange.Decision{Reason: strings.Repeat("x", config.MaxReason+1)}
	if _, err := b.Apply(t.Context(), ada, token, tooLong, everything); errs.Fields(err)["reason"] == "" {
		t.Errorf("a reason that is too long: %v", err)
	}
	done, err := b.Apply(t.Context(), ada, token, exchange.Decision{LeaveOut: []config.ID{"acme:s1"}, Then: config.PutInForce, Reason: "moved"}, everything)
	if err != nil || done != (exchange.Applied{Created: 1, Changed: 1}) {
		t.Fatalf("applied %+v, %v", done, err)
	}
	for id, want := range map[config.ID]string{"acme:s0": `"v0" "typed-0"`, "acme:s1": `"old" "own"`, "acme:s2": `"v2" "own"`} {
		if got := b.value(id, "a") + " " + b.value(id, "hook"); got != want {
			t.Errorf("%s has %s, want %s", id, got, want)
		}
	}
	if e, _ := b.config.Get(t.Context(), "acme:s2"); e.Current != 3 || e.Pending != 0 {
		t.Errorf("acme:s2 is at %+v", e)
	}
	page, err := b.log.List(t.Context(), audit.Filter{Action: audit.EntriesImported})
	if err != nil || len(page.Events) != 1 || !strings.HasPrefix(page.Events[0].Note, "1 created, 1 changed, from a file with SHA-256 "+p.Hash+" that names https://a.example") {
		t.Errorf("the event says %+v, %v", page.Events, err)
	}
	if _, err := b.Plan(t.Context(), ada, token, everything); !errs.Is(err, errs.NotFound) {
		t.Errorf("an applied plan is still there: %v", err)
	}
}

// TestHeld: an upload is one person's, and waits for half an hour.
func TestHeld(t *testing.T) {
	h := open(t, "https://a.example")
	h.save("acme:own", config.PutInForce, "a", "x")
	file := h.export(exchange.JSON, "", "acme:own")
	first, _ := h.load(file)
	second, _ := h.load(file)
	if _, err := h.Plan(t.Context(), ada, first, everything); !errs.Is(err, errs.NotFound) {
		t.Errorf("a person holds two uploads: %v", err)
	}
	if _, err := h.Plan(t.Context(), bo, second, everything); !errs.Is(err, errs.NotFound) {
		t.Errorf("somebody else sees the plan: %v", err)
	}
	for i := range 7 {
		if _, err := h.Load(audit.Actor{ID: fmt.Sprint("p", i)}, file, secret.Text{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Load(bo, file, secret.Text{}); !errs.Is(err, errs.TooMany) {
		t.Errorf("a ninth upload: %v", err)
	}
	if err := h.Discard(ada, second); err != nil {
		t.Error(err)
	}
	if _, err := h.Plan(t.Context(), ada, second, everything); !errs.Is(err, errs.NotFound) {
		t.Errorf("a discarded plan is still there: %v", err)
	}
	third, _ := h.load(file)
	h.time = h.time.Add(exchange.Patience)
	if _, err := h.Plan(t.Context(), ada, third, everything); !errs.Is(err, errs.NotFound) {
		t.Errorf("a plan is there after its time: %v", err)
	}
	if _, err := h.Load(bo, file, secret.Text{}); err != nil {
		t.Errorf("old uploads keep new ones out: %v", err)
	}
}

// TestSealedRowsAreBound: what is sealed opens only in the row for which it was.
func TestSealedRowsAreBound(t *testing.T) {
	a := open(t, "https://a.example")
	a.save("acme:one", config.PutInForce, "url", "https://one.example", "!hook", "one-secret")
	a.save("acme:two", config.PutInForce, "url", "https://two.example", "!hook", "two-secret")
	file := string(a.export(exchange.JSON, a.Recipient(), "acme:one", "acme:two"))
	for _, tt := range []struct {
		name string
		file string
		why  string
	}{
		{"another value beside it", strings.Replace(file, "https://one.example", "https://evil.example", 1), "changed after its secrets were sealed"},
		{"the id of another", strings.NewReplacer("acme:one", "acme:two", "acme:two", "acme:one").Replace(file), "belongs to acme:one"},
		{"damaged", strings.Replace(file, "YWdl", "YWdm", 1), "is damaged"},
	} {
		if tt.file == file {
			t.Fatalf("%s: nothing was changed", tt.name)
		}
		_, p := a.load([]byte(tt.file))
		if i := p.Items[0]; i.Verdict != exchange.Conflict || i.Anyway || len(i.Why) != 1 || !strings.Contains(i.Why[0], tt.why) {
			t.Errorf("%s: %+v", tt.name, i)
		}
	}
}

// TestExportRefusals are the orders that cannot be filled.
func TestExportRefusals(t *testing.T) {
	h := open(t, "https://a.example")
	h.save("acme:own", config.PutInForce, "a", "x", "!hook", hook)
	for _, tt := range []struct {
		name, recipients, field, says string
		ids                           []config.ID
	}{
		{"nothing", "", "ids", "No entry is chosen", nil},
		{"no recipient", "age1nope", "recipients", "is no age recipient", []config.ID{"acme:own"}},
		{"a private key", "AGE-SECRET-KEY-1ABC", "recipients", "a private key of age", []config.ID{"acme:own"}},
		{"too many recipients", strings.Join(strings.Split("a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11", " "), ","), "recipients", "These are 11", []config.ID{"acme:own"}},
	} {
		_, err := h.Export(t.Context(), ada, exchange.Order{IDs: tt.ids, Shape: exchange.JSON, Recipients: tt.recipients})
		if got := errs.Fields(err)[tt.field]; !strings.Contains(got, tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := h.Export(t.Context(), ada, exchange.Order{IDs: []config.ID{"acme:gone"}, Shape: exchange.JSON}); !errs.Is(err, errs.NotFound) {
		t.Errorf("an entry that is not there: %v", err)
	}
	if got := h.actions(); len(got) != 1 {
		t.Errorf("refused exports left events: %q", got)
	}
}
