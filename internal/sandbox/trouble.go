package sandbox

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	hugeBody = 2 << 20  // bytes; more than any client should read
	bombBody = 16 << 20 // bytes, once unpacked
)

// makeTrouble waits and, unless the endpoint is to answer after all, answers in
// its place. It reports whether it did.
func (p *Provider) makeTrouble(x *exchange, at Endpoint) bool {
	t := x.faults.Trouble[at]
	p.mu.Lock()
	p.seen[at]++
	unharmed := p.seen[at] <= t.After
	p.mu.Unlock()
	if unharmed || t.Kind == None && t.Delay == 0 {
		return false
	}
	if t.Delay > 0 {
		x.note("answered after " + t.Delay.String())
		p.sleep(x.r, t.Delay)
	}
	if t.Kind == None {
		return false
	}
	x.note("fault: " + troubleLabels[t.Kind])
	x.answerTrouble(t.Kind)
	return true
}

// sleep waits, but not for a client that has gone or a server that is stopping.
func sleep(r *http.Request, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

func (x *exchange) answerTrouble(k Kind) {
	switch k {
	case ServerError:
		x.errorList(http.StatusInternalServerError, "server_error", "Internal server error")
	case Down:
		x.html(http.StatusServiceUnavailable, "503 Service Temporarily Unavailable")
	case HTML:
		x.html(http.StatusOK, "Just a moment…")
	case Garbage:
		x.body("application/json; charset=utf-8", []byte(`{"type":"admin","id":"26336`))
	case Huge:
		x.huge()
	case GzipBomb:
		x.Header().Set("Content-Encoding", "gzip")
		x.body("application/json; charset=utf-8", bomb())
	case TooMany:
		x.rateHeaders(x.faults.limit(), 0, x.now.Unix()/windowLength*windowLength+windowLength)
		x.tooMany()
	case Cut:
		panic(http.ErrAbortHandler)
	case CutMidway:
		x.cutMidway()
	case RedirectSame:
		http.Redirect(x, x.r, "/moved", http.StatusTemporaryRedirect)
	case RedirectAway:
		http.Redirect(x, x.r, "https://elsewhere.invalid/", http.StatusTemporaryRedirect)
	}
}

// moved is where RedirectSame leads: whoever follows shows up in the log.
func (p *Provider) moved(x *exchange) {
	x.note("a redirect was followed to here")
	x.html(http.StatusOK, "You followed a redirect")
}

func (x *exchange) html(status int, title string) {
	x.Header().Set("Content-Type", "text/html; charset=utf-8")
	x.Header().Set("Content-Security-Policy", "default-src 'none'")
	x.WriteHeader(status)
	io.WriteString(x, "<!doctype html><html lang=\"en\"><head><title>"+title+"</title></head><body><h1>"+title+"</h1></body></html>\n")
}

func (x *exchange) body(kind string, b []byte) {
	x.Header().Set("Content-Type", kind)
	x.Header().Set("Content-Length", strconv.Itoa(len(b)))
	x.WriteHeader(http.StatusOK)
	x.Write(b)
}

// huge is good JSON of more than 1 MiB, in pieces and without a length.
func (x *exchange) huge() {
	x.Header().Set("Content-Type", "application/json; charset=utf-8")
	x.WriteHeader(http.StatusOK)
	io.WriteString(x, `{"type":"admin","padding":"`)
	piece := []byte(strings.Repeat("0123456789abcdef", 4096))
	for sent := 0; sent < hugeBody; sent += len(piece) {
		if _, err := x.Write(piece); err != nil {
			return
		}
	}
	io.WriteString(x, `"}`)
}

// cutMidway promises more than it sends.
func (x *exchange) cutMidway() {
	x.Header().Set("Content-Type", "application/json; charset=utf-8")
	x.Header().Set("Content-Length", "4096")
	x.WriteHeader(http.StatusOK)
	io.WriteString(x, `{"type":"admin","id":"26336`)
	http.NewResponseController(x).Flush()
	panic(http.ErrAbortHandler)
}

// bomb is packed once, when it is first asked for.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	piece := bytes.Repeat([]byte(" "), 1<<20)
	for range bombBody / len(piece) {
		z.Write(piece)
	}
	z.Close()
	return b.Bytes()
})
