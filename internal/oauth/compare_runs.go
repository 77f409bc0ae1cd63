package oauth

import (
	"fmt"
	"strings"
)

// A Difference is what changed from one run of an entry to another.
type Difference struct {
	SameValues bool          // both tested the same content
	Fields     []FieldChange // whose verdict is another, in the order of the later run
	Steps      []StepChange  // whose answer is another, in the order of the later run; then those that it has not
}

// A FieldChange is a field with another verdict. What a run did not judge is
// NotChecked in it.
type FieldChange struct {
	Field         Field
	Before, After FieldVerdict
}

// A StepChange is a step with another answer. Before or After is nil in the run
// that has no such step.
type StepChange struct {
	Name          string
	Before, After *StepAnswer
}

// A StepAnswer is what a step brought, as far as two runs can be compared by it: a
// request id or a time differs in every run and says nothing.
type StepAnswer struct {
	Verdict Verdict
	Status  string // "401 Unauthorized"; "" if there was no answer
	Code    string // the provider's word for the error: text of theirs
}

// Between says what changed from a to b. Steps belong together by the letter of
// their question, and where there is none by their name. It is pure.
func Between(a, b Report) Difference {
	d := Difference{SameValues: a.ContentHash == b.ContentHash}
	for _, f := range append(b.Fields[:len(b.Fields):len(b.Fields)], a.Fields...) {
		before, after := a.Field(f.Field), b.Field(f.Field)
		if before.Verdict != after.Verdict && !d.has(f.Field) {
			d.Fields = append(d.Fields, FieldChange{f.Field, before, after})
		}
	}
	was, is := answersOf(a), answersOf(b)
	for _, k := range is.order {
		after := is.of[k]
		before, known := was.of[k]
		switch {
		case !known:
			d.Steps = append(d.Steps, StepChange{Name: is.names[k], After: &after})
		case before != after:
			d.Steps = append(d.Steps, StepChange{Name: is.names[k], Before: &before, After: &after})
		}
	}
	for _, k := range was.order {
		if before := was.of[k]; is.names[k] == "" {
			d.Steps = append(d.Steps, StepChange{Name: was.names[k], Before: &before})
		}
	}
	return d
}

func (d Difference) has(f Field) bool {
	for _, c := range d.Fields {
		if c.Field == f {
			return true
		}
	}
	return false
}

// A sheet is the answers of a run, by what finds them again in another.
type sheet struct {
	order []string
	of    map[string]StepAnswer
	names map[string]string
}

func answersOf(r Report) sheet {
	out := sheet{of: map[string]StepAnswer{}, names: map[string]string{}}
	times := map[string]int{}
	for _, st := range r.Steps {
		key := "named " + st.Name
		if st.Probe != "" {
			key = "asked " + st.Probe
		}
		times[key]++
		key = fmt.Sprintf("%s %d", key, times[key]) // a question may be asked twice
		out.order = append(out.order, key)
		out.of[key], out.names[key] = st.answered(), st.Name
	}
	return out
}

// answered reads the status and the error code off the lines of the step.
func (st Step) answered() StepAnswer {
	a := StepAnswer{Verdict: st.Verdict}
	if st.Probe != "" { // what it is taken to mean is the verdict of a field, not an answer
		a.Verdict = NotChecked
	}
	for _, l := range st.Received {
		switch name := l.Name[strings.LastIndex(l.Name, ".")+1:]; {
		case l.In == InHeader || l.Redacted: // a code that was taken out is no word for an error
		case name == "Status":
			a.Status = l.Value
		case a.Code == "" && (name == "error" || name == "code" || name == "error_code" || name == "errorCode"):
			a.Code = l.Value
		}
	}
	if a.Status == "" && st.Exchange != nil && st.Exchange.Status != 0 {
		a.Status = fmt.Sprint(st.Exchange.Status)
	}
	return a
}
