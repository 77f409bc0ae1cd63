package connector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SampleValues stand in a sample for what each notification has of its own.
type SampleValues struct {
	ID      string
	Topic   string
	Account string
	Now     time.Time
}

// Sample returns the first sample for a topic.
func (w *Webhooks) Sample(topic string) (Sample, bool) {
	i := slices.IndexFunc(w.Samples, func(s Sample) bool { return s.covers(topic) })
	if i < 0 {
		return Sample{}, false
	}
	return w.Samples[i], true
}

func (s Sample) covers(topic string) bool {
	return slices.ContainsFunc(s.Topics, func(t string) bool {
		begin, open := strings.CutSuffix(t, "*")
		return t == topic || open && strings.HasPrefix(topic, begin)
	})
}

// Signature returns the signature that a notification of this sample carries.
func (w *Webhooks) Signature(s Sample) (Signature, bool) {
	i := slices.IndexFunc(w.Signatures, func(g Signature) bool { return s.Header == "" || strings.EqualFold(g.Header, s.Header) })
	if i < 0 {
		return Signature{}, false
	}
	return w.Signatures[i], true
}

// Fill returns the body of a notification: the sample with its values, compact,
// as providers send JSON. The error is that it is no JSON.
func (s Sample) Fill(v SampleValues) ([]byte, error) {
	body := strings.NewReplacer("{id}", inQuotes(v.ID), "{topic}", inQuotes(v.Topic), "{account}", inQuotes(v.Account),
		"{now}", strconv.FormatInt(v.Now.Unix(), 10)).Replace(s.Body)
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(body)); err != nil {
		return nil, fmt.Errorf("the sample of %s: %w", strings.Join(s.Topics, ", "), err)
	}
	return out.Bytes(), nil
}

// inQuotes writes a text as it stands between the quotes of JSON.
func inQuotes(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(quoted[1 : len(quoted)-1])
}

var sampleMark = regexp.MustCompile(`\{[A-Za-z]+\}`)

// unknownMark is the first placeholder that Fill does not replace.
func (s Sample) unknownMark() string {
	for _, m := range sampleMark.FindAllString(s.Body, -1) {
		if !slices.Contains([]string{"{id}", "{topic}", "{now}", "{account}"}, m) {
			return m
		}
	}
	return ""
}
