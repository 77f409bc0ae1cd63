package oauth

// The questions of a diagnosis differ in one thing each:
//
//	S  the entry's client ID and secret, and a code that cannot be right
//	B  the same, but the secret is corrupted
//	A  the same, but the client ID is made up
//
// Three answers have five patterns, and the pattern is the evidence. What an
// answer says of itself never makes a field OK. It can keep one from it: a server
// that refuses the client in S refuses it, whatever it tells the controls.

// A comparison is what the answers to S, B and A amount to.
type comparison int

// The comparisons. The zero one is that there was nothing to compare.
const (
	notCompared         comparison = iota
	accepted                       // S differs from both controls, and is no refusal of the client
	acceptedOnce                   // the same, but S was not asked twice
	refusedApart                   // S differs from both, and is a refusal of the client all the same
	expired                        // the same, and S says that the secret is too old
	appRefused                     // S = B or all the same, and S says that the app is switched off, or not allowed from here
	secretRefused                  // S = B, A differs, and the client is refused: for its secret
	secretUnasked                  // S = B, A differs, and nothing says that the secret was looked at
	idBlamed                       // S = B, A differs, but the words of S blame the client ID
	idUnasked                      // S = A, B differs
	refusedAlike                   // all the same: the client is refused
	codeRefusedFirst               // all the same: the code is refused
	requestRefusedFirst            // all the same: the request is refused
	alike                          // all the same, whatever it means
	unsteady                       // S was answered twice, and not in the same way
	gaveToken                      // a token for a code that was made up
)

// An evidence is the answers of the token address. A question that was not asked
// is nil.
type evidence struct {
	s, b, a *reading
	again   *reading // S once more, or in the other method with the same answer: a server that contradicts itself proves nothing
	public  bool     // the entry has no secret, so there is no B
}

// byWords reports whether the pattern of the answers rests on words alone. Then
// it counts only if S, asked twice, has the same words twice.
func (e evidence) byWords() bool {
	if e.s == nil || e.a == nil {
		return false
	}
	return !e.s.same(*e.a) && e.s.sameForm(*e.a) || e.b != nil && !e.s.same(*e.b) && e.s.sameForm(*e.b)
}

// compare finds the pattern. It is pure.
func (e evidence) compare() comparison {
	for _, r := range []*reading{e.s, e.b, e.a, e.again} {
		if r != nil && r.class == issued {
			return gaveToken
		}
	}
	if e.s == nil || e.a == nil || e.b == nil && !e.public {
		return notCompared
	}
	if e.again != nil && !e.again.same(*e.s) {
		return unsteady
	}
	same := reading.same
	if e.byWords() && (e.again == nil || e.again.words != e.s.words) {
		same = reading.sameForm
	}
	likeA := same(*e.s, *e.a)
	likeB := e.b != nil && same(*e.s, *e.b)
	switch {
	case e.public && !likeA:
		return e.apart()
	case e.public:
		return e.together()
	case !likeA && !likeB:
		return e.apart()
	case likeB && !likeA:
		return e.silentSecret()
	case likeA && !likeB:
		return idUnasked
	}
	return e.together()
}

// apart is S unlike both controls.
func (e evidence) apart() comparison {
	switch {
	case e.s.saysExpired():
		return expired
	case e.s.looksRefused():
		return refusedApart
	case e.again == nil:
		return acceptedOnce
	}
	return accepted
}

// silentSecret is S = B: a corrupted secret changes nothing.
func (e evidence) silentSecret() comparison {
	switch {
	case e.s.about.has(mentionsID) && !e.s.about.has(mentionsSecret):
		return idBlamed
	case e.s.about.has(mentionsState) && e.s.looksRefused():
		return appRefused
	case e.s.refusesClient() && !e.s.about.has(mentionsCode|mentionsRedirect|mentionsForm):
		return secretRefused
	}
	return secretUnasked
}

// together is all the same.
func (e evidence) together() comparison {
	switch {
	case e.s.about.has(mentionsState) && e.s.looksRefused():
		return appRefused
	case e.s.refusesClient():
		return refusedAlike
	case e.s.class == codeRefused:
		return codeRefusedFirst
	case e.s.class == requestRefused:
		return requestRefusedFirst
	}
	return alike
}

// decidesID reports whether the token address has decided the client ID.
func (e evidence) decidesID() bool {
	switch e.compare() {
	case accepted, secretRefused, secretUnasked, expired:
		return e.knowsID()
	}
	return false
}

// knowsID and knowsSecret report whether the refusal of a control is one of the
// client: then it is the made-up value that was refused, and not its form.
func (e evidence) knowsID() bool     { return e.a.isControl() }
func (e evidence) knowsSecret() bool { return e.b != nil && e.b.isControl() }

// A methodEvidence is the answers to S in the method of the definition, and in
// the other one if that was asked.
type methodEvidence struct {
	own, other *reading
	published  []string // methods that the provider's metadata lists; nil if it lists none
}

// A methodFinding is what they amount to.
type methodFinding int

const (
	methodNotAsked    methodFinding = iota
	methodGoes                      // the comparison in this method went through
	methodWrong                     // refused in this method, accepted in the other
	methodPerhaps                   // refused in this method, and not in the other, which proves no more
	methodIndifferent               // refused in both alike: it is not what is wrong
	methodUnclear
)

func (m methodEvidence) compare(c comparison) methodFinding {
	switch {
	case m.own == nil:
		return methodNotAsked
	case m.other != nil && m.other.pastClient() && !m.own.pastClient() && c == accepted:
		return methodWrong
	case m.other != nil && m.other.pastClient() && !m.own.pastClient():
		return methodPerhaps
	case c == accepted:
		return methodGoes
	case m.other != nil && m.other.refusesClient() && m.own.refusesClient():
		return methodIndifferent
	}
	return methodUnclear
}
