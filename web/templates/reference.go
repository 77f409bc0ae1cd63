package templates

import "context"

type referenceKey struct{}

// WithReference returns the context for a page that refuses what was sent: its
// first error shows id, by which the log has the line about it.
func WithReference(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, referenceKey{}, &id)
}

// takeReference returns the reference of the page that is drawn with ctx, once;
// then, and on a page that refuses nothing, it is "".
func takeReference(ctx context.Context) string {
	id, ok := ctx.Value(referenceKey{}).(*string)
	if !ok {
		return ""
	}
	taken := *id
	*id = ""
	return taken
}
