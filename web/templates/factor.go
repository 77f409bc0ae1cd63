package templates

// FactorPage is GET /account/factor and what follows from its forms. The page of
// an enrolment has the secret that the app is to know, and the one after it the
// recovery codes: each is shown once, to who makes them.
type FactorPage struct {
	Frame
	On       bool
	Required bool // the role needs a second factor
	Since    Time
	Left     string // "9 of 10 left"

	Enrols     bool
	Drawing    string // the QR code as the path of an SVG
	Size       string // of the drawing, in modules
	OneTimeKey string // what the drawing says, to type
	CodeError  string

	Codes []string // recovery codes that were just made
}

// removable reports whether the factor may go.
func (p FactorPage) removable() bool { return p.On && !p.Required }

// viewBox is the whole drawing.
func (p FactorPage) viewBox() string { return "0 0 " + p.Size + " " + p.Size }

// Errors lists the faults of the form for its summary.
func (p FactorPage) Errors() []FieldError { return faults("code", p.CodeError) }

// begins is what the button that begins an enrolment says.
func (p FactorPage) begins() string {
	if p.On {
		return "Set up another app instead"
	}
	return "Set up an app"
}

// LoginCodePage asks for a code after the password was right. Its form posts
// ticket, next and code to /login/code.
type LoginCodePage struct {
	Stage
	OneTime string // what says that the password was right, sealed
	Next    string
	Error   string
}
