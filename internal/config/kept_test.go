package config_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"backoffice/internal/config"
)

const rocket config.ID = "acme:rocket"

// fields are the inputs of an entry of rocket, or what a change makes of them.
func fields(change ...config.Input) config.Draft {
	in := []config.Input{{Key: "clientId", Value: text("id")}, {Key: "clientSecret", Value: text("s3cret")}}
	for _, c := range change {
		i := slices.IndexFunc(in, func(old config.Input) bool { return old.Key == c.Key })
		if i < 0 {
			in = append(in, c)
		} else {
			in[i] = c
		}
	}
	return config.Draft{ID: rocket, Values: in}
}

func field(key, value string) config.Input { return config.Input{Key: key, Value: text(value)} }

// A kept secret comes from the base version, with its date and its author.
func TestKeptSecrets(t *testing.T) {
	r := open(t)
	first, err := r.Save(t.Context(), editor, fields(hidden("further", "more")))
	if err != nil {
		t.Fatal(err)
	}
	second := r.save(fields(keep("clientSecret"), keep("further"), field("clientId", "other")))
	o, err := r.Open(t.Context(), rocket, 2)
	if err != nil || o.Values["clientSecret"] != text("s3cret") || o.Values["further"] != text("more") || o.Values["clientId"] != text("other") {
		t.Errorf("values %v, %v", maps.Keys(o.Values), err)
	}
	for _, name := range []string{"clientSecret", "further"} {
		was, _ := first.Version.Key(name)
		is, _ := second.Key(name)
		if was != is || is.Since != 1 || is.SetBy != editor.Name || !is.Secret {
			t.Errorf("%s is %+v, was %+v", name, is, was)
		}
	}
	if k, _ := second.Key("clientId"); k.Since != 2 || k.SetBy != owner.Name || k.SetAt != second.Time {
		t.Errorf("the changed key is %+v", k)
	}
	d := fields(keep("clientSecret"), keep("further"), field("clientId", "third"))
	d.Revision, d.Base = r.get(rocket).Revision, 1 // from the first version: typed again, the same value is as old as it was there
	d.Values[1] = field("clientSecret", "s3cret")
	third, err := r.Save(t.Context(), owner, d)
	if err != nil {
		t.Fatal(err)
	}
	if k, _ := third.Version.Key("clientSecret"); k.Since != 1 || third.Version.Base != 1 {
		t.Errorf("base %d, key %+v", third.Version.Base, k)
	}
}

func TestWhatCannotBeKeptSecret(t *testing.T) {
	for name, tt := range map[string]struct {
		base  []config.Input // further than what fields has
		draft config.Draft
		want  map[string]string
	}{
		"without a base": {nil, fields(keep("webhookSecret")),
			map[string]string{"webhookSecret": "There is no stored value of webhookSecret to keep. Type it."}},
		"another key": {[]config.Input{hidden("a", "x")}, fields(keep("b")),
			map[string]string{"b": "There is no stored value of b to keep. Type it."}},
		"declassified": {[]config.Input{hidden("a", "x")}, fields(config.Input{Key: "a", Keep: true}),
			map[string]string{"a": "a was stored as a secret. To show it from now on, type its value again."}},
		"another token host": {nil, fields(keep("clientSecret"), field("region", "two")),
			map[string]string{"clientSecret": "The token address is now at https://two.rocket.example. Paste the client secret again, so that it never goes to a new address unnoticed."}},
		"back to the default host": {[]config.Input{field("region", "two")}, fields(keep("clientSecret")),
			map[string]string{"clientSecret": "The token address is now at https://one.rocket.example. Paste the client secret again, so that it never goes to a new address unnoticed."}},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			r.save(fields(tt.base...))
			r.refused(tt.draft, tt.want)
		})
	}
}

func TestWhatCanBeKeptSecret(t *testing.T) {
	for name, tt := range map[string]struct {
		base  []config.Input
		draft config.Draft
	}{
		"the same token host":       {nil, fields(keep("clientSecret"), field("region", "uno"))},
		"the secret typed again":    {nil, fields(field("clientSecret", "s3cret"), field("region", "two"))},
		"a secret that stays":       {[]config.Input{hidden("a", "x")}, fields(keep("a"), field("clientId", "other"), field("region", "two"))},
		"a plain value made secret": {[]config.Input{field("a", "x")}, fields(keep("a"))},
		"a plain value kept":        {[]config.Input{field("a", "x")}, fields(config.Input{Key: "a", Keep: true}, field("clientId", "other"))},
		"secret by the definition":  {nil, fields(config.Input{Key: "clientSecret", Keep: true}, field("clientId", "other"))},
		"declassified by typing":    {[]config.Input{hidden("a", "x")}, fields(field("a", "x"))},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			r.save(fields(tt.base...))
			v := r.save(tt.draft)
			if k, _ := v.Key("clientSecret"); !k.Secret {
				t.Error("the client secret is none any more")
			}
			if k, ok := v.Key("a"); ok && k.Secret != (name == "a plain value made secret" || name == "a secret that stays") {
				t.Errorf("a is %+v", k)
			}
		})
	}
}

// An entry whose address lacks an optional part is kept without addresses. A
// kept secret does not go along when it gets one.
func TestKeptSecretAndAnAddressThatWasMissing(t *testing.T) {
	planet := func(secretInput config.Input, further ...config.Input) config.Draft {
		return config.Draft{ID: "acme:planet", Values: append(further, field("clientId", "id"), secretInput)}
	}
	r := open(t)
	r.save(planet(field("clientSecret", "x"), field("subdomain", "acme")))
	r.save(planet(keep("clientSecret"))) // leads nowhere
	r.save(planet(keep("clientSecret"), field("subdomain", "")))
	r.refused(planet(keep("clientSecret"), field("subdomain", "evil")), map[string]string{
		"clientSecret": "The token address is now at https://evil.planet.example. Paste the client secret again, so that it never goes to a new address unnoticed."})
	r.save(planet(field("clientSecret", "x"), field("subdomain", "good")))
	r.refused(planet(keep("clientSecret"), field("subdomain", "-bad")), map[string]string{
		"subdomain": "With this Subdomain, the provider's address has no proper host name."})
}

func TestTrimming(t *testing.T) {
	r := open(t)
	saved, err := r.Save(t.Context(), owner, fields(field("clientId", "\tid \n"), field("clientSecret", " s3 cret\r\n"), field("further", " x "), plain("retries", " 5 ")))
	if err != nil {
		t.Fatal(err)
	}
	if want := []config.Cleaning{{Key: "clientId", Trimmed: 3}, {Key: "clientSecret", Trimmed: 3}}; !reflect.DeepEqual(saved.Version.Cleaned, want) {
		t.Errorf("cleaned %+v", saved.Version.Cleaned)
	}
	o, err := r.Open(t.Context(), rocket, 1)
	want := map[string]string{"clientId": "id", "clientSecret": "s3 cret", "further": " x ", "retries": "5"}
	for key, s := range want {
		if got := o.Values[key].Text().Reveal(); got != s || err != nil || len(o.Values) != len(want) {
			t.Errorf("%s = %q, %v; want %q", key, got, err, s)
		}
	}
}

func TestDefinitionChecks(t *testing.T) {
	missing := func(d config.Draft, key string) config.Draft {
		d.Values = slices.DeleteFunc(d.Values, func(in config.Input) bool { return in.Key == key })
		return d
	}
	for name, tt := range map[string]struct {
		draft config.Draft
		want  map[string]string
	}{
		"nothing at all":     {config.Draft{ID: rocket}, map[string]string{"clientId": "Client ID is missing. Fill it in.", "clientSecret": "Client secret is missing. Fill it in."}},
		"required":           {missing(fields(), "clientSecret"), map[string]string{"clientSecret": "Client secret is missing. Fill it in."}},
		"required, empty":    {fields(field("clientSecret", "")), map[string]string{"clientSecret": "Client secret is missing. Fill it in."}},
		"required, spaces":   {fields(field("clientId", " \n")), map[string]string{"clientId": "Client ID is missing. Fill it in."}},
		"required, null":     {fields(plain("clientId", "null")), map[string]string{"clientId": "Client ID is missing. Fill it in."}},
		"pattern":            {fields(field("clientId", "My App")), map[string]string{"clientId": "Client ID must be small letters, digits and -."}},
		"option":             {fields(field("region", "three")), map[string]string{"region": "Region is none of the choices. Choose one of the list."}},
		"no number":          {fields(field("retries", "many")), map[string]string{"retries": "Retries must be a number."}},
		"a number as text":   {fields(field("retries", "5")), map[string]string{"retries": "Retries is a text here, and must be a number."}},
		"a boolean as text":  {fields(field("sandbox", "true")), map[string]string{"sandbox": "Sandbox is a text here, and must be a boolean."}},
		"a text as number":   {fields(plain("clientId", "5")), map[string]string{"clientId": "Client ID is a number here, and must be a text."}},
		"an optional null":   {fields(plain("sandbox", "null")), map[string]string{"sandbox": "Sandbox is a null here, and must be a boolean."}},
		"a secret region":    {fields(hidden("region", "two")), map[string]string{"region": "Region is read openly by this connector, so it cannot be kept as a secret."}},
		"one fault of a key": {fields(keep("clientSecret")), map[string]string{"clientSecret": "There is no stored value of clientSecret to keep. Type it."}},
	} {
		t.Run(name, func(t *testing.T) { open(t).refused(tt.draft, tt.want) })
	}
	for name, d := range map[string]config.Draft{
		"as little as can be": fields(),
		"optional, empty":     fields(field("webhookSecret", ""), field("region", ""), field("retries", "")),
		"all kinds":           fields(field("region", "two"), plain("sandbox", "true"), plain("retries", "5"), field("webhookSecret", "5")),
	} {
		t.Run(name, func(t *testing.T) { open(t).save(d) })
	}
}

func TestWarnings(t *testing.T) {
	def := open(t).Definition(rocket)
	for _, tt := range []struct {
		def   bool
		names []string
		want  map[string]string
	}{
		{true, []string{"clientId", "clientSecret", "zone"}, map[string]string{}},
		{true, []string{"clientID", "client_secret"}, map[string]string{
			"clientID":      "Did you mean clientId? Keys are read letter by letter: clientID is another key.",
			"client_secret": "Did you mean clientSecret? Keys are read letter by letter: client_secret is another key."}},
		{true, []string{"clientId", "clientID"}, map[string]string{
			"clientId": "clientID is there too, and differs only by case.",
			"clientID": "Did you mean clientId? Keys are read letter by letter: clientID is another key."}},
		{false, []string{"clientID", "a", "b", "A"}, map[string]string{
			"a": "A is there too, and differs only by case.",
			"A": "a is there too, and differs only by case."}},
	} {
		d := def
		if !tt.def {
			d = nil
		}
		if got := config.Warnings(d, tt.names); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("Warnings(%q) = %v, want %v", tt.names, got, tt.want)
		}
	}
}
