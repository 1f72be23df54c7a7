package console

import "sync"

// shares bounds how much of something that is scarce one user has at a time, so that none
// keeps it from the others.
type shares struct {
	most int
	mu   sync.Mutex
	of   map[string]int
}

func newShares(most int) *shares { return &shares{most: most, of: map[string]int{}} }

// take gives a user one more, if they may have it; done gives it back.
func (s *shares) take(user string) (done func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[user] >= s.most {
		return nil, false
	}
	s.of[user]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.of[user]--; s.of[user] == 0 {
			delete(s.of, user)
		}
	}, true
}
