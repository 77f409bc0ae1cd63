package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"backoffice/internal/connector"
)

// Facts are what a notification says about itself. They are the sender's words:
// bounded, cleaned of control characters, and worth nothing before the signature
// holds.
type Facts struct {
	ID        string
	Topic     string
	Account   string
	Happened  time.Time
	FirstSent time.Time
	Attempt   int // from 1; 0 if it is not said
}

const (
	maxFact    = 200 // characters
	maxAttempt = 1_000_000
	lastSecond = 253402300799 // of the year 9999; a later time cannot be kept as JSON
	headerWord = "header "    // begins a place in [connector.NotificationReads] that is a header
)

// Read takes out the facts that the definition says where to find. It never
// fails: what is not there, or is no text, number or time, is empty. It reads the
// body once and only as far as it must.
func Read(w *connector.Webhooks, req Request) Facts {
	places := []string{w.Reads.ID, w.Reads.Topic, w.Reads.Account, w.Reads.Happened, w.Reads.FirstSent, w.Reads.Attempt}
	found := make([]string, len(places))
	paths := make([]wanted, 0, len(places))
	for i, place := range places {
		switch name, inHeader := strings.CutPrefix(place, headerWord); {
		case inHeader:
			found[i] = headerFact(req.Header, name)
		case place != "":
			paths = append(paths, wanted{path: place, to: &found[i]})
		}
	}
	if len(paths) > 0 {
		pick(req.Body, paths)
	}
	return Facts{ID: idFact(found[0]), Topic: cleanFact(found[1]), Account: cleanFact(found[2]),
		Happened: timeFact(found[3]), FirstSent: timeFact(found[4]), Attempt: countFact(found[5])}
}

func headerFact(h http.Header, name string) string {
	if lines := headerLines(h, name); len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// idFact keeps ids apart that differ only behind the cut: repetitions are known
// by them.
func idFact(s string) string {
	id := cleanFact(s)
	if !strings.HasSuffix(id, "…") || strings.HasSuffix(s, "…") {
		return id
	}
	digest := sha256.Sum256([]byte(s))
	return string([]rune(id)[:maxFact/2]) + "…" + hex.EncodeToString(digest[:16])
}

// cleanFact makes a text of the sender fit to be shown and compared.
func cleanFact(s string) string {
	return strings.TrimSpace(cutText(s, maxFact))
}

// shown drops what a page could not show, or would show as something else.
func shown(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
		return -1
	}
	return r
}

// timeFact reads unix seconds, with or without a fraction, or RFC 3339, which is
// UTC if it does not say.
func timeFact(s string) time.Time {
	whole, _, _ := strings.Cut(s, ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
		if n <= 0 || n > lastSecond {
			return time.Time{}
		}
		return time.Unix(n, 0).UTC()
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil && t.Unix() > 0 && t.Unix() <= lastSecond {
			return t.UTC()
		}
	}
	return time.Time{}
}

func countFact(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxAttempt {
		return 0
	}
	return n
}
