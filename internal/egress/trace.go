package egress

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A Trace collects the calls made under its context, also those that were
// refused. It is safe for concurrent use; set Keep before the first call.
type Trace struct {
	// Keep chooses the headers, of requests and of responses, that an Exchange
	// may show, and in which form. Without it none is shown. Authorization,
	// Proxy-Authorization, Cookie and Set-Cookie are never offered to it.
	Keep func(name, value string) (shown string, ok bool)

	mu      sync.Mutex
	records []*record
}

type traceKey struct{}

// WithTrace returns a context whose calls are recorded in t.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// Exchanges returns the calls so far in the order in which they began, each hop
// of a redirect by itself. The caller owns the result.
func (t *Trace) Exchanges() []Exchange {
	t.mu.Lock()
	records := slices.Clone(t.records)
	t.mu.Unlock()
	out := make([]Exchange, len(records))
	for i, r := range records {
		out[i] = r.snapshot()
	}
	return out
}

func (t *Trace) add(r *record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records = append(t.records, r)
}

// An Exchange is one request and its answer as they may be shown and kept.
type Exchange struct {
	Started  time.Time     `json:"started"` // UTC
	Method   string        `json:"method"`
	URL      string        `json:"url"` // scheme, host and path: no user information, query or fragment
	Phases   Phases        `json:"phases"`
	Total    time.Duration `json:"total"` // until the body was read or closed, or the call failed
	Resolved int           `json:"resolved,omitempty"`
	Public   int           `json:"public,omitempty"` // how many of the resolved addresses are public
	Remote   string        `json:"remote,omitempty"` // what sort of address answered, as "public IPv4"

	TLS         *Security `json:"tls,omitempty"` // also if the certificate was not accepted; nil if none was seen
	Status      int       `json:"status,omitempty"`
	Protocol    string    `json:"protocol,omitempty"`
	ContentType string    `json:"contentType,omitempty"` // the media type, without parameters
	Sent        int64     `json:"sent"`                  // bytes of the request's body
	Received    int64     `json:"received"`              // bytes of the response's body as they came
	Unpacked    int64     `json:"unpacked"`              // and after decompression

	RequestHeaders  []Header `json:"requestHeaders,omitempty"` // only what Trace.Keep chose
	ResponseHeaders []Header `json:"responseHeaders,omitempty"`

	Class   Class  `json:"class,omitempty"` // None if all went well
	Fault   Fault  `json:"fault,omitempty"`
	Problem string `json:"problem,omitempty"` // the text of the Error
	Done    bool   `json:"done"`              // false while the body is still open
}

// Phases are the parts of an exchange, in their order. A phase that did not
// happen is 0; a phase that did not end lasts until the failure.
type Phases struct {
	DNS     time.Duration `json:"dns"`
	Connect time.Duration `json:"connect"`
	TLS     time.Duration `json:"tls"`
	Send    time.Duration `json:"send"`
	Wait    time.Duration `json:"wait"` // until the first byte of the answer
	Receive time.Duration `json:"receive"`
}

// Security is what a server has shown of itself. Names and Issuer are foreign
// text, cut and without control characters.
type Security struct {
	Version   string    `json:"version,omitempty"` // "TLS 1.3"; "" if the certificate was not accepted
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"` // the end of the first certificate of the chain
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names"` // at most ten

	Chain []Certificate `json:"chain,omitempty"` // as the server sent it, from its own to the last; at most five
}

// A Certificate is one of a chain. Its texts are foreign, cut and without control
// characters.
type Certificate struct {
	Subject  string    `json:"subject"`
	Issuer   string    `json:"issuer"`
	NotAfter time.Time `json:"notAfter"`
}

// A Header is one header line that Trace.Keep let through.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
