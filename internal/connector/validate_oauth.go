package connector

import (
	"maps"
	"slices"
	"strings"
)

// Parameters of the authorize URL that the program sets itself.
var ownParams = []string{"client_id", "client_secret", "redirect_uri", "response_type", "state", "scope", "code", "code_challenge", "code_challenge_method", "code_verifier"}

func (v validator) oauth() {
	o := v.d.OAuth
	if o == nil {
		return
	}
	v.clientKeys(o)
	if !delimiter.MatchString(o.ScopeDelimiter) {
		v.fault("oauth.scopeDelimiter", "scopeDelimiter must be one to three of space , ; + and |, in quotes.")
	}
	for i, s := range o.DefaultScopes {
		path := item("oauth.defaultScopes", i)
		if p, ok := v.d.permissionID(s); !ok || p.Name == "" {
			v.fault(path, "no permission has the name %q. Add it under permissions.", cut(s))
		}
	}
	if len(o.DefaultScopes) > 0 && !o.SendScopes {
		v.fault("oauth.defaultScopes", "defaultScopes are never sent, because sendScopes is false. Remove one of the two.")
	}
	for _, name := range sortedKeys(o.AuthorizeParams) {
		if !paramName.MatchString(name) {
			v.fault(join("oauth.authorizeParams", name), "%q is not a parameter's name. Use letters, digits, - . _ and ~.", cut(name))
		} else if slices.Contains(ownParams, name) {
			v.fault(join("oauth.authorizeParams", name), "%s is set by the program itself. Remove it.", name)
		}
	}
	v.knownErrors(o.KnownErrors)
	if len(o.TokenFields) == 0 {
		v.fault("oauth.tokenFields", "tokenFields is empty. Name where the token stands in the answer, usually access_token.")
	}
}

// knownErrors holds each code to one meaning.
func (v validator) knownErrors(list []KnownError) {
	seen := map[string]bool{}
	for i, k := range list {
		path := item("oauth.knownErrors", i)
		v.need(join(path, "code"), k.Code, "the error code as the provider sends it")
		v.need(join(path, "means"), k.Means, "what it means, in one sentence")
		if code := strings.ToLower(k.Code); k.Code != "" {
			if seen[code] {
				v.fault(join(path, "code"), "%q is explained twice. Keep one of them.", cut(k.Code))
			}
			seen[code] = true
		}
	}
}

// clientKeys holds the three keys to the fields that they name.
func (v validator) clientKeys(o *OAuth) {
	if f, ok := v.d.Field(o.ClientIDKey); !ok {
		v.fault("oauth.clientIdKey", "no field has the key %q, which is to hold the client id. Add it under fields, or name another with clientIdKey.", cut(o.ClientIDKey))
	} else if f.Secret || f.Kind != Text {
		v.fault("oauth.clientIdKey", "the field %q holds the client id, which is text and no secret: it stands in the address bar.", f.Key)
	}
	v.secretKey("oauth.clientSecretKey", o.ClientSecretKey)
	if f, ok := v.d.Field(o.RedirectKey); !isKey(o.RedirectKey) || ok && (f.Secret || f.Kind != Text) {
		v.fault("oauth.redirectKey", "redirectKey must be the key of a text that is no secret: the redirect URI.")
	}
}

// templates holds every template, and every variable in it, to what cannot
// lead a request astray.
func (v validator) templates() {
	sources := v.sources()
	used := map[string]bool{}
	sound := true
	v.d.eachTemplate(func(t templateAt) {
		parts, err := t.parse()
		if err != nil {
			v.fault(t.path, "%s.", err)
			sound = false
		}
		for _, p := range parts {
			if p.variable != "" {
				used[p.variable] = true
				sound = v.variable(t.path, p, sources[p.variable]) && sound
			}
		}
	})
	for i, f := range v.d.Fields {
		for j, o := range f.Options {
			for _, name := range sortedKeys(o.Set) {
				if j == 0 && !used[name] {
					v.fault(join(item(item("fields", i)+".options", j)+".set", name), "nothing uses {%s}. Use it in a URL, or remove it from every option.", cut(name))
				}
			}
		}
	}
	if sound && v.d.OAuth != nil {
		v.proveOptions()
	}
}

// sources maps each variable to the field that gives it: by its own key, or by
// its options. Two givers are a fault.
func (v validator) sources() map[string]int {
	out := map[string]int{} // index of the field, from 1
	for i, f := range v.d.Fields {
		out[f.Key] = i + 1
	}
	for i, f := range v.d.Fields {
		if !f.setsVariables() {
			continue
		}
		for _, name := range sortedKeys(f.Options[0].Set) {
			path := join(item(item("fields", i)+".options", 0)+".set", name)
			if !isKey(name) {
				v.fault(path, "%q is not a variable's name. Use letters, digits, - and _, with a letter first.", cut(name))
			} else if out[name] != 0 {
				v.fault(path, "{%s} is given twice: the field %q gives it too. Rename one.", name, v.d.Fields[out[name]-1].Key)
			}
			out[name] = i + 1
		}
	}
	return out
}

// variable checks one use of a variable and reports whether it is sound.
func (v validator) variable(path string, p part, source int) bool {
	if source == 0 {
		v.fault(path, "{%s} is neither the key of a field nor set by the options of one. Add it, or write the address out.", cut(p.variable))
		return false
	}
	f, at := v.d.Fields[source-1], item("fields", source-1)
	switch {
	case f.Secret:
		v.fault(path, "{%s} is a secret, and a secret does not stand in an address or header. Use another field.", p.variable)
	case f.Key != p.variable || len(f.Options) > 0:
		return v.optionValues(at, f, p)
	case f.Kind != Text:
		return true // a number or boolean has no character that means anything anywhere
	case !patternCompiles(f):
		return false // reported at the field
	case f.Pattern == "":
		v.fault(at, "%s stands %s (%s), so this field needs a pattern that limits it. Add pattern and shape, or options.", f.Key, placeNames[p.place], path)
	case !p.place.keeps(f.Pattern):
		v.fault(at+".pattern", "%s stands %s (%s), and this pattern lets more through than may stand there. %s", f.Key, placeNames[p.place], path, p.place.remedy())
	default:
		return true
	}
	return false
}

func patternCompiles(f Field) bool {
	_, err := compile(f.Pattern)
	return err == nil
}

func (p place) remedy() string {
	switch p {
	case asBase:
		return "Begin it with https:// and allow only letters, digits and - . _ ~ : / after that."
	case inHost:
		return "Allow only letters, digits, - and dots."
	case inText:
		return "Allow only printable ASCII."
	}
	return "Allow only letters, digits and - . _ ~."
}

// optionValues checks what the options put at the place of p.
func (v validator) optionValues(at string, f Field, p part) bool {
	sound := true
	for j, o := range f.Options {
		value, path := o.Value, item(at+".options", j)+".value"
		if f.Key != p.variable {
			value, path = o.Set[p.variable], join(item(at+".options", j)+".set", p.variable)
		}
		switch {
		case p.place == asBase && !strings.HasPrefix(value, "https://"):
			v.fault(path, "{%s} begins a URL, so this must begin with https://.", p.variable)
			sound = false
		case strings.ContainsFunc(value, func(c rune) bool { return !p.place.allows(c) }):
			v.fault(path, "{%s} stands %s, and this value has a character that may not. %s", p.variable, placeNames[p.place], p.place.remedy())
			sound = false
		}
	}
	return sound
}

// proveOptions proves every URL once for every option of every field, with
// samples for what people type.
func (v validator) proveOptions() {
	samples := map[string]string{}
	used := v.d.usedVariables()
	for _, f := range v.d.Fields {
		samples[f.Key] = f.sample(used[f.Key])
	}
	wrong := v.proveURLs(samples)
	for _, at := range sortedKeys(wrong) {
		v.fault(at, "this address %s.", wrong[at])
	}
	for i, f := range v.d.Fields {
		for j, o := range f.Options {
			values := maps.Clone(samples)
			values[f.Key] = o.Value
			now := v.proveURLs(values)
			for _, at := range sortedKeys(now) {
				if wrong[at] == "" {
					v.fault(item(item("fields", i)+".options", j), "with this option, %s %s.", at, now[at])
				}
			}
		}
	}
}

func (f Field) sample(places []place) string {
	switch {
	case f.Default != "" && f.Check(f.Default) == nil:
		return f.Default
	case len(f.Options) > 0:
		return f.Options[0].Value
	case slices.Contains(places, asBase):
		return "https://sample.example"
	case f.Kind == Number:
		return "1"
	case f.Kind == Boolean:
		return "true"
	}
	return "sample"
}

// proveURLs returns what is wrong with the URLs under the values, by path.
func (v validator) proveURLs(values map[string]string) map[string]string {
	c := &choice{vars: maps.Clone(values), owner: map[string]Field{}}
	for _, f := range v.d.Fields {
		c.take(f, values[f.Key], false)
	}
	wrong := map[string]string{}
	v.d.eachTemplate(func(t templateAt) {
		if !t.isURL {
			return
		}
		parsed, _ := parseURL(t.text)
		if why := prove(parsed.fill(c.vars), parsed.host(c.vars), false); why != "" {
			wrong[t.path] = why
		}
	})
	return wrong
}
