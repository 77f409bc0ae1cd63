package templates

// An AskPasskey is a button that asks the browser for a passkey, and then sends the
// form that it is in with the answer in the field "passkey".
type AskPasskey struct {
	Label string // of the button
	Main  bool   // it is the main button of its form
	Begin string // where the script gets the question, by POST; "" if Made is given
	Made  string // the question for a new passkey, as JSON
}

// confirms asks for a passkey in place of the password.
func confirms() AskPasskey {
	return AskPasskey{Label: "Use a passkey instead", Begin: "/account/proof/passkey"}
}

// kind is what the browser is asked to do.
func (a AskPasskey) kind() string {
	if a.Made != "" {
		return "create"
	}
	return "get"
}

// class is the look of the button.
func (a AskPasskey) class() string {
	if a.Main {
		return "btn is-main"
	}
	return "btn"
}

// A PasskeyRow is one passkey of the person. Its forms post which and name to
// /account/factor/passkey-rename, and which to /account/factor/passkey-remove.
type PasskeyRow struct {
	Which     string // what names it in forms
	Name      string
	Kind      string // "Synced"; "Bound to one device"
	Created   Time
	Used      Time // zero for never
	Stopped   Time // since when it is refused; zero for a good one
	Elsewhere string
}

// id names the control of the row.
func (r PasskeyRow) id() string { return "passkey-" + r.Which }

// stopped says since when the passkey is refused.
func (r PasskeyRow) stopped() bool { return r.Stopped != Time{} }

// used reports whether it was used.
func (r PasskeyRow) used() bool { return r.Used != Time{} }
