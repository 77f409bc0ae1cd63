package templates

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Time is an instant, ready to show. The zero Time is "never". TimeAt makes one.
type Time struct {
	ISO   string // 2026-09-17T14:32:40Z, for machines
	Exact string // 2026-09-17 14:32:40 UTC
	Ago   string // "4 minutes ago", "in 6 days"
}

// Known reports whether there is an instant to show.
func (t Time) Known() bool { return t.ISO != "" }

// TimeAt prepares t as seen from now. A zero t gives the zero Time.
func TimeAt(t, now time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	t = t.UTC()
	return Time{
		ISO:   t.Format("2006-01-02T15:04:05Z"),
		Exact: t.Format("2006-01-02 15:04:05") + " UTC",
		Ago:   ago(now.UTC().Sub(t)),
	}
}

// ago says how long d is, backwards or forwards, in the largest unit that fits.
func ago(d time.Duration) string {
	future := d < 0
	if future {
		d = -d
	}
	if d < 45*time.Second {
		return "just now"
	}
	words := span(d)
	if future {
		return "in " + words
	}
	return words + " ago"
}

// span is a length of time in one unit: "3 weeks".
func span(d time.Duration) string {
	const day = 24 * time.Hour
	for _, u := range []struct {
		below, unit time.Duration
		word        string
	}{
		{time.Hour - 30*time.Second, time.Minute, "minute"},
		{day - 30*time.Minute, time.Hour, "hour"},
		{14 * day, day, "day"},
		{61 * day, 7 * day, "week"},
		{365 * day, 30 * day, "month"},
		{1 << 62, 365 * day, "year"},
	} {
		if d < u.below {
			return plural(max(1, int((d+u.unit/2)/u.unit)), u.word)
		}
	}
	return "a very long time"
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// Count writes n with a comma after every third digit: 48,213.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return sign + b.String()
}

// Took writes how long something took: "88 ms", "1.51 s", "11.2 s".
func Took(d time.Duration) string {
	switch {
	case d < 0:
		return "0 ms"
	case d < time.Millisecond && d > 0:
		return "under 1 ms"
	case d < 999500*time.Microsecond:
		return strconv.FormatInt(int64((d+time.Millisecond/2)/time.Millisecond), 10) + " ms"
	case d < 9995*time.Millisecond:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// Size writes a number of bytes: "41.8 MB". Units are powers of 1000.
func Size(n int64) string {
	if n < 1000 {
		return plural(int(n), "byte")
	}
	f, units := float64(n), "kMGTPE"
	for {
		f /= 1000
		if f < 999.95 || len(units) == 1 {
			return fmt.Sprintf("%.1f %cB", f, units[0])
		}
		units = units[1:]
	}
}

// A Fingerprint is twelve lower-case hex digits without spaces. Equal
// fingerprints mean equal values.
type Fingerprint string

// Known reports whether there is a fingerprint to draw.
func (f Fingerprint) Known() bool { return f != "" }

// Words is the fingerprint in groups of four: "9c41 e07b 5d2f".
func (f Fingerprint) Words() string {
	if len(f) != 12 {
		return string(f)
	}
	return string(f[:4] + " " + f[4:8] + " " + f[8:])
}

// bars is the path of twelve bars, drawn from the bottom of a box 36 wide and
// 14 high: each is 2 + 0.8 × its hex digit high. Anything that is no hex digit
// draws no bar.
func (f Fingerprint) bars() string {
	var b strings.Builder
	for i, c := range string(f) {
		digit, err := strconv.ParseUint(string(c), 16, 8)
		if err != nil {
			continue
		}
		fmt.Fprintf(&b, "M%d 14v-%s", 1+3*i, strconv.FormatFloat(2+.8*float64(digit), 'g', 3, 64))
	}
	return b.String()
}

// A Scale places the steps of a test on a time axis of four columns.
type Scale struct {
	full time.Duration
}

// scaleWidth is the width of the axis in units of the drawing.
const scaleWidth = 1000

// ScaleFor chooses the axis for a test that took total: four columns of a round
// width, long enough for all of it.
func ScaleFor(total time.Duration) Scale {
	for unit := time.Millisecond; ; unit *= 10 {
		for _, n := range []time.Duration{1, 2, 4, 5} {
			if full := 4 * n * unit; full >= total {
				return Scale{full}
			}
		}
	}
}

// Ticks are the words at the start of the four columns: 0, 400 ms, 800 ms, 1.2 s.
func (s Scale) Ticks() []string {
	ticks := []string{"0"}
	for i := time.Duration(1); i < 4; i++ {
		d := s.full / 4 * i
		if d < time.Second {
			ticks = append(ticks, strconv.FormatInt(d.Milliseconds(), 10)+" ms")
			continue
		}
		ticks = append(ticks, strconv.FormatFloat(d.Seconds(), 'g', 3, 64)+" s")
	}
	return ticks
}

// Bar places a step that began start after the test did and took took. A step
// too short to be seen still gets a sliver.
func (s Scale) Bar(start, took time.Duration) Bar {
	if s.full <= 0 {
		return Bar{X: "0", Width: "3"}
	}
	x := int64(max(0, start)) * scaleWidth / int64(s.full)
	w := max(3, int64(max(0, took))*scaleWidth/int64(s.full))
	x = min(x, scaleWidth-3)
	return Bar{X: strconv.FormatInt(x, 10), Width: strconv.FormatInt(min(w, scaleWidth-x), 10)}
}

// A Bar is where a step stands on the axis of its test, in units of the
// drawing. [Scale.Bar] makes one.
type Bar struct{ X, Width string }

// clock is the exact time where a head says already that it is UTC.
func (t Time) clock() string { return strings.TrimSuffix(t.Exact, " UTC") }
