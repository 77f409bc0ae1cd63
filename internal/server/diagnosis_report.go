package server

import (
	"fmt"
	"strconv"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/oauth"
	"backoffice/web/templates"
)

// testedName is what a report tested, with the label that it has now. Values that
// were not saved may have become a version since.
func testedName(r oauth.Report, e config.Entry) string {
	switch {
	case !r.Unsaved:
		return versionName(e, r.Version)
	case r.ContentHash != "" && r.ContentHash == e.CurrentHash:
		return fmt.Sprintf("Not saved then; the same values as version %d", e.Current)
	case r.ContentHash != "" && r.ContentHash == e.PendingHash:
		return fmt.Sprintf("Not saved then; the same values as version %d", e.Pending)
	case r.Version != 0:
		return fmt.Sprintf("Not saved, edited from version %d", r.Version)
	}
	return "Not saved"
}

// remedySteps are the things to do, in order. What a field says already is not
// said twice.
func remedySteps(r oauth.Report) (out []templates.RemedyStep) {
	said := map[string]bool{}
	for _, f := range r.Fields {
		if f.Remedy != "" {
			said[f.Remedy] = true
		}
	}
	if len(said) > 0 {
		out = append(out, templates.RemedyStep{Text: "Do what the fields above say."})
	}
	for _, text := range r.Remedies {
		if !said[text] {
			out = append(out, templates.RemedyStep{Text: text})
		}
	}
	if len(said) > 0 {
		out = append(out, templates.RemedyStep{Text: "Test again."})
	}
	return out
}

// nextStep leads what to do after a test without consent.
func nextStep(r oauth.Report, provider string) string {
	switch {
	case len(remedySteps(r)) > 0:
		return ""
	case r.Verdict == oauth.OK || r.Verdict == oauth.Warning:
		return fmt.Sprintf("All that was checked is right. A consent run proves the rest: go on in %s.", provider)
	case r.Verdict == oauth.Wrong:
		return "Look at the steps below, put right what is wrong, and test again."
	}
	return fmt.Sprintf("Nothing was found wrong, and not everything could be decided without consent. To decide it, go on in %s.", provider)
}

// howCompared says on what the verdicts of a test without consent rest.
func howCompared(r oauth.Report) string {
	switch {
	case r.Field(oauth.Reachability).Verdict == oauth.Wrong:
		return "The address did not give an answer of the provider, so nothing could be compared. The other fields are not called right or wrong."
	case r.Verdict == oauth.Inconclusive || r.Verdict == oauth.NotChecked:
		return "Not decided: the answers fit more than one cause, or they are all alike, and nothing is called right or wrong that they do not prove."
	}
	return "Decided by comparison: the same question was also asked with values that are certainly wrong, and the answers were compared. Each field says how firmly its verdict stands. Only a consent run proves that a token is issued."
}

func confidenceWords(c oauth.Confidence) string {
	switch c {
	case oauth.High:
		return "High confidence"
	case oauth.Medium:
		return "Medium confidence"
	}
	return ""
}

// evidenceLinks lead from a field to the steps that its verdict rests on.
func evidenceLinks(f oauth.FieldVerdict, r oauth.Report) (out []templates.Link) {
	for _, i := range f.Evidence {
		if i >= 0 && i < len(r.Steps) {
			n := strconv.Itoa(i + 1)
			out = append(out, templates.Link{Label: "Step " + n, URL: "#" + templates.Step{Number: n}.Anchor()})
		}
	}
	return out
}

// madeUp reports whether a question was asked with made-up values, to compare
// with.
func madeUp(s oauth.Step) bool { return s.Probe != "" && strings.Contains("ABEF", s.Probe[:1]) }

// sentSecret is the fingerprint of the client secret as the entry's own question
// had it.
func sentSecret(r oauth.Report) templates.Fingerprint {
	for _, s := range r.Steps {
		for _, l := range s.Sent {
			if digits := strings.ReplaceAll(l.Value, " ", ""); l.Name == "client_secret" && l.Redacted && !madeUp(s) && len(digits) == 12 {
				return templates.Fingerprint(digits)
			}
		}
	}
	return ""
}
