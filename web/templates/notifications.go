package templates

import (
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// NotificationsPage is GET /webhooks: the last notifications of all entries. Its
// form takes verdict, entry, topic, account, from and to as a query.
type NotificationsPage struct {
	Frame
	Lead     string // "What providers sent, newest first. Times are UTC."
	Verdicts []Choice
	Entry    string // as typed
	Topic    string
	Account  string
	From     string // as a datetime-local value: "2026-09-17T00:00"
	To       string
	Errors   []FieldError // "from" is no time
	Filtered bool         // some filter is set
	News     NotificationList
	Older    string // address of older ones; "" if there are none
	Newest   string // address of the newest ones; "" if these are they
	Again    string // address of this page: without scripts it is how to look again
}

// A NotificationList is what goes on by itself on a page: the list at /webhooks,
// and that of the tab Webhooks. NotificationNews draws it for an event.
type NotificationList struct {
	Events  string // address of its server-sent events; "" for a list that stands still
	Entries bool   // with a column for the entry
	Rows    []NotificationRow
	Showing string         // "50 notifications"; in the tab "1,284 in 24 hours, 3 refused"
	Nothing Empty          // what stands where the rows would be
	State   HookState      // of the tab; the zero HookState draws nothing
	Topics  []TopicArrival // of the tab: what came last of each topic
}

// Empty says why there is nothing, and what to do next.
type Empty struct {
	Heading string
	Text    string
	Action  Link // the zero Link is none
}

// A HookState says how notifications of an entry arrive.
type HookState struct {
	Verdict  Verdict
	Word     string // "Notifications arrive"
	Sentence string // "1,284 came in 24 hours, 3 of them were refused."
	Last     Time   // the last one; the zero Time if none came
	Why      Link   // to the refused ones; the zero Link if there are none
}

// Known reports whether there is a state to draw.
func (s HookState) Known() bool { return s.Word != "" }

// A TopicArrival is when the last notification of a topic came.
type TopicArrival struct {
	Topic string
	When  Time
}

// Cell is the id of the topic's cell on the tab.
func (t TopicArrival) Cell() string { return topicCell(t.Topic) }

func topicCell(topic string) string { return "last-" + slug(topic) }

// A NotificationRow is one notification of a list.
type NotificationRow struct {
	ID         string // ours
	URL        string // of its page
	When       Time
	Entry      Link // without a URL if there is no such entry
	Topic      string
	Arrival    Arrival // with Word
	Word       string  // "Body changed"; "" is the word of the Arrival
	ProviderID string
	Took       string // "38 ms"
	Test       bool   // this program sent it
}

// topicWords is what a row is called where it has no topic.
func (r NotificationRow) topicWords() string {
	if r.Topic == "" {
		return "no topic"
	}
	return r.Topic
}

// heard is the row in a sentence for screen readers.
func (r NotificationRow) heard() string {
	return r.topicWords() + ", " + in(r.Arrival, r.Word).Word()
}

// NotificationPage is GET /notifications/:owner/:id: one notification.
type NotificationPage struct {
	Frame
	Initial  string // of the connector: "In"
	Topic    string // begins the headline; "" reads "A notification"
	Headline string // goes on: "came from Intercom, unchanged"
	When     Time
	For      Link   // the entry; without a URL if there is none
	Answered string // "answered with 200 after 38 ms"
	Download string // address of the raw bytes

	Arrival   Arrival // with Word
	Word      string
	Why       Why // why it was refused; the zero Why for one that was accepted
	Steps     []SignatureStep
	Proves    string // what the result means, a sentence
	Content   Content
	Headers   []Line
	Facts     []NotificationFact
	Times     []NotificationFact
	Replay    ReplayForm
	Replays   []ReplayRow
	OfEntry   Link // all notifications of the entry
	OfLog     Link // what the audit log has of the entry; zero for who may not see it
	OfAccount Link
}

// title is what the page is called in the crumbs.
func (p NotificationPage) title() string {
	if p.Topic == "" {
		return "A notification"
	}
	return p.Topic
}

// A Why explains why a signature does not hold.
type Why struct {
	Heading string // "The body was changed on the way"
	Text    string // what was found
	Remedy  string // what to do
	Facts   []Fact // the variant that holds, beside what was expected
	Signer  Signed // whose value holds; the zero Signed for none
	Tried   string // "96 variants were tried"
	Action  Link
}

// Known reports whether there is something to explain.
func (w Why) Known() bool { return w.Heading != "" }

// holds reports whether a variant of the signature was found.
func (w Why) holds() bool { return w.Signer.Known() || len(w.Facts) > 0 }

// Signed is a stored value that signed, by its fingerprint.
type Signed struct {
	Words       string // "clientSecret of version 6, in force"
	Fingerprint Fingerprint
	Link        Link // the version, if it is still there
}

// Known reports whether there is a value to name.
func (s Signed) Known() bool { return s.Words != "" }

// A SignatureStep is one step of the check of a signature.
type SignatureStep struct {
	Title       string // "1. The header that came"
	What        string // "X-Hub-Signature"
	Code        bool   // What is monospaced
	Judged      bool   // What is drawn with Verdict
	Verdict     Verdict
	Text        string
	Fingerprint Fingerprint
	Plain       string // a header's text: "sha1=ea90…"
}

// class is the tone of the step, if it decided something.
func (s SignatureStep) class() string {
	if !s.Judged {
		return "is-idle"
	}
	return s.Verdict.Class()
}

// Content is the body of a notification, ready to show.
type Content struct {
	Caption string // "application/json, 484 bytes, shown indented"
	Spans   []Span
	Cut     string // what is not shown; "" if all is
}

// Shown reports whether there is a body to draw.
func (c Content) Shown() bool { return len(c.Spans) > 0 }

// SpanKind is what a part of a body is.
type SpanKind int

// The kinds of parts.
const (
	SpanPlain SpanKind = iota
	SpanKey            // the name of a member
	SpanRead           // a value that the definition reads
	SpanOdd            // written out, because it could not be seen or would turn the text round
)

// A Span is a part of a body in one kind.
type Span struct {
	Kind SpanKind
	Text string
}

// class is the class of the span; "" draws plain text.
func (s Span) class() string {
	switch s.Kind {
	case SpanKey:
		return "k"
	case SpanRead:
		return "s"
	case SpanOdd:
		return "odd"
	}
	return ""
}

// spans draws the parts of a body exactly: templ would add white space between
// them, and a browser drops a line break at the beginning of what is preformatted.
func spans(list []Span) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		b.WriteByte('\n')
		for _, s := range list {
			class := s.class()
			if class == "" {
				b.WriteString(templ.EscapeString(s.Text))
				continue
			}
			b.WriteString(`<span class="` + class + `">` + templ.EscapeString(s.Text) + `</span>`)
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// A NotificationFact is a name and what it stands for.
type NotificationFact struct {
	Label string
	Text  string
	Code  bool
	When  Time    // drawn exactly, instead of Text
	Link  Link    // drawn instead of Text
	Note  string  // after it
	Tone  Verdict // of Note; VerdictNotChecked is a hint
}

// toned reports whether the note is drawn in a tone.
func (f NotificationFact) toned() bool { return f.Tone != VerdictNotChecked }

// A ReplayForm sends the notification again. It posts target to
// /notifications/:owner/:id/replay. The zero ReplayForm draws no form.
type ReplayForm struct {
	Action string
	Target string // as typed
	Error  string
	Hint   string // with which signature it is sent
}

// Shown reports whether the notification may be sent again.
func (r ReplayForm) Shown() bool { return r.Action != "" }

// described are the ids of what describes the field.
func (r ReplayForm) described() string {
	if r.Error != "" {
		return "target-error target-hint"
	}
	return "target-hint"
}

// A ReplayRow is one time that it was sent again.
type ReplayRow struct {
	When    Time
	By      string
	Target  string
	Verdict Verdict
	Word    string // "200", "No answer"
	Words   string // the result, in a sentence
	Took    string
	Record  string // address of its event in the audit log; "" for who may not see it
}

// A SendTest sends a test notification from the tab Webhooks. It posts topic to
// /config/:id/webhooks/send. The zero SendTest draws nothing.
type SendTest struct {
	Topics []Choice
	Note   string // what it does
	Error  string // why nothing was sent, of what was asked
	Result SentTest
}

// Shown reports whether there is a form to draw.
func (s SendTest) Shown() bool { return len(s.Topics) > 0 }

// A SentTest is how a test notification fared, from sending it to the verdict.
type SentTest struct {
	Verdict Verdict
	Heading string // "The test notification arrived and is valid"
	Text    string // what it means, or what to do
	Steps   []SignatureStep
	Link    Link // the notification
}

// Known reports whether there is a result to draw.
func (s SentTest) Known() bool { return s.Heading != "" }
