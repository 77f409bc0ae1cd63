package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// An anchored is a line of an anchor file: a head in the open, and as it was
// signed.
type anchored struct {
	Size       int64     `json:"size"`
	Root       string    `json:"root"`
	Time       time.Time `json:"time"`
	Checkpoint string    `json:"checkpoint"`
}

func anchorLine(c Checkpoint) ([]byte, error) {
	b, err := json.Marshal(anchored{Size: c.Size, Root: c.Root.String(), Time: c.Time, Checkpoint: string(c.Note)})
	return append(b, '\n'), err
}

// readAnchors reads the heads of an anchor file, or one that stands alone as a
// note. A line that is cut, as a crash leaves it, does not count.
func readAnchors(r io.Reader, from string, k Key) (out []Earlier, err error) {
	in := newLines(r)
	for n := 1; ; n++ {
		line, err := in.next()
		if errors.Is(err, io.EOF) || err != nil && n > 1 {
			break
		}
		if n == 1 && string(line) == k.Name() {
			return readNote(line, in, from, k)
		}
		if !json.Valid(line) {
			continue // left by a line that was cut
		}
		c, err := readAnchor(line, k)
		if err != nil {
			return nil, faultf("line %d of %s cannot be believed: %v", n, from, err)
		}
		out = append(out, c.Kept(fmt.Sprintf("line %d of %s", n, from)))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no heads: it is no export, no receipt, no anchor file and no checkpoint", from)
	}
	return out, nil
}

func readAnchor(line []byte, k Key) (Checkpoint, error) {
	var a anchored
	if err := json.Unmarshal(line, &a); err != nil {
		return Checkpoint{}, errors.New("it is no line of an anchor file")
	}
	c, err := OpenCheckpoint([]byte(a.Checkpoint), k)
	if err == nil && (c.Size != a.Size || c.Root.String() != a.Root || !c.Time.Equal(a.Time)) {
		err = errors.New("what it says in the open is not what was signed")
	}
	return c, err
}

func readNote(first []byte, rest *lines, from string, k Key) ([]Earlier, error) {
	note := bytes.NewBuffer(append(bytes.Clone(first), '\n'))
	for note.Len() < 64<<10 {
		line, err := rest.next()
		if err != nil {
			break
		}
		note.Write(append(bytes.Clone(line), '\n'))
	}
	c, err := OpenCheckpoint(note.Bytes(), k)
	if err != nil {
		return nil, faultf("%s cannot be believed: %v", from, err)
	}
	return []Earlier{c.Kept(from)}, nil
}
