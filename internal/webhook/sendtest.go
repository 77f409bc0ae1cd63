package webhook

import "net/http"

type tests struct{}
type outgoing struct{}

func (t *tests) of(h http.Header, providerID string) *outgoing { return nil }
func (t *outgoing) arrive(n Notification, body []byte)         {}
