package webhook

import (
	"cmp"
	"context"
	"fmt"
	"mime"
	"net/http"
	"time"
	"unicode/utf8"

	"backoffice/internal/config"
)

// maxWork is how many bytes one notification may have hashed: a tenth of a second, or
// a few. The entries that are not tried then are counted.
const maxWork = 128 << 20

// MaxBody is the longest body that is taken, in bytes.
const MaxBody = 1 << 20

// An Incoming is a request as it came, whole.
type Incoming struct {
	Method string
	From   string      // address of the sender, as the server believes it
	Header http.Header // it may be read after Receive, too
	Body   []byte      // raw; it is not kept after Receive
	Began  time.Time   // when the first byte was there
}

// A judged is what verifying found: by whose definition, and who owns it.
type judged struct {
	Result
	group   group
	owner   string
	untried int // entries
}

// Receive verifies a request to an address and keeps it. When it returns without
// an error, the notification is durable, and Status is what to answer. An
// errs.NotFound says that the entry was deleted meanwhile.
func (s *Service) Receive(ctx context.Context, a Address, in Incoming) (Notification, error) {
	req := Request{Header: in.Header, Body: in.Body, Received: s.now().UTC()}
	j, err := s.judge(ctx, a, req)
	if err != nil {
		return Notification{}, fmt.Errorf("verifying a notification for %s: %w", a.Path, err)
	}
	w := j.group.def.Webhooks
	n := Notification{Owner: j.owner, Address: a.Path, Received: req.Received, Status: http.StatusOK, From: in.From, Source: sourceOf(j.group.sources, in.From),
		Verdict: j.Verdict, Signature: j.Signature, Signer: j.Signer, Untried: j.untried, Method: in.Method, ContentType: mediaType(in.Header), Length: len(in.Body),
		Headers: Redact(w, in.Header)}
	if !n.Good() {
		n.Status = w.Refuse
	}
	f := Read(w, req)
	n.ProviderID, n.Topic, n.Account, n.Happened, n.FirstSent, n.Attempt = f.ID, f.Topic, f.Account, f.Happened, f.FirstSent, f.Attempt
	t := s.tests.find(in.Header, n.ProviderID)
	n.Test = t != nil
	n.Took = max(s.now().Sub(in.Began), 0)
	n, err = s.keep(ctx, n, in.Body)
	if err != nil {
		return n, fmt.Errorf("keeping a notification for %s: %w", n.Owner, err)
	}
	s.counts.add(n.Verdict)
	s.sources.judge(in.From, n, req.Received)
	t.arrive(n, in.Body)
	s.after(n, in.Header, max(s.now().Sub(in.Began), 0))
	return n, nil
}

// judge tries the secrets of each entry behind the address. The entry whose
// secret signed owns the notification; if none did, the only entry there is, or
// the address itself. It goes no further than maxWork.
func (s *Service) judge(ctx context.Context, a Address, req Request) (judged, error) {
	best := judged{Result: Result{Verdict: ""}, owner: a.Path}
	spent := 0
	for _, g := range a.groups {
		for i, e := range g.entries {
			if spent > maxWork {
				best.untried += len(g.entries) - i
				break
			}
			h, err := s.holding(ctx, e, g.def)
			if err != nil {
				return best, err
			}
			accepted := h.accepted(req.Received)
			spent += len(accepted) * (len(req.Body) + perHash)
			r := Verify(g.def.Webhooks, accepted, req)
			if nearer(r.Verdict, best.Verdict) {
				best.Result, best.group = r, g
			}
			if r.Signer != nil {
				best.owner = string(r.Signer.Entry)
			}
			if r.Verdict == OK {
				best.untried = 0
				return best, nil
			}
			if r.Verdict == Unsigned || r.Verdict == Malformed { // whatever the secret is
				break
			}
		}
	}
	if a.size() == 1 {
		best.owner = string(a.groups[0].entries[0].ID)
	}
	return best, nil
}

// nearer reports whether a verdict is nearer to OK than that of another entry. That one
// of them holds no secret says less than that another's does not fit.
func nearer(v, than Verdict) bool {
	order := map[Verdict]int{OK: 0, Stale: 1, Mismatch: 2, NoSecret: 3, Malformed: 4, Unsigned: 5, "": 6}
	return order[v] < order[than]
}

// slow is from when on it matters how long an answer took to the millisecond.
const slow = 250 * time.Millisecond

// after does what comes after the answer.
func (s *Service) after(n Notification, came http.Header, took time.Duration) {
	s.watchers.tick()
	if took >= slow {
		s.later.queue(func(ctx context.Context) {
			s.complain("noting how long a notification took", s.amend(ctx, n.ID, func(kept *Notification) { kept.Took = took }))
		})
	}
	if !n.Good() {
		s.later.queue(func(ctx context.Context) { s.complain("explaining a notification", s.explainKept(ctx, n, came)) })
	}
}

// mediaType is the Content-Type without its parameters, if it is one.
func mediaType(h http.Header) string {
	text := h.Get("Content-Type")
	if text == "application/json" {
		return text
	}
	kind, _, err := mime.ParseMediaType(text)
	if err != nil || len(kind) > 100 || !utf8.ValidString(kind) {
		return ""
	}
	return kind
}

// owned are the entry or entries whose secrets may explain a notification.
func (s *Service) owned(ctx context.Context, owner string) ([]group, error) {
	if !isEntry(owner) {
		a, ok, err := s.Route(ctx, owner)
		if err == nil && !ok {
			err = unrouted(config.ID("x:" + cmp.Or(owner, "y")))
		}
		return a.groups, err
	}
	g, e, err := s.group(ctx, config.ID(owner))
	g.entries = []config.Entry{e}
	return []group{g}, err
}
