package server

import (
	"context"
	"slices"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/connector"
)

// A button that is pressed twice sends its form twice. The second finds that the
// entry has changed, by the same person and to just what they asked for: then
// it is answered as the first was, instead of blaming somebody for being faster.

// repeatWithin is how long after a save the same form is taken for its repeat.
const repeatWithin = time.Minute

// A moved is how a move is found again: by its event, and by how it left the entry.
type moved struct {
	action audit.Action
	left   func(config.Entry, config.Move) bool
}

// repeatsMove reports whether m is the last change that was made to its entry,
// by the same person and for the same reason, and is asked for once more.
func (g gate) repeatsMove(ctx context.Context, by audit.Actor, m config.Move, how moved) bool {
	e, err := g.Config.Get(ctx, m.ID)
	if err != nil || e.Revision != m.Revision+1 || !how.left(e, m) {
		return false
	}
	log, err := g.Audit.List(ctx, audit.Filter{Action: how.action, Target: string(m.ID), Limit: 1})
	if err != nil || len(log.Events) == 0 {
		return false
	}
	last := log.Events[0]
	return last.Actor.ID == by.ID && last.Version == m.Version && last.Reason == m.Reason && last.Time.Equal(e.Changed)
}

// isInForce reports whether the last change of e put m's version in force, for
// as long as m wants the one before to stay accepted.
func isInForce(e config.Entry, m config.Move) bool {
	accepted := e.Previous == 0 || e.PreviousUntil.Equal(e.InForceSince.Add(m.Accept))
	return e.Current == m.Version && e.InForceSince.Equal(e.Changed) && accepted
}

// isDiscarded reports whether the last change of e took the label pending off
// and put nothing in force.
func isDiscarded(e config.Entry, m config.Move) bool {
	return e.Pending == 0 && e.Current != m.Version && !e.InForceSince.Equal(e.Changed)
}

// repeatsSave returns what the same person has just saved, if d asks for the
// same once more. base is the version that d was made from, the zero one for a
// new entry.
func (g gate) repeatsSave(ctx context.Context, by audit.Actor, d config.Draft, base config.Opened) (config.Saved, bool) {
	e, err := g.Config.Get(ctx, d.ID)
	if err != nil || e.ChangedBy != by.Name || g.Now().Sub(e.Changed) > repeatWithin {
		return config.Saved{}, false
	}
	if d.Revision == 0 && e.Next != 2 || d.Revision != 0 && e.Revision != d.Revision+1 {
		return config.Saved{}, false
	}
	o, err := g.Config.Open(ctx, e.ID, e.Next-1)
	if err != nil || !o.Time.Equal(e.Changed) || o.Base != d.Base || o.Reason != d.Reason {
		return config.Saved{}, false
	}
	labelled := d.Then == config.Pend && e.Pending == o.Number || d.Then == config.PutInForce && e.Current == o.Number
	return config.Saved{Version: o.Version}, labelled && holds(o, d, base, g.Config.Definition(d.ID))
}

// holds reports whether o has the content of d.
func holds(o config.Opened, d config.Draft, base config.Opened, def *connector.Definition) bool {
	if len(o.Values) != len(d.Values) || !slices.Equal(o.Scopes, setOf(d.Scopes)) || !slices.Equal(o.Topics, setOf(d.Topics)) {
		return false
	}
	for _, in := range d.Values {
		want := in.Value
		if in.Keep {
			want = base.Values[in.Key]
		}
		got, ok := o.Values[in.Key]
		k, _ := o.Key(in.Key)
		var field connector.Field
		known := false
		if def != nil {
			field, known = def.Field(in.Key)
		}
		text := want.Text()
		if known && !in.Keep {
			text, _ = config.Clean(field, text)
		}
		if !ok || got.Kind() != want.Kind() || got.Text() != text || k.Secret != (in.Secret || field.Secret) {
			return false
		}
	}
	return true
}

// setOf are the words as a version keeps them.
func setOf(words []string) []string { return slices.Compact(slices.Sorted(slices.Values(words))) }
