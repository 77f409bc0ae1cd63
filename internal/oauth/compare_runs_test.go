package oauth_test

import (
	"reflect"
	"testing"

	"backoffice/internal/egress"
	"backoffice/internal/oauth"
)

// asked is a step of a diagnosis with a status and an error code.
func asked(letter, name string, v oauth.Verdict, status, code string) oauth.Step {
	return oauth.Step{Probe: letter, Name: name, Verdict: v, Received: []oauth.Line{{Name: "Status", Value: status},
		{Name: "X-Request-Id", In: oauth.InHeader, Value: letter + code + "1"}, {Name: "errors[0].code", In: oauth.InJSON, Value: code}}}
}

func TestBetween(t *testing.T) {
	t.Parallel()
	fields := func(secret, redirect oauth.Verdict) []oauth.FieldVerdict {
		return []oauth.FieldVerdict{{Field: oauth.ClientSecret, Verdict: secret, Reason: "why"}, {Field: oauth.RedirectURI, Verdict: redirect}}
	}
	good, bad := oauth.StepAnswer{Status: "401 Unauthorized", Code: "code_refused"}, oauth.StepAnswer{Status: "401 Unauthorized", Code: "client_refused"}
	subject := asked("S", "Ask", oauth.OK, "401 Unauthorized", "code_refused")
	refused := asked("S", "Ask the same", oauth.Wrong, "401 Unauthorized", "client_refused")
	again := refused
	again.Received = append([]oauth.Line{{Name: "X-Request-Id", In: oauth.InHeader, Value: "another"}, {Name: "error", In: oauth.InHeader, Value: "no code"}, {Name: "code", Value: "[removed]", Redacted: true}}, refused.Received...)
	call := oauth.Step{Name: "Look", Exchange: &egress.Exchange{Status: 404}}
	base := oauth.Report{ContentHash: "1", Fields: fields(oauth.OK, oauth.OK), Steps: []oauth.Step{subject, call}}
	for _, tt := range []struct {
		name string
		a, b oauth.Report
		want oauth.Difference
	}{
		{"the same run", base, base, oauth.Difference{SameValues: true}},
		{"a field and its step", base, oauth.Report{ContentHash: "2", Fields: fields(oauth.Wrong, oauth.OK), Steps: []oauth.Step{refused, call}},
			oauth.Difference{Fields: []oauth.FieldChange{{Field: oauth.ClientSecret, Before: base.Fields[0], After: fields(oauth.Wrong, oauth.OK)[0]}},
				Steps: []oauth.StepChange{{Name: "Ask the same", Before: &good, After: &bad}}}},
		{"only what differs in every run", oauth.Report{Steps: []oauth.Step{refused}}, oauth.Report{Steps: []oauth.Step{again}}, oauth.Difference{SameValues: true}},
		{"a field that only one judges", oauth.Report{Fields: []oauth.FieldVerdict{{Field: oauth.Permission, Verdict: oauth.OK}}},
			oauth.Report{Fields: []oauth.FieldVerdict{{Field: oauth.Clock, Verdict: oauth.Warning}, {Field: oauth.State}}},
			oauth.Difference{SameValues: true, Fields: []oauth.FieldChange{
				{Field: oauth.Clock, Before: oauth.FieldVerdict{Field: oauth.Clock}, After: oauth.FieldVerdict{Field: oauth.Clock, Verdict: oauth.Warning}},
				{Field: oauth.Permission, Before: oauth.FieldVerdict{Field: oauth.Permission, Verdict: oauth.OK}, After: oauth.FieldVerdict{Field: oauth.Permission}}}}},
		{"steps that only one has", oauth.Report{Steps: []oauth.Step{call}}, oauth.Report{Steps: []oauth.Step{subject}},
			oauth.Difference{SameValues: true, Steps: []oauth.StepChange{{Name: "Ask", After: &good}, {Name: "Look", Before: &oauth.StepAnswer{Status: "404"}}}}},
		{"a question that is asked twice", oauth.Report{Steps: []oauth.Step{subject, subject}}, oauth.Report{Steps: []oauth.Step{subject, refused}},
			oauth.Difference{SameValues: true, Steps: []oauth.StepChange{{Name: "Ask the same", Before: &good, After: &bad}}}},
		{"nothing at all", oauth.Report{}, oauth.Report{}, oauth.Difference{SameValues: true}},
	} {
		if got := oauth.Between(tt.a, tt.b); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
