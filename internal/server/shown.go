package server

import (
	"slices"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// This file turns domain values into what pages show of them.

// sealedKey is a secret by its fingerprint.
func sealedKey(k config.Key) templates.Shown {
	return templates.SealedValue(templates.Fingerprint(k.Fingerprint), characters(k.Length))
}

// shownKey is a value as it may be shown: plain ones in full, as JSON.
func shownKey(o config.Opened, k config.Key) templates.Shown {
	if k.Secret {
		return sealedKey(k)
	}
	kind := ""
	if k.Kind != connector.Text {
		kind = kindName(k.Kind)
	}
	return templates.PlainValue(o.Values[k.Name].Literal(), kind)
}

// cutKey is shownKey for lists of differences, where a very long value would hide
// all others: its fingerprint tells whether it changed.
func cutKey(o config.Opened, k config.Key) templates.Shown {
	s := shownKey(o, k)
	const most = 200
	if r := []rune(s.Plain); len(r) > most {
		s.Plain, s.Note = string(r[:most])+"…", characters(k.Length)+", "+k.Fingerprint.String()
	}
	return s
}

// copiedKey is shownKey for where a value is copied from: a text stands without
// quotes, and says that it is one if it could be taken for something else.
func copiedKey(o config.Opened, k config.Key) templates.Shown {
	v := o.Values[k.Name]
	if k.Secret || k.Kind != connector.Text || v.Text().IsZero() {
		return shownKey(o, k)
	}
	text := v.Text().Reveal()
	return templates.PlainValue(text, pick(v.Typed() == text, "", kindName(connector.Text)))
}

func characters(n int) string {
	if n == 1 {
		return "1 character"
	}
	return templates.Count(int64(n)) + " characters"
}

func kindName(k connector.Kind) string {
	return [...]string{connector.Text: "text", connector.Number: "number", connector.Boolean: "boolean", connector.Null: "null"}[k]
}

// diffLines says how b differs from a; with all, keys that are the same are
// lines too.
func diffLines(a, b config.Opened, all bool) (out []templates.DiffLine) {
	changed := map[string]bool{}
	for _, d := range config.Diff(a.Version, b.Version) {
		if d.List != "" {
			sign := templates.SignRemoved
			if d.Added {
				sign = templates.SignAdded
			}
			out = append(out, templates.DiffLine{Sign: sign, Key: d.List, Shown: templates.PlainValue(d.Name, "")})
			continue
		}
		changed[d.Name] = true
		if d.Before != nil {
			out = append(out, templates.DiffLine{Sign: templates.SignRemoved, Key: d.Name, Shown: cutKey(a, *d.Before)})
		}
		if d.After != nil {
			out = append(out, templates.DiffLine{Sign: templates.SignAdded, Key: d.Name, Shown: cutKey(b, *d.After)})
		}
	}
	if all {
		for _, k := range b.Keys {
			if !changed[k.Name] {
				out = append(out, templates.DiffLine{Key: k.Name, Shown: cutKey(b, k)})
			}
		}
		slices.SortStableFunc(out, func(x, y templates.DiffLine) int { return strings.Compare(x.Key, y.Key) })
	}
	return out
}

// initial is the two letters of an entry's tile.
func initial(def *connector.Definition, id config.ID) string {
	if def != nil && def.Initial != "" {
		return def.Initial
	}
	s := []rune(id.Service())
	if len(s) == 0 {
		return "?"
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:min(2, len(s))])
}

// providerName is what a page calls the other side.
func providerName(def *connector.Definition, id config.ID) string {
	if def != nil {
		return def.Name
	}
	return id.Service()
}

// consoleLink is the first page of the provider's console.
func consoleLink(def *connector.Definition) templates.Link {
	if def == nil {
		return templates.Link{}
	}
	for _, l := range def.Links {
		if l.For == "console" {
			return templates.Link{Label: l.Label, URL: l.URL}
		}
	}
	return templates.Link{}
}

// consoleOf leads to where the app is kept: in a rehearsal that is the sandbox.
func (g gate) consoleOf(def *connector.Definition, rehearsal bool) templates.Link {
	switch {
	case !rehearsal:
		return consoleLink(def)
	case g.Site.Sandbox == "":
		return templates.Link{}
	}
	return templates.Link{Label: "Open the sandbox", URL: g.Site.Sandbox}
}

func permissionHint(p connector.Permission) string {
	parts := []string{}
	if p.Meaning != "" {
		parts = append(parts, p.Meaning)
	}
	if p.Name != "" {
		parts = append(parts, p.Name)
	}
	return strings.Join(parts, " · ")
}

// needLabels are the permissions of which a topic needs one, as the provider
// labels them.
func needLabels(def *connector.Definition, t connector.Topic) []string {
	var out []string
	for _, n := range t.Needs {
		if p, ok := def.Permission(n); ok {
			n = p.Label
		}
		out = append(out, n)
	}
	return out
}

func topicNeeds(def *connector.Definition, t connector.Topic) string {
	labels := needLabels(def, t)
	switch {
	case t.Always:
		return "Needs no permission, always on"
	case len(labels) == 0:
		return "The documentation names no permission"
	}
	return "Needs " + strings.Join(labels, " or ")
}

// satisfied reports whether one of the permissions that t needs is declared.
func satisfied(t connector.Topic, declared []string) bool {
	return len(t.Needs) == 0 || slices.ContainsFunc(t.Needs, func(n string) bool { return slices.Contains(declared, n) })
}

// redirectURI is the address to register: the entry's own, or the default,
// built from the public URL alone.
func (g gate) redirectURI(def *connector.Definition, own string) string {
	if own = strings.TrimSpace(own); own != "" {
		return own
	}
	return g.origin() + "/auth/" + def.Key + "/callback"
}

// hookAddress is the address of a path below /webhooks.
func (g gate) hookAddress(path string) string { return g.origin() + "/webhooks/" + path }

// ownHook is the path of the address to register for an entry, and how many other
// entries share the short one with it. Whoever's role is for some entries gets the
// vendor's own: which one is needed would tell of others.
func (g gate) ownHook(c echo.Context, id config.ID) (path string, others int, err error) {
	path, shared, err := g.Webhooks.Addresses(c.Request().Context(), id)
	if err == nil && !g.unlimited(c) {
		return id.Vendor() + "/" + id.Service(), 0, nil
	}
	return path, len(shared), err
}

// webhookURL is the address to register for an entry. Where another vendor has
// the same service, each has an address of its own, also while the entry is not
// saved yet.
func (g gate) webhookURL(c echo.Context, id config.ID) (string, error) {
	own, _, err := g.ownHook(c, id)
	if err == nil {
		return g.hookAddress(own), nil
	}
	if !errs.Is(err, errs.NotFound) {
		return "", err
	}
	if !g.unlimited(c) {
		return g.hookAddress(id.Vendor() + "/" + id.Service()), nil
	}
	all, err := g.entries(c)
	if err != nil {
		return "", err
	}
	for _, e := range all {
		if e.ID.Service() == id.Service() && e.ID.Vendor() != id.Vendor() {
			return g.hookAddress(id.Vendor() + "/" + id.Service()), nil
		}
	}
	return g.hookAddress(id.Service()), nil
}

// rehearses reports whether an entry with these plain values talks to the
// sandbox.
func (g gate) rehearses(def *connector.Definition, texts map[string]string) bool {
	leads := func(o connector.Option) bool { return o.Rehearsal }
	if def == nil || !slices.ContainsFunc(def.Fields, func(f connector.Field) bool { return slices.ContainsFunc(f.Options, leads) }) {
		return false
	}
	e, err := def.Resolve(texts)
	return err == nil && e.Rehearsal
}

// plural is a number with its word.
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	if begin, ok := strings.CutSuffix(word, "y"); ok && !strings.ContainsAny(begin[max(0, len(begin)-1):], "aeou") { // entries, but keys and days
		word = begin + "ie"
	}
	return templates.Count(int64(n)) + " " + word + "s"
}

// pick is one of two words.
func pick[T any](cond bool, yes, no T) T {
	if cond {
		return yes
	}
	return no
}
