package templates

import "testing"

func TestHealth(t *testing.T) {
	for _, tt := range []struct {
		h                               Health
		name, class, icon, word, phrase string
	}{
		{HealthNotTested, "not-tested", "is-idle", "circle-dashed", "Not tested", "not tested"},
		{HealthWorks, "works", "is-ok", "circle-check", "Works", "work"},
		{HealthWrong, "wrong", "is-wrong", "circle-x", "Wrong", "wrong"},
		{HealthInconclusive, "inconclusive", "is-warn", "circle-question-mark", "Inconclusive", "inconclusive"},
		{HealthStale, "stale", "is-warn", "clock-alert", "Stale", "stale"},
		{HealthNoTest, "no-test", "is-idle", "minus", "No test", "without a test"},
		{Health(99), "health 99", "is-idle", "circle-question-mark", "Not known", "not known"},
		{Health(-1), "health -1", "is-idle", "circle-question-mark", "Not known", "not known"},
	} {
		for what, pair := range map[string][2]string{
			"String": {tt.h.String(), tt.name}, "Class": {tt.h.Class(), tt.class}, "Icon": {tt.h.Icon(), tt.icon},
			"Word": {tt.h.Word(), tt.word}, "Phrase": {tt.h.Phrase(), tt.phrase},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s of Health %d is %q, want %q", what, tt.h, pair[0], pair[1])
			}
		}
		if got, err := ParseHealth(tt.name); tt.h.known() && (err != nil || got != tt.h) {
			t.Errorf("ParseHealth(%q) = %v, %v", tt.name, got, err)
		} else if !tt.h.known() && err == nil {
			t.Errorf("ParseHealth accepts %q", tt.name)
		}
	}
	if len(Healths()) != len(healths) {
		t.Errorf("Healths lists %d of %d", len(Healths()), len(healths))
	}
}

func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		v                                     Verdict
		name, class, icon, seal, word, notice string
	}{
		{VerdictNotChecked, "not-checked", "is-idle", "circle-dashed", "minus", "Not checked", "info"},
		{VerdictOK, "ok", "is-ok", "circle-check", "check", "OK", "circle-check"},
		{VerdictWrong, "wrong", "is-wrong", "circle-x", "x", "Wrong", "circle-x"},
		{VerdictInconclusive, "inconclusive", "is-warn", "circle-question-mark", "circle-question-mark", "Inconclusive", "circle-question-mark"},
		{VerdictWarning, "warning", "is-warn", "triangle-alert", "triangle-alert", "Warning", "triangle-alert"},
		{Verdict(99), "verdict 99", "is-idle", "circle-question-mark", "circle-question-mark", "Not known", "circle-question-mark"},
		{Verdict(-1), "verdict -1", "is-idle", "circle-question-mark", "circle-question-mark", "Not known", "circle-question-mark"},
	} {
		for what, pair := range map[string][2]string{
			"String": {tt.v.String(), tt.name}, "Class": {tt.v.Class(), tt.class}, "Icon": {tt.v.Icon(), tt.icon},
			"Seal": {tt.v.Seal(), tt.seal}, "Word": {tt.v.Word(), tt.word}, "noticeIcon": {tt.v.noticeIcon(), tt.notice},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s of Verdict %d is %q, want %q", what, tt.v, pair[0], pair[1])
			}
		}
		if got, err := ParseVerdict(tt.name); tt.v.known() && (err != nil || got != tt.v) {
			t.Errorf("ParseVerdict(%q) = %v, %v", tt.name, got, err)
		} else if !tt.v.known() && err == nil {
			t.Errorf("ParseVerdict accepts %q", tt.name)
		}
	}
}

func TestUnknownTextIsRefused(t *testing.T) {
	for _, s := range []string{"", "OK", "Works", "works ", "health 1", "0"} {
		if h, err := ParseHealth(s); err == nil {
			t.Errorf("ParseHealth(%q) = %v", s, h)
		}
		if v, err := ParseVerdict(s); err == nil {
			t.Errorf("ParseVerdict(%q) = %v", s, v)
		}
		if th, err := ParseTheme(s); err == nil {
			t.Errorf("ParseTheme(%q) = %v", s, th)
		}
	}
}

func TestTheme(t *testing.T) {
	for _, tt := range []struct {
		theme        Theme
		name, phrase string
		chosen       bool
	}{
		{ThemeSystem, "system", "as the system", false},
		{ThemeLight, "light", "light", true},
		{ThemeDark, "dark", "dark", true},
		{Theme(9), "theme 9", "as the system", false},
	} {
		if tt.theme.String() != tt.name || tt.theme.Phrase() != tt.phrase || tt.theme.Chosen() != tt.chosen {
			t.Errorf("theme %d: %q, %q, %v; want %q, %q, %v", int(tt.theme), tt.theme, tt.theme.Phrase(), tt.theme.Chosen(), tt.name, tt.phrase, tt.chosen)
		}
		if got, err := ParseTheme(tt.name); int(tt.theme) < len(themes) && (err != nil || got != tt.theme) {
			t.Errorf("ParseTheme(%q) = %v, %v", tt.name, got, err)
		}
	}
}

func TestLabel(t *testing.T) {
	for _, tt := range []struct {
		l           Label
		shown       bool
		class, word string
	}{
		{LabelNone, false, "badge", ""},
		{LabelCurrent, true, "badge is-current", "In force"},
		{LabelPending, true, "badge is-pending", "Pending"},
		{LabelPrevious, true, "badge", "Previous"},
		{Label(9), false, "badge", ""},
	} {
		if tt.l.Shown() != tt.shown || tt.l.Class() != tt.class || tt.l.Word() != tt.word {
			t.Errorf("label %d: %v, %q, %q; want %v, %q, %q", tt.l, tt.l.Shown(), tt.l.Class(), tt.l.Word(), tt.shown, tt.class, tt.word)
		}
	}
}

func TestAWordOfItsOwnKeepsTheTone(t *testing.T) {
	s := in(VerdictWrong, "Missing")
	if s.Word() != "Missing" || s.Class() != "is-wrong" || s.Icon() != "circle-x" {
		t.Errorf("%q, %q, %q", s.Word(), s.Class(), s.Icon())
	}
	if got := in(HealthStale, "").Word(); got != "Stale" {
		t.Errorf("without a word of its own it says %q", got)
	}
}
