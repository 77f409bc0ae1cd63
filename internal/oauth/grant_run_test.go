package oauth_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
)

const probesYAML = identityHead + `
probes:
  - {label: List things, url: "%s/things?one=1", permissions: [write_all], confirmed: true}
  - {label: List names, url: "%s/names", permissions: [Nameless]}
  - {label: List either, url: "%s/either", permissions: [Nameless, write_all]}
  - {label: List teams, url: "%s/teams"}
`

// noScopes is a provider whose permissions are ticked in its console.
const noScopes = "  clientAuth: post\n  sendScopes: false"

const identityHead = `
identity:
  url: "%s/me"
  headers: {Rocket-Version: "7"}
  permission: read_me
  facts:
    - {label: Workspace, path: app.name}
    - {label: Workspace ID, path: app.id}
`

// An api is a provider's reads, each scripted by its path. It keeps what it was asked.
type api struct {
	mu    sync.Mutex
	says  map[string][]http.HandlerFunc // the answers in their order; the last one stays
	asked []string
	heads []http.Header
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked, a.heads = append(a.asked, r.URL.RequestURI()), append(a.heads, r.Header.Clone())
	list := a.says[r.URL.Path]
	if len(list) > 1 {
		a.says[r.URL.Path] = list[1:]
	}
	a.mu.Unlock()
	if len(list) == 0 {
		answer(200, `[]`)(w, r)
		return
	}
	list[0](w, r)
}

func scripted(pairs ...any) *api {
	a := &api{says: map[string][]http.HandlerFunc{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		path := pairs[i].(string)
		a.says[path] = append(a.says[path], pairs[i+1].(http.HandlerFunc))
	}
	return a
}

func (r *rig) api(a *api) {
	r.provider.mu.Lock()
	defer r.provider.mu.Unlock()
	r.provider.pages = a.serve
}

// grantsOf is "permission state basis" of every grant.
func grantsOf(rep oauth.Report) string {
	var out []string
	for _, g := range rep.Grants {
		out = append(out, strings.TrimSpace(g.Permission+" "+g.State.String()+" "+g.Basis.String()))
	}
	return strings.Join(out, ", ")
}

const lacks = `{"type":"error.list","errors":[{"code":"forbidden","message":"You do not have the required scope (%s) to access this resource"}]}`

// What each behaviour of a provider's API says about permissions.
func TestProbes(t *testing.T) {
	t.Parallel()
	all := "/things,/names,/either,/teams"
	named := func(scope string) http.HandlerFunc { return answer(403, fmt.Sprintf(lacks, scope)) }
	quick := oauth.ProbeLimits{Whole: 5 * time.Second, Call: 300 * time.Millisecond, Wait: 50 * time.Millisecond, Lanes: 1}
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, tt := range []struct {
		name     string
		api      *api
		identity http.HandlerFunc
		grants   string
		asked    string // the paths that were asked, in order
		unprobed string
		evidence string // somewhere in the evidence
	}{
		{"all allowed", scripted(), nil, "read_me granted reading, write_all granted documented, Nameless granted reading", all, "", "GET /things?one=1 gave 200."},
		{"a machine name", scripted("/things", named("write_all")), nil, "write_all refused named, read_me granted reading, Nameless granted reading", all, "",
			"GET /things?one=1 gave 403. Rocket answered: “You do not have the required scope (write_all) to access this resource” (forbidden)."},
		{"a label", scripted("/names", named("Nameless")), nil, "Nameless refused named, read_me granted reading, write_all granted documented", all, "", "(Nameless)"},
		{"another permission's name", scripted("/teams", named("Nameless")), nil, "Nameless refused named, read_me granted reading, write_all granted documented", all, "", "GET /teams gave 403."},
		{"a name that is not known", scripted("/things", named("files_read")), nil, "read_me granted reading, Nameless granted reading, write_all unclear", all, "", "(files_read)"},
		{"a permission without a name", scripted("/names", answer(403, `{"error":"insufficient_scope"}`)), nil, "read_me granted reading, write_all granted documented, Nameless refused reading", all, "", "“insufficient_scope”"},
		{"forbidden, and no more", scripted("/things", answer(403, `{"error":"plan_restricted"}`)), nil, "read_me granted reading, Nameless granted reading, write_all unclear", all, "", "plan_restricted"},
		{"a plan, with a permission's name", scripted("/things", answer(403, `{"errors":[{"code":"api_plan_restricted","message":"The scope (write_all) needs another subscription."}]}`)), nil, "read_me granted reading, Nameless granted reading, write_all unclear", all, "", "api_plan_restricted"},
		{"a plan, that speaks of permissions", scripted("/things", answer(403, `{"errors":[{"code":"api_plan_restricted","message":"Your plan has no permission for this."}]}`)), nil, "read_me granted reading, Nameless granted reading, write_all unclear", all, "", "api_plan_restricted"},
		{"a server error", scripted("/names", answer(500, `{}`)), nil, "read_me granted reading, write_all granted documented, Nameless unclear", all, "", "GET /names gave 500."},
		{"a page", scripted("/names", answer(200, `<html>`)), nil, "read_me granted reading, write_all granted documented, Nameless unclear", all, "", "GET /names gave 200."},
		{"a redirect", scripted("/names", answer(302, ``, "Location", "https://elsewhere.example/")), nil, "read_me granted reading, write_all granted documented, Nameless unclear", all, "", "GET /names gave 302."},
		{"an error with success", scripted("/names", answer(200, `{"error":"no"}`)), nil, "read_me granted reading, write_all granted documented, Nameless unclear", all, "", "GET /names gave 200."},
		{"no answer in time", scripted("/names", http.HandlerFunc(hang)), nil, "read_me granted reading, write_all granted documented, Nameless unclear", all, "", "GET /names gave no answer."},
		{"401 midway", scripted("/names", answer(401, `{"error":"unauthorized"}`)), nil, "read_me granted reading, write_all granted documented, Nameless unclear", "/things,/names",
			"Not probed: the provider refused the token in the middle of the probes.", "“unauthorized”"},
		{"429", scripted("/things", answer(429, `{}`)), nil, "read_me granted reading, write_all unclear, Nameless unclear", "/things", "Not probed: the provider asked for a pause.", "GET /things?one=1 gave 429."},
		{"429 with a long pause", scripted("/things", answer(429, `{}`, "Retry-After", "60")), nil, "read_me granted reading, write_all unclear, Nameless unclear", "/things", "Not probed: the provider asked for a pause.", ""},
		{"the identity call is refused by name", scripted(), answer(403, fmt.Sprintf(lacks, "read_me")), "read_me refused named, write_all granted documented, Nameless granted reading", all, "", "GET /me gave 403."},
		{"the identity call is refused with 401", scripted(), answer(401, `{"error":"token_unauthorized"}`), "write_all granted documented, Nameless granted reading, read_me unclear", all, "", "GET /me gave 401."},
		{"401 everywhere", scripted("/things", answer(401, `{}`)), answer(401, `{}`), "read_me unclear, write_all unclear, Nameless unclear", "/things", "Not probed: the provider refused the token in the middle of the probes.", ""},
		{"the identity call has no answer", scripted(), answer(503, `{}`), "read_me unclear, write_all unclear, Nameless unclear", "", "Not probed: the identity call before it had no answer of the provider.", ""},
		{"the identity call is asked too often", scripted(), answer(429, `{}`), "read_me unclear, write_all unclear, Nameless unclear", "", "Not probed: the provider asked for a pause.", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{identity: probesYAML, definition: noScopes, scopes: []string{"write_all"}, probes: quick})
			r.api(tt.api)
			if tt.identity != nil {
				r.provider.identity = tt.identity
			}
			rep := r.run()
			want := strings.Split(tt.grants, ", ")
			if got := strings.Split(grantsOf(rep), ", "); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
				t.Errorf("grants %q, want %q", got, want)
			}
			if rep.Unprobed != tt.unprobed {
				t.Errorf("unprobed %q, want %q", rep.Unprobed, tt.unprobed)
			}
			var paths, evidence []string
			for _, uri := range tt.api.asked {
				path, _, _ := strings.Cut(uri, "?")
				paths = append(paths, path)
			}
			if got := strings.Join(paths, ","); got != tt.asked {
				t.Errorf("asked %s, want %s", got, tt.asked)
			}
			for _, g := range rep.Grants {
				evidence = append(evidence, g.Evidence)
				if g.Step < 0 || g.Step >= len(rep.Steps) {
					t.Fatalf("%s rests on step %d of %d", g.Permission, g.Step, len(rep.Steps))
				}
				if sent := rep.Steps[g.Step].Sent; g.Call != "" && tt.unprobed == "" && (len(sent) == 0 || !strings.HasSuffix(sent[0].Value, strings.Split(strings.TrimPrefix(g.Call, "GET "), "?")[0])) {
					t.Errorf("%s rests on %q, but its step asked %+v", g.Permission, g.Call, sent)
				}
			}
			if !strings.Contains(strings.Join(evidence, "\n"), tt.evidence) {
				t.Errorf("the evidence is %q, want %q in it", evidence, tt.evidence)
			}
			for _, h := range tt.api.heads {
				if h.Get("Authorization") != "Bearer "+accessToken || h.Get("Rocket-Version") != "7" || h.Get("Accept") != "application/json" {
					t.Errorf("a probe had the headers %v", h)
				}
			}
			if rep.Field(oauth.ClientSecret).Verdict != oauth.OK {
				t.Errorf("after the probes the secret is %v", rep.Field(oauth.ClientSecret))
			}
			if found := leaks(r.dump()); len(found) > 0 {
				t.Errorf("the data file has %q", found)
			}
		})
	}
}

// Headers that say that the limit is nearly used up pace the probes.
func TestProbePace(t *testing.T) {
	t.Parallel()
	left := func(n int, reset time.Time) http.HandlerFunc {
		return answer(200, `[]`, "X-RateLimit-Limit", "100", "X-RateLimit-Remaining", strconv.Itoa(n), "X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	}
	const low, stopped = "Not probed: the provider's limit is nearly used up.", "Not probed: the provider asked for a pause."
	for _, tt := range []struct {
		name     string
		things   []http.HandlerFunc
		ahead    time.Duration // of the next window, which the answer to the first probe tells; -1 for none
		left     int
		asked    int
		waits    int
		unprobed string
	}{
		{"plenty", nil, time.Hour, 90, 4, 0, ""},
		{"low, and far from the next window", nil, time.Hour, 10, 1, 0, low},
		{"low, and the next window is near", nil, time.Second, 10, 4, 1, ""},
		{"a pause that is short", []http.HandlerFunc{answer(429, `{}`, "Retry-After", "1")}, time.Hour, 90, 5, 1, ""},
		{"a pause, and again a pause", []http.HandlerFunc{answer(429, `{}`, "Retry-After", "1"), answer(429, `{}`, "Retry-After", "1")}, time.Hour, 90, 2, 1, stopped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{identity: probesYAML, probes: oauth.ProbeLimits{Whole: 10 * time.Second, Call: 2 * time.Second, Wait: 3 * time.Second, Lanes: 1}})
			a := scripted()
			a.says["/things"] = append(tt.things, left(tt.left, r.clock.now().Add(tt.ahead)))
			r.api(a)
			rep := r.run()
			if got := len(a.asked); got != tt.asked || rep.Unprobed != tt.unprobed {
				t.Errorf("%d calls and %q, want %d and %q", got, rep.Unprobed, tt.asked, tt.unprobed)
			}
			waits := 0
			for i, st := range rep.Steps {
				if strings.HasPrefix(st.Name, "Wait for") {
					waits++
					if st.Took <= 0 || st.Took > 3*time.Second {
						t.Errorf("it waited %s", st.Took)
					}
				}
				if i > 0 && st.Start < rep.Steps[i-1].Start {
					t.Errorf("step %d begins before the one before it", i)
				}
			}
			if waits != tt.waits {
				t.Errorf("it waited %d times, want %d", waits, tt.waits)
			}
			for _, g := range rep.Grants {
				if strings.Contains(g.Evidence, "Not probed") && g.State != oauth.Unclear {
					t.Errorf("%+v", g)
				}
			}
		})
	}
}

// All probes together end in their time, whatever the provider does, and several are
// under way at once.
func TestProbesEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{identity: probesYAML, probes: oauth.ProbeLimits{Whole: 400 * time.Millisecond, Call: 10 * time.Second, Wait: time.Second, Lanes: 3}})
	a := scripted()
	var flying, most int
	for _, path := range []string{"/things", "/names", "/either", "/teams"} {
		a.says[path] = []http.HandlerFunc{func(w http.ResponseWriter, req *http.Request) {
			a.mu.Lock()
			flying++
			most = max(most, flying)
			a.mu.Unlock()
			<-req.Context().Done()
			a.mu.Lock()
			flying--
			a.mu.Unlock()
		}}
	}
	r.api(a)
	rep := r.run()
	if rep.Took > 5*time.Second {
		t.Errorf("it took %s", rep.Took)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if most > 3 || most < 2 {
		t.Errorf("%d calls were under way at once", most)
	}
	if rep.Unprobed != "Not probed: there was no time left for it." || oauth.Count(rep.Grants, oauth.Unclear) != 2 {
		t.Errorf("%q, %s", rep.Unprobed, grantsOf(rep))
	}
}

// What the token answer says about scopes.
func TestTokenScopes(t *testing.T) {
	t.Parallel()
	var many, manyGranted string
	for i := range 150 {
		many += fmt.Sprintf(" s%d", i)
		manyGranted += fmt.Sprintf(", s%d granted listed", i)
	}
	for _, tt := range []struct {
		name, definition string
		scopes           []string
		member           string // of the token answer
		want             string
		evidence         string
	}{
		{"listed with spaces", "", []string{"read_me", "write_all"}, `"scope":"read_me write_all"`, "read_me granted listed, write_all granted listed", "lists it among its scopes"},
		{"listed with commas", "", []string{"read_me", "write_all"}, `"scope":"read_me,write_all"`, "read_me granted listed, write_all granted listed", "lists it among its scopes"},
		{"listed as an array", "", []string{"read_me"}, `"scope":["read_me","more"]`, "read_me granted listed, more granted listed", "lists it among its scopes"},
		{"fewer than asked for", "", []string{"read_me", "write_all"}, `"scope":"read_me"`, "read_me granted listed, write_all refused listed", "lists the scopes of the token without it"},
		{"more than asked for", "", []string{"read_me"}, `"scope":"read_me write_all"`, "read_me granted listed, write_all granted listed", ""},
		{"one that the definition does not know", "", []string{"read_me"}, `"scope":"read_me more"`, "read_me granted listed, more granted listed", ""},
		{"a secret as a scope", "", []string{"read_me"}, `"scope":"read_me ` + "CANARY.token-51c8~xyz+/==" + `"`, "read_me granted listed, [removed] granted listed", ""},
		{"left out", "", []string{"read_me", "write_all"}, `"x":1`, "read_me granted standard, write_all granted standard", "RFC 6749 section 5.1"},
		{"left out, and none was sent", "", nil, `"x":1`, "", ""},
		{"more than can be kept", "", []string{"read_me"}, `"scope":"read_me` + many + `"`, "read_me granted listed" + strings.Join(strings.SplitAfter(manyGranted, "listed")[:99], ""), ""},
		{"empty", "", []string{"read_me"}, `"scope":""`, "read_me unclear", "an empty list of scopes, which says nothing"},
		{"null", "", []string{"read_me"}, `"scope":null`, "read_me granted standard", "RFC 6749 section 5.1"},
		{"left out where scopes are never sent", noScopes, []string{"read_me"}, `"x":1`, "", ""},
		{"listed where scopes are never sent", noScopes, []string{"write_all"}, `"scope":"read_me"`, "read_me granted listed", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{identity: "-", definition: tt.definition, scopes: tt.scopes})
			r.provider.token = answer(200, `{"access_token":"`+accessToken+`",`+tt.member+`}`)
			rep := r.run()
			if got := grantsOf(rep); got != tt.want {
				t.Errorf("grants %s, want %s", got, tt.want)
			}
			for _, g := range rep.Grants {
				if rep.Steps[g.Step].Name != "Exchange the code for a token" {
					t.Errorf("%s rests on %q", g.Permission, rep.Steps[g.Step].Name)
				}
			}
			if n := len(rep.Grants); n > 0 && !strings.Contains(rep.Grants[n-1].Evidence, tt.evidence) {
				t.Errorf("the evidence is %q, want %q in it", rep.Grants[n-1].Evidence, tt.evidence)
			}
			if found := leaks(r.dump()); len(found) > 0 {
				t.Errorf("the data file has %q", found)
			}
		})
	}
}

// What a provider says in a refusal is foreign: it may repeat the token.
func TestProbesWithForeignWords(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{identity: probesYAML})
	r.api(scripted("/things", answer(403, `{"error":{"code":"forbidden","message":"scope (`+accessToken+`) <script>\u202e is missing `+strings.Repeat("x", 5000)+`"}}`)))
	rep := r.run()
	if found := leaks(r.dump()); len(found) > 0 {
		t.Errorf("the data file has %q", found)
	}
	for _, g := range rep.Grants {
		if len(g.Evidence) > 1000 || strings.ContainsRune(g.Evidence, '\u202e') {
			t.Errorf("the evidence of %s is %q", g.Permission, g.Evidence)
		}
	}
}

// Runs that found out about permissions are kept beside their reports, and go with
// their entry.
func TestGrantsAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{identity: probesYAML})
	r.api(scripted("/things", answer(403, fmt.Sprintf(lacks, "write_all"))))
	first := r.run()
	r.api(scripted())
	r.clock.pass(time.Hour)
	second := r.report(r.oauth.TestToken(t.Context(), by, id, 1, secret.NewText(accessToken)))
	list, err := r.oauth.Grants(t.Context(), id)
	must(t, err)
	if len(list) != 2 || list[0].Run != second.ID || list[1].Run != first.ID || list[0].Kind != oauth.TokenRun || list[1].Kind != oauth.ConsentRun {
		t.Fatalf("kept %+v", list)
	}
	g := list[1]
	if g.Version != 1 || g.By != by.Name || g.ContentHash != first.ContentHash || len(g.Grants) != 3 || len(g.Whose) != 1 || g.Whose[0].Label != "Workspace" || g.Whose[0].Value != "Acme" {
		t.Errorf("kept %+v", g)
	}
	if at := g.Grants[0].Time; at.Before(first.Started) || at.After(first.Started.Add(first.Took)) {
		t.Errorf("found out at %s, but the run began at %s", at, first.Started)
	}
	if list[0].App != list[1].App || list[0].App.Client == "" || list[0].App.API != r.provider.URL {
		t.Errorf("they depend on %+v and %+v", list[0].App, list[1].App)
	}
	o, err := r.config.Open(t.Context(), id, 1)
	must(t, err)
	if now := r.oauth.GrantedTo(id, o); now != g.App {
		t.Errorf("the version depends on %+v, the run on %+v", now, g.App)
	}
	r.save(1, map[string]string{"clientId": "another"}, nil, 0)
	o, err = r.config.Open(t.Context(), id, 2)
	must(t, err)
	if why := g.App.Since(r.oauth.GrantedTo(id, o)); why != "the client ID changed since" {
		t.Errorf("another client ID: %q", why)
	}
	if e := r.events(audit.TestFinished); len(e) != 1 || !strings.HasSuffix(e[0].Note, ". Permissions: 2 granted, 1 refused.") {
		t.Errorf("events %+v", e)
	}
	for range 25 {
		r.clock.pass(time.Minute)
		r.report(r.oauth.TestToken(t.Context(), by, id, 1, secret.NewText(accessToken)))
	}
	if list, err = r.oauth.Grants(t.Context(), id); err != nil || len(list) != 20 {
		t.Errorf("%d runs are kept (%v), want 20", len(list), err)
	}
	e, err := r.config.Get(t.Context(), id)
	must(t, err)
	must(t, r.config.Delete(t.Context(), by, config.Move{ID: id, Revision: e.Revision}))
	if left := r.keys("oauth/grants/"); len(left) != 0 {
		t.Errorf("after the entry is gone there is %q", left)
	}
}
