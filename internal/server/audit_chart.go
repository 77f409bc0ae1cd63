package server

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"backoffice/internal/audit"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// The picture's coordinates.
const (
	chartWidth = 1200.0
	chartBase  = 96.0
	chartTall  = 88.0
)

// chart is the events of a filter over time.
func (p auditPages) chart(c echo.Context, f audit.Filter) (templates.AuditChart, error) {
	buckets, err := p.Audit.Activity(c.Request().Context(), f)
	if err != nil || len(buckets) == 0 {
		return templates.AuditChart{}, err
	}
	var sum, most int64
	about := false
	for _, b := range buckets {
		sum, most, about = sum+b.Events, max(most, b.Events), about || b.About
	}
	first, last := buckets[0].From, buckets[len(buckets)-1].To
	out := templates.AuditChart{Heading: aboutWord(about, sum) + " " + pick(sum == 1, "event", "events") + " from " + minute(first) + " to " + minute(last),
		Most: strconv.Itoa(len(buckets) - 1)}
	if about {
		out.Hint = "Where a stretch of time has many, the first of them are looked at, and the others estimated."
	}
	out.Label = fmt.Sprintf("Events over time, in %s. The most in one is %s. The numbers are in the table below.", plural(len(buckets), "bar"), templates.Count(most))
	width := chartWidth / float64(len(buckets))
	for i, b := range buckets {
		out.Bars = append(out.Bars, bar(c, b, float64(i)*width, width, float64(most)))
	}
	for i := range 4 {
		out.Axis = append(out.Axis, minute(buckets[i*len(buckets)/4].From))
	}
	for _, k := range chosen(c) {
		if k.Name != "from" && k.Name != "to" {
			out.Kept = append(out.Kept, k)
		}
	}
	if !f.From.IsZero() || !f.To.IsZero() {
		out.All = timedURL(c, "", "")
	}
	return out, nil
}

func bar(c echo.Context, b audit.Bucket, x, width, most float64) templates.AuditBar {
	height := 0.0
	if b.Events > 0 {
		height = max(2, chartTall*float64(b.Events)/most)
	}
	from, to := b.From.UTC().Truncate(time.Minute), b.To.UTC().Add(time.Minute-time.Nanosecond).Truncate(time.Minute)
	out := templates.AuditBar{X: decimal(x + width*.1), Width: decimal(width * .8), Y: decimal(chartBase - height), Height: decimal(height),
		From: from.Format(timeInput), To: to.Format(timeInput), Words: minute(from) + " to " + minute(to), Count: aboutWord(b.About, b.Events)}
	if b.Events > 0 {
		out.URL = timedURL(c, out.From, out.To)
	}
	return out
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func aboutWord(about bool, n int64) string {
	if about {
		return "about " + templates.Count(n)
	}
	return templates.Count(n)
}

// timedURL is the log with the same filter, but of another time.
func timedURL(c echo.Context, from, to string) string {
	q := url.Values{}
	for _, k := range chosen(c) {
		if k.Name != "from" && k.Name != "to" {
			q.Set(k.Name, k.Label)
		}
	}
	if from != "" {
		q.Set("from", from)
		q.Set("to", to)
	}
	if len(q) == 0 {
		return "/audit"
	}
	return "/audit?" + q.Encode()
}
