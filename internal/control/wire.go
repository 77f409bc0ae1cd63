package control

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"backoffice/internal/errs"
)

const (
	maxRequest = 64 << 10         // bytes of a request
	maxFrame   = 1 << 20          // bytes of a frame
	writeWait  = time.Minute      // for which a caller may not read
	askWait    = 10 * time.Second // for which a caller may not have asked
	endWait    = 5 * time.Second  // for which a caller may not read when the command is to end
)

// The frames of an answer.
const (
	frameOutput = 'o'
	frameDone   = 'd'
	frameFailed = 'f'
)

// A request is what a caller asks for.
type request struct {
	Command string          `json:"command"`
	Args    json.RawMessage `json:"args"`
}

// A failure is an error on the wire.
type failure struct {
	Kind errs.Kind `json:"kind"`
	Msg  string    `json:"msg"`
}

// failureOf is err as it is sent: the words that were made for people, or all of
// it: whoever is at the console may see the log too.
func failureOf(err error) failure {
	if kind, msg := errs.Of(err); msg != "" {
		return failure{kind, msg}
	}
	return failure{errs.Internal, err.Error()}
}

func (f failure) error() error {
	if f.Kind == errs.Internal {
		return errors.New(f.Msg)
	}
	return errs.New(f.Kind, f.Msg)
}

// readRequest reads the line of the caller. It takes no byte after it.
func readRequest(r io.Reader) (q request, err error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxRequest)).ReadBytes('\n')
	if err != nil {
		return q, fmt.Errorf("reading a request of at most %d bytes: %w", maxRequest, err)
	}
	return q, json.Unmarshal(line, &q)
}

// writeFrame writes one frame.
func writeFrame(w io.Writer, kind byte, content []byte) error {
	head := make([]byte, 5, 5+len(content))
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(content)))
	_, err := w.Write(append(head, content...))
	return err
}

// output is the writer of a command: each Write is on its way when it returns.
type output struct {
	ctx  context.Context
	conn net.Conn
}

func (o output) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), maxFrame)]
		if err := o.conn.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
			return n, err
		}
		if err := o.ctx.Err(); err != nil { // after the deadline, which the end of ctx then brings forward
			return n, err
		}
		if err := writeFrame(o.conn, frameOutput, part); err != nil {
			return n, err
		}
		n, p = n+len(part), p[len(part):]
	}
	return n, nil
}

// readAnswer copies the output to out until the command is done, and returns its
// error.
func readAnswer(r io.Reader, out io.Writer) error {
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		var head [5]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return fmt.Errorf("the program ended before the command was done: %w", err)
		}
		n := int64(binary.BigEndian.Uint32(head[1:]))
		if n > maxFrame {
			return fmt.Errorf("a frame of %d bytes is no answer of this program", n)
		}
		switch head[0] {
		case frameOutput:
			if _, err := io.CopyN(out, in, n); err != nil {
				return fmt.Errorf("passing on what the program writes: %w", err)
			}
		case frameDone:
			return nil
		case frameFailed:
			var f failure
			if err := json.NewDecoder(io.LimitReader(in, n)).Decode(&f); err != nil {
				return fmt.Errorf("reading why the command failed: %w", err)
			}
			return f.error()
		default:
			return fmt.Errorf("a frame of kind %q is no answer of this program", head[0])
		}
	}
}
