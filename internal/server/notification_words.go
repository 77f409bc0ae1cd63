package server

import (
	"cmp"
	"fmt"
	"strings"

	"backoffice/internal/connector"
	"backoffice/internal/webhook"
	"backoffice/web/templates"
)

// arrivalOf is a verdict as pages draw it.
func arrivalOf(n webhook.Notification) templates.Arrival {
	switch n.Verdict {
	case webhook.OK:
		if n.Repeats != "" {
			return templates.ArrivalRepeated
		}
		return templates.ArrivalValid
	case webhook.Stale:
		return templates.ArrivalStale
	case webhook.Mismatch:
		return templates.ArrivalMismatch
	case webhook.Malformed:
		return templates.ArrivalMalformed
	case webhook.Unsigned:
		return templates.ArrivalUnsigned
	case webhook.NoSecret:
		return templates.ArrivalNoSecret
	}
	return templates.ArrivalUnknown
}

// causeWords has each cause in a few words: in a row, and after "was refused: ".
var causeWords = map[webhook.Cause]struct{ row, refused string }{
	webhook.ExpiredSecret:  {"Old secret", "it was signed with a secret that is no longer accepted"},
	webhook.OtherAlgorithm: {"Other algorithm", "it was signed with another algorithm"},
	webhook.OtherEncoding:  {"Other encoding", "its signature is written in another encoding"},
	webhook.OtherPrefix:    {"Other prefix", "its signature has another prefix"},
	webhook.ChangedBody:    {"Body changed", "its body was changed on the way"},
	webhook.OtherContent:   {"Other text signed", "another text was signed"},
	webhook.WrongHeader:    {"Wrong header", "its signature is in the header of another kind of notification"},
	webhook.BadForm:        {"Malformed signature", "its signature does not have the right form"},
	webhook.OtherTime:      {"Wrong time", "it was signed too long before it came, or after"},
	webhook.HoldsNow:       {"Not accepted then", "its secret was not accepted yet when it came"},
	webhook.NoSignature:    {"Not signed", "it carries no signature"},
	webhook.UnknownSecret:  {"Unknown secret", "no known secret signed it"},
}

// mainCause is the cause that weighs most; "" if nobody has looked yet.
func mainCause(n webhook.Notification) webhook.Cause {
	if n.Good() || n.Verdict == webhook.NoSecret || n.Explanation == nil || len(n.Explanation.Causes) == 0 {
		return ""
	}
	return n.Explanation.Causes[0]
}

// known is the words of the cause, where they say more than the verdict does.
func known(n webhook.Notification) (row, refused string, ok bool) {
	cause := mainCause(n)
	w, ok := causeWords[cause]
	return w.row, w.refused, ok && (n.Verdict == webhook.Mismatch || cause != webhook.UnknownSecret)
}

// arrivalWord is the verdict in the words of a row; "" for its own.
func arrivalWord(n webhook.Notification) string {
	if row, _, ok := known(n); ok {
		return row
	}
	return ""
}

// refusedWords say why a notification was refused, after "was refused: ".
func refusedWords(n webhook.Notification) string {
	if _, words, ok := known(n); ok {
		return words
	}
	switch n.Verdict {
	case webhook.Stale:
		return "it was signed too long ago"
	case webhook.Malformed:
		return "its signature does not have the right form"
	case webhook.Unsigned:
		return "it carries no signature"
	case webhook.NoSecret:
		return "the entry has no value to check it with"
	}
	return "no accepted secret signed it"
}

// headline is what the notification did, after its topic.
func notificationHeadline(n webhook.Notification, provider string) string {
	switch {
	case !n.Good():
		return "was refused: " + refusedWords(n)
	case n.Test:
		return "came from BackOffice itself, as a test"
	case n.Repeats != "":
		return "came from " + provider + " again, unchanged"
	}
	return "came from " + provider + ", unchanged"
}

// standingWords is where the version of a secret stood when the notification came.
func standingWords(s webhook.Signer) string {
	switch s.Standing {
	case webhook.Current:
		return "in force"
	case webhook.Previous:
		return "still accepted until " + until(s.Until)
	case webhook.Pending:
		return "pending"
	case webhook.Expired:
		return "no longer accepted since " + until(s.Until)
	case webhook.Older:
		return "an older version, not accepted"
	}
	return string(s.Standing)
}

func signerWords(s webhook.Signer) string { return fmt.Sprintf("%s of version %d", s.Key, s.Version) }

// signed is a stored value that signed, with the way to its version.
func signed(s *webhook.Signer, there bool) templates.Signed {
	if s == nil {
		return templates.Signed{}
	}
	words := fmt.Sprintf("%s, %s", signerWords(*s), standingWords(*s))
	out := templates.Signed{Words: words, Fingerprint: templates.Fingerprint(s.Fingerprint)}
	if there {
		out.Link = templates.Link{Label: words, URL: fmt.Sprintf("%s?version=%d", entryURL(s.Entry), s.Version)}
	}
	return out
}

// ruleOf is the way of signing that a notification is about: that of its header,
// or the first of the definition.
func ruleOf(def *connector.Definition, header string) connector.Signature {
	if def == nil || def.Webhooks == nil || len(def.Webhooks.Signatures) == 0 {
		return connector.Signature{Header: header, Signed: "{body}"}
	}
	for _, s := range def.Webhooks.Signatures {
		if s.Header == header {
			return s
		}
	}
	return def.Webhooks.Signatures[0]
}

// algorithmWords is an HMAC as people write it: "HMAC-SHA-1".
func algorithmWords(algorithm string) string {
	if algorithm == "" {
		return "HMAC"
	}
	return "HMAC-" + strings.ToUpper(strings.Replace(algorithm, "sha", "sha-", 1))
}

// formWords is how a signature stands in its header: "In hex after sha1=".
func formWords(s connector.Signature) string {
	if s.Encoding == "" {
		return ""
	}
	words := "In " + s.Encoding
	if s.Prefix != "" {
		words += " after " + s.Prefix
	}
	if s.Item != "" {
		words += fmt.Sprintf(", as %s of the list", s.Item)
	}
	return words + "."
}

// signatureSteps is the check of a signature, step by step.
func signatureSteps(n webhook.Notification, def *connector.Definition, accepted []webhook.Signer) []templates.SignatureStep {
	rule := ruleOf(def, n.Signature)
	return []templates.SignatureStep{headerStep(n, def, rule), keyStep(n, def, accepted), messageStep(n, rule), hmacStep(n, rule)}
}

func headerStep(n webhook.Notification, def *connector.Definition, rule connector.Signature) templates.SignatureStep {
	s := templates.SignatureStep{Title: "1. The header that came", What: n.Signature, Code: true, Text: formWords(rule)}
	switch n.Verdict {
	case webhook.Unsigned:
		s.Judged, s.Verdict, s.What, s.Text = true, templates.VerdictWrong, "None", "Wanted is "+headerNames(def)+"."
		return s
	case webhook.Malformed:
		s.Text = "It does not have this form. " + formWords(rule)
	}
	for _, h := range n.Headers {
		if strings.EqualFold(h.Name, n.Signature) {
			s.Plain = visible(h.Value, shownText)
		}
	}
	return s
}

// headerNames are the headers that may carry a signature.
func headerNames(def *connector.Definition) string {
	var names []string
	if def != nil && def.Webhooks != nil {
		for _, s := range def.Webhooks.Signatures {
			names = append(names, s.Header)
		}
	}
	return cmp.Or(strings.Join(names, " or "), "a header with a signature")
}

func keyStep(n webhook.Notification, def *connector.Definition, accepted []webhook.Signer) templates.SignatureStep {
	s := templates.SignatureStep{Title: "2. The key"}
	switch {
	case n.Signer != nil:
		s.What, s.Text, s.Fingerprint = signerWords(*n.Signer), upperFirst(standingWords(*n.Signer))+" when it came.", templates.Fingerprint(n.Signer.Fingerprint)
	case n.Verdict == webhook.NoSecret:
		s.Judged, s.Verdict, s.What, s.Text = true, templates.VerdictWarning, "None", "The entry has no value for "+strings.Join(webhookKeys(def), " or ")+"."
	case n.Verdict == webhook.Mismatch:
		s.What, s.Text = "None that is accepted", "Accepted now: "+cmp.Or(signersWords(accepted), "no value at all")+"."
		if !strings.Contains(n.Owner, ":") {
			s.Text = "The values of each entry behind this address were tried."
		}
		if n.Untried > 0 {
			s.Text = fmt.Sprintf("The values of %s behind this address were not tried: for so long a body they are too many. Register an address that fewer share.", plural(n.Untried, "entry"))
		}
	default:
		s.What, s.Text = "Not used", "There was nothing to check with it."
	}
	return s
}

// webhookKeys are the keys whose values may sign notifications.
func webhookKeys(def *connector.Definition) []string {
	if def == nil || def.Webhooks == nil {
		return nil
	}
	return def.Webhooks.SecretKeys
}

// upperFirst begins a sentence.
func upperFirst(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func signersWords(list []webhook.Signer) string {
	var words []string
	for _, s := range list {
		words = append(words, signerWords(s))
	}
	return strings.Join(words, ", ")
}

func messageStep(n webhook.Notification, rule connector.Signature) templates.SignatureStep {
	s := templates.SignatureStep{Title: "3. The message", What: "The raw body", Text: "Every byte as it arrived, before anything parsed it.", Plain: bytesWords(n.Length)}
	if rule.Signed != "{body}" && rule.Signed != "" {
		s.What, s.Code, s.Text = rule.Signed, true, "The raw body, every byte as it arrived, in this text."
	}
	return s
}

func hmacStep(n webhook.Notification, rule connector.Signature) templates.SignatureStep {
	s := templates.SignatureStep{Title: "4. " + algorithmWords(rule.Algorithm) + " of key and message", Judged: true, What: "Not computed"}
	switch n.Verdict {
	case webhook.OK:
		s.Verdict, s.What, s.Text = templates.VerdictOK, "Equal", "Computed here, compared in constant time."
	case webhook.Stale:
		s.Verdict, s.What, s.Text = templates.VerdictWarning, "Equal, but too old", "What was signed says when."
		if rule.Timestamp != nil {
			s.Text = fmt.Sprintf("What was signed says when; it may be %s from now.", rule.Timestamp.Tolerance)
		}
	case webhook.Mismatch:
		s.Verdict, s.What, s.Text = templates.VerdictWrong, "Different", "Computed here with each accepted value, compared in constant time."
	}
	return s
}

// proves is what the result of the check means.
func proves(n webhook.Notification) string {
	switch n.Verdict {
	case webhook.OK:
		return "Equal means: whoever sent it knows the secret, and no byte was changed on the way."
	case webhook.Stale:
		return "Whoever signed it knows the secret. That it comes so late may mean that somebody else sends it again."
	case webhook.Mismatch:
		return "Different means: it was signed with another secret, in another way, or these are not the bytes that were signed."
	case webhook.NoSecret:
		return "Without a value to check with, nothing says who sent it."
	}
	return "Without a signature that can be checked, nothing says who sent it."
}
