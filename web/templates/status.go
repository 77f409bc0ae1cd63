package templates

import "fmt"

// A status is what a verdict component draws: a tone, an icon and a word that
// belong together.
type status interface {
	Class() string
	Icon() string
	Word() string
}

// Health is the standing of an entry. The zero Health is HealthNotTested, so
// that nothing is called well that nobody has looked at.
type Health int

// The states of an entry.
const (
	HealthNotTested    Health = iota // there is a test, nobody has run it on this version
	HealthWorks                      // the last test of what is in force was ok
	HealthWrong                      // the last test found something wrong
	HealthInconclusive               // the last test could not decide
	HealthStale                      // tested, but before the last change
	HealthNoTest                     // its connector has no definition with a handshake
)

// healths has one row for each Health, in the order of the constants.
var healths = [...]struct{ name, class, icon, word, phrase string }{
	{"not-tested", "is-idle", "circle-dashed", "Not tested", "not tested"},
	{"works", "is-ok", "circle-check", "Works", "work"},
	{"wrong", "is-wrong", "circle-x", "Wrong", "wrong"},
	{"inconclusive", "is-warn", "circle-question-mark", "Inconclusive", "inconclusive"},
	{"stale", "is-warn", "clock-alert", "Stale", "stale"},
	{"no-test", "is-idle", "minus", "No test", "without a test"},
}

func (h Health) known() bool { return h >= 0 && int(h) < len(healths) }

// Class is the tone of h, a class of app.css. An unknown Health is idle.
func (h Health) Class() string {
	if !h.known() {
		return "is-idle"
	}
	return healths[h].class
}

// Icon is the id of a symbol in icons.svg.
func (h Health) Icon() string {
	if !h.known() {
		return "circle-question-mark"
	}
	return healths[h].icon
}

// Word is h in words for people.
func (h Health) Word() string {
	if !h.known() {
		return "Not known"
	}
	return healths[h].word
}

// Phrase is h after a number of entries: "17 work".
func (h Health) Phrase() string {
	if !h.known() {
		return "not known"
	}
	return healths[h].phrase
}

// String is the name of h in URLs (?health=not-tested). ParseHealth reads it.
func (h Health) String() string {
	if !h.known() {
		return fmt.Sprintf("health %d", int(h))
	}
	return healths[h].name
}

// ParseHealth returns the Health whose String is s and refuses any other text.
func ParseHealth(s string) (Health, error) {
	for h := range healths {
		if healths[h].name == s {
			return Health(h), nil
		}
	}
	return 0, fmt.Errorf("no health is called %q", s)
}

// Healths lists every Health in the order in which filters show them: most
// harm first.
func Healths() []Health {
	return []Health{HealthWrong, HealthInconclusive, HealthStale, HealthNotTested, HealthNoTest, HealthWorks}
}

// Verdict is what a test says about one field or one step. The zero Verdict is
// VerdictNotChecked: what was not looked at is not called ok.
type Verdict int

// The verdicts.
const (
	VerdictNotChecked   Verdict = iota // not looked at
	VerdictOK                          // proven right
	VerdictWrong                       // proven wrong
	VerdictInconclusive                // looked at, and the evidence does not decide
	VerdictWarning                     // right, but worth a look
)

// verdicts has one row for each Verdict, in the order of the constants.
var verdicts = [...]struct{ name, class, icon, seal, word string }{
	{"not-checked", "is-idle", "circle-dashed", "minus", "Not checked"},
	{"ok", "is-ok", "circle-check", "check", "OK"},
	{"wrong", "is-wrong", "circle-x", "x", "Wrong"},
	{"inconclusive", "is-warn", "circle-question-mark", "circle-question-mark", "Inconclusive"},
	{"warning", "is-warn", "triangle-alert", "triangle-alert", "Warning"},
}

func (v Verdict) known() bool { return v >= 0 && int(v) < len(verdicts) }

// Class is the tone of v, a class of app.css. An unknown Verdict is idle.
func (v Verdict) Class() string {
	if !v.known() {
		return "is-idle"
	}
	return verdicts[v].class
}

// Icon is the id of a symbol in icons.svg.
func (v Verdict) Icon() string {
	if !v.known() {
		return "circle-question-mark"
	}
	return verdicts[v].icon
}

// Seal is the icon of the large round seal on a report, without its own circle.
func (v Verdict) Seal() string {
	if !v.known() {
		return "circle-question-mark"
	}
	return verdicts[v].seal
}

// Word is v in words for people.
func (v Verdict) Word() string {
	if !v.known() {
		return "Not known"
	}
	return verdicts[v].word
}

// String is the name of v as records keep it. ParseVerdict reads it.
func (v Verdict) String() string {
	if !v.known() {
		return fmt.Sprintf("verdict %d", int(v))
	}
	return verdicts[v].name
}

// ParseVerdict returns the Verdict whose String is s and refuses any other text.
func ParseVerdict(s string) (Verdict, error) {
	for v := range verdicts {
		if verdicts[v].name == s {
			return Verdict(v), nil
		}
	}
	return 0, fmt.Errorf("no verdict is called %q", s)
}

// worded is a status with a word of its own: "Permission missing" for
// VerdictWrong. The tone and the icon stay those of the status.
type worded struct {
	status
	word string
}

func (w worded) Word() string { return w.word }

// in gives s the word that this place has for it; an empty word keeps its own.
func in(s status, word string) status {
	if word == "" {
		return s
	}
	return worded{s, word}
}

// Label says where a version stands.
type Label int

// The labels of a version.
const (
	LabelNone     Label = iota // an older version
	LabelCurrent               // in force
	LabelPending               // saved, not yet in force
	LabelPrevious              // was in force, accepted until a deadline
)

// labels has one row for each Label, in the order of the constants.
var labels = [...]struct{ class, word string }{
	{"badge", ""},
	{"badge is-current", "In force"},
	{"badge is-pending", "Pending"},
	{"badge", "Previous"},
}

// Shown reports whether there is a badge to draw.
func (l Label) Shown() bool { return l > LabelNone && int(l) < len(labels) }

// Class is the badge's class.
func (l Label) Class() string {
	if !l.Shown() {
		return "badge"
	}
	return labels[l].class
}

// Word is the label in words: "In force".
func (l Label) Word() string {
	if !l.Shown() {
		return ""
	}
	return labels[l].word
}

// noticeIcon is the icon of a notice in the tone of v: without a verdict it is
// a remark.
func (v Verdict) noticeIcon() string {
	if v == VerdictNotChecked {
		return "info"
	}
	return v.Icon()
}
