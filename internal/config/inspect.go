package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"backoffice/internal/connector"
)

// Inspect looks at the values of o, saved or not, and returns what is doubtful
// about them, in the order of the definition's fields and then of the keys' names.
// It needs neither the network nor the store, and changes nothing. def is nil for
// a plain entry: then the keys clientId and clientSecret, in any spelling, are
// taken for what they are called. No Doubt has a value or a part of one.
func Inspect(def *connector.Definition, o Opened) (out []Doubt) {
	in := inspection{def, o}
	for _, k := range o.Keys {
		p := in.use(k)
		text := o.Values[k.Name].text.Reveal()
		if k.Kind != connector.Text || text == "" {
			continue
		}
		for _, l := range append(looksOf(text, p), in.otherThing(k, p, text)...) {
			out = append(out, in.doubt(k.Name, l))
		}
	}
	return in.ordered(append(out, in.pair()...))
}

// An inspection is values with what is known of them.
type inspection struct {
	def *connector.Definition
	o   Opened
}

func (in inspection) doubt(key string, l look) Doubt {
	return Doubt{Key: key, Label: in.label(key), Kind: l.kind, Found: l.found, Remedy: l.remedy}
}

func (in inspection) label(key string) string {
	if f, ok := field(in.def, key); ok {
		return f.Label
	}
	return key
}

// use is what the key is for.
func (in inspection) use(k Key) use {
	id, secret := idAndSecret(in.def, in.o.Version)
	f, known := field(in.def, k.Name)
	switch {
	case k.Name == id:
		return clientID
	case k.Name == secret, known && f.Secret:
		return clientSecret
	case known:
		return otherField
	}
	return ownKey
}

// idAndSecret are the keys of the client id and of the client secret: those that
// the definition names, or those that are called so.
func idAndSecret(def *connector.Definition, v Version) (id, secret string) {
	if def != nil && def.OAuth != nil {
		return def.OAuth.ClientIDKey, def.OAuth.ClientSecretKey
	}
	for _, k := range v.Keys {
		switch plainName(k.Name) {
		case "clientid":
			id = k.Name
		case "clientsecret":
			secret = k.Name
		}
	}
	return id, secret
}

func plainName(key string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(key))
}

// otherThing is what the value looks like that does not belong here: first by
// the words of the definition, then by what is known of all providers.
func (in inspection) otherThing(k Key, p use, text string) []look {
	f, _ := field(in.def, k.Name)
	if m, ok := f.Mistaken(text); ok {
		return []look{{OtherThing, "It looks like " + m.Means + ".", m.Remedy}}
	}
	if p != clientID && p != clientSecret {
		return nil
	}
	seen, ok := connector.Recognise(text)
	if !ok || in.belongs(seen, p) {
		return nil
	}
	remedy := "Copy the client secret, and put it here."
	if p == clientID {
		remedy = "Copy the client ID, and put it here."
	}
	if !misplaced(seen, p) {
		remedy = "Copy this from the app at " + in.def.Name + ", or move it to an entry of the provider that it is from."
	}
	return []look{{OtherThing, "It looks like " + seen.Means + ".", remedy}}
}

// misplaced reports whether what was recognised is no value of this sort.
func misplaced(k connector.Known, p use) bool {
	return k.Is == connector.Token || (k.Is == connector.ClientIdentifier) != (p == clientID)
}

// belongs reports whether what was recognised may well be right here. Of whom a
// plain entry is, only its id says, in the operator's own words.
func (in inspection) belongs(k connector.Known, p use) bool {
	if misplaced(k, p) {
		return false
	}
	if in.def == nil {
		return true
	}
	service, _, _ := strings.Cut(in.def.Key, ":")
	return strings.HasPrefix(strings.ToLower(service), k.Service) // googleChat takes Google's
}

// A client id is often a UUID, and a secret a long run of hexadecimal digits;
// hardly ever the other way round.
var (
	uuid    = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	longHex = regexp.MustCompile(`^[0-9a-fA-F]{32,}$`)
)

// pair is what is odd about the client id and the client secret together.
func (in inspection) pair() []Doubt {
	idKey, secretKey := idAndSecret(in.def, in.o.Version)
	id, secret := in.o.Values[idKey].text.Reveal(), in.o.Values[secretKey].text.Reveal()
	if id == "" || secret == "" {
		return nil
	}
	if id == secret {
		return []Doubt{in.doubt(secretKey, look{SameAsID, fmt.Sprintf("It is the same as %s.", in.label(idKey)), "Copy each of the two from its own field of the provider's page."})}
	}
	seenID, ok1 := connector.Recognise(id)
	seenSecret, ok2 := connector.Recognise(secret)
	idIsSecret := ok1 && seenID.Is == connector.ClientSecret || in.fitsOnly(idKey, secret, id)
	secretIsID := ok2 && seenSecret.Is == connector.ClientIdentifier || in.fitsOnly(secretKey, id, secret)
	if idIsSecret && (secretIsID || !ok2) || secretIsID && !ok1 || uuid.MatchString(secret) && longHex.MatchString(id) {
		return []Doubt{in.doubt(idKey, look{Swapped, fmt.Sprintf("By their looks, %s and %s have changed places.", in.label(idKey), in.label(secretKey)), "Put each into the other's field."})}
	}
	return nil
}

// fitsOnly reports whether the pattern of the field fits the one text and not the
// other. A form refuses such a value, but values that come another way, or that
// were saved before the pattern was there, are looked at too.
func (in inspection) fitsOnly(key, fits, not string) bool {
	f, ok := field(in.def, key)
	return ok && f.Pattern != "" && f.Check(fits) == nil && f.Check(not) != nil
}

// ordered sorts by field or key, then by kind, and keeps one doubt of a kind.
// Values that have changed places are not said to look like another thing too.
func (in inspection) ordered(doubts []Doubt) []Doubt {
	place := func(key string) int {
		if in.def == nil {
			return 0
		}
		i := slices.IndexFunc(in.def.Fields, func(f connector.Field) bool { return f.Key == key })
		if i < 0 {
			return len(in.def.Fields)
		}
		return i
	}
	id, secret := idAndSecret(in.def, in.o.Version)
	swapped := slices.ContainsFunc(doubts, func(d Doubt) bool { return d.Kind == Swapped })
	doubts = slices.DeleteFunc(doubts, func(d Doubt) bool {
		return swapped && d.Kind == OtherThing && (d.Key == id || d.Key == secret)
	})
	slices.SortStableFunc(doubts, func(a, b Doubt) int {
		if n := place(a.Key) - place(b.Key); n != 0 {
			return n
		}
		if n := strings.Compare(a.Key, b.Key); n != 0 {
			return n
		}
		return int(a.Kind) - int(b.Kind)
	})
	return slices.CompactFunc(doubts, func(a, b Doubt) bool { return a.Key == b.Key && a.Kind == b.Kind })
}
