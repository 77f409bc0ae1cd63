package connector

import (
	"bytes"

	"github.com/goccy/go-yaml/ast"
)

// members lists, for each kind of object in a definition, the members that it
// may have. docs/connectors.md documents every one of them.
var members = map[string][]string{
	"definition": {"key", "name", "initial", "summary", "fields", "oauth", "identity", "probes", "permissions", "topics", "webhooks", "rateLimit", "links", "guide", "notes"},
	"field":      {"key", "label", "help", "kind", "secret", "required", "default", "pattern", "shape", "options", "mistakes"},
	"mistake":    {"pattern", "means", "remedy"},
	"option":     {"value", "label", "note", "old", "set"},
	"oauth": {"authorizeUrl", "tokenUrl", "apiUrl", "clientIdKey", "clientSecretKey", "redirectKey", "clientAuth", "secrets", "pkce", "sendScopes",
		"scopeDelimiter", "defaultScopes", "authorizeParams", "tokenFields", "metadataUrl", "knownErrors"},
	"knownError":   {"code", "field", "means", "remedy"},
	"identity":     {"url", "headers", "permission", "confirmed", "note", "facts"},
	"probe":        {"label", "url", "permissions", "confirmed", "note"},
	"fact":         {"label", "path"},
	"permission":   {"name", "label", "meaning", "group", "aliases", "note"},
	"topic":        {"name", "needs", "always", "note"},
	"webhooks":     {"signatures", "secretKeys", "refuse", "answerWithin", "slowAfter", "reads", "sources", "samples", "aliases", "notes"},
	"signature":    {"header", "algorithm", "encoding", "prefix", "item", "signed", "timestamp", "for"},
	"timestamp":    {"header", "item", "tolerance"},
	"reads":        {"id", "topic", "account", "happened", "firstSent", "attempt"},
	"source":       {"label", "addresses"},
	"sample":       {"topics", "body", "header"},
	"topicAlias":   {"alias", "topics", "note"},
	"rateLimit":    {"limit", "remaining", "reset", "note"},
	"link":         {"label", "url", "for"},
	"guide":        {"kinds", "steps", "versionNote"},
	"appKind":      {"id", "label", "meaning"},
	"guideStep":    {"id", "title", "words", "optional", "kinds", "shows", "copies", "links", "notes", "checklist", "counters"},
	"guideCopy":    {"label", "value", "text", "hint"},
	"guideItem":    {"id", "text"},
	"guideCounter": {"id", "label", "limit", "without", "noFinalStop", "note"},
}

// Parse reads one definition and validates it. file stands in the faults and
// becomes the definition's Source. The error, if any, is a [Faults].
func Parse(file string, data []byte) (*Definition, error) {
	r := &reader{file: file, at: map[string]position{"": {1, 1}}}
	if len(data) > maxLength {
		return nil, Faults{{File: file, Msg: "this file is larger than 256 KiB. A definition is a few pages of text."}}
	}
	root := r.parseTree(bytes.TrimPrefix(data, []byte("\ufeff")))
	if root == nil {
		return nil, r.faults.orNil()
	}
	d := r.definition(root)
	d.Source = file
	if len(r.faults) == 0 {
		validate(d, r.faultf)
	}
	if err := r.faults.orNil(); err != nil {
		return nil, err
	}
	return d, nil
}

func (r *reader) definition(n ast.Node) *Definition {
	o := r.object("", n, members["definition"])
	d := &Definition{
		Key:     o.text("key", maxName),
		Name:    o.text("name", maxName),
		Initial: o.text("initial", maxName),
		Summary: o.prose("summary", 200),
		Notes:   o.paragraphs("notes"),
	}
	o.list("fields", func(path string, n ast.Node) { d.Fields = append(d.Fields, r.field(path, n)) })
	o.list("permissions", func(path string, n ast.Node) { d.Permissions = append(d.Permissions, r.permission(path, n)) })
	o.list("probes", func(path string, n ast.Node) { d.Probes = append(d.Probes, r.probe(path, n)) })
	o.list("topics", func(path string, n ast.Node) { d.Topics = append(d.Topics, r.topic(path, n)) })
	o.list("links", func(path string, n ast.Node) { d.Links = append(d.Links, r.link(path, n)) })
	if n, ok := o.members["oauth"]; ok {
		d.OAuth = r.oauth(n)
	}
	if n, ok := o.members["identity"]; ok {
		d.Identity = r.identity(n)
	}
	if n, ok := o.members["webhooks"]; ok {
		d.Webhooks = r.webhooks(n)
	}
	if n, ok := o.members["guide"]; ok {
		d.Guide = r.guide(n)
	}
	if n, ok := o.members["rateLimit"]; ok {
		l := r.object("rateLimit", n, members["rateLimit"])
		d.RateLimit = &RateLimit{Limit: l.text("limit", maxName), Remaining: l.text("remaining", maxName),
			Reset: l.text("reset", maxName), Note: l.prose("note", maxProse)}
	}
	return d
}

func (r *reader) field(path string, n ast.Node) Field {
	o := r.object(path, n, members["field"])
	f := Field{
		Key:      o.text("key", maxName),
		Label:    o.text("label", maxName),
		Help:     o.prose("help", maxProse),
		Kind:     Kind(o.choice("kind", fieldKinds)),
		Secret:   o.flag("secret", false),
		Required: o.flag("required", false),
		Default:  o.text("default", maxToken),
		Pattern:  o.text("pattern", maxToken),
		Shape:    o.prose("shape", maxToken),
	}
	o.list("options", func(path string, n ast.Node) {
		v := r.object(path, n, members["option"])
		f.Options = append(f.Options, Option{Value: v.text("value", maxToken), Label: v.text("label", maxName),
			Note: v.prose("note", maxProse), Old: v.flag("old", false), Set: v.pairs("set")})
	})
	o.list("mistakes", func(path string, n ast.Node) {
		m := r.object(path, n, members["mistake"])
		f.Mistakes = append(f.Mistakes, Mistake{Pattern: m.text("pattern", maxToken), Means: m.prose("means", maxToken), Remedy: m.prose("remedy", maxToken)})
	})
	return f
}

func (r *reader) oauth(n ast.Node) *OAuth {
	o := r.object("oauth", n, members["oauth"])
	a := &OAuth{
		AuthorizeURL:    o.text("authorizeUrl", maxToken),
		TokenURL:        o.text("tokenUrl", maxToken),
		APIURL:          o.text("apiUrl", maxToken),
		ClientIDKey:     o.textOr("clientIdKey", "clientId"),
		ClientSecretKey: o.textOr("clientSecretKey", "clientSecret"),
		RedirectKey:     o.textOr("redirectKey", "callbackUrl"),
		ClientAuth:      ClientAuth(o.choice("clientAuth", clientAuthNames)),
		Secrets:         Secrets(o.choice("secrets", secretsNames)),
		PKCE:            o.flag("pkce", false),
		SendScopes:      o.flag("sendScopes", true),
		ScopeDelimiter:  o.textOr("scopeDelimiter", " "),
		DefaultScopes:   o.texts("defaultScopes", maxToken),
		AuthorizeParams: o.pairs("authorizeParams"),
		TokenFields:     o.texts("tokenFields", maxName),
		MetadataURL:     o.text("metadataUrl", maxToken),
	}
	o.list("knownErrors", func(path string, n ast.Node) {
		k := r.object(path, n, members["knownError"])
		a.KnownErrors = append(a.KnownErrors, KnownError{Code: k.text("code", maxName), Field: ErrorField(k.choice("field", errorFieldNames)),
			Means: k.prose("means", maxProse), Remedy: k.prose("remedy", maxProse)})
	})
	if !o.has("tokenFields") {
		a.TokenFields = []string{"access_token"}
	}
	if !o.has("clientAuth") {
		r.faultf("oauth", "clientAuth is missing. Say how the client authenticates at the token endpoint: post or basic. It is never guessed, because a guess can use up the code.")
	}
	return a
}

// textOr reads a text with a value for an absent member.
func (o object) textOr(name, preset string) string {
	if !o.has(name) {
		return preset
	}
	return o.text(name, maxName)
}

func (r *reader) identity(n ast.Node) *Identity {
	o := r.object("identity", n, members["identity"])
	id := &Identity{URL: o.text("url", maxToken), Headers: o.pairs("headers"), Permission: o.text("permission", maxToken),
		Confirmed: o.flag("confirmed", false), Note: o.prose("note", maxProse)}
	o.list("facts", func(path string, n ast.Node) {
		f := r.object(path, n, members["fact"])
		id.Facts = append(id.Facts, Fact{Label: f.text("label", maxName), Path: f.text("path", maxName)})
	})
	return id
}

func (r *reader) permission(path string, n ast.Node) Permission {
	o := r.object(path, n, members["permission"])
	p := Permission{Name: o.text("name", maxToken), Label: o.text("label", maxToken), Meaning: o.prose("meaning", maxProse),
		Group: o.text("group", maxName), Aliases: o.texts("aliases", maxToken), Note: o.prose("note", maxProse)}
	if p.Label == "" {
		p.Label = p.Name
	}
	return p
}

func (r *reader) topic(path string, n ast.Node) Topic {
	o := r.object(path, n, members["topic"])
	return Topic{Name: o.text("name", maxToken), Needs: o.texts("needs", maxToken), Always: o.flag("always", false), Note: o.prose("note", maxProse)}
}

func (r *reader) link(path string, n ast.Node) Link {
	o := r.object(path, n, members["link"])
	if !o.has("for") {
		r.faultf(path, "for is missing. Say what the page is good for: %s.", oneOf(linkUses))
	}
	return Link{Label: o.text("label", maxName), URL: o.text("url", maxToken), For: linkUses[o.choice("for", linkUses)]}
}
