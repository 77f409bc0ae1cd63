package oauth

import (
	"slices"
	"strings"
)

// A sentence is what a comparison says about one field: as data, with the marks
// of a finding.
type sentence struct {
	verdict    Verdict
	confidence Confidence
	reason     string
}

// open is a sentence about what the evidence does not decide.
func open(reason string) sentence { return sentence{Inconclusive, Unstated, reason} }

// comparisonSays is what each comparison of the token address's answers says about the
// client ID and the secret. A field that only the authorize address can decide
// is Inconclusive here.
var comparisonSays = map[comparison]struct{ id, secret sentence }{
	notCompared: {sentence{NotChecked, Unstated, "The questions that would tell were not all asked."}, sentence{NotChecked, Unstated, "The questions that would tell were not all asked."}},
	accepted: {sentence{OK, Medium, "%P tells it apart from a made-up one, and does not refuse the client."},
		sentence{OK, Medium, "%P tells it apart from a corrupted copy, and does not refuse the client."}},
	acceptedOnce: {open("%P tells it apart from a made-up one, but was asked only once: that can be chance."),
		open("%P tells it apart from a corrupted copy, but was asked only once: that can be chance.")},
	appRefused: {open("%Q That is about the app, or where it is used from, and not about this value."),
		open("%P refuses the app%C before it comes to the secret.")},
	refusedApart: {open("%P refuses the client with it, and the made-up one in another way. That does not decide."),
		open("%P refuses the client with it, and the corrupted copy in another way: it may have looked at the form only.")},
	expired: {sentence{OK, High, "A made-up one gets another answer, so %P knows it."},
		sentence{Wrong, High, "%P says that it has expired, which it does not say of a corrupted copy."}},
	secretRefused: {sentence{OK, High, "A made-up one gets another answer, so %P knows it."},
		sentence{Wrong, High, "%P refuses the client%C, and a corrupted copy of the secret gets the very same answer."}},
	secretUnasked: {sentence{OK, Medium, "A made-up one gets another answer, so %P knows it."},
		open("A corrupted copy gets the same answer, and nothing says that %P looked at it: it may look at the code first.")},
	idBlamed: {open("%Q A made-up one gets another answer, so this is not certain; suspect it all the same."),
		open("A corrupted copy gets the same answer, as it would if the client ID is not known.")},
	idUnasked: {open("A made-up one gets the same answer, but a corrupted secret another: suspect it, or the form in which the secret is checked."),
		open("A corrupted copy gets another answer, but so would the form of it alone.")},
	refusedAlike: {open("%P refuses the client%C, and the controls in the same way: it is this, or the secret."),
		open("%P refuses the client%C, and the controls in the same way: it is this, or the client ID.")},
	codeRefusedFirst: {open("%P looks at the code first: a made-up client ID gets the same answer."),
		open("%P looks at the code first: a corrupted secret gets the same answer.")},
	requestRefusedFirst: {open("%P refuses the request%C before it looks at the client: a made-up client ID gets the same answer."),
		open("%P refuses the request%C before it looks at the client: a corrupted secret gets the same answer.")},
	alike: {open("%P gives a made-up client ID the same answer."),
		open("%P gives a corrupted secret the same answer.")},
	unsteady: {open("%P answers the same question in different ways, so a comparison proves nothing."),
		open("%P answers the same question in different ways, so a comparison proves nothing.")},
	gaveToken: {open("The token address takes a code that was made up, so it proves nothing."),
		open("The token address takes a code that was made up, so it proves nothing.")},
}

// A judgement is what all the evidence of a run amounts to, before it is put
// into words for this provider. It is made by a pure function.
type judgement struct {
	comparison comparison
	id, secret sentence
	method     sentence
	redirect   sentence
	idByDoor   bool // the authorize address decided the client ID
}

// judge weighs the evidence. It is pure.
func judge(t evidence, m methodEvidence, door doorEvidence) judgement {
	j := judgement{comparison: t.compare()}
	both := comparisonSays[j.comparison]
	j.id, j.secret = both.id, both.secret
	j.weighControls(t)
	if j.comparison == accepted && t.s.class == redirectRefused {
		j.redirect = sentence{Wrong, High, "%P's answer names it%C, and the controls are refused for the client instead."}
	}
	if t.public {
		j.secret = sentence{NotChecked, Unstated, "This entry has none: the client is public and protected by PKCE."}
	}
	j.byDoor(t, door)
	if j.id.verdict == Wrong && j.secret.verdict == Inconclusive {
		j.secret.reason = "It cannot be told as long as the client ID is wrong."
	}
	if j.redirect.reason == "" {
		j.redirect = judgeRedirect(door, j.id.verdict == OK)
	}
	j.method = m.sentence(j.comparison, t.public)
	if j.method.verdict == OK && j.secret.verdict != OK { // it was not what was looked at
		j.method = open("The secret was sent %A. No answer says whether that is the right way.")
	} else if j.method.verdict == OK { // it went through with the same answers
		j.method.confidence = j.secret.confidence
	}
	return j
}

// weighControls says OK only as far as the controls were refused for what was made
// up in them.
func (j *judgement) weighControls(t evidence) {
	switch j.comparison {
	case accepted:
		if t.s.pastClient() { // positively the answer of a server that has accepted the client
			j.id.confidence, j.secret.confidence = High, High
		}
	case secretRefused:
		if !t.s.about.has(mentionsSecret) { // the client, for whatever reason
			j.secret.confidence = Medium
		}
	case secretUnasked, expired:
	default:
		return
	}
	if !t.knowsID() {
		j.id = open("A made-up one is refused too, but in words that may be about its form alone.")
		if j.comparison == secretRefused {
			j.secret = open("%P refuses the client%C, and a corrupted copy of the secret gets the same answer, as it would if the client ID is not known.")
		}
	}
	if j.comparison == accepted && !t.knowsSecret() && !t.public {
		j.secret = open("A corrupted copy is refused too, but in words that may be about its form alone.")
	}
}

// byDoor lets the authorize address decide the client ID where the token address
// did not: a server does not go on for a client that it does not know.
func (j *judgement) byDoor(t evidence, door doorEvidence) {
	if j.id.verdict != Inconclusive || door.d == nil || j.comparison == gaveToken {
		return
	}
	known := door.d.kind == goesOn || door.d.kind == comesBack
	refused := door.f != nil && door.f.kind == turnsAway && !door.f.about.has(mentionsForm)
	anywhere := door.e != nil && door.e.kind == strays || door.f != nil && door.f.kind == comesBack
	switch {
	case door.d.kind == comesBack && classOfConsentError[door.d.code] == consentClient && anywhere: // it looks at nothing
	case door.d.kind == comesBack && classOfConsentError[door.d.code] == consentClient:
		j.id, j.idByDoor = sentence{Wrong, Medium, "%P's authorize address sends the browser back and says that it refuses this client."}, true
	case known && refused:
		j.id, j.idByDoor = sentence{OK, Medium, "%P's authorize address goes on with it, and turns a made-up one away."}, true
		if door.f.about.has(mentionsID) || classOfConsentError[door.f.code] == consentClient {
			j.id.confidence = High // it says why it turns that away
		}
		if j.comparison == refusedAlike && !t.public {
			j.secret = sentence{Wrong, Medium, "%P's token address refuses the client%C. The client ID is known, as the authorize address shows: so it is the secret."}
		}
	case door.d.kind == turnsAway && refused && !door.d.same(*door.f) && door.d.about.has(mentionsRedirect) && !door.d.about.has(mentionsID):
		j.id, j.idByDoor = sentence{OK, Medium, "%P's authorize address turns a made-up one away in another way, and names the redirect URI with this one."}, true
		if j.comparison == refusedAlike && !t.public {
			j.secret = sentence{Wrong, Medium, "%P's token address refuses the client%C, and the client ID is known: so it is the secret."}
		}
	case door.d.kind == turnsAway && refused && door.d.same(*door.f) && j.comparison == refusedAlike:
		j.id, j.idByDoor = sentence{Wrong, Medium, "%P refuses the client%C at the token address, and its authorize address turns it away exactly as it does a made-up one."}, true
		if door.d.about.has(mentionsID) {
			j.id.confidence = High
		}
	}
}

// judgeRedirect weighs the landings. idGood says that the client ID is known to
// be good.
func judgeRedirect(door doorEvidence, idGood bool) sentence {
	d, e, f := door.d, door.e, door.f
	switch {
	case d == nil:
		return sentence{NotChecked, Unstated, "The authorize address was not asked."}
	case d.kind == unclear:
		return open("%P's authorize address gives no answer that can be compared: it may ask for a person first.")
	case e != nil && e.kind == strays:
		return sentence{Warning, High, "%P sends the browser to any redirect URI, also one that nobody can have registered. That is a danger by itself: ask %P's support."}
	case e == nil && d.kind != turnsAway:
		return sentence{NotChecked, Unstated, "The calls of this run were needed to tell the client ID and the secret apart. Mend what is wrong, and test again."}
	case d.kind != turnsAway && e.kind == turnsAway && e.about.has(mentionsForm):
		return open("%P goes on with it. It refuses the one that nobody can have registered for its form, which proves nothing.")
	case d.kind != turnsAway && e.kind == turnsAway:
		return sentence{OK, Medium, "%P goes on with it, and turns one away that nobody can have registered."}
	case d.kind != turnsAway && e.kind == unclear:
		return open("%P gave no clear answer to a redirect URI that nobody has registered.")
	case d.kind != turnsAway:
		return open("%P goes on with any redirect URI before the login, so it may look at it only after that. The consent run decides.")
	}
	return judgeTurnedAway(*d, e, f, idGood)
}

// judgeTurnedAway is for an authorize address that does not go on with our own
// values: the client ID, the redirect URI, or something else about the request.
func judgeTurnedAway(d landing, e, f *landing, idGood bool) sentence {
	switch c := classOfConsentError[d.code]; {
	case c == consentScope || c == consentGrant || d.about.has(mentionsScope) && !d.about.has(mentionsRedirect):
		return open("%P's authorize address turns the request away for another reason, so it never came to this.")
	case d.about.has(mentionsID) && !d.about.has(mentionsRedirect):
		return open("%P's authorize address turns the app away, so it did not come to this.")
	case e != nil && e.kind != turnsAway:
		return open("%P's authorize address turns ours away and goes on with one that nobody has registered: that contradicts itself.")
	case e == nil:
		return open("%P's authorize address turns this away; the client ID or the redirect URI can be the reason.")
	case !d.same(*e):
		if idGood && d.about.has(mentionsRedirect) {
			return sentence{Wrong, Medium, "%P's authorize address turns it away and names it."}
		}
		return open("%P's authorize address turns both away, but not in the same way.")
	case f != nil && !d.same(*f) && f.kind == turnsAway && (idGood || d.about.has(mentionsRedirect)):
		return sentence{Wrong, High, "%P turns it away exactly as one that nobody has registered. The client ID is not the reason: a made-up one is turned away in another way."}
	case idGood:
		return sentence{Wrong, Medium, "%P turns it away exactly as one that nobody has registered, and the client ID is good."}
	}
	return open("%P's authorize address turns everything away in the same way; the client ID or the redirect URI can be the reason.")
}

// sentence says what the methods' answers amount to.
func (m methodEvidence) sentence(c comparison, public bool) sentence {
	if public {
		return sentence{NotChecked, Unstated, "A public client does not authenticate."}
	}
	switch m.compare(c) {
	case methodGoes:
		return sentence{OK, Medium, "The secret was sent %A, and the client was not refused."}
	case methodWrong:
		return sentence{Wrong, High, "Sent %A, the client is refused. Sent %O, it is accepted."}
	case methodPerhaps:
		return open("Sent %A, the client is refused; sent %O, another answer comes, which does not prove that the client was looked at. Suspect it.")
	case methodIndifferent:
		return open("Sent %O, the client is refused in the same way, so nothing speaks for the other way. It is proven once the client is accepted.")
	case methodUnclear:
		return open("The secret was sent %A. No answer says whether that is the right way.")
	}
	return sentence{NotChecked, Unstated, "The token address was not asked."}
}

// decide puts the judgement into the report.
func (d *diagnosis) decide() {
	r := &d.report
	r.set(judgeClock(d.ticks))
	switch {
	case len(d.unreached) > 0:
		d.decideUnreached()
	case d.stop != nil && !d.stop.door:
		d.decideStopped()
	default:
		d.decideCompared()
	}
	d.ownFault()
	d.mark()
}

// decideUnreached is for hosts that could not be reached: nothing was sent.
func (d *diagnosis) decideUnreached() {
	miss := d.unreached[0]
	f, words := findings[miss.class], d.words(&capture{}, answer{})
	say := func(text string) string {
		if text = words.Replace(text); miss.authorize { // the findings are about the token address
			text = strings.ReplaceAll(text, "token address", "authorize address")
		}
		return text
	}
	r := &d.report
	r.Verdict, r.Headline = f.verdict, say(f.headline)
	for _, text := range f.remedies {
		r.Remedies = append(r.Remedies, say(text))
	}
	for _, field := range []Field{ClientID, ClientSecret, ClientAuth, RedirectURI} {
		r.set(FieldVerdict{Field: field, Reason: "Nothing was sent: the address was not reached."})
	}
	v := FieldVerdict{Field: Reachability, Verdict: f.step, Confidence: High, Reason: miss.why, Remedy: r.Remedies[0]}
	for _, m := range d.unreached {
		v.Evidence = append(v.Evidence, m.step)
	}
	r.set(v)
}

// decideStopped is for a token address that gave no answer to compare.
func (d *diagnosis) decideStopped() {
	f, ok := findings[d.stop.class]
	if !ok {
		f = findings[cutOff]
	}
	got, a := d.stop.reply.got, d.stop.reply.answer
	var st Step
	words := d.words(&got, a)
	d.report.apply(f, &st, words)
	if problem(&got) == "" {
		for i := range d.report.Fields {
			if d.report.Fields[i].Reason == "" {
				d.report.Fields[i].Reason = "The run was cut short."
			}
		}
	}
	for i, v := range d.report.Fields {
		if v.Field != Clock && d.stop.step >= 0 {
			d.report.Fields[i].Evidence = []int{d.stop.step}
		}
	}
}

// decideCompared is for a run whose questions were answered.
func (d *diagnosis) decideCompared() {
	j := judge(d.tokens, d.method, d.door)
	words := d.comparedWords()
	put := func(f Field, s sentence, letters ...string) {
		v := FieldVerdict{Field: f, Verdict: s.verdict, Confidence: s.confidence, Reason: words.Replace(s.reason)}
		for _, l := range letters {
			if i, ok := d.evidence[l]; ok {
				v.Evidence = append(v.Evidence, i)
			}
		}
		if s.verdict == Wrong {
			v.Remedy = d.remedy(f)
		}
		d.explain(&v)
		d.report.set(v)
	}
	idSteps := []string{"S", "S′", "A"}
	if j.idByDoor {
		idSteps = append(idSteps, "D", "F")
	}
	put(ClientID, j.id, idSteps...)
	put(ClientSecret, j.secret, "S", "S′", "B")
	put(ClientAuth, j.method, "S", "S′")
	put(RedirectURI, j.redirect, "D", "E", "F")
	if j.redirect.verdict == Inconclusive && d.stop != nil && d.stop.door {
		put(RedirectURI, open("%P's authorize address had no answer: "+findings[d.stop.class].hint+"."), "D", "E", "F")
	}
	reach := FieldVerdict{Field: Reachability, Verdict: OK, Confidence: High, Reason: "Both addresses answer.", Evidence: slices.Clone(d.reached)}
	if d.endsSoon != "" {
		reach.Verdict, reach.Reason, reach.Remedy = Warning, "Both addresses answer. "+d.endsSoon, d.endsSoon
	}
	if j.comparison == gaveToken {
		reach.Verdict, reach.Reason = Wrong, words.Replace("The token address gave a token for a code that was made up. It is not %P's, or it is a test double.")
		reach.Remedy, reach.Evidence = words.Replace(checkToken), []int{d.evidence["S"]}
	}
	d.report.set(reach)
	d.summarise(j, words)
}

// mark lets the questions with the entry's own values carry the verdict. The
// controls are only asked to compare with: that they are refused is no fault.
func (d *diagnosis) mark() {
	own := map[Field]string{ClientID: "S", ClientSecret: "S", RedirectURI: "D"}
	if d.base.auth != d.def.OAuth.ClientAuth {
		own[ClientID], own[ClientSecret], own[ClientAuth] = "S′", "S′", "S"
	}
	marks := map[int]Verdict{}
	for _, f := range []Field{ClientID, ClientSecret, ClientAuth, RedirectURI} {
		i, asked := d.evidence[own[f]]
		v := d.report.Field(f).Verdict
		switch {
		case !asked:
		case v == Wrong || v == Warning && marks[i] != Wrong:
			marks[i] = v
		case v == Inconclusive && marks[i] == OK, v != OK && marks[i] == NotChecked:
			marks[i] = Inconclusive
		case v == OK && marks[i] == NotChecked:
			marks[i] = OK
		}
	}
	for i, v := range marks {
		if st := &d.report.Steps[i]; st.Verdict == NotChecked {
			st.Verdict = v
		}
	}
}
