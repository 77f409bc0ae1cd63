package templates

import (
	"net/url"
	"strings"
)

// ConnectorsPage is GET /connectors: the catalogue. ?q= searches.
type ConnectorsPage struct {
	Frame
	Lead       string // "55 connectors, 54 built in and 1 of yours."
	Query      string
	Connectors []ConnectorTile
	Nearest    string // for an empty list: "Nearest: Intercom."; "" for none
}

// ConnectorPage is GET /connectors/:key: one definition.
type ConnectorPage struct {
	Frame
	Key         string
	Name        string
	Initial     string
	Summary     string
	NewID       string // the id to suggest for a new entry
	Source      string // "built in", or a path
	Entries     []BoardEntry
	Fields      []DefinitionField
	Endpoints   []EndpointRow // by region, or one; empty: no handshake
	Handshake   []Fact        // client authentication, PKCE, scope parameter, token field
	Headers     []Fact        // headers of the identity call, rate-limit headers
	Permissions []PermissionRow
	Topics      []TopicNeeds
	Signatures  []SignatureRule
	Links       []DefinitionLink
	Notes       []string
}

// A DefinitionField is a value that the definition asks for.
type DefinitionField struct {
	Key      string
	Label    string
	Help     string
	Sealed   bool
	Required bool
	Options  []string // labels of the choices
	Default  string
}

// An EndpointRow is the endpoints of one region.
type EndpointRow struct {
	Region    string
	Authorize string
	TokenURL  string
	API       string
	Note      string
	Rehearsal bool
}

// A TopicNeeds is a webhook topic with the permissions of which it needs one.
type TopicNeeds struct {
	Name  string
	Needs string // "Read conversations"; "None, always on"
	Note  string
}

// A DefinitionLink is a page of the provider.
type DefinitionLink struct {
	Link
	For string // "console", "docs"
}

// page is the address of the connector's page.
func (c ConnectorTile) page() string { return "/connectors/" + url.PathEscape(c.Key) }

// newEntry is the address of the form for an entry of this connector.
func (p ConnectorPage) newEntry() string { return ConnectorTile{Key: p.Key, ID: p.NewID}.newEntry() }

// choices lists the options of a field.
func (f DefinitionField) choices() string { return "One of: " + strings.Join(f.Options, ", ") + "." }

// kept says how a field is kept.
func (f DefinitionField) kept() string {
	words := []string{"plain"}
	if f.Sealed {
		words[0] = "sealed"
	}
	if !f.Required {
		words = append(words, "optional")
	}
	if f.Default != "" {
		words = append(words, f.Default+" by default")
	}
	return strings.Join(words, ", ")
}

// short reports whether a list of n rows stands unfolded.
func short(n int) bool { return n <= 12 }
