package connector

import "strings"

// The text of each Kind in a definition. null has none: a field that can only
// be null asks for nothing.
var kindNames = []string{Text: "text", Number: "number", Boolean: "boolean", Null: "null"}

func (k Kind) String() string { return nameOf(kindNames, int(k)) }

// The texts of RFC 7591 end in client_secret_; a definition says the last word.
var clientAuthNames = []string{ClientSecretPost: "post", ClientSecretBasic: "basic"}

// String returns the word of the definition language: "post" or "basic".
func (a ClientAuth) String() string { return nameOf(clientAuthNames, int(a)) }

var secretsNames = []string{SecretsUnknown: "unknown", SecretsBoth: "both", SecretsOne: "one"}

var errorFieldNames = []string{AboutCode: "code", AboutClientID: "clientId", AboutClientSecret: "clientSecret", AboutClientAuth: "clientAuth", AboutRedirectURI: "redirectUri"}

// String returns the word of the definition language.
func (f ErrorField) String() string { return nameOf(errorFieldNames, int(f)) }

// What a signature may be made with, and how it may be written.
var (
	algorithms = []string{"sha1", "sha256", "sha512"}
	encodings  = []string{"hex", "base64"}
	linkUses   = []string{"console", "docs", "review"}
	fieldKinds = kindNames[:Null]
)

func nameOf(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return "unknown"
	}
	return names[i]
}

// oneOf writes a list for people: "a", "a or b", "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
