// Package server is where requests end and pages begin: one table of routes,
// small handlers that decode a form, call one domain method and draw a page or
// redirect, and one place where an error becomes a status.
//
// A request travels: request id, recovery, security headers, cross-origin
// protection, session, permission, form (all of it in middleware.go and admit.go,
// for every row of the table in routes.go), handler, error handler. Pages are drawn into a
// buffer and then written, so that a page is whole or not there at all.
//
// Invariant 8: every route has a permission. The table cannot be mounted with a
// row that lacks one. What is asked for with GET can be asked for with HEAD.
package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/backup"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/exchange"
	"backoffice/internal/guide"
	"backoffice/internal/keyring"
	"backoffice/internal/oauth"
	"backoffice/internal/outside"
	"backoffice/internal/secret"
	"backoffice/internal/signin"
	"backoffice/internal/store"
	"backoffice/internal/webhook"

	"github.com/labstack/echo/v4"
)

// Deps are the rooms and the facts that the pages need. All of them are needed.
type Deps struct {
	Store     store.Store
	Config    *config.Service
	Catalogue *connector.Catalogue
	OAuth     *oauth.Service
	Auth      *auth.Service
	Sessions  *auth.SessionStore
	SignIn    *signin.Service
	Outside   *outside.Checker
	Guide     *guide.Service
	Backups   *backup.Service
	Webhooks  *webhook.Service
	Exchange  *exchange.Service
	Audit     *audit.Log
	Keys      *keyring.Ring
	Log       *slog.Logger
	Now       func() time.Time
	Site      Site

	Notary     *audit.Notary
	AuditState func(context.Context) (audit.State, error)
	AuditCheck func() // has the whole log checked, beside the work
}

// Site is what the operator decided about this instance, and what the settings
// page shows of it.
type Site struct {
	PublicURL   *url.URL       // origin that browsers and providers see
	Environment string         // "production", "staging", …; "" shows no badge
	Proxies     []netip.Prefix // whose forwarding headers are believed
	Version     string         // of the program
	Started     time.Time
	DataFile    string                          // path of the data file
	DataSize    func() int64                    // its size in bytes
	FreeShare   func() float64                  // the part of it, 0 to 1, that holds nothing; nil says nothing
	Commits     func() (updates, commits int64) // since the program started: changes that were saved, and the commits that they shared; nil says nothing
	KeyFile     string                          // path of the key file, or where the key came from
	KeyInFile   bool                            // KeyFile is a path
	KeyWrapped  func() bool                     // whether a passphrase wraps the key; nil: it does not
	Sandbox     string                          // address of the rehearsal sandbox; "" in production
	Ready       func() error                    // why the program cannot do its work now, or nil; words for people in an errs.Error
	Trouble     func() string                   // what all who are signed in are told on every page; nil or "" is nothing
	Notes       func() []string                 // what those are told who may read the settings; nil is nothing

	SecondFactor auth.FactorPolicy // who has to have one
	MetricsToken secret.Text       // that /metrics asks for; empty: there are no metrics
}

// Secure reports whether browsers reach this instance over https.
func (s Site) Secure() bool { return s.PublicURL.Scheme == "https" }

// Production reports whether this instance serves production, where some roles
// may do less.
func (s Site) Production() bool { return s.Environment == "production" }

// New returns the handler of the whole product. It returns an error if d lacks
// something or a route has no permission that exists.
func New(d Deps) (http.Handler, error) { return mount(d, routes) }

// noHead are routes that cannot be asked for with HEAD. A callback uses up its
// state, an export is an event, and a receipt or a head may have to be signed.
var noHead = []string{callbackPath, signin.CallbackPath, caseFilePath, receiptPath, auditHeadPath}

// mount serves a table of routes.
func mount(d Deps, table func(gate) []route) (http.Handler, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	g := newGate(d)
	e.HTTPErrorHandler = g.handleError
	if err := g.use(e); err != nil {
		return nil, err
	}
	for _, r := range table(g) {
		if !slices.Contains(auth.Permissions(), r.may) {
			return nil, fmt.Errorf("server: route %s %s has the permission %q, which does not exist", r.method, r.path, r.may)
		}
		e.Add(r.method, r.path, r.handle, g.admit(r.may))
		if r.method == http.MethodGet && !slices.Contains(noHead, r.path) {
			e.Add(http.MethodHead, r.path, r.handle, g.admit(r.may))
		}
	}
	return e, nil
}

// check names what is missing: a page would fail on it later.
func (d Deps) check() error {
	var missing []string
	for name, is := range map[string]bool{
		"Store": d.Store == nil, "Config": d.Config == nil, "Catalogue": d.Catalogue == nil, "OAuth": d.OAuth == nil, "Auth": d.Auth == nil,
		"Sessions": d.Sessions == nil, "SignIn": d.SignIn == nil, "Outside": d.Outside == nil, "Webhooks": d.Webhooks == nil, "Guide": d.Guide == nil, "Backups": d.Backups == nil, "Exchange": d.Exchange == nil, "Audit": d.Audit == nil, "Keys": d.Keys == nil, "Notary": d.Notary == nil, "AuditState": d.AuditState == nil, "AuditCheck": d.AuditCheck == nil, "Log": d.Log == nil, "Now": d.Now == nil,
		"Site.PublicURL": d.Site.PublicURL == nil, "Site.DataSize": d.Site.DataSize == nil, "Site.Ready": d.Site.Ready == nil,
	} {
		if is {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("server: missing: %s", strings.Join(missing, ", "))
}
