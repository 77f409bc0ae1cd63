package sandbox

import (
	"slices"
	"time"
)

// CodeLifetime is how long an authorization code is accepted. Intercom's older
// documentation says about five minutes.
const CodeLifetime = 5 * time.Minute

const maxKept = 1000 // codes, and tokens; the oldest go first

// A grant is what an authorization code stands for.
type grant struct {
	code      string
	workspace int
	redirect  string
	expires   time.Time
}

// A ledger keeps what has been issued, oldest first. Provider.mu guards it.
type ledger struct {
	grants []grant
	tokens []issued
}

type issued struct {
	token     string
	workspace int
}

// issueCode keeps a new code for a workspace and a redirect URI.
func (l *ledger) issueCode(workspace int, redirect string, now time.Time) string {
	g := grant{newCode(), workspace, redirect, now.Add(CodeLifetime)}
	l.grants = append(dropOldest(l.grants), g)
	return g.code
}

// takeCode uses up a code. It reports false for one that is unknown, used, or
// five minutes old.
func (l *ledger) takeCode(code string, now time.Time) (grant, bool) {
	i := slices.IndexFunc(l.grants, func(g grant) bool { return g.code == code })
	if i < 0 {
		return grant{}, false
	}
	g := l.grants[i]
	l.grants = slices.Delete(l.grants, i, i+1)
	return g, now.Before(g.expires)
}

// issueToken keeps a new access token for a workspace. Tokens do not expire.
func (l *ledger) issueToken(workspace int) string {
	t := issued{newToken(), workspace}
	l.tokens = append(dropOldest(l.tokens), t)
	return t.token
}

// workspaceOf finds the workspace that a token is good for.
func (l *ledger) workspaceOf(token string) (int, bool) {
	i := slices.IndexFunc(l.tokens, func(t issued) bool { return t.token == token })
	if i < 0 {
		return 0, false
	}
	return l.tokens[i].workspace, true
}

func dropOldest[T any](s []T) []T {
	if len(s) < maxKept {
		return s
	}
	return slices.Delete(s, 0, len(s)-maxKept+1)
}
