package oauth

// An identityFinding is what a class of answer to the identity call proves. An
// issued token proves the credentials, whatever becomes of this call; a pasted
// token proves nothing about them. The texts are as in finding.
type identityFinding struct {
	verdict Verdict // of the run
	field   Verdict // of Permission
	reason  string  // of Permission
	what    string  // the headline; after an issued token "Credentials are good, but " comes before it
	hint    string  // of the step, whose verdict is that of the run, or of the field where that is Wrong
	reach   told    // of Reachability; NotChecked leaves it as it is
	remedy  []string
	pasted  *identityFinding // what differs for a pasted token; nil: nothing
}

// afterToken leaves the fields of the credentials as the exchange judged them.
func (f identityFinding) afterToken() finding {
	out := f.finding()
	out.headline = "Credentials are good, but " + f.what
	if f.verdict == OK {
		out.headline = "Works"
	}
	return out
}

// alone is the finding for a pasted token.
func (f identityFinding) alone() finding {
	if f.pasted != nil {
		hint, reach := f.hint, f.reach
		f = *f.pasted
		f.hint, f.reach = hint, reach
	}
	out := f.finding()
	out.headline = capital(f.what)
	for field, t := range same(NotChecked, "A test with a pasted token does not use it.") {
		out.fields[field] = t
	}
	out.fields[State] = told{NotChecked, "There is none without a consent run."}
	return out
}

func (f identityFinding) finding() finding {
	out := finding{verdict: f.verdict, hint: f.hint, step: f.verdict, fields: map[Field]told{Permission: {f.field, f.reason}}, remedies: f.remedy}
	if f.field == Wrong {
		out.step = Wrong
	}
	if f.reach.verdict != NotChecked {
		out.fields[Reachability] = f.reach
	}
	return out
}

func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

const (
	checkAPI   = "Check the API address: the region of the entry, or the connector's definition."
	apiAnswers = "%P's API answers."
)

var apiOK = told{OK, apiAnswers}

// unreachedAPI is a call that never arrived.
func unreachedAPI(what, hint string) identityFinding {
	return identityFinding{verdict: Wrong, field: NotChecked, reason: "The call did not arrive.", what: what, hint: hint,
		reach: told{Wrong, "%E"}, remedy: []string{checkAPI, "Check that this server may reach that host, through any firewall."}}
}

// undecidedAPI is a call whose answer says nothing about the token.
func undecidedAPI(what, hint string, reach told, remedy ...string) identityFinding {
	return identityFinding{verdict: Inconclusive, field: Inconclusive, reason: "The answer says nothing about the token.", what: what, hint: hint,
		reach: reach, remedy: remedy}
}

var identityFindings = map[class]identityFinding{
	issued: {verdict: OK, field: OK, reason: "The call that asks whose token it is, is allowed.", what: "the token works", hint: "answered", reach: apiOK},

	// The connection works for every call that does not need the permission.
	scopeMissing: {verdict: Warning, field: Wrong, reason: "%P forbids the call and names a permission%C: the token lacks %N.",
		what: "a permission is missing", hint: "permission missing", reach: apiOK,
		remedy: []string{"Give the app %N in %P's console, then authorise it again with a new test."},
		pasted: &identityFinding{verdict: Wrong, field: Wrong, reason: "%P forbids the call and names a permission%C: the token lacks %N.",
			what: "a permission is missing", remedy: []string{"Give the app %N in %P's console, authorise it again, and paste the new token."}}},

	forbidden: {verdict: Warning, field: Inconclusive, reason: "%P forbids the call%C without naming a permission: the token lacks %N, or the app or this server's address is limited in another way.",
		what: "the identity call is forbidden", hint: "forbidden", reach: apiOK,
		remedy: []string{"Give the app %N in %P's console if it lacks it, then authorise it again with a new test.", "Check in %P's console that the app and its plan are active, and that no address is shut out."},
		pasted: &identityFinding{verdict: Inconclusive, field: Inconclusive, reason: "%P forbids the call%C without naming a permission: the token lacks %N, or the app or this server's address is limited in another way.",
			what: "%P forbids the call", remedy: []string{"Give the app %N in %P's console if it lacks it, authorise it again, and paste the new token."}}},

	unauthorized: {verdict: Inconclusive, field: Inconclusive,
		reason: "The token was issued a moment ago, so the credentials are good. %P refuses it here all the same%C: it lacks %N, or it is not for this address.",
		what:   "the permission is missing or the token is refused", hint: "token refused", reach: apiOK,
		remedy: []string{"Give the app %N in %P's console, then authorise it again with a new test.", checkAPI},
		pasted: &identityFinding{verdict: Wrong, field: Wrong, reason: "%P refuses the token%C: it is not whole, not valid any more, not for this address, or lacks %N.",
			what: "%P refuses the token", remedy: []string{"Copy the token again, whole.", "Give the app %N in %P's console.", checkAPI}}},

	otherRefusal: undecidedAPI("%P refuses the call that asks whose token it is", "refused", apiOK,
		"Read the words of the answer in the evidence below: they may name a header or version that the call lacks."),
	noToken: undecidedAPI("the answer does not say whose token it is", "no identity in the answer", apiOK, checkAPI),
	unreadable: undecidedAPI("the answer of %P's API is not readable JSON", "not readable", told{Warning, "%P's API answers, but with what cannot be read."},
		"Test again: the answer may have broken off on its way.", checkAPI),
	tooMany: undecidedAPI("%P asks for a pause", "too many requests", told{Warning, "%P's API answers, but has had too many requests."},
		"%W, then test again."),
	serverError: undecidedAPI("%P's API has an error of its own", "server error", told{Warning, "%P's API answers with an error of its own."},
		"Look at %P's status page, and test again later. Nothing here needs to change for now."),
	aPage: undecidedAPI("a web page answers instead of %P's API", "a page, no answer", told{Inconclusive, "Something answers there, but with a web page."},
		checkAPI, "Ask whether a firewall or a sign-in page stands between this server and %P."),
	tooLarge: undecidedAPI("the answer of %P's API is too large to be one", "too large", told{Inconclusive, "%E"}, checkAPI),
	timedOut: undecidedAPI("%P's API does not answer in time", "no answer in time", told{Inconclusive, "%E"},
		"Test again later. If it stays so, check that this server may reach %P's API."),
	cutOff: undecidedAPI("the answer of %P's API is cut off", "connection cut", told{Inconclusive, "%E"}, "Test again."),

	nowhere: {verdict: Wrong, field: NotChecked, reason: "It was not looked at: nothing is at the API address.", what: "there is nothing at the API address",
		hint: "nothing at this address", reach: told{Wrong, "The host of the API answers, but has nothing at this path."}, remedy: []string{checkAPI}},
	redirected: {verdict: Wrong, field: NotChecked, reason: "It was not looked at: a token is not sent after a redirect.", what: "the API address redirects",
		hint: "redirect", reach: told{Wrong, "The API address answers with a redirect, which is not followed."}, remedy: []string{checkAPI}},

	noName:       unreachedAPI("the API address has no known host", "name not found"),
	noConnection: unreachedAPI("there is no connection to the API address", "no connection"),
	noTLS:        unreachedAPI("there is no secure connection to the API address", "TLS failed"),
	notAllowed:   unreachedAPI("the API address must not be called from here", "address refused"),

	unsendable: {verdict: Inconclusive, field: NotChecked, reason: "The token has characters that no request can carry, so it was not used.",
		what: "the token cannot be used", hint: "not sent", remedy: []string{"Compare the connector's definition with %P's documentation: tokenFields may name the wrong field."}},
}
