package webhook

import (
	"bytes"
	"compress/gzip"
	"hash/maphash"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"backoffice/internal/connector"
)

// A bodyForm is what the body may have been when it was signed.
type bodyForm struct {
	words string // to follow "what was signed is the body": "without spaces"; "" for the body as it came
	anew  bool   // it was written anew, not only changed at an end or in its encoding
	body  []byte
}

var byteOrderMark = []byte("\ufeff")

// maxWritten bounds the forms together, in bytes.
const maxWritten = 64 << 20

// forms yields the body as it came, then what it may have been before something
// on the way changed it: the likely ones first, each once.
func forms(w *connector.Webhooks, body []byte) iter.Seq[bodyForm] {
	return func(yield func(bodyForm) bool) {
		seed, seen, written := maphash.MakeSeed(), map[uint64]bool{}, 0
		once := func(f bodyForm) bool {
			written += len(f.body)
			key := maphash.Bytes(seed, f.body)
			if seen[key] {
				return written < maxWritten
			}
			seen[key] = true
			return yield(f) && written < maxWritten
		}
		if !once(bodyForm{body: body}) {
			return
		}
		for _, form := range []func([]byte, func(bodyForm) bool) bool{endForms, packedForms, encodingForms, encodedFormForms} {
			if !form(body, once) {
				return
			}
		}
		if !jsonForms(w, body, once) {
			return
		}
		once(bodyForm{words: "empty", body: []byte{}})
	}
}

// endForms differ in line breaks, and in what stands before and behind.
func endForms(body []byte, yield func(bodyForm) bool) bool {
	lf := bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	return yield(bodyForm{words: "with a line break at its end", body: join(body, "\n")}) &&
		yield(bodyForm{words: "with a line break (CRLF) at its end", body: join(body, "\r\n")}) &&
		yield(bodyForm{words: "without the line break at its end", body: bytes.TrimRight(body, "\r\n")}) &&
		yield(bodyForm{words: "without the white space around it", body: bytes.TrimSpace(bytes.TrimPrefix(body, byteOrderMark))}) &&
		yield(bodyForm{words: "without the byte order mark before it", body: bytes.TrimPrefix(body, byteOrderMark)}) &&
		yield(bodyForm{words: "with a byte order mark before it", body: append(bytes.Clone(byteOrderMark), body...)}) &&
		yield(bodyForm{words: "with its line breaks as LF", body: lf}) &&
		yield(bodyForm{words: "with its line breaks as CRLF", body: bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n"))})
}

func join(body []byte, end string) []byte {
	return append(body[:len(body):len(body)], end...)
}

// encodingForms differ in what the bytes beyond ASCII stand for.
func encodingForms(body []byte, yield func(bodyForm) bool) bool {
	if !utf8.Valid(body) {
		return yield(bodyForm{words: "in UTF-8, before it was made Latin-1", body: fromLatin1(body)})
	}
	for _, table := range []string{"", windows1252} {
		if once, ok := toBytes(body, table); ok && !yield(bodyForm{words: "before it was taken for Latin-1 and encoded a second time", body: once}) {
			return false
		}
	}
	return true
}

// windows1252 are the characters from 0x80 on, where it differs from Latin-1.
const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

// toBytes undoes a second encoding: each character becomes the byte it was taken
// from.
func toBytes(body []byte, table string) ([]byte, bool) {
	special := map[rune]byte{}
	next := byte(0x80)
	for _, r := range table {
		special[r] = next
		next++
	}
	out, changed := make([]byte, 0, len(body)), false
	for _, r := range string(body) {
		b, ok := special[r]
		switch {
		case ok:
		case r <= 0xFF:
			b = byte(r)
		default:
			return nil, false
		}
		changed = changed || r > 0x7F
		out = append(out, b)
	}
	return out, changed
}

func fromLatin1(body []byte) []byte {
	out := make([]byte, 0, len(body)*2)
	for _, b := range body {
		out = utf8.AppendRune(out, rune(b))
	}
	return out
}

// encodedFormForms are other spellings of a body that is an encoded form.
func encodedFormForms(body []byte, yield func(bodyForm) bool) bool {
	if !bytes.ContainsRune(body, '=') || bytes.ContainsAny(body, "{[ \n") {
		return true
	}
	s := string(body)
	return yield(bodyForm{"with its spaces as +", true, []byte(strings.ReplaceAll(s, "%20", "+"))}) &&
		yield(bodyForm{"with its spaces as %20", true, []byte(strings.ReplaceAll(s, "+", "%20"))}) &&
		yield(bodyForm{"with its escapes in capitals", true, escapesAs(s, strings.ToUpper)}) &&
		yield(bodyForm{"with its escapes in small letters", true, escapesAs(s, strings.ToLower)})
}

func escapesAs(s string, as func(string) string) []byte {
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			out = append(out, '%')
			out = append(out, as(s[i+1:i+3])...)
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}

// packedForms are what a body was before something compressed it, unless that is
// longer than a body may be.
func packedForms(body []byte, yield func(bodyForm) bool) bool {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return true
	}
	plain, err := io.ReadAll(io.LimitReader(z, MaxBody+1))
	if err != nil || len(plain) > MaxBody {
		return true
	}
	return yield(bodyForm{words: "before it was compressed with gzip", body: plain})
}
