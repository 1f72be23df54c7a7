package archive

import (
	"context"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// lookBack is how many offsets before a range are read for the newest generation
// there: otherwise a record of a worker that had lost its partition could not be
// recognised at the beginning of the range. It is small for clips, which are large.
func lookBack(t topics.Topic) int64 {
	if t == topics.Clips {
		return 4
	}
	return 64
}

// replay calls fn for the records in [from, to) of a topic, each with whether it
// is of an older generation than one before it: no reader uses such a record.
func replay(ctx context.Context, log Log, t topics.Topic, name string, partition int, from, to int64, fn func(m bus.Message, stale bool) error) error {
	var g bus.Generations
	return log.Replay(ctx, name, partition, max(0, from-lookBack(t)), to, func(m bus.Message) error {
		stale := g.Stale(m)
		if m.Offset < from {
			return nil
		}
		return fn(m, stale)
	})
}
