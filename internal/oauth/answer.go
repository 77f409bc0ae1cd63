package oauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strings"

	"backoffice/internal/secret"
)

// A form is how a provider wrote its answer.
type form int

const (
	formEmpty      form = iota
	formJSON            // an object
	formEncoded         // application/x-www-form-urlencoded
	formPage            // HTML: not the answer of an API
	formOther           // JSON that is no object
	formUnreadable      // anything else, as JSON that breaks off
)

// place is where the named parts of an answer stood.
func (f form) place() Place {
	if f == formEncoded {
		return InForm
	}
	return InJSON
}

// An answer is what was read out of a body. Its texts are foreign and have not
// been searched for secrets.
type answer struct {
	form        form
	failed      bool   // it says that it is an error, whatever the status
	code        string // error code
	description string
	requestID   string // in the body of an error envelope
	at          places // where the three stood: "error", "errors[0].code"
	tokenField  string // where the token stood
	token       secret.Text
	tokenType   string
	scope       string
	scopeTold   bool // it has a scope, be it empty
	expiresIn   string
	members     map[string]json.RawMessage // of formJSON
	secrets     []string                   // tokens of any sort, to be searched for
}

// places are the paths of an error's parts.
type places struct{ code, description, requestID string }

// tokenNames are where answers have tokens, beside the definition's own fields.
var tokenNames = []string{"access_token", "refresh_token", "id_token", "token"}

// parseAnswer reads a body of any provider. It never fails: what it cannot read
// has a form that says so.
func parseAnswer(contentType string, body []byte, tokenFields []string) answer {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	media, _, _ := mime.ParseMediaType(contentType)
	var members map[string]json.RawMessage
	switch {
	case len(body) == 0:
		return answer{form: formEmpty}
	case json.Unmarshal(body, &members) == nil && members != nil:
		return parseJSON(members, tokenFields)
	case body[0] == '<' || media == "text/html" || media == "application/xhtml+xml":
		return answer{form: formPage}
	case media == "application/x-www-form-urlencoded" || looksEncoded(body):
		return parseEncoded(string(body), tokenFields)
	case json.Valid(body):
		return answer{form: formOther}
	}
	return answer{form: formUnreadable}
}

func parseJSON(m map[string]json.RawMessage, tokenFields []string) answer {
	a := answer{form: formJSON, members: m, tokenType: scalar(m["token_type"]), expiresIn: scalar(m["expires_in"])}
	a.scope, a.scopeTold = scopeIn(m["scope"])
	for _, name := range tokenFields {
		var token string
		if json.Unmarshal(find(m, name), &token) == nil && token != "" {
			a.tokenField, a.token = name, secret.NewText(token)
			break
		}
	}
	a.secrets = tokensIn(m, maxDepth)
	a.readError(m)
	return a
}

// scopeIn reads a scope member: a text (RFC 6749 section 5.1), or a list of them as
// some providers have it. null is none.
func scopeIn(raw json.RawMessage) (text string, told bool) {
	var list []string
	if len(raw) == 0 || string(raw) == "null" {
		return "", false
	}
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, " "), true
	}
	return scalar(raw), true
}

// maxDepth is how deep tokens are looked for.
const maxDepth = 6

// tokensIn collects the tokens of any sort, also from objects inside.
func tokensIn(m map[string]json.RawMessage, depth int) (out []string) {
	for name, raw := range m {
		var inner map[string]json.RawMessage
		switch {
		case slices.Contains(tokenNames, strings.ToLower(name)):
			out = append(out, scalar(raw))
		case depth > 0 && len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, &inner) == nil:
			out = append(out, tokensIn(inner, depth-1)...)
		}
	}
	return out
}

// readError knows RFC 6749 section 5.2, an error that is an object, a list of
// errors in an envelope, and the usual names of other JSON.
func (a *answer) readError(m map[string]json.RawMessage) {
	var object map[string]json.RawMessage
	var list []map[string]json.RawMessage
	switch {
	case scalar(m["error"]) != "" && scalar(m["error"]) != "false":
		a.failed = true
		a.errorIn("", m, []string{"error"}, []string{"error_description", "message", "error_message"})
	case json.Unmarshal(m["error"], &object) == nil && len(object) > 0:
		a.failed = true
		a.errorIn("error.", object, []string{"code", "type", "error", "status"}, []string{"message", "description", "error_description"})
	case json.Unmarshal(m["errors"], &list) == nil && len(list) > 0:
		a.failed = true
		a.errorIn("errors[0].", list[0], []string{"code", "error", "type"}, []string{"message", "description", "detail"})
	case says(m["error"]) || says(m["errors"]) || denies(m["ok"]) || denies(m["success"]):
		a.failed = true // in a form that has no name: it is no success all the same
		a.errorIn("", m, []string{"error_code", "errorCode", "code"}, []string{"error_description", "message", "detail"})
	default:
		a.errorIn("", m, []string{"error_code", "errorCode", "code"}, []string{"error_description", "message", "detail"})
	}
	if a.failed || a.token.IsZero() {
		a.requestID, a.at.requestID = first(m, "request_id", "requestId", "trace_id")
	}
}

// says reports whether a member is there and is not empty, whatever its shape.
func says(raw json.RawMessage) bool {
	switch strings.TrimSpace(string(raw)) {
	case "", "null", "false", `""`, "[]", "{}":
		return false
	}
	return true
}

// denies reports whether a member says no.
func denies(raw json.RawMessage) bool {
	text := strings.TrimSpace(string(raw))
	return text == "false" || text == `"false"`
}

// errorIn takes the code and the description from m, whose path is prefix.
func (a *answer) errorIn(prefix string, m map[string]json.RawMessage, codes, descriptions []string) {
	a.code, a.at.code = first(m, codes...)
	a.description, a.at.description = first(m, descriptions...)
	a.at.code, a.at.description = prefix+a.at.code, prefix+a.at.description
}

// looksEncoded finds a query string that was sent as text.
func looksEncoded(body []byte) bool {
	name, _, ok := strings.Cut(string(body[:min(len(body), 64)]), "=")
	return ok && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func parseEncoded(body string, tokenFields []string) answer {
	v, err := url.ParseQuery(body)
	if err != nil {
		return answer{form: formUnreadable}
	}
	a := answer{form: formEncoded, code: v.Get("error"), description: v.Get("error_description"), failed: v.Get("error") != "",
		at:        places{code: "error", description: "error_description"},
		tokenType: v.Get("token_type"), scope: v.Get("scope"), scopeTold: v.Has("scope"), expiresIn: v.Get("expires_in")}
	for _, name := range tokenFields {
		if t := v.Get(name); t != "" {
			a.tokenField, a.token = name, secret.NewText(t)
			break
		}
	}
	for _, name := range tokenNames {
		a.secrets = append(a.secrets, v.Get(name))
	}
	return a
}

// find follows a path of member names, as "app.region". A member whose name has
// the dots in it comes first. It returns nil if there is none.
func find(m map[string]json.RawMessage, path string) json.RawMessage {
	if raw, ok := m[path]; ok {
		return raw
	}
	name, rest, ok := strings.Cut(path, ".")
	var inner map[string]json.RawMessage
	if !ok || json.Unmarshal(m[name], &inner) != nil {
		return nil
	}
	return find(inner, rest)
}

// scalar is the text of a JSON string, number or boolean, and "" for anything
// else.
func scalar(raw json.RawMessage) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if len(raw) == 0 || d.Decode(&v) != nil {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case json.Number, bool:
		return fmt.Sprint(v)
	}
	return ""
}

// first is the first of the named members that is a scalar, and its name.
func first(m map[string]json.RawMessage, names ...string) (text, name string) {
	for _, n := range names {
		if s := scalar(m[n]); s != "" {
			return s, n
		}
	}
	return "", ""
}
