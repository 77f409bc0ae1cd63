package templates

import "fmt"

// Arrival is what became of a notification. The zero Arrival is ArrivalUnknown,
// so that nothing is called valid that nobody has verified.
type Arrival int

// The arrivals. All from ArrivalStale on were refused.
const (
	ArrivalUnknown   Arrival = iota // a verdict that this program does not know
	ArrivalValid                    // an accepted secret signed exactly these bytes
	ArrivalRepeated                 // valid, and it was there before
	ArrivalStale                    // signed too long ago
	ArrivalMismatch                 // no accepted secret gives its signature
	ArrivalMalformed                // its signature has another form
	ArrivalUnsigned                 // it carries no signature
	ArrivalNoSecret                 // there is no value to verify with
)

// arrivals has one row for each Arrival, in the order of the constants.
var arrivals = [...]struct{ class, icon, word string }{
	{"is-idle", "circle-question-mark", "Not known"},
	{"is-ok", "circle-check", "Valid"},
	{"is-warn", "copy", "Valid, repeated"},
	{"is-warn", "clock-alert", "Too old"},
	{"is-wrong", "circle-x", "No secret matches"},
	{"is-wrong", "circle-x", "Malformed signature"},
	{"is-wrong", "circle-x", "Not signed"},
	{"is-warn", "triangle-alert", "Nothing to check with"},
}

func (a Arrival) known() bool { return a >= 0 && int(a) < len(arrivals) }

// Class is the tone of a, a class of app.css. An unknown Arrival is idle.
func (a Arrival) Class() string {
	if !a.known() {
		return "is-idle"
	}
	return arrivals[a].class
}

// Icon is the id of a symbol in icons.svg.
func (a Arrival) Icon() string {
	if !a.known() {
		return "circle-question-mark"
	}
	return arrivals[a].icon
}

// Word is a in words for people.
func (a Arrival) Word() string {
	if !a.known() {
		return "Not known"
	}
	return arrivals[a].word
}

// Refused reports whether the notification was not accepted.
func (a Arrival) Refused() bool { return a >= ArrivalStale && a.known() }

// String names a in tests and messages.
func (a Arrival) String() string { return fmt.Sprintf("arrival %d (%s)", int(a), a.Word()) }
