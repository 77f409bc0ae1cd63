package oauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// The types of a HAR 1.2 log, http://www.softwareishard.com/blog/har-12-spec/,
// as far as they are written here. A list is never null. Sizes that are not
// known, and phases that did not happen, are -1.
type (
	har struct {
		Log harLog `json:"log"`
	}
	harLog struct {
		Version string     `json:"version"`
		Creator harCreator `json:"creator"`
		Entries []harEntry `json:"entries"`
		Comment string     `json:"comment,omitempty"`
	}
	harCreator struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	harEntry struct {
		Started  harTime     `json:"startedDateTime"`
		Time     harMillis   `json:"time"`
		Request  harRequest  `json:"request"`
		Response harResponse `json:"response"`
		Cache    struct{}    `json:"cache"`
		Timings  harTimings  `json:"timings"`
		Comment  string      `json:"comment,omitempty"`
	}
	harRequest struct {
		Method      string       `json:"method"`
		URL         string       `json:"url"`
		HTTPVersion string       `json:"httpVersion"`
		Cookies     []struct{}   `json:"cookies"` // none is ever shown
		Headers     []harPair    `json:"headers"`
		Query       []harPair    `json:"queryString"`
		PostData    *harPostData `json:"postData,omitempty"`
		HeadersSize int64        `json:"headersSize"`
		BodySize    int64        `json:"bodySize"`
	}
	harPostData struct {
		MimeType string    `json:"mimeType"`
		Params   []harPair `json:"params"`
	}
	harResponse struct {
		Status      int        `json:"status"`
		StatusText  string     `json:"statusText"`
		HTTPVersion string     `json:"httpVersion"`
		Cookies     []struct{} `json:"cookies"`
		Headers     []harPair  `json:"headers"`
		Content     harContent `json:"content"`
		RedirectURL string     `json:"redirectURL"`
		HeadersSize int64      `json:"headersSize"`
		BodySize    int64      `json:"bodySize"`
	}
	harContent struct {
		Size        int64  `json:"size"`
		Compression int64  `json:"compression,omitempty"`
		MimeType    string `json:"mimeType"`
		Comment     string `json:"comment,omitempty"`
	}
	harPair struct {
		Name    string `json:"name"`
		Value   string `json:"value"`
		Comment string `json:"comment,omitempty"`
	}
	harTimings struct {
		Blocked harMillis `json:"blocked"`
		DNS     harMillis `json:"dns"`
		Connect harMillis `json:"connect"` // with TLS
		Send    harMillis `json:"send"`
		Wait    harMillis `json:"wait"`
		Receive harMillis `json:"receive"`
		SSL     harMillis `json:"ssl"`
	}
)

// A harTime is written with milliseconds, in UTC.
type harTime time.Time

// MarshalJSON never fails for a time of the years 0 to 9999.
func (t harTime) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Time(t).UTC().Format("2006-01-02T15:04:05.000Z"))
}

// A harMillis is a duration in milliseconds; negative is "did not happen".
type harMillis time.Duration

// MarshalJSON writes microseconds as three decimals.
func (d harMillis) MarshalJSON() ([]byte, error) {
	if d < 0 {
		return []byte("-1"), nil
	}
	us := time.Duration(d).Microseconds()
	return fmt.Appendf(nil, "%d.%03d", us/1000, us%1000), nil
}

// encode is the file. Angle brackets stay as they are: it is no part of a page.
func (h har) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(h); err != nil {
		return nil, fmt.Errorf("writing a HAR file: %w", err)
	}
	return b.Bytes(), nil
}
