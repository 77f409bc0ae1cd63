package sandbox

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"sort"
)

//go:embed control.html consent.html signin.html refused.html frame.html control.css icon.svg
var files embed.FS

func parsePages() (*template.Template, error) {
	return template.ParseFS(files, "*.html")
}

// render writes a page whole or not at all. formAction is what its forms may
// lead to, redirects included.
func (p *Provider) render(w http.ResponseWriter, status int, name string, page any, formAction string) {
	var b bytes.Buffer
	if err := p.pages.ExecuteTemplate(&b, name, page); err != nil {
		http.Error(w, "The sandbox could not draw this page.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+formAction)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func asset(name, kind string) http.HandlerFunc {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // embedded by the line above
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Write(b)
	}
}

type refusedPage struct{ Title, Words string }

type signInPage struct{ Request []Field }

type consentPage struct {
	Host, RedirectURI     string
	Workspaces            []workspace
	Granted, Missing      []string
	Request, Until, Token string
}

type controlPage struct {
	Credentials []copyRow
	Addresses   []copyRow
	TestToken   string
	Notify      notifyView
	Redirects   []string
	NewURI      string
	URIError    string
	Groups      []groupView
	Troubles    []groupView
	Changed     string // how many switches are not as usual, in words; "" if none
	Errors      []string
	Records     []recordView
}

type copyRow struct{ ID, Label, Value string }

type groupView struct {
	ID, Title, Words string
	Controls         []controlView
}

type controlView struct {
	ID, Name, Label, Help string
	HelpID                string // "" without help
	Basis                 Basis
	Value, Unit           string
	Most                  int
	IsChoice, IsNumber    bool
	On                    bool // a checkbox
	Changed               bool // not as usual
	Error                 string
	Options               []optionView
}

type optionView struct {
	Value, Label string
	Selected     bool
}

type recordView struct {
	Time, Clock, Method, Path, Status, Note string
	Fields                                  []Field
	Wrong                                   bool
}

// controlPage prepares the control page. typed, if not nil, is a form that was
// refused and is to be shown as it was.
func (p *Provider) controlPage(r *http.Request, typed url.Values, failed map[string]string) controlPage {
	base := p.base
	if base == "" {
		base = "http://" + r.Host
	}
	faults := p.Faults()
	page := controlPage{
		Credentials: []copyRow{{"client-id", "Client ID", p.id}, {"client-secret", "Client secret", p.secret}, {"second-secret", "Second client secret, for replacing the first", p.second}},
		Addresses:   []copyRow{{"authorize-url", "Authorize URL", base + "/oauth"}, {"token-url", "Token URL", base + "/auth/eagle/token"}, {"api-url", "API base", base}},
		Redirects:   p.RedirectURIs(), URIError: failed["uri"], Records: recordViews(p.Log()), Notify: p.notifyPage(nil, nil),
	}
	p.mu.Lock()
	page.TestToken = p.testToken
	p.mu.Unlock()
	page.Groups, page.Troubles = groupViews(groups, faults, typed, failed), groupViews(troubles, faults, typed, failed)
	page.Changed = changedWords(append(page.Groups, page.Troubles...))
	for name, msg := range failed {
		if name != "uri" {
			page.Errors = append(page.Errors, msg)
		}
	}
	sort.Strings(page.Errors)
	return page
}

func groupViews(gs []group, f Faults, typed url.Values, failed map[string]string) []groupView {
	var usual Faults
	var out []groupView
	for _, g := range gs {
		view := groupView{ID: g.id, Title: g.title, Words: g.words}
		for _, c := range g.controls {
			value := c.get(&f)
			if typed != nil {
				value = typed.Get(c.name)
			}
			v := c.view(value)
			v.Changed, v.Error = value != c.get(&usual), failed[c.name]
			view.Controls = append(view.Controls, v)
		}
		out = append(out, view)
	}
	return out
}

func (c control) view(value string) controlView {
	v := controlView{
		ID: "switch-" + c.name, Name: c.name, Label: c.label, Help: c.help, Basis: c.basis, Value: value, Unit: c.unit, Most: c.most,
		IsChoice: len(c.options) > 0, IsNumber: c.number, On: value == "on",
	}
	if c.help != "" {
		v.HelpID = v.ID + "-help"
	}
	for _, o := range c.options {
		v.Options = append(v.Options, optionView{o.value, o.label, o.value == value})
	}
	return v
}

func changedWords(gs []groupView) string {
	n := 0
	for _, g := range gs {
		for _, c := range g.Controls {
			if c.Changed {
				n++
			}
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return "One switch is not as usual."
	}
	return fmt.Sprintf("%d switches are not as usual.", n)
}

func recordViews(records []Record) []recordView {
	out := make([]recordView, 0, len(records))
	for _, r := range records {
		v := recordView{Time: r.Time.Format("2006-01-02T15:04:05.000Z"), Clock: r.Time.Format("15:04:05"), Method: r.Method, Path: r.Path,
			Status: fmt.Sprint(r.Status), Note: r.Note, Fields: r.Fields, Wrong: r.Status == 0 || r.Status >= 400}
		if r.Status == 0 {
			v.Status = "cut"
		}
		out = append(out, v)
	}
	return out
}

// signInFields carries an authorize request through the sign-in page.
func signInFields(query string) []Field {
	values, _ := url.ParseQuery(query) // what cannot be parsed is lost, and the next page says so
	var out []Field
	for name, vs := range values {
		for _, v := range vs {
			out = append(out, Field{name, v})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func missingLabels(missing Permissions) []string { return labels(missing, true) }
func grantedLabels(missing Permissions) []string { return labels(missing, false) }

func labels(set Permissions, in bool) []string {
	var out []string
	for p := range permissions {
		if set.Has(p) == in {
			out = append(out, p.String())
		}
	}
	return out
}
