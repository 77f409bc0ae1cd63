package sandbox

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
)

const maxForm = 64 << 10 // bytes

var errNotAForm = errors.New("the content type is not application/x-www-form-urlencoded")

// readForm reads a form from the body alone, never from the query, and bounds
// what it reads.
func readForm(x *exchange) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errNotAForm
	}
	body, err := io.ReadAll(http.MaxBytesReader(x, x.r.Body, maxForm))
	if err != nil {
		return nil, fmt.Errorf("reading the form: %w", err)
	}
	return parseForm(string(body))
}

// parseForm parses a form in which no field may be repeated (RFC 6749 section
// 3.2).
func parseForm(body string) (url.Values, error) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, fmt.Errorf("parsing the form: %w", err)
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, fmt.Errorf("the field %q is repeated", shorten(name, 40))
		}
	}
	return form, nil
}
