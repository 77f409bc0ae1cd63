package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"backoffice/internal/config"
)

// minSearched is the length in bytes from which a secret is looked for in a
// finished file. A shorter one, as "true", stands in the text of every file.
const minSearched = 6

// knownSecrets are what must not be in a case file.
type knownSecrets struct {
	values    []knownSecret
	clientIDs []string // no secrets, but not shown whole
}

type knownSecret struct {
	key     string
	version int
	scrubber
}

// secretsOf are the secret values of the version that a run tested, or was edited
// from, and of every version with a label. Values of a form were never stored;
// the run itself kept them out of its report.
func (s *Service) secretsOf(ctx context.Context, r Report) (knownSecrets, error) {
	var k knownSecrets
	e, err := s.config.Get(ctx, r.Entry)
	if err != nil {
		return k, err
	}
	numbers := []int{r.Version, e.Current, e.Pending, e.Previous}
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		if n == 0 {
			continue
		}
		o, err := s.config.Open(ctx, r.Entry, n)
		if err != nil {
			return k, err
		}
		k.add(o)
		if def := s.config.Definition(r.Entry); def != nil && def.OAuth != nil {
			k.clientIDs = append(k.clientIDs, text(o, def.OAuth.ClientIDKey).Reveal())
		}
	}
	return k, nil
}

func (k *knownSecrets) add(o config.Opened) {
	for _, key := range o.Keys {
		if key.Secret {
			k.addValue(key.Name, o.Number, o.Values[key.Name].Text().Reveal())
		}
	}
}

func (k *knownSecrets) addValue(key string, version int, value string) {
	if len(value) < minSearched {
		return
	}
	v := knownSecret{key: key, version: version}
	v.add(value, url.QueryEscape(value)) // which is what a Basic header has in its base64
	k.values = append(k.values, v)
}

// but is k without the spellings that our own words have: they could not be told
// apart.
func (k knownSecrets) but(own string) knownSecrets {
	own = lower(printable(own))
	out := knownSecrets{}
	for _, v := range k.values {
		v.forms = slices.DeleteFunc(slices.Clone(v.forms), func(form string) bool { return len(form) < minSearched || strings.Contains(own, form) })
		out.values = append(out.values, v)
	}
	return out
}

// in returns an error that names, but does not show, a secret that is in text.
func (k knownSecrets) in(what, text string) error {
	for _, view := range views(text) {
		for _, v := range k.values {
			if v.holds(view) {
				return fmt.Errorf("the %s has the value of %q of version %d in it", what, v.key, v.version)
			}
		}
	}
	return nil
}

// views are a text as it is, and as somebody reads it who takes back what was
// escaped in it, up to twice.
func views(text string) []string {
	out := []string{text}
	for range 2 {
		for _, t := range slices.Clone(out) {
			for _, plain := range []string{marked.Replace(t), html.UnescapeString(t), unpercent(t), unquote(t), strings.ReplaceAll(t, `\`, "")} {
				if !slices.Contains(out, plain) {
					out = append(out, plain)
				}
			}
		}
	}
	return out
}

// unpercent decodes every %XX, and leaves what is none.
func unpercent(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// unquote decodes the escapes of JSON, and leaves what is none.
func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		n := 2
		if strings.HasPrefix(s[i:], `\u`) {
			n = 6
		}
		var c string
		if s[i] == '\\' && i+n <= len(s) && json.Unmarshal([]byte(`"`+s[i:i+n]+`"`), &c) == nil {
			b.WriteString(c)
			i += n - 1
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
