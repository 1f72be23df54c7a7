package bus

import (
	"strconv"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// clock estimates the broker's clock from the times at which it says that it
// appended our records, so that ages do not depend on two machines' clocks.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration // the broker's clock minus ours
	trip  time.Duration // duration of the call that the estimate is from: the shorter, the more exact
	at    time.Time     // zero: nothing is known
}

// trusted is how long an estimate is kept even if newer ones come from longer
// calls.
const trusted = time.Minute

// note adds a measurement: a record was sent and acknowledged at these times of our
// clock, and appended at that time of the broker's. The latter is zero if the topic
// keeps producers' times.
func (c *clock) note(sent, acknowledged, appended time.Time) {
	if appended.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	trip := acknowledged.Sub(sent)
	if c.at.IsZero() || trip <= c.trip || acknowledged.Sub(c.at) > trusted {
		c.ahead, c.trip, c.at = appended.Sub(sent.Add(trip/2)), trip, acknowledged
	}
}

// now is the broker's time, or ours while nothing is known.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// Age is the age of what a record describes: the broker's current time minus
// the record's time, plus the time for which the record waited in its sender.
func (c *Client) Age(m Message) time.Duration {
	age := c.clock.now().Sub(m.Time)
	if ms, err := strconv.ParseInt((HeaderCarrier{Headers: &m.Headers}).Get(topics.HeaderQueued), 10, 64); err == nil && ms > 0 && ms < (24*time.Hour).Milliseconds() {
		age += time.Duration(ms) * time.Millisecond
	}
	return age
}
