package guide

import (
	"fmt"

	"backoffice/internal/connector"
)

// permissions looks at what is declared, and at whether the identity call was
// allowed. Where permissions are ticked in a console, only that call can show
// that somebody did.
func (f Facts) permissions(def *connector.Definition) Finding {
	if n := len(f.Missing); n > 0 {
		return Finding{State: Attention, Mild: true, Words: capital(counted(n, "permission")) + " missing",
			How: "The chosen topics need " + list(f.Missing) + ". The tab Scopes has the ledger."}
	}
	var was Finding
	for _, r := range f.Runs {
		if r.Fields.Permission == Undecided {
			continue
		}
		changed, known := r.changed(f.Version, clientAndAddresses(def, r))
		if known && len(changed) == 0 && asksForScopes(def) && r.Hash != f.Version.ContentHash && !sameScopes(r.Version, f.Version) {
			changed = []string{"the list of scopes"}
		}
		switch {
		case !known:
		case len(changed) > 0 && r.Fields.Permission == Good && !was.Lapsed:
			was = lapsed(def, r, changed)
		case len(changed) > 0:
		case r.Fields.Permission == Bad:
			bad := refuted(r, "One permission missing")
			bad.Mild = true
			return bad
		default:
			return Finding{State: Shown, Words: "the identity call is allowed", At: r.At, By: r.By, Run: r.ID,
				How: r.sentence() + " was allowed to ask whose token it has. Which other permissions the app has, that call does not tell."}
		}
	}
	if was.Lapsed {
		return was
	}
	return f.declared(def)
}

// declared is what can be said before any call: scopes that are sent are asked
// for as soon as they are declared.
func (f Facts) declared(def *connector.Definition) Finding {
	n, enough := len(f.Version.Scopes), asksForScopes(def) || def.Identity == nil
	if n == 0 && asksForScopes(def) {
		n = len(def.OAuth.DefaultScopes)
	}
	switch {
	case n == 0:
		return Finding{How: "No permission is declared yet. The tab Scopes has them all."}
	case !enough:
		return Finding{How: fmt.Sprintf("%s declared; a consent run shows whether the app has them.", capital(counted(n, "permission")))}
	}
	return Finding{State: Shown, Words: counted(n, "permission") + " declared", At: f.Version.Time, By: f.Version.Author,
		How: fmt.Sprintf("Version %d declares what is asked for, and nothing that its topics need is missing.", f.Version.Number)}
}

func asksForScopes(def *connector.Definition) bool { return def.OAuth != nil && def.OAuth.SendScopes }

// counted is a small number with its word.
func counted(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func capital(s string) string {
	if s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
