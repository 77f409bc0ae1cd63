package templates

import "strconv"

// EntryWebhooksPage is GET /config/:id/webhooks. Its form posts topic
// (repeated), base, revision, reason and then there.
type EntryWebhooksPage struct {
	Frame
	Entry      EntryHead
	None       string // why there are no webhooks, a whole sentence; "" if there are
	Provider   string
	URL        string // to paste at the provider, verbatim
	URLHint    string // where to paste it
	SigningKey string // the key whose value signs: "clientSecret"; "" if none is set
	SignedBy   string // "the client secret of version 6"
	Signing    Fingerprint
	Also       []Signed // whose values are accepted too
	Shared     string   // who shares the short address; "" if nobody does
	Rules      []SignatureRule
	Heading    string // "One of five topics cannot arrive"
	Groups     []TopicGroup
	Aliases    []AliasRow
	Notes      []string
	Source     string // "Chosen in version 7, pending"
	Save       SaveForm
	Console    Link
	ShowsNews  bool             // the last notifications may be seen
	News       NotificationList // with State and Topics
	All        Link             // to the list of all of the entry
	SendTest   SendTest
}

// A SignatureRule is how one header signs a notification.
type SignatureRule struct {
	Header string // "X-Hub-Signature"
	How    string // "HMAC-SHA1 over the raw body, in hex after sha1="
	For    string // which notifications carry it
}

// A TopicGroup is the topics that need the same permission.
type TopicGroup struct {
	Permission string // "Read conversations", or why none is named; "" reads "No permission needed"
	Topics     []TopicRow
}

// Open reports whether the group is unfolded at first: somebody chose one of its
// topics, or one of them cannot arrive.
func (g TopicGroup) Open() bool { return g.chosen() > 0 || g.blocked() > 0 }

// chosen counts the topics that somebody chose. One that cannot be switched off
// is no choice.
func (g TopicGroup) chosen() (n int) {
	for _, t := range g.Topics {
		if t.Chosen && !t.Always {
			n++
		}
	}
	return n
}

// blocked counts the topics that cannot arrive.
func (g TopicGroup) blocked() (n int) {
	for _, t := range g.Topics {
		if t.Verdict == VerdictWrong {
			n++
		}
	}
	return n
}

func (g TopicGroup) chosenWords() string {
	always := 0
	for _, t := range g.Topics {
		if t.Always {
			always++
		}
	}
	words := strconv.Itoa(g.chosen()) + " of " + strconv.Itoa(len(g.Topics)-always) + " chosen"
	switch always {
	case 0:
		return words
	case len(g.Topics):
		return "Always on"
	}
	return words + ", " + strconv.Itoa(always) + " always on"
}

func (g TopicGroup) blockedWords() string { return strconv.Itoa(g.blocked()) + " cannot arrive" }

// A TopicRow is one topic.
type TopicRow struct {
	Name    string
	Chosen  bool
	Always  bool    // cannot be switched off
	Verdict Verdict // with Word
	Word    string  // "Ready", "Permission missing", "Not chosen"
	Note    string
	Last    Time // when the last notification of it came
}

// chosenNever reports whether it is worth saying that none came yet.
func (r TopicRow) chosenNever() bool { return r.Chosen && !r.Last.Known() }

// Control is the id of the row's checkbox.
func (r TopicRow) Control() string { return "topic-" + slug(r.Name) }

// An AliasRow maps a name of another guide to current topics.
type AliasRow struct {
	Alias  string
	Topics []string
	Note   string
}

// caption heads the topics of the group.
func (g TopicGroup) caption() string {
	if g.Permission == "" {
		return "No permission needed"
	}
	return g.Permission
}

// tail is what stands after the header's name.
func (r SignatureRule) tail() string {
	out := ""
	if r.How != "" {
		out += ", " + r.How
	}
	if r.For != "" {
		out += ". For: " + r.For
	}
	return out
}
