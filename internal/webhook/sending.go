package webhook

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"backoffice/internal/connector"
	"backoffice/internal/egress"
)

// A sending is a request that this program signs and sends itself.
type sending struct {
	client *http.Client
	to     *url.URL
	header http.Header
	body   []byte
}

// A sent is what became of it.
type sent struct {
	status   int
	location string // of a redirect, without its query
	took     time.Duration
	failed   *egress.Error // nil if there was an answer
}

// post sends it once.
func (s *Service) post(ctx context.Context, p sending) sent {
	began := s.now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.to.String(), bytes.NewReader(p.body))
	if err != nil {
		return sent{failed: &egress.Error{Class: egress.Refused, Msg: "The address cannot be called."}}
	}
	req.Header = p.header
	resp, err := egress.Do(p.client, req)
	out := sent{took: max(s.now().Sub(began), 0)}
	if err != nil {
		if !errors.As(err, &out.failed) {
			out.failed = &egress.Error{Class: egress.Protocol, Msg: "The call failed before an answer could be read."}
		}
		return out
	}
	resp.Body.Close()
	out.status = resp.StatusCode
	if to, err := resp.Location(); err == nil {
		out.location = shownURL(to)
	}
	return out
}

// shownURL is an address without what may hold a credential.
func shownURL(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// schemeOf finds the signature of a definition that a header carries; "" means the first.
func schemeOf(w *connector.Webhooks, header string) (connector.Signature, bool) {
	for _, s := range w.Signatures {
		if header == "" || http.CanonicalHeaderKey(s.Header) == http.CanonicalHeaderKey(header) {
			return s, true
		}
	}
	return connector.Signature{}, false
}
