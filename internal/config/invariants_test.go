package config_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// Invariant 1: no change without its record.
func TestNoChangeWithoutItsRecord(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*room) error
	}{
		{"create", func(r *room) error { _, err := r.Save(t.Context(), owner, draft("acme:other", 9)); return err }},
		{"save", func(r *room) error { return r.perform(act{do: "pend"}, owner, 9) }},
		{"save in force", func(r *room) error { return r.perform(act{do: "force"}, owner, 9) }},
		{"promote", func(r *room) error { return r.perform(act{do: "promote", version: 3}, owner, 9) }},
		{"roll back", func(r *room) error { return r.perform(act{do: "rollback", version: 1}, owner, 9) }},
		{"discard", func(r *room) error { return r.perform(act{do: "discard", version: 3}, owner, 9) }},
		{"approve", func(r *room) error { return r.rule(config.RulePerson).approve(editor) }},
		{"reject", func(r *room) error { return r.rule(config.RulePerson).reject(editor) }},
		{"another rule", func(r *room) error { return r.setRule(owner, config.RuleTest, true) }},
		{"another rule of the instance", func(r *room) error { return r.again(config.RuleBoth).Begin(t.Context(), owner) }},
		{"delete", func(r *room) error { return r.perform(act{do: "delete"}, owner, 9) }},
		{"reveal", func(r *room) error {
			got, err := r.Reveal(t.Context(), owner, config.Look{ID: id, Version: 1, Key: "password"})
			if err != nil && !got.IsZero() {
				t.Error("a secret was revealed without an event")
			}
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := open(t)
			for i, do := range []string{"force", "force", "pend"} {
				if err := r.perform(act{do: do}, owner, i); err != nil {
					t.Fatal(err)
				}
			}
			size := r.dump()["audit/size"]
			r.breakAuditLog()
			before := r.dump()
			if err := tt.do(r); kindOf(err) != "internal" {
				t.Errorf("error %v, want one of ours", err)
			}
			r.unchanged(before)
			r.put("audit/size", size) // mended, the same act succeeds
			if err := tt.do(r); err != nil {
				t.Errorf("with a log: %v", err)
			}
		})
	}
}

// Invariant 3: a sealed value opens only where it was sealed.
func TestSealedValuesDoNotOpenElsewhere(t *testing.T) {
	const one, two, other = "config/version/acme:anything/0000001", "config/version/acme:anything/0000002", "config/version/acme:other/0000001"
	r := open(t)
	r.save(draft(id, 1))
	r.save(draft(id, 2))
	r.save(draft("acme:other", 3))
	sealed := func(key string) (v map[string]any) {
		if err := json.Unmarshal([]byte(r.dump()[key]), &v); err != nil || v["sealed"] == nil {
			t.Fatalf("%s: %v", key, err)
		}
		return v
	}
	for _, tt := range []struct {
		from, to string
		id       config.ID
		n        int
	}{{one, two, id, 2}, {two, one, id, 1}, {one, other, "acme:other", 1}, {other, one, id, 1}} {
		record := sealed(tt.to)
		whole := r.dump()[tt.to]
		record["sealed"] = sealed(tt.from)["sealed"]
		moved, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		r.put(tt.to, string(moved))
		if o, err := r.Open(t.Context(), tt.id, tt.n); !errors.Is(err, secret.ErrDamaged) || o.Values != nil {
			t.Errorf("%s opened at %s: %v", tt.from, tt.to, err)
		}
		if got, err := r.Reveal(t.Context(), owner, config.Look{ID: tt.id, Version: tt.n, Key: "password"}); !errors.Is(err, secret.ErrDamaged) || !got.IsZero() {
			t.Errorf("%s was revealed at %s: %v", tt.from, tt.to, err)
		}
		r.put(tt.to, r.dump()[tt.from]) // the whole record, which says itself where it belongs
		if o, err := r.Open(t.Context(), tt.id, tt.n); !errors.Is(err, secret.ErrDamaged) || o.Values != nil {
			t.Errorf("the whole of %s opened at %s: %v", tt.from, tt.to, err)
		}
		r.put(tt.to, whole)
		if _, err := r.Open(t.Context(), tt.id, tt.n); err != nil {
			t.Errorf("put back: %v", err)
		}
	}
}

// Somebody who can write the file, but has no key, cannot make a page show a
// secret as a plain value, nor take a key out of sight.
func TestWhatStandsBesideTheSealIsHeldToIt(t *testing.T) {
	const at = "config/version/acme:anything/0000001"
	for name, change := range map[string]func(keys []any) []any{
		"a secret called plain": func(keys []any) []any {
			for _, k := range keys {
				delete(k.(map[string]any), "secret")
			}
			return keys
		},
		"a plain value called secret": func(keys []any) []any {
			for _, k := range keys {
				k.(map[string]any)["secret"] = true
			}
			return keys
		},
		"a key taken away": func(keys []any) []any { return keys[1:] },
		"another fingerprint": func(keys []any) []any {
			keys[0].(map[string]any)["fingerprint"] = "000000000000"
			return keys
		},
		"somebody else as author of a value": func(keys []any) []any {
			keys[0].(map[string]any)["setBy"] = "somebody@acme.example"
			return keys
		},
		"a key renamed": func(keys []any) []any {
			keys[0].(map[string]any)["name"] = "other"
			return keys
		},
	} {
		r := open(t)
		r.save(draft(id, 1))
		if _, err := r.Open(t.Context(), id, 1); err != nil {
			t.Fatal(err)
		}
		var record map[string]any
		if err := json.Unmarshal([]byte(r.dump()[at]), &record); err != nil {
			t.Fatal(err)
		}
		record["keys"] = change(record["keys"].([]any))
		changed, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		r.put(at, string(changed))
		if o, err := r.Open(t.Context(), id, 1); err == nil {
			t.Errorf("%s: opened with %d plain values", name, len(o.Plain()))
		}
	}
}

// canary has what every encoding changes, around a middle that none does.
const canary = `CANARY <&>"é'/+%7f3a9c551200b7`

// found returns in which forms the canary is in what.
func found(what string) (forms []string) {
	quoted, _ := json.Marshal(canary)
	all := map[string]string{"raw": canary, "middle": "7f3a9c551200b7", "JSON": strings.Trim(string(quoted), `"`),
		"query": url.QueryEscape(canary), "path": url.PathEscape(canary), "hex": hex.EncodeToString([]byte(canary)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(canary)))}
	for shift := range 3 { // base64 of a text depends on where it begins
		for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			b := enc.EncodeToString([]byte(strings.Repeat("x", shift) + canary))
			all[fmt.Sprint(name, shift)] = b[4 : len(b)-4]
		}
	}
	for name, form := range all {
		if strings.Contains(what, form) {
			forms = append(forms, name)
		}
	}
	return forms
}

func TestTheCanaryIsFoundWhereItIs(t *testing.T) {
	for _, s := range []string{canary, "x" + canary + "y", url.QueryEscape(canary), fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary),
		base64.StdEncoding.EncodeToString([]byte(canary)), base64.URLEncoding.EncodeToString([]byte("ab" + canary)), base64.StdEncoding.EncodeToString([]byte("a" + canary + "b"))} {
		if len(found(s)) == 0 {
			t.Errorf("not found in %q", s)
		}
	}
	if f := found("nothing"); f != nil {
		t.Errorf("found as %q in nothing", f)
	}
}

// Invariant 2, the part of this room: a value, secret or not, is in no record,
// event, error or printed struct. In the file it is sealed.
func TestNoValueLeaves(t *testing.T) {
	r := open(t)
	check := func(where string, what ...any) {
		t.Helper()
		var out bytes.Buffer
		for _, x := range what {
			if err, ok := x.(error); ok {
				x = []any{err.Error(), err}
			}
			j, _ := json.Marshal(x)
			fmt.Fprintf(&out, "%v %+v %#v %s %q %x %s\n", x, x, x, x, x, x, j)
			slog.New(slog.NewTextHandler(&out, nil)).Info("x", "what", x)
			slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "what", x)
		}
		if forms := found(out.String()); forms != nil {
			t.Errorf("%s shows the canary as %q", where, forms)
		}
	}
	good := config.Draft{ID: rocket, Values: []config.Input{{Key: "clientId", Value: text("id")}, {Key: "clientSecret", Value: text(canary)},
		{Key: "note", Value: text(canary)}, hidden("further", canary)}}
	saved, err := r.Save(t.Context(), owner, good)
	if err != nil {
		t.Fatal(err)
	}
	check("Save", good, saved, err)
	for name, spoil := range map[string]func(*config.Draft){
		"pattern":  func(d *config.Draft) { d.Values[0].Value = text(canary) },
		"options":  func(d *config.Draft) { d.Values = append(d.Values, config.Input{Key: "region", Value: text(canary)}) },
		"kind":     func(d *config.Draft) { d.Values = append(d.Values, config.Input{Key: "retries", Value: text(canary)}) },
		"length":   func(d *config.Draft) { d.Values[1].Value = text(strings.Repeat(canary, 4000)) },
		"bytes":    func(d *config.Draft) { d.Values[1].Value = text(canary + "\xff") },
		"twice":    func(d *config.Draft) { d.Values = append(d.Values, d.Values[1]) },
		"key":      func(d *config.Draft) { d.Values[3].Key = "a b" },
		"keep":     func(d *config.Draft) { d.Values[1] = keep("webhookSecret") },
		"revision": func(d *config.Draft) { d.Revision = 99 },
		"exists":   func(d *config.Draft) { d.Revision = 0 },
		"same":     func(*config.Draft) {},
	} {
		d := r.onto(good)
		d.Values = append([]config.Input{}, good.Values...)
		spoil(&d)
		_, err := r.Save(t.Context(), owner, d)
		if err == nil {
			t.Errorf("%s: saved", name)
		}
		check(name, d, err)
	}
	m := config.Move{ID: rocket, Revision: 1, Version: 1}
	e, err := r.Promote(t.Context(), owner, m)
	check("Promote", e, err)
	m.Revision = 2
	e, err = r.RollBack(t.Context(), owner, m)
	check("RollBack", e, err)
	o, err := r.Open(t.Context(), rocket, 1)
	check("Open", o, o.Values, o.Plain(), o.Values["clientSecret"].Text(), err)
	shown, err := r.Reveal(t.Context(), owner, config.Look{ID: rocket, Version: 1, Key: "clientSecret"})
	if err != nil || shown.Reveal() != canary {
		t.Errorf("Reveal: %v, or another value", err)
	}
	check("Reveal", shown, err)
	c, err := r.Compare(t.Context(), owner, rocket, "clientSecret", secret.NewText(canary))
	check("Compare", c, err)
	doubtful := r.onto(good)
	doubtful.Values = []config.Input{{Key: "clientId", Value: text(canary)}, {Key: "clientSecret", Value: text("\u200b" + canary + " ")}, hidden("further", " "+canary)}
	unsaved := r.Unsaved(doubtful, o)
	doubts, err := r.Doubts(t.Context(), rocket, unsaved)
	if err != nil || len(doubts) < 4 || len(unsaved.Cleaned) != 1 {
		t.Errorf("%d doubts, %d cleanings, %v", len(doubts), len(unsaved.Cleaned), err)
	}
	check("Doubts", unsaved, doubts, unsaved.Cleaned)
	all, err := r.All(t.Context())
	vs, err2 := r.Versions(t.Context(), rocket, 0, 9)
	check("lists", all, vs, err, err2, config.Diff(config.Version{}, vs[0]))
	check("events", r.events())
	check("the store", r.dump())
	raw, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	if forms := found(string(raw)); forms != nil || len(raw) == 0 {
		t.Errorf("the file of %d bytes shows the canary as %q", len(raw), forms)
	}
}

// What other rooms keep of an entry goes with it in one transaction, or the
// entry stays.
func TestAlsoDelete(t *testing.T) {
	r := open(t)
	var fail error
	r.AlsoDelete(func(tx store.Tx, id config.ID) error { tx.Delete("report/" + string(id)); return nil })
	r.AlsoDelete(func(tx store.Tx, id config.ID) error {
		tx.Put("seen/"+string(id), []byte("yes"))
		return fail
	})
	r.save(draft(id, 1))
	r.save(draft(id, 2))
	r.save(draft("acme:other", 1))
	r.put("report/acme:anything", "one")
	r.put("report/acme:other", "two")
	fail = errors.New("the disk is on fire")
	before := r.dump()
	if err := r.perform(act{do: "delete"}, owner, 0); !errors.Is(err, fail) {
		t.Errorf("Delete = %v, want the other room's error", err)
	}
	r.unchanged(before)
	fail = nil
	if err := r.perform(act{do: "delete"}, owner, 0); err != nil {
		t.Fatal(err)
	}
	after := r.dump()
	for _, key := range []string{"config/entry/acme:anything", "config/version/acme:anything/0000001", "config/version/acme:anything/0000002", "report/acme:anything"} {
		if _, left := after[key]; left || before[key] == "" {
			t.Errorf("%s is left, or was never there", key)
		}
	}
	for _, key := range []string{"config/entry/acme:other", "config/version/acme:other/0000001", "report/acme:other"} {
		if after[key] != before[key] {
			t.Errorf("%s was changed", key)
		}
	}
	if after["seen/acme:anything"] != "yes" || len(r.events()) != 4 {
		t.Errorf("the second room was not called, or %d events are left of 4", len(r.events()))
	}
}

// Time goes into records as UTC without the monotonic reading, so that what is
// returned is what was written.
func TestTimesAreWrittenAsReturned(t *testing.T) {
	r := open(t)
	r.time = time.Now().In(time.FixedZone("x", 3600))
	saved := r.save(draft(id, 1))
	got, err := r.Version(t.Context(), id, 1)
	if err != nil || got.Time != saved.Time || saved.Time.Location() != time.UTC {
		t.Errorf("written %v, returned %v (%v)", got.Time, saved.Time, err)
	}
}
