package guide

import (
	"fmt"
	"slices"
	"strings"

	"backoffice/internal/connector"
)

// A rule says how a run bears on one evidence.
type rule struct {
	says  func(Run) Verdict
	rests func(def *connector.Definition, r Run) []string // the keys whose values it rests on
	words string                                          // when it is shown; %P is the provider
	wrong func(Run) string                                // when it is refuted
}

var rules = map[connector.Evidence]rule{
	connector.ClientKnown: {says: clientKnown, rests: clientAndAddresses, words: "%P knows the client ID", wrong: always("Client ID wrong")},
	connector.RedirectUsed: {says: redirectUsed, rests: func(d *connector.Definition, r Run) []string {
		return append(clientAndAddresses(d, r), d.OAuth.RedirectKey)
	},
		words: "the redirect URI is registered", wrong: always("Redirect URI wrong")},
	connector.CredentialsProven: {says: credentials, rests: func(d *connector.Definition, r Run) []string {
		return append(clientAndAddresses(d, r), d.OAuth.ClientSecretKey)
	},
		words: "client ID and secret are good", wrong: wrongCredential},
	connector.ConnectionWorks: {says: connectionWorks, rests: connection, words: "the connection works", wrong: func(r Run) string { return r.Headline }},
}

func always(words string) func(Run) string { return func(Run) string { return words } }

// clientKnown: a provider that sends a browser back with the state knows the
// client ID (RFC 6749 section 4.1.2.1), whatever becomes of the exchange.
func clientKnown(r Run) Verdict {
	if r.Kind == Consent && r.Fields.ClientID == Undecided {
		return Good
	}
	return r.Fields.ClientID
}

func redirectUsed(r Run) Verdict {
	if r.Kind == Consent && r.Fields.Redirect == Undecided {
		return Good
	}
	return r.Fields.Redirect
}

func credentials(r Run) Verdict {
	switch {
	case r.Fields.ClientID == Bad || r.Fields.ClientSecret == Bad:
		return Bad
	case r.Fields.ClientID == Good && r.Fields.ClientSecret == Good:
		return Good
	}
	return Undecided
}

func wrongCredential(r Run) string {
	if r.Fields.ClientSecret == Bad {
		return "Client secret wrong"
	}
	return "Client ID wrong"
}

// connectionWorks: a test without consent can show that it does not work, and a
// pasted token that it does.
func connectionWorks(r Run) Verdict {
	switch {
	case r.Partly && r.Kind == Consent:
		return Bad
	case r.Kind == Consent, r.Kind == WithoutConsent && r.Whole == Bad, r.Kind == PastedToken && r.Whole == Good:
		return r.Whole
	}
	return Undecided
}

func clientAndAddresses(d *connector.Definition, _ Run) []string {
	return append([]string{d.OAuth.ClientIDKey}, d.Addresses()...)
}

// connection is all that is sent, and where. A pasted token needs no secret; that it
// is one of this app is the word of whoever pasted it, for the client ID of then.
func connection(d *connector.Definition, r Run) []string {
	if r.Kind == PastedToken {
		return slices.DeleteFunc(d.Handshake(), func(key string) bool { return key == d.OAuth.ClientSecretKey })
	}
	return append(d.Handshake(), d.OAuth.RedirectKey)
}

// tested looks for the newest run that decides. One whose values have changed
// since decides nothing, and is remembered as what was shown once.
func (f Facts) tested(def *connector.Definition, e connector.Evidence) Finding {
	rule := rules[e]
	if bad, ok := f.pendingWrong(rule); ok {
		return bad
	}
	var was Finding
	for _, r := range f.Runs {
		v := rule.says(r)
		if v == Undecided {
			continue
		}
		changed, known := r.changed(f.Version, rule.rests(def, r))
		if e == connector.RedirectUsed && len(changed) == 0 && r.Redirect != "" && r.Redirect != f.Redirect {
			changed = []string{"the address of this program"}
		}
		switch {
		case !known:
		case len(changed) > 0 && v == Good && !was.Lapsed:
			was = lapsed(def, r, changed)
		case len(changed) > 0:
		case v == Bad:
			return refuted(r, rule.wrong(r)+inVersion(f.Version.Number))
		case f.Refused != nil && (e == connector.CredentialsProven || e == connector.ConnectionWorks):
			return Finding{State: Attention, Words: f.Refused.Headline, At: f.Refused.At, How: "The radar saw it: " + def.Name + " refuses now what it took before. Test the connection."}
		default:
			return Finding{State: Shown, Words: strings.ReplaceAll(rule.words, "%P", def.Name), How: how(def, e, r), At: r.At, By: r.By, Run: r.ID}
		}
	}
	return was
}

// pendingWrong is what the newest run that decides found wrong in the version
// that is about to be put in force.
func (f Facts) pendingWrong(rule rule) (Finding, bool) {
	if f.Pending == nil {
		return Finding{}, false
	}
	for _, r := range f.Runs {
		if r.Hash != f.Pending.ContentHash {
			continue
		}
		switch rule.says(r) {
		case Bad:
			return refuted(r, rule.wrong(r)+inVersion(f.Pending.Number)), true
		case Good:
			return Finding{}, false
		}
	}
	return Finding{}, false
}

func inVersion(n int) string { return fmt.Sprintf(" in version %d", n) }

func refuted(r Run, words string) Finding {
	return Finding{State: Attention, Words: words, How: r.sentence() + " found: " + r.Headline + ".", Mild: r.Partly, At: r.At, By: r.By, Run: r.ID}
}

func lapsed(def *connector.Definition, r Run, changed []string) Finding {
	for i, name := range changed {
		changed[i] = label(def, name)
	}
	return Finding{Lapsed: true, At: r.At, By: r.By, Run: r.ID,
		How: fmt.Sprintf("Was done with version %d: %s changed since.", r.Number, list(changed)+has(changed))}
}

// how says what was seen.
func how(def *connector.Definition, e connector.Evidence, r Run) string {
	switch {
	case e == connector.RedirectUsed && r.Kind == Consent:
		return r.sentence() + " came back to this redirect URI."
	case e == connector.RedirectUsed:
		return r.sentence() + " found the redirect URI registered."
	case e == connector.ClientKnown && r.Kind == Consent:
		return r.sentence() + " came back from " + def.Name + "."
	case e == connector.ClientKnown:
		return r.sentence() + " found the client ID good."
	case e == connector.CredentialsProven && r.Kind == Consent:
		return r.sentence() + " got a token for client ID and secret."
	case e == connector.CredentialsProven:
		return r.sentence() + " found both good."
	}
	return r.sentence() + " reached the API."
}

// sentence begins one about the run.
func (r Run) sentence() string {
	switch r.Kind {
	case WithoutConsent:
		return fmt.Sprintf("A test without consent of version %d", r.Number)
	case PastedToken:
		return fmt.Sprintf("A test with an access token and version %d", r.Number)
	}
	return fmt.Sprintf("A consent run of version %d", r.Number)
}

// has is the verb after a list.
func has(words []string) string {
	if len(words) > 1 {
		return " have"
	}
	return " has"
}

// label is what a form calls the value of a key.
func label(def *connector.Definition, key string) string {
	if f, ok := def.Field(key); ok {
		return f.Label
	}
	return key
}

// list writes "a", "a and b", "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
