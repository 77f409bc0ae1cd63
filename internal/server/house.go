package server

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/webhook"
	"backoffice/web"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// housePages are about the instance as a whole.
type housePages struct{ gate }

// healthz is GET /healthz: the process answers.
func (p housePages) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz is GET /readyz: the program can do its work.
func (p housePages) readyz(c echo.Context) error {
	if err := p.Site.Ready(); err != nil {
		p.Log.Error("not ready", "request", visitOf(c).requestID, "error", err)
		_, why := errs.Of(err)
		return c.String(http.StatusServiceUnavailable, strings.TrimSpace("not ready\n"+why)+"\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// favicon is GET /favicon.ico, for browsers that ask before they read a page.
func (p housePages) favicon(c echo.Context) error {
	return c.Redirect(http.StatusMovedPermanently, web.URL("icon.svg"))
}

// settings is GET /settings.
func (p housePages) settings(c echo.Context) error {
	s := p.Site
	page := templates.SettingsPage{Frame: p.frame(c, "Settings", templates.SectionSettings), PublicURL: p.origin(), Started: p.when(s.Started), Sandbox: s.Sandbox}
	seen := p.browserOrigin(c)
	address := templates.Fact{Label: "Address of this browser", Text: seen, Code: true, Verdict: templates.VerdictOK, Word: "The public URL"}
	if seen != p.origin() {
		address.Verdict, address.Word = templates.VerdictWarning, "Not the public URL"
	}
	transport := templates.Fact{Label: "Transport", Text: "https", Verdict: templates.VerdictOK, Word: "Encrypted"}
	if !s.Secure() {
		transport = templates.Fact{Label: "Transport", Text: "http", Verdict: templates.VerdictWarning, Word: "Not encrypted: for this machine only"}
	}
	page.Checks = []templates.Fact{address, transport}
	page.Sealing = []templates.Fact{{Label: "Key that seals", Text: p.Keys.Box.KeyID(), Code: true}, {Label: "Where it is", Text: s.KeyFile, Code: true},
		{Label: "What it seals", Text: "Every secret in the data file, bound to its place"}}
	if p.allows(c, auth.SignInManage) {
		page.SignIn = templates.Link{Label: "How people sign in", URL: signInPath}
	}
	outsideIn, err := p.outsideIn(c)
	if err != nil {
		return err
	}
	page.Outside = outsideIn
	n, err := p.Audit.Size(c.Request().Context())
	if err != nil {
		return err
	}
	if p.allows(c, auditCheck) {
		if page.Log, err = p.logState(c); err != nil {
			return err
		}
		page.Log.Back = "settings"
	}
	if page.Backup, err = p.backupFact(c); err != nil {
		return err
	}
	page.About = []templates.Fact{{Label: "Version", Text: s.Version}, {Label: "Environment", Text: s.Environment}, {Label: "Before a version is put in force", Text: p.Config.RuleOf(config.Entry{}).Words()}, {Label: "Data file", Text: s.DataFile, Code: true},
		{Label: "Size of the data file", Text: templates.Size(s.DataSize())}, {Label: "Events in the audit log", Text: templates.Count(n)}, {Label: "Built with", Text: runtime.Version()},
		{Label: "Notifications kept", Text: keptWords(p.Webhooks.Keeping())}}
	return render(c, http.StatusOK, templates.Settings(page))
}

// keptWords says what is kept of the notifications of providers.
func keptWords(k webhook.Keep) string {
	return fmt.Sprintf("The last %s of each entry, for %s, up to %s", templates.Count(int64(k.Notifications)), plural(int(k.Age.Hours()/24), "day"), templates.Size(k.Bytes))
}

// search is GET /search: entries, connectors, people and events.
func (p housePages) search(c echo.Context) error {
	q := strings.TrimSpace(c.QueryParam("q"))
	page := templates.SearchPage{Frame: p.frame(c, "Search", templates.SectionNone), Query: q}
	if q == "" {
		return render(c, http.StatusOK, templates.Search(page))
	}
	for _, find := range []func(echo.Context, string) (templates.SearchGroup, error){p.findEntries, p.findConnectors, p.findPeople, p.findEvents} {
		g, err := find(c, q)
		if err != nil {
			return err
		}
		if len(g.Hits) > 0 {
			page.Groups = append(page.Groups, g)
		}
	}
	return render(c, http.StatusOK, templates.Search(page))
}
