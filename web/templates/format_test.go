package templates

import (
	"slices"
	"testing"
	"time"
)

func TestTimeAt(t *testing.T) {
	berlin := time.FixedZone("somewhere", 2*60*60)
	at := time.Date(2026, 9, 17, 16, 32, 40, 123, berlin)
	got := TimeAt(at, at.Add(4*time.Minute))
	if want := (Time{"2026-09-17T14:32:40Z", "2026-09-17 14:32:40 UTC", "4 minutes ago"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if never := TimeAt(time.Time{}, at); never.Known() || never != (Time{}) {
		t.Errorf("the zero time is %+v", never)
	}
}

func TestAgo(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "just now"},
		{44 * time.Second, "just now"},
		{-10 * time.Second, "just now"},
		{45 * time.Second, "1 minute ago"},
		{90 * time.Second, "2 minutes ago"},
		{59*time.Minute + 29*time.Second, "59 minutes ago"},
		{59*time.Minute + 30*time.Second, "1 hour ago"},
		{23*time.Hour + 29*time.Minute, "23 hours ago"},
		{23*time.Hour + 30*time.Minute, "1 day ago"},
		{13 * day, "13 days ago"},
		{22 * day, "3 weeks ago"},
		{70 * day, "2 months ago"},
		{364 * day, "12 months ago"},
		{800 * day, "2 years ago"},
		{-6 * day, "in 6 days"},
		{-time.Hour, "in 1 hour"},
	} {
		if got := ago(tt.d); got != tt.want {
			t.Errorf("ago(%v) = %q, want %q", tt.d, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(48213), "48,213"}, {Count(1234567), "1,234,567"}, {Count(-1000), "-1,000"},
		{Took(0), "0 ms"}, {Took(-time.Second), "0 ms"}, {Took(300 * time.Microsecond), "under 1 ms"}, {Took(88 * time.Millisecond), "88 ms"},
		{Took(999499 * time.Microsecond), "999 ms"}, {Took(999500 * time.Microsecond), "1.00 s"}, {Took(1510 * time.Millisecond), "1.51 s"}, {Took(11200 * time.Millisecond), "11.2 s"},
		{Size(0), "0 bytes"}, {Size(1), "1 byte"}, {Size(999), "999 bytes"}, {Size(1000), "1.0 kB"}, {Size(41_800_000), "41.8 MB"}, {Size(999_960), "1.0 MB"}, {Size(3_000_000_000), "3.0 GB"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	for _, tt := range []struct {
		f           Fingerprint
		known       bool
		words, bars string
	}{
		{"9c41e07b5d2f", true, "9c41 e07b 5d2f", "M1 14v-9.2M4 14v-11.6M7 14v-5.2M10 14v-2.8M13 14v-13.2M16 14v-2M19 14v-7.6M22 14v-10.8M25 14v-6M28 14v-12.4M31 14v-3.6M34 14v-14"},
		{"", false, "", ""},
		{"0z", true, "0z", "M1 14v-2"},
	} {
		if tt.f.Known() != tt.known || tt.f.Words() != tt.words || tt.f.bars() != tt.bars {
			t.Errorf("%q: %v, %q, %q; want %v, %q, %q", string(tt.f), tt.f.Known(), tt.f.Words(), tt.f.bars(), tt.known, tt.words, tt.bars)
		}
	}
}

func TestScale(t *testing.T) {
	for _, tt := range []struct {
		total time.Duration
		ticks []string
	}{
		{0, []string{"0", "1 ms", "2 ms", "3 ms"}},
		{1510 * time.Millisecond, []string{"0", "400 ms", "800 ms", "1.2 s"}},
		{1600 * time.Millisecond, []string{"0", "400 ms", "800 ms", "1.2 s"}},
		{1601 * time.Millisecond, []string{"0", "500 ms", "1 s", "1.5 s"}},
		{14 * time.Second, []string{"0", "4 s", "8 s", "12 s"}},
	} {
		if got := ScaleFor(tt.total).Ticks(); !slices.Equal(got, tt.ticks) {
			t.Errorf("the axis for %v has the ticks %q, want %q", tt.total, got, tt.ticks)
		}
	}
}

func TestBar(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		start, took time.Duration
		want        Bar
	}{
		{0, 400 * ms, Bar{"0", "250"}},
		{800 * ms, 800 * ms, Bar{"500", "500"}},
		{800 * ms, 0, Bar{"500", "3"}},
		{1500 * ms, time.Second, Bar{"937", "63"}}, // never beyond the axis
		{5 * time.Second, ms, Bar{"997", "3"}},     // a clock that jumped
		{-5 * time.Second, -1 * ms, Bar{"0", "3"}},
	} {
		if got := ScaleFor(1510*ms).Bar(tt.start, tt.took); got != tt.want {
			t.Errorf("Bar(%v, %v) = %v, want %v", tt.start, tt.took, got, tt.want)
		}
	}
	if got := (Scale{}).Bar(ms, ms); got != (Bar{"0", "3"}) {
		t.Errorf("on the zero Scale: %v", got)
	}
}

func TestSlugsDiffer(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"read_conversations", "read_conversations"},
		{"Read admins", "Read-20admins"},
		{"a-b", "a-2db"},
		{"ü", "-c3-bc"},
		{"", ""},
	} {
		if got := slug(tt.in); got != tt.want {
			t.Errorf("slug(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
