package exchange

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/secret"

	"filippo.io/age"
)

// Uploads wait in memory for somebody to decide: they may hold secrets that were
// opened or typed, which belong into the store only once they are saved. A restart
// loses them, and the file has to be chosen again.
const (
	Patience = 30 * time.Minute // that an upload waits
	maxHeld  = 8                // uploads that wait at once; a person has one
)

// An upload is a file that was read, with what was typed for it.
type upload struct {
	mu         sync.Mutex // held while it is weighed and applied
	who        string     // account id
	file       File
	faults     []Fault
	hash       string
	identities []age.Identity
	typed      map[config.ID]map[string]secret.Text
	shown      map[config.ID]int64 // revisions of the last plan that was looked at
	until      time.Time
}

// A shelf holds uploads by their token.
type shelf struct {
	mu  sync.Mutex
	all map[string]*upload
}

// put keeps u and drops what is over, and what the person had before.
func (s *shelf) put(token string, u *upload, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*upload{}
	}
	for t, old := range s.all {
		if old.who == u.who || !now.Before(old.until) {
			delete(s.all, t)
		}
	}
	if len(s.all) >= maxHeld {
		return errs.New(errs.TooMany, "Other people's imports wait to be decided. Try again when they are done; each waits for half an hour at most.")
	}
	s.all[token] = u
	return nil
}

// get returns the person's upload, or an errs.NotFound.
func (s *shelf) get(token, who string, now time.Time) (*upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.all[token]
	if u == nil || u.who != who || !now.Before(u.until) {
		return nil, errs.New(errs.NotFound, "This import is over: it was applied or discarded, it waited for more than half an hour, or the program was started anew. Choose the file again.")
	}
	return u, nil
}

func (s *shelf) drop(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, token)
}

// Load reads a file and holds it for the person. It returns the token of the plan,
// or an errs.Field on "file" or "identity".
func (s *Service) Load(by audit.Actor, b []byte, identity secret.Text) (token string, err error) {
	f, faults, err := Read(b)
	ids, idErr := s.identities(identity)
	if err := errors.Join(err, idErr); err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	u := &upload{who: by.ID, file: f, faults: faults, hash: hex.EncodeToString(sum[:]), identities: ids,
		typed: map[config.ID]map[string]secret.Text{}, until: s.now().Add(Patience)}
	token = rand.Text()
	return token, s.held.put(token, u, s.now())
}

// Plan says what an import of the held file would do now. sight reports which
// entries the person may know of.
func (s *Service) Plan(ctx context.Context, by audit.Actor, token string, sight func(config.ID) bool) (Plan, error) {
	u, err := s.held.get(token, by.ID, s.now())
	if err != nil {
		return Plan{}, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	p, err := s.plan(ctx, u, sight)
	if err == nil {
		u.shown = p.revisions()
	}
	return p, err
}

// revisions are those of the entries that the plan was made for.
func (p Plan) revisions() map[config.ID]int64 {
	out := make(map[config.ID]int64, len(p.Items))
	for _, i := range p.Items {
		out[i.ID] = i.draft.Revision
	}
	return out
}

// Discard forgets a held file.
func (s *Service) Discard(by audit.Actor, token string) error {
	if _, err := s.held.get(token, by.ID, s.now()); err != nil {
		return err
	}
	s.held.drop(token)
	return nil
}

// A Decision is what the person says to a plan.
type Decision struct {
	LeaveOut []config.ID // that would be created or changed
	Anyway   []config.ID // that are conflicts
	Typed    map[config.ID]map[string]secret.Text
	Then     config.Then
	Accept   time.Duration // with config.PutInForce
	Reason   string
}

// Applied is what an import did.
type Applied struct{ Created, Changed int }

// Apply saves all rows that were chosen, or none. What was typed stays with the
// plan until it is applied. It returns an errs.Conflict if an entry was changed after
// the person saw the plan, an errs.Invalid if nothing is chosen, errs.Field errors,
// or a *config.DraftError.
func (s *Service) Apply(ctx context.Context, by audit.Actor, token string, d Decision, sight func(config.ID) bool) (Applied, error) {
	u, err := s.held.get(token, by.ID, s.now())
	if err != nil {
		return Applied{}, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.take(d.Typed)
	p, err := s.plan(ctx, u, sight)
	if err != nil {
		return Applied{}, err
	}
	drafts, done, err := p.choose(d, u.shown)
	if err != nil {
		return Applied{}, err
	}
	_, err = s.config.SaveAll(ctx, by, drafts, func([]config.Version) audit.Event {
		return s.event(by, audit.EntriesImported, "", p.note(done))
	})
	if err != nil {
		return Applied{}, err
	}
	s.held.drop(token)
	return done, nil
}

// take keeps what was typed.
func (u *upload) take(typed map[config.ID]map[string]secret.Text) {
	for id, values := range typed {
		for key, text := range values {
			if text.IsZero() {
				continue
			}
			if u.typed[id] == nil {
				u.typed[id] = map[string]secret.Text{}
			}
			u.typed[id][key] = text
		}
	}
}

// choose returns the drafts that the decision asks for.
func (p Plan) choose(d Decision, shown map[config.ID]int64) (drafts []config.Draft, done Applied, err error) {
	for _, i := range p.Items {
		wanted := i.Verdict != Same && !slices.Contains(d.LeaveOut, i.ID)
		if i.Verdict == Conflict {
			wanted = slices.Contains(d.Anyway, i.ID)
			if wanted && !i.Anyway {
				return nil, Applied{}, errs.Newf(errs.Invalid, "Nothing was imported: %s cannot be taken. %s", i.ID, i.Why[0])
			}
		}
		if !wanted {
			continue
		}
		if rev, ok := shown[i.ID]; !ok || rev != i.draft.Revision {
			return nil, Applied{}, errs.Newf(errs.Conflict, "Nothing was imported: %s was changed after this plan was drawn. Look at the new plan, then decide again.", i.ID)
		}
		i.draft.Then, i.draft.Accept, i.draft.Reason = d.Then, d.Accept, d.Reason
		drafts = append(drafts, i.draft)
		if i.draft.Revision == 0 {
			done.Created++
		} else {
			done.Changed++
		}
	}
	if len(drafts) == 0 {
		return nil, Applied{}, errs.New(errs.Invalid, "Nothing is chosen, so nothing was imported.")
	}
	return drafts, done, nil
}

// note is what the log says of an import.
func (p Plan) note(done Applied) string {
	note := fmt.Sprintf("%d created, %d changed, from a file with SHA-256 %s", done.Created, done.Changed, p.Hash)
	if p.From != "" {
		note += " that names " + cut(p.From) + " as its origin"
	}
	return note + "."
}
