package templates

import "net/url"

// ConfigListPage is GET /config: all entries. ConfigList draws it whole;
// EntriesFragment draws what htmx swaps in while somebody types in the filter.
type ConfigListPage struct {
	Frame
	Lead   string // "25 entries, one for each OAuth app that the platform uses."
	Query  string // q as typed
	Health string // the health that is filtered by, as in the URL; "" for all
	Sort   string // the column that is sorted by, as in the URL; "" for the default
	Dir    string // "asc", "desc" or ""

	Pills    []Pill
	Columns  []Column // in the order of the table's columns, see ListColumns
	Rows     []EntryRow
	Showing  string // "1 to 50 of 10,000 entries. Stale means: tested before the last change."
	Next     string // address of the next page; "" on the last
	Previous string // address of the previous page; "" on the first
}

// ListColumns are the columns of /config, by the name that ?sort= takes.
// Columns of a ConfigListPage stand in this order.
var ListColumns = [...]Column{
	{Name: "id", Label: "Entry"},
	{Name: "connector", Label: "Connector", Wide: true},
	{Name: "health", Label: "Health"},
	{Name: "version", Label: "Version"},
	{Name: "tested", Label: "Last test"},
	{Name: "changed", Label: "Changed"},
	{Name: "by", Label: "By", Wide: true},
}

// A Column is the head of a column that may be sorted by.
type Column struct {
	Name  string
	Label string
	URL   string // sorts by it, or turns its order round; "" if it cannot be sorted by
	Order Order
	Wide  bool // goes first where there is little room
}

// Order is how a column is sorted.
type Order int

// The orders.
const (
	Unordered Order = iota
	Ascending
	Descending
)

// Aria is the value of aria-sort, "" where the column is not sorted by.
func (o Order) Aria() string { return [...]string{"", "ascending", "descending"}[o] }

// Icon is the arrow of the order.
func (o Order) Icon() string { return [...]string{"", "arrow-up", "arrow-down"}[o] }

// Sorted reports whether the table is sorted by this column.
func (c Column) Sorted() bool { return c.Order != Unordered }

// A Pill is a filter by health: a link with the count beside the word. The pill
// "All" has All set and no health.
type Pill struct {
	All    bool
	Health Health
	Count  string
	URL    string
	Chosen bool
}

// An EntryRow is one line of /config.
type EntryRow struct {
	ID        string
	Initial   string // two letters of the connector: "In"
	Connector string // "Intercom"; "No definition" for a plain entry
	Health    Health
	Version   string // in force: "6"; "none" if nothing is
	Pending   string // number of the pending version; "" if there is none
	Tested    Time   // the zero Time reads "never"
	Changed   Time
	ChangedBy string
	Expires   string // "Client secret expires within a week"; "" if that is far, or not known
}

// ConfigEmptyPage is GET /config while no entry is kept.
type ConfigEmptyPage struct {
	Frame
	ConnectorCount string // "55": drawn in a link to the catalogue
}

// ChooseConnectorPage is GET /config/new without a connector and an id: choose
// a connector (?connector=KEY&id=ID) or type any id (?id=ID). ?q= searches.
type ChooseConnectorPage struct {
	Frame
	Query      string
	Connectors []ConnectorTile // that match Query
	Nearest    string          // for an empty list: "Nearest: Intercom."; "" for none
	ID         string          // as typed
	IDError    string          // why ID is no id
}

// A ConnectorTile is one connector of the catalogue.
type ConnectorTile struct {
	Key     string
	Name    string
	Initial string
	Summary string
	ID      string // the id to suggest for a new entry: "acme:intercom"; "" for none
	InUse   string // "2 entries"; "" for none
}

// class is the pill's tone.
func (p Pill) class() string {
	if p.All {
		return "is-idle"
	}
	return p.Health.Class()
}

// paged reports whether there is another page.
func (p ConfigListPage) paged() bool { return p.Next != "" || p.Previous != "" }

// newEntry is the address of the form for an entry of this connector.
func (c ConnectorTile) newEntry() string {
	q := url.Values{"connector": {c.Key}}
	if c.ID != "" {
		q.Set("id", c.ID)
	}
	return "/config/new?" + q.Encode()
}
