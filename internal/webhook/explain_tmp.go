package webhook

import "backoffice/internal/connector"

func Explain(w *connector.Webhooks, all []Candidate, req Request) Explanation {
	return Explanation{Causes: []Cause{UnknownSecret}}
}
