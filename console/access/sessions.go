package access

import (
	"crypto/sha256"
	"time"
)

const (
	// sessionIdle is after how long without a request a session ends.
	sessionIdle = 24 * time.Hour
	// userSessions bounds the sessions of a user: the one that was not used for longest
	// makes room.
	userSessions = 50
)

// SessionAge is after how long a session ends in any case: a wall is looked at for weeks.
const SessionAge = 30 * 24 * time.Hour

// sum is the hash of a session's id. The id itself is with the browser alone.
type sum [sha256.Size]byte

func sumOf(id string) sum { return sha256.Sum256([]byte(id)) }

type session struct {
	Who
	begun, used time.Time
	using       int // requests that run
	over        chan struct{}
}

func (s *session) ended(now time.Time) bool {
	return now.Sub(s.begun) >= SessionAge || s.using == 0 && now.Sub(s.used) >= sessionIdle
}

// sessions are those that have begun.
type sessions map[sum]*session

// begin adds a session, and ends those that are over.
func (all sessions) begin(id string, w Who, now time.Time) {
	all.endIf(func(s *session) bool { return s.ended(now) })
	var last sum
	n := 0
	for key, s := range all {
		if s.Name != w.Name {
			continue
		}
		if n == 0 || s.used.Before(all[last].used) {
			last = key
		}
		n++
	}
	if n >= userSessions {
		all.end(last)
	}
	all[sumOf(id)] = &session{Who: w, begun: now, used: now, over: make(chan struct{})}
}

// find is a session that is not over.
func (all sessions) find(id string, now time.Time) (*session, bool) {
	key := sumOf(id)
	s, known := all[key]
	if known && s.ended(now) {
		all.end(key)
		known = false
	}
	return s, known
}

func (all sessions) end(key sum) {
	if s, known := all[key]; known {
		delete(all, key)
		close(s.over)
	}
}

func (all sessions) endIf(over func(*session) bool) {
	for key, s := range all {
		if over(s) {
			all.end(key)
		}
	}
}

// pairs are the names and addresses that have logged in of late.
type pairs struct {
	all  map[[2]string]struct{}
	ring [1024][2]string
	next int
}

func newPairs() *pairs { return &pairs{all: map[[2]string]struct{}{}} }

func (p *pairs) has(name, address string) bool {
	_, known := p.all[[2]string{name, address}]
	return known
}

func (p *pairs) add(name, address string) {
	if p.has(name, address) {
		return
	}
	delete(p.all, p.ring[p.next])
	p.ring[p.next] = [2]string{name, address}
	p.all[p.ring[p.next]] = struct{}{}
	p.next = (p.next + 1) % len(p.ring)
}
