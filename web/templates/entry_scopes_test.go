package templates

import (
	"bytes"
	"testing"
)

// A group of topics unfolds where something in it is chosen or cannot arrive.
func TestTopicGroup(t *testing.T) {
	free, chosen := TopicRow{Name: "a"}, TopicRow{Name: "b", Chosen: true, Verdict: VerdictOK}
	always, blocked := TopicRow{Name: "c", Chosen: true, Always: true, Verdict: VerdictOK}, TopicRow{Name: "d", Chosen: true, Verdict: VerdictWrong}
	for _, tt := range []struct {
		topics  []TopicRow
		open    bool
		chosen  string
		blocked int
	}{
		{[]TopicRow{free, free}, false, "0 of 2 chosen", 0},
		{[]TopicRow{free, chosen}, true, "1 of 2 chosen", 0},
		{[]TopicRow{always}, false, "Always on", 0},
		{[]TopicRow{always, free}, false, "0 of 1 chosen, 1 always on", 0},
		{[]TopicRow{{Name: "e", Verdict: VerdictWrong}}, true, "0 of 1 chosen", 1},
		{[]TopicRow{blocked, chosen, free}, true, "2 of 3 chosen", 1},
	} {
		g := TopicGroup{"Read conversations", tt.topics}
		if g.Open() != tt.open || g.chosenWords() != tt.chosen || g.blocked() != tt.blocked {
			t.Errorf("%v: open %v, %q, %d blocked; want %v, %q, %d", tt.topics, g.Open(), g.chosenWords(), g.blocked(), tt.open, tt.chosen, tt.blocked)
		}
		if drawn := bytes.Contains(draw(t, topicGroup(May{Write: true}, g)), []byte(`<details class="group" open>`)); drawn != tt.open {
			t.Errorf("%v: drawn open %v, want %v", tt.topics, drawn, tt.open)
		}
	}
}

// An event that changed nothing offers nothing to compare.
func TestAuditEventFoot(t *testing.T) {
	p := AuditEventPage{Foot: Link{"Compare the versions", "/config/acme:intercom/history"}}
	if p.showsFoot() {
		t.Error("an event without changes has the foot")
	}
	p.Changes = []ChangeRow{{Key: "region"}}
	if !p.showsFoot() {
		t.Error("an event with changes lacks the foot")
	}
	p.Foot = Link{}
	if p.showsFoot() {
		t.Error("there is a foot that leads nowhere")
	}
}

// The panel of what to do is never empty.
func TestRemedyLead(t *testing.T) {
	const nothing = "All that was checked is right. Test again after a change at the provider."
	for _, tt := range []struct {
		r    Report
		want string
	}{
		{Report{}, nothing},
		{Report{RemedyLead: "Known."}, "Known."},
		{Report{Remedy: []RemedyStep{{Text: "Do it."}}}, ""},
		{Report{Lineup: []LineupRow{{Label: "Stored"}}}, ""},
	} {
		if got := tt.r.remedyLead(); got != tt.want {
			t.Errorf("%+v begins with %q, want %q", tt.r, got, tt.want)
		}
	}
}

// A topic that is always on is no choice, on the form as on the tab.
func TestChosenOf(t *testing.T) {
	for want, ticks := range map[string][]Tick{
		"0 of 2 chosen":              {{}, {}},
		"1 of 2 chosen, 1 always on": {{Chosen: true, Fixed: true}, {Chosen: true}, {}},
	} {
		if got := chosenOf(ticks); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
