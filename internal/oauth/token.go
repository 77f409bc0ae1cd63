package oauth

import (
	"context"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
)

// TestToken makes only the identity call and the probes, with a token that somebody
// pasted, at the addresses of version n, and returns where the report is. The token is
// neither stored nor shown. Spaces and line breaks around it are not sent. It
// returns an errs.NotFound, an errs.Invalid if the definition has no such call,
// or an errs.Field error on "token".
func (s *Service) TestToken(ctx context.Context, by audit.Actor, id config.ID, n int, token secret.Text) (Ref, error) {
	sub, err := s.subject(ctx, id, n)
	if err != nil {
		return Ref{}, err
	}
	if sub.def.Identity == nil {
		return Ref{}, errs.Newf(errs.Invalid, "The definition of %s has no call that asks whose token it is, so a token cannot be tested.", sub.def.Name)
	}
	clean, err := pasted(token)
	if err != nil {
		return Ref{}, err
	}
	ctx = context.WithoutCancel(ctx)
	r := s.newRun(sub, by, TokenRun, time.Now(), s.now().UTC())
	r.identify(ctx, clean)
	r.probe(ctx, clean)
	return s.finish(ctx, r)
}

// maxToken bounds a pasted token, in bytes: more does not fit into the headers
// that servers accept.
const maxToken = 8 << 10

func pasted(token secret.Text) (secret.Text, error) {
	t := strings.TrimSpace(token.Reveal())
	switch {
	case t == "":
		return secret.Text{}, errs.Field("token", "Paste an access token.")
	case len(t) > 7 && strings.EqualFold(t[:7], "bearer "):
		return secret.Text{}, errs.Field("token", "Paste the token alone, without the word Bearer before it.")
	case len(t) > maxToken:
		return secret.Text{}, errs.Field("token", "This is too long to be an access token. Paste the token alone.")
	case !sendable(t):
		return secret.Text{}, errs.Field("token", "An access token has no spaces, line breaks or letters beyond ASCII. Copy it again, whole and alone.")
	}
	return secret.NewText(t), nil
}
