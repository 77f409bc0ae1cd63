package webhook

import (
	"fmt"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/secret"
)

// A Verdict is what the signature of a notification proves. Its text is stored.
type Verdict string

// The verdicts. Only OK is accepted.
const (
	OK        Verdict = "ok"        // an accepted secret signed exactly these bytes
	Stale     Verdict = "stale"     // it did, but at a time that is too far from now: it may be a replay
	Mismatch  Verdict = "mismatch"  // a signature of the right form, which no accepted secret gives
	Malformed Verdict = "malformed" // the header does not have the form of the definition
	Unsigned  Verdict = "unsigned"  // no header that carries a signature
	NoSecret  Verdict = "no-secret" // the entry holds no value to verify with
)

// Verdicts lists all verdicts, OK first.
func Verdicts() []Verdict { return []Verdict{OK, Stale, Mismatch, Malformed, Unsigned, NoSecret} }

// ParseVerdict returns the verdict that s names, and refuses any other text.
func ParseVerdict(s string) (Verdict, error) {
	for _, v := range Verdicts() {
		if string(v) == s {
			return v, nil
		}
	}
	return "", fmt.Errorf("unknown verdict %q", s)
}

// A Standing is where the version of a secret stood when a notification came.
type Standing string

// The standings. Secrets of the first three are accepted; Expired and Older ones
// only explain.
const (
	Current  Standing = "current"
	Previous Standing = "previous" // until its deadline
	Pending  Standing = "pending"
	Expired  Standing = "expired" // previous, after its deadline
	Older    Standing = "older"   // neither
)

// A Signer is the stored value that signed a notification, without the value.
type Signer struct {
	Entry       config.ID          `json:"entry"`
	Version     int                `json:"version"`
	Standing    Standing           `json:"standing"`
	Key         string             `json:"key"` // "clientSecret"
	Fingerprint secret.Fingerprint `json:"fingerprint"`
	Until       time.Time          `json:"until,omitzero"` // the deadline of a previous one
}

// A Cause is why a signature does not hold, as the search for a variant that
// does hold found it. Its text is stored.
type Cause string

// The causes. Unknown means that no variant of any known secret holds.
const (
	ExpiredSecret  Cause = "expired-secret"  // signed with a secret of this entry that is no longer accepted
	OtherAlgorithm Cause = "other-algorithm" // SHA-256 where SHA-1 is expected
	OtherEncoding  Cause = "other-encoding"  // base64 where hex is expected
	OtherPrefix    Cause = "other-prefix"    // the prefix is missing, or one too many
	ChangedBody    Cause = "changed-body"    // the body was written anew, or lost or got a line break, on the way
	OtherContent   Cause = "other-content"   // another text was signed: with or without the timestamp
	WrongHeader    Cause = "wrong-header"    // it holds, but in the header of another kind of notification, or in one that the definition does not name
	BadForm        Cause = "bad-form"        // the header stands there twice, or has more or less in it than a signature
	OtherTime      Cause = "other-time"      // it holds, but was made too long before it came, or after
	HoldsNow       Cause = "holds-now"       // it holds with a secret that is accepted by now
	NoSignature    Cause = "no-signature"    // no header carries one
	UnknownSecret  Cause = "unknown-secret"
)

// An Explanation says why a signature does not hold.
type Explanation struct {
	Causes []Cause `json:"causes"`           // in the order of their weight; UnknownSecret, BadForm or NoSignature alone if nothing holds
	Words  string  `json:"words"`            // what was found, a sentence or two
	Remedy string  `json:"remedy"`           // what to do about the first cause, in a sentence
	Signer *Signer `json:"signer,omitempty"` // whose secret holds; nil if none
	Tried  int     `json:"tried"`            // how many variants were computed
	// What holds, if something does: for the page to show beside what came.
	Header    string `json:"header,omitempty"`
	Algorithm string `json:"algorithm,omitempty"`
	Encoding  string `json:"encoding,omitempty"`
	Prefix    string `json:"prefix,omitempty"`
	Body      string `json:"body,omitempty"` // which form of the body was signed, in words: "written without spaces"; "" for the one that came
}

// A Header is one line of what came, credentials and signatures of other schemes
// taken out.
type Header struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Redacted bool   `json:"redacted,omitempty"`
}

// A Notification is what is kept of one request, without its body.
type Notification struct {
	Owner    string        `json:"owner"` // the id of the entry; the address alone ("intercom") if several entries share it and none signed
	ID       string        `json:"id"`    // ours: orders by arrival, unique in this installation
	Address  string        `json:"address"`
	Received time.Time     `json:"received"`
	Took     time.Duration `json:"took"`             // from the first byte of the request until it went to the store; from slow on, until it was durable
	Status   int           `json:"status"`           // what was answered
	From     string        `json:"from"`             // address of the sender, as the server believes it
	Source   string        `json:"source,omitempty"` // label of the provider's documented range that From is in

	Verdict     Verdict      `json:"verdict"`
	Signature   string       `json:"signature,omitempty"` // the header that carried it
	Signer      *Signer      `json:"signer,omitempty"`    // who signed; nil if none of the accepted
	Untried     int          `json:"untried,omitempty"`   // entries behind the address that were too many for so long a body
	Explanation *Explanation `json:"explanation,omitempty"`

	ProviderID string    `json:"providerId,omitempty"`
	Repeats    string    `json:"repeats,omitempty"` // ID of the first one with the same ProviderID; "" if this is the first
	Topic      string    `json:"topic,omitempty"`
	Account    string    `json:"account,omitempty"`
	Happened   time.Time `json:"happened,omitzero"`
	FirstSent  time.Time `json:"firstSent,omitzero"`
	Attempt    int       `json:"attempt,omitempty"`

	Method      string   `json:"method"`
	ContentType string   `json:"contentType,omitempty"`
	Length      int      `json:"length"` // of the body, in bytes
	Headers     []Header `json:"headers,omitempty"`
	Test        bool     `json:"test,omitempty"` // sent by this program itself
	Replays     []Replay `json:"replays,omitempty"`
}

// Good reports whether it was accepted.
func (n Notification) Good() bool { return n.Verdict == OK }

// A Replay is one kept notification sent to a target again.
type Replay struct {
	Time   time.Time     `json:"time"`
	By     string        `json:"by"`
	Target string        `json:"target"`           // without query and user information
	Status int           `json:"status,omitempty"` // 0 if there was no answer
	Took   time.Duration `json:"took"`
	Signer *Signer       `json:"signer,omitempty"`
	Words  string        `json:"words"` // the result, in a sentence
}
