package main

import (
	"testing"
	"time"
)

// The clock went back if it is behind what passed by more than a minute; steps
// forward, and small ones back, are what every clock does.
func TestClockCheck(t *testing.T) {
	began := time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)
	var c clockCheck
	wall := began
	for i, step := range []struct{ passed, by, back time.Duration }{
		{0, 0, 0},
		{10 * time.Second, 10 * time.Second, 0},
		{10 * time.Second, -20 * time.Second, 0},
		{10 * time.Second, 3 * time.Hour, 0},
		{10 * time.Second, 10*time.Second - time.Hour, time.Hour},
		{10 * time.Second, 10 * time.Second, 0},
	} {
		wall = wall.Add(step.by)
		if back := c.note(wall, step.passed); back != step.back {
			t.Errorf("step %d: went back by %s, want %s", i, back, step.back)
		}
	}
	if words := c.words(wall); words == "" {
		t.Error("nobody is told")
	}
	if words := c.words(wall.Add(25 * time.Hour)); words != "" {
		t.Errorf("a day later: %q", words)
	}
	if words := new(clockCheck).words(wall); words != "" {
		t.Errorf("with a clock that went well: %q", words)
	}
}
