package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/internal/passwords"
)

const (
	// addressEvery and addressBurst bound the logins that are tried from an address or,
	// of IPv6, a network; nameEvery and nameBurst those of a name.
	addressEvery, addressBurst = 3 * time.Second, 20
	nameEvery, nameBurst       = 10 * time.Second, 10
	// hashesAtOnce bounds the passwords that are checked at a time, of up to 64 MiB each,
	// waitingAtOnce those that wait for it, and hashTime for how long.
	hashesAtOnce, waitingAtOnce = 2, 32
	hashTime                    = 10 * time.Second
)

// Gate knows who may use a console, and who has logged in. Safe for concurrent use.
type Gate struct {
	now              func() time.Time
	byAddress, names *limits
	seed             maphash.Seed
	turn, waiting    chan struct{}

	mu       sync.Mutex
	users    *Users
	changed  chan struct{} // closed when users are others
	sessions sessions
	known    *pairs
}

// NewGate lets in whoever is on this machine, until Set. now is the clock; nil: time.Now.
func NewGate(now func() time.Time) *Gate {
	if now == nil {
		now = time.Now
	}
	return &Gate{
		now: now, byAddress: newLimits(addressEvery, addressBurst), names: newLimits(nameEvery, nameBurst), seed: maphash.MakeSeed(),
		turn: make(chan struct{}, hashesAtOnce), waiting: make(chan struct{}, waitingAtOnce),
		changed: make(chan struct{}), sessions: sessions{}, known: newPairs(),
	}
}

// Set puts users in force. Sessions of those who are gone, who may do something else or
// whose password is another end.
func (g *Gate) Set(users *Users) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users.Same(users) {
		return
	}
	g.sessions.endIf(func(s *session) bool { return !g.users.stays(s.Name, users) })
	g.users = users
	close(g.changed)
	g.changed = make(chan struct{})
}

// Protected is whether people and programs must show who they are.
func (g *Gate) Protected() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.users != nil
}

// Pass is leave to do one request. Over is closed when it ends, and so must the request.
type Pass struct {
	Who   Who
	Over  <-chan struct{}
	Until time.Time // zero: no bound
	done  func()
}

// Done is called at the end of the request.
func (p Pass) Done() {
	if p.done != nil {
		p.done()
	}
}

// Local is leave for whoever is on this machine, where no users are configured.
func (g *Gate) Local(w Who) (Pass, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Pass{Who: w, Over: g.changed}, g.users == nil
}

// Token is leave for a program. It ends with any change of users, since programs ask again.
func (g *Gate) Token(token string) (Pass, bool) {
	sum := sha256.Sum256([]byte(token))
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users == nil {
		return Pass{}, false
	}
	w, known := g.users.tokens[sum] // of a hash, so that its time tells nothing of a token
	return Pass{Who: w, Over: g.changed}, known
}

// Session is leave for who has logged in.
func (g *Gate) Session(id string) (Pass, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, known := g.sessions.find(id, g.now())
	if !known || g.users == nil {
		return Pass{}, false
	}
	s.using++
	return Pass{Who: s.Who, Over: s.over, Until: s.begun.Add(SessionAge), done: func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		s.using--
		s.used = g.now()
	}}, true
}

// Logout ends a session.
func (g *Gate) Logout(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sessions.end(sumOf(id))
}

// ErrWrong is returned for a wrong name or password, whichever.
var ErrWrong = errors.New("wrong name or password")

// LimitError is returned for a login that comes too soon.
type LimitError struct{ Wait time.Duration }

func (e LimitError) Error() string {
	return fmt.Sprintf("too many logins were tried: try again in %v", e.Wait.Round(time.Second)+time.Second)
}

// Login begins a session and returns its id, which alone leads to it. An unknown name
// costs as much as a wrong password.
func (g *Gate) Login(ctx context.Context, name, password, address string) (id string, w Who, err error) {
	address = network(address)
	if err := g.mayTry(name, address); err != nil {
		return "", w, err
	}
	if len(password) > passwords.Longest {
		return "", w, ErrWrong
	}
	g.mu.Lock()
	users := g.users
	g.mu.Unlock()
	u, known, err := g.check(ctx, users, name, password)
	if err != nil || !known {
		return "", w, errors.Join(err, wrongIf(err == nil))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !users.stays(name, g.users) { // edited meanwhile
		return "", w, ErrWrong
	}
	g.known.add(name, address)
	id = rand.Text()
	g.sessions.begin(id, u.Who, g.now())
	return id, u.Who, nil
}

func wrongIf(wrong bool) error {
	if wrong {
		return ErrWrong
	}
	return nil
}

// mayTry is nil where a login may be tried. From where somebody has logged in before they
// have a limit of their own, so that others who guess can't keep them out.
func (g *Gate) mayTry(name, address string) error {
	now := g.now()
	if wait := g.byAddress.take(address, now); wait > 0 {
		return LimitError{wait}
	}
	key := name
	g.mu.Lock()
	if g.known.has(name, address) {
		key = name + "\x00" + address
	}
	g.mu.Unlock()
	if wait := g.names.take(key, now); wait > 0 {
		return LimitError{wait}
	}
	return nil
}

// check computes one hash, whether or not there is a user of that name.
func (g *Gate) check(ctx context.Context, users *Users, name, password string) (u user, right bool, err error) {
	select {
	case g.waiting <- struct{}{}:
		defer func() { <-g.waiting }()
	default:
		return u, false, LimitError{hashTime}
	}
	ctx, cancel := context.WithTimeout(ctx, hashTime)
	defer cancel()
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return u, false, LimitError{hashTime}
	}
	if users == nil {
		return u, false, ErrWrong
	}
	u, known := g.find(users, name)
	return u, u.hash.Is(password) && known, nil
}

// find is a user. An unknown one has a hash at a cost that some user's has, always the same
// for a name, so that neither the time of an answer says that there is no such user.
func (g *Gate) find(users *Users, name string) (u user, known bool) {
	if u, known = users.byName[name]; !known {
		u.hash = passwords.Never(users.costs[maphash.String(g.seed, name)%uint64(len(users.costs))])
	}
	return u, known
}
