package guide

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"backoffice/internal/connector"
)

// Hand is what people say of an entry's set-up.
type Hand struct {
	Kind    string            `json:"kind,omitempty"` // of app; "" if nobody chose
	KindBy  string            `json:"kindBy,omitempty"`
	KindAt  time.Time         `json:"kindAt,omitzero"`
	Ticks   map[string]Tick   `json:"ticks,omitempty"`  // by step
	Checks  map[string]Tick   `json:"checks,omitempty"` // by step and item: "live/video"
	Drafts  map[string]string `json:"drafts,omitempty"` // by counter
	DraftBy string            `json:"draftBy,omitempty"`
	DraftAt time.Time         `json:"draftAt,omitzero"`
	Draft   int64             `json:"draft,omitempty"` // rises with every change of Drafts
}

// A Tick is somebody's word that something is done, or not needed.
type Tick struct {
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Note    string    `json:"note,omitempty"`
	Skipped bool      `json:"skipped,omitempty"` // not needed, rather than done
	Kind    string    `json:"kind,omitempty"`    // of app for which there is the step, if not for all
}

// holds reports whether a tick still counts: one on a step of some kinds of app
// rests on the kind, unless it was given before anybody chose one.
func (t Tick) holds(s connector.GuideStep, kind string) bool {
	return len(s.Kinds) == 0 || !t.rests(kind)
}

// check is the key of a checklist's item.
func check(step, item string) string { return step + "/" + item }

// Checked returns who ticked an item of a step's checklist, if somebody did.
func (h Hand) Checked(s connector.GuideStep, item string) (Tick, bool) {
	t, ok := h.Checks[check(s.ID, item)]
	return t, ok && t.holds(s, h.Kind)
}

// A Count is a draft beside what the provider allows.
type Count struct {
	Length  int  // in characters, as people count them: Unicode code points
	Over    int  // how many too many
	Banned  bool // it has in it what must not stand there
	Stopped bool // it ends with a full stop that must not stand there
}

// CountDraft counts a draft.
func CountDraft(c connector.GuideCounter, text string) Count {
	n := utf8.RuneCountInString(text)
	return Count{Length: n, Over: max(0, n-c.Limit), Stopped: c.NoFinalStop && strings.HasSuffix(text, "."),
		Banned: c.Without != "" && strings.Contains(strings.ToLower(text), strings.ToLower(c.Without))}
}

// rests reports whether a tick rests on a kind of app other than this one.
func (t Tick) rests(kind string) bool { return t.Kind != "" && t.Kind != kind }

// dropOther takes away what rests on another kind of app, and returns the keys,
// sorted.
func dropOther(ticks map[string]Tick, kind string) (dropped []string) {
	for key, t := range ticks {
		if t.rests(kind) {
			dropped = append(dropped, key)
		}
	}
	for _, key := range dropped {
		delete(ticks, key)
	}
	slices.Sort(dropped)
	return dropped
}
