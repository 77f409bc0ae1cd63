package server

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/signin"
	"backoffice/internal/signin/signintest"

	"github.com/labstack/echo/v4"
)

// canaries are the secrets that a test plants, by what they are.
type canaries map[string]string

// spellings are the ways in which a secret may be written somewhere.
func spellings(secret string) [][]byte {
	quoted, _ := json.Marshal(secret)
	out := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), url.QueryEscape(url.QueryEscape(secret)), html.EscapeString(secret),
		strings.Trim(string(quoted), `"`), hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret)))}
	for shift := range 3 { // base64 of a text that the secret is a part of
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			s := enc.EncodeToString(append(bytes.Repeat([]byte{0}, shift), secret...))
			out = append(out, s[(shift*8+5)/6:len(s)-4])
		}
	}
	b := make([][]byte, len(out))
	for i := range out {
		b[i] = []byte(out[i])
	}
	return b
}

// sings reports which canary text has, but for those allowed.
func (c canaries) sings(text []byte, allowed ...string) string {
	for name, secret := range c {
		if len(allowed) == 1 && allowed[0] == name {
			continue
		}
		for _, s := range spellings(secret) {
			if bytes.Contains(text, s) {
				return name + " as " + string(s)
			}
		}
	}
	return ""
}

// The canary test has to find what it looks for.
func TestCanaryIsFoundInEverySpelling(t *testing.T) {
	t.Parallel()
	c := canaries{"it": password}
	for _, s := range spellings(password) {
		if c.sings(append(append([]byte("before "), s...), " after"...)) == "" {
			t.Errorf("%s is not found", s)
		}
	}
	for _, prefix := range []string{"", "a", "ab", "client:"} {
		if c.sings([]byte(base64.StdEncoding.EncodeToString([]byte(prefix+password+"xyz")))) == "" {
			t.Errorf("base64 after %q is not found", prefix)
		}
	}
	if s := c.sings([]byte("nothing to hear"), "other"); s != "" {
		t.Errorf("%s sings in a text without it", s)
	}
}

// A mine is a house in which every answer is kept and every secret is a canary.
type mine struct {
	*house
	canaries
	heard []answer
}

func dig(t *testing.T) *mine {
	m := &mine{canaries: canaries{"password": password, "new password": "CANARY new? pass & 2", "wrong password": "CANARY wrong! pass <3>",
		"secret": "CANARY+sec/ret=1&<a>", "typed secret": "CANARY/typed+2==\"", "paste": "CANARY=paste;3+/", "pasted token": "CANARY.token~4+/==",
		"passkey": "CANARY/passkey+answer+3=", "code": "CANARY/code+5==", "state": "CANARY-state/6+=", "set-up token": "CANARY/setup+token+7=", "metrics token": metricsToken, "invitation": "CANARY/invite+token+8=", "ticket": "CANARY/ticket+9=",
		"notification": "CANARY~notified/8+\"<x>", "credential in a header": "CANARY.header+9/="}}
	m.house = open(t, plan{heard: &m.heard, token: metricsToken, routes: func(g gate) []route {
		return append(routes(g), route{"POST", "/panic", auth.SignedIn, func(c echo.Context) error { panic(c.FormValue("password")) }})
	}})
	m.canaries["sandbox secret"], m.canaries["sandbox token"] = m.provider.ClientSecret(), m.provider.TestToken()
	m.save("acme:intercom", func(d *config.Draft) {
		d.Values = append(d.Values, config.Input{Key: "signing", Secret: true, Value: text(m.canaries["secret"])})
	})
	m.save("acme:plain", func(d *config.Draft) {
		d.Values = []config.Input{{Key: "k", Secret: true, Value: text(m.canaries["secret"])}}
	})
	return m
}

// form is one in which every field that takes a secret has a canary.
func (m *mine) form(pairs ...string) url.Values {
	v := fields("id", "acme:intercom", "connector", "intercom", "f.clientId", "x", "f.region", "nowhere", "f.clientSecret", m.canaries["typed secret"],
		"key", "clientSecret", "value", m.canaries["typed secret"], "secret", "no", "key", "client_secret", "value", m.canaries["typed secret"], "secret", "no",
		"key", "sealed", "value", m.canaries["typed secret"], "secret", "yes", "current", m.canaries["wrong password"],
		"password", m.canaries["wrong password"], "password2", m.canaries["new password"], "paste", m.canaries["paste"], "token", m.canaries["pasted token"],
		"email", ownerEmail, "clientSecret", m.canaries["typed secret"], "version", "1", "revision", "1", "base", "1", "reason", "because")
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// askAll drives every route of the table with canaries in its query or form.
func (m *mine) askAll(p *person, header ...string) {
	m.t.Helper()
	m.pass(6 * time.Minute) // no sign-in counts for the password any more
	for _, r := range routes(newGate(m.deps)) {
		path := r.address()
		switch {
		case r.path == callbackPath:
			path += "?" + url.Values{"code": {m.canaries["code"]}, "state": {m.canaries["state"]}}.Encode()
		case r.path == signin.CallbackPath:
			path += "?" + url.Values{"code": {m.canaries["code"]}, "state": {m.canaries["state"]}, "iss": {m.canaries["state"]}}.Encode()
		case r.path == confirmPath:
			path += "?token=" + url.QueryEscape(m.canaries["invitation"])
		case r.path == "/setup" && r.safe():
			path += "?token=" + url.QueryEscape(m.canaries["set-up token"])
		case r.path == "/invite" && r.safe():
			path += "?token=" + url.QueryEscape(m.canaries["invitation"])
		case r.path == "/logout" && header == nil:
			continue // it would end the session for the rest
		}
		if r.safe() {
			p.send(r.method, path, nil, header...)
			p.raw(http.MethodHead, path, nil, header...)
			continue
		}
		form := m.form()
		if r.path == "/setup" {
			form.Set("token", m.canaries["set-up token"])
		}
		form.Set("code", m.canaries["code"])
		form.Set("passkey", m.canaries["passkey"])
		if r.path == "/login/code" || r.path == "/login/link" || strings.HasPrefix(r.path, "/login/passkey") {
			form.Set("ticket", m.canaries["ticket"])
		}
		if r.path == "/invite" {
			form.Set("token", m.canaries["invitation"])
		}
		p.send(r.method, path, form, header...)
		m.pass(20 * time.Second)
	}
}

// Invariant 2: no secret leaves by accident.
func TestNoSecretLeaves(t *testing.T) {
	t.Parallel()
	m := dig(t)
	m.askAll(m.owner())                                 // what is wrong comes back as a form or an error
	m.askAll(m.visitor())                               // nobody is signed in
	m.askAll(m.owner(), "Sec-Fetch-Site", "cross-site") // another site
	late := m.owner()
	repair := m.breakStore(errors.New("the disk is gone"))
	m.askAll(late)
	repair()
	m.unreadable(m.owner())
	m.forms(m.owner())
	m.runs(m.owner())
	m.notes(m.owner())
	m.visitor().get("/metrics", "Authorization", "Bearer "+metricsToken).want(200, "acme:intercom")
	m.visitor().get("/metrics", "Authorization", "Bearer "+metricsToken+"2").want(401)
	m.radar()
	m.notified()
	m.people()
	m.signIns()
	m.files(m.owner())
	m.passwords()
	m.listen()
}

// unreadable sends what is no form.
func (m *mine) unreadable(p *person) {
	m.t.Helper()
	secret := m.canaries["typed secret"]
	huge := m.form("f.clientSecret", strings.Repeat(secret, 1<<21/len(secret)*12)).Encode()
	for _, path := range []string{"/config", entry, entry + "/compare", "/login", "/setup", "/account/password", "/panic"} {
		p.raw(http.MethodPost, path, strings.NewReader(huge), "Content-Type", "application/x-www-form-urlencoded")
		p.raw(http.MethodPost, path, strings.NewReader("password="+url.QueryEscape(secret)+"&token=%zz"+secret+";"+secret), "Content-Type", "application/x-www-form-urlencoded")
		p.raw(http.MethodPost, path, strings.NewReader("--b\r\n"+secret+"\r\n\r\n--b--"), "Content-Type", "multipart/form-data; boundary=b")
		p.raw(http.MethodPost, path, strings.NewReader(`{"password":"`+secret+`"}`), "Content-Type", "application/json")
		p.raw(http.MethodPatch, path, strings.NewReader(secret))
	}
	p.send(http.MethodPost, "/panic", m.form())
}

// forms saves, with and without success.
func (m *mine) forms(p *person) {
	m.t.Helper()
	typed := m.canaries["typed secret"]
	page := p.get(entry + "/edit").want(200)
	p.submit(page, entry, "f.clientSecret", typed, "reason", strings.Repeat("long", 300), "then", "pending").want(422)
	p.submit(page, entry, "f.clientSecret", typed, "row", "add").want(200)
	p.submit(page, entry, "f.clientSecret", typed, "then", "pending").want(303)
	p.submit(page, entry, "f.clientSecret", typed+"2", "then", "current").want(409)
	p.get(entry).want(200)
	p.get(entry + "/history?left=1&right=2").want(200)
	p.get(entry + "/approve").want(200)
	p.get(entry + "/rule").want(200)
	p.send(http.MethodPost, entry+"/compare", fields("key", "clientSecret", "paste", typed)).want(200)
	p.send(http.MethodPost, entry+"/compare", m.form("key", "clientSecret")).want(200)
	p.send(http.MethodPost, "/config", fields("id", "acme:other", "key", "k", "value", typed, "secret", "yes", "then", "pending")).want(303)
	p.send(http.MethodPost, "/config/gone:intercom", m.form("id", "gone:intercom")).want(404)
	p.send(http.MethodPost, entry+"/promote", m.form("version", "2", "revision", "2", "hours", "24")).want(303)
	p.send(http.MethodPost, entry+"/rollback", m.form("version", "1", "revision", "2")).want(409)
	p.send(http.MethodPost, entry+"/rollback", m.form("version", "1", "revision", "3")).want(303)
	p.send(http.MethodPost, "/config/acme:other/delete", m.form("confirm", "acme:other", "revision", "1")).want(303)
	for _, path := range []string{"/", "/config", "/audit", "/audit/1", "/search?q=acme", entry + "/history", entry + "/reveal?version=1&key=signing"} {
		p.get(path).want(200)
	}
	m.heard = append(m.heard, p.get("/audit?before=5"))
	m.taken(p)
}

// taken exports the log in each form, and looks into what is packed.
func (m *mine) taken(p *person) {
	m.t.Helper()
	for _, form := range []string{"csv", "jsonl"} {
		p.send(http.MethodPost, "/audit/export", fields("format", form)).want(200, "entry.save")
	}
	a := p.send(http.MethodPost, "/audit/export", fields("format", "zip", "who", ownerEmail)).want(200)
	for _, f := range must(zip.NewReader(strings.NewReader(a.body), int64(len(a.body))))(m.t).File {
		if s := m.sings(must(io.ReadAll(must(f.Open())(m.t)))(m.t)); s != "" {
			m.t.Errorf("%s has the %s", f.Name, s)
		}
	}
}

// notes receives notifications, shows them, sends them again and sends a test.
func (m *mine) notes(p *person) {
	m.t.Helper()
	m.deliver(letter{body: note("n1", "ping", "w"), key: m.canaries["secret"]})
	m.deliver(letter{body: note("n2", "ping", "w"), header: []string{"Authorization", "Bearer " + m.canaries["pasted token"]}})
	p.send(http.MethodPost, entry+"/webhooks/send", m.form("topic", "ping")).want(200, "arrived and was accepted")
	list := p.get("/webhooks?topic=ping").want(200) // what the routes above were sent is no secret of ours: a sender may write what it likes
	shown := 0
	for _, tr := range list.all("tr[data-row]") {
		href, _ := attr(find(tr, "a[href]")[0], "href")
		p.get(href).want(200)
		p.get(href + "/body").want(200)
		p.send(http.MethodPost, href+"/replay", m.form("target", m.deps.Site.Sandbox))
		p.send(http.MethodPost, href+"/replay", m.form("target", "https://x.example/?token="+m.canaries["pasted token"]))
		shown++
	}
	if shown < 3 {
		m.t.Errorf("%d notifications are shown, want 3", shown)
	}
	for _, path := range []string{entry + "/webhooks", entry + "/webhooks/events", "/notifications/events", "/audit"} {
		p.get(path).want(200)
	}
}

// notified receives notifications whose bodies and headers have canaries, accepted
// ones and others. What a provider says in its id, topic and account is shown, and
// is none.
func (m *mine) notified() {
	m.t.Helper()
	text, err := json.Marshal(m.canaries["notification"])
	if err != nil {
		m.t.Fatal(err)
	}
	body := `{"id":"notif_1","topic":"conversation.user.created","data":{"item":{"text":` + string(text) + `}}}`
	header := []string{"Authorization", "Bearer " + m.canaries["credential in a header"], "X-Api-Key", m.canaries["credential in a header"], "Cookie", "a=" + m.canaries["credential in a header"]}
	for _, path := range []string{"/webhooks/intercom", "/webhooks/acme/intercom"} {
		m.heard = append(m.heard, m.notify(path, body, header...).bare(200))
		m.heard = append(m.heard, m.notify(path, body, append(header, "X-Hub-Signature", "sha1=00")...).bare(401))
	}
	kept := m.kept()
	if n := kept[0]; string(must(m.deps.Webhooks.Body(m.t.Context(), n.Owner, n.ID))(m.t)) != body {
		m.t.Error("the body is not kept as it came")
	}
	n := kept[1]
	target := "https://staging.example.com/?token=" + url.QueryEscape(m.canaries["paste"])
	if _, err := m.deps.Webhooks.Replay(m.t.Context(), audit.Actor{Name: ownerEmail}, n.Owner, n.ID, "ftp"+target[5:]); err == nil {
		m.t.Error("a target that is no web address was taken")
	}
	for _, path := range []string{entry + "/webhooks", "/audit", "/settings"} {
		m.owner().get(path).want(200)
	}
}

// radar tests without consent and lets the radar ask, with success and without.
func (m *mine) radar() {
	m.t.Helper()
	m.calibrate()
	m.turn()
	m.refuse(true)
	m.turn()
	m.refuse(false)
	for _, path := range []string{"/", entry, entry + "/test", "/audit"} {
		m.owner().get(path).want(200)
	}
}

// files takes entries out, sealed and not, and files with secrets in them in.
func (m *mine) files(p *person) {
	m.t.Helper()
	typed := m.canaries["typed secret"]
	for _, format := range []string{"json", "yaml"} {
		p.post("/config/export", "which", "all", "format", format).want(200)
		p.post("/config/export", "which", "all", "format", format, "recipients", m.deps.Exchange.Recipient()).want(200)
	}
	p.post("/config/export", "which", "all", "recipients", "AGE-SECRET-KEY-1"+typed).want(422)
	for _, file := range []string{"{" + typed, typed, "format: backoffice.entries/1\nentries:\n  - id: \"acme:file\n    values: {clientSecret: " + typed + "}\n"} {
		p.post("/config/import", "text", file, "identity", typed).want(422)
	}
	file := must(json.Marshal(map[string]any{"format": "backoffice.entries/1", "entries": []any{
		map[string]any{"id": "acme:intercom", "values": map[string]any{"clientId": "x", "clientSecret": typed}},
		map[string]any{"id": "acme:list", "values": map[string]any{"a": []string{typed}}},
		map[string]any{"id": "acme:file", "secrets": map[string]any{"s": map[string]any{}}},
	}}))(m.t)
	plan := p.post("/config/import", "text", string(file)).want(303).header.Get("Location")
	p.get(plan).want(200, "stands in the clear in the file")
	p.post(plan, "typed acme:file s", typed, "reason", strings.Repeat("long", 300)).want(422)
	p.post(plan, "typed acme:file s", typed).want(303)
}

// people invites somebody, who comes. The link is on the page that answers the
// invitation and on the one that it opens, and nowhere else.
func (m *mine) people() {
	m.t.Helper()
	before := len(m.heard)
	link := m.owner().post("/team/invite", "email", "new@acme.example", "role", "editor", "entries", "acme:*").want(200).value("input[id=one-time]")
	at := must(url.Parse(link))(m.t)
	m.canaries["real invitation"] = at.Query().Get("token")
	v := m.visitor()
	page := v.get(at.RequestURI()).want(200)
	m.heard = m.heard[:before]
	v.post("/invite", "token", m.canaries["real invitation"], "password", m.canaries["wrong password"], "password2", "other").want(422)
	m.heard = m.heard[:before]
	v.submit(page, "/invite", "password", m.canaries["new password"], "password2", m.canaries["new password"]).leadsTo("/")
	v.get("/").want(200)
	before = len(m.heard)
	key, codes := v.enrol()
	m.heard = m.heard[:before] // what is for the app, and the codes to keep
	m.canaries["key of an app"], m.canaries["recovery code"] = strings.ReplaceAll(key, " ", ""), strings.ReplaceAll(codes.texts("code")[0], "-", "")
	v.get("/account/factor").want(200)
	v.post("/account/factor", "code", m.canaries["recovery code"]).want(409)
	m.owner().get("/team").want(200, "new@acme.example")
	v.get(at.RequestURI()).want(404)
}

// signIns saves a provider, confirms it and signs people in through it, with and
// without success. The link of a setting is on the page that answers its saving and
// on the one that it opens, and nowhere else.
func (m *mine) signIns() {
	m.t.Helper()
	idp := m.idp()
	idp.Secret = m.canaries["typed secret"]
	idp.Set(signintest.Hooks{Sign: func(_ []byte, ok string) string { m.canaries["ID token"] = ok; return ok }})
	p := m.owner()
	before := len(m.heard)
	link := must(url.Parse(m.saveSignIn(p, idp).value("input[id=one-time]")))(m.t)
	m.canaries["link of a setting"] = link.Query().Get("token")
	v := m.visitor()
	page := v.get(link.RequestURI()).want(200)
	leave := v.submit(page, "/login/provider").want(200)
	m.heard = m.heard[:before]
	back := must(idp.Visit(leave.wayOut(), "s-owner"))(m.t)
	m.canaries["code of a provider"], m.canaries["state of a provider"] = back.Query().Get("code"), back.Query().Get("state")
	m.visitor().get(back.RequestURI()).want(422)
	v.get(back.RequestURI()).leadsTo("/settings/sign-in")
	v.get(back.RequestURI()).want(422, "used already")
	v.get("/settings/sign-in").want(200, "In force")
	p.post("/settings/sign-in/test").want(200, "What the test found out")
	p.post("/settings/sign-in", "issuer", idp.Issuer, "clientSecret", m.canaries["typed secret"]).want(422)
	for _, path := range []string{"/login", "/team", "/audit", "/account"} {
		p.get(path)
	}
}

// passwords tries all that are wrong, and then the right one.
func (m *mine) passwords() {
	m.t.Helper()
	v := m.visitor()
	for range 8 {
		v.post("/login", "email", ownerEmail, "password", m.canaries["wrong password"])
	}
	v.post("/login", "email", ownerEmail, "password", m.canaries["wrong password"]).want(429)
	m.pass(time.Hour)
	v.post("/login", "email", ownerEmail, "password", password).leadsTo("/")
	m.pass(6 * time.Minute) // the sign-in does not count for the password any more
	v.post(entry+"/reveal", "version", "1", "key", "signing", "password", m.canaries["wrong password"]).want(422)
	v.post(entry+"/reveal", "version", "1", "key", "signing", "password", password).want(200)
	v.post("/account/password", "current", password, "password", m.canaries["new password"], "password2", "other").want(422)
	v.post("/account/password", "current", password, "password", m.canaries["new password"], "password2", m.canaries["new password"]).leadsTo("/account")
	v.get("/account").want(200)
	v.post("/logout").leadsTo("/login?out=1")
}

// runs tests the connection, with all that may come back.
func (m *mine) runs(p *person) {
	m.t.Helper()
	before := len(m.heard)
	leave := p.post(entry+"/consent", "version", "1").want(200)
	m.heard = m.heard[:before] // the page that leads to the provider has the state, which is for the provider
	callback := must(m.provider.Decide(leave.wayOut(), true))(m.t)
	back := must(url.Parse(callback))(m.t)
	m.canaries["real code"], m.canaries["real state"] = back.Query().Get("code"), back.Query().Get("state")
	m.visitor().get(back.RequestURI()).leadsTo("/login?back=1")
	report := p.get(back.RequestURI()).want(303).header.Get("Location")
	p.get(report).want(200, "This is a rehearsal")
	m.exported(p.get(report + "/casefile").want(200))
	p.get(back.RequestURI()).want(409)
	p.get("/auth/other/callback?" + back.RawQuery).want(409)
	p.get("/auth/intercom/callback?code=" + url.QueryEscape(m.canaries["code"]) + "&state=" + strings.Repeat(url.QueryEscape(m.canaries["state"]), 2000)).want(422)
	tested := p.post(entry+"/test", "version", "1").want(303).header.Get("Location")
	p.get(tested + "/events").want(200)
	p.get(tested).want(200)
	m.pass(time.Minute) // the clock of the house stands still, and no test begins before the last one ended
	page := p.get(entry + "/edit").want(200)
	form := controls(page.one("form[action=" + entry + "]"))
	form.Set("f.clientSecret", m.canaries["typed secret"])
	trial := p.send(http.MethodPost, "/config/test-values", form).want(303).header.Get("Location")
	p.get(trial + "/events").want(200)
	p.get(trial).want(200)
	p.get(entry + "/test").want(200)
	p.get(entry + "/test/compare").want(200)
	p.get(p.post(entry+"/test/token", "version", "1", "token", m.canaries["sandbox token"]).want(303).header.Get("Location")).want(200)
	p.get(p.post(entry+"/test/token", "version", "1", "token", m.canaries["pasted token"]).want(303).header.Get("Location")).want(200)
	p.post(entry+"/test/token", "version", "1", "token", "Bearer "+m.canaries["pasted token"]).want(422)
}

// exported looks for the canaries in the files of a case file: its bytes are packed.
func (m *mine) exported(a answer) {
	m.t.Helper()
	z := must(zip.NewReader(strings.NewReader(a.body), int64(len(a.body))))(m.t)
	if len(z.File) != 2 {
		m.t.Errorf("a case file of %d files", len(z.File))
	}
	for _, f := range z.File {
		text := must(io.ReadAll(must(f.Open())(m.t)))(m.t)
		if s := m.sings(append([]byte(f.Name+"\n"), text...)); s != "" {
			m.t.Errorf("%s has the %s", f.Name, s)
		}
	}
}

// wayOut is the address of the provider that the page leads to.
func (a answer) wayOut() string {
	a.t.Helper()
	for _, n := range a.all("a[href]") {
		if v, _ := attr(n, "href"); strings.Contains(v, "state=") {
			return v
		}
	}
	a.t.Fatalf("%s: no way to the provider\n%s", a.what, a.words())
	return ""
}

// listen looks for the canaries in everything that is left of it all.
func (m *mine) listen() {
	m.t.Helper()
	seen, shown := map[string]bool{}, 0
	for _, a := range m.heard {
		var head bytes.Buffer
		if err := a.header.Write(&head); err != nil {
			m.t.Fatal(err)
		}
		if s := m.sings(head.Bytes()); s != "" {
			m.t.Errorf("%s (%d): a header has the %s", a.what, a.status, s)
		}
		allowed := ""
		switch method, path, _ := strings.Cut(a.what, " "); {
		case method == "POST" && path == entry+"/reveal" && a.status == 200:
			allowed = "secret"
			shown++
		}
		if s := m.sings([]byte(a.body), allowed); s != "" {
			m.t.Errorf("%s (%d): the page has the %s", a.what, a.status, s)
		}
		seen[strings.SplitN(a.what, "?", 2)[0]] = true
	}
	for _, r := range routes(newGate(m.deps)) {
		if !seen[r.method+" "+r.address()] {
			m.t.Errorf("%s %s was not driven", r.method, r.path)
		}
	}
	if shown != 1 {
		m.t.Errorf("a secret was revealed %d times, want once", shown)
	}
	if s := m.sings([]byte(m.log.String())); s != "" {
		m.t.Errorf("the log has the %s", s)
	}
	for key, value := range m.dump() {
		if s := m.sings([]byte(key + "\n" + value)); s != "" {
			m.t.Errorf("the record %s has the %s", key, s)
		}
	}
	if s := m.sings(must(os.ReadFile(m.file))(m.t)); s != "" {
		m.t.Errorf("the data file has the %s", s)
	}
}
