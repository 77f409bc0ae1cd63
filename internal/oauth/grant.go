package oauth

import (
	"fmt"
	"slices"
	"strings"
)

// A Grant is what a run found out about one permission: whether the token has it,
// and how that is known.
type Grant struct {
	Permission string     `json:"permission"` // its ID in the definition; for one that it does not know, the provider's own word
	State      GrantState `json:"state"`
	Basis      Basis      `json:"basis,omitzero"`
	Evidence   string     `json:"evidence"`       // what was asked and answered, in a sentence; it may quote the provider
	Call       string     `json:"call,omitempty"` // "GET /conversations?per_page=1"; "" if the token answer says so
	Step       int        `json:"step"`           // index of the Step that it rests on
}

// A GrantState is whether a token has a permission. The zero one is Unclear: what
// is not known is not called granted.
type GrantState int

// The states.
const (
	Unclear GrantState = iota
	Granted
	Refused
)

var grantStates = names{"unclear", "granted", "refused"}

func (s GrantState) String() string { return grantStates.name(int(s)) }

// MarshalText refuses a state that does not exist.
func (s GrantState) MarshalText() ([]byte, error) { return grantStates.text(int(s)) }

// UnmarshalText refuses unknown text.
func (s *GrantState) UnmarshalText(text []byte) (err error) {
	*s, err = parse[GrantState](grantStates, text)
	return err
}

// A Basis is how a Grant that is not Unclear is known.
type Basis int

// The bases.
const (
	NoBasis    Basis = iota // it is not known
	Reading                 // a call answered; that this permission is what it needs is the definition's reading
	Documented              // a call answered, and the provider documents which permission it needs
	Named                   // a refusal names the permission
	Listed                  // the token answer lists its scopes
	Standard                // the token answer lists none, so it has what was asked for (RFC 6749 section 5.1)
)

var bases = names{"", "reading", "documented", "named", "listed", "standard"}

func (b Basis) String() string { return bases.name(int(b)) }

// MarshalText refuses a basis that does not exist.
func (b Basis) MarshalText() ([]byte, error) { return bases.text(int(b)) }

// UnmarshalText refuses unknown text.
func (b *Basis) UnmarshalText(text []byte) (err error) {
	*b, err = parse[Basis](bases, text)
	return err
}

// An outcome is what an answer to a probe says, before it is weighed.
type outcome int

const (
	noOutcome   outcome = iota // it says nothing about permissions
	allowed                    // success
	refusedBy                  // a refusal that names one permission that the definition knows
	refusedSome                // a refusal that speaks of a scope or permission, without naming one
)

// A sighting is one answer about permissions.
type sighting struct {
	outcome     outcome
	permissions []string // of which any one allows the call
	confirmed   bool     // the provider documents that
	named       string   // the permission of refusedBy
	words       string   // what was asked and answered, in a sentence
	call        string
	step        int
	probe       int // its place in the definition, from 1; 0 is the identity call
}

// weigh makes grants of what was seen. declared are the permissions that the entry
// declares; told is what the token answer says. A permission that nothing was seen
// of has no grant. It is pure:
//
//	refusal that names P         P is refused, whatever else was seen
//	token answer about P         as it says
//	refusal without a name       each that could allow the call is refused; if another call was allowed by it, it is unclear
//	success, one could allow it  granted: documented, or by our reading
//	success, several could       if one of them is granted already, the others are unclear; else, of those not
//	                             known to be missing, the only one is granted, and the only one declared by our reading
//	anything else                unclear
func weigh(seen []sighting, told []Grant, declared []string) []Grant {
	b := balance{of: map[string]int{}}
	for _, s := range seen {
		if s.outcome == refusedBy {
			b.settle(s, s.named, Refused, Named, "")
		}
	}
	for _, g := range told {
		b.put(g)
	}
	for _, s := range plainFirst(seen) {
		b.allow(s, declared)
	}
	for _, s := range seen {
		if s.outcome == refusedSome {
			for _, p := range s.permissions {
				b.refuse(s, p)
			}
		}
	}
	for _, s := range seen {
		for _, p := range s.permissions {
			b.settle(s, p, Unclear, NoBasis, b.open(s))
		}
	}
	return b.grants
}

// plainFirst are the successes, those first that leave least open.
func plainFirst(seen []sighting) (out []sighting) {
	for _, s := range seen {
		if s.outcome == allowed {
			out = append(out, s)
		}
	}
	rank := func(s sighting) int {
		if s.confirmed {
			return 2 * len(s.permissions)
		}
		return 2*len(s.permissions) + 1
	}
	slices.SortStableFunc(out, func(a, b sighting) int { return rank(a) - rank(b) })
	return out
}

// A balance is the grants so far. What comes first stays.
type balance struct {
	grants []Grant
	of     map[string]int
}

func (b *balance) state(p string) (Grant, bool) {
	i, ok := b.of[p]
	if !ok {
		return Grant{}, false
	}
	return b.grants[i], true
}

func (b *balance) put(g Grant) {
	if _, known := b.of[g.Permission]; !known {
		b.of[g.Permission] = len(b.grants)
		b.grants = append(b.grants, g)
	}
}

func (b *balance) settle(s sighting, p string, state GrantState, basis Basis, more string) {
	b.put(Grant{Permission: p, State: state, Basis: basis, Evidence: strings.TrimSpace(s.words + " " + more), Call: s.call, Step: s.step})
}

// allow weighs a success: it is owed to one that is not known to be missing.
func (b *balance) allow(s sighting, declared []string) {
	var could []string
	for _, p := range s.permissions {
		switch g, known := b.state(p); {
		case known && g.State == Granted:
			return // it may owe its success to this one
		case !known || g.State != Refused:
			could = append(could, p)
		}
	}
	basis, more := Reading, "That this permission is what allows it is our reading."
	if s.confirmed {
		basis, more = Documented, ""
	}
	if len(could) > 1 {
		could = slices.DeleteFunc(could, func(p string) bool { return !slices.Contains(declared, p) })
		basis, more = Reading, "Of those that could allow it, this one alone is declared."
	} else if len(s.permissions) > 1 {
		more = strings.TrimSpace("Of those that could allow it, the others are refused. " + more)
	}
	if len(could) == 1 {
		b.settle(s, could[0], Granted, basis, more)
	}
}

// refuse weighs a refusal without a name. One that contradicts a success leaves
// both open.
func (b *balance) refuse(s sighting, p string) {
	if g, known := b.state(p); known && g.State == Granted && g.Basis != Listed {
		i := b.of[p]
		b.grants[i].State, b.grants[i].Basis = Unclear, NoBasis
		b.grants[i].Evidence = g.Evidence + " But: " + s.words
		return
	}
	basis, more := Reading, "That this permission is what it lacks is our reading."
	if s.confirmed {
		basis, more = Documented, ""
	}
	b.settle(s, p, Refused, basis, more)
}

// open says why s leaves a permission unclear.
func (b *balance) open(s sighting) string {
	if s.outcome != allowed {
		return ""
	}
	return "One of these allows it, and which is not known: " + strings.Join(s.permissions, ", ") + "."
}

// Count returns how many grants are in a state.
func Count(grants []Grant, state GrantState) (n int) {
	for _, g := range grants {
		if g.State == state {
			n++
		}
	}
	return n
}

// grantWords counts grants for the log: "4 granted, 2 refused, 3 unclear".
func grantWords(grants []Grant) string {
	var parts []string
	for _, s := range []GrantState{Granted, Refused, Unclear} {
		if n := Count(grants, s); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}
