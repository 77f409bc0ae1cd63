package exchange

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/secret"

	"filippo.io/age"
)

// A Verdict is what an import would do with a row.
type Verdict string

// The verdicts.
const (
	Create   Verdict = "create"
	Change   Verdict = "change"
	Same     Verdict = "same"     // nothing to do
	Conflict Verdict = "conflict" // something has to be decided, typed or mended first
)

// An Item is what an import would do with one row.
type Item struct {
	ID      config.ID
	Line    int // in the file, from 1
	Verdict Verdict
	Why     []string           // of a conflict, in sentences
	Notes   []string           // what is worth knowing
	Anyway  bool               // the conflict is one that may be decided by importing anyway
	Missing []string           // secrets that have to be typed, sorted
	Diff    config.Differences // from Before to After
	Before  config.Opened      // what is here; zero if there is nothing
	After   config.Opened      // what the import would save; zero where that is not known yet

	draft config.Draft
}

// A Plan is what an import of a file would do.
type Plan struct {
	From     string    // public URL of the instance that wrote the file, as it says; "" if it does not
	By       string    // who exported it, as the file says
	Exported time.Time // when, as the file says
	Own      bool      // this instance wrote it, as the file says
	Hash     string    // SHA-256 of the file
	Items    []Item    // in the order of the file
	Faults   []Fault   // rows that cannot be taken at all
	Until    time.Time // when the plan lapses
}

// Count returns how many items have the verdict.
func (p Plan) Count(v Verdict) (n int) {
	for _, i := range p.Items {
		if i.Verdict == v {
			n++
		}
	}
	return n
}

// plan weighs each row of an upload against what is here now. Rows that sight is
// false for become faults: they are about entries that the person may not know.
func (s *Service) plan(ctx context.Context, u *upload, sight func(config.ID) bool) (Plan, error) {
	p := Plan{From: u.file.From, By: u.file.By, Exported: u.file.Exported, Own: u.file.Instance == s.instance, Hash: u.hash,
		Faults: slices.Clone(u.faults), Until: u.until}
	for _, row := range u.file.Entries {
		id, err := config.ParseID(row.ID)
		if err == nil && !sight(id) {
			err = errs.New(errs.Refused, "Your role is not for this entry.")
		}
		if err != nil {
			_, msg := errs.Of(err)
			if f := errs.Fields(err)["id"]; f != "" {
				msg = f
			}
			p.Faults = append(p.Faults, Fault{row.line, cut(row.ID), msg})
			continue
		}
		item, err := s.weigh(ctx, u, id, row)
		if err != nil {
			return Plan{}, err
		}
		p.Items = append(p.Items, item)
	}
	slices.SortStableFunc(p.Faults, func(a, b Fault) int { return a.Line - b.Line })
	return p, nil
}

// here is what this instance has of an entry.
type here struct {
	config.Entry
	base config.Opened // that an edit would start from; zero if there is no entry
}

func (s *Service) here(ctx context.Context, id config.ID) (here, error) {
	e, err := s.config.Get(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return here{}, nil
	}
	if err != nil {
		return here{}, err
	}
	v, err := s.config.Open(ctx, id, e.Newest())
	return here{e, v}, err
}

// weigh says what an import would do with a row.
func (s *Service) weigh(ctx context.Context, u *upload, id config.ID, row Row) (Item, error) {
	was, err := s.here(ctx, id)
	if err != nil {
		return Item{}, err
	}
	i := Item{ID: id, Line: row.line, Verdict: Create, draft: config.Draft{ID: id, Revision: was.Revision, Base: was.base.Number, Scopes: row.Scopes, Topics: row.Topics}}
	if was.Revision != 0 {
		i.Verdict = Change
	}
	b := basket{Item: &i, row: row, was: was, def: s.definition(id), own: u.file.Instance == s.instance, typed: u.typed[id]}
	if b.open(u.identities); i.Verdict == Conflict {
		return i, nil
	}
	b.values()
	b.secrets()
	i.Notes = append(i.Notes, s.connectorNote(id, row)...)
	if len(i.Missing) > 0 {
		i.Verdict = Conflict
		return i, nil
	}
	after, err := s.config.Preview(ctx, i.draft)
	if faults := faultsOf(err); len(faults) > 0 {
		i.Verdict, i.Anyway, i.Why = Conflict, false, append(i.Why, faults...)
		return i, nil
	}
	if err != nil {
		return Item{}, err
	}
	i.Before, i.After, i.Diff = was.base, after, config.Diff(was.base.Version, after.Version)
	if err := s.settle(ctx, b, after.Version); err != nil || i.Verdict == Same || was.Current == 0 {
		return i, err
	}
	return i, s.noteOtherApp(ctx, b, after.Version)
}

// noteOtherApp says that the import means another app than the one in force. A plan
// is looked at before anything is done, so it does not ask.
func (s *Service) noteOtherApp(ctx context.Context, b basket, after config.Version) error {
	inForce, err := s.config.Version(ctx, b.ID, b.was.Current)
	if err != nil {
		return err
	}
	if key, other := s.config.OtherApp(inForce, after); other {
		b.Notes = append(b.Notes, key+" is another one than the one in force: this is another app at the provider, with none of its installations.")
	}
	return nil
}

// settle finds out whether there is anything to do, and whether it would undo
// what somebody did here.
func (s *Service) settle(ctx context.Context, b basket, after config.Version) error {
	i, was := b.Item, b.was
	if was.Revision == 0 {
		return nil
	}
	if len(i.Diff) == 0 {
		i.Verdict, i.Why, i.Anyway = Same, nil, false
		return nil
	}
	if was.Pending != 0 && was.Current != 0 {
		current, err := s.config.Version(ctx, i.ID, was.Current)
		if err != nil {
			return err
		}
		if len(config.Diff(current, after)) == 0 {
			i.Verdict, i.Why, i.Anyway, i.Diff = Same, nil, false, nil
			i.Notes = append(i.Notes, fmt.Sprintf("This is what is in force. Version %d is pending, and stays so.", was.Pending))
			return nil
		}
		b.conflict(fmt.Sprintf("Version %d is pending here. The import would take its place; it stays in the history.", was.Pending))
	}
	if b.own && b.row.Hash != "" && b.row.Hash != was.CurrentHash && b.row.Hash != was.PendingHash {
		b.conflict(fmt.Sprintf("It is not here any more as it was exported: %s changed it on %s. It is at version %d, and the file has version %d. The import would undo that.",
			was.ChangedBy, was.Changed.UTC().Format("2006-01-02 15:04 UTC"), was.base.Number, b.row.Version))
	}
	return nil
}

// faultsOf are the faults of a draft, in sentences.
func faultsOf(err error) (out []string) {
	fields := errs.Fields(err)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, fields[name])
	}
	if kind, msg := errs.Of(err); err != nil && len(out) == 0 && (kind == errs.Invalid || kind == errs.Conflict) {
		out = append(out, msg)
	}
	return out
}

// connectorNote compares which connector the file and this instance follow.
func (s *Service) connectorNote(id config.ID, row Row) []string {
	switch def := s.config.Definition(id); {
	case def == nil && row.Connector != "":
		return []string{fmt.Sprintf("The file says that it follows the connector %s, which is not known here: its values are taken as they are.", cut(row.Connector))}
	case def != nil && row.Connector != "" && row.Connector != def.Key:
		return []string{fmt.Sprintf("The file says that it follows the connector %s; here it follows %s.", cut(row.Connector), def.Key)}
	}
	return nil
}

// definition tells which keys an entry of this id keeps as secrets.
func (s *Service) definition(id config.ID) func(key string) bool {
	def := s.config.Definition(id)
	return func(key string) bool {
		if def == nil {
			return false
		}
		f, ok := def.Field(key)
		return ok && f.Secret
	}
}

// A basket gathers what a row has into the draft of its item.
type basket struct {
	*Item
	row    Row
	was    here
	def    func(key string) (secret bool)
	own    bool // the fingerprints of the file are this instance's
	typed  map[string]secret.Text
	sealed *map[string]Scalar // what was opened; nil if nothing was
}

// conflict is one that the person may decide.
func (b basket) conflict(why string) {
	b.Anyway = b.Anyway || b.Verdict != Conflict
	b.Verdict, b.Why = Conflict, append(b.Why, why)
}

// open opens what is sealed in the row.
func (b *basket) open(with []age.Identity) {
	values, err := b.row.open(with)
	b.sealed = &values
	switch {
	case errors.Is(err, errOtherKey):
		b.Notes = append(b.Notes, "Its secrets are sealed to another recipient, and were not opened.")
	case err != nil:
		b.Verdict, b.Why = Conflict, append(b.Why, "Its secrets were not taken: "+err.Error()+". Export it again, or change the entry here.")
	}
	for name := range values {
		if _, listed := b.row.Secrets[name]; !listed {
			b.Verdict, b.Why = Conflict, append(b.Why, "A secret is sealed that the row does not list. Export it again.")
		}
	}
}

// values takes what is not secret.
func (b *basket) values() {
	for _, name := range slices.Sorted(maps.Keys(b.row.Values)) {
		in := config.Input{Key: name, Value: config.ParseValue(b.row.Values[name].literal.Reveal())}
		k, _ := b.was.base.Key(name)
		if b.def(name) || k.Secret {
			in.Secret = true
			b.Notes = append(b.Notes, fmt.Sprintf("%s is a secret, and stands in the clear in the file. It is kept sealed here; delete the file.", cut(name)))
		}
		b.draft.Values = append(b.draft.Values, in)
	}
}

// secrets takes what is secret: out of what is sealed, from what was typed, or
// the one that is here.
func (b *basket) secrets() {
	for _, name := range slices.Sorted(maps.Keys(b.row.Secrets)) {
		in := config.Input{Key: name, Secret: true}
		k, stored := b.was.base.Key(name)
		switch sealed, ok := (*b.sealed)[name]; {
		case ok:
			in.Value = config.ParseValue(sealed.literal.Reveal())
		case !b.typed[name].IsZero():
			in.Value = config.TextValue(b.typed[name])
			b.Notes = append(b.Notes, name+" is the one that you typed.")
		case stored && k.Secret:
			in.Keep = true
			b.keeping(name, k)
		default:
			b.Missing = append(b.Missing, name)
			continue
		}
		b.draft.Values = append(b.draft.Values, in)
	}
	if len(b.Missing) > 0 {
		b.Why = append(b.Why, fmt.Sprintf("The file does not have %s. Type it here, or leave the entry out.", strings.Join(b.Missing, " and ")))
	}
}

// keeping says that the secret which is here stays.
func (b *basket) keeping(name string, k config.Key) {
	print := b.row.Secrets[name].Fingerprint
	switch {
	case !b.own || print == "":
		b.Notes = append(b.Notes, name+" stays as it is here: the file does not have its value.")
	case print != k.Fingerprint:
		b.conflict(fmt.Sprintf("%s was another one when the file was written (%s), and its value is not in the file. The import would keep the one that is here (%s).", name, print, k.Fingerprint))
	}
}

// scalarOf is the value as a file has it.
func scalarOf(v config.Value) Scalar { return Scalar{secret.NewText(v.Literal())} }
