package templates

// OutsideCheck is the panel of the settings about the check of the public
// address. Its buttons post to /settings/outside-in and
// /settings/outside-in/browser.
type OutsideCheck struct {
	May       bool // the buttons are drawn
	Known     bool // there is a report about this public URL
	Verdict   Verdict
	Heading   string // "The public address brings here what is sent to it"
	When      Time
	Took      string
	By        string
	ByBrowser bool // an admin's browser asked, not the server
	Rows      []OutsideRow
}

// An OutsideRow is the finding about one aspect.
type OutsideRow struct {
	ID                          string
	Label                       string // "Scheme"
	Verdict                     Verdict
	Reason                      string
	Registered, Sent, Delivered string // "" are not drawn
	Remedy                      string
	Lines                       []ProxyLines
}

// ProxyLines is what to change in the configuration of one proxy.
type ProxyLines struct{ ID, Proxy, Text string }

// OutsideVisitPage is GET /settings/outside-in: the check that the browser
// makes, step by step.
type OutsideVisitPage struct {
	Frame
	PublicURL string
	Link      string // to follow; "" once its request came
	Came      bool
	Back      bool
	Action    string // of the form; "" until the browser is back
	Field     string
	Probe     string // what its field holds
	Until     string
}

// heading is a fact also before the first check.
func (o OutsideCheck) heading() string {
	if !o.Known {
		return "Nobody has looked at the public address from outside yet"
	}
	return o.Heading
}

func (o OutsideCheck) how() string {
	if o.ByBrowser {
		return "By the browser of " + o.By
	}
	return "By this server in " + o.Took + ", started by " + o.By
}

// button is the word on the main button.
func (o OutsideCheck) button() string {
	if o.Known {
		return "Check again from outside"
	}
	return "Check from outside"
}

// open reports whether the row is unfolded at first: where something is to do.
func (r OutsideRow) open() bool { return r.Verdict == VerdictWrong }

// unfolds reports whether there is more than the reason.
func (r OutsideRow) unfolds() bool {
	return r.Registered+r.Sent+r.Delivered+r.Remedy != "" || len(r.Lines) > 0
}

func (r OutsideRow) hasDelivery() bool { return r.Registered+r.Sent+r.Delivered != "" }
