package server

import (
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/oauth"
	"backoffice/internal/sandbox"
	"backoffice/web/templates"
)

// madeLedger is a ledger of the permissions a, b, c and me over grants such as
// "a granted" and "b refused likely". GET /me needs me, the topic only needs c, the topic
// either needs a or b.
func madeLedger(sent bool, topics, declared []string, grants ...string) ledger {
	def := &connector.Definition{Name: "Acme", OAuth: &connector.OAuth{SendScopes: sent, ScopeDelimiter: " "},
		Identity:    &connector.Identity{URL: "{api}/me", Permission: "me"},
		Permissions: []connector.Permission{{Name: "a", Label: "A"}, {Name: "b", Label: "B"}, {Name: "c", Label: "C"}, {Name: "me", Label: "Me"}},
		Topics:      []connector.Topic{{Name: "only", Needs: []string{"c"}}, {Name: "either", Needs: []string{"a", "b"}}}}
	l := ledger{def: def, declared: declared, needs: needsOf(def, topics)}
	if len(grants) == 0 {
		return l
	}
	run := oauth.GrantRun{Run: "r", Version: 3}
	for _, g := range grants {
		name, state, _ := strings.Cut(g, " ")
		state, likely := strings.CutSuffix(state, " likely")
		run.Grants = append(run.Grants, oauth.GrantAt{Grant: oauth.Grant{Permission: name, State: map[string]oauth.GrantState{"granted": oauth.Granted, "refused": oauth.Refused}[state], Basis: map[bool]oauth.Basis{true: oauth.Reading, false: oauth.Named}[likely]}})
	}
	l.runs, l.counted = []oauth.GrantRun{run}, []oauth.GrantRun{run}
	return l
}

// What least privilege says of each combination, with a step to mend it.
func TestLedgerFindings(t *testing.T) {
	t.Parallel()
	only, either := []string{"only"}, []string{"either"}
	for _, tt := range []struct {
		name             string
		topics, declared []string
		grants           []string
		find             []finding // of a, b, c, me
		heading          string
		words            string // of the findings and their permissions, with a part of the step
	}{
		{"nothing declared", only, nil, nil, []finding{sound, sound, missing, missing}, "Two permissions are missing", "Needed, but not declared: C, Me: Tick them in Acme’s console and below"},
		{"all declared, no run", only, []string{"c", "me"}, nil, []finding{sound, sound, sound, sound}, "2 permissions declared, none found out yet", ""},
		{"all declared and granted", only, []string{"c", "me"}, []string{"c granted", "me granted"}, []finding{sound, sound, sound, sound}, "What is declared is what is needed", ""},
		{"declared, needed and refused", only, []string{"c", "me"}, []string{"c refused", "me granted"}, []finding{sound, sound, refusedUsed, sound}, "One permission is missing", "Needed, but refused: C: Tick it in Acme’s console and save there, then consent again"},
		{"declared, not needed and refused", nil, []string{"a", "me"}, []string{"a refused"}, []finding{refusedIdle, sound, sound, sound}, "One permission is declared but refused", "Declared, but refused: A: If your consumers use it, tick it"},
		{"declared and not needed", nil, []string{"a", "me"}, []string{"a granted"}, []finding{idle, sound, sound, sound}, "One permission is not needed here", "Declared, but not needed here: A: If your consumers do not use it either, untick it in Acme’s console and below."},
		{"granted and not declared", nil, []string{"me"}, []string{"a granted"}, []finding{excess, sound, sound, sound}, "One permission is granted but not declared", "Granted, but neither declared nor needed here: A: Untick it in Acme’s console"},
		{"granted and needed, not declared", only, []string{"me"}, []string{"c granted"}, []finding{sound, sound, undeclared, sound}, "One permission is granted but not declared", "Granted and needed, but not declared: C: Tick it below and save"},
		{"needed, refused and not declared", only, []string{"me"}, []string{"c refused"}, []finding{sound, sound, missing, sound}, "One permission is missing", "Needed, but not declared: C: Tick it"},
		{"one of two is missing", either, []string{"me"}, nil, []finding{oneOf, oneOf, sound, sound}, "One permission is missing", "One of these is needed: A or B: Choose the narrowest"},
		{"one of two is granted", either, []string{"me"}, []string{"a granted"}, []finding{undeclared, sound, sound, sound}, "One permission is granted but not declared", "Granted and needed, but not declared: A: Tick it below"},
		{"one of two is declared", either, []string{"b", "me"}, nil, []finding{sound, sound, sound, sound}, "2 permissions declared, none found out yet", ""},
		{"one of two is declared and refused, the other granted", either, []string{"a", "b", "me"}, []string{"a refused", "b granted"}, []finding{refusedIdle, sound, sound, sound}, "One permission is declared but refused", "Declared, but refused: A: If"},
		{"one of two is declared and refused", either, []string{"a", "me"}, []string{"a refused"}, []finding{refusedUsed, sound, sound, sound}, "One permission is missing", "Needed, but refused: A: Tick it in Acme’s console and save there, then consent again"},
		{"one of two is refused, none is declared", either, []string{"me"}, []string{"a refused"}, []finding{oneOf, oneOf, sound, sound}, "One permission is missing", "One of these is needed: A or B: Choose the narrowest"},
		{"likely refused and needed", only, []string{"c", "me"}, []string{"c refused likely"}, []finding{sound, sound, refusedUsed, sound}, "One permission is likely missing", "Needed, but likely refused: C: Tick it"},
		{"likely refused, and another is missing", only, []string{"me"}, []string{"me refused likely"}, []finding{sound, sound, missing, refusedUsed}, "Two permissions are missing", "Needed, but likely refused: Me: Tick it | Needed, but not declared: C: Tick"},
		{"likely refused and not needed", nil, []string{"a", "me"}, []string{"a refused likely"}, []finding{refusedIdle, sound, sound, sound}, "One permission is declared but likely refused", "Declared, but likely refused: A: If"},
		{"likely granted and not declared", nil, []string{"me"}, []string{"a granted likely"}, []finding{excess, sound, sound, sound}, "One permission is likely granted but not declared", "Likely granted, but neither declared nor needed here: A: Untick"},
		{"several at once", only, []string{"a", "b"}, []string{"a refused", "b granted"}, []finding{refusedIdle, idle, missing, missing}, "Two permissions are missing, one is declared but refused, one is not needed here",
			"Needed, but not declared: C, Me: Tick them | Declared, but refused: A: If | Declared, but not needed here: B: If"},
		{"unclear is neither", only, []string{"c", "me"}, []string{"c unclear"}, []finding{sound, sound, sound, sound}, "What is declared is what is needed", ""},
	} {
		l := madeLedger(false, tt.topics, tt.declared, tt.grants...)
		held := l.held()
		for i, p := range l.def.Permissions {
			if got := l.find(p.ID(), held); got != tt.find[i] {
				t.Errorf("%s: %s is %d, want %d", tt.name, p.Label, got, tt.find[i])
			}
		}
		if got := l.heading(held); got != tt.heading {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.heading)
		}
		found, want := l.findings(held), strings.Split(tt.words, " | ")
		if tt.words == "" {
			want = nil
		}
		if len(found) != len(want) {
			t.Errorf("%s: %+v, want %q", tt.name, found, want)
			continue
		}
		for i, f := range found {
			if got := f.Word + ": " + strings.Join(f.Permissions, ", ") + ": " + f.Step; !strings.HasPrefix(got, want[i]) {
				t.Errorf("%s: %q, want %q", tt.name, got, want[i])
			}
		}
	}
	for f := refusedUsed; f <= idle; f++ {
		console, url := madeLedger(false, nil, nil).step(f, 2), madeLedger(true, nil, nil).step(f, 1)
		if console == "" || url == "" || strings.ContainsAny(console+url, "{}") {
			t.Errorf("finding %d is mended by %q and %q", f, console, url)
		}
	}
}

// What a page calls a state depends on how it is known.
func TestGrantState(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		state   oauth.GrantState
		basis   oauth.Basis
		known   bool
		verdict templates.Verdict
		word    string
	}{
		{oauth.Granted, oauth.Documented, true, templates.VerdictOK, "Granted"},
		{oauth.Granted, oauth.Listed, true, templates.VerdictOK, "Granted"},
		{oauth.Granted, oauth.Standard, true, templates.VerdictOK, "Granted"},
		{oauth.Granted, oauth.Reading, true, templates.VerdictOK, "Likely granted"},
		{oauth.Refused, oauth.Named, true, templates.VerdictWarning, "Refused"},
		{oauth.Refused, oauth.Documented, true, templates.VerdictWarning, "Refused"},
		{oauth.Refused, oauth.Listed, true, templates.VerdictWarning, "Not granted"},
		{oauth.Refused, oauth.Reading, true, templates.VerdictWarning, "Likely refused"},
		{oauth.Unclear, oauth.NoBasis, true, templates.VerdictNotChecked, "Unclear"},
		{oauth.Granted, oauth.Named, false, templates.VerdictNotChecked, "Unclear"},
	} {
		verdict, word := grantState(found{GrantAt: oauth.GrantAt{Grant: oauth.Grant{State: tt.state, Basis: tt.basis}}}, tt.known)
		if verdict != tt.verdict || word != tt.word {
			t.Errorf("%s by %s is %s %q, want %s %q", tt.state, tt.basis, verdict, word, tt.verdict, tt.word)
		}
	}
}

// A state comes from the latest run that found it out, for the same account only.
func TestGrantOfSeveralRuns(t *testing.T) {
	t.Parallel()
	run := func(name, workspace string, grants ...string) oauth.GrantRun {
		r := madeLedger(false, nil, nil, grants...).runs[0]
		r.Run = name
		if workspace != "" {
			r.Whose = []oauth.Fact{{Label: "Workspace", Value: workspace}}
		}
		return r
	}
	for _, tt := range []struct {
		name    string
		runs    []oauth.GrantRun
		state   oauth.GrantState
		run     string
		earlier bool
	}{
		{"the latest", []oauth.GrantRun{run("2", "w", "a granted"), run("1", "w", "a refused")}, oauth.Granted, "2", false},
		{"an earlier one", []oauth.GrantRun{run("2", "w", "a unclear"), run("1", "w", "a refused")}, oauth.Refused, "1", true},
		{"an earlier one that alone asked", []oauth.GrantRun{run("2", "w", "b granted"), run("1", "w", "a refused")}, oauth.Refused, "1", true},
		{"an earlier one of another account", []oauth.GrantRun{run("2", "w", "a unclear"), run("1", "x", "a refused")}, oauth.Unclear, "2", false},
		{"an earlier one, and no account is known", []oauth.GrantRun{run("2", "", "a unclear"), run("1", "", "a granted")}, oauth.Unclear, "2", false},
		{"nobody knows", []oauth.GrantRun{run("2", "w", "a unclear"), run("1", "w", "a unclear")}, oauth.Unclear, "2", false},
	} {
		g, known := ledger{counted: tt.runs}.grant("a")
		if !known || g.State != tt.state || g.run.Run != tt.run || g.earlier != tt.earlier {
			t.Errorf("%s: %s by %s (earlier %v, known %v), want %s by %s", tt.name, g.State, g.run.Run, g.earlier, known, tt.state, tt.run)
		}
	}
	if _, known := (ledger{counted: []oauth.GrantRun{run("1", "w", "b granted")}}).grant("a"); known {
		t.Error("a permission that nobody asked for is known")
	}
}

// A scope that the provider granted and the definition does not know is in the ledger.
func TestUnknownGrant(t *testing.T) {
	t.Parallel()
	l := madeLedger(true, nil, []string{"me", "typed"}, "surprise granted", "gone refused", "me granted")
	if got := l.unknown(); !slices.Equal(got, []string{"typed", "surprise"}) {
		t.Errorf("unknown are %q", got)
	}
	if f := l.findings(l.held()); len(f) != 2 || f[0].Word != "Granted, but neither declared nor needed here" || !slices.Equal(f[0].Permissions, []string{"surprise"}) || !slices.Equal(f[1].Permissions, []string{"typed"}) {
		t.Errorf("findings %+v", f)
	}
}

// What a pasted token showed says so wherever it stands: it need not be one of this app.
func TestLedgerSaysPastedToken(t *testing.T) {
	t.Parallel()
	p := scopePages{gate{Deps: Deps{Now: time.Now}}}
	for kind, want := range map[oauth.Kind]string{oauth.ConsentRun: "by an earlier run, of version 3", oauth.TokenRun: "by an earlier run with a pasted token and the settings of version 3"} {
		l := madeLedger(false, nil, nil, "a granted")
		earlier := l.runs[0]
		earlier.Kind, earlier.Whose = kind, []oauth.Fact{{Label: "Workspace", Value: "w"}}
		latest := oauth.GrantRun{Run: "l", Whose: earlier.Whose}
		l.counted = []oauth.GrantRun{latest, earlier}
		row := templates.PermissionRow{ID: "a"}
		p.evidence(&row, l, nil)
		if row.FoundBy != want {
			t.Errorf("%s: %q, want %q", kind, row.FoundBy, want)
		}
	}
}

// The page over real runs: refusals by name, a pasted token, another client ID.
func TestLedgerPage(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", func(d *config.Draft) {
		d.Scopes, d.Topics = []string{"read_conversations", "read_single_admin", "Write tags", "made.up"}, []string{"conversation.user.created", "ticket.created"}
	})
	p := h.owner()
	scopes := entry + "/scopes"
	p.get(scopes).want(200, "No run has found out yet what is granted", "4 permissions declared in version 1, in force", "No run has asked yet.", "Never sent", "How it is found out", "No permission known").
		lacks("What runs found out", "From the consent run")
	h.provider.Set(sandbox.Faults{Missing: sandbox.PermissionSet(sandbox.ReadConversations, sandbox.ReadTags)})
	report := p.get(h.consent(p, "1", true)).want(303).header.Get("Location")
	p.get(report).want(200, "Permissions of the token", "2 refused", "Refused: Read conversations, Read tags.", "Two permissions are refused.", "6 probes of what it may do")
	h.pass(20 * time.Minute)
	a := p.get(scopes).want(200, "Two permissions are missing, one is likely granted but not declared, two are not needed here", "From the consent run of version 1, 20 minutes ago", "Workspace Acme Support, Workspace ID",
		"Needed, but refused", "Needed, but not declared", "Read tickets", "Likely granted, but neither declared nor needed here", "You do not have the required scope (read_conversations) to access this resource",
		"What runs found out", "No run before it for the same app and account", "Not known to the definition", "Why some are unclear")
	if got := a.link("Report on Read conversations"); got != report {
		t.Errorf("the evidence leads to %q, want %q", got, report)
	}
	form := controls(a.one("form[action=" + scopes + "]"))
	if !slices.Equal(slices.Sorted(slices.Values(form["scope"])), []string{"Write tags", "made.up", "read_conversations", "read_single_admin"}) {
		t.Errorf("the form declares %q", form["scope"])
	}
	h.provider.Set(sandbox.Faults{})
	p.submit(p.get(entry+"/test"), entry+"/test/token", "version", "1", "token", h.provider.TestToken()).want(303)
	p.get(scopes).want(200, "From the test token with the settings of version 1, just now", "A pasted token need not be one of this app", "refused before, now likely granted", "One permission is missing")
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base, d.Values[0].Value, d.Scopes, d.Topics = 1, 1, text("another"), []string{"read_conversations"}, nil
	})
	p.get(scopes).want(200, "What was found out is not counted", "the client ID changed since", "Found with version 1; the client ID changed since. Not counted.", "No run has asked yet.").lacks("From the test token")
	p.get(entry+"/scopes").lacks(h.provider.ClientSecret(), h.provider.TestToken())
}
