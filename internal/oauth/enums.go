package oauth

import "fmt"

// A Verdict is what a run says about a field, a step or the whole connection.
// The zero Verdict is NotChecked: what was not looked at is not called OK.
type Verdict int

// The verdicts. A whole run is OK, Wrong, Inconclusive, or Warning if the
// credentials are proven and a permission is missing.
const (
	NotChecked   Verdict = iota // not looked at
	OK                          // proven right
	Wrong                       // proven wrong
	Inconclusive                // looked at, and the evidence does not decide
	Warning                     // right, but worth a look
)

var verdicts = names{"not-checked", "ok", "wrong", "inconclusive", "warning"}

func (v Verdict) String() string { return verdicts.name(int(v)) }

// MarshalText refuses a verdict that does not exist.
func (v Verdict) MarshalText() ([]byte, error) { return verdicts.text(int(v)) }

// UnmarshalText refuses unknown text.
func (v *Verdict) UnmarshalText(text []byte) (err error) {
	*v, err = parse[Verdict](verdicts, text)
	return err
}

// A Field is a part of a connection that can be right or wrong by itself.
type Field int

// The fields, in the order in which reports have them.
const (
	ClientID Field = iota
	ClientSecret
	ClientAuth // the client authentication method
	RedirectURI
	Reachability
	Permission // what the identity call needs; with a pasted token also the token
	State
	Clock // this server's clock beside that of the provider
)

var fields = names{"client-id", "client-secret", "client-auth", "redirect-uri", "reachability", "permission", "state", "clock"}

var fieldLabels = [...]string{"Client ID", "Client secret", "Client authentication", "Redirect URI", "Reachability", "Permission", "State", "Clock"}

// Fields lists the fields that a run of this kind judges, in their order.
func (k Kind) Fields() []Field {
	if k == Diagnosis {
		return []Field{ClientID, ClientSecret, ClientAuth, RedirectURI, Reachability, Clock}
	}
	return []Field{ClientID, ClientSecret, ClientAuth, RedirectURI, Reachability, Permission, State}
}

// Label is the field in words for people.
func (f Field) Label() string {
	if f < 0 || int(f) >= len(fieldLabels) {
		return "Unknown field"
	}
	return fieldLabels[f]
}

func (f Field) String() string { return fields.name(int(f)) }

// MarshalText refuses a field that does not exist.
func (f Field) MarshalText() ([]byte, error) { return fields.text(int(f)) }

// UnmarshalText refuses unknown text.
func (f *Field) UnmarshalText(text []byte) (err error) {
	*f, err = parse[Field](fields, text)
	return err
}

// A Kind is what sort of run a report is of.
type Kind int

// The kinds.
const (
	ConsentRun Kind = iota // the whole handshake, with a person's consent
	TokenRun               // only the identity call, with a pasted token
	Diagnosis              // no consent: the answers to questions that differ in one thing are compared
)

var kinds = names{"consent", "token", "diagnosis"}

func (k Kind) String() string { return kinds.name(int(k)) }

// MarshalText refuses a kind that does not exist.
func (k Kind) MarshalText() ([]byte, error) { return kinds.text(int(k)) }

// UnmarshalText refuses unknown text.
func (k *Kind) UnmarshalText(text []byte) (err error) {
	*k, err = parse[Kind](kinds, text)
	return err
}

// Confidence says how firmly a verdict stands. It is Unstated where there is
// nothing to be sure of, and in runs whose verdicts are proofs.
type Confidence int

// The confidences.
const (
	Unstated Confidence = iota
	Medium              // the comparison speaks for it; another explanation is unusual
	High                // the comparison and the class of the answer agree
)

var confidences = names{"", "medium", "high"}

func (c Confidence) String() string { return confidences.name(int(c)) }

// MarshalText refuses a confidence that does not exist.
func (c Confidence) MarshalText() ([]byte, error) { return confidences.text(int(c)) }

// UnmarshalText refuses unknown text.
func (c *Confidence) UnmarshalText(text []byte) (err error) {
	*c, err = parse[Confidence](confidences, text)
	return err
}

// A Place is where in a message a line stood. The zero one is the line that
// begins it: the method with the address, or the status.
type Place int

// The places.
const (
	AtStart Place = iota
	InHeader
	InQuery
	InForm // a field of a form-encoded body
	InJSON // a named member of a JSON body
	Beside // no part of the message: a remark of ours
)

var linePlaces = names{"", "header", "query", "form", "json", "beside"}

func (p Place) String() string { return linePlaces.name(int(p)) }

// MarshalText refuses a place that does not exist.
func (p Place) MarshalText() ([]byte, error) { return linePlaces.text(int(p)) }

// UnmarshalText refuses unknown text.
func (p *Place) UnmarshalText(text []byte) (err error) {
	*p, err = parse[Place](linePlaces, text)
	return err
}

// names are the stored texts of an enumeration, in the order of its constants.
// They are never renamed.
type names []string

func (n names) name(i int) string {
	if i < 0 || i >= len(n) {
		return fmt.Sprintf("unknown %d", i)
	}
	return n[i]
}

func (n names) text(i int) ([]byte, error) {
	if i < 0 || i >= len(n) {
		return nil, fmt.Errorf("%d is none of %q", i, n)
	}
	return []byte(n[i]), nil
}

func parse[E ~int](n names, text []byte) (E, error) {
	for i, s := range n {
		if s == string(text) {
			return E(i), nil
		}
	}
	return 0, fmt.Errorf("%q is none of %q", text, n)
}
