package signin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A Setting is how people sign in through a provider, but for the secret.
type Setting struct {
	Issuer        string     `json:"issuer"`
	ClientID      string     `json:"clientId"`
	Scopes        []string   `json:"scopes"`
	GroupsClaim   string     `json:"groupsClaim,omitempty"` // claim with the groups: "groups", "realm_access.roles"
	Button        string     `json:"button"`
	Domains       []string   `json:"domains,omitempty"` // of e-mail addresses; none: all
	Rules         []Rule     `json:"rules,omitempty"`   // the first that fits decides
	Default       auth.Grant `json:"default"`           // of whoever is new and in no group; no role: nobody is made so
	OwnersOnly    bool       `json:"ownersOnly,omitempty"`
	TrustFactor   bool       `json:"trustFactor,omitempty"`   // a second factor at the provider is one here
	FactorContext string     `json:"factorContext,omitempty"` // acr that means one, beside amr "mfa"
}

// A Rule gives the people of a group a role.
type Rule struct {
	Group string     `json:"group"`
	Grant auth.Grant `json:"grant"`
}

// kept is a Setting with its secret, as it is stored.
type kept struct {
	Setting
	Sealed      []byte             `json:"sealed"`
	Fingerprint secret.Fingerprint `json:"fingerprint"`
	Length      int                `json:"length"`
	Origin      string             `json:"origin,omitempty"` // of the token address for which the secret was typed; "" before it is found
	By          string             `json:"by"`               // id of who saved it
	ByName      string             `json:"byName"`
	At          time.Time          `json:"at"`
	Hash        string             `json:"hash"` // of the content, secret included
}

// pending is a kept setting that waits for its owner.
type pending struct {
	kept
	Begun   time.Time `json:"begun,omitzero"`  // since when the owner may come back; zero: not yet
	Token   string    `json:"token,omitempty"` // hash of the one-time link's; "" once used
	Problem string    `json:"problem,omitempty"`
	Came    string    `json:"came,omitempty"`
	CameAt  time.Time `json:"cameAt,omitzero"`
}

var (
	currents = store.Table[kept]{Prefix: "auth/oidc/current"}
	pendings = store.Table[pending]{Prefix: "auth/oidc/pending"}
)

// sealedPlace is what the places begin with that the secrets are sealed for.
const sealedPlace = "auth/oidc/secret"

var (
	_ = secret.Declare(secret.Kind{Prefix: "auth/oidc/current", Words: "client secrets of the sign-in provider in force", Find: findSecret})
	_ = secret.Declare(secret.Kind{Prefix: "auth/oidc/pending", Words: "client secrets of sign-in providers that wait", Find: findSecret})
	_ = secret.Declare(secret.Kind{Prefix: sealedPlace, Words: "client secrets of sign-in providers"})
)

// findSecret finds the secret of a stored setting, and what it is sealed for.
func findSecret(key string, record []byte) ([]secret.Sealed, error) {
	sealed, err := secret.FieldOf("sealed", key, record)
	if err != nil || sealed == nil {
		return nil, err
	}
	var k kept
	if json.Unmarshal(record, &k) != nil {
		return nil, fmt.Errorf("decoding %s: %w", key, secret.ErrDamaged) // the cause could quote it
	}
	return []secret.Sealed{{Bytes: sealed, Place: k.sealedFor()}}, nil
}

// running reports whether the owner may still come back.
func (p pending) running(now time.Time) bool {
	return p.Issuer != "" && !p.Begun.IsZero() && now.Sub(p.Begun) < confirmFor
}

// sealedFor is what the secret is sealed for: nobody without the key can have it
// sent elsewhere by changing the record.
func (k kept) sealedFor() string {
	return sealedPlace + "\x00" + k.Issuer + "\x00" + k.ClientID + "\x00" + k.Origin
}

// contentHash names exactly this content.
func (k kept) contentHash() (string, error) {
	b, err := json.Marshal(k.Setting)
	return hash(string(b) + "\x00" + string(k.Sealed)), err
}

// changes are what the log says of a setting in place of another.
func changes(was, is kept) (out []audit.Change) {
	for _, f := range []struct{ key, before, after string }{
		{"issuer", was.Issuer, is.Issuer}, {"clientId", was.ClientID, is.ClientID},
		{"clientSecret", was.Fingerprint.String(), is.Fingerprint.String()},
		{"scopes", strings.Join(was.Scopes, " "), strings.Join(is.Scopes, " ")}, {"groupsClaim", was.GroupsClaim, is.GroupsClaim},
		{"domains", strings.Join(was.Domains, " "), strings.Join(is.Domains, " ")}, {"groups", RulesText(was.Rules), RulesText(is.Rules)},
		{"default", grantText(was.Default), grantText(is.Default)}, {"passwords", was.passwords(), is.passwords()}, {"secondFactor", was.factor(), is.factor()},
	} {
		if f.before != f.after {
			out = append(out, audit.Change{Key: f.key, Before: f.before, After: f.after})
		}
	}
	return out
}

func (s Setting) passwords() string {
	switch {
	case s.Issuer == "":
		return ""
	case s.OwnersOnly:
		return "of owners"
	}
	return "of everybody"
}

func (s Setting) factor() string {
	switch {
	case s.Issuer == "":
		return ""
	case s.TrustFactor:
		return "of the provider counts"
	}
	return "own"
}

// A Draft is what the form of a setting holds. Lists are as typed.
type Draft struct {
	Issuer, ClientID, Scopes, GroupsClaim, Button, Domains, Rules string
	Secret                                                        secret.Text // empty: the one that is kept
	Default                                                       auth.Grant
	OwnersOnly, TrustFactor                                       bool
	FactorContext                                                 string
}

// The limits of what is typed.
const (
	maxText  = 500 // bytes of a line
	maxRules = 200
	maxList  = 50
)

var (
	domainPart = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	scopePart  = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`) // scope-token of RFC 6749
)

// setting reads the draft. It returns errs.Field errors: issuer, clientId, scopes,
// claim, button, domains, rules, role, entries and acr.
func (d Draft) setting() (Setting, error) {
	s := Setting{Issuer: strings.TrimSpace(d.Issuer), ClientID: strings.TrimSpace(d.ClientID), GroupsClaim: strings.TrimSpace(d.GroupsClaim),
		Button: strings.TrimSpace(d.Button), Default: d.Default, OwnersOnly: d.OwnersOnly, TrustFactor: d.TrustFactor, FactorContext: strings.TrimSpace(d.FactorContext)}
	var bad []error
	add := func(err error) { bad = append(bad, err) }
	add(checkIssuer(s.Issuer))
	add(checkLine("clientId", s.ClientID, "Enter the client ID that the provider gave to this application."))
	add(checkLine("claim", s.GroupsClaim, ""))
	add(checkLine("acr", s.FactorContext, ""))
	if s.Button == "" {
		s.Button = "Sign in with single sign-on"
	}
	if len(s.Button) > 60 || checkLine("button", s.Button, "") != nil {
		add(errs.Field("button", "The text of a button is one line of at most 60 characters."))
	}
	scopes, err := readScopes(d.Scopes)
	s.Scopes = scopes
	add(err)
	s.Domains, err = readDomains(d.Domains)
	add(err)
	s.Rules, err = readRules(d.Rules)
	add(err)
	if err == nil && len(s.Rules) > 0 && s.GroupsClaim == "" {
		add(errs.Field("claim", "Name the claim that has the groups, often groups: without it no rule below ever fits."))
	}
	add(checkDefault(s))
	return s, errors.Join(bad...)
}

func checkLine(field, text, missing string) error {
	switch {
	case text == "" && missing != "":
		return errs.Field(field, missing)
	case len(text) > maxText || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }):
		return errs.Field(field, fmt.Sprintf("This is one line of at most %d characters.", maxText))
	}
	return nil
}

// checkIssuer wants an https address; http is for this machine only.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return errs.Field("issuer", "Enter the issuer of the provider, as https://login.example.com.")
	case len(issuer) > maxText || err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(issuer, "?#"):
		return errs.Field("issuer", "An issuer is an address such as https://login.example.com/realm, without ? and #.")
	case strings.HasSuffix(u.Path, "/.well-known/openid-configuration"):
		return errs.Field("issuer", "Enter the issuer itself: the address without /.well-known/openid-configuration.")
	case !safeScheme(u):
		return errs.Field("issuer", "An issuer is asked over https. Plain http is for this machine only.")
	}
	return nil
}

// safeScheme reports whether u is https, or http on this machine.
func safeScheme(u *url.URL) bool {
	host := u.Hostname()
	return u.Scheme == "https" || u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1" || host == "::1" || strings.HasSuffix(host, ".localhost"))
}

func readScopes(text string) ([]string, error) {
	scopes := []string{"openid"}
	for s := range strings.FieldsSeq(text) {
		if !scopePart.MatchString(s) || len(s) > maxText {
			return nil, errs.Field("scopes", "A scope is a word such as email or profile. Separate several by spaces.")
		}
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	if len(scopes) > maxList {
		return nil, errs.Field("scopes", fmt.Sprintf("At most %d scopes.", maxList))
	}
	return scopes, nil
}

func readDomains(text string) (out []string, err error) {
	for d := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' }) {
		d = strings.TrimPrefix(d, "@")
		if !domainPart.MatchString(d) || len(d) > 253 {
			return nil, errs.Field("domains", "A domain is what stands after the @, for example acme.example. Separate several by spaces.")
		}
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	if len(out) > maxList {
		return nil, errs.Field("domains", fmt.Sprintf("At most %d domains.", maxList))
	}
	return out, nil
}

// readRules reads a rule a line: group = role, and patterns of entries after the
// role.
func readRules(text string) (out []Rule, err error) {
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		at := strings.LastIndex(line, " = ")
		if at < 0 {
			return nil, errs.Field("rules", fmt.Sprintf("Line %d has no \" = \" with spaces around it. Write it as: group = editor acme:*", i+1))
		}
		group := strings.TrimSpace(line[:at])
		role, entries, _ := strings.Cut(strings.TrimSpace(line[at+3:]), " ")
		g := auth.Grant{Role: auth.Role(role), Entries: auth.NewPattern(entries)}
		switch bad := g.Check(); {
		case group == "" || checkLine("rules", group, "") != nil:
			return nil, errs.Field("rules", fmt.Sprintf("Line %d names no group.", i+1))
		case g.Role == auth.Owner:
			return nil, errs.Field("rules", fmt.Sprintf("Line %d makes owners. A group cannot: whoever manages groups at the provider would own this instance. Make somebody an owner on Team.", i+1))
		case bad != nil:
			_, words := errs.Of(bad)
			return nil, errs.Field("rules", fmt.Sprintf("Line %d: %s", i+1, words))
		}
		out = append(out, Rule{group, g})
	}
	if len(out) > maxRules {
		return nil, errs.Field("rules", fmt.Sprintf("At most %d rules.", maxRules))
	}
	return out, nil
}

// RulesText is what the form shows of rules: what readRules reads.
func RulesText(rules []Rule) string {
	lines := make([]string, len(rules))
	for i, r := range rules {
		lines[i] = r.Group + " = " + grantText(r.Grant)
	}
	return strings.Join(lines, "\n")
}

func grantText(g auth.Grant) string {
	return strings.TrimSpace(string(g.Role) + " " + string(g.Entries))
}

// checkDefault refuses a role for everybody that should not be everybody's.
func checkDefault(s Setting) error {
	if s.Default == (auth.Grant{}) {
		return nil
	}
	if s.Default.Role == "" {
		return errs.Field("role", "Choose a role, or leave the entries empty.")
	}
	if err := s.Default.Check(); err != nil {
		return err
	}
	switch {
	case s.Default.May(auth.ConfigReveal, true):
		return errs.Field("role", "This role may reveal secrets, so it is not for everybody. Give it to a group, or to people.")
	case len(s.Domains) == 0:
		return errs.Field("domains", "Name the domains whose people get a role by default: without any, everybody who has an account at the provider would.")
	}
	return nil
}
