package templates

// An AuditChart is how many events there were over time. The zero AuditChart draws
// nothing. Its form takes the rest of the filter along, and from and to as a time.
type AuditChart struct {
	Heading string // "94 events in 14 days"
	Hint    string // "About, because …"; "" for exact ones
	Label   string // what the picture shows, for who does not see it
	Bars    []AuditBar
	Axis    []string // the first, some between and the last time
	Most    string   // number of the last bar, for the controls
	Kept    []Choice // the rest of the filter: names and values
	All     string   // address with all of the time; "" if that is shown
}

// An AuditBar is one stretch of time. Its numbers are those of the picture.
type AuditBar struct {
	X, Y, Width, Height string
	From, To            string // as datetime-local values
	Words               string // "17 September, 12:00 to 15:00"
	Count               string // "about 1,200"
	URL                 string // the log of that time; "" if it has no events
}

// Known reports whether there is a chart to draw.
func (c AuditChart) Known() bool { return len(c.Bars) > 0 }

// from and to are what the sliders choose before anybody moves them.
func (c AuditChart) from() string { return c.Bars[0].From }
func (c AuditChart) to() string   { return c.Bars[len(c.Bars)-1].To }
