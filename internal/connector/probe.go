package connector

import (
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// MaxProbes is how many probes a definition may have: each is a call with a
// person's token.
const MaxProbes = 12

// A Probe is a harmless read that tells about permissions: whether it is
// allowed shows whether the token has one of those that allow it.
type Probe struct {
	Label       string   // what it does: "List conversations"
	URL         string   // template, as in OAuth; at the same beginning as Identity.URL
	Permissions []string // Permission IDs, of which any one allows it; none if no permission is known for it
	Confirmed   bool     // the provider's documentation says so; else it is our reading
	Note        string   // what is not confirmed about it
}

// Asked are the permissions that the authorize URL asks for if an entry declares
// these: as they are declared, or the definition's own if none is. It is empty for a
// provider that takes no scopes in a URL, and a permission without a machine name
// cannot be asked for.
func (d *Definition) Asked(declared []string) (out []string) {
	if d.OAuth == nil || !d.OAuth.SendScopes {
		return nil
	}
	if len(declared) == 0 {
		declared = d.OAuth.DefaultScopes
	}
	for _, name := range declared {
		if p, ok := d.Permission(name); ok {
			name = p.Name
		}
		if name != "" {
			out = append(out, name)
		}
	}
	return out
}

// Call is a request as documentation writes it: the method and the address from
// its path on, of a URL template.
func Call(address string) string {
	if i := strings.Index(address, "}/"); i >= 0 && strings.HasPrefix(address, "{") {
		return "GET " + address[i+1:]
	}
	u, err := url.Parse(address)
	if err != nil {
		return "GET " + address
	}
	return "GET " + u.RequestURI()
}

func (r *reader) probe(path string, n ast.Node) Probe {
	o := r.object(path, n, members["probe"])
	return Probe{Label: o.text("label", maxName), URL: o.text("url", maxToken), Permissions: o.texts("permissions", maxToken),
		Confirmed: o.flag("confirmed", false), Note: o.prose("note", maxProse)}
}

func (v validator) probes() {
	if len(v.d.Probes) == 0 {
		return
	}
	if v.d.Identity == nil {
		v.fault("probes", "probes are sent after the identity call, with its headers, but there is no identity. Add identity, or remove the probes.")
		return
	}
	if len(v.d.Probes) > MaxProbes {
		v.fault("probes", "there are more than %d probes. Each is a call with a person's token: keep those that tell most.", MaxProbes)
	}
	labels, addresses := once{}, once{}
	addresses.seen(v.d.Identity.URL, "identity.url")
	for i, p := range v.d.Probes {
		path := item("probes", i)
		v.need(path+".label", p.Label, "what the call does")
		if _, twice := labels.seen(p.Label, path); twice && p.Label != "" {
			v.fault(path+".label", "two probes have the label %q. Change one.", cut(p.Label))
		}
		if first, twice := addresses.seen(p.URL, path); twice && p.URL != "" {
			v.fault(path+".url", "%s asks there already. Remove one of the two.", first)
		}
		v.probeBeginning(path, p)
		v.probePermissions(path, p)
	}
}

// probeBeginning holds a probe to where the identity call goes: a token is sent to
// no host beside it.
func (v validator) probeBeginning(path string, p Probe) {
	own, err := parseURL(v.d.Identity.URL)
	there, bad := parseURL(p.URL)
	if err != nil || bad != nil { // said by templates
		return
	}
	if beginning(own) != beginning(there) {
		v.fault(path+".url", "a probe goes where identity.url goes: the token is sent to no other host. Begin it as identity.url begins.")
	}
}

// beginning is the scheme and host of a template, or the variable that has them.
func beginning(t template) string {
	if t[0].variable != "" {
		return "{" + t[0].variable + "}"
	}
	var b strings.Builder
	for _, p := range authorityOf(t) {
		b.WriteString(p.literal + "{" + p.variable + "}")
	}
	return strings.ToLower(b.String())
}

func (v validator) probePermissions(path string, p Probe) {
	for j, id := range p.Permissions {
		if _, ok := v.d.permissionID(id); !ok {
			v.fault(item(path+".permissions", j), "no permission is called %q. %s", cut(id), idRule)
		}
	}
	if p.Confirmed && len(p.Permissions) == 0 {
		v.fault(path+".confirmed", "nothing is confirmed without a permission. Name it, or remove confirmed.")
	}
}

// Probed are the probes of which a permission with this ID may be the one that
// allows them.
func (d *Definition) Probed(id string) (out []Probe) {
	for _, p := range d.Probes {
		if slices.Contains(p.Permissions, id) {
			out = append(out, p)
		}
	}
	return out
}
