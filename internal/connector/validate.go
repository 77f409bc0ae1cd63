package connector

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A validator holds a definition to the rules that go beyond the form of its
// file. fault reports at a path, such as "fields[2].pattern".
type validator struct {
	d     *Definition
	fault func(path, format string, args ...any)
}

func validate(d *Definition, fault func(path, format string, args ...any)) {
	v := validator{d, fault}
	v.heading()
	v.fields()
	v.oauth()
	v.templates()
	v.identity()
	v.probes()
	v.permissions()
	v.topics()
	v.webhooks()
	v.rateLimit()
	v.links()
	v.guide()
}

var (
	definitionKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*(:[A-Za-z][A-Za-z0-9_-]*)?$`)
	headerName    = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	scopeToken    = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`) // RFC 6749 section 3.3
	delimiter     = regexp.MustCompile(`^[ ,;+|]{1,3}$`)
	paramName     = regexp.MustCompile(`^[A-Za-z0-9_.~-]+$`)
	factPath      = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
)

func (v validator) heading() {
	d := v.d
	if !definitionKey.MatchString(d.Key) {
		v.fault("key", "the key must be a service such as intercom, or a service and its module such as google:drive. Use letters, digits, - and _.")
	}
	if service, _, _ := strings.Cut(d.Key, ":"); strings.EqualFold(service, reservedService) {
		v.fault("key", "the service %q is taken: its callback and webhook addresses are where this program checks itself from outside. Choose another.", reservedService)
	}
	v.need("name", d.Name, "the connector as its maker writes it")
	v.need("summary", d.Summary, "one sentence about it")
	if utf8.RuneCountInString(d.Initial) != 2 || strings.ContainsFunc(d.Initial, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		v.fault("initial", "initial must be two letters or digits: they stand on the connector's tile.")
	}
}

// reservedService is in the addresses of the check of the public URL; see
// package outside.
const reservedService = "outside-in"

// need reports a missing or padded text.
func (v validator) need(path, s, what string) {
	name := path[strings.LastIndexByte(path, '.')+1:]
	switch {
	case s == "":
		v.fault(path, "%s is missing. Write %s.", name, what)
	case strings.TrimSpace(s) != s:
		v.fault(path, "%s begins or ends with a space. Remove it.", name)
	}
}

// A once reports texts that stand twice, ignoring case.
type once map[string]string

func (o once) seen(s, path string) (string, bool) {
	if at, ok := o[strings.ToLower(s)]; ok {
		return at, true
	}
	o[strings.ToLower(s)] = path
	return "", false
}

func (v validator) fields() {
	keys := once{}
	for i, f := range v.d.Fields {
		path := item("fields", i)
		if !isKey(f.Key) {
			v.fault(path+".key", "a field's key begins with a letter and has letters, digits, - and _ only.")
		} else if first, twice := keys.seen(f.Key, f.Key); twice {
			v.fault(path+".key", "this key is taken: %q differs from it at most by case. Rename one.", first)
		}
		v.need(path+".label", f.Label, "what the form calls it")
		v.pattern(path, f)
		v.options(path, f)
		v.old(path, f)
		v.mistakes(path, f)
		v.preset(path, f)
	}
}

func (v validator) pattern(path string, f Field) {
	if f.Pattern == "" {
		if f.Shape != "" {
			v.fault(path+".shape", "shape explains a pattern, but there is none. Add the pattern or remove the shape.")
		}
		return
	}
	if _, err := compile(f.Pattern); err != nil {
		v.fault(path+".pattern", "this is not a regular expression (RE2): %s.", firstLine(strings.TrimPrefix(err.Error(), "error parsing regexp: ")))
		return
	}
	if f.Shape == "" {
		v.fault(path+".pattern", "shape is missing. Say in words what the pattern demands: the person who fills the form reads it.")
	}
	if len(f.Options) > 0 {
		v.fault(path+".pattern", "a field with options needs no pattern: only the options are accepted. Remove one of the two.")
	}
}

func (v validator) options(path string, f Field) {
	values, labels := once{}, once{}
	for j, o := range f.Options {
		at := item(path+".options", j)
		v.need(at+".value", o.Value, "the value that is stored")
		v.need(at+".label", o.Label, "what the form calls it")
		if _, twice := values.seen(o.Value, at); twice {
			v.fault(at+".value", "two options have the value %q (case does not count). Change one.", cut(o.Value))
		}
		if _, twice := labels.seen(o.Label, at); twice {
			v.fault(at+".label", "two options have the label %q. Nobody could tell them apart: change one.", cut(o.Label))
		}
		if o.Value != "" && !f.Kind.holds(o.Value) {
			v.fault(at+".value", "this value is not %s, as the field's kind demands.", kindWants[f.Kind])
		}
		v.sameVariables(at, f.Options[0].Set, o.Set)
	}
	if f.Secret && len(f.Options) > 0 {
		v.fault(path+".options", "a secret is not chosen from a list. Remove the options, or secret.")
	}
}

// sameVariables holds every option to the variables of the first.
func (v validator) sameVariables(at string, first, set map[string]string) {
	for _, name := range sortedKeys(first) {
		if _, ok := set[name]; !ok {
			v.fault(at, "this option does not set %s, but the first one does. Every option sets the same variables.", name)
		}
	}
	for _, name := range sortedKeys(set) {
		if _, ok := first[name]; !ok {
			v.fault(join(at+".set", name), "this option sets %s, but the first one does not. Every option sets the same variables.", name)
		}
	}
}

func (v validator) preset(path string, f Field) {
	if f.Default == "" {
		return
	}
	if f.Secret {
		v.fault(path+".default", "a secret has no default: it would be the same everywhere. Remove it.")
	} else if err := f.Check(f.Default); err != nil {
		v.fault(path+".default", "the default does not fit the field. %s", err)
	}
}

func (v validator) identity() {
	id := v.d.Identity
	if id == nil {
		return
	}
	if v.d.OAuth == nil {
		v.fault("identity", "the identity call needs a token, but there is no oauth to get one. Add oauth, or remove identity.")
	}
	v.headers(id.Headers)
	if _, ok := v.d.permissionID(id.Permission); id.Permission != "" && !ok {
		v.fault("identity.permission", "no permission is called %q. %s", cut(id.Permission), idRule)
	}
	if id.Confirmed && id.Permission == "" {
		v.fault("identity.confirmed", "nothing is confirmed without a permission. Name it, or remove confirmed.")
	}
	labels := once{}
	for i, f := range id.Facts {
		path := item("identity.facts", i)
		v.need(path+".label", f.Label, "what the report calls it")
		if _, twice := labels.seen(f.Label, path); twice {
			v.fault(path+".label", "two facts have the label %q. Change one.", cut(f.Label))
		}
		if !factPath.MatchString(f.Path) {
			v.fault(path+".path", "a path is member names with dots between them, such as app.region.")
		}
	}
}

// Headers that belong to the program, not to a definition.
var ownHeaders = []string{"authorization", "host", "cookie", "connection", "content-length", "content-type", "transfer-encoding", "te", "trailer", "upgrade", "proxy-authorization", "expect"}

func (v validator) headers(headers map[string]string) {
	names := once{}
	for _, name := range sortedKeys(headers) {
		path := join("identity.headers", name)
		if !headerName.MatchString(name) {
			v.fault(path, "%q is not a header's name. Use letters, digits and -.", cut(name))
		} else if slices.Contains(ownHeaders, strings.ToLower(name)) {
			v.fault(path, "%s is set by the program itself. Remove it.", name)
		}
		if _, twice := names.seen(name, path); twice {
			v.fault(path, "this header stands here twice: case does not count. Keep one.")
		}
	}
}

const idRule = "Write a permission's name, or its label if it has no name."

// permissionID finds a permission by its ID alone.
func (d *Definition) permissionID(id string) (Permission, bool) {
	p, ok := d.Permission(id)
	return p, ok && p.ID() == id
}

func (v validator) permissions() {
	names := once{}
	for i, p := range v.d.Permissions {
		path := item("permissions", i)
		v.need(path+".label", p.Label, "the label that the provider shows, or a name")
		if p.Name != "" && !scopeToken.MatchString(p.Name) {
			v.fault(path+".name", "a scope's name has no spaces, quotes, backslashes or characters beyond ASCII (RFC 6749 section 3.3).")
		}
		if o := v.d.OAuth; o != nil && o.SendScopes && o.ScopeDelimiter != "" && strings.Contains(p.Name, o.ScopeDelimiter) {
			v.fault(path+".name", "this scope contains the delimiter %q. Change scopeDelimiter.", o.ScopeDelimiter)
		}
		for _, n := range p.names() {
			if first, twice := names.seen(n, p.ID()); twice {
				v.fault(path, "%q already leads to the permission %q. A name, label or alias leads to one permission only.", cut(n), cut(first))
			}
		}
	}
}

func (v validator) rateLimit() {
	l := v.d.RateLimit
	if l == nil {
		return
	}
	for name, header := range map[string]string{"limit": l.Limit, "remaining": l.Remaining, "reset": l.Reset} {
		if header != "" && !headerName.MatchString(header) {
			v.fault("rateLimit."+name, "%q is not a header's name.", cut(header))
		}
	}
	if l.Limit == "" && l.Remaining == "" && l.Reset == "" {
		v.fault("rateLimit", "no header is named. Name one, or remove rateLimit.")
	}
}

func (v validator) links() {
	for i, l := range v.d.Links {
		path := item("links", i)
		v.need(path+".label", l.Label, "what the page is called")
		t, err := parseURL(l.URL)
		switch {
		case err != nil:
			v.fault(path+".url", "%s.", err)
		case len(t) != 1 || t[0].variable != "":
			v.fault(path+".url", "a link has no variables. Write the whole address.")
		default:
			if why := prove(l.URL, t.host(nil), false); why != "" {
				v.fault(path+".url", "this link %s.", why)
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
