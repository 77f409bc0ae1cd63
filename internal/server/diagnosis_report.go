package server

import (
	"fmt"
	"slices"
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

// remedySteps are the things to do, in order.
func remedySteps(r oauth.Report) (out []templates.RemedyStep) {
	for _, text := range r.Remedies {
		out = append(out, templates.RemedyStep{Text: text})
	}
	if r.Kind == oauth.Diagnosis && r.Verdict == oauth.Wrong && len(out) > 0 {
		out = append(out, templates.RemedyStep{Text: "Test again."})
	}
	return out
}

// cardRemedy is what a field says to do, unless the list of all remedies says it.
func cardRemedy(f oauth.FieldVerdict, r oauth.Report) string {
	if slices.Contains(r.Remedies, f.Remedy) {
		return ""
	}
	return f.Remedy
}

// nextStep leads what to do after a test without consent.
func nextStep(r oauth.Report, provider string) string {
	consent := "go on in " + provider
	if r.Unsaved {
		consent = "save these values, and go on in " + provider + " from the tab Test"
	}
	odd := slices.ContainsFunc(r.Steps, func(s oauth.Step) bool { return s.Verdict == oauth.Warning })
	switch {
	case len(remedySteps(r)) > 0:
		return ""
	case odd && (r.Verdict == oauth.OK || r.Verdict == oauth.Warning):
		return fmt.Sprintf("Nothing was found wrong; a step below has something to know. A consent run proves the rest: %s.", consent)
	case r.Verdict == oauth.OK || r.Verdict == oauth.Warning:
		return fmt.Sprintf("All that was checked is right. A consent run proves the rest: %s.", consent)
	case r.Verdict == oauth.Wrong:
		return "Look at the steps below, put right what is wrong, and test again."
	}
	return fmt.Sprintf("Nothing was found wrong, and not everything could be decided without consent. To decide it, %s.", consent)
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
