package ical_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"backoffice/internal/ical"

	parser "github.com/arran4/golang-ical"
)

var day = time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)

func calendar(summary, text string) ical.Calendar {
	return ical.Calendar{Product: "-//BackOffice//BackOffice//EN", Name: "Secrets, that expire", Events: []ical.Event{
		{UID: "u1@backoffice.example", Stamp: day.Add(-time.Hour), Day: day, Summary: summary, Text: text, URL: "https://backoffice.example/config/acme:intercom/rotate", Remind: []int{7, 1}}}}
}

// Another program reads back what was written, whatever stands in the texts.
func TestAnotherParserAgrees(t *testing.T) {
	for _, text := range []string{"", "plain", `a\b;c,d:"e"`, "two\nlines\r\nthree\rfour", strings.Repeat("é", 200), strings.Repeat("語", 99) + ";", strings.Repeat("x", 74), strings.Repeat("x", 300),
		"BEGIN:VEVENT\r\nUID:evil\r\nEND:VEVENT", "a\x00b\x7fc"} {
		b := calendar("S "+text, "T "+text).Encode()
		got, err := parser.ParseCalendar(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%q: %v\n%s", text, err, b)
		}
		events := got.Events()
		if len(events) != 1 || events[0].Id() != "u1@backoffice.example" {
			t.Fatalf("%q: %d events\n%s", text, len(events), b)
		}
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "", "\x7f", "").Replace(text)
		for name, value := range map[parser.ComponentProperty]string{parser.ComponentPropertySummary: "S " + want, parser.ComponentPropertyDescription: "T " + want} {
			if p := events[0].GetProperty(name); p == nil || parser.FromText(p.Value) != value && p.Value != value {
				t.Errorf("%s of %q is read as %+v", name, text, p)
			}
		}
		at, err := events[0].GetAllDayStartAt()
		if err != nil || !at.Equal(day) {
			t.Errorf("the day is %v, %v", at, err)
		}
		if alarms := events[0].Alarms(); len(alarms) != 2 || alarms[0].GetProperty(parser.ComponentPropertyTrigger).Value != "-P7D" || alarms[1].GetProperty(parser.ComponentPropertyTrigger).Value != "-P1D" {
			t.Errorf("alarms: %+v", alarms)
		}
	}
}

// Every line is as section 3.1 has it.
func TestLines(t *testing.T) {
	b := string(calendar(strings.Repeat("語é", 80), strings.Repeat("ab,", 90)).Encode())
	if !strings.HasSuffix(b, "END:VCALENDAR\r\n") || strings.Count(b, "\n") != strings.Count(b, "\r\n") || strings.Count(b, "\r") != strings.Count(b, "\r\n") {
		t.Errorf("ends of lines: %q", b)
	}
	folded := 0
	for _, line := range strings.Split(strings.TrimSuffix(b, "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || line == "" {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
		if strings.HasPrefix(line, " ") {
			folded++
		}
	}
	if folded < 5 {
		t.Errorf("%d lines are folded", folded)
	}
	for _, want := range []string{"DTSTART;VALUE=DATE:20270131\r\n", "DTEND;VALUE=DATE:20270201\r\n", "DTSTAMP:20270130T230000Z\r\n", "X-WR-CALNAME:Secrets\\, that expire\r\n", "TRANSP:TRANSPARENT\r\n"} {
		if !strings.Contains(b, want) {
			t.Errorf("there is no %q in\n%s", want, b)
		}
	}
}
