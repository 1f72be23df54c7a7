package bus

import (
	"sync"
	"time"
)

const (
	// silentTime is how long the coordinator may give no answer before other
	// members' sessions may have run out: a session, less the heartbeat that was
	// due when the silence began and the one that is due when it ends.
	silentTime = sessionTime - 2*beatEvery
	// absentTime is how long partitions are kept for holders that may come back
	// after such a silence. It is what the coordinator would have given them to
	// rejoin if it still knew them: a heartbeat to learn of it, Grace for records in
	// flight, and the pauses between attempts.
	absentTime = rebalanceTime
)

// contact notes when a group's coordinator answers a member. A coordinator that
// was silent for longer than a session (frozen, restarted, cut off) forgets all
// members, and they come back one by one: the first must not be given what the
// others still hold. If a member dies while the coordinator answers the others,
// nobody needs to wait for it. Safe for concurrent use.
type contact struct {
	mu    sync.Mutex
	heard time.Time // when the coordinator last answered; zero: never
	until time.Time // the silence counts until then; zero: there was none
}

// answered notes an answer that the coordinator was allowed to hold back for some
// time.
func (c *contact) answered(now time.Time, allowed time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.heard.IsZero() && now.Sub(c.heard) > silentTime+allowed {
		c.until = now.Add(absentTime)
	}
	c.heard = now
}

// forgotten notes that the coordinator does not know the member any more.
func (c *contact) forgotten(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = now.Add(absentTime)
}

// complete notes that all partitions have a holder: nobody is missed.
func (c *contact) complete() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = time.Time{}
}

// silence is for how much longer others may be missing because the coordinator
// was silent; 0: nobody is waited for.
func (c *contact) silence(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.heard.IsZero() && now.Sub(c.heard) > silentTime { // it is silent still
		return absentTime
	}
	return max(c.until.Sub(now), 0)
}
