package webhook

import (
	"net/http"
	"slices"
	"time"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

// A Candidate is a value that may have signed.
type Candidate struct {
	Signer Signer
	Secret secret.Text
}

// A Request is what came, as far as verifying needs it. The body is the raw one:
// every byte as it arrived.
type Request struct {
	Header   http.Header
	Body     []byte
	Received time.Time
	Unkept   []string // names of headers that came and are not in Header; only [Explain] speaks of them
}

// A Result is what the signature of a request proves.
type Result struct {
	Verdict   Verdict
	Signature string  // the header that the verdict is about, as the definition writes it; "" if there is none
	Signer    *Signer // who signed, for OK and Stale; else nil
}

// Verify says what the signature proves: OK if one of the headers of w holds with
// one of the accepted values, and was signed in time. Otherwise the verdict is of
// the header that came nearest. The values are tried in order, one pass over the
// body each, and compared in constant time. An empty value never signs anything.
func Verify(w *connector.Webhooks, accepted []Candidate, req Request) Result {
	best := Result{Verdict: Unsigned}
	for _, s := range w.Signatures {
		r := verifyOne(s, accepted, req)
		if r.Verdict == OK {
			return r
		}
		if rank(r.Verdict) < rank(best.Verdict) {
			best = r
		}
	}
	return best
}

// rank orders the verdicts by how near they come to OK.
func rank(v Verdict) int {
	return slices.Index([]Verdict{OK, Stale, NoSecret, Mismatch, Malformed, Unsigned}, v)
}

func verifyOne(s connector.Signature, accepted []Candidate, req Request) Result {
	p, absent, ok := present(s, req.Header)
	switch {
	case absent:
		return Result{Verdict: Unsigned}
	case !ok:
		return Result{Verdict: Malformed, Signature: s.Header}
	}
	r := Result{Verdict: NoSecret, Signature: s.Header}
	parts := content(s.Signed, p.stamp, req.Body)
	for _, c := range accepted {
		if c.Secret.IsZero() {
			continue
		}
		r.Verdict = Mismatch
		if p.holds(sum(s.Algorithm, c.Secret, parts)) {
			signer := c.Signer
			return Result{Verdict: inTime(s, p, req.Received), Signature: s.Header, Signer: &signer}
		}
	}
	return r
}

// inTime is the verdict on a signature that holds.
func inTime(s connector.Signature, p presented, received time.Time) Verdict {
	if s.Timestamp != nil && received.Sub(p.at).Abs() > s.Timestamp.Tolerance {
		return Stale
	}
	return OK
}
