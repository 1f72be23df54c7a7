// Package archive keeps recognitions and alerts: a stage writes Kafka's records as
// Parquet segments into a bucket, and a reader returns those of a range of time and
// cameras, from segments first, then from Kafka what no segment holds yet. Clips are
// not archived: they are read from Kafka alone.
package archive

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Log is what the archive needs of Kafka; *bus.Client has it.
type Log interface {
	Partitions(ctx context.Context, topic string) (int, error)
	// Bounds are the first offset kept and the one that the next record gets.
	Bounds(ctx context.Context, topic string, partition int) (first, next int64, err error)
	// OffsetAt is the offset of the first record not older than t, or the
	// partition's end where there is none.
	OffsetAt(ctx context.Context, topic string, partition int, t time.Time) (int64, error)
	// Replay calls fn for the records with offsets in [from, to), in order.
	Replay(ctx context.Context, topic string, partition int, from, to int64, fn func(bus.Message) error) error
	FetchOne(ctx context.Context, topic string, partition int, offset int64) (bus.Message, error)
}

// kinds are the topics that are archived.
func kinds() []topics.Topic { return []topics.Topic{topics.Actions, topics.Alerts} }
