package console

import (
	"context"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// eachUser bounds what one user has read of the past at a time by each kind of page, waiting
// included: a browser asks for six things at once.
const eachUser = 8

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

// share is take for who makes a request. Without users there is nobody to keep it for.
func (c *Console) share(ctx context.Context, s *shares) (done func(), err error) {
	if !c.gate.Protected() {
		return func() {}, nil
	}
	done, ok := s.take(c.whoOf(ctx).Name)
	if !ok {
		return nil, huma.Error429TooManyRequests("you ask for too much at once: try again soon")
	}
	return done, nil
}
