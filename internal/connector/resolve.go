package connector

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"backoffice/internal/errs"
)

// Endpoints are the addresses of one entry: the definition's templates, filled
// with the entry's values.
type Endpoints struct {
	Authorize, Token string
	API              string            // "" if the definition names none
	Metadata         string            // "" if the definition names none
	Identity         string            // "" if there is no identity call
	IdentityHeaders  map[string]string // of the identity call and of the probes
	Probes           []string          // in the order of Definition.Probes
	AuthorizeParams  map[string]string // OAuth.AuthorizeParams, filled; not yet escaped
	Region           string            // labels of the options that chose the addresses: "Europe"; "" if there was nothing to choose
	Rehearsal        bool              // they lead to the sandbox, not to the provider
}

// Resolve fills the definition's URL templates from the values of an entry,
// by field key; a value that is absent or empty is the field's default. It
// looks only at the values that the templates use, never at a secret.
//
// Each URL it returns is proved after substitution: its scheme is https (http
// only in rehearsal, to a loopback host), its host is exactly what the
// template makes of it, it has no credentials and no fragment, and its path
// does not climb. The error joins one [errs.Field] error for each field at
// fault; the messages never repeat a value. A definition without OAuth has no
// endpoints: the result is zero and there is no error.
func (d *Definition) Resolve(values map[string]string) (Endpoints, error) {
	if d.OAuth == nil {
		return Endpoints{}, nil
	}
	chosen := d.choose(values)
	if err := errors.Join(chosen.faults...); err != nil {
		return Endpoints{}, err
	}
	e := Endpoints{Region: strings.Join(chosen.labels, ", "), Rehearsal: chosen.rehearsal}
	e.Authorize = chosen.url(d.OAuth.AuthorizeURL)
	e.Token = chosen.url(d.OAuth.TokenURL)
	e.AuthorizeParams = chosen.texts(d.OAuth.AuthorizeParams)
	if d.OAuth.APIURL != "" {
		e.API = chosen.url(d.OAuth.APIURL)
	}
	if d.OAuth.MetadataURL != "" {
		e.Metadata = chosen.url(d.OAuth.MetadataURL)
	}
	if d.Identity != nil {
		e.Identity = chosen.url(d.Identity.URL)
		e.IdentityHeaders = chosen.texts(d.Identity.Headers)
	}
	for _, p := range d.Probes {
		e.Probes = append(e.Probes, chosen.url(p.URL))
	}
	if err := errors.Join(chosen.faults...); err != nil {
		return Endpoints{}, err
	}
	return e, nil
}

// A choice is what an entry's values make of the variables.
type choice struct {
	vars      map[string]string // variable → value
	owner     map[string]Field  // variable → the field that gave it
	labels    []string
	rehearsal bool
	faults    []error
}

// choose checks the fields that the templates use and collects the variables.
func (d *Definition) choose(values map[string]string) *choice {
	c := &choice{vars: map[string]string{}, owner: map[string]Field{}}
	used := d.usedVariables()
	for _, f := range d.Fields {
		value := values[f.Key]
		if value == "" {
			value = f.Default
		}
		places, inTemplate := used[f.Key]
		if !inTemplate && !f.setsVariables() {
			continue
		}
		if err := f.checkUsed(value, places); err != nil {
			c.faults = append(c.faults, err)
			continue
		}
		c.vars[f.Key], c.owner[f.Key] = value, f
		c.take(f, value, slices.ContainsFunc(places, func(p place) bool { return p != inText }))
	}
	return c
}

// take sets what the option with this value sets. Its label names the region
// if the option sets variables or stands in a URL itself.
func (c *choice) take(f Field, value string, inURL bool) {
	i := slices.IndexFunc(f.Options, func(o Option) bool { return o.Value == value })
	if i < 0 || len(f.Options[i].Set) == 0 && !inURL {
		return
	}
	o := f.Options[i]
	for name, v := range o.Set {
		c.vars[name], c.owner[name] = v, f
	}
	c.labels = append(c.labels, o.Label)
	c.rehearsal = c.rehearsal || o.Rehearsal
}

func (f Field) setsVariables() bool { return len(f.Options) > 0 && len(f.Options[0].Set) > 0 }

// checkUsed is Check for a value that an address needs.
func (f Field) checkUsed(value string, places []place) error {
	if value == "" {
		return errs.Field(f.Key, f.Label+" is missing, and the provider's address needs it. Fill it in.")
	}
	if err := f.Check(value); err != nil {
		return err
	}
	for _, p := range places {
		if len(value) > maxToken || strings.ContainsFunc(value, func(c rune) bool { return !p.allows(c) }) {
			return errs.Field(f.Key, f.Label+" has a character that cannot stand "+placeNames[p]+", or is too long.")
		}
	}
	return nil
}

// usedVariables maps each variable of the templates to its places.
func (d *Definition) usedVariables() map[string][]place {
	used := map[string][]place{}
	d.eachTemplate(func(t templateAt) {
		parts, _ := t.parse()
		for _, p := range parts {
			if p.variable != "" && !slices.Contains(used[p.variable], p.place) {
				used[p.variable] = append(used[p.variable], p.place)
			}
		}
	})
	return used
}

// A templateAt is one template of a definition, at its path.
type templateAt struct {
	path, text string
	isURL      bool // else a header or parameter value
}

func (t templateAt) parse() (template, error) {
	if !t.isURL {
		return parseText(t.text)
	}
	if t.text == "" {
		return nil, errors.New(t.path[strings.LastIndexByte(t.path, '.')+1:] + " is missing. Write the address from https:// on")
	}
	return parseURL(t.text)
}

// eachTemplate calls f for every template.
func (d *Definition) eachTemplate(f func(t templateAt)) {
	if d.OAuth != nil {
		f(templateAt{"oauth.authorizeUrl", d.OAuth.AuthorizeURL, true})
		f(templateAt{"oauth.tokenUrl", d.OAuth.TokenURL, true})
		if d.OAuth.APIURL != "" {
			f(templateAt{"oauth.apiUrl", d.OAuth.APIURL, true})
		}
		if d.OAuth.MetadataURL != "" {
			f(templateAt{"oauth.metadataUrl", d.OAuth.MetadataURL, true})
		}
		for _, name := range sortedKeys(d.OAuth.AuthorizeParams) {
			f(templateAt{join("oauth.authorizeParams", name), d.OAuth.AuthorizeParams[name], false})
		}
	}
	if d.Identity != nil {
		f(templateAt{"identity.url", d.Identity.URL, true})
		for _, name := range sortedKeys(d.Identity.Headers) {
			f(templateAt{join("identity.headers", name), d.Identity.Headers[name], false})
		}
	}
	for i, p := range d.Probes {
		f(templateAt{item("probes", i) + ".url", p.URL, true})
	}
}

// url fills a URL template and proves the result.
func (c *choice) url(text string) string {
	t, err := parseURL(text)
	if err != nil {
		c.faults = append(c.faults, errs.Wrap(errs.Internal, "The connector's definition has an address that cannot be read.", err))
		return ""
	}
	filled := t.fill(c.vars)
	if why := prove(filled, t.host(c.vars), c.rehearsal); why != "" {
		c.blame(t, why)
		return ""
	}
	return filled
}

// blame names the fields that take part in a URL that failed its proof.
func (c *choice) blame(t template, why string) {
	for _, p := range t {
		if f, ok := c.owner[p.variable]; ok {
			c.faults = append(c.faults, errs.Field(f.Key, "With this "+f.Label+", the provider's address "+why+"."))
			return
		}
	}
	c.faults = append(c.faults, errs.New(errs.Internal, "The connector's definition has an address that "+why+"."))
}

// texts fills the values of headers or parameters.
func (c *choice) texts(in map[string]string) map[string]string {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]string, len(in))
	for name, text := range in {
		t, err := parseText(text)
		if err != nil {
			c.faults = append(c.faults, errs.Wrap(errs.Internal, "The connector's definition has a header or parameter that cannot be read.", err))
		}
		out[name] = t.fill(c.vars)
	}
	return out
}

// prove returns what is wrong with a filled URL, "" if nothing is.
func prove(filled, host string, rehearsal bool) string {
	u, err := url.Parse(filled)
	switch {
	case err != nil || u.Opaque != "":
		return "is not a URL"
	case u.User != nil:
		return "has a user name or password"
	case u.Fragment != "":
		return "has a fragment"
	case checkLiterals(filled) != nil:
		return "has a character that no URL may have"
	case u.Host != host || !validHost(u):
		return "has no proper host name"
	case climbs(u.Path):
		return "has a path that climbs with dots"
	case u.Scheme == "https", u.Scheme == "http" && rehearsal && isLoopback(u.Hostname()):
		return ""
	}
	return "does not begin with https://"
}

func validHost(u *url.URL) bool {
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return false
		}
	}
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	name := u.Hostname()
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(c rune) bool { return c == '.' || !inHost.allows(c) }) {
			return false
		}
	}
	return len(name) <= 253
}

func climbs(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
