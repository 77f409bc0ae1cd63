package webhook

// Expecting reports whether one with this provider's id is being kept.
func (s *Service) Expecting(owner, providerID string) bool {
	s.logs.mu.Lock()
	l := s.logs.of[owner]
	s.logs.mu.Unlock()
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.first[codeOf(providerID)]
	return f != nil && f.mark.pending
}
