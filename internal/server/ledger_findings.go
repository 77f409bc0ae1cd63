package server

import (
	"fmt"
	"slices"
	"strings"

	"backoffice/internal/connector"
	"backoffice/internal/oauth"
	"backoffice/web/templates"
)

// found is what is found about each permission, by finding.
func (l ledger) found(held []string) map[finding][]string {
	ids := map[finding][]string{}
	for _, p := range l.def.Permissions {
		f := l.find(p.ID(), held)
		ids[f] = append(ids[f], p.ID())
	}
	for _, id := range l.unknown() {
		f := l.find(id, held)
		ids[f] = append(ids[f], id)
	}
	return ids
}

// findings are what to mend, each kind once, with the permissions that it is about.
func (l ledger) findings(held []string) (out []templates.LedgerFinding) {
	ids := l.found(held)
	for f := refusedUsed; f <= idle; f++ {
		if len(ids[f]) == 0 {
			continue
		}
		var labels []string
		for _, id := range ids[f] {
			labels = append(labels, l.label(id))
		}
		if f == oneOf {
			labels = l.choices(held)
		}
		word := findingTitle(f, len(labels))
		if f != oneOf && l.likely(ids[f]) {
			word = likelyTitle(f, word)
		}
		out = append(out, templates.LedgerFinding{Verdict: findingWords[f].verdict, Word: word, Permissions: labels, Step: l.step(f, len(labels))})
	}
	return out
}

// choices are the groups of which one permission is missing.
func (l ledger) choices(held []string) (out []string) {
	for _, n := range l.needs {
		if n.met(held) || len(n.any) < 2 || l.chosen(n) {
			continue
		}
		var labels []string
		for _, id := range n.any {
			p, _ := l.def.Permission(id)
			labels = append(labels, p.Label)
		}
		if s := strings.Join(labels, " or "); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func findingTitle(f finding, n int) string {
	switch f {
	case refusedUsed:
		return "Needed, but refused"
	case missing:
		return "Needed, but not declared"
	case oneOf:
		return pick(n == 1, "One of these is needed", "One of each is needed")
	case refusedIdle:
		return "Declared, but refused"
	case undeclared:
		return "Granted and needed, but not declared"
	case excess:
		return "Granted, but neither declared nor needed here"
	}
	return "Declared, but not needed here"
}

// likely reports whether what is known about all of these is our reading alone.
func (l ledger) likely(ids []string) bool {
	return len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { g, known := l.grant(id); return !known || g.Basis != oauth.Reading })
}

func likelyTitle(f finding, word string) string {
	switch f {
	case refusedUsed, refusedIdle:
		return strings.Replace(word, "refused", "likely refused", 1)
	case undeclared, excess:
		return "Likely " + lowerFirst(word)
	}
	return word
}

// step is how a finding about n permissions is mended. Where they are ticked in the
// provider's console, both sides have to agree.
func (l ledger) step(f finding, n int) string {
	sent := l.def.OAuth != nil && l.def.OAuth.SendScopes
	words := ""
	switch f {
	case refusedUsed:
		words = pick(sent, "Allow the app to ask for {it} {there}, then consent again with a new run.", "Tick {it} {there} and save there, then consent again with a new run.")
	case missing:
		words = pick(sent, "Tick {it} below and save: the next consent run asks for {it}.", "Tick {it} {there} and below, save both, then consent again with a new run.")
	case oneOf:
		words = pick(sent, "Tick the narrowest that does below and save: the next consent run asks for it.", "Choose the narrowest that does: tick it {there} and below, save both, then consent again with a new run.")
	case refusedIdle:
		words = pick(sent, "If your consumers use {it}, allow the app to ask for {it} {there} and consent again. If not, untick {it} below.", "If your consumers use {it}, tick {it} {there} and consent again with a new run. If not, untick {it} below.")
	case undeclared:
		words = "Tick {it} below and save, so that the entry says what it needs."
	case excess:
		words = pick(sent, "Revoke the token, or declare {it} below if your consumers use {it}: whoever holds the token can.", "Untick {it} {there}, or declare {it} below if your consumers use {it}: whoever holds the token can.")
	case idle:
		words = "If your consumers do not use {it} either, untick {it} " + pick(sent, "below.", "{there} and below.") + " BackOffice knows the topics and the identity call, not your consumers."
	}
	return strings.NewReplacer("{it}", pick(n == 1, "it", "them"), "{there}", "in "+l.def.Name+"’s console").Replace(words)
}

// heading says the findings in a sentence.
func (l ledger) heading(held []string) string {
	n, ids := map[finding]int{}, l.found(held)
	for f, list := range ids {
		n[f] = len(list)
	}
	if n[oneOf] > 0 {
		n[oneOf] = len(l.choices(held))
	}
	var parts []string
	say := func(count int, one, many string) {
		if count == 0 {
			return
		}
		words := numeral(count) + pick(count == 1, one, many)
		if len(parts) == 0 {
			words = strings.Replace(words, numeral(count), numeral(count)+pick(count == 1, " permission", " permissions"), 1)
		}
		parts = append(parts, words)
	}
	likely := func(ids ...string) string { return pick(l.likely(ids), "likely ", "") }
	lack, refused := pick(n[missing]+n[oneOf] == 0, likely(ids[refusedUsed]...), "")+"missing", "declared but "+likely(ids[refusedIdle]...)+"refused"
	granted := likely(slices.Concat(ids[undeclared], ids[excess])...) + "granted but not declared"
	say(n[missing]+n[oneOf]+n[refusedUsed], " is "+lack, " are "+lack)
	say(n[refusedIdle], " is "+refused, " are "+refused)
	say(n[undeclared]+n[excess], " is "+granted, " are "+granted)
	say(n[idle], " is not needed here", " are not needed here")
	switch {
	case len(parts) > 0:
		s := strings.Join(parts, ", ")
		return strings.ToUpper(s[:1]) + s[1:]
	case len(l.declared) == 0:
		return "No permission is declared yet"
	case len(l.counted) == 0:
		return plural(len(l.declared), "permission") + " declared, none found out yet"
	}
	return "What is declared is what is needed"
}

// numeral is a small number in words.
func numeral(n int) string {
	if words := []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}; n < len(words) {
		return words[n]
	}
	return fmt.Sprint(n)
}

// grantTally counts the states of the rows that are about this entry.
func grantTally(rows []templates.PermissionRow) (out []templates.Fact) {
	type key struct {
		verdict templates.Verdict
		word    string
	}
	count, order := map[key]int{}, []key{}
	for _, r := range rows {
		k := key{r.Granted, r.GrantWord}
		if k.verdict == templates.VerdictWrong {
			k.verdict = templates.VerdictWarning
		}
		if count[k]++; count[k] == 1 {
			order = append(order, k)
		}
	}
	rank := func(k key) int {
		return slices.Index([]string{"Granted", "Likely granted", "Refused", "Not granted", "Likely refused", "Unclear"}, k.word)
	}
	slices.SortStableFunc(order, func(a, b key) int { return rank(a) - rank(b) })
	for _, k := range order {
		out = append(out, templates.Fact{Verdict: k.verdict, Word: fmt.Sprintf("%d %s", count[k], lowerFirst(k.word))})
	}
	return out
}

// probeRows are the calls that tell, with what is not confirmed about them.
func probeRows(def *connector.Definition) (out []templates.ProbeRow) {
	add := func(call, label string, permissions []string, confirmed bool, note string) {
		row := templates.ProbeRow{Call: call, Label: label, Note: note, Word: pick(confirmed, "Documented", "Our reading")}
		for _, id := range permissions {
			row.Permissions = append(row.Permissions, ledger{def: def}.label(id))
		}
		if len(permissions) == 0 {
			row.Word = "No permission known"
		}
		out = append(out, row)
	}
	if id := def.Identity; id != nil && id.Permission != "" {
		add(connector.Call(id.URL), "Ask whose token it is", []string{id.Permission}, id.Confirmed, id.Note)
	}
	for _, p := range def.Probes {
		add(connector.Call(p.URL), p.Label, p.Permissions, p.Confirmed, p.Note)
	}
	return out
}

// history is what each run found out, and what changed from the one before it.
func (p scopePages) history(l ledger, kept []string) (out []templates.GrantRunRow) {
	for i, r := range l.runs {
		row := templates.GrantRunRow{When: p.when(r.Started), How: kindWords(r.Kind), Version: fmt.Sprint(r.Version), By: r.By, Whose: whose(r), Unprobed: r.Unprobed}
		row.Tally = grantTally(stateRows(r.Grants))
		if why := r.App.Since(l.now); why != "" {
			row.NotCounted = fmt.Sprintf("Found with version %d; %s. Not counted.", r.Version, why)
		}
		if slices.Contains(kept, r.Run) {
			row.Report = reportURL(oauth.Ref{Entry: r.Entry, Report: r.Run})
		}
		for _, before := range l.runs[i+1:] {
			if before.App.Since(r.App) == "" && whose(before) == whose(r) {
				row.Changes, row.Compared = l.changes(before, r), true
				break
			}
		}
		out = append(out, row)
	}
	return out
}

// stateRows are grants as far as a tally counts them.
func stateRows(grants []oauth.GrantAt) (rows []templates.PermissionRow) {
	for _, g := range grants {
		verdict, word := grantState(found{GrantAt: g}, true)
		rows = append(rows, templates.PermissionRow{Granted: verdict, GrantWord: word})
	}
	return rows
}

// changes are the permissions whose state is another than in the run before.
func (l ledger) changes(before, after oauth.GrantRun) (out []templates.GrantChange) {
	was := map[string]oauth.GrantAt{}
	for _, g := range before.Grants {
		was[g.Permission] = g
	}
	for _, g := range after.Grants {
		old, known := was[g.Permission]
		if known && old.State == g.State || !known && g.State == oauth.Unclear {
			continue
		}
		out = append(out, templates.GrantChange{Permission: l.label(g.Permission), Before: pick(known, stateWord(old), "not asked"), After: stateWord(g)})
	}
	return out
}

func stateWord(g oauth.GrantAt) string {
	_, word := grantState(found{GrantAt: g}, true)
	return lowerFirst(word)
}

// label is what the provider calls a permission.
func (l ledger) label(id string) string {
	if p, ok := l.def.Permission(id); ok {
		return p.Label
	}
	return id
}

// grantSummary is what a report found out, in short.
func grantSummary(r oauth.Report, def *connector.Definition) (out templates.GrantSummary) {
	var all []oauth.GrantAt
	for _, g := range r.Grants {
		all = append(all, oauth.GrantAt{Grant: g})
		if g.State == oauth.Refused {
			out.Refused = append(out.Refused, ledger{def: def}.label(g.Permission))
		}
	}
	out.Tally, out.Unprobed, out.Ledger = grantTally(stateRows(all)), r.Unprobed, entryURL(r.Entry)+"/scopes"
	return out
}
