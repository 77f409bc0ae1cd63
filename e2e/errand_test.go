package e2e

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// An errand does over HTTP what a person does with forms, where a test needs
// something to be there and is about something else. It uses the product's own
// pages, so what it leaves behind is what people leave behind.
type errand struct {
	t      *testing.T
	house  *program
	client *http.Client
}

// errand returns one that is signed in as the owner, whom it creates if nobody
// did.
func (h *program) errand(t *testing.T) *errand {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &errand{t, h, &http.Client{Jar: jar}}
	link, err := url.Parse(h.setup)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"email": {email}, "password": {password}, "password2": {password}, "token": {link.Query().Get("token")}}
	r, err := e.client.PostForm(h.url+"/setup", form)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 200 {
		e.post(h.url+"/login", form)
	}
	return e
}

// A reply is a page that answered 200, perhaps after redirects.
type reply struct {
	at     *url.URL
	header http.Header
	body   string
}

func (e *errand) done(r *http.Response, err error) reply {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	if r.StatusCode != 200 {
		e.t.Fatalf("%s %s: status %d\n%s", r.Request.Method, r.Request.URL, r.StatusCode, b)
	}
	return reply{r.Request.URL, r.Header, string(b)}
}

func (e *errand) get(address string) reply {
	e.t.Helper()
	return e.done(e.client.Get(address))
}

func (e *errand) post(address string, form url.Values) reply {
	e.t.Helper()
	return e.done(e.client.PostForm(address, form))
}

// attribute is the value of the control with this id or name on a page.
func (r reply) attribute(name string) string {
	for _, tag := range regexp.MustCompile(`<input[^>]*>`).FindAllString(r.body, -1) {
		if strings.Contains(tag, `id="`+name+`"`) || strings.Contains(tag, `name="`+name+`"`) {
			if m := regexp.MustCompile(`value="([^"]*)"`).FindStringSubmatch(tag); m != nil {
				return html.UnescapeString(m[1])
			}
		}
	}
	return ""
}

// credentials are the client id and the client secret that the sandbox accepts.
func (e *errand) credentials() (id, secret string) {
	e.t.Helper()
	r := e.get(e.house.sandbox + "/")
	return r.attribute("client-id"), r.attribute("client-secret")
}

// create adds an entry. values are pairs of a field of the form and its text.
func (e *errand) create(id, connector string, values ...string) {
	e.t.Helper()
	form := url.Values{"id": {id}, "connector": {connector}, "then": {"pending"}}
	e.fill(form, values)
	e.post(e.house.url+"/config", form)
}

// intercom adds an entry that the sandbox accepts, and puts it in force if
// then is "current".
func (e *errand) intercom(id, then string, values ...string) {
	e.t.Helper()
	client, secret := e.credentials()
	e.create(id, "intercom", append([]string{"f.clientId", client, "f.clientSecret", secret, "f.region", "sandbox", "f.apiVersion", "2.10", "then", then}, values...)...)
}

// change saves a new version over the newest one.
func (e *errand) change(id string, values ...string) {
	e.t.Helper()
	page := e.get(e.house.url + "/config/" + id + "/edit")
	form := url.Values{"id": {id}, "revision": {page.attribute("revision")}, "base": {page.attribute("base")}, "then": {"pending"}}
	for _, name := range []string{"f.clientId", "f.webhookSecret", "f.callbackUrl"} {
		if v := page.attribute(name); v != "" {
			form.Set(name, v)
		}
	}
	form.Set("f.region", "sandbox")
	form.Set("f.apiVersion", "2.10")
	e.fill(form, values)
	e.post(e.house.url+"/config/"+id, form)
}

// fill sets a name to a text; what is named again gets one text more. The names
// that a form has once are set over.
func (e *errand) fill(form url.Values, values []string) {
	for i := 0; i+1 < len(values); i += 2 {
		switch name := values[i]; name {
		case "key", "value", "secret", "scope", "topic":
			form.Add(name, values[i+1])
		default:
			form.Set(name, values[i+1])
		}
	}
}

// diagnose tests a version without consent, and waits for its report.
func (e *errand) diagnose(id string, version int) {
	e.t.Helper()
	run := e.post(e.house.url+"/config/"+id+"/test", url.Values{"version": {fmt.Sprint(version)}}).at.String()
	e.get(run + "/events") // which ends with the test
	if page := e.get(run); strings.Contains(page.body, "data-events") {
		e.t.Fatalf("the test of %s goes on after its last event", id)
	}
}

// consent makes a consent run of a version and gives the sandbox's page the
// answer "allow" or "deny". It returns the path of the report.
func (e *errand) consent(id string, version int, answer string) string {
	e.t.Helper()
	leave := e.post(e.house.url+"/config/"+id+"/consent", url.Values{"version": {fmt.Sprint(version)}})
	_, address, ok := strings.Cut(leave.header.Get("Refresh"), "url=")
	if !ok {
		e.t.Fatalf("starting a test of %s: no Refresh header", id)
	}
	page := e.get(address)
	form := url.Values{"workspace": {"0"}, "answer": {answer}}
	for _, name := range []string{"request", "until", "token"} {
		form.Set(name, page.attribute(name))
	}
	return e.post(e.house.sandbox+"/oauth/decide", form).at.Path
}
