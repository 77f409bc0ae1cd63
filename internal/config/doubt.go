package config

import (
	"fmt"
	"slices"
)

// A Doubt is a reason to look at a value again before it is trusted. It never
// keeps a value from being saved: formats change, and the person may know better.
// It holds neither the value nor a part of it.
type Doubt struct {
	Key    string // of the value
	Label  string // what the form calls it
	Kind   DoubtKind
	Found  string // what is odd about it, in a sentence
	Remedy string // what to do, in a sentence or two
	Other  ID     // with SharedValue: an entry that has the same value
}

// Words are what is odd and what to do.
func (d Doubt) Words() string { return d.Found + " " + d.Remedy }

// A DoubtKind is what a Doubt is about.
type DoubtKind int

// The kinds, in the order in which the doubts of one value are said.
const (
	InvisibleCharacter DoubtKind = iota // in a key of one's own, from which nothing is removed
	SpaceAround                         // at an end of such a key
	Placeholder                         // an example, a mask, a shortened value
	LabelAlong                          // "client_secret=…", "Bearer …"
	WebAddress                          // a whole URL
	LineBreak
	SpaceInside
	QuotationMark
	TrailingPunctuation
	PercentEncoded
	Base64Encoded
	DashForHyphen
	NotASCII
	OtherThing   // the known looks of another thing, or of another provider's
	SameAsID     // id and secret are equal
	Swapped      // id and secret stand in each other's place
	SharedValue  // another entry has it too
	doubtKindEnd // how many there are
)

var doubtKinds = [doubtKindEnd]string{"invisible-character", "space-around", "placeholder", "label-along", "web-address", "line-break", "space-inside",
	"quotation-mark", "trailing-punctuation", "percent-encoded", "base64-encoded", "dash-for-hyphen", "not-ascii", "other-thing", "same-as-id", "swapped", "shared-value"}

// DoubtKinds lists all kinds in their order.
func DoubtKinds() []DoubtKind {
	out := make([]DoubtKind, doubtKindEnd)
	for i := range out {
		out[i] = DoubtKind(i)
	}
	return out
}

func (k DoubtKind) String() string {
	if k < 0 || k >= doubtKindEnd {
		return fmt.Sprintf("DoubtKind(%d)", int(k))
	}
	return doubtKinds[k]
}

// MarshalText refuses a kind that does not exist.
func (k DoubtKind) MarshalText() ([]byte, error) {
	if k < 0 || k >= doubtKindEnd {
		return nil, fmt.Errorf("there is no kind of doubt %d", int(k))
	}
	return []byte(doubtKinds[k]), nil
}

// UnmarshalText refuses unknown text.
func (k *DoubtKind) UnmarshalText(text []byte) error {
	i := slices.Index(doubtKinds[:], string(text))
	if i < 0 {
		return fmt.Errorf("there is no kind of doubt %q", text)
	}
	*k = DoubtKind(i)
	return nil
}
