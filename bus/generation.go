package bus

import (
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Generations tells the records that a worker sent for a partition after it had
// lost it, without knowing: those of an older generation than one before them.
// Give it the records of one partition in their order.
//
// Generations begin anew where a group was deleted or its broker's data lost, so
// that records from before that may say more than those that count now. Ones
// beyond Held say nothing, and a record that comes an hour after a newer
// generation is believed.
type Generations struct {
	Held   int // the newest generation there can be: the reader's own; 0: not known
	newest int
	at     time.Time
}

// woken is after how long a worker that was suspended is not taken for one that
// still believes in its generation.
const woken = time.Hour

// Stale is whether the record is such a one. One without a generation is not.
func (g *Generations) Stale(m Message) bool {
	n, err := strconv.Atoi(HeaderCarrier{Headers: &m.Headers}.Get(topics.HeaderGeneration))
	if err != nil || g.Held > 0 && n > g.Held {
		return false
	}
	if n < g.newest && m.Time.Sub(g.at) < woken {
		return true
	}
	g.newest, g.at = n, m.Time
	return false
}
