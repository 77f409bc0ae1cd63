// Package connector knows what can be configured: one definition a connector,
// written in YAML, embedded in the program or read from a directory of the
// operator's own. A definition is data. The handshake, the forms and the
// tests read it; none of them knows a provider by name.
//
// The language is documented for its authors in docs/connectors.md.
package connector

import "time"

// A Definition describes one connector: which values its entries need, how its
// provider does OAuth 2, which permissions and webhook topics it has.
type Definition struct {
	Key     string // "intercom", or "google:drive" for one module of a service
	Name    string // as its maker writes it: "Intercom"
	Initial string // two letters for the tile: "In"
	Summary string // one sentence

	Fields      []Field      // what the form asks for, in order
	OAuth       *OAuth       // nil: entries are kept, but there is no handshake to test
	Identity    *Identity    // the harmless call that says whose token it is; nil if there is none
	Probes      []Probe      // harmless reads that tell about permissions, sent after the identity call
	Permissions []Permission // scopes, or permissions that are ticked in a console
	Topics      []Topic      // webhook topics
	Webhooks    *Webhooks    // nil: no webhooks
	RateLimit   *RateLimit   // nil: the provider names no headers
	Links       []Link       // pages of the provider's console and documentation
	Guide       *Guide       // how an app is set up; nil: see SetUp
	Notes       []string     // what an admin should know, one paragraph each

	Source string // where it was read from: "built in" or a path; for the operator
}

// A Field is a value of an entry that the definition asks for by name.
type Field struct {
	Key      string
	Label    string
	Help     string // where to find it, in plain words
	Kind     Kind   // what JSON scalar it is
	Secret   bool
	Required bool
	Default  string    // literal text of the default, "" for none
	Pattern  string    // RE2 that a text must match as a whole, "" for any; required if a URL uses the field
	Shape    string    // what Pattern demands, in words, for the error message
	Options  []Option  // if any: one of these, and nothing else
	Mistakes []Mistake // what is pasted here instead, by its looks
}

// A Mistake is another thing of the provider that people paste into a field,
// told by its looks: the ID of a secret instead of its value. It warns and never
// blocks, because providers change what their values look like.
type Mistake struct {
	Pattern string // RE2 that such a value matches as a whole
	Means   string // what it is, after "It looks like": "an access token"
	Remedy  string // what to do, in a sentence
}

// An Option is one choice of a Field, with the URL variables that it sets.
type Option struct {
	Value     string
	Label     string
	Set       map[string]string // URL variable → value
	Note      string            // e.g. how well confirmed it is; shown as a hint
	Old       bool              // there is a newer stable one: the first of the options
	Rehearsal bool              // leads to the sandbox, not to the provider: pages say so in a banner
}

// Kind is the JSON scalar of a value.
type Kind int

// The kinds of a value.
const (
	Text Kind = iota
	Number
	Boolean
	Null
)

// ClientAuth is how the client authenticates at the token endpoint
// (RFC 6749 section 2.3.1; names as in RFC 7591).
type ClientAuth int

// The methods. There is no auto-detection: it can use up the code.
const (
	ClientSecretPost  ClientAuth = iota // client_id and client_secret as form fields
	ClientSecretBasic                   // HTTP Basic, both parts form-encoded first
)

// Secrets is how many client secrets of an app hold at a time.
type Secrets int

// What a provider documents. There is no guessing: what is not documented is
// SecretsUnknown, and people are asked.
const (
	SecretsUnknown Secrets = iota
	SecretsBoth            // a new one holds beside the old one, until that is deleted
	SecretsOne             // a new one ends the old one
)

// OAuth is the authorization-code handshake of a provider. URLs are templates:
// {name} is a field's key or a variable that the chosen option of a field sets.
type OAuth struct {
	AuthorizeURL    string
	TokenURL        string
	APIURL          string // base of the provider's API, for display; "" if unknown
	ClientIDKey     string // the field that holds the client id: "clientId"
	ClientSecretKey string // "clientSecret"
	RedirectKey     string // the key that overrides the redirect URI: "callbackUrl"
	ClientAuth      ClientAuth
	Secrets         Secrets           // how many client secrets hold at a time, as the provider documents it
	PKCE            bool              // send code_challenge, method S256
	SendScopes      bool              // false: no scope parameter is ever sent
	ScopeDelimiter  string            // " " unless the provider differs
	DefaultScopes   []string          // sent when the entry declares none
	AuthorizeParams map[string]string // further parameters of the authorize URL; values are templates, see Endpoints.AuthorizeParams
	TokenFields     []string          // where the token stands, first hit wins: access_token, token
	MetadataURL     string            // template of its metadata document (RFC 8414, OpenID Connect Discovery); "" to look where RFC 8414 puts it
	KnownErrors     []KnownError      // what the provider's own error codes mean
}

// A KnownError says what an error code of the token endpoint means. It explains
// a verdict that the comparison of answers has reached; it never makes one.
type KnownError struct {
	Code   string // the code, or a code inside of a description: "AADSTS7000222"
	Field  ErrorField
	Means  string // one sentence
	Remedy string // one sentence, "" for none
}

// ErrorField is what a KnownError is about.
type ErrorField int

// The fields. The zero one is the code, which a test makes up: its refusal says
// that nothing else was refused before it.
const (
	AboutCode ErrorField = iota
	AboutClientID
	AboutClientSecret
	AboutClientAuth
	AboutRedirectURI
)

// Identity is the call that is made once with a fresh token.
type Identity struct {
	URL        string            // template, as in OAuth
	Headers    map[string]string // template values; "{apiVersion}" is a field
	Permission string            // the Permission.Name (or Label) that it needs, "" if none
	Confirmed  bool              // the provider's documentation says so; else it is our reading
	Note       string            // what is not confirmed about Permission
	Facts      []Fact
}

// A Fact is one thing that the identity answer says, found by a path of JSON
// member names: "app.region".
type Fact struct {
	Label string
	Path  string
}

// A Permission is a scope, or what the provider calls one.
type Permission struct {
	Name    string   // machine name as sent or as documented; "" if the provider publishes none
	Label   string   // as the provider shows it
	Meaning string   // what it allows
	Group   string   // the provider's grouping, "" if none
	Aliases []string // names that other guides use for it
	Note    string   // what is not confirmed about it
}

// ID is how an entry declares the permission: its machine name, or its label
// where the provider publishes no name.
func (p Permission) ID() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Label
}

// A Topic is a kind of webhook notification. One of Needs is enough to get it;
// they are Permission IDs. Always means that it cannot be switched off.
type Topic struct {
	Name   string
	Needs  []string
	Always bool
	Note   string
}

// Webhooks says how notifications are signed and read. Every field key of
// SecretKeys that an entry has a value for is tried, in this order.
type Webhooks struct {
	Signatures   []Signature
	SecretKeys   []string      // "webhookSecret", "clientSecret"
	Refuse       int           // HTTP status for a notification that no known secret signed; 401 unless the provider asks for another
	AnswerWithin time.Duration // how long the provider waits for an answer; 0 if it does not say
	SlowAfter    time.Duration // answers slower than this have consequences at the provider; 0 if it does not say
	Reads        NotificationReads
	Sources      []Source // addresses that the provider says it sends from
	Samples      []Sample // bodies for notifications that this program sends itself, to test
	Aliases      []TopicAlias
	Notes        []string
}

// A Signature is one way in which a notification may be signed: an HMAC, where
// it stands, and over what.
type Signature struct {
	Header    string     // the header that carries it: "X-Hub-Signature"
	Algorithm string     // of the HMAC: "sha1", "sha256", "sha512"
	Encoding  string     // "hex", "base64"
	Prefix    string     // stands before the signature: "sha1=", "v0="
	Item      string     // if the header is a list of name=value, the name of the signature in it: "v1"; "" if it is the signature alone
	Signed    string     // what is signed, as a template of {body} and {timestamp}: "{body}", "v0:{timestamp}:{body}"
	Timestamp *Timestamp // nil: nothing says when it was signed
	For       string     // which notifications carry it, in words
}

// A Timestamp says when a notification was signed, in unix seconds. It stands in
// a header of its own, or in an item of the signature's header.
type Timestamp struct {
	Header    string        // "X-Slack-Request-Timestamp", or "" if Item says where
	Item      string        // "t", or "" if Header says where
	Tolerance time.Duration // how far from now it may be
}

// NotificationReads says where a notification tells about itself: a path of JSON
// member names in the body ("data.item.type"), or, where it begins with "header ",
// the name of a header ("header X-GitHub-Event"). "" if it does not say. Times are
// unix seconds.
type NotificationReads struct {
	ID        string // the provider's id, by which repetitions are known
	Topic     string
	Account   string // whose data it is about: the workspace, the tenant
	Happened  string // when it happened
	FirstSent string // when it was first sent
	Attempt   string // which attempt this is, from 1
}

// A Source is a network or address that a provider documents as its own.
type Source struct {
	Label     string   // "US"
	Addresses []string // "34.231.68.152", "10.0.0.0/8"
}

// A Sample is the body of a notification for tests. Topics are names, or prefixes
// that end in "*". In Body, {id}, {topic}, {now} (unix seconds) and {account} are
// replaced.
type Sample struct {
	Topics []string
	Body   string
	Header string // the signature header that such a notification carries; "" for the first of Signatures
}

// A TopicAlias maps a topic name of another guide to current topics.
type TopicAlias struct {
	Alias  string
	Topics []string
	Note   string
}

// RateLimit names the headers in which a provider tells its limit.
type RateLimit struct {
	Limit, Remaining, Reset string // header names; Reset is unix seconds
	Note                    string
}

// A Link is a page of the provider, for people.
type Link struct {
	Label string
	URL   string
	For   string // "console", "docs", "review": what it is good for
}
