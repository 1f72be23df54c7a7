package bus

import (
	"strconv"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// clock estimates the broker's clock from the times at which it says that it
// appended our records, so that ages do not depend on two machines' clocks. Between
// two estimates it goes by the time that has passed, which does not jump when
// somebody sets this machine's clock.
type clock struct {
	mu     sync.Mutex
	read   func() reading // nil: this machine's clocks
	begun  time.Time
	broker time.Time     // by the broker's clock, at at
	trip   time.Duration // duration of the call that the estimate is from: the shorter, the more exact
	at     reading
	known  bool
}

// reading is a look at this machine's clocks.
type reading struct {
	wall   time.Time
	passed time.Duration // since some moment
}

const (
	// trusted is how long an estimate is kept even if newer ones come from longer
	// calls.
	trusted = time.Minute
	// drift is what clocks may be apart without one having been set.
	drift = time.Second
)

// look needs the lock.
func (c *clock) look() reading {
	if c.read != nil {
		return c.read()
	}
	if c.begun.IsZero() {
		c.begun = time.Now()
	}
	now := time.Now()
	return reading{now.Round(0), now.Sub(c.begun)}
}

// note adds a measurement: a call that took so long has just ended, and in it the
// broker has appended a record at this time of its clock; the zero time if the topic
// keeps producers' times.
func (c *clock) note(trip time.Duration, appended time.Time) {
	if appended.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now, broker := c.look(), appended.Round(0).Add(trip/2)
	passed := now.passed - c.at.passed
	// Further off than both calls explain, one of the clocks was set.
	wasSet := broker.Sub(c.broker.Add(passed)).Abs() > (trip+c.trip)/2+drift
	if !c.known || trip <= c.trip || passed > trusted || wasSet {
		c.broker, c.trip, c.at, c.known = broker, trip, now, true
	}
}

// now is the broker's time, or ours while nothing is known.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.look()
	if !c.known {
		return now.wall
	}
	return c.broker.Add(now.passed - c.at.passed)
}

// age is how old something is by the broker's clock. Where ours was set since the
// estimate, the broker's may have been as well, if both are on one machine, and the
// next acknowledgement will say so. Until then the age nearer to none counts: nothing
// is given up for its age that may be new.
func (c *clock) age(at time.Time) time.Duration {
	age := c.now().Sub(at)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.look()
	if !c.known {
		return age
	}
	set := now.wall.Sub(c.at.wall) - (now.passed - c.at.passed)
	if set.Abs() > drift && (age+set).Abs() < age.Abs() {
		return age + set
	}
	return age
}

// Now is the time by the broker's clock, as the times of records are.
func (c *Client) Now() time.Time { return c.clock.now() }

// Age is the age of what a record describes: the broker's current time minus
// the record's time, plus the time for which the record waited in its sender.
func (c *Client) Age(m Message) time.Duration {
	age := c.clock.age(m.Time)
	if ms, err := strconv.ParseInt((HeaderCarrier{Headers: &m.Headers}).Get(topics.HeaderQueued), 10, 64); err == nil && ms > 0 && ms < (24*time.Hour).Milliseconds() {
		age += time.Duration(ms) * time.Millisecond
	}
	return age
}
