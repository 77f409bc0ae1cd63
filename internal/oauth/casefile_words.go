package oauth

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/egress"
)

// facts is the head of the Markdown file: rows of a name and a value.
func (c caseFile) facts() [][]string {
	r := c.report
	rows := [][]string{
		{"Program", code(product + " " + cmp.Or(c.about.Version, "unknown"))},
		{"Time (UTC)", r.Started.UTC().Format(stamp)},
		{"Run", code(r.ID)},
		{"Entry", code(string(r.Entry))},
		{"Environment", code(c.about.Environment)},
		{"Instance", code(c.about.PublicURL)},
		{"Provider", code(r.Provider)},
		{"Region", code(r.Region)},
		{"Hosts", code(strings.Join(c.hosts(), ", "))},
		{"Test", kindWords[min(max(int(r.Kind), 0), len(kindWords)-1)]},
		{"Tested", c.tested()},
		{"Result", r.Verdict.String() + ": " + prose(r.Headline)},
		{"Took", since(r.Took)},
	}
	if r.Kind == Diagnosis {
		rows = append(rows, []string{"Calls", strconv.Itoa(r.Calls)})
	}
	if r.Rehearsal {
		rows = append(rows, []string{"Rehearsal", "yes: it spoke to a sandbox, not to the provider"})
	}
	return rows
}

var kindWords = [...]string{"consent run", "access token", "without consent"}

// tested is which values the run was about.
func (c caseFile) tested() string {
	r := c.report
	switch {
	case r.Unsaved && r.Version > 0:
		return fmt.Sprintf("values that were not saved, edited from version %d", r.Version)
	case r.Unsaved:
		return "values that were not saved"
	}
	return fmt.Sprintf("version %d", r.Version)
}

// words is the head of the HAR file.
func (c caseFile) words() string {
	r := c.report
	s := fmt.Sprintf("Case file of %s, provider %s. Test: %s, %s. Result: %s: %s. ", r.Entry, r.Provider, kindWords[min(max(int(r.Kind), 0), len(kindWords)-1)],
		c.tested(), r.Verdict, r.Headline)
	if c.about.Environment != "" {
		s += "Environment: " + printable(c.about.Environment) + ". "
	}
	if n := c.carried(); n > 0 {
		s += fmt.Sprintf("Steps without an entry here: %d. A browser carried them, or they sent no request; they are in the Markdown file. ", n)
	}
	return s + "Secrets are fingerprints or [removed]; bodies are not kept."
}

func (c caseFile) carried() (n int) {
	for _, st := range c.report.Steps {
		if !st.called() {
			n++
		}
	}
	return n
}

// limits are what kept the run from being a nuisance.
func (c caseFile) limits() []string {
	out := []string{
		fmt.Sprintf("One call took at most %s in all, and at most %d KiB of an answer were read.", spoken(cmp.Or(c.timeout, egress.DefaultTimeout)), egress.DefaultMaxBody>>10),
		"Each call was made once, in one method of client authentication; a question that was asked again is a step of its own.",
		"Only public addresses over https were called, and hosts that the operator allows.",
	}
	switch c.report.Kind {
	case Diagnosis:
		out = append(out, fmt.Sprintf("At most %d calls go to the OAuth addresses of the provider in one run. This one made %d. Reading what the provider publishes about itself is beside them.", c.pace.Calls, c.report.Calls),
			fmt.Sprintf("Redirects were followed only on the same origin, at most %d, without cookies.", egress.MaxRedirects),
			"The code was made up. No real code was sent, and no grant but `authorization_code` was used.")
		if !c.report.Rehearsal {
			out = append(out, fmt.Sprintf("After a run the entry and the host rest for %s, and for %s if the provider asks for a pause. At most %d calls go to one host in an hour.",
				spoken(c.pace.CoolDown), spoken(c.pace.LongCoolDown), c.pace.Budget))
		}
	case ConsentRun:
		out = append(out, "The code was sent once. No redirect was followed. "+c.used())
	case TokenRun:
		out = append(out, c.used()+" No redirect was followed.")
	}
	return out
}

func spoken(d time.Duration) string {
	if d >= time.Minute && d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%g s", d.Seconds())
}

// untested is what nobody may read into the verdicts.
func (c caseFile) untested() (out []string) {
	for _, f := range c.report.Fields {
		if f.Verdict == NotChecked {
			out = append(out, strings.TrimSpace(f.Field.Label()+": "+prose(f.Reason)))
		}
	}
	switch c.report.Kind {
	case Diagnosis:
		out = append(out, "The exchange of a real code, and what the provider checks only after somebody has signed in.", "The permissions that the app has.")
	case ConsentRun:
		out = append(out, "Permissions beyond the calls that were made with the token.")
	case TokenRun:
		out = append(out, "Client ID, client secret and redirect URI: a pasted token says nothing about them.")
	}
	return append(out, "Refreshing and revoking a token, and webhooks.")
}

// redactions says how to read the files.
var redactions = []string{
	"Secrets are keyed fingerprints: equal ones mean equal values within one installation, and they say nothing elsewhere.",
	"A client ID is its first characters and its fingerprint.",
	"Codes, states, tokens, cookies and the Authorization header are `[removed]`, and so is every value whose name is not known.",
	"Bodies of answers are not kept, only named parts of them. Who ran the test, and whose token it was, is left out.",
	"In this file ˋ ¦ ‹ › stand for four characters that Markdown would read. The HAR file has them as they were.",
}
