package oauth

import (
	"strings"
	"testing"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

func TestMetadataAgainstDefinition(t *testing.T) {
	s := subject{def: &connector.Definition{Name: "Rocket", OAuth: &connector.OAuth{PKCE: true, ScopeDelimiter: " "}}, secret: secret.NewText("x"),
		ends: connector.Endpoints{Authorize: "https://auth.rocket.example/authorize?prompt=always", Token: "https://api.rocket.example/token"}}
	const good = `"issuer":"https://auth.rocket.example","authorization_endpoint":"https://auth.rocket.example/authorize","token_endpoint":"https://api.rocket.example/token"`
	for _, tt := range []struct {
		name, body string
		published  bool
		says       []string
	}{
		{"agrees", `{` + good + `,"token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt"],"code_challenge_methods_supported":["S256"],"scopes_supported":["read","write"]}`, true, nil},
		{"says little", `{` + good + `}`, true, nil},
		{"another issuer", `{"issuer":"https://evil.example","token_endpoint":"https://api.rocket.example/token"}`, true, []string{"another issuer: https://evil.example"}},
		{"other addresses", `{"issuer":"https://api.rocket.example/x","authorization_endpoint":"https://auth.rocket.example/v2/authorize?x=1","token_endpoint":"https://api.rocket.example/v2/token"}`, true,
			[]string{"another authorize address: https://auth.rocket.example/v2/authorize.", "another token address: https://api.rocket.example/v2/token."}},
		{"basic only", `{` + good + `,"token_endpoint_auth_methods_supported":["client_secret_basic"]}`, true, []string{"the definition says client_secret_post"}},
		{"no S256", `{` + good + `,"code_challenge_methods_supported":["plain"]}`, true, []string{"S256"}},
		{"no code grant", `{` + good + `,"grant_types_supported":["client_credentials"]}`, true, []string{"authorization-code grant"}},
		{"a scope that it does not list", `{` + good + `,"scopes_supported":["read"]}`, true, []string{"the scope write"}},
		{"no issuer", `{"token_endpoint":"https://api.rocket.example/token"}`, false, nil},
		{"an error", `{"error":"not_found"}`, false, nil},
		{"a page", `<html>`, false, nil},
		{"wrong shapes", `{"issuer":{},"token_endpoint":[]}`, false, nil},
		{"nothing", ``, false, nil},
	} {
		m, ok := parseMetadata([]byte(tt.body))
		if ok != tt.published {
			t.Errorf("%s: published %t", tt.name, ok)
		}
		if !ok {
			continue
		}
		doubts := m.against(s, []string{"read", "write"})
		if len(doubts) != len(tt.says) {
			t.Errorf("%s: %q", tt.name, doubts)
			continue
		}
		for i, want := range tt.says {
			if !strings.Contains(doubts[i], want) {
				t.Errorf("%s: %q, want %q", tt.name, doubts[i], want)
			}
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add(`{"issuer":"https://a.example","token_endpoint":"https://a.example/t","scopes_supported":["a"]}`)
	f.Add(`{"issuer":"::","token_endpoint":"%zz"}`)
	f.Add(`[]`)
	s := subject{def: &connector.Definition{OAuth: &connector.OAuth{PKCE: true}}, ends: connector.Endpoints{Authorize: "https://a.example/a", Token: "https://a.example/t"}}
	f.Fuzz(func(t *testing.T, body string) {
		if m, ok := parseMetadata([]byte(body)); ok {
			if m.Issuer == "" {
				t.Error("a document without an issuer")
			}
			m.against(s, []string{"read"})
		}
	})
}
