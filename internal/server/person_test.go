package server

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A person is a browser: it has cookies, sends what browsers send, and follows
// no redirect unasked.
type person struct {
	h      *house
	client *http.Client
}

func (h *house) visitor() *person {
	jar := must(cookiejar.New(nil))(h.t)
	return &person{h, &http.Client{Jar: jar, Transport: h.srv.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// An answer is one answer, read whole.
type answer struct {
	t      testing.TB
	what   string // "GET /config"
	status int
	header http.Header
	body   string
}

func (p *person) get(path string, header ...string) answer {
	p.h.t.Helper()
	return p.send(http.MethodGet, path, nil, header...)
}

// post sends a form: names and values in turn.
func (p *person) post(path string, form ...string) answer {
	p.h.t.Helper()
	return p.send(http.MethodPost, path, fields(form...), "Sec-Fetch-Site", "same-origin")
}

func fields(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

func (p *person) send(method, path string, form url.Values, header ...string) answer {
	p.h.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
		header = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)
	}
	return p.raw(method, path, body, header...)
}

func (p *person) raw(method, path string, body io.Reader, header ...string) answer {
	p.h.t.Helper()
	address := path
	if strings.HasPrefix(path, "/") {
		address = p.h.srv.URL + path
	}
	req := must(http.NewRequestWithContext(p.h.t.Context(), method, address, body))(p.h.t)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	res := must(p.client.Do(req))(p.h.t)
	defer res.Body.Close()
	b := must(io.ReadAll(res.Body))(p.h.t)
	a := answer{p.h.t, method + " " + path, res.StatusCode, res.Header, string(b)}
	if p.h.heard != nil {
		*p.h.heard = append(*p.h.heard, a)
	}
	return a
}

// submit sends a form of the page as the browser would: with what its controls
// hold, changed by pairs, by the button whose name and value come last.
func (p *person) submit(page answer, action string, pairs ...string) answer {
	p.h.t.Helper()
	form := page.one(`form[action=` + action + `]`)
	values := controls(form)
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return p.send(http.MethodPost, action, values, "Sec-Fetch-Site", "same-origin")
}

// controls is what a browser sends of a form, but for its buttons.
func controls(form *html.Node) url.Values {
	v := url.Values{}
	for n := range form.Descendants() {
		name, named := attr(n, "name")
		if _, off := attr(n, "disabled"); !named || off {
			continue
		}
		value, _ := attr(n, "value")
		switch kind, _ := attr(n, "type"); n.Data {
		case "textarea":
			v.Add(name, content(n))
		case "select":
			v.Add(name, selected(n))
		case "input":
			_, checked := attr(n, "checked")
			if kind == "submit" || (kind == "checkbox" || kind == "radio") && !checked {
				continue
			}
			v.Add(name, value)
		}
	}
	return v
}

// selected is the value of a select: that of the chosen option, or the first.
func selected(n *html.Node) string {
	options := find(n, "option")
	for _, o := range options {
		if _, ok := attr(o, "selected"); ok {
			value, _ := attr(o, "value")
			return value
		}
	}
	if len(options) == 0 {
		return ""
	}
	value, _ := attr(options[0], "value")
	return value
}

// want fails the test unless the answer has the status and every text.
func (a answer) want(status int, texts ...string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d (to %q)\n%s", a.what, a.status, status, a.header.Get("Location"), a.words())
	}
	for _, s := range texts {
		if !strings.Contains(a.words(), s) {
			a.t.Errorf("%s: the page lacks %q:\n%s", a.what, s, a.words())
		}
	}
	return a
}

// lacks fails the test if the page has one of the texts, as its source.
func (a answer) lacks(texts ...string) answer {
	a.t.Helper()
	for _, s := range texts {
		if strings.Contains(a.body, s) {
			a.t.Errorf("%s: the page has %q", a.what, s)
		}
	}
	return a
}

// leadsTo fails the test unless the answer is a redirect after a form (303).
func (a answer) leadsTo(path string) answer {
	a.t.Helper()
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != path {
		a.t.Fatalf("%s: status %d to %q, want 303 to %q\n%s", a.what, a.status, got, path, a.words())
	}
	return a
}

func (a answer) doc() *html.Node {
	a.t.Helper()
	return must(html.Parse(strings.NewReader(a.body)))(a.t)
}

// words is the text of the page, with its spaces folded.
func (a answer) words() string { return content(a.doc()) }

// all are the elements that the selector chooses: a tag, then attributes that
// it must have, as in "input[name=id][type=hidden]". A bare name must exist.
func (a answer) all(selector string) []*html.Node {
	a.t.Helper()
	return find(a.doc(), selector)
}

// one is the only element that the selector chooses.
func (a answer) one(selector string) *html.Node {
	a.t.Helper()
	found := a.all(selector)
	if len(found) != 1 {
		a.t.Fatalf("%s: %d elements are %s, want 1\n%s", a.what, len(found), selector, a.words())
	}
	return found[0]
}

// link is where the link with this text leads; "" if there is none.
func (a answer) link(text string) string {
	a.t.Helper()
	for _, n := range a.all("a[href]") {
		if to, _ := attr(n, "href"); content(n) == text {
			return to
		}
	}
	return ""
}

// value is the attribute value of the only element that the selector chooses.
func (a answer) value(selector string) string {
	a.t.Helper()
	v, _ := attr(a.one(selector), "value")
	return v
}

// texts are the contents of all elements that the selector chooses.
func (a answer) texts(selector string) (out []string) {
	for _, n := range a.all(selector) {
		out = append(out, content(n))
	}
	return out
}

func find(root *html.Node, selector string) (out []*html.Node) {
	tag, rest, _ := strings.Cut(selector, "[")
	var conditions []string
	if rest != "" {
		conditions = strings.Split(strings.TrimSuffix(rest, "]"), "][")
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag && !slices.ContainsFunc(conditions, func(c string) bool { return !fulfils(n, c) }) {
			out = append(out, n)
		}
	}
	return out
}

func fulfils(n *html.Node, condition string) bool {
	name, want, valued := strings.Cut(condition, "=")
	got, ok := attr(n, name)
	return ok && (!valued || got == want || name == "class" && slices.Contains(strings.Fields(got), want))
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func content(n *html.Node) string {
	var parts []string
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			parts = append(parts, n.Data)
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	walk(n)
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}
