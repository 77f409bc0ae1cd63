package sandbox

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"time"
)

// deliver sends one notification by the documented rules: an answer counts if
// it comes within five seconds; a failure is followed by one retry; 410 switches
// the subscription off; 429 slows it down.
func (s *sender) deliver(ctx context.Context, now func() time.Time, m notification) {
	defer s.done()
	var waited time.Duration
	for attempt := 1; s.pause(ctx); {
		sent := Sent{Time: now().UTC(), Topic: m.topic(), ID: m.id, Attempt: attempt}
		sent.Status, sent.Took = s.post(ctx, m, attempt)
		switch {
		case ctx.Err() != nil:
			return
		case sent.Status >= 200 && sent.Status <= 299:
			s.calm()
			sent.Note = "Accepted."
		case sent.Status == http.StatusGone:
			s.disable()
			sent.Note = "410 switches the subscription off: nothing more is sent until the address is set again."
		case sent.Status == http.StatusTooManyRequests:
			if waited += s.slow(m.Retry); waited <= maxThrottle*m.Retry {
				sent.Note = "429 slows the subscription down: it is sent later."
				s.note(ctx, sent)
				continue
			}
			sent.Note = "429 for too long: given up."
		case attempt == 1:
			sent.Note = failureWords(sent.Status) + " One retry follows after " + m.Retry.String() + "."
			s.note(ctx, sent)
			attempt++
			if wait(ctx, m.Retry) {
				continue
			}
			return
		default:
			sent.Note = failureWords(sent.Status) + " The retry is the last attempt: given up."
		}
		s.note(ctx, sent)
		return
	}
}

func failureWords(status int) string {
	if status == 0 {
		return "No answer within five seconds, or no connection."
	}
	return "Refused."
}

// wait reports false if ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pause waits while the subscription is slowed down. It reports false if it is
// switched off, or ctx ended.
func (s *sender) pause(ctx context.Context) bool {
	for {
		s.mu.Lock()
		left, disabled := time.Until(s.resumes), s.disabled
		s.mu.Unlock()
		if disabled || ctx.Err() != nil {
			return false
		}
		if left <= 0 {
			return true
		}
		if !wait(ctx, left) {
			return false
		}
	}
}

// slow doubles the wait that a 429 brings, from one retry's to 120 of them, and
// returns it. What else was under way then does not double it again.
func (s *sender) slow(unit time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.resumes) {
		return s.throttle
	}
	s.throttle = min(max(2*s.throttle, unit), maxThrottle*unit)
	s.resumes = time.Now().Add(s.throttle)
	return s.throttle
}

func (s *sender) calm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.throttle = 0
}

func (s *sender) disable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disabled = true
}

// note keeps an attempt, unless it was of before a reset.
func (s *sender) note(ctx context.Context, sent Sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	if len(s.log) >= maxSent {
		s.log = slices.Delete(s.log, 0, len(s.log)-maxSent+1)
	}
	s.log = append(s.log, sent)
}

func (s *sender) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underWay--; s.underWay == 0 {
		close(s.settled)
	}
}

// post sends one attempt and returns the status, or 0 if there was no answer.
func (s *sender) post(ctx context.Context, m notification, attempt int) (int, time.Duration) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return 0, 0
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
	body, headers := m.request(attempt)
	status, err := s.call(ctx, http.MethodPost, s.at(), body, headers)
	if err != nil {
		status = 0
	}
	return status, time.Since(began)
}

func (s *sender) at() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// head asks an address as Intercom does when one is set.
func (s *sender) head(ctx context.Context, address string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
	return s.call(ctx, http.MethodHead, address, nil, http.Header{"User-Agent": {userAgent}})
}

func (s *sender) call(ctx context.Context, method, address string, body []byte, headers http.Header) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header = headers
	res, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxForm))
	return res.StatusCode, err
}
