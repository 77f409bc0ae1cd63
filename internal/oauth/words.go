package oauth

import (
	"fmt"
	"strings"

	"backoffice/internal/connector"
)

// comparedWords are the marks of a finding, filled from the answer to S in the
// method that went further.
func (d *diagnosis) comparedWords() *strings.Replacer {
	letter := "S"
	if d.base.auth != d.def.OAuth.ClientAuth {
		letter = "S′"
	}
	s := d.replies[letter]
	return d.words(&s.got, s.answer)
}

// remedy is what to do about a field that is wrong.
func (d *diagnosis) remedy(f Field) string {
	o := d.def.OAuth
	switch f {
	case ClientID:
		return d.doubted(o.ClientIDKey, fmt.Sprintf("Copy the %s again%s, whole, and save it.", lowerFirst(d.label(o.ClientIDKey)), d.where(o.ClientIDKey)))
	case ClientSecret:
		return d.doubted(o.ClientSecretKey, fmt.Sprintf("Copy the %s again%s, whole, and save it. If it is shown only once there, make a new one.", lowerFirst(d.label(o.ClientSecretKey)), d.where(o.ClientSecretKey)))
	case ClientAuth:
		return fmt.Sprintf("The connector's definition says clientAuth: %s. Ask the operator to have it say %s.", o.ClientAuth, otherMethod(o.ClientAuth))
	case RedirectURI:
		text := fmt.Sprintf("Register %s with %s, character by character: scheme, host, port, path and final slash count.", d.redirect, d.provider())
		if own := d.service.publicURL + "/auth/" + d.def.Key + "/callback"; d.redirect != own {
			text += fmt.Sprintf(" Or remove the %s from the entry, to use %s.", lowerFirst(d.label(o.RedirectKey)), own)
		}
		return text
	}
	return ""
}

// where is the place in the provider's console, from the definition's help.
func (d *diagnosis) where(key string) string {
	f, ok := d.def.Field(key)
	if !ok || f.Help == "" {
		return " from " + d.provider() + "'s console"
	}
	first, _, _ := strings.Cut(f.Help, ". ")
	return " (" + strings.TrimSuffix(first, ".") + ")"
}

func lowerFirst(s string) string {
	if s == "" || strings.ToUpper(s) == s {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// fieldOfError is the field that a known error is about.
var fieldOfError = map[connector.ErrorField]Field{connector.AboutClientID: ClientID, connector.AboutClientSecret: ClientSecret,
	connector.AboutClientAuth: ClientAuth, connector.AboutRedirectURI: RedirectURI}

// explain adds what the definition knows about the provider's error code to a
// verdict that says that something is wrong or open. It never changes one.
func (d *diagnosis) explain(v *FieldVerdict) {
	if v.Verdict != Wrong && v.Verdict != Inconclusive {
		return
	}
	s := d.replies["S"].reading
	for _, k := range d.def.OAuth.KnownErrors {
		code := strings.ToLower(k.Code)
		if code != s.code && code != s.vendor {
			continue
		}
		field, named := fieldOfError[k.Field]
		if named && field == v.Field || !named && v.Verdict == Inconclusive && (v.Field == ClientID || v.Field == ClientSecret) {
			v.Reason += fmt.Sprintf(" About %s: %s", k.Code, k.Means)
			if v.Verdict == Wrong && k.Remedy != "" {
				v.Remedy = k.Remedy
			}
		}
	}
}

// summarise says the whole in a headline, and what to do.
func (d *diagnosis) summarise(j judgement, words *strings.Replacer) {
	r := &d.report
	var wrong []string
	for _, v := range r.Fields {
		if v.Verdict == Wrong && v.Field != Clock {
			wrong = append(wrong, v.Field.Label())
			r.Remedies = append(r.Remedies, v.Remedy)
		}
	}
	defer d.besides(words)
	id, secret, redirect := r.Field(ClientID).Verdict, r.Field(ClientSecret).Verdict, r.Field(RedirectURI).Verdict
	good := id == OK && (secret == OK || d.tokens.public)
	switch {
	case j.comparison == gaveToken:
		r.Verdict, r.Headline = Wrong, "The token address takes any code"
	case len(wrong) == 1:
		r.Verdict, r.Headline = Wrong, sentenceCase(wrong)+" is wrong"
	case len(wrong) > 1:
		r.Verdict, r.Headline = Wrong, sentenceCase(wrong)+" are wrong"
	case good && d.tokens.s.class == grantRefused:
		r.Verdict, r.Headline = Wrong, words.Replace(findings[grantRefused].headline)
		r.Remedies = append(r.Remedies, words.Replace(findings[grantRefused].remedies[0]))
	case good && redirect == OK:
		r.Verdict, r.Headline = OK, "Client ID, secret and redirect URI are right"
		if d.tokens.public {
			r.Headline = "Client ID and redirect URI are right"
		}
	case good && redirect == Warning:
		r.Verdict, r.Headline = Warning, words.Replace("Client ID and secret are right; %P takes any redirect URI")
	case good:
		r.Verdict, r.Headline = Inconclusive, "Client ID and secret are right; the redirect URI is not decided"
		r.Remedies = append(r.Remedies, words.Replace("Go on in %P: the consent run decides the redirect URI."))
	default:
		r.Verdict, r.Headline = Inconclusive, words.Replace(headlines[j.comparison])
		if r.Headline == "" || j.comparison == secretUnasked && id != OK {
			r.Headline = "Not decided: the answers fit more than one cause"
		}
		r.Remedies = append(r.Remedies, d.undecided(j, words)...)
	}
}

// undecided is what to do if nothing is called wrong: a client that is refused
// would be refused after the consent too.
func (d *diagnosis) undecided(j judgement, words *strings.Replacer) (out []string) {
	switch j.comparison {
	case refusedAlike, refusedApart, idBlamed, idUnasked, secretRefused:
		out = append(out, d.doubted(d.def.OAuth.ClientSecretKey, fmt.Sprintf("Copy the %s and the %s again, whole, from the same app%s, and save both.",
			lowerFirst(d.label(d.def.OAuth.ClientIDKey)), lowerFirst(d.label(d.def.OAuth.ClientSecretKey)), d.where(d.def.OAuth.ClientSecretKey))))
	case appRefused:
		out = append(out, words.Replace("Look at the app in %P's console: is it switched on, and may it be used from this server's address?"))
	}
	if d.door.d != nil && d.door.d.kind == turnsAway {
		return append(out, words.Replace("%P's authorize address turns this app away, so a consent run would not come back. Check the client ID and the redirect URI there first."))
	}
	return append(out, words.Replace("Go on in %P: the consent run asks with a real code, and decides."))
}

// headlines are for runs that found nothing wrong and did not prove it right.
var headlines = map[comparison]string{
	accepted:            "Nothing was found wrong; not all of it is decided",
	notCompared:         "Not all questions could be asked",
	acceptedOnce:        "Not decided: not all questions could be asked",
	appRefused:          "%P refuses the app; its values are not decided",
	refusedApart:        "%P refuses the client; which value is wrong is not decided",
	idBlamed:            "%P refuses the client; suspect the client ID",
	idUnasked:           "Not decided: the answers do not fit together",
	refusedAlike:        "%P refuses the client: the client ID or the secret",
	codeRefusedFirst:    "Not decided: %P looks at the code first",
	requestRefusedFirst: "Not decided: %P refuses the request as such",
	alike:               "Not decided: %P answers everything in the same way",
	unsteady:            "Not decided: %P contradicts itself",
	secretRefused:       "%P refuses the client; which value is wrong is not decided",
	secretUnasked:       "Client ID is known; the secret is not decided",
}

// sentenceCase joins labels to the beginning of a sentence.
func sentenceCase(labels []string) string {
	for i := range labels[1:] {
		labels[i+1] = lowerFirst(labels[i+1])
	}
	if len(labels) == 1 {
		return labels[0]
	}
	return strings.Join(labels[:len(labels)-1], ", ") + " and " + labels[len(labels)-1]
}

// besides adds what is worth doing whatever the verdict is.
func (d *diagnosis) besides(words *strings.Replacer) {
	r := &d.report
	if clock := r.Field(Clock); clock.Remedy != "" {
		r.Remedies = append(r.Remedies, clock.Remedy)
	}
	if d.endsSoon != "" {
		r.Remedies = append(r.Remedies, d.endsSoon)
	}
	if d.differs == "" {
		return
	}
	r.Remedies = append(r.Remedies, words.Replace("Have the operator compare the connector's definition with what %P publishes about itself: ")+d.differs)
	if v := r.Field(ClientAuth); v.Verdict != OK && strings.Contains(d.differs, "client_secret_") {
		v.Reason += " " + d.differs
		r.set(v)
	}
}
