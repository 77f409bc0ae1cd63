package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Commands of the operator are bounded: a start must end, one way or the other.
var commandTime = 30 * time.Second // tests take less

const commandSays = 2 << 10 // bytes of standard error that are shown

// SplitCommand splits a command into its words as a shell does, but for everything
// that a shell would put into them: quotes keep a word together, and nothing else has
// a meaning. Whoever wants a shell names it: sh -c '…'.
func SplitCommand(line string) (words []string, err error) {
	var word strings.Builder
	var quote rune
	inWord := false
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case unicode.IsSpace(c):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a %c is not closed", quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

var errTooMuch = errors.New("it printed too much")

// capped keeps what is written to it, up to max bytes; then it fails, or with drop
// forgets the rest.
// It is a Writer and nothing else: with the ReadFrom of a Buffer, a copy would go past
// its limit.
type capped struct {
	b    bytes.Buffer
	max  int
	drop bool
	over bool // more was written
}

func (c *capped) Write(b []byte) (int, error) {
	if room := c.max - c.b.Len(); len(b) > room {
		c.over = true
		if !c.drop {
			return 0, errTooMuch
		}
		c.b.Write(b[:room])
		return len(b), nil
	}
	return c.b.Write(b)
}

// runCommand runs a command of the operator, without a shell, and returns what it
// printed. It gets none of our own settings from the environment.
func runCommand(ctx context.Context, setting string, words []string, input []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	out, said := capped{max: maxFile}, capped{max: commandSays, drop: true}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &said
	cmd.WaitDelay = 2 * time.Second // for what it left behind that holds its output
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "BACKOFFICE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	err := cmd.Run()
	name := words[0] // its other words may hold a token
	switch {
	case out.over:
		return nil, fmt.Errorf("%s printed more than %d bytes, which no key has: %s. It has to print the content of a key file and nothing else", setting, maxFile, name)
	case err == nil:
		return out.b.Bytes(), nil
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("%s did not end within %s: %s. Run it by hand, as the user that runs this program, and see what it waits for%s", setting, commandTime, name, quoted(said.b.Bytes()))
	}
	// Its exit status is not ours: the cause goes no further than its words.
	return nil, fmt.Errorf("%s failed: %s: %v. Run it by hand, as the user that runs this program%s", setting, name, err, quoted(said.b.Bytes()))
}

// dense are runs of characters as keys and tokens are written.
var dense = regexp.MustCompile(`[A-Za-z0-9+/=_-]{20,}`)

// quoted is what a command said on standard error, on lines of its own, without what
// could be a key or a token: what has capitals, small letters and digits in one.
func quoted(said []byte) string {
	text := dense.ReplaceAllStringFunc(strings.ToValidUTF8(string(said), "?"), func(s string) string {
		if strings.ContainsAny(s, "0123456789") && strings.ToLower(s) != s && strings.ToUpper(s) != s {
			return "[hidden]"
		}
		for _, piece := range strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune("/-_", c) }) {
			if len(piece) >= 32 { // hex, or a secret key of age behind its name
				return "[hidden]"
			}
		}
		return s
	})
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' {
			return ' '
		}
		return c
	}, text)
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return ". It said:\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}
