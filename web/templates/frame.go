package templates

import (
	"fmt"
	"net/url"
	"slices"
)

// A Frame is what stands around every page of somebody who is signed in.
type Frame struct {
	Title string // of the document, without the name of the product: "Values · acme:intercom"

	Section     Section // which link of the menu is the current one
	User        string  // e-mail of who is signed in
	Environment string  // "Production"; "" draws no badge
	Staging     bool    // dashed badge: something that may break
	Version     string  // of the program: "1.4.0"

	EventCount     string // of the audit log, formatted: "48,213"; "" hides it
	EntryCount     string // "25"
	ConnectorCount string // "55"

	Theme Theme
	Path  string // path and query of this page: POST /theme comes back to it

	Refresh string // seconds after which a browser without scripts loads the page again: "2"; "" for never

	Toast       string // what was just done: "Saved as version 8"; "" for none
	ToastRecord string // address of the event that is the record of it; "" for none
	May         May    // what the person may do

	Rehearsal      bool   // this page talks to the rehearsal sandbox, not to the provider: a banner says so
	Trouble        string // what keeps the program from its work: whole sentences; "" for nothing
	Note           string // what whoever looks after it has to know: whole sentences
	AddressWarning string // the browser's address is not the public URL: the whole sentence, "" if it is
}

// A May says what the person may do, so that no page offers what would be
// refused. The zero May is somebody who only reads entries.
type May struct {
	Write, Promote, Delete, Test bool // of entries
	News, Audit, Team, Settings  bool // what is in the menu
	People, Radar                bool // change people; pause the radar
	Export, Import               bool // files of entries
}

// A Section is a link of the main menu.
type Section int

// The sections.
const (
	SectionNone Section = iota
	SectionOverview
	SectionConfiguration
	SectionConnectors
	SectionWebhooks
	SectionAudit
	SectionTeam
	SectionSettings
)

// A Theme is the choice between light and dark. The zero Theme follows the system.
type Theme int

// The themes.
const (
	ThemeSystem Theme = iota
	ThemeLight
	ThemeDark
)

// themes has one row for each Theme, in the order of the constants.
var themes = [...]struct{ name, phrase string }{
	{"system", "as the system"},
	{"light", "light"},
	{"dark", "dark"},
}

// String is the theme's name in forms and in the data-theme attribute.
func (t Theme) String() string {
	if t < 0 || int(t) >= len(themes) {
		return fmt.Sprintf("theme %d", int(t))
	}
	return themes[t].name
}

// Phrase is the theme in words, as they stand after "Theme:".
func (t Theme) Phrase() string {
	if t < 0 || int(t) >= len(themes) {
		return themes[ThemeSystem].phrase
	}
	return themes[t].phrase
}

// Chosen reports whether the user chose light or dark.
func (t Theme) Chosen() bool { return t == ThemeLight || t == ThemeDark }

// ParseTheme returns the Theme whose String is s and refuses any other text.
func ParseTheme(s string) (Theme, error) {
	for t := range themes {
		if themes[t].name == s {
			return Theme(t), nil
		}
	}
	return 0, fmt.Errorf("no theme is called %q", s)
}

// otherThemes are the choices of the menu.
func (f Frame) otherThemes() []Theme { return []Theme{ThemeSystem, ThemeLight, ThemeDark} }

// themeIcon ticks the theme that is in use.
func (f Frame) themeIcon(t Theme) string {
	if f.Theme == t {
		return "check"
	}
	return "sun-moon"
}

// A menuLink is one link of the main menu.
type menuLink struct {
	URL, Icon, Label, Count string
	Current                 bool
}

// menu is the main menu with the current section marked, without what the person
// may not open.
func (f Frame) menu() []menuLink {
	all := []menuLink{
		{"/", "layout-dashboard", "Overview", "", f.Section == SectionOverview},
		{"/config", "key-round", "Configuration", f.EntryCount, f.Section == SectionConfiguration},
		{"/connectors", "blocks", "Connectors", f.ConnectorCount, f.Section == SectionConnectors},
		{"/webhooks", "webhook", "Webhooks", "", f.Section == SectionWebhooks},
		{"/audit", "scroll-text", "Audit log", "", f.Section == SectionAudit},
		{"/team", "users", "Team", "", f.Section == SectionTeam},
		{"/settings", "settings", "Settings", "", f.Section == SectionSettings},
	}
	closed := map[string]bool{"/webhooks": !f.May.News, "/audit": !f.May.Audit, "/team": !f.May.Team, "/settings": !f.May.Settings}
	return slices.DeleteFunc(all, func(l menuLink) bool { return closed[l.URL] })
}

// foot is the line under the menu: "48,213 events · version 1.4.0".
func (f Frame) foot() string {
	switch f.EventCount {
	case "":
		return "version " + f.Version
	case "1":
		return "1 event · version " + f.Version
	}
	return f.EventCount + " events · version " + f.Version
}

// htmxSettings keeps htmx within the content security policy: nothing is
// evaluated, no style element is made, no other origin is asked, and no page is
// kept in the browser's storage.
const htmxSettings = `{"allowEval":false,"allowScriptTags":false,"includeIndicatorStyles":false,` +
	`"selfRequestsOnly":true,"historyCacheSize":0,"refreshOnHistoryMiss":true}`

// A Link is an address with its words. The zero Link is none.
type Link struct{ Label, URL string }

// Known reports whether there is a link to draw.
func (l Link) Known() bool { return l.URL != "" }

// Outside reports whether the link leaves the product.
func (l Link) Outside() bool {
	u, err := url.Parse(l.URL)
	return err == nil && u.Host != ""
}

// A Choice is one option of a select.
type Choice struct {
	Name     string // what the form sends
	Label    string
	Selected bool
}

// A FieldError is one fault of a form: the summary links to the control whose
// id is Field, or which has that name.
type FieldError struct {
	Field string // id of the control: "f.clientId", "reason"
	Msg   string
}

// A Notice is something to know before one goes on. The zero Notice is none.
type Notice struct {
	Verdict Verdict // its tone and icon
	Heading string  // states a fact
	Text    string
	Link    Link
	Refused bool // why what was sent was not carried out: the reference of the log stands with it
}

// Known reports whether there is a notice to draw.
func (n Notice) Known() bool { return n.Heading != "" }

// A Shown is one value as it may be shown: a plain one in full, a sealed one by
// its fingerprint. PlainValue and SealedValue make them.
type Shown struct {
	Sealed      bool        // it is a secret: Plain is not drawn, whatever it holds
	Plain       string      // a plain value as JSON: `"US"`, false; client ids without quotes if the handler likes
	Kind        string      // "boolean", "number", "null"; "" for a text
	Fingerprint Fingerprint // of a sealed value
	Length      string      // of a sealed value: "40 characters"
	Same        bool        // its fingerprint equals another one in view: the bars get the accent
	Note        string      // "equals version 4"
}

// PlainValue is a value that may be read by everybody who may read the entry.
func PlainValue(text, kind string) Shown { return Shown{Plain: text, Kind: kind} }

// SealedValue is a secret, shown by its fingerprint and its length.
func SealedValue(f Fingerprint, length string) Shown {
	return Shown{Sealed: true, Fingerprint: f, Length: length}
}

// Empty reports whether there is nothing to show.
func (s Shown) Empty() bool { return !s.Sealed && s.Plain == "" }

// A Sign says what became of a key between two versions.
type Sign int

// The signs of a difference.
const (
	SignKept Sign = iota
	SignRemoved
	SignAdded
)

// A DiffLine is one line of a difference. A changed value is two lines: the
// removed one, then the added one.
type DiffLine struct {
	Sign  Sign
	Key   string
	Shown Shown
}

// Class is the tone of the line.
func (d DiffLine) Class() string { return [...]string{"is-idle", "is-wrong", "is-ok"}[d.Sign] }

// Mark is the sign in front of the line.
func (d DiffLine) Mark() string { return [...]string{" ", "−", "+"}[d.Sign] }

// Word says the sign to who does not see it.
func (d DiffLine) Word() string { return [...]string{"unchanged: ", "removed: ", "added: "}[d.Sign] }
