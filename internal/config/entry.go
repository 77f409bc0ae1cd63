// Package config keeps the configuration entries: the OAuth app of one
// connector each, as a row of immutable versions with three labels on them.
//
//	current   what consumers get
//	pending   saved, not yet in force: it can be tested, promoted or discarded
//	previous  what was current before, accepted until a deadline
//
// Only the labels ever move. Saving is compare-and-swap on the entry's revision:
// two admins never overwrite each other silently. The values of a version are
// sealed as one and open only under its own store key; what may be shown of a
// value stands beside it as a Key.
//
// Each exported method that changes something is one store transaction, with
// its audit event in it (invariant 1). Records, by store key:
//
//	config/entry/<id>          Entry
//	config/version/<id>/<n>    Version, n padded to seven digits
//	config/deleted/<id>        the revision at which an entry was deleted: one made
//	                           anew goes on from there, so that no form of the old
//	                           one is taken for a form of the new one
//	config/review/<id>/<n>     what was decided about a version, and whether it was in force
//	config/rule                the approval rule of the instance, as it was last
//	config/deleted-rule/<id>   the rule of a deleted entry: one made anew has it again
//	config/rotation/<id>       Rotation: that a client secret is being replaced, and how
//	config/watch/<id>          Watch: what may put an older version back in force
//	config/expiry/<id>         []Expiry: when values expire, by their fingerprints
//	config/generation          rises with every change of an entry; see All
package config

import (
	"fmt"
	"slices"
	"time"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// An Entry is the state of one configuration entry: which version carries which
// label. Version numbers start at 1; 0 means that no version has the label.
type Entry struct {
	ID            ID        `json:"id"`
	Connector     string    `json:"connector,omitempty"` // key of its definition, "" for a plain entry
	Current       int       `json:"current,omitempty"`
	Pending       int       `json:"pending,omitempty"`
	Previous      int       `json:"previous,omitempty"`
	PreviousUntil time.Time `json:"previousUntil,omitzero"`
	Next          int       `json:"next"`     // number of the next version
	Revision      int64     `json:"revision"` // rises with every change, never used twice for an id
	Created       time.Time `json:"created"`
	Changed       time.Time `json:"changed"`
	ChangedBy     string    `json:"changedBy"`
	InForceSince  time.Time `json:"inForceSince,omitzero"` // when Current got its label
	InForceBy     string    `json:"inForceBy,omitempty"`
	CurrentHash   string    `json:"currentHash,omitempty"` // content hash of version Current
	PendingHash   string    `json:"pendingHash,omitempty"`

	ChangedByID string   `json:"changedById,omitempty"`
	TouchedBy   string   `json:"touchedBy,omitempty"` // who raised the revision since, without changing content or labels
	Rule        Rule     `json:"rule,omitempty"`      // of its own; "" follows the instance
	Decision    Decision `json:"decision,omitzero"`   // the last about the pending version; see Approved
}

// Newest is the version that an edit starts from: the pending one, else the
// current one, else (after a discard of the first) the last that was saved.
func (e Entry) Newest() int {
	switch {
	case e.Pending != 0:
		return e.Pending
	case e.Current != 0:
		return e.Current
	}
	return e.Next - 1
}

// Accepted returns the numbers of the versions whose secrets hold at the given
// time: the current one, and the previous one until its deadline. Expiry is
// for readers: nothing is written when the deadline passes.
func (e Entry) Accepted(now time.Time) (numbers []int) {
	if e.Current != 0 {
		numbers = append(numbers, e.Current)
	}
	if e.Previous != 0 && now.Before(e.PreviousUntil) {
		numbers = append(numbers, e.Previous)
	}
	return numbers
}

// A Version is an immutable set of values. It carries no value that is secret:
// Keys is what may be shown, and the values are sealed.
type Version struct {
	Entry       ID         `json:"entry"`
	Number      int        `json:"number"`
	Base        int        `json:"base,omitempty"` // the version that it was edited from
	Author      string     `json:"author"`
	AuthorID    string     `json:"authorId,omitempty"`
	Time        time.Time  `json:"time"`
	Reason      string     `json:"reason,omitempty"`
	ContentHash string     `json:"hash"` // of values, scopes and topics; keyed to this installation
	Keys        []Key      `json:"keys"` // in the order of their names
	Scopes      []string   `json:"scopes,omitempty"`
	Topics      []string   `json:"topics,omitempty"`
	TokenOrigin string     `json:"tokenOrigin,omitempty"` // where its client secret was meant to go when it was typed; "" if nowhere
	Cleaned     []Cleaning `json:"cleaned,omitempty"`     // what was taken off the values that were typed for it
	Sealed      []byte     `json:"sealed"`                // bound to its place and to all of the above

	beside string // what boundTo adds to the place, if it is known already
}

// A Key is what may be shown of one value.
type Key struct {
	Name        string             `json:"name"`
	Secret      bool               `json:"secret,omitempty"`
	Kind        connector.Kind     `json:"kind"`
	Fingerprint secret.Fingerprint `json:"fingerprint"`
	Length      int                `json:"length"` // in characters
	Since       int                `json:"since"`  // the version that set this value
	SetAt       time.Time          `json:"setAt"`
	SetBy       string             `json:"setBy"`
}

// Key returns the key of the given name.
func (v Version) Key(name string) (Key, bool) {
	for _, k := range v.Keys {
		if k.Name == name {
			return k, true
		}
	}
	return Key{}, false
}

// Opened is a version with its values, secrets included. It is for the
// handshake and for forms that show what is not secret.
type Opened struct {
	Version
	Values map[string]Value
}

// Plain returns the values that are not secret, by key.
func (o Opened) Plain() map[string]Value {
	plain := map[string]Value{}
	for _, k := range o.Keys {
		if !k.Secret {
			plain[k.Name] = o.Values[k.Name]
		}
	}
	return plain
}

// Texts returns the values that are not secret as texts, by key, as
// connector.Definition.Resolve takes them: no URL may hold a secret.
func (o Opened) Texts() map[string]string {
	texts := map[string]string{}
	for k, v := range o.Plain() {
		texts[k] = v.Text().Reveal()
	}
	return texts
}

var (
	entries  = store.Table[Entry]{Prefix: "config/entry/", Memo: store.NewMemo[Entry](256, nil)}
	versions = store.Table[Version]{Prefix: "config/version/", Memo: store.NewMemo(256, clip)}
	openKeys = store.Table[Version]{Prefix: "config/version/"} // for reading very many: it remembers none
	deleted  = store.Table[int64]{Prefix: "config/deleted/"}
)

// clip keeps callers that append to a list of a shared Version apart, and works
// out once what its seal is bound to.
func clip(v *Version) {
	v.beside, _ = v.inTheOpen() // what cannot be encoded is an error again where it counts
	v.Keys, v.Scopes, v.Topics, v.Sealed = slices.Clip(v.Keys), slices.Clip(v.Scopes), slices.Clip(v.Topics), slices.Clip(v.Sealed)
	v.Cleaned = slices.Clip(v.Cleaned)
}

const generationKey = "config/generation"

// versionID is a version's id in its table.
func versionID(id ID, n int) string { return fmt.Sprintf("%s/%07d", id, n) }

// sealedAt is the store key that a version's values are bound to.
func sealedAt(id ID, n int) string { return versions.Prefix + versionID(id, n) }
