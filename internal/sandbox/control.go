package sandbox

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"backoffice/internal/errs"
)

// isControl reports whether a path is the control page's and not the provider's.
func isControl(path string) bool {
	return path == "/" || path == "/favicon.ico" || strings.HasPrefix(path, "/control/")
}

func (p *Provider) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.showControl)
	mux.HandleFunc("POST /{$}", p.saveSwitches)
	mux.HandleFunc("POST /control/redirects", p.changeRedirects)
	mux.HandleFunc("POST /control/token", p.makeTestToken)
	mux.HandleFunc("POST /control/hook", p.setHook)
	mux.HandleFunc("POST /control/notify", p.sendNotifications)
	mux.HandleFunc("POST /control/reset", p.resetAll)
	mux.HandleFunc("GET /control/control.css", asset("control.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /control/icon.svg", asset("icon.svg", "image/svg+xml"))
	return p.cross.Handler(mux)
}

func (p *Provider) showControl(w http.ResponseWriter, r *http.Request) {
	p.render(w, http.StatusOK, "control.html", p.controlPage(r, nil, nil), "'self'")
}

// saveSwitches is POST /: every switch at once. What cannot be read leaves all
// of them as they were, and the page comes back with what was chosen.
func (p *Provider) saveSwitches(w http.ResponseWriter, r *http.Request) {
	form, ok := controlForm(w, r)
	if !ok {
		return
	}
	faults := p.Faults()
	var failed []error
	for _, c := range allControls() {
		if err := c.set(&faults, form.Get(c.name)); err != nil {
			failed = append(failed, err)
		}
	}
	if err := errors.Join(failed...); err != nil {
		p.render(w, http.StatusUnprocessableEntity, "control.html", p.controlPage(r, form, errs.Fields(err)), "'self'")
		return
	}
	p.Set(faults)
	http.Redirect(w, r, "/#switches", http.StatusSeeOther)
}

// changeRedirects is POST /control/redirects: add uri, or remove one.
func (p *Provider) changeRedirects(w http.ResponseWriter, r *http.Request) {
	form, ok := controlForm(w, r)
	if !ok {
		return
	}
	if gone := form.Get("remove"); gone != "" {
		p.RemoveRedirectURI(gone)
	} else if err := p.AddRedirectURI(strings.TrimSpace(form.Get("uri"))); err != nil {
		page := p.controlPage(r, nil, errs.Fields(err))
		page.NewURI = form.Get("uri")
		p.render(w, http.StatusUnprocessableEntity, "control.html", page, "'self'")
		return
	}
	http.Redirect(w, r, "/#redirects", http.StatusSeeOther)
}

func (p *Provider) makeTestToken(w http.ResponseWriter, r *http.Request) {
	p.TestToken()
	http.Redirect(w, r, "/#credentials", http.StatusSeeOther)
}

func (p *Provider) resetAll(w http.ResponseWriter, r *http.Request) {
	p.Reset()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// controlForm reads a form of the control page, or answers 400.
func controlForm(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	var form url.Values
	if err == nil {
		form, err = parseForm(string(body))
	}
	if err != nil {
		http.Error(w, "This form could not be read. Go back and send it again.", http.StatusBadRequest)
		return nil, false
	}
	return form, true
}

// allControls is every switch, those of trouble included.
func allControls() []control {
	var out []control
	for _, g := range groups {
		out = append(out, g.controls...)
	}
	for _, g := range troubles {
		out = append(out, g.controls...)
	}
	return out
}
