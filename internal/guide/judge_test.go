package guide

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

var then = time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)

func definition(t testing.TB, key string) *connector.Definition {
	t.Helper()
	c, err := connector.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	d, ok := c.Get(key)
	if !ok {
		t.Fatalf("there is no %s", key)
	}
	return d
}

// version is one with values by key, "key=value" each; a value stands for its
// fingerprint.
func version(n int, values ...string) config.Version {
	v := config.Version{Entry: "acme:intercom", Number: n, Author: "ada@acme.example", Time: then}
	for _, kv := range values {
		name, value, _ := strings.Cut(kv, "=")
		v.Keys = append(v.Keys, config.Key{Name: name, Fingerprint: secret.Fingerprint(value)})
	}
	v.ContentHash = strings.Join(values, ",")
	return v
}

var base = []string{"clientId=a", "clientSecret=s", "region=US", "apiVersion=2.16"}

// but is base with other values.
func but(changes ...string) []string {
	out := slices.Clone(base)
	for _, c := range changes {
		name, _, _ := strings.Cut(c, "=")
		i := slices.IndexFunc(out, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i] = c
	}
	return out
}

const ours = "https://backoffice.acme.example/auth/intercom/callback"

// ran is a run of a version, as good as can be, unless change says otherwise.
func ran(v config.Version, kind RunKind, change func(*Run)) Run {
	good := RunFields{Good, Good, Good, Good}
	if kind == WithoutConsent {
		good.Permission = Undecided
	}
	if kind == PastedToken {
		good = RunFields{Permission: Good}
	}
	r := Run{ID: "r", Kind: kind, Number: v.Number, Version: &v, Hash: v.ContentHash, At: then, By: "ada@acme.example", Redirect: ours, Headline: "Works", Whole: Good, Fields: good}
	if change != nil {
		change(&r)
	}
	return r
}

// finding is what the judgement says of one evidence.
func finding(t *testing.T, j Judgement, e connector.Evidence) Finding {
	t.Helper()
	for _, s := range j.Steps {
		for _, f := range s.Findings {
			if f.Evidence == e {
				return f
			}
		}
	}
	t.Fatalf("no step looks at %s", e)
	return Finding{}
}

// Each case is one entry whose version 6 is in force; runs are newest first.
func TestJudgeEvidence(t *testing.T) {
	t.Parallel()
	def := definition(t, "intercom")
	v5, v6 := version(5, base...), version(6, base...)
	in6 := func(runs ...Run) Facts { return Facts{Version: v6, Redirect: ours, Runs: runs} }
	bad := func(f func(*RunFields)) func(*Run) {
		return func(r *Run) { r.Whole, r.Headline = Bad, "Client secret wrong"; r.Fields = RunFields{}; f(&r.Fields) }
	}
	undecided := func(r *Run) { r.Whole, r.Headline, r.Fields = Undecided, "Intercom refuses the exchange", RunFields{} }
	pending := func(f Facts, values []string) Facts {
		v7 := version(7, values...)
		f.Pending = &v7
		return f
	}
	wrong7 := ran(version(7, but("clientSecret=x")...), WithoutConsent, bad(func(f *RunFields) { f.ClientID, f.ClientSecret = Good, Bad }))
	for _, c := range []struct {
		name     string
		evidence connector.Evidence
		facts    Facts
		state    State
		lapsed   bool
		how      string
	}{
		{"nothing", connector.ClientKnown, in6(), Open, false, ""},
		{"client by consent", connector.ClientKnown, in6(ran(v6, Consent, nil)), Shown, false, "A consent run of version 6 came back from Intercom."},
		{"client without consent", connector.ClientKnown, in6(ran(v6, WithoutConsent, nil)), Shown, false, "A test without consent of version 6 found the client ID good."},
		{"client by a refused exchange", connector.ClientKnown, in6(ran(v6, Consent, undecided)), Shown, false, "came back from Intercom"},
		{"client undecided without consent", connector.ClientKnown, in6(ran(v6, WithoutConsent, undecided)), Open, false, ""},
		{"client by a token", connector.ClientKnown, in6(ran(v6, PastedToken, nil)), Open, false, ""},
		{"client wrong", connector.ClientKnown, in6(ran(v6, WithoutConsent, bad(func(f *RunFields) { f.ClientID = Bad }))), Attention, false, "A test without consent of version 6 found: Client secret wrong."},
		{"client wrong, good before", connector.ClientKnown, in6(ran(v6, WithoutConsent, bad(func(f *RunFields) { f.ClientID = Bad })), ran(v6, Consent, nil)), Attention, false, "found"},
		{"client good again", connector.ClientKnown, in6(ran(v6, Consent, nil), ran(v6, WithoutConsent, bad(func(f *RunFields) { f.ClientID = Bad }))), Shown, false, "came back"},
		{"client of an earlier version, the same", connector.ClientKnown, in6(ran(v5, Consent, nil)), Shown, false, "A consent run of version 5 came back"},
		{"client of an earlier version, other secret", connector.ClientKnown, in6(ran(version(5, but("clientSecret=x")...), Consent, nil)), Shown, false, "version 5"},
		{"client changed", connector.ClientKnown, in6(ran(version(5, but("clientId=b")...), Consent, nil)), Open, true, "Was done with version 5: Client ID has changed since."},
		{"client in another region", connector.ClientKnown, in6(ran(version(5, but("clientId=b", "region=EU")...), Consent, nil)), Open, true, "Was done with version 5: Client ID and Region have changed since."},
		{"client changed, an old one wrong", connector.ClientKnown, in6(ran(version(5, but("clientId=b")...), WithoutConsent, bad(func(f *RunFields) { f.ClientID = Bad }))), Open, false, ""},
		{"values of a form, the same", connector.ClientKnown, in6(ran(v6, Consent, func(r *Run) { r.Version = nil })), Shown, false, "came back"},
		{"values of a form, others", connector.ClientKnown, in6(ran(version(6, but("clientId=b")...), Consent, func(r *Run) { r.Version = nil })), Open, false, ""},

		{"redirect by consent", connector.RedirectUsed, in6(ran(v6, Consent, nil)), Shown, false, "A consent run of version 6 came back to this redirect URI."},
		{"redirect without consent", connector.RedirectUsed, in6(ran(v6, WithoutConsent, nil)), Shown, false, "found the redirect URI registered"},
		{"redirect by a refused exchange", connector.RedirectUsed, in6(ran(v6, Consent, undecided)), Shown, false, "came back to this redirect URI"},
		{"redirect wrong", connector.RedirectUsed, in6(ran(v6, WithoutConsent, bad(func(f *RunFields) { f.Redirect = Bad }))), Attention, false, "found"},
		{"redirect changed", connector.RedirectUsed, in6(ran(version(5, but("callbackUrl=x")...), Consent, func(r *Run) { r.Redirect = "https://other.example/cb" })), Open, true, "Was done with version 5: Redirect URI of your own has changed since."},
		{"our address changed", connector.RedirectUsed, in6(ran(v6, Consent, func(r *Run) { r.Redirect = "https://old.acme.example/auth/intercom/callback" })), Open, true, "Was done with version 6: the address of this program has changed since."},
		{"redirect not in the report", connector.RedirectUsed, in6(ran(v6, Consent, func(r *Run) { r.Redirect = "" })), Shown, false, "came back"},

		{"credentials by consent", connector.CredentialsProven, in6(ran(v6, Consent, nil)), Shown, false, "A consent run of version 6 got a token for client ID and secret."},
		{"credentials without consent", connector.CredentialsProven, in6(ran(v6, WithoutConsent, nil)), Shown, false, "found both good"},
		{"credentials by a refused exchange", connector.CredentialsProven, in6(ran(v6, Consent, undecided)), Open, false, ""},
		{"credentials by a token", connector.CredentialsProven, in6(ran(v6, PastedToken, nil)), Open, false, ""},
		{"secret wrong", connector.CredentialsProven, in6(ran(v6, WithoutConsent, bad(func(f *RunFields) { f.ClientID, f.ClientSecret = Good, Bad }))), Attention, false, "found"},
		{"secret changed", connector.CredentialsProven, in6(ran(version(5, but("clientSecret=x")...), Consent, nil)), Open, true, "Was done with version 5: Client secret has changed since."},
		{"API version changed", connector.CredentialsProven, in6(ran(version(5, but("apiVersion=2.10")...), Consent, nil)), Shown, false, "version 5"},
		{"secret wrong in what is pending", connector.CredentialsProven, pending(in6(wrong7, ran(v6, Consent, nil)), but("clientSecret=x")), Attention, false, "A test without consent of version 7 found"},
		{"secret wrong in what is pending, what is in force tested since", connector.CredentialsProven, pending(in6(ran(v6, Consent, nil), wrong7), but("clientSecret=x")), Attention, false, "A test without consent of version 7 found"},
		{"pending, not tested", connector.CredentialsProven, pending(in6(ran(v6, Consent, nil)), but("clientSecret=x")), Shown, false, "version 6"},
		{"pending was wrong and is good", connector.CredentialsProven, pending(in6(ran(version(7, but("clientSecret=x")...), Consent, nil), wrong7, ran(v6, Consent, nil)), but("clientSecret=x")), Shown, false, "version 6"},

		{"works by consent", connector.ConnectionWorks, in6(ran(v6, Consent, nil)), Shown, false, "A consent run of version 6 reached the API."},
		{"works by a token", connector.ConnectionWorks, in6(ran(v6, PastedToken, nil)), Shown, false, "A test with an access token and version 6 reached the API."},
		{"a token refused", connector.ConnectionWorks, in6(ran(v6, PastedToken, func(r *Run) { r.Whole, r.Fields.Permission = Bad, Bad })), Open, false, ""},
		{"works without consent", connector.ConnectionWorks, in6(ran(v6, WithoutConsent, nil)), Open, false, ""},
		{"fails without consent", connector.ConnectionWorks, in6(ran(v6, WithoutConsent, bad(func(f *RunFields) {})), ran(v6, Consent, nil)), Attention, false, "found"},
		{"works in part", connector.ConnectionWorks, in6(ran(v6, Consent, func(r *Run) {
			r.Whole, r.Partly = Undecided, true
			r.Headline = "Credentials are good, but a permission is missing"
		})), Attention, false, "Credentials are good, but a permission is missing."},
		{"worked with another API version", connector.ConnectionWorks, in6(ran(version(5, but("apiVersion=2.10")...), Consent, nil)), Open, true, "Was done with version 5: API version has changed since."},
		{"a token worked with another secret", connector.ConnectionWorks, in6(ran(version(5, but("clientSecret=x")...), PastedToken, nil)), Shown, false, "version 5"},
		{"a token worked, of another app", connector.ConnectionWorks, in6(ran(version(5, but("clientId=b")...), PastedToken, nil)), Open, true, "Was done with version 5: Client ID has changed since."},
		{"worked with another secret", connector.ConnectionWorks, in6(ran(version(5, but("clientSecret=x")...), Consent, nil)), Open, true, "Client secret has changed since."},
		{"the radar saw a refusal", connector.ConnectionWorks, func() Facts {
			f := in6(ran(v6, Consent, nil))
			f.Refused = &Refusal{"Client secret wrong", then}
			return f
		}(), Attention, false, "The radar saw it"},

		{"no permission declared", connector.PermissionsDeclared, in6(), Open, false, "No permission is declared yet."},
		{"permissions granted", connector.PermissionsDeclared, in6(ran(v6, Consent, nil)), Shown, false, "was allowed to ask"},
		{"permissions of a token", connector.PermissionsDeclared, in6(ran(v6, PastedToken, nil)), Shown, false, "was allowed to ask"},
		{"permissions of a token of another app", connector.PermissionsDeclared, in6(ran(version(5, but("clientId=b")...), PastedToken, nil)), Open, true, "Was done with version 5: Client ID has changed since."},
		{"permission missing at the provider", connector.PermissionsDeclared, in6(ran(v6, Consent, func(r *Run) { r.Fields.Permission = Bad })), Attention, false, "found"},
		{"permission of another app", connector.PermissionsDeclared, in6(ran(version(5, but("clientId=b")...), Consent, nil)), Open, true, "Client ID has changed since."},
		{"permission not declared", connector.PermissionsDeclared, func() Facts {
			f := in6(ran(v6, Consent, nil))
			f.Missing = []string{"Read tickets", "Read admins"}
			return f
		}(), Attention, false, "The chosen topics need Read tickets and Read admins."},
		{"declared, not seen", connector.PermissionsDeclared, func() Facts {
			f := in6()
			f.Version.Scopes = []string{"read_single_admin", "Read admins"}
			return f
		}(), Open, false, "2 permissions declared; a consent run shows whether the app has them."},

		{"no notification", connector.NotificationReceived, in6(), Open, false, "No notification whose signature holds has come yet."},
		{"a notification", connector.NotificationReceived, func() Facts {
			f := in6()
			f.Received = &Received{"n1", "ping", then, "clientSecret", "s", 6, nil}
			return f
		}(), Shown, false, "A notification of the topic ping came whose signature holds with clientSecret of version 6."},
		{"a notification of an old secret", connector.NotificationReceived, func() Facts {
			f := in6()
			f.Received = &Received{"n1", "", then, "clientSecret", "x", 5, nil}
			return f
		}(), Open, true, "Was done with version 5: clientSecret has changed since, and none has come that it signed."},
		{"a notification of a secret that is pending", connector.NotificationReceived, func() Facts {
			f := pending(in6(), but("clientSecret=x"))
			f.Received = &Received{"n1", "", then, "clientSecret", "x", 7, nil}
			return f
		}(), Open, true, "A notification came whose signature holds with clientSecret of version 7, which is not in force."},
		{"a notification from another place", connector.NotificationReceived, func() Facts {
			f, v := in6(), version(5, but("region=EU")...)
			f.Received = &Received{"n1", "", then, "clientSecret", "s", 5, &v}
			return f
		}(), Open, true, "Was done with version 5: Region has changed since, and none has come from there."},
		{"a notification from the same place", connector.NotificationReceived, func() Facts {
			f := in6()
			f.Received = &Received{"n1", "", then, "clientSecret", "s", 5, &v5}
			return f
		}(), Shown, false, "A notification came whose signature holds with clientSecret of version 5."},
		{"a notification of a secret that is gone", connector.NotificationReceived, func() Facts {
			f := in6()
			f.Received = &Received{"n1", "", then, "webhookSecret", "w", 5, nil}
			return f
		}(), Open, true, "Was done with version 5: webhookSecret has changed"},
	} {
		j := Judge(def, c.facts, Hand{})
		got := finding(t, j, c.evidence)
		if got.State != c.state || got.Lapsed != c.lapsed || !strings.Contains(got.How, c.how) || c.how == "" && got.How != "" {
			t.Errorf("%s: state %d, lapsed %v: %q\nwant state %d, lapsed %v: %q", c.name, got.State, got.Lapsed, got.How, c.state, c.lapsed, c.how)
		}
		if (got.State == Shown || got.Lapsed) && !got.At.Equal(then) {
			t.Errorf("%s: it does not say when", c.name)
		}
	}
}

// Scopes that are sent are asked for as soon as they are declared.
func TestJudgeScopesThatAreSent(t *testing.T) {
	t.Parallel()
	def := definition(t, "google:drive")
	if !def.OAuth.SendScopes || len(def.Permissions) == 0 {
		t.Fatal("this test needs a connector that sends scopes")
	}
	without := *def
	oauth := *def.OAuth
	oauth.DefaultScopes = nil
	without.OAuth = &oauth
	v := version(1, "clientId=a", "clientSecret=s")
	declared := v
	declared.Scopes = []string{"x"}
	declared.ContentHash += "x"
	for _, c := range []struct {
		name   string
		facts  Facts
		state  State
		lapsed bool
	}{
		{"nothing declared", Facts{Version: v}, Open, false},
		{"declared", Facts{Version: declared}, Shown, false},
		{"allowed with the same list", Facts{Version: declared, Runs: []Run{ran(declared, Consent, nil)}}, Shown, false},
		{"allowed with another list", Facts{Version: declared, Runs: []Run{ran(v, Consent, nil)}}, Open, true},
	} {
		got := finding(t, Judge(&without, c.facts, Hand{}), connector.PermissionsDeclared)
		if got.State != c.state || got.Lapsed != c.lapsed {
			t.Errorf("%s: %+v, want state %d, lapsed %v", c.name, got, c.state, c.lapsed)
		}
	}
}

// What stands above what: a fault above all, evidence above a tick.
func TestJudgeSteps(t *testing.T) {
	t.Parallel()
	def := definition(t, "intercom")
	v := version(1, base...)
	all := Facts{Version: v, Redirect: ours, Runs: []Run{ran(v, Consent, nil)}, Received: &Received{"n", "", then, "clientSecret", "s", 1, nil}}
	wrong := Facts{Version: v, Redirect: ours, Runs: []Run{ran(v, WithoutConsent, func(r *Run) { r.Whole, r.Fields.ClientSecret = Bad, Bad })}}
	ticked := func(step string, t Tick) Hand {
		t.By = "ada@acme.example"
		return Hand{Ticks: map[string]Tick{step: t}}
	}
	public := ticked("live", Tick{Kind: "public"})
	for _, c := range []struct {
		name        string
		facts       Facts
		hand        Hand
		step        int // from 1
		state       State
		why         string
		done, total int
	}{
		{"nothing", Facts{Version: v}, Hand{}, 1, Open, "", 0, 7},
		{"all that can be known", all, Hand{}, 6, Shown, "the connection works", 6, 7},
		{"an internal integration", all, Hand{Kind: "internal"}, 6, Shown, "the connection works", 6, 6},
		{"half of a step", Facts{Version: v, Redirect: ours, Runs: []Run{ran(v, WithoutConsent, nil)}}, Hand{}, 3, Open, "the redirect URI is registered", 3, 7},
		{"by hand", Facts{Version: v}, ticked("account", Tick{}), 1, ByHand, "ticked by ada@acme.example", 1, 7},
		{"not needed", Facts{Version: v}, ticked("webhooks", Tick{Skipped: true}), 5, NotNeeded, "says ada@acme.example", 0, 6},
		{"not needed, but it came", all, ticked("webhooks", Tick{Skipped: true}), 5, Shown, "a notification came", 6, 7},
		{"by hand, but wrong", wrong, ticked("credentials", Tick{}), 4, Attention, "Client secret wrong in version 1", 2, 7},
		{"by hand and by evidence", all, ticked("account", Tick{}), 1, Shown, "Intercom knows the client ID", 6, 7},
		{"live, of no kind yet", Facts{Version: v}, ticked("live", Tick{}), 7, ByHand, "ticked by ada@acme.example", 1, 7},
		{"live, ticked before the kind was chosen", Facts{Version: v}, func() Hand { h := ticked("live", Tick{}); h.Kind = "public"; return h }(), 7, ByHand, "ticked by ada@acme.example", 1, 7},
		{"live as a public app, of no kind now", Facts{Version: v}, public, 7, Open, "", 0, 7},
	} {
		j := Judge(def, c.facts, c.hand)
		s := j.Steps[c.step-1]
		if s.State != c.state || s.Why != c.why || s.N != c.step || j.Done != c.done || j.Total != c.total {
			t.Errorf("%s: state %d, %q, %d of %d\nwant state %d, %q, %d of %d", c.name, s.State, s.Why, j.Done, j.Total, c.state, c.why, c.done, c.total)
		}
	}
	public.Kind = "public"
	if s := Judge(def, Facts{Version: v}, public).Steps[6]; s.State != ByHand {
		t.Errorf("a tick of its own kind: state %d", s.State)
	}
}

// Judge says the same twice, and leaves what it was given as it was.
func TestJudgeIsPure(t *testing.T) {
	t.Parallel()
	for _, d := range []string{"intercom", "slack", "google:drive"} {
		def := definition(t, d)
		v5, v6 := version(5, but("clientId=b")...), version(6, base...)
		facts := func() Facts {
			return Facts{Version: v6, Redirect: ours, Missing: []string{"x"}, Runs: []Run{ran(v6, WithoutConsent, nil), ran(v5, Consent, nil)},
				Received: &Received{"n", "", then, "clientSecret", "x", 5, nil}, Pending: &v5}
		}
		hand := func() Hand { return Hand{Kind: "public", Ticks: map[string]Tick{"account": {By: "a"}}} }
		f, h := facts(), hand()
		first := Judge(def, f, h)
		if second := Judge(def, f, h); !reflect.DeepEqual(first, second) {
			t.Errorf("%s: twice the same gave\n%+v\n%+v", d, first, second)
		}
		if !reflect.DeepEqual(f, facts()) || !reflect.DeepEqual(h, hand()) {
			t.Errorf("%s: what was judged has changed", d)
		}
	}
}

// Every connector can be judged, with and without evidence.
func TestJudgeEveryConnector(t *testing.T) {
	t.Parallel()
	c, err := connector.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, def := range c.All() {
		v := version(1, "clientId=a", "clientSecret=s")
		v.Scopes = []string{"x"}
		if j := Judge(def, Facts{Version: version(1)}, Hand{}); j.Total != len(j.Steps) || j.Done != 0 && len(def.OAuth.DefaultScopes) == 0 {
			t.Errorf("%s: with nothing known %d of %d", def.Key, j.Done, j.Total)
		}
		run := ran(v, Consent, func(r *Run) { r.Redirect = ours })
		j := Judge(def, Facts{Version: v, Redirect: ours, Runs: []Run{run}}, Hand{})
		for _, s := range j.Steps {
			if s.State != Shown && !s.Optional && len(s.Shows) > 0 {
				t.Errorf("%s: after a good consent run %s is in state %d: %+v", def.Key, s.ID, s.State, s.Findings)
			}
		}
	}
}
