package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/store"
)

// hire puts somebody beside the owner, with the owner's password and without the
// work of hashing it again.
func (h *house) hire(email string, g auth.Grant) auth.User {
	h.t.Helper()
	boss := must(seeded())(h.t).owner
	id := strings.Map(func(r rune) rune {
		if r == '@' || r == '.' {
			return '-'
		}
		return r
	}, email)
	err := h.store.Update(h.t.Context(), func(tx store.Tx) error {
		record, err := decoded(tx, "auth/user/"+boss.ID)
		set, err2 := decoded(tx, "auth/users")
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		record["id"], record["email"], record["role"] = id, email, string(g.Role)
		if g.Entries != "" {
			record["entries"] = string(g.Entries)
		}
		ids, _ := set["ids"].([]any)
		set["ids"] = append(ids, id)
		return errors.Join(encoded(tx, "auth/user/"+id, record), encoded(tx, "auth/users", set),
			encoded(tx, "auth/email/"+email, map[string]any{"id": id}))
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return must(h.deps.Auth.User(h.t.Context(), id))(h.t)
}

func decoded(tx store.Tx, key string) (out map[string]any, err error) {
	b, err := tx.Get(key)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
}

func encoded(tx store.Tx, key string, v map[string]any) error {
	b, err := json.Marshal(v)
	tx.Put(key, b)
	return err
}

// as is somebody in a browser where they are signed in.
func (h *house) as(u auth.User) *person {
	h.t.Helper()
	p := h.visitor()
	h.signIn(p, u)
	return p
}

func by(u auth.User) audit.Actor { return audit.Actor{ID: u.ID, Name: u.Email, Addr: "203.0.113.7"} }

// Invariant 8: what each role may ask for is what the matrix says, in production
// and elsewhere, for all entries and for some.
func TestRoutesAgainstTheMatrix(t *testing.T) {
	t.Parallel()
	for _, env := range []string{"production", "staging"} {
		h := open(t, plan{env: env})
		h.save("acme:intercom", nil)
		for _, role := range auth.Roles() {
			for _, entries := range []auth.Pattern{"", "acme:*"} {
				if role == auth.Owner && entries != "" {
					continue
				}
				u := h.hire(fmt.Sprintf("%s-%d@acme.example", role, len(entries)), auth.Grant{Role: role, Entries: entries})
				h.walk(u, env == "production")
			}
		}
	}
}

// walk asks for every route as u, and compares with the matrix.
func (h *house) walk(u auth.User, production bool) {
	h.t.Helper()
	for _, r := range routes(newGate(h.deps)) {
		if !r.may.NeedsPerson() {
			continue
		}
		p := h.as(u) // a session each: some routes end or renew it
		before := len(h.events(audit.AccessRefused))
		a := p.ask(r)
		refused := len(h.events(audit.AccessRefused)) - before
		switch may := u.May(r.may, production); {
		case may && (a.status == 401 || a.status == 403 || a.status >= 500 || refused != 0):
			h.t.Errorf("%s (%s, %q): %d with %d refusals on record; the matrix allows it\n%s", a.what, u.Role, u.Entries, a.status, refused, a.words())
		case !may && (a.status != 403 || refused != 1 || !strings.Contains(a.words(), "Your role does not allow this")):
			h.t.Errorf("%s (%s, %q): %d with %d refusals on record, want 403 with 1", a.what, u.Role, u.Entries, a.status, refused)
		}
	}
}

// To put in force while saving takes what promoting takes, on every form that saves.
func TestSavingInForceNeedsPromotion(t *testing.T) {
	t.Parallel()
	h := open(t, plan{env: "production"})
	h.save("acme:intercom", nil)
	p := h.as(h.hire("editor@acme.example", auth.Grant{Role: auth.Editor}))
	before := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
	for _, tt := range []struct{ path, page string }{{entry, entry + "/edit"}, {entry + "/scopes", entry + "/scopes"}, {entry + "/webhooks", entry + "/webhooks"}} {
		page := p.get(tt.page).want(200).lacks("Save and put in force")
		p.submit(page, tt.path, "then", "current").want(403, "Your role does not allow this")
	}
	p.post("/config", "id", "acme:new", "key", "k", "value", "v", "secret", "no", "then", "current").want(403)
	if e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t); e != before {
		t.Errorf("refused, and changed: %+v", e)
	}
	p.submit(p.get(entry+"/edit"), entry, "f.clientId", "x", "other-app", "yes", "then", "pending").leadsTo(entry)
	p.post("/config", "id", "acme:new", "key", "k", "value", "v", "secret", "no", "then", "pending").leadsTo("/config/acme:new")
}

// Whoever is disabled is nobody at once: by the end of the sessions, and also if a
// session were left.
func TestDisabledIsNobody(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	boss := must(seeded())(t).owner
	u := h.hire("admin@acme.example", auth.Grant{Role: auth.Admin})
	stale, left := h.as(u), h.as(u)
	stale.get("/").want(200)
	sessions := h.dump()
	if err := h.deps.Auth.Disable(t.Context(), by(boss), u.ID); err != nil {
		t.Fatal(err)
	}
	h.asNobody("whose session ended", stale)
	err := h.store.Update(t.Context(), func(tx store.Tx) error { // the sessions come back
		for k, v := range sessions {
			if strings.HasPrefix(k, "auth/session") {
				tx.Put(k, []byte(v))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.asNobody("disabled with a session", left)
}

// A role that changed begins with another sign-in.
func TestGrantChangeEndsSessions(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	u := h.hire("admin@acme.example", auth.Grant{Role: auth.Admin})
	stale := h.as(u)
	stale.get("/team").want(200)
	p := h.owner()
	page := p.get("/team/" + u.ID).want(200)
	p.submit(page, "/team/"+u.ID, "role", "viewer", "entries", " acme:*, globex:x ").leadsTo("/team/" + u.ID)
	h.asNobody("with a session of another role", stale)
	p.get("/team/"+u.ID).want(200, "The role is changed", "Viewer, acme:* globex:x")
}

func (h *house) asNobody(who string, p *person) {
	h.t.Helper()
	for _, r := range routes(newGate(h.deps)) {
		if !r.may.NeedsPerson() {
			continue
		}
		a := p.ask(r)
		if to := a.header.Get("Location"); r.safe() && (a.status != 303 || !strings.HasPrefix(to, "/login")) || !r.safe() && a.status != 401 {
			h.t.Errorf("%s, %s: %d to %q", who, a.what, a.status, to)
		}
	}
}

// twoVendors is a house with entries of two vendors, both with a report, and an
// admin of one of them.
func twoVendors(t *testing.T) (*house, *person) {
	t.Helper()
	h := open(t, plan{backups: t.TempDir()})
	for _, id := range []string{"acme:intercom", "globex:intercom"} {
		h.save(id, nil)
		h.save(id, func(d *config.Draft) { d.Revision, d.Base, d.Then, d.Values[0].Value = 1, 1, config.Pend, text("x") })
		p := h.owner()
		p.get(p.post("/config/"+id+"/test", "version", "1").want(303).header.Get("Location") + "/events").want(200)
		h.pass(time.Minute)
	}
	return h, h.as(h.hire("admin@acme.example", auth.Grant{Role: auth.Admin, Entries: "acme:*"}))
}

// What a person's pattern does not cover answers like what does not exist, on every
// route that names an entry, a version or a report.
func TestOtherEntriesDoNotExist(t *testing.T) {
	t.Parallel()
	h, p := twoVendors(t)
	reports := must(h.deps.OAuth.Reports(t.Context(), "globex:intercom"))(t)
	if len(reports) != 1 {
		t.Fatalf("%d reports", len(reports))
	}
	before, asked := h.dump(), 0
	for _, r := range routes(newGate(h.deps)) {
		if !strings.Contains(r.path, ":id") || strings.Contains(r.path, ":owner") { // notifications have a test of their own
			continue
		}
		asked++
		ask := func(id string) answer {
			path := strings.NewReplacer(":id", id, ":run", reports[0].ID).Replace(r.path)
			if r.safe() {
				return p.get(path + "?version=1&key=clientSecret")
			}
			return p.post(path, "id", id, "version", "1", "revision", "2", "base", "2", "key", "clientSecret", "paste", "x", "confirm", id, "password", password, "then", "pending")
		}
		there, not := ask("globex:intercom"), ask("globex:nothing")
		if there.status != 404 || not.status != 404 || anonymous(there) != anonymous(not) {
			t.Errorf("%s: %d, and %d for what does not exist\n%s\n%s", there.what, there.status, not.status, anonymous(there), anonymous(not))
		}
		if e := h.events(audit.AccessRefused); len(e) != 2*asked || e[1].Target != "globex:intercom" || e[1].Note == "" {
			t.Errorf("%s: %d refusals on record, want %d", there.what, len(e), 2*asked)
		}
	}
	if asked < 20 {
		t.Errorf("only %d routes name an entry", asked)
	}
	for k, v := range h.dump() {
		if before[k] != v && !strings.HasPrefix(k, "audit/") && !strings.HasPrefix(k, "auth/") {
			t.Errorf("a refused request changed %s", k)
		}
	}
	p.get(entry).want(200)
	p.post(entry+"/reveal", "version", "1", "key", "clientSecret", "password", password).want(200, h.provider.ClientSecret())
}

// anonymous is the text of a page without the id that was asked for and without
// its reference.
func anonymous(a answer) string {
	return strings.NewReplacer("globex:intercom", "ID", "globex:nothing", "ID", "globex:intercon", "ID", a.header.Get("X-Request-Id"), "REF").Replace(a.words())
}

// The forms that name an entry do not tell either whether another one exists.
func TestFormsDoNotTellOfOtherEntries(t *testing.T) {
	t.Parallel()
	h, p := twoVendors(t)
	for _, tt := range []struct {
		path   string
		status int
		extra  []string
	}{
		{"/config", 422, nil},
		{"/config/test-values", 422, nil},
		{"/config/test-values", 404, []string{"revision", "2", "base", "2"}},
	} {
		ask := func(id string) answer {
			return p.post(tt.path, append([]string{"id", id, "connector", "intercom", "f.clientId", "x", "f.clientSecret", "y", "f.region", "US", "then", "pending"}, tt.extra...)...)
		}
		there, not := ask("globex:intercom").want(tt.status), ask("globex:nothing").want(tt.status)
		if tt.status == 422 { // the id decides the connector, so compare with one that has the same
			not = ask("initech:intercom").want(tt.status)
		}
		if a, b := anonymous(there), strings.ReplaceAll(anonymous(not), "initech:intercom", "ID"); a != b {
			t.Errorf("%s: they differ\n%s\n%s", there.what, a, b)
		}
	}
	if all := must(h.deps.Config.All(t.Context()))(t); len(all) != 2 {
		t.Errorf("%d entries, want 2", len(all))
	}
}

// Nothing that lists, counts or finds has an entry of others.
func TestListsLeaveOtherEntriesOut(t *testing.T) {
	t.Parallel()
	h, p := twoVendors(t)
	h.hire("globex@acme.example", auth.Grant{Role: auth.Viewer, Entries: "globex:*"})
	h.hire("boss2@acme.example", auth.Grant{Role: auth.Admin})
	h.hire("mine@acme.example", auth.Grant{Role: auth.Viewer, Entries: "acme:intercom"})
	for path, has := range map[string]string{"/": "acme:intercom", "/config": "acme:intercom", "/config?health=works": "acme:intercom", "/config?sort=changed": "acme:intercom",
		"/search?q=intercom": "acme:intercom", "/audit": "acme:intercom", "/audit?action=test.verdict": "acme:intercom", "/connectors": "1 entry",
		"/connectors/intercom": "acme:intercom", "/team": "mine@acme.example", "/config/new?connector=intercom": "", entry: "", entry + "/edit": "", entry + "/history": "",
		entry + "/test": "", "/search?q=acme.example": ""} {
		p.get(path).want(200, has).lacks("globex", "boss2@")
		h.owner().get(path).want(200)
	}
	h.owner().get("/config").want(200, "globex:intercom")
	h.owner().get("/search?q=intercom").want(200, "globex:intercom")
	for _, path := range []string{"/audit?target=globex:intercom", "/search?q=globex", "/audit?who=" + ownerEmail + "&target=globex%3Aintercom"} {
		for _, n := range p.get(path).want(200).all("a[href]") {
			if to, _ := attr(n, "href"); strings.HasPrefix(to, "/audit/") || strings.HasPrefix(to, "/config/globex") {
				t.Errorf("%s leads to %s", path, to)
			}
		}
	}
	if counts := p.get("/").texts("span[class=nav-count]"); !slices.Contains(counts, "1") || slices.Contains(counts, "2") {
		t.Errorf("the menu counts %q", counts)
	}
}

// An event about another entry answers like one that is not there.
func TestEventsOfOtherEntriesDoNotExist(t *testing.T) {
	t.Parallel()
	h, p := twoVendors(t)
	all := must(h.deps.Audit.List(t.Context(), audit.Filter{Limit: 1000}))(t).Events
	none := len(all) + 7
	missing := strings.ReplaceAll(anonymous(p.get(fmt.Sprintf("/audit/%d", none)).want(404)), fmt.Sprint(none), "N")
	seen := map[bool]int{}
	for _, e := range all {
		mine := e.Target == "acme:intercom"
		seen[mine]++
		a, receipt := p.get(fmt.Sprintf("/audit/%d", e.N)), p.get(fmt.Sprintf("/audit/%d/receipt", e.N))
		if mine {
			a.want(200).lacks("Older event", "Newer event")
			receipt.want(200, "acme:intercom")
			continue
		}
		receipt.want(404).lacks("globex")
		if got := strings.ReplaceAll(anonymous(a.want(404)), fmt.Sprint(e.N), "N"); len(fmt.Sprint(e.N)) > 1 && got != missing {
			t.Errorf("event %d: %s\nwant %s", e.N, got, missing)
		}
		if hits := p.get(fmt.Sprintf("/search?q=%d", e.N)).all(fmt.Sprintf("a[href=/audit/%d]", e.N)); len(hits) != 0 {
			t.Errorf("the search finds event %d", e.N)
		}
	}
	p.get("/audit").want(200).lacks("The log can be proven", "Check now", "data-news", "events from", "Zip that can be verified")
	for _, path := range []string{auditNews, auditHeadPath, auditKeyPath} {
		p.get(path).want(403)
		h.owner().get(path).want(200)
	}
	if seen[true] < 3 || seen[false] < 3 {
		t.Errorf("events looked at: %v", seen)
	}
}

// That another entry has the same value would tell that it exists.
func TestDoubtsDoNotTellOfOtherEntries(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	for _, id := range []string{"globex:slack", "acme:slack"} {
		h.save(id, func(d *config.Draft) {
			d.Then, d.Values = config.Pend, []config.Input{{Key: "clientId", Value: text("one-and-the-same")}, {Key: "clientSecret", Secret: true, Value: text("a-secret-of-two")}}
		})
	}
	h.owner().get("/config/acme:slack").want(200, "globex:slack")
	p := h.as(h.hire("admin@acme.example", auth.Grant{Role: auth.Admin, Entries: "acme:*"}))
	p.get("/config/acme:slack").want(200).lacks("globex", "Same value")
	p.get("/config/acme:slack/edit").want(200).lacks("globex", "Same value")
}

// No page offers somebody what would be refused.
func TestNoDeadButtons(t *testing.T) {
	t.Parallel()
	h, _ := twoVendors(t)
	h.somePost()
	e := h.pendBy("acme:reviewed", someone, text("y"))
	must(h.deps.Config.SetRule(t.Context(), someone, config.RuleChange{ID: e.ID, Revision: e.Revision, Rule: config.RulePerson}))(t)
	h.rotates()
	for range 2 { // an old key that seals, and one that could be retired
		must(h.deps.Keys.Rotate(t.Context(), audit.Actor{}))(t)
	}
	table := routes(newGate(h.deps))
	offered := map[auth.Role]map[string]int{}
	const enough = 4 // pages of one route that are looked at
	for _, role := range auth.Roles() {
		u := h.hire(string(role)+"@acme.example", auth.Grant{Role: role})
		p, seen, asked := h.as(u), map[string]int{}, map[string]bool{}
		offered[role] = seen
		for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
			a := p.get(queue[0])
			if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
				t.Errorf("%s: a link leads %s to %d", role, a.what, a.status)
				continue
			}
			for _, o := range a.offers() {
				r, ok := routeOf(table, o)
				switch key := r.method + " " + r.path; {
				case !ok:
					t.Errorf("%s: %s offers %s %s, which is no route", role, a.what, o.method, o.path)
				case !u.May(r.may, false) && r.may.NeedsPerson():
					t.Errorf("%s: %s offers %s", role, a.what, key)
				case seen[key] >= enough || r.safe() && asked[o.path]:
				default:
					seen[key]++
					asked[o.path] = asked[o.path] || r.safe()
					if r.safe() && r.path != caseFilePath && r.path != "/static/*" && !strings.HasSuffix(r.path, "/body") && !strings.HasSuffix(r.path, "/events") && r.path != receiptPath && r.path != auditKeyPath && r.path != auditHeadPath {
						queue = append(queue, o.path)
					}
				}
			}
		}
	}
	for _, r := range table {
		key := r.method + " " + r.path
		if r.may == auth.Machine || r.may == auth.SetUp || r.may == auth.Invited || slices.Contains(offeredElsewhere, key) {
			continue
		}
		if offered[auth.Owner][key] == 0 {
			t.Errorf("no page offers the owner %s: add it to this test, or to what is offered elsewhere", key)
		}
	}
	if len(offered[auth.Viewer]) >= len(offered[auth.Owner]) {
		t.Error("a viewer is offered as much as an owner")
	}
}

// offeredElsewhere is what is asked for from pages that this walk does not meet: by a
// script, by a provider, or in the middle of something.
var offeredElsewhere = []string{"GET /settings/keys/progress", "GET " + entryEvents, "GET " + notificationEvents, "GET " + auditNews, "GET /config/:id/test/:run/events", "GET /trials/:run", "GET /trials/:run/events", "GET /auth/:service/callback", "GET /login", "POST /login",
	"GET /settings/outside-in", "GET /config/:id/test/compare", "POST /config/:id/rollback", "POST /settings/outside-in/finish", "POST /team/withdraw", "POST /team/:user/enable", "POST /account/proof",
	"POST /login/code", "POST /account/factor", "POST /account/factor/codes", "POST /account/factor/remove", "POST /team/:user/factor", "GET " + planPath, "POST " + planPath, "POST " + planPath + "/discard",
	"POST /login/provider", "GET /login/callback", "GET /login/confirm", "POST /login/link", "POST /account/proof/provider",
	"POST /team/:user/unlink", "POST /settings/sign-in/begin", "POST /settings/sign-in/discard", "POST /settings/sign-in/test", "POST /settings/sign-in/off",
	"POST /settings/keys/reseal", "POST /settings/keys/retire",
	"POST /login/passkey", "POST /login/passkey/begin", "POST /account/proof/passkey", "POST /account/factor/passkey-new", "POST /account/factor/passkey-add", "POST /account/factor/passkey-rename", "POST /account/factor/passkey-remove"}

// An offer is something that a page lets one do.
type offer struct{ method, path string }

// offers are the links and forms of a page that stay here.
func (a answer) offers() (out []offer) {
	add := func(method, to string) {
		to, _, _ = strings.Cut(to, "#")
		if strings.HasPrefix(to, "/") && to != "" {
			out = append(out, offer{method, to})
		}
	}
	for _, n := range a.all("a[href]") {
		to, _ := attr(n, "href")
		add(http.MethodGet, to)
	}
	for _, n := range a.all("form") {
		to, _ := attr(n, "action")
		method, _ := attr(n, "method")
		if method = strings.ToUpper(pick(method == "", "get", method)); method == http.MethodGet || len(find(n, "button[type=submit]")) > 0 {
			add(method, to)
		}
	}
	for _, n := range a.all("button[formaction]") {
		to, _ := attr(n, "formaction")
		add(http.MethodPost, to)
	}
	return out
}

// routeOf is the route that answers an offer: the one with the fewest parameters.
func routeOf(table []route, o offer) (best route, ok bool) {
	path, _, _ := strings.Cut(o.path, "?")
	parts := strings.Split(path, "/")
	for _, r := range table {
		own := strings.Split(r.path, "/")
		if r.method != o.method || len(own) != len(parts) {
			continue
		}
		fits := true
		for i := range own {
			fits = fits && (own[i] == parts[i] || strings.HasPrefix(own[i], ":"))
		}
		if fits && (!ok || strings.Count(r.path, ":") < strings.Count(best.path, ":")) {
			best, ok = r, true
		}
	}
	return best, ok
}
