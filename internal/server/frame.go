package server

import (
	"net/http"
	"path"
	"strings"
	"time"

	"backoffice/internal/auth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// frame is what stands around a page of somebody who is signed in. Counts that
// cannot be read are left out: the page matters more.
func (g gate) frame(c echo.Context, title string, section templates.Section) templates.Frame {
	v := visitOf(c)
	f := templates.Frame{
		Title: title, Section: section, User: v.user.Email,
		Environment: environmentName(g.Site.Environment), Staging: !g.Site.Production(), Version: g.Site.Version,
		Theme: g.theme(c), Path: ownAddress(c),
	}
	if !v.signedIn {
		return f
	}
	f.Toast, f.ToastRecord = g.takeFlash(c)
	f.May = g.mayOf(c)
	f.AddressWarning = g.addressWarning(c)
	f.Trouble, f.Note = g.troubles(c)
	f.ConnectorCount = templates.Count(int64(g.Catalogue.Len()))
	if n, err := g.Audit.Size(c.Request().Context()); err == nil && g.unlimited(c) {
		f.EventCount = templates.Count(n)
	}
	if all, err := g.entries(c); err == nil {
		f.EntryCount = templates.Count(int64(len(all)))
	}
	return f
}

// troubles are what keeps the program from its work, for everybody, and what those
// have to know who look after it.
func (g gate) troubles(c echo.Context) (trouble, note string) {
	if g.Site.Trouble != nil {
		trouble = g.Site.Trouble()
	}
	if g.Site.Notes != nil && g.allows(c, auth.SettingsRead) {
		note = strings.Join(g.Site.Notes(), " ")
	}
	return trouble, note
}

// ownAddress is where a browser finds the page of this request again: for the
// answer to a form that has no page of its own, the page that the form was on.
func ownAddress(c echo.Context) string {
	u := c.Request().URL
	if onceOnly(c) {
		return "/"
	}
	if c.Request().Method == http.MethodGet {
		return u.RequestURI()
	}
	switch path.Base(c.Path()) {
	case "test-values":
		return "/config"
	case "test":
		if c.Path() == signInPath+"/test" {
			return signInPath
		}
	case "consent":
		return path.Dir(u.EscapedPath()) + "/test"
	case "promote", "rollback", "reject", "discard", "compare", "reveal", "token", "password", "radar", "send", "replay", "export", "check", "invite", "withdraw", "disable", "enable", "sessions", "proof", "factor", "download", "begin", "codes", "remove", "code", "unlink", "off", "passkey", "passkey-new", "passkey-add", "passkey-rename", "passkey-remove":
		return path.Dir(u.EscapedPath())
	}
	return u.EscapedPath()
}

// stage is what stands around a page for somebody who is not signed in.
func (g gate) stage(c echo.Context) templates.Stage {
	return templates.Stage{Environment: environmentName(g.Site.Environment), Staging: !g.Site.Production(),
		Host: g.Site.PublicURL.Host, Version: g.Site.Version, Theme: g.theme(c)}
}

// environmentName starts with a capital on the badge.
func environmentName(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

func (g gate) when(t time.Time) templates.Time { return templates.TimeAt(t, g.Now()) }

const themeCookie = "backoffice-theme"

func (g gate) theme(c echo.Context) templates.Theme {
	k, err := c.Cookie(themeCookie)
	if err != nil {
		return templates.ThemeSystem
	}
	t, err := templates.ParseTheme(k.Value)
	if err != nil {
		return templates.ThemeSystem
	}
	return t
}
