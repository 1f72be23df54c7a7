package bus

import (
	"strconv"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// maxAhead is how far a generation may be ahead of the broker's clock: ours are the
// seconds since 1970 at which a group began, and one more for each rebalance.
const maxAhead = 5 * time.Minute

// GenerationOf returns the generation under which a record was sent. false: it has
// none, or one that is not possible at the record's time, which anyone may write.
func GenerationOf(m Message) (int, bool) {
	n, err := strconv.Atoi((HeaderCarrier{Headers: &m.Headers}).Get(topics.HeaderGeneration))
	return n, err == nil && int64(n) <= m.Time.Add(maxAhead).Unix()
}

// goesOnFor is how long a sender goes on under a generation that seemed overtaken until the
// newer one is taken for a forgery. A worker that was suspended sends what it had in flight
// when it wakes up, and then asks for its lease first, so it goes on for no time at all.
const goesOnFor = 10 * time.Second

// Generations recognises records that a worker sent after it had lost its partition
// without knowing. No check before sending can exclude that, since a worker may be
// suspended between the check and the sending. Generations never fall, also if the
// coordinator has forgotten the group (see Partition.Generation). It is for records
// of one group, in the order of their partitions. Safe for concurrent use; the zero
// value is ready.
//
// Whoever may write to a topic can forge a newer generation there. The genuine sender's
// records count again once it has gone on for goesOnFor.
type Generations struct {
	// Forged is called when a generation turns out to be forged, by a record of the genuine
	// one; nil: nobody is told.
	Forged func(generation int, by Message)

	mu sync.Mutex
	at map[place]*generation
}

// generation is what is known of a partition.
type generation struct {
	newest, forged int
	below          int       // the newest of those that seem overtaken; 0: none
	since          time.Time // when it was first seen since
}

// Stale is whether a record of a newer generation was seen before in the record's
// partition; the record is to be discarded then. One without a generation never is
// stale.
func (g *Generations) Stale(m Message) bool {
	n, ok := GenerationOf(m)
	if !ok {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	at := place{m.Topic, m.Partition}
	if g.at[at] == nil {
		if g.at == nil {
			g.at = map[place]*generation{}
		}
		g.at[at] = &generation{}
	}
	stale, forged := g.at[at].stale(n, m.Time)
	if forged && g.Forged != nil {
		g.Forged(g.at[at].forged, m)
	}
	return stale
}

// stale also returns whether the newest generation turned out to be forged.
func (g *generation) stale(n int, at time.Time) (stale, forged bool) {
	switch {
	case n == g.forged:
		return false, false // as one without
	case n > g.newest:
		g.newest, g.below = n, 0
		return false, false
	case n == g.newest:
		return false, false
	case n > g.below:
		g.below, g.since = n, at
	case n == g.below && at.Sub(g.since) > goesOnFor:
		g.newest, g.forged, g.below = n, g.newest, 0
		return false, true
	}
	return true, false
}
