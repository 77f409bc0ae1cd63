package audit

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// A Checkpoint is a signed head: the hash of the tree of the first Size events,
// and when it was signed. Its text has four lines, each with a line feed:
//
//	backoffice-1a2b3c4d
//	<size, in decimal>
//	<root, in base64>
//	time <RFC 3339, UTC>
//
// The first is the name of the key. A line that is added later stands below.
type Checkpoint struct {
	Size int64
	Root tlog.Hash
	Time time.Time
	Note []byte // the text and its signature, as of golang.org/x/mod/sumdb/note
}

// Signer is the name of the key that signed, which is the first line.
func (c Checkpoint) Signer() string {
	name, _, _ := strings.Cut(string(c.Note), "\n")
	return name
}

// checkpoint signs a head.
func (s *Signer) checkpoint(size int64, root tlog.Hash, now time.Time) (Checkpoint, error) {
	now = now.UTC().Truncate(time.Second)
	msg, err := s.note(fmt.Sprintf("%s\n%d\n%s\ntime %s\n", s.verifier.Name(), size, root, now.Format(time.RFC3339)))
	return Checkpoint{Size: size, Root: root, Time: now, Note: msg}, err
}

// OpenCheckpoint reads a signed head and checks its signature. The error says
// what is wrong with it, as the end of a sentence.
func OpenCheckpoint(msg []byte, k Key) (Checkpoint, error) {
	text, err := k.open(msg)
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := parseCheckpoint(text, k.Name())
	c.Note = msg
	return c, err
}

func parseCheckpoint(text, name string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 5 || lines[0] != name {
		return c, errors.New("it is signed, but is no head of the log")
	}
	c.Size, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || c.Size < 0 || strconv.FormatInt(c.Size, 10) != lines[1] {
		return c, fmt.Errorf("%q is no number of events", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return c, fmt.Errorf("%q is no hash of a tree", lines[2])
	}
	c.Root = tlog.Hash(root)
	stamp, ok := strings.CutPrefix(lines[3], "time ")
	if c.Time, err = time.Parse(time.RFC3339, stamp); !ok || err != nil {
		return c, fmt.Errorf("%q is no time", lines[3])
	}
	return c, nil
}

// shortDigits is how many hex digits of the root the short form has: with 128
// bits, making two trees of one short form takes 2^64 tries, also for whoever
// has the key.
const shortDigits = 32

// Short is the head for a sheet of paper: the size, and the first half of the
// root in groups of four hex digits.
func (c Checkpoint) Short() string {
	digits := fmt.Sprintf("%x", c.Root[:])[:shortDigits]
	words := []string{strconv.FormatInt(c.Size, 10)}
	for ; digits != ""; digits = digits[4:] {
		words = append(words, digits[:4])
	}
	return strings.Join(words, " ")
}

// A ShortHead is what a Short form says of a tree.
type ShortHead struct {
	Size   int64
	digits string
}

// ParseShort reads what Short wrote, with any white space between the digits.
func ParseShort(s string) (ShortHead, error) {
	words := strings.Fields(strings.ToLower(s))
	if len(words) > 1 {
		h := ShortHead{digits: strings.Join(words[1:], "")}
		var err error
		h.Size, err = strconv.ParseInt(words[0], 10, 64)
		if err == nil && h.Size >= 0 && len(h.digits) == shortDigits && strings.Trim(h.digits, "0123456789abcdef") == "" {
			return h, nil
		}
	}
	return ShortHead{}, fmt.Errorf("%q is no short form of a head: a number of events and %d hex digits", s, shortDigits)
}

// is reports whether a tree of h.Size events with this root has the short form.
func (h ShortHead) is(root tlog.Hash) bool {
	return fmt.Sprintf("%x", root[:])[:shortDigits] == h.digits
}
