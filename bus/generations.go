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

// Generations recognises records that a worker sent after it had lost its partition
// without knowing. No check before sending can exclude that, since a worker may be
// suspended between the check and the sending. Generations never fall, also if the
// coordinator has forgotten the group (see Partition.Generation). It is for records
// of one group, in the order of their partitions. Safe for concurrent use; the zero
// value is ready.
type Generations struct {
	mu     sync.Mutex
	newest map[place]int
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
	if n < g.newest[at] {
		return true
	}
	if g.newest == nil {
		g.newest = map[place]int{}
	}
	g.newest[at] = n
	return false
}
