package webhook

import (
	"encoding/json"
	"strconv"
	"time"
)

// encodeNote writes a notification as [json.Marshal] does, byte for byte, without
// reflection: it is done for each one that comes. What only comes later, an
// explanation and replays, is left to the former.
func encodeNote(n *Notification) ([]byte, error) {
	if n.Explanation != nil || len(n.Replays) > 0 {
		return json.Marshal(n)
	}
	w := &objectWriter{b: make([]byte, 0, 1024)}
	w.text(`{"owner":`, n.Owner)
	w.text(`,"id":`, n.ID)
	w.text(`,"address":`, n.Address)
	w.time(`,"received":`, n.Received)
	w.number(`,"took":`, int64(n.Took))
	w.number(`,"status":`, int64(n.Status))
	w.text(`,"from":`, n.From)
	w.textIf(`,"source":`, n.Source)
	w.text(`,"verdict":`, string(n.Verdict))
	w.textIf(`,"signature":`, n.Signature)
	if s := n.Signer; s != nil {
		w.text(`,"signer":{"entry":`, string(s.Entry))
		w.number(`,"version":`, int64(s.Version))
		w.text(`,"standing":`, string(s.Standing))
		w.text(`,"key":`, s.Key)
		w.text(`,"fingerprint":`, string(s.Fingerprint))
		w.timeIf(`,"until":`, s.Until)
		w.raw(`}`)
	}
	w.numberIf(`,"untried":`, int64(n.Untried))
	w.textIf(`,"providerId":`, n.ProviderID)
	w.textIf(`,"repeats":`, n.Repeats)
	w.textIf(`,"topic":`, n.Topic)
	w.textIf(`,"account":`, n.Account)
	w.timeIf(`,"happened":`, n.Happened)
	w.timeIf(`,"firstSent":`, n.FirstSent)
	w.numberIf(`,"attempt":`, int64(n.Attempt))
	w.text(`,"method":`, n.Method)
	w.textIf(`,"contentType":`, n.ContentType)
	w.number(`,"length":`, int64(n.Length))
	w.headers(n.Headers)
	w.flagIf(`,"test":true`, n.Test)
	w.raw(`}`)
	return w.b, w.err
}

// encodeMark does the same with a mark.
func encodeMark(m *mark) ([]byte, error) {
	w := &objectWriter{b: make([]byte, 0, 96)}
	w.text(`{"id":`, m.ID)
	w.number(`,"b":`, m.Bytes)
	w.text(`,"v":`, string(m.Verdict))
	w.textIf(`,"c":`, m.Code)
	w.flagIf(`,"r":true`, m.Repeats)
	w.raw(`}`)
	return w.b, w.err
}

// An objectWriter writes the members of a JSON object, each with what stands
// before its value.
type objectWriter struct {
	b   []byte
	err error // the first of a value that cannot be written
}

func (w *objectWriter) raw(s string) { w.b = append(w.b, s...) }

func (w *objectWriter) text(before, s string) {
	w.raw(before)
	if plain(s) {
		w.b = append(append(append(w.b, '"'), s...), '"')
		return
	}
	quoted, err := json.Marshal(s)
	w.b = append(w.b, quoted...)
	w.fail(err)
}

// plain reports whether a text stands in JSON as it is.
func plain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return false
		case c == '"' || c == '\\' || c == '<' || c == '>' || c == '&':
			return false
		}
	}
	return true
}

func (w *objectWriter) textIf(before, s string) {
	if s != "" {
		w.text(before, s)
	}
}

func (w *objectWriter) number(before string, n int64) {
	w.raw(before)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *objectWriter) numberIf(before string, n int64) {
	if n != 0 {
		w.number(before, n)
	}
}

func (w *objectWriter) time(before string, t time.Time) {
	w.raw(before)
	w.b = append(w.b, '"')
	b, err := t.AppendText(w.b)
	w.fail(err)
	if err == nil {
		w.b = b
	}
	w.b = append(w.b, '"')
}

func (w *objectWriter) timeIf(before string, t time.Time) {
	if !t.IsZero() {
		w.time(before, t)
	}
}

func (w *objectWriter) flagIf(member string, is bool) {
	if is {
		w.raw(member)
	}
}

func (w *objectWriter) headers(list []Header) {
	before := `,"headers":[{"name":`
	for _, h := range list {
		w.text(before, h.Name)
		w.text(`,"value":`, h.Value)
		w.flagIf(`,"redacted":true`, h.Redacted)
		w.raw(`}`)
		before = `,{"name":`
	}
	if len(list) > 0 {
		w.raw(`]`)
	}
}

func (w *objectWriter) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
