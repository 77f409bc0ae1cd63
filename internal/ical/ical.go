// Package ical writes iCalendar feeds of all-day events as RFC 5545 has them:
// lines end in CRLF and are folded at 75 octets, text is escaped, every event has
// a UID that stays the same and a DTSTAMP. It knows nothing of what the events are
// about.
package ical

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// A Calendar is what one feed has.
type Calendar struct {
	Product string // who made it: "-//Acme//Program//EN"
	Name    string
	Events  []Event
}

// An Event is one day.
type Event struct {
	UID     string // globally unique, and the same in every feed
	Stamp   time.Time
	Day     time.Time // its day in UTC
	Summary string
	Text    string
	URL     string
	Remind  []int // days before
}

// Encode returns the calendar as text/calendar.
func (c Calendar) Encode() []byte {
	w := &writer{}
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", escape(c.Product))
	w.line("CALSCALE", "GREGORIAN")
	w.line("METHOD", "PUBLISH")
	w.line("X-WR-CALNAME", escape(c.Name))
	w.line("REFRESH-INTERVAL;VALUE=DURATION", "PT12H")
	for _, e := range c.Events {
		w.event(e)
	}
	w.line("END", "VCALENDAR")
	return []byte(w.b.String())
}

type writer struct{ b strings.Builder }

func (w *writer) event(e Event) {
	const date = "20060102"
	w.line("BEGIN", "VEVENT")
	w.line("UID", escape(e.UID))
	w.line("DTSTAMP", e.Stamp.UTC().Format(date+"T150405Z"))
	w.line("DTSTART;VALUE=DATE", e.Day.UTC().Format(date))
	w.line("DTEND;VALUE=DATE", e.Day.UTC().AddDate(0, 0, 1).Format(date))
	w.line("SUMMARY", escape(e.Summary))
	w.line("DESCRIPTION", escape(e.Text))
	if e.URL != "" {
		w.line("URL", printable(e.URL)) // a URI, which has no escapes of text
	}
	w.line("TRANSP", "TRANSPARENT")
	for _, days := range e.Remind {
		w.line("BEGIN", "VALARM")
		w.line("ACTION", "DISPLAY")
		w.line("DESCRIPTION", escape(e.Summary))
		w.line("TRIGGER", fmt.Sprintf("-P%dD", days))
		w.line("END", "VALARM")
	}
	w.line("END", "VEVENT")
}

// fold is how many octets a line has at most, without its end (section 3.1).
const fold = 75

// line writes one content line, folded between characters.
func (w *writer) line(name, value string) {
	rest, room := name+":"+value, fold
	for len(rest) > room {
		cut := room
		for cut > 0 && !utf8.RuneStart(rest[cut]) {
			cut--
		}
		w.b.WriteString(rest[:cut] + "\r\n ")
		rest, room = rest[cut:], fold-1 // the space counts
	}
	w.b.WriteString(rest + "\r\n")
}

// escape writes a text value (section 3.3.11). What cannot be in one is left out.
func escape(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return printable(strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s))
}

// printable drops control characters, so that no value ends its line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}
