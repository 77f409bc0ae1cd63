package guide

import (
	"fmt"
	"strings"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/connector"
)

// State is how a step stands.
type State int

// The states.
const (
	Open      State = iota
	Shown           // done, as evidence shows
	ByHand          // done, as somebody says
	Attention       // something of it was found wrong
	NotNeeded       // somebody says that this app does without
)

// A Judgement is how far the set-up of an entry is.
type Judgement struct {
	Steps []Step
	Done  int
	Total int // without what is not needed
}

// A Step is one step of the guide with its state.
type Step struct {
	connector.GuideStep
	N        int // from 1
	State    State
	Why      string    // what the state rests on, in a few words, to follow "Done, ": "Intercom knows the client ID"
	Findings []Finding // one for each of Shows
	Tick     *Tick     // by hand, in force or not
}

// A Finding is what is known about one evidence of a step.
type Finding struct {
	Evidence connector.Evidence
	State    State     // Open, Shown or Attention
	Words    string    // a few words, without a full stop: "Intercom knows the client ID"
	How      string    // a sentence: what was seen
	At       time.Time // when; zero if nothing was seen
	By       string
	Run      string // id of the report that shows it, or ""
	Received string // id of the notification that shows it, or ""
	Mild     bool   // what needs attention does not keep the credentials from working
	Lapsed   bool   // it was shown once, for other values: How says which changed
}

// Judge says how the steps of an app stand. It is pure.
func Judge(def *connector.Definition, f Facts, h Hand) Judgement {
	var out Judgement
	for i, gs := range def.SetUp().For(h.Kind) {
		s := Step{GuideStep: gs, N: i + 1}
		for _, e := range gs.Shows {
			s.Findings = append(s.Findings, find(def, f, e))
		}
		if t, ok := h.Ticks[gs.ID]; ok && t.holds(gs, h.Kind) {
			s.Tick = &t
		}
		s.decide()
		switch s.State {
		case NotNeeded:
		case Shown, ByHand:
			out.Done++
			out.Total++
		default:
			out.Total++
		}
		out.Steps = append(out.Steps, s)
	}
	return out
}

// decide makes one state of the findings and the tick: what was found wrong
// stands above all, evidence above what somebody says.
func (s *Step) decide() {
	var shown, wrong []string
	for _, f := range s.Findings {
		switch f.State {
		case Shown:
			shown = append(shown, f.Words)
		case Attention:
			wrong = append(wrong, f.Words)
		}
	}
	switch {
	case len(wrong) > 0:
		s.State, s.Why = Attention, strings.Join(wrong, "; ")
	case len(shown) > 0 && len(shown) == len(s.Findings):
		s.State, s.Why = Shown, strings.Join(shown, " and ")
	case s.Tick != nil && s.Tick.Skipped:
		s.State, s.Why = NotNeeded, "says "+s.Tick.By
	case s.Tick != nil:
		s.State, s.Why = ByHand, "ticked by "+s.Tick.By
	case len(shown) > 0:
		s.Why = strings.Join(shown, " and ")
	}
}

// find is what is known about one evidence.
func find(def *connector.Definition, f Facts, e connector.Evidence) Finding {
	var out Finding
	switch e {
	case connector.NotificationReceived:
		out = f.received(def)
	case connector.PermissionsDeclared:
		out = f.permissions(def)
	default:
		out = f.tested(def, e)
	}
	out.Evidence = e
	return out
}

// received looks at the last notification. It holds for as long as the value
// that signed it is that of the version that counts, and the provider is the same.
func (f Facts) received(def *connector.Definition) Finding {
	n := f.Received
	if n == nil {
		return Finding{How: "No notification whose signature holds has come yet."}
	}
	out := Finding{At: n.At, Received: n.ID, Lapsed: true}
	came := fmt.Sprintf("A notification%s came whose signature holds with %s of version %d", ofTopic(n.Topic), n.Key, n.Number)
	switch moved := n.moved(def, f.Version); {
	case !n.signedBy(f.Version) && n.Number > f.Version.Number:
		out.How = came + ", which is not in force."
	case !n.signedBy(f.Version):
		out.How = fmt.Sprintf("Was done with version %d: %s has changed since, and none has come that it signed.", n.Number, n.Key)
	case len(moved) > 0:
		out.How = fmt.Sprintf("Was done with version %d: %s changed since, and none has come from there.", n.Number, list(moved)+has(moved))
	default:
		out.State, out.Words, out.Lapsed, out.How = Shown, "a notification came", false, came+"."
	}
	return out
}

// Holds reports whether n shows that notifications come for version v.
func (n Received) Holds(def *connector.Definition, v config.Version) bool {
	return n.signedBy(v) && len(n.moved(def, v)) == 0
}

func (n Received) signedBy(v config.Version) bool {
	k, ok := v.Key(n.Key)
	return ok && string(k.Fingerprint) == n.Fingerprint
}

// moved are the labels of what says where the provider is, and has changed: what
// came from a rehearsal, or from another region, shows nothing of this one.
func (n Received) moved(def *connector.Definition, v config.Version) (labels []string) {
	if n.Version == nil {
		return nil
	}
	for _, key := range def.Addresses() {
		if !same(*n.Version, v, key) {
			labels = append(labels, label(def, key))
		}
	}
	return labels
}

func ofTopic(topic string) string {
	if topic == "" {
		return ""
	}
	return " of the topic " + topic
}
