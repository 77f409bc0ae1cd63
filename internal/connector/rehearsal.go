package connector

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
)

// RehearsalValue is the value of the option that Rehearse adds.
const RehearsalValue = "sandbox"

// Rehearse returns a catalogue in which the definition with this key can also
// lead to a rehearsal sandbox at base, such as "http://localhost:8081": the
// field whose options choose the addresses has one more option, which is its
// default. The definitions of a file can never do this. base must be an http
// or https origin on a loopback host.
func (c *Catalogue) Rehearse(key, base string) (*Catalogue, error) {
	d, ok := c.Get(key)
	if !ok {
		return nil, fmt.Errorf("rehearsing: there is no connector %q", key)
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !isLoopback(u.Hostname()) || u.Scheme+"://"+u.Host != base {
		return nil, fmt.Errorf("rehearsing: %q is not the origin of a loopback host", base)
	}
	rehearsed, err := d.withRehearsal(base)
	if err != nil {
		return nil, err
	}
	out := &Catalogue{byKey: maps.Clone(c.byKey)}
	out.byKey[key] = rehearsed
	return out, nil
}

// withRehearsal adds the option to the one field whose options set the
// beginning of every address.
func (d *Definition) withRehearsal(base string) (*Definition, error) {
	used := d.usedVariables()
	i := slices.IndexFunc(d.Fields, func(f Field) bool { return f.setsVariables() })
	if i < 0 {
		return nil, fmt.Errorf("rehearsing %s: no field chooses its addresses", d.Key)
	}
	set := map[string]string{}
	for name := range d.Fields[i].Options[0].Set {
		if places := used[name]; len(places) != 1 || places[0] != asBase {
			return nil, fmt.Errorf("rehearsing %s: {%s} is not the beginning of a URL", d.Key, name)
		}
		set[name] = base
	}
	out := *d
	out.Fields = slices.Clone(d.Fields)
	f := &out.Fields[i]
	f.Default = RehearsalValue
	f.Options = append(slices.Clone(f.Options), Option{Value: RehearsalValue, Label: "Rehearsal sandbox", Set: set, Rehearsal: true,
		Note: "Leads to the sandbox on this machine, not to " + d.Name + "."})
	if err := out.rehearsalReaches(base); err != nil {
		return nil, err
	}
	return &out, nil
}

// rehearsalReaches makes sure that no address still leads to the provider.
func (d *Definition) rehearsalReaches(base string) error {
	e, err := d.Resolve(nil)
	if err != nil {
		return fmt.Errorf("rehearsing %s: %w", d.Key, err)
	}
	want, _ := url.Parse(base)
	for _, address := range append([]string{e.Authorize, e.Token, e.API, e.Metadata, e.Identity}, e.Probes...) {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host != want.Host || u.Scheme != want.Scheme) {
			return fmt.Errorf("rehearsing %s: an address would still lead to the provider", d.Key)
		}
	}
	return nil
}
