package guide

import (
	"slices"
	"time"

	"backoffice/internal/config"
)

// Facts are what is known of an entry, gathered from the rooms that know it. All
// of it is about what may be shown: values stand here as fingerprints.
type Facts struct {
	Version  config.Version  // that counts: the one in force, or the newest while nothing is
	Pending  *config.Version // what is pending beside Version; nil if nothing is
	Redirect string          // the redirect URI of Version
	Missing  []string        // labels of permissions that the chosen topics need and nobody declared; any one of some as "a or b"
	Runs     []Run           // newest first
	Refused  *Refusal        // what the radar saw since the last test; nil if nothing
	Received *Received       // the last notification that a stored secret signed; nil if there was none
}

// A Run is one test of the entry, as far as a step of the guide rests on it.
type Run struct {
	ID       string // of its report
	Kind     RunKind
	Number   int             // of the version that it tested
	Version  *config.Version // what it tested; nil if that is not stored: values of a form
	Hash     string          // content hash of what it tested
	At       time.Time
	By       string
	Redirect string // the redirect URI that it used; "" if that is not known
	Headline string // without a full stop
	Whole    Verdict
	Partly   bool // the credentials are good, but something is worth a look
	Fields   RunFields
}

// RunFields are what a run found out about the parts of the connection.
type RunFields struct {
	ClientID, ClientSecret, Redirect, Permission Verdict
}

// RunKind is what sort of test a run was.
type RunKind int

// The kinds of runs. A Consent run is here only if the browser came back from
// the provider and the person had not said no.
const (
	Consent RunKind = iota
	WithoutConsent
	PastedToken
)

// Verdict is what a run proves about one thing.
type Verdict int

// The verdicts.
const (
	Undecided Verdict = iota
	Good
	Bad
)

// A Refusal is that the provider refused, unattended, what it took before.
type Refusal struct {
	Headline string // without a full stop
	At       time.Time
}

// A Received is a notification whose signature held.
type Received struct {
	ID          string
	Topic       string
	At          time.Time
	Key         string          // whose value signed it: "clientSecret"
	Fingerprint string          // of that value
	Number      int             // of the version that had it
	Version     *config.Version // that one; nil if it is not known
}

// changed lists the keys whose values differ between what a run tested and v, in
// the order of keys. known is false if nobody can tell.
func (r Run) changed(v config.Version, keys []string) (names []string, known bool) {
	if r.Hash == v.ContentHash {
		return nil, true
	}
	if r.Version == nil {
		return nil, false
	}
	for _, name := range keys {
		if !same(*r.Version, v, name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, true
}

// same reports whether two versions have the same value under a key, or none.
func same(a, b config.Version, name string) bool {
	x, inA := a.Key(name)
	y, inB := b.Key(name)
	return inA == inB && x.Fingerprint == y.Fingerprint && x.Kind == y.Kind
}

func sameScopes(a *config.Version, b config.Version) bool {
	return a != nil && slices.Equal(slices.Sorted(slices.Values(a.Scopes)), slices.Sorted(slices.Values(b.Scopes)))
}
