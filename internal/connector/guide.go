package connector

import (
	"slices"
	"strings"
)

// A Guide is how an app is set up at the provider, step by step, up to an entry
// that works. It is data: which evidence ticks a step, the program knows.
type Guide struct {
	Kinds       []AppKind // kinds of app to choose from; empty: there is only one
	Steps       []GuideStep
	VersionNote string // what is not certain about the newest API version
}

// An AppKind is a sort of app that the provider lets people make.
type AppKind struct {
	ID      string // "public"; stored
	Label   string // as the provider calls it: "Public app"
	Meaning string
}

// A GuideStep is one step. One without Shows is ticked by hand only.
type GuideStep struct {
	ID        string // stored
	Title     string
	Words     string     // what to do
	Optional  bool       // an app works without it
	Kinds     []string   // AppKind IDs for which there is such a step; empty: all
	Shows     []Evidence // all of which show together that it is done
	Copies    []GuideCopy
	Links     []string // labels of Definition.Links
	Notes     []string // one paragraph each
	Checklist []GuideItem
	Counters  []GuideCounter
}

// A GuideCopy is a value to carry to the provider, exactly.
type GuideCopy struct {
	Label string
	Value CopyValue // "" if Text says it
	Text  string    // the value itself, the same for every entry
	Hint  string
}

// A GuideItem is a line of a step's checklist, ticked by hand.
type GuideItem struct {
	ID   string // stored
	Text string
}

// A GuideCounter is a text that the provider limits. Its draft is kept with the
// entry, and counted.
type GuideCounter struct {
	ID          string // stored
	Label       string
	Limit       int    // in characters
	Without     string // what must not stand in it, whatever the case; "" for anything
	NoFinalStop bool   // it does not end with a full stop
	Note        string
}

// Evidence is what the program can find out about a step. Its text is stored in
// definitions and never renamed.
type Evidence string

// The kinds of evidence.
const (
	ClientKnown          Evidence = "client-known"          // the provider knows the client ID
	RedirectUsed         Evidence = "redirect-used"         // a browser came back to the redirect URI, or a test found it registered
	PermissionsDeclared  Evidence = "permissions"           // what the topics and calls of the entry need is declared, and granted where that was seen
	CredentialsProven    Evidence = "credentials"           // a test found client ID and secret good
	NotificationReceived Evidence = "notification-received" // a notification came that a stored secret signed
	ConnectionWorks      Evidence = "connection-works"      // a consent run or an access token reached the API
)

// CopyValue is a value of the entry or of this installation.
type CopyValue string

// The values.
const (
	CopyRedirectURI   CopyValue = "redirectUri"
	CopyWebhookURL    CopyValue = "webhookUrl"
	CopyAPIURL        CopyValue = "apiUrl"
	CopyVersionHeader CopyValue = "versionHeader" // the header that carries the API version, as a line: "Name: value"
	CopyEntry         CopyValue = "entry"         // the entry's id
)

var (
	evidences  = []string{string(ClientKnown), string(RedirectUsed), string(PermissionsDeclared), string(CredentialsProven), string(NotificationReceived), string(ConnectionWorks)}
	copyValues = []string{string(CopyRedirectURI), string(CopyWebhookURL), string(CopyAPIURL), string(CopyVersionHeader), string(CopyEntry)}
)

// For returns the steps that an app of this kind has; "" is an app whose kind
// nobody has chosen, which has all.
func (g Guide) For(kind string) (steps []GuideStep) {
	for _, s := range g.Steps {
		if len(s.Kinds) == 0 || kind == "" || slices.Contains(s.Kinds, kind) {
			steps = append(steps, s)
		}
	}
	return steps
}

// Step returns the step with this id.
func (g Guide) Step(id string) (GuideStep, bool) {
	i := slices.IndexFunc(g.Steps, func(s GuideStep) bool { return s.ID == id })
	if i < 0 {
		return GuideStep{}, false
	}
	return g.Steps[i], true
}

// Kind returns the kind of app with this id.
func (g Guide) Kind(id string) (AppKind, bool) {
	i := slices.IndexFunc(g.Kinds, func(k AppKind) bool { return k.ID == id })
	if i < 0 {
		return AppKind{}, false
	}
	return g.Kinds[i], true
}

// Link returns the page with this label.
func (d *Definition) Link(label string) (Link, bool) {
	i := slices.IndexFunc(d.Links, func(l Link) bool { return l.Label == label })
	if i < 0 {
		return Link{}, false
	}
	return d.Links[i], true
}

// VersionField is the field that chooses the API version: the one of whose
// options some are marked as old.
func (d *Definition) VersionField() (Field, bool) {
	for _, f := range d.Fields {
		if slices.ContainsFunc(f.Options, func(o Option) bool { return o.Old }) {
			return f, true
		}
	}
	return Field{}, false
}

// VersionHeader is the header of the identity call that carries the API version.
func (d *Definition) VersionHeader() (name string, ok bool) {
	f, ok := d.VersionField()
	if !ok || d.Identity == nil {
		return "", false
	}
	for _, name := range sortedKeys(d.Identity.Headers) {
		if d.Identity.Headers[name] == "{"+f.Key+"}" {
			return name, true
		}
	}
	return "", false
}

// Handshake lists the fields whose values decide what is sent to the provider
// and where: the credentials, and all that stands in an address, a header or a
// parameter.
func (d *Definition) Handshake() (keys []string) {
	if d.OAuth == nil {
		return nil
	}
	used := d.usedVariables()
	for _, f := range d.Fields {
		_, inTemplate := used[f.Key]
		if inTemplate || f.setsVariables() || f.Key == d.OAuth.ClientIDKey || f.Key == d.OAuth.ClientSecretKey {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

// Addresses is the part of Handshake that decides where is called.
func (d *Definition) Addresses() (keys []string) {
	if d.OAuth == nil {
		return nil
	}
	inURL := map[string]bool{}
	for name, places := range d.usedVariables() {
		inURL[name] = slices.ContainsFunc(places, func(p place) bool { return p != inText })
	}
	for _, f := range d.Fields {
		if inURL[f.Key] || f.setsVariables() {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

// SetUp is the definition's guide, or one that holds for every provider, made of
// what the definition knows.
func (d *Definition) SetUp() Guide {
	if d.Guide != nil {
		return *d.Guide
	}
	var links []string
	for _, l := range d.Links {
		if l.For == "console" {
			links = append(links, l.Label)
		}
	}
	g := Guide{Steps: []GuideStep{{ID: "register", Title: "Register the app at " + d.Name, Links: links,
		Words: "Sign in to the console of " + d.Name + " and make an app for OAuth there, or open the one that you have."}}}
	if d.OAuth == nil {
		return g
	}
	g.Steps[0].Shows = []Evidence{ClientKnown}
	g.Steps = append(g.Steps, GuideStep{ID: "redirect", Title: "Add the redirect URI", Shows: []Evidence{RedirectUsed},
		Words:  "Add this address to the app, letter by letter: providers compare every character.",
		Copies: []GuideCopy{{Label: "Redirect URI", Value: CopyRedirectURI}}})
	if len(d.Permissions) > 0 {
		g.Steps = append(g.Steps, d.permissionStep())
	}
	g.Steps = append(g.Steps, GuideStep{ID: "credentials", Title: "Copy the credentials", Shows: []Evidence{CredentialsProven},
		Words: "Paste the values that the console shows for the app into the form of the entry, and test the connection."})
	if d.Webhooks != nil && len(d.Webhooks.Signatures) > 0 {
		g.Steps = append(g.Steps, GuideStep{ID: "webhooks", Title: "Receive webhooks", Optional: true, Shows: []Evidence{NotificationReceived},
			Words:  "Add this address to the app for its notifications. The first one whose signature holds ticks this step.",
			Copies: []GuideCopy{{Label: "Webhook URL", Value: CopyWebhookURL}}})
	}
	test := GuideStep{ID: "test", Title: "Test the connection", Shows: []Evidence{ConnectionWorks},
		Words: "Open the tab Test and go on to " + d.Name + ": consent once, and see whether a token comes back and the API takes it."}
	if d.OAuth.APIURL != "" {
		test.Copies = []GuideCopy{{Label: "API address", Value: CopyAPIURL}}
	}
	g.Steps = append(g.Steps, test)
	return g
}

func (d *Definition) permissionStep() GuideStep {
	s := GuideStep{ID: "permissions", Title: "Choose the permissions", Shows: []Evidence{PermissionsDeclared},
		Words: "Choose on the tab Scopes what the entry asks for. Whoever consents sees the whole list, so choose only what is used."}
	if !d.OAuth.SendScopes {
		s.Words = strings.Replace(s.Words, "what the entry asks for", "what is ticked for the app in the console", 1)
	}
	return s
}
