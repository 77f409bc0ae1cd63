package server

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// A stream is an answer of server-sent events (HTML standard, section 9.2).
type stream struct {
	c   echo.Context
	ctl *http.ResponseController
}

// patience is how long a client may take to read an event. The limit of the
// server is for whole answers, and a stream is never whole.
const patience = 20 * time.Second

// heartbeat is how often something is sent where nothing happens, so that what
// stands in between does not think the connection dead.
const heartbeat = 10 * time.Second

// openStream begins the answer. Nothing on the way may hold it back or pack it:
// an event is for now.
func openStream(c echo.Context) (stream, error) {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/event-stream; charset=utf-8")
	h.Set(echo.HeaderCacheControl, "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx
	s := stream{c, http.NewResponseController(c.Response())}
	c.Response().WriteHeader(http.StatusOK)
	return s, s.comment("begin")
}

// send writes one event.
func (s stream) send(event string, data []byte) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\n", event)
	for line := range bytes.Lines(bytes.ReplaceAll(data, []byte("\r"), []byte(" "))) {
		fmt.Fprintf(&b, "data: %s\n", bytes.TrimSuffix(line, []byte("\n")))
	}
	if len(data) == 0 {
		b.WriteString("data\n")
	}
	b.WriteByte('\n')
	return s.write(b.Bytes())
}

// comment writes what no client sees.
func (s stream) comment(text string) error { return s.write([]byte(": " + text + "\n\n")) }

func (s stream) write(b []byte) error {
	err := s.ctl.SetWriteDeadline(time.Now().Add(patience)) // of the connection: no clock of ours
	if errors.Is(err, http.ErrNotSupported) {
		err = nil
	}
	if err == nil {
		_, err = s.c.Response().Write(b)
	}
	if err == nil {
		err = s.ctl.Flush()
	}
	return err
}
