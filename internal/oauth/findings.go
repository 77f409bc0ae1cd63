package oauth

import "maps"

// all gives the four fields that an exchange proves together the same verdict,
// each with its own reason.
func all(v Verdict, id, secret, auth, redirect string) map[Field]told {
	return map[Field]told{ClientID: {v, id}, ClientSecret: {v, secret}, ClientAuth: {v, auth}, RedirectURI: {v, redirect}}
}

// same gives them the same reason as well.
func same(v Verdict, reason string) map[Field]told { return all(v, reason, reason, reason, reason) }

// and adds or replaces one field.
func and(m map[Field]told, f Field, v Verdict, reason string) map[Field]told {
	m = maps.Clone(m)
	m[f] = told{v, reason}
	return m
}

const (
	cameBack   = "The browser came back to it, which speaks for it. Only an issued token proves it."
	undecided  = "%P's answer does not say. It was accepted as far as the consent page, or not looked at; only an issued token proves it."
	notSent    = "It was not sent: the token address was not reached."
	notLooked  = "%P did not get to look at it, or did not say."
	notAsked   = "It was not used: there was no code to exchange."
	answers    = "%P's token address answers."
	onlyRetry  = "Start the test again: every run needs a fresh code."
	checkToken = "Check the token address: it comes from the connector's definition, and from the entry where that leaves a choice."
)

// notJudged is what a call without a verdict on the client leaves open.
func notJudged(reachable Verdict, reason string) map[Field]told {
	return and(same(Inconclusive, notLooked), Reachability, reachable, reason)
}

// unreached is what a call that never arrived leaves open.
func unreached() map[Field]told { return and(same(NotChecked, notSent), Reachability, Wrong, "%E") }

// brought is what an answer without a code leaves open.
func brought(id told) map[Field]told {
	return map[Field]told{ClientID: id, ClientSecret: {NotChecked, notAsked}, ClientAuth: {NotChecked, notAsked},
		RedirectURI: {Inconclusive, cameBack}, Reachability: {NotChecked, "Only the browser was at %P; this server called nobody."}}
}

const consentSpeaks = "%P knew enough of it to answer, which speaks for it. Only an issued token proves it."

// findings says what each class of answer to the code, or of the browser's
// return, proves. The rule of invariant 7: OK needs an issued token, Wrong needs
// the field by name.
var findings = map[class]finding{
	issued: {verdict: OK, headline: "Works", step: OK, hint: "token issued", fields: and(all(OK,
		"%P issued a token for it.", "%P issued a token for it.", "%P accepted the client %A.",
		"%P sent the code to it, and accepted it in the exchange."), Reachability, OK, answers)},

	clientRefused: {verdict: Wrong, headline: "%P refuses the client", step: Wrong, hint: "client refused", fields: and(all(Inconclusive,
		"%P refused the client%C: that can be the id, the secret or the method. As the consent page came, the id is the least likely.",
		"%P refused the client%C without saying whether id, secret or method is at fault. As the consent page came, suspect the secret first.",
		"The secret was sent %A. A provider that wants it elsewhere refuses the client in the same way.",
		cameBack), Reachability, OK, answers), remedies: []string{
		"Copy the client secret again from %P's console, whole and without spaces, and save it.",
		"Check that the client ID is that of the same app.",
		"If both are right, the connector's definition may name the wrong client authentication method."}},

	codeRefused: {verdict: Inconclusive, headline: "%P refuses the code", step: Inconclusive, hint: "code refused", fields: and(all(Inconclusive,
		"%P refused the code%C. Some providers look at the code before the client, so the id is not decided.",
		"%P refused the code%C. Some providers look at the code before the client, so the secret is not decided.",
		"The secret was sent %A; the answer is about the code, so the method is not decided.",
		"A code is also refused if the redirect URI of the exchange differs from the one that it was issued for, as the provider sees it."), Reachability, OK, answers), remedies: []string{
		onlyRetry + " A code is short-lived and works once.",
		"If it stays so, compare the redirect URI that is registered with %P, character by character, with the one shown here.",
		"Look for a proxy in front of this program that changes the query of an address: a code may end in = and contain +."}},

	redirectRefused: {verdict: Wrong, headline: "%P refuses the redirect URI", step: Wrong, hint: "redirect URI refused", fields: and(and(same(Inconclusive, undecided),
		RedirectURI, Wrong, "%P's answer names it%C."), Reachability, OK, answers), remedies: []string{
		"Register the redirect URI that is shown here with %P, character by character: scheme, host, port, path and final slash count."}},

	grantRefused: {verdict: Wrong, headline: "%P does not allow this app the authorization code", step: Wrong, hint: "grant not allowed", fields: and(all(Inconclusive,
		"%P says that this client may not use the authorization-code grant%C. That is a setting of the app, not a wrong value here.", undecided, undecided, cameBack), Reachability, OK, answers), remedies: []string{
		"In %P's console, allow the app the authorization-code grant (sign-in with a redirect), or use an app of that kind."}},

	requestRefused: {verdict: Inconclusive, headline: "%P does not accept the request", step: Inconclusive, hint: "request refused", fields: and(same(Inconclusive,
		"%P refused the request as such%C, perhaps before it looked at any value of it."), Reachability, OK, answers), remedies: []string{
		"Read the words of the answer in the evidence below: they say what is missing or not supported.",
		"Compare the connector's definition with %P's documentation."}},

	unauthorized: {verdict: Inconclusive, headline: "%P refuses the exchange%Y", step: Inconclusive, hint: "refused", fields: and(all(Inconclusive,
		"%Q That alone does not prove the id wrong; as the consent page came, it is the least likely.",
		"%Q That alone does not prove the secret wrong: a refused code can be answered in the same way.",
		"The secret was sent %A. The answer does not say whether that is the right way.", cameBack), Reachability, OK, answers), remedies: []string{
		onlyRetry, "If it stays so, copy the client secret again from %P's console and test once more: what changes tells which it was."}},

	forbidden: {verdict: Inconclusive, headline: "%P forbids the exchange%Y", step: Inconclusive, hint: "forbidden", fields: and(same(Inconclusive,
		"%Q That alone does not prove it wrong: it can be a setting of the app, a block of this server's address, or the client."), Reachability, OK, answers), remedies: []string{
		"Check in %P's console that the app is active and not limited to certain addresses.", onlyRetry}},

	otherRefusal: {verdict: Inconclusive, headline: "%P refuses the exchange", step: Inconclusive, hint: "refused", fields: and(same(Inconclusive,
		"%Q That alone does not prove it wrong."), Reachability, OK, answers), remedies: []string{
		"Read the words of the answer in the evidence below.", onlyRetry}},

	noToken: {verdict: Inconclusive, headline: "%P answers without a token", step: Inconclusive, hint: "no token in the answer", fields: and(same(Inconclusive,
		"The answer says success but has no token where the definition expects it, so it proves nothing."), Reachability, OK, answers), remedies: []string{
		checkToken, "Compare the definition's tokenFields with %P's documentation."}},

	unreadable: {verdict: Inconclusive, headline: "The answer is not readable JSON", step: Inconclusive, hint: "not readable", fields: and(same(Inconclusive,
		"The answer says success but cannot be read, so nobody knows whether it had a token. It proves nothing."), Reachability, Warning,
		"%P's token address answers, but with what cannot be read."), remedies: []string{
		onlyRetry + " The answer may have broken off on its way.",
		"If it stays so, look at what stands between this server and %P, and whether the token address is the right one."}},

	tooMany: {verdict: Inconclusive, headline: "%P asks for a pause", step: Inconclusive, hint: "too many requests", fields: notJudged(Warning,
		"%P's token address answers, but has had too many requests."), remedies: []string{"%W, then start the test again."}},

	serverError: {verdict: Inconclusive, headline: "%P has an error of its own", step: Inconclusive, hint: "server error", fields: notJudged(Warning,
		"%P's token address answers with an error of its own."), remedies: []string{"Look at %P's status page, and start the test again later. Nothing here needs to change for now."}},

	aPage: {verdict: Inconclusive, headline: "A web page answers instead of %P's token address", step: Inconclusive, hint: "a page, no answer", fields: notJudged(Inconclusive,
		"Something answers there, but with a web page. It may be a firewall that blocks this server, or the wrong address."), remedies: []string{
		checkToken, "Ask whether a firewall or a sign-in page stands between this server and %P."}},

	nowhere: {verdict: Wrong, headline: "There is no token endpoint at this address", step: Wrong, hint: "nothing at this address", fields: and(same(NotChecked,
		"It was not looked at: nothing is at the token address."), Reachability, Wrong, "The host answers, but has nothing at this path."), remedies: []string{checkToken}},

	redirected: {verdict: Wrong, headline: "The token address redirects", step: Wrong, hint: "redirect", fields: and(same(NotChecked,
		"It was not looked at: the token address points elsewhere, and secrets are not sent after a redirect."), Reachability, Wrong,
		"The token address answers with a redirect, which is not followed."), remedies: []string{checkToken}},

	tooLarge: {verdict: Inconclusive, headline: "The answer is too large to be one", step: Inconclusive, hint: "too large", fields: notJudged(Inconclusive, "%E"),
		remedies: []string{checkToken}},
	timedOut: {verdict: Inconclusive, headline: "%P does not answer in time", step: Inconclusive, hint: "no answer in time", fields: notJudged(Inconclusive, "%E"),
		remedies: []string{"Start the test again later. If it stays so, check that this server may reach %P."}},
	cutOff: {verdict: Inconclusive, headline: "The answer of %P is cut off", step: Inconclusive, hint: "connection cut", fields: notJudged(Inconclusive, "%E"),
		remedies: []string{"Start the test again. If it stays so, look at what stands between this server and %P."}},

	outOfTime: {verdict: Inconclusive, headline: "The test was ended before its time", step: Inconclusive, hint: "ended", fields: and(same(Inconclusive,
		"The test was ended before this was decided."), Reachability, Inconclusive, "The test was ended before this was decided."),
		remedies: []string{"Start the test again: it took too long, or this program was about to end."}},

	noName: {verdict: Wrong, headline: "The token address has no known host", step: Wrong, hint: "name not found", fields: unreached(), remedies: []string{checkToken}},
	noConnection: {verdict: Wrong, headline: "No connection to the token address", step: Wrong, hint: "no connection", fields: unreached(),
		remedies: []string{"Check that this server may reach %P, through any firewall.", checkToken}},
	noTLS: {verdict: Wrong, headline: "No secure connection to the token address", step: Wrong, hint: "TLS failed", fields: unreached(),
		remedies: []string{"Look at the certificate in the evidence below.", checkToken}},
	notAllowed: {verdict: Wrong, headline: "The token address must not be called from here", step: Wrong, hint: "address refused", fields: unreached(),
		remedies: []string{checkToken, "If it is a host of your own network, ask the operator to put it on the allow-list."}},

	consentDenied: {verdict: Inconclusive, headline: "Consent was denied", step: Inconclusive, hint: "denied",
		fields:   brought(told{Inconclusive, consentSpeaks}),
		remedies: []string{"Start the test again and approve. To deny proves nothing about the entry, good or bad."}},
	consentClient: {verdict: Wrong, headline: "%P refuses the client ID", step: Wrong, hint: "client refused",
		fields:   brought(told{Wrong, "%P's consent page refuses this client. No secret was involved, so it is the id."}),
		remedies: []string{"Copy the client ID again from %P's console, and check that the app is active there."}},
	consentGrant: {verdict: Wrong, headline: "%P does not allow this app the sign-in", step: Wrong, hint: "not allowed",
		fields:   brought(told{Inconclusive, "%P says that this client may not sign people in this way. That is a setting of the app, not a wrong value here."}),
		remedies: []string{"In %P's console, allow the app the authorization-code grant (sign-in with a redirect), or use an app of that kind."}},
	consentScope: {verdict: Wrong, headline: "%P refuses the requested scopes", step: Wrong, hint: "scope refused",
		fields:   brought(told{Inconclusive, consentSpeaks}),
		remedies: []string{"Compare the scopes that this entry declares with those that the app may ask for in %P's console."}},
	consentFailed: {verdict: Inconclusive, headline: "%P sent the browser back with an error", step: Inconclusive, hint: "error instead of a code",
		fields:   brought(told{Inconclusive, consentSpeaks}),
		remedies: []string{"Read %P's words in the evidence below.", onlyRetry}},
	codeMissing: {verdict: Inconclusive, headline: "%P sent the browser back without a code", step: Inconclusive, hint: "no code",
		fields: brought(told{Inconclusive, consentSpeaks}),
		remedies: []string{"Look for a proxy in front of this program that drops a part of the query.",
			onlyRetry}},
	codeTwice: {verdict: Inconclusive, headline: "The browser came back with more than one code", step: Inconclusive, hint: "more than one code",
		fields:   brought(told{Inconclusive, consentSpeaks}),
		remedies: []string{"No code was sent, as only one can be right. " + onlyRetry}},
}
