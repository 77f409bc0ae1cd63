package backup

import (
	"context"
	"time"

	"backoffice/internal/audit"
)

// retryAfter is how long a schedule waits at most before it tries again.
const retryAfter = 15 * time.Minute

func (s *Service) scheduled() bool { return s.o.Dir != "" && s.o.Every > 0 }

// next is when the schedule makes a backup after the last good one. A clock that was
// set back does not put it off: what is in the future was made when this program
// started, at the latest. s.mu is held.
func (s *Service) next(good Run, now time.Time) time.Time {
	last := good.Time
	if last.After(now) {
		last = s.began
		if last.After(now) {
			last = now.Add(-s.o.Every)
		}
	}
	next := last.Add(s.o.Every)
	if last.IsZero() {
		next = s.began
	}
	if retry := s.failed.Add(min(s.o.Every, retryAfter)); !s.failed.IsZero() && !s.failed.After(now) && retry.After(next) {
		next = retry
	}
	return next
}

// Due makes a backup if the schedule says so, and reports whether it tried.
func (s *Service) Due(ctx context.Context) (tried bool, err error) {
	if !s.scheduled() {
		return false, nil
	}
	st, err := s.State(ctx)
	if err != nil || s.o.Now().Before(st.Next) {
		return false, err
	}
	_, err = s.Save(ctx, audit.Actor{}, Scheduled)
	return true, err
}

// Run keeps the schedule until ctx ends. It tells report of what fails.
func (s *Service) Run(ctx context.Context, every time.Duration, report func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if _, err := s.Due(ctx); err != nil && ctx.Err() == nil {
			report(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
