package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxRecords = 100
	maxFields  = 16 // of one request
)

// A Record is one request in the sandbox's log, without any credential.
type Record struct {
	Time   time.Time
	Method string
	Path   string
	Status int    // 0: the connection was cut before an answer
	Note   string // why, in words
	Fields []Field
}

// A Field is something that came along with a request: a parameter or a header,
// and what may be said about its value.
type Field struct{ Name, Value string }

// A journal is the last requests, oldest first. Provider.mu guards it.
type journal struct{ records []Record }

func (j *journal) add(r Record) {
	if len(r.Fields) > maxFields {
		r.Fields = r.Fields[:maxFields]
	}
	if len(j.records) >= maxRecords {
		j.records = slices.Delete(j.records, 0, len(j.records)-maxRecords+1)
	}
	j.records = append(j.records, r)
}

// Log returns the last 100 requests that the provider got, newest first. The
// control page's own are not among them.
func (p *Provider) Log() []Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := slices.Clone(p.journal.records)
	slices.Reverse(out)
	return out
}

func (p *Provider) queryFields(r *http.Request) []Field {
	values, _ := url.ParseQuery(r.URL.RawQuery) // what cannot be parsed is left out
	return p.describeAll(values)
}

func (p *Provider) describeAll(values url.Values) []Field {
	var out []Field
	for name, vs := range values {
		for _, v := range vs {
			out = append(out, Field{safeName(name), p.describe(name, v)})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out[:min(len(out), maxFields)]
}

// harmless are the only values that are shown as they came.
var harmless = map[string]*regexp.Regexp{
	"grant_type":    regexp.MustCompile(`^(authorization_code|refresh_token|client_credentials|password)$`),
	"response_type": regexp.MustCompile(`^(code|token|id_token)$`),
	"page":          regexp.MustCompile(`^[0-9]{1,5}$`),
	"per_page":      regexp.MustCompile(`^[0-9]{1,5}$`),
	"answer":        regexp.MustCompile(`^(allow|deny)$`),
	"reason":        regexp.MustCompile(`^[a-z]{1,10}$`),
}

// describe says about a value what helps and gives nothing away.
func (p *Provider) describe(name, value string) string {
	if re := harmless[name]; re != nil && re.MatchString(value) {
		return value
	}
	switch name {
	case "client_id":
		return p.recognise(value, p.id, p.secret, "the sandbox's client id", "the client secret, in the wrong field")
	case "client_secret":
		if value == p.second {
			return "the sandbox's second client secret"
		}
		return p.recognise(value, p.secret, p.id, "the sandbox's client secret", "the client id, in the wrong field")
	case "redirect_uri":
		return safeURI(value)
	case "code":
		if strings.HasSuffix(value, "=") {
			return p.fingerprint(value) + ", ends in ="
		}
	}
	return p.fingerprint(value)
}

func (p *Provider) recognise(value, own, swapped, ownWords, swappedWords string) string {
	switch value {
	case own:
		return ownWords
	case swapped:
		return swappedWords
	}
	return "another: " + p.fingerprint(value)
}

// fingerprint tells equal values from different ones, as long as the sandbox
// runs, and says how long they are.
func (p *Provider) fingerprint(value string) string {
	if value == "" {
		return "empty"
	}
	m := hmac.New(sha256.New, p.key)
	m.Write([]byte("fingerprint\n" + value))
	sum := m.Sum(nil)
	return fmt.Sprintf("%x %x %x (%d characters)", sum[:2], sum[2:4], sum[4:6], utf8.RuneCountInString(value))
}

func (p *Provider) headerFields(r *http.Request) []Field {
	var out []Field
	if a := r.Header.Get("Authorization"); a != "" {
		out = append(out, Field{"Authorization", p.describeAuthorization(r, a)})
	}
	if v := r.Header.Get("Intercom-Version"); v != "" {
		if !versions[v] && v != "2.17" && v != "Unstable" {
			v = "not a known one: " + p.fingerprint(v)
		}
		out = append(out, Field{"Intercom-Version", v})
	}
	return out
}

func (p *Provider) describeAuthorization(r *http.Request, header string) string {
	scheme, rest, _ := strings.Cut(header, " ")
	if id, secret, ok := basicClient(r); ok {
		return "Basic, " + p.describe("client_id", id) + ", " + p.describe("client_secret", secret)
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return "not Bearer: " + p.fingerprint(header)
	}
	token := strings.TrimSpace(rest)
	p.mu.Lock()
	i, known := p.ledger.workspaceOf(token)
	p.mu.Unlock()
	if known {
		return "Bearer, issued here for " + workspaces[i].Name + ": " + p.fingerprint(token)
	}
	return "Bearer, not issued here: " + p.fingerprint(token)
}

var plainName = regexp.MustCompile(`^[A-Za-z_.-]{1,24}$`)

// safeName keeps a parameter's name unless it could be a value that somebody
// put in its place.
func safeName(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return "[a name of " + fmt.Sprint(utf8.RuneCountInString(name)) + " characters]"
}

// safeURI shows where a URI points, without its query.
func safeURI(uri string) string {
	if checkRedirectURI(uri) != nil {
		return "not a redirect URI (" + fmt.Sprint(utf8.RuneCountInString(uri)) + " characters)"
	}
	u, err := url.Parse(uri)
	if err != nil {
		return "unreadable"
	}
	out := u.Scheme + "://" + u.Host + safePath(u.Path)
	if u.RawQuery != "" {
		out += "?…"
	}
	return out
}

// safePath shows a path, but no segment that is long enough to be a credential.
func safePath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if n := utf8.RuneCountInString(s); n > 24 {
			segments[i] = fmt.Sprintf("[%d characters]", n)
		}
	}
	return shorten(strings.Join(segments, "/"), 120)
}

// shorten cuts a text to at most n characters.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
