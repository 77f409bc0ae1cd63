package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backoffice/internal/config"
	"backoffice/internal/connector"
)

// A definition that is replaced, by the operator or with a new release, does not
// take a stored secret along to another token address.
func TestKeptSecretStaysWhereAReplacedDefinitionPoints(t *testing.T) {
	r := open(t)
	v := r.save(config.Draft{ID: "acme:rocket", Then: config.PutInForce, Values: []config.Input{plain("clientId", "abc"), hidden("clientSecret", "s3cr3t")}})
	if v.TokenOrigin != "https://one.rocket.example" {
		t.Fatalf("the secret is for %q", v.TokenOrigin)
	}
	dir := t.TempDir()
	moved := strings.ReplaceAll(rocketYAML, "rocket.example", "elsewhere.example")
	if err := os.WriteFile(filepath.Join(dir, "rocket.yaml"), []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	builtin, err := connector.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	definitions, err := builtin.With(dir)
	if err != nil {
		t.Fatal(err)
	}
	r.Service = config.New(config.Options{Store: r.store, Box: r.box, Catalogue: definitions, Now: r.now})
	edit := config.Draft{ID: "acme:rocket", Revision: 1, Base: 1, Values: []config.Input{plain("clientId", "other"), keep("clientSecret")}}
	r.refused(edit, map[string]string{"clientSecret": "The token address is now at https://one.elsewhere.example. Paste the client secret again, so that it never goes to a new address unnoticed."})
	edit.Values[1] = hidden("clientSecret", "s3cr3t")
	if v := r.save(edit); v.TokenOrigin != "https://one.elsewhere.example" {
		t.Errorf("after pasting it again the secret is for %q", v.TokenOrigin)
	}
}
