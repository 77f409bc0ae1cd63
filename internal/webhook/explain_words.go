package webhook

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"backoffice/internal/connector"
)

// A finding is one way in which what holds differs from what is expected.
type finding struct {
	cause         Cause
	words, remedy string
}

// explain says in words what holds.
func (s *search) explain(h *hit) Explanation {
	e := Explanation{Signer: &h.signer, Tried: s.tried, Header: h.claim.header, Algorithm: h.claim.algorithm, Encoding: h.claim.encoding,
		Prefix: cutText(h.claim.before, 30), Body: h.form.words}
	found := s.findings(h)
	words := make([]string, 0, len(found)+1)
	for _, f := range found {
		e.Causes = append(e.Causes, f.cause)
		words = append(words, f.words)
	}
	if e.Causes[0] != ExpiredSecret && e.Causes[0] != HoldsNow {
		words = append(words, "The key is "+signerWords(h.signer)+".")
	}
	e.Words, e.Remedy = strings.Join(words, " "), found[0].remedy
	return e
}

// findings lists what is not as expected, the heaviest first. There is always one.
func (s *search) findings(h *hit) (out []finding) {
	if h.signer.Standing == Expired || h.signer.Standing == Older {
		out = append(out, finding{ExpiredSecret, "Signed with " + signerWords(h.signer) + ".",
			"The provider still signs with it: see in its console which secret is valid there, and put that one in force here."})
	}
	if h.form.words != "" {
		out = append(out, changedBody(h.form))
	}
	out = append(out, s.headerFindings(h)...)
	if sc := h.claim.scheme; sc != nil {
		if p, _, ok := present(*sc, s.req.Header); ok && inTime(*sc, p, s.req.Received) == Stale {
			out = append(out, otherTime(*sc, p.at, s.req.Received))
		}
	}
	if len(out) == 0 && !s.wellFormed(h) {
		out = append(out, finding{BadForm, fmt.Sprintf("The signature fits, but %s does not have the form of the definition: something in it, or its time, stands there twice, is cut, or is one too many.", h.claim.header),
			"Have the sender write the header as the provider documents it, and see that nothing on the way adds to it."})
	}
	if len(out) == 0 {
		out = append(out, finding{HoldsNow, "It holds by now. The key is " + signerWords(h.signer) + "; it was not accepted when this came.",
			"Nothing is left to do; the provider may send it again."})
	}
	return out
}

// wellFormed reports whether the header that holds could be read as the definition says.
func (s *search) wellFormed(h *hit) bool {
	_, _, ok := present(*h.claim.scheme, s.req.Header)
	return ok
}

func changedBody(f bodyForm) finding {
	did := "changed the body"
	if f.anew {
		did = "wrote the body anew"
	}
	what := "the body " + f.words
	if f.words == "empty" {
		what = "an empty body"
	}
	return finding{ChangedBody, "Something between the provider and here " + did + ": what was signed is " + what + ".",
		"Have the proxy, or whatever else stands before this program, pass the body on byte for byte. If nothing does, the sender signs other bytes than it sends."}
}

// headerFindings are those about how the signature is made and written.
func (s *search) headerFindings(h *hit) []finding {
	sc := h.claim.scheme
	if sc == nil {
		return []finding{{WrongHeader, fmt.Sprintf("The signature stands in %s, which the definition of this connector does not name.", h.claim.header),
			"If the provider documents that header, add it to the signatures of the definition; otherwise whoever sent this uses another scheme."}}
	}
	if other := s.schemeOf(h); other != nil && other.Header != sc.Header {
		return []finding{{WrongHeader, fmt.Sprintf("It is made as %s is, but stands in %s.", other.Header, sc.Header),
			fmt.Sprintf("Have the sender put it into %s, or sign it as %s is defined.", other.Header, sc.Header)}}
	}
	var out []finding
	if h.claim.algorithm != sc.Algorithm {
		out = append(out, finding{OtherAlgorithm, fmt.Sprintf("It is signed with %s, but %s is %s here.", algorithmWords(h.claim.algorithm), sc.Header, algorithmWords(sc.Algorithm)),
			fmt.Sprintf("Have the sender sign with %s, as the provider documents it for this header.", algorithmWords(sc.Algorithm))})
	}
	if h.content.signed != sc.Signed {
		out = append(out, finding{OtherContent, fmt.Sprintf("Signed was %s, but %s signs %s.", contentWords(h.content.signed), sc.Header, contentWords(sc.Signed)),
			"Have the sender sign what the provider documents; if its documentation says otherwise, correct signed in the definition."})
	}
	if h.claim.encoding != sc.Encoding {
		out = append(out, finding{OtherEncoding, fmt.Sprintf("The header is %s, expected is %s.", h.claim.encoding, encodingWords(sc.Encoding)),
			fmt.Sprintf("Have the sender write the signature as %s.", encodingWords(sc.Encoding))})
	}
	return append(out, formFindings(h.claim, *sc)...)
}

// schemeOf is the scheme of the definition that holds exactly, if one does.
func (s *search) schemeOf(h *hit) *connector.Signature {
	for i := range s.webhooks.Signatures {
		sc := &s.webhooks.Signatures[i]
		if sc.Algorithm == h.claim.algorithm && sc.Encoding == h.claim.encoding && before(*sc) == h.claim.before && sc.Signed == h.content.signed {
			return sc
		}
	}
	return nil
}

// before is what stands before a digest of the scheme.
func before(s connector.Signature) string {
	if s.Item != "" {
		return s.Item + "=" + s.Prefix
	}
	return s.Prefix
}

func formFindings(c claim, s connector.Signature) (out []finding) {
	implied := c.algorithm != s.Algorithm && c.before == c.algorithm+"=" // the other algorithm says it already
	if want := before(s); c.before != want && !implied {
		has := "has no prefix"
		if c.before != "" {
			has = "begins with " + cutText(c.before, 30)
		}
		expected := "none is expected"
		if want != "" {
			expected = "expected is " + want
		}
		out = append(out, finding{OtherPrefix, fmt.Sprintf("The signature %s, %s.", has, expected), "Have the sender write the header as the provider documents it."})
	}
	if !c.alone && s.Item == "" {
		out = append(out, finding{BadForm, fmt.Sprintf("%s holds more than one signature, or stands there twice.", s.Header),
			"See what adds a second one on the way: one signature is expected."})
	}
	return out
}

func otherTime(s connector.Signature, at, received time.Time) finding {
	off, side := received.Sub(at), "before"
	if off < 0 {
		off, side = -off, "after"
	}
	return finding{OtherTime, fmt.Sprintf("It was signed on %s, %s %s it came; %s are allowed.", momentWords(at), lengthWords(off), side, lengthWords(s.Timestamp.Tolerance)),
		"Set the clock of this machine. If it is right, something kept the notification back, or somebody sends an old one again."}
}

// noClaim explains a request in which nothing is a digest.
func (s *search) noClaim() Explanation {
	if !signed(s.webhooks, s.req) {
		none := "No header carries a signature. Expected is "
		if names := s.unkept(); len(names) > 0 {
			none = fmt.Sprintf("No header that the definition names came; %s came, whose value is not kept. Expected is ", strings.Join(names, ", "))
		}
		return Explanation{Causes: []Cause{NoSignature}, Words: none + headersWords(s.webhooks) + ".",
			Remedy: "If the provider sent this, something on the way took the header off: pass all headers on. Otherwise somebody else sent it."}
	}
	e := Explanation{Causes: []Cause{BadForm}, Remedy: "Have the sender write the header as the provider documents it, and see that nothing on the way cuts it."}
	for _, sc := range s.webhooks.Signatures {
		if lines := headerLines(s.req.Header, sc.Header); len(lines) > 0 {
			e.Header = sc.Header
			e.Words = fmt.Sprintf("%s holds no signature: expected is %s.", sc.Header, schemeWords(sc))
			if len(lines[0]) > maxHeader {
				e.Words = fmt.Sprintf("%s is longer than %d bytes, which no signature is: expected is %s.", sc.Header, maxHeader, schemeWords(sc))
			}
			return e
		}
	}
	return e
}

// unkept are the headers that may have carried a signature and cannot be looked at
// any more.
func (s *search) unkept() (names []string) {
	for _, name := range s.req.Unkept {
		if mayCarry(name) && len(names) < 3 {
			names = append(names, cutText(name, maxHeaderName))
		}
	}
	return names
}

// unknown explains a request whose signature is one, but of nothing known.
func (s *search) unknown() Explanation {
	e := Explanation{Causes: []Cause{UnknownSecret}, Tried: s.tried, Header: s.claims[0].header,
		Words:  "No secret known here signed it: is it another app's, or was the secret changed at the provider?",
		Remedy: "Compare the app in the provider's console with this entry, and save the secret that stands there now."}
	switch {
	case len(s.secrets) == 0:
		e.Words, e.Remedy = "There is no secret here that could have signed it.", "Save the secret with which the provider signs."
	case s.more || !s.whole:
		e.Words = "None of the secrets that were tried signed it. Others that are known here were not tried."
		e.Remedy = "Register an address that fewer entries share, and send it again. " + e.Remedy
	}
	switch {
	case len(s.secrets) == 0:
	case s.cut:
		e.Words += fmt.Sprintf(" The body is large, so the search ended after %d variants.", s.tried)
	case len(s.req.Body) == 0:
		e.Words += " The body is empty: if one was sent, it was lost on the way."
	case looksSorted(s.req.Body):
		e.Words += " The members of the body stand in alphabetical order: if something on the way sorted them, their order is lost, and with it the signature."
	}
	return e
}

// looksSorted reports whether a body was perhaps written anew by something that
// sorts members: four in alphabetical order are no accident.
func looksSorted(body []byte) bool {
	t, err := parseTree(body)
	return err == nil && len(t.names) >= 4 && slices.IsSorted(t.names)
}

func signerWords(s Signer) string {
	switch s.Standing {
	case Current:
		return fmt.Sprintf("%s of version %d, which is in force", s.Key, s.Version)
	case Pending:
		return fmt.Sprintf("%s of version %d, which is pending", s.Key, s.Version)
	case Previous:
		return fmt.Sprintf("the previous %s (version %d)", s.Key, s.Version)
	case Expired:
		if s.Until.IsZero() {
			return fmt.Sprintf("the previous %s (version %d), which is no longer accepted", s.Key, s.Version)
		}
		return fmt.Sprintf("the previous %s (version %d), whose time ran out on %s", s.Key, s.Version, momentWords(s.Until))
	}
	return fmt.Sprintf("an older %s (version %d), which is no longer accepted", s.Key, s.Version)
}

func momentWords(t time.Time) string { return t.UTC().Format("2006-01-02 at 15:04 UTC") }

// lengthWords is a length of time in its largest unit of which it has two.
func lengthWords(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}} {
		if d >= 2*unit.of {
			return fmt.Sprintf("%d %s", d/unit.of, unit.name)
		}
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}

var algorithmNames = map[string]string{"sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}

func algorithmWords(name string) string { return algorithmNames[name] }

func encodingWords(name string) string {
	if name == "hex" {
		return "hex in lower case"
	}
	return name
}

func contentWords(signed string) string {
	if signed == bodyMark {
		return "the body alone"
	}
	return cutText(signed, maxFact)
}

func schemeWords(s connector.Signature) string {
	n := encodedLen(s.Encoding, sizes[s.Algorithm])
	words := fmt.Sprintf("%d characters of %s", n, encodingWords(s.Encoding))
	if b := before(s); b != "" {
		words = b + " and " + words
	}
	return words
}

func headersWords(w *connector.Webhooks) string {
	names := make([]string, len(w.Signatures))
	for i, s := range w.Signatures {
		names[i] = s.Header
	}
	return strings.Join(names, " or ")
}
