package connector

import (
	"regexp"
	"strings"
)

// Mistaken returns the mistake of f that value looks like.
func (f Field) Mistaken(value string) (Mistake, bool) {
	for _, m := range f.Mistakes {
		if re, err := compile(m.Pattern); err == nil && re.MatchString(value) {
			return m, true
		}
	}
	return Mistake{}, false
}

func (v validator) mistakes(path string, f Field) {
	if len(f.Mistakes) > 0 && (f.Kind != Text || len(f.Options) > 0) {
		v.fault(path+".mistakes", "only what people type as text can be mistaken. Remove the mistakes, or the kind or the options.")
		return
	}
	for i, m := range f.Mistakes {
		at := item(path+".mistakes", i)
		v.need(at+".pattern", m.Pattern, "what the whole of such a value looks like")
		v.need(at+".means", m.Means, "what such a value is, as in: an access token")
		v.need(at+".remedy", m.Remedy, "what to do then, in a sentence")
		re, err := compile(m.Pattern)
		switch {
		case err != nil:
			v.fault(at+".pattern", "this is not a regular expression (RE2): %s.", firstLine(strings.TrimPrefix(err.Error(), "error parsing regexp: ")))
		case m.Pattern != "" && re.MatchString(""):
			v.fault(at+".pattern", "this pattern matches the empty value, so it says nothing. Make it match what is mistaken only.")
		}
	}
}

// A Credential is what a value that is recognised by its looks is good for.
type Credential int

// What is recognised.
const (
	ClientIdentifier Credential = iota
	ClientSecret
	Token // a token of a user or an app, which is neither
)

// A Known is a shape by which a value is recognised in an entry of any
// connector. Shapes change: what is recognised is worth a warning, no more.
type Known struct {
	Means   string // "a GitLab application secret"
	Is      Credential
	Service string // whose it is, as the key of its definition; "" if it is of many
	pattern *regexp.Regexp
}

// known is the table of shapes that providers publish, or that are seen so often
// that scanners of leaked secrets go by them.
var known = []Known{
	{"a GitLab application secret", ClientSecret, "gitlab", shape(`gloas-[A-Za-z0-9_-]{20,}`)},
	{"a Salesforce consumer key", ClientIdentifier, "salesforce", shape(`3MVG9[A-Za-z0-9._]{20,}`)},
	{"a Webex client ID", ClientIdentifier, "webex", shape(`C[0-9a-f]{64}`)},
	{"a Google client ID", ClientIdentifier, "google", shape(`[0-9]+(-[a-z0-9]+)?\.apps\.googleusercontent\.com`)},
	{"a GitHub token", Token, "github", shape(`gh[pousr]_[A-Za-z0-9]{20,}`)},
	{"a Slack token", Token, "slack", shape(`xox[abprs]-[A-Za-z0-9-]{10,}`)},
	{"a signed token (JWT)", Token, "", shape(`eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+`)},
}

func shape(pattern string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + pattern + `)\z`) }

// Recognise returns what value looks like, if that is known of any provider.
func Recognise(value string) (Known, bool) {
	for _, k := range known {
		if k.pattern.MatchString(value) {
			return k, true
		}
	}
	return Known{}, false
}
