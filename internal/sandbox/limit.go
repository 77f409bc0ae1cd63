package sandbox

import (
	"net/http"
	"strconv"
	"time"
)

const windowLength = 10 // seconds; documented

// A window counts the requests of the current ten seconds. Provider.mu guards it.
type window struct {
	start int64 // unix seconds
	used  int
}

// count takes one request and returns what the headers say about it.
func (w *window) count(now time.Time, limit int) (remaining int, reset int64, ok bool) {
	if start := now.Unix() / windowLength * windowLength; start != w.start {
		w.start, w.used = start, 0
	}
	w.used++
	return max(limit-w.used, 0), w.start + windowLength, w.used <= limit
}

// withinLimit counts the request, sets the rate limit's headers and, over the
// limit, answers.
func (p *Provider) withinLimit(x *exchange) bool {
	limit := x.faults.limit()
	p.mu.Lock()
	remaining, reset, ok := p.window.count(x.now, limit)
	p.mu.Unlock()
	x.rateHeaders(limit, remaining, reset)
	if !ok {
		x.note("over the limit of " + strconv.Itoa(limit) + " requests in ten seconds")
		x.tooMany()
	}
	return ok
}

func (f Faults) limit() int {
	if f.Limit == 0 {
		return DefaultLimit
	}
	return f.Limit
}

func (x *exchange) rateHeaders(limit, remaining int, reset int64) {
	x.Header().Set("X-RateLimit-Limit", strconv.Itoa(limit))
	x.Header().Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	x.Header().Set("X-RateLimit-Reset", strconv.FormatInt(reset, 10))
}

func (x *exchange) tooMany() {
	x.errorList(http.StatusTooManyRequests, "rate_limit_exceeded", "The rate limit for the App has been exceeded")
}
