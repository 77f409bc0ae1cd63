package signin

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"backoffice/internal/auth"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// claims are what a verified ID token says, and where it says nothing of e-mail or
// groups, what the provider's userinfo address does.
type claims map[string]json.RawMessage

// text is a claim that is a string; "" for any other.
func (c claims) text(name string) (s string) {
	if json.Unmarshal(c[name], &s) != nil {
		return ""
	}
	return s
}

// yes reports whether a claim is true. Some providers write it as a string.
func (c claims) yes(name string) bool {
	raw := string(c[name])
	return raw == "true" || raw == `"true"`
}

// at is a claim that is a time in seconds; zero for any other.
func (c claims) at(name string) time.Time {
	var n float64
	if json.Unmarshal(c[name], &n) != nil || n <= 0 || n > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}

// list is a claim that is a list of strings, or one. A name that is no claim may
// lead into objects: "realm_access.roles".
func (c claims) list(name string) (out []string) {
	raw, ok := c[name]
	for first, rest, more := strings.Cut(name, "."); !ok && more; first, rest, more = strings.Cut(rest, ".") {
		var inner claims
		if json.Unmarshal(c[first], &inner) != nil {
			return nil
		}
		c = inner
		raw, ok = c[rest]
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	if json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}

// verify returns what the token says, if all of it holds.
func (s *Service) verify(ctx context.Context, p *provider, k kept, token *oauth2.Token, nonce string) (claims, lapse) {
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return nil, lapse{"The provider gave no ID token. Is openid among the scopes?", errNotTrusted}
	}
	// Times are judged below, because clocks differ.
	verifier := oidc.NewVerifier(k.Issuer, p.keys, &oidc.Config{ClientID: k.ClientID, SupportedSigningAlgs: p.signing(), SkipExpiryCheck: true})
	t, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, lapse{unverified(err), errNotTrusted}
	}
	var c claims
	if err := t.Claims(&c); err != nil {
		return nil, lapse{"The ID token cannot be read.", errNotTrusted}
	}
	if note := s.unfit(c, t, k, nonce); note != "" {
		return nil, lapse{note, errNotTrusted}
	}
	if t.AccessTokenHash != "" && t.VerifyAccessToken(token.AccessToken) != nil {
		return nil, lapse{"The access token is not the one of the ID token.", errNotTrusted}
	}
	return s.more(ctx, p, k, token, c)
}

// unverified says which of its checks a token failed, without a word of the token.
func unverified(err error) string {
	text := err.Error()
	for _, r := range []struct{ has, note string }{
		{"different provider", "The ID token is from another issuer."},
		{"expected audience", "The ID token is for another client."},
		{"malformed jwt", "The ID token is none, or is signed in a way that is not accepted."},
		{"fetching keys", "The keys of the provider cannot be read."},
		{"verify", "The signature of the ID token does not hold."},
	} {
		if strings.Contains(text, r.has) {
			return r.note
		}
	}
	return "The ID token cannot be read."
}

// unfit looks at what the library leaves to us: who it was made for, the nonce, and
// the times with a minute of leeway.
func (s *Service) unfit(c claims, t *oidc.IDToken, k kept, nonce string) string {
	now, azp := s.now(), c.text("azp")
	issued := c.at("iat")
	switch {
	case t.Subject == "" || len(t.Subject) > 255:
		return "The ID token names no subject."
	case len(t.Audience) > 1 && azp == "" || azp != "" && azp != k.ClientID:
		return "The ID token was made for another client (azp)."
	case t.Nonce == "" || t.Nonce != nonce:
		return "The ID token has another nonce than the one that was sent."
	case c.at("exp").IsZero() || issued.IsZero():
		return "The ID token does not say when it was made, or when it ends."
	case now.After(c.at("exp").Add(leeway)):
		return "The ID token has expired by " + inWords(now.Sub(c.at("exp"))) + ". Do the clocks agree?"
	case issued.After(now.Add(leeway)):
		return "The ID token is from the future by " + inWords(issued.Sub(now)) + ". Do the clocks agree?"
	case c.at("nbf").After(now.Add(leeway)):
		return "The ID token is not good yet, for " + inWords(c.at("nbf").Sub(now)) + ". Do the clocks agree?"
	}
	return ""
}

// inWords is a difference of clocks, for the log.
func inWords(d time.Duration) string { return d.Round(time.Second).String() }

// more asks the userinfo address where the token does not tell the e-mail address,
// or the groups that rules are about. An answer about somebody else is refused.
func (s *Service) more(ctx context.Context, p *provider, k kept, token *oauth2.Token, c claims) (claims, lapse) {
	lacks := c.text("email") == "" || len(k.Rules) > 0 && c.list(k.GroupsClaim) == nil
	if !lacks || p.UserInfo == "" {
		return c, lapse{}
	}
	info, err := p.oidc.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return c, lapse{"The provider's userinfo address does not answer as it should.", "The sign-in provider does not answer as it should. Try again later."}
	}
	if info.Subject != c.text("sub") {
		return c, lapse{"The provider's userinfo is about somebody else.", errNotTrusted}
	}
	var told claims
	if err := info.Claims(&told); err != nil {
		return c, lapse{"The provider's userinfo cannot be read.", errNotTrusted}
	}
	if c.text("email") == "" { // whether it is verified is told by who tells it
		c["email"], c["email_verified"] = told["email"], told["email_verified"]
	}
	if c.text("name") == "" {
		c["name"] = told["name"]
	}
	if groups := told.list(k.GroupsClaim); len(k.Rules) > 0 && c.list(k.GroupsClaim) == nil && groups != nil {
		c[k.GroupsClaim], _ = json.Marshal(groups) // strings always can
	}
	return c, lapse{}
}

// proof is when they signed in at the provider. What is ahead by more than the
// leeway is not believed: it would prove something for as long as it is ahead.
func (c claims) proof(now time.Time) time.Time {
	at := c.at("auth_time")
	switch {
	case at.After(now.Add(leeway)):
		return time.Time{}
	case at.After(now):
		return now
	}
	return at
}

// vouched is what the claims mean by the setting.
func (c claims) vouched(k kept, f flow, now time.Time) auth.Vouched {
	v := auth.Vouched{Issuer: k.Issuer, Subject: c.text("sub"), Email: strings.ToLower(strings.TrimSpace(c.text("email"))), Verified: c.yes("email_verified"),
		Name: c.text("name"), Proof: c.proof(now), Invite: f.Invite}
	if !ascii(c.text("email")) || !plainAddress(v.Email) { // in lower case, the Kelvin sign is a k: that would be somebody else
		v.Email, v.Verified = "", false
	}
	_, domain, _ := strings.Cut(v.Email, "@")
	v.Domain = len(k.Domains) == 0 || slices.Contains(k.Domains, domain)
	v.Grant, v.Source = k.grant(c.list(k.GroupsClaim))
	v.Factor = k.TrustFactor && (slices.Contains(c.list("amr"), "mfa") || k.FactorContext != "" && c.text("acr") == k.FactorContext)
	return v
}

// ascii reports whether s has no letter that another one stands for in lower case.
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x7f })
}

// plainAddress reports whether s is an address that an account can have.
func plainAddress(s string) bool {
	name, domain, ok := strings.Cut(s, "@")
	return ok && name != "" && len(s) <= 254 && domainPart.MatchString(domain) && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),:;<>@[\]`, r)
	})
}

// grant is the role that groups give: that of the first rule that fits, or the one
// of everybody.
func (s Setting) grant(groups []string) (auth.Grant, auth.Source) {
	for _, r := range s.Rules {
		if slices.Contains(groups, r.Group) {
			return r.Grant, auth.FromGroup
		}
	}
	if s.Default.Role != "" {
		return s.Default, auth.FromDefault
	}
	return auth.Grant{}, auth.FromNowhere
}
