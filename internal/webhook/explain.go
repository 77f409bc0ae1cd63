package webhook

import (
	"crypto/hmac"
	"slices"
	"strings"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

// How far the search for what was signed goes. A body of a few kilobytes is
// searched whole; of a large one, the forms that are most likely.
const (
	maxHashed     = 64 << 20 // bytes
	perHash       = 256      // bytes that beginning and ending one is worth
	maxClaims     = 16
	maxCandidates = 128
	maxStamps     = 4
)

// Explain says why the signature of a request does not hold, by searching for
// what would: each of the values, in the forms in which signatures are written,
// over the body as it came and as it may have been before something on the way
// wrote it anew. It takes as long as hashing 64 MiB at most. all are the accepted
// values, with those first, and the ones that are no longer accepted.
func Explain(w *connector.Webhooks, all []Candidate, req Request) Explanation {
	return explainWith(w, all, false, req)
}

// explainWith is Explain where there may be more secrets than all.
func explainWith(w *connector.Webhooks, all []Candidate, more bool, req Request) Explanation {
	all = slices.DeleteFunc(slices.Clone(all), func(c Candidate) bool { return c.Secret.IsZero() })
	s := search{webhooks: w, secrets: all[:min(len(all), maxCandidates)], more: more || len(all) > maxCandidates, req: req}
	s.claims = claims(w, req)
	if len(s.claims) == 0 {
		return s.noClaim()
	}
	if len(s.secrets) == 0 {
		return s.unknown()
	}
	s.contents = contents(w, stamps(w, req))
	s.algorithms = algorithms(s.claims)
	if h := s.run(); h != nil {
		return s.explain(h)
	}
	return s.unknown()
}

// A search is one explanation under way.
type search struct {
	webhooks   *connector.Webhooks
	secrets    []Candidate
	more       bool // there are secrets beside them
	req        Request
	claims     []claim
	algorithms []string // of the claims
	contents   []contentForm
	tried      int
	hashed     int  // bytes
	cut        bool // not everything was tried
	whole      bool // every secret was tried over the body as it came
}

// A hit is the variant that holds.
type hit struct {
	claim   claim
	content contentForm
	form    bodyForm
	signer  Signer
}

// A contentForm is a text that may have been signed around the body.
type contentForm struct {
	signed string // as in [connector.Signature]
	stamp  string
}

// contents lists what may have been signed: as the definition says first, the
// body alone, and with each time that came as other providers do it.
func contents(w *connector.Webhooks, stamps []string) (out []contentForm) {
	add := func(c contentForm) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	templates := make([]string, 0, len(w.Signatures)+4)
	for _, s := range w.Signatures {
		templates = append(templates, s.Signed)
	}
	templates = append(templates, stampMark+"."+bodyMark, "v0:"+stampMark+":"+bodyMark, stampMark+":"+bodyMark, stampMark+bodyMark)
	for _, stamp := range stamps {
		for _, t := range templates {
			if strings.Contains(t, stampMark) {
				add(contentForm{t, stamp})
			}
		}
	}
	add(contentForm{signed: bodyMark})
	return out
}

// stamps are the times that came with the request, as they stand there.
func stamps(w *connector.Webhooks, req Request) (out []string) {
	add := func(texts ...string) {
		for _, s := range texts {
			if len(out) < maxStamps && s != "" && len(s) <= len("1531420618000") && strings.Trim(s, "0123456789") == "" && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	for _, s := range w.Signatures {
		if s.Timestamp != nil && s.Timestamp.Header != "" {
			add(headerLines(req.Header, s.Timestamp.Header)...)
		}
		for _, line := range headerLines(req.Header, s.Header) {
			if items, ok := listItems(cutLine(line)); ok {
				add(items["t"]...)
				if s.Timestamp != nil {
					add(items[s.Timestamp.Item]...)
				}
			}
		}
	}
	for name, lines := range req.Header {
		if strings.Contains(strings.ToLower(name), "timestamp") {
			add(lines...)
		}
	}
	return out
}

func cutLine(line string) string { return line[:min(len(line), maxHeader)] }

// run tries the variants, the likely ones first, and returns the first that holds.
func (s *search) run() *hit {
	for form := range forms(s.webhooks, s.req.Body) {
		for _, content := range s.contents {
			for _, c := range s.secrets {
				if h := s.try(form, content, c); h != nil || s.cut {
					return h
				}
			}
		}
		s.whole = true
	}
	return nil
}

// try computes one digest an algorithm, and compares it with every claim that
// has the length for it.
func (s *search) try(form bodyForm, content contentForm, c Candidate) *hit {
	for _, algorithm := range s.algorithms {
		if s.hashed += len(form.body) + perHash; s.hashed > maxHashed {
			s.cut = true
			return nil
		}
		s.tried++
		digest := sumContent(algorithm, c.Secret, content, form.body)
		for _, claim := range s.claims {
			if hmac.Equal(claim.digest, digest) {
				return &hit{claim, content, form, c.Signer}
			}
		}
	}
	return nil
}

func sumContent(algorithm string, key secret.Text, c contentForm, body []byte) []byte {
	return sum(algorithm, key, content(c.signed, c.stamp, body))
}

// algorithms are those whose digests are as long as one that came.
func algorithms(claims []claim) (out []string) {
	for _, name := range []string{"sha1", "sha256", "sha512"} {
		if slices.ContainsFunc(claims, func(c claim) bool { return len(c.digest) == sizes[name] }) {
			out = append(out, name)
		}
	}
	return out
}
