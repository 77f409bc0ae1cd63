package config_test

import (
	"fmt"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/secret"
)

func TestReveal(t *testing.T) {
	r := open(t)
	d := draft(id, 1)
	d.Values = append(d.Values, config.Input{Key: "pin", Secret: true, Value: config.ParseValue("1234")})
	v := r.save(d)
	for _, tt := range []struct {
		look config.Look
		want string
		kind string
	}{
		{config.Look{ID: id, Version: 1, Key: "password", Reason: "moving"}, "pass-1", ""},
		{config.Look{ID: id, Version: 1, Key: "pin"}, "1234", ""},
		{config.Look{ID: id, Version: 1, Key: "note"}, "", "invalid"}, // no secret: it is shown anyway, and no event may say otherwise
		{config.Look{ID: id, Version: 1, Key: "Password"}, "", "not found"},
		{config.Look{ID: id, Version: 2, Key: "password"}, "", "not found"},
		{config.Look{ID: "no:entry", Version: 1, Key: "password"}, "", "not found"},
		{config.Look{ID: id, Version: 1, Key: "password", Reason: strings.Repeat("x", 1001)}, "", "invalid"},
	} {
		before, events := r.dump(), len(r.events())
		got, err := r.Reveal(t.Context(), editor, tt.look)
		if kindOf(err) != tt.kind || got.Reveal() != tt.want {
			t.Errorf("Reveal(%+v) = %q, %v; want %q, %q", tt.look, got.Reveal(), err, tt.want, tt.kind)
		}
		if err != nil {
			r.unchanged(before)
			continue
		}
		k, _ := v.Key(tt.look.Key)
		want := fmt.Sprintf("%+v", audit.Event{N: int64(events), Time: r.time, Actor: editor, Action: audit.SecretRevealed, Target: string(id), Version: 1, Outcome: audit.Done,
			Reason: tt.look.Reason, Changes: []audit.Change{{Key: tt.look.Key, Before: string(k.Fingerprint), After: string(k.Fingerprint)}}})
		if got := r.events(); len(got) != events+1 || fmt.Sprintf("%+v", got[0]) != want {
			t.Errorf("event %+v, want %s", got[0], want)
		}
		if e := r.get(id); e.Revision != 1 {
			t.Errorf("a reveal moved the revision to %d", e.Revision)
		}
	}
}

func TestCompare(t *testing.T) {
	r := open(t)
	inputs := func(sec string, further ...config.Input) config.Draft {
		return config.Draft{ID: rocket, Values: append(further, config.Input{Key: "clientId", Value: text("id")}, config.Input{Key: "clientSecret", Value: text(sec)})}
	}
	r.save(inputs("old", plain("pin", "1234")))
	r.save(inputs("new", plain("pin", `"1234"`)))
	r.save(inputs("new", plain("pin", "null")))
	for _, tt := range []struct {
		key, paste string
		length     int
		want       string
	}{
		{"clientSecret", "new", 3, "3:true 2:true 1:false "},
		{"clientSecret", " old\n", 3, "3:false 2:false 1:true "}, // trimmed as Save would
		{"clientSecret", "New", 3, "3:false 2:false 1:false "},
		{"pin", "1234", 4, "3:false 2:true 1:true "},
		{"pin", " 1234", 5, "3:false 2:false 1:false "}, // a further key is taken as it is
		{"pin", "", 0, "3:false 2:false 1:false "},      // null is not the empty text
		{"other", "new", 3, ""},
	} {
		before, events := r.dump(), len(r.events())
		c, err := r.Compare(t.Context(), owner, rocket, tt.key, secret.NewText(tt.paste))
		got := ""
		for _, v := range c.Versions {
			got += fmt.Sprintf("%d:%t ", v.Version, v.Same)
			if v.Key.Name != tt.key {
				t.Errorf("key %+v, want %s", v.Key, tt.key)
			}
		}
		want := strings.TrimSpace(tt.paste)
		if tt.key == "pin" {
			want = tt.paste
		}
		if err != nil || got != tt.want || c.Length != tt.length || c.Fingerprint != r.box.Fingerprint(want) {
			t.Errorf("Compare(%s, %q) = %q, length %d, %v; want %q, %d", tt.key, tt.paste, got, c.Length, err, tt.want, tt.length)
		}
		wantNote := "Equal to none of its versions."
		for _, v := range c.Versions {
			if v.Same {
				wantNote = fmt.Sprintf("Equal to version %d.", v.Version) // the oldest
			}
		}
		switch all := r.events(); {
		case len(c.Versions) == 0:
			r.unchanged(before) // nothing was learnt
		case len(all) != events+1:
			t.Errorf("Compare(%s, %q) made %d events, want one", tt.key, tt.paste, len(all)-events)
		case all[0].Action != audit.SecretCompared || all[0].Target != string(rocket) || all[0].Note != wantNote || changes(all[0]) == "":
			t.Errorf("Compare(%s, %q) was recorded as %+v", tt.key, tt.paste, all[0])
		}
	}
	r.breakAuditLog()
	if c, err := r.Compare(t.Context(), owner, rocket, "pin", secret.NewText("1234")); err == nil || len(c.Versions) != 0 {
		t.Errorf("compared without a record: %+v, %v", c, err)
	}
	if _, err := r.Compare(t.Context(), owner, "no:entry", "k", secret.NewText("x")); kindOf(err) != "not found" {
		t.Errorf("Compare of no entry: %v", err)
	}
}
