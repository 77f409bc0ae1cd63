package oauth

import (
	"slices"
	"strings"
)

// A placer finds the place of lines in reports that were kept before lines said
// it, as far as it is evident: a zero Place, on a line that begins no message,
// is one of those. Any other line is Beside.
type placer struct {
	method string // of the request
	called bool   // we made the call; else the browser carried it
	media  string // of the answer
}

// methods begin a request; CONNECT is a look at a host, with none.
var methods = []string{"GET", "POST", "HEAD", "CONNECT"}

// The names that are evident.
var (
	requestParams  = []string{"grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier", "response_type", "state", "scope", "code_challenge_method"}
	callbackParams = []string{"code", "state", "error", "error_description"}
	headerNames    = []string{"authorization", "accept", "location", "date"}
)

func (p placer) sent(l Line) Line {
	switch {
	case l.In != AtStart || slices.Contains(methods, l.Name):
	case isHeader(l):
		l.In = InHeader
	case slices.Contains(requestParams, l.Name) && p.method == "POST":
		l.In = InForm
	case slices.Contains(requestParams, l.Name) && p.method == "GET":
		l.In = InQuery
	default:
		return aside(l)
	}
	return l
}

func (p placer) received(l Line) Line {
	switch {
	case l.In != AtStart || l.Name == "Status":
	case isHeader(l):
		l.In = InHeader
	case !p.called && slices.Contains(callbackParams, l.Name):
		l.In = InQuery
	case p.called && strings.HasSuffix(p.media, "json"):
		l.In = InJSON
	case p.called && p.media == "application/x-www-form-urlencoded":
		l.In = InForm
	default:
		return aside(l)
	}
	return l
}

// aside is a line whose place is not evident. It is no remark of ours, so its
// value stays only if the name is known.
func aside(l Line) Line {
	l.In = Beside
	if !shownNames[field(l)] && !fingerprintForm.MatchString(l.Value) {
		l.Value = removed
	}
	return l
}

func isHeader(l Line) bool {
	name := field(l)
	return strings.Contains(name, "-") || slices.Contains(headerNames, name)
}

// method is how the step's request begins, or "".
func (st Step) method() string {
	if st.Exchange != nil && st.Exchange.Method != "" {
		return st.Exchange.Method
	}
	for _, l := range st.Sent {
		if slices.Contains(methods, l.Name) {
			return l.Name
		}
	}
	return ""
}

// called reports whether the step made an HTTP request. A look at a host ends
// with its certificate.
func (st Step) called() bool {
	return st.Exchange != nil && !slices.ContainsFunc(st.Sent, func(l Line) bool { return l.Name == "CONNECT" })
}

func (st Step) mediaType() string {
	if st.Exchange == nil {
		return ""
	}
	return st.Exchange.ContentType
}
