package archive

import (
	"context"
	"fmt"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Import writes recognitions as the stage would write them, had Kafka held them in
// one partition from an offset on: for archives that are made and not recorded. Of
// each record its value and its time count, and times must not go back. The same
// records give the same files. It returns the offset after the last record.
func (b *Bucket) Import(ctx context.Context, partition int, from int64, records []Record[topics.Recognition]) (next int64, err error) {
	code := actionsCodec()
	for len(records) > 0 {
		c, n := cut{from: from}, 0
		for n < len(records) && c.takes(bus.Message{Offset: from + int64(n), Time: records[n].Time}) {
			if err := importable(records[n]); err != nil {
				return from, err
			}
			records[n].At = topics.RecordRef{Topic: string(topics.Actions), Partition: partition, Offset: from + int64(n)}
			n++
		}
		name := Name{Topic: topics.Actions, Partition: partition, Hour: c.hour, From: from, To: from + int64(n)}
		content, _, err := code.encode(name, records[:n], 0)
		if err != nil {
			return from, fmt.Errorf("encode %s: %w", name.Key(), err)
		}
		if err := b.put(ctx, name.Key(), content); err != nil {
			return from, err
		}
		from, records = name.To, records[n:]
	}
	return from, nil
}

func importable(r Record[topics.Recognition]) error {
	err := r.Value.Validate()
	if err == nil && (!nanoseconds(r.Time) || !nanoseconds(r.Value.Start) || !nanoseconds(r.Value.End)) {
		err = fmt.Errorf("its times %v, %v and %v are out of range", r.Time, r.Value.Start, r.Value.End)
	}
	if err != nil {
		return fmt.Errorf("import recognition %.80q: %w", r.Value.ClipID, err)
	}
	return nil
}
