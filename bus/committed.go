package bus

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// CommittedOffsets are the next offsets that a group reads of a topic, by
// partition. Partitions without a committed offset are left out.
func (c *Client) CommittedOffsets(ctx context.Context, group, topic string) (map[int]int64, error) {
	n, err := c.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	found := map[int]int64{}
	err = c.retry(ctx, "look up committed offsets", func() error {
		resp, err := c.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: all}})
		if err == nil {
			err = resp.Error
		}
		if err != nil {
			return c.inWords(fmt.Sprintf("look up what group %s committed of %s", group, topic), "", err)
		}
		for _, p := range resp.Topics[topic] {
			if p.Error != nil {
				return c.inWords(fmt.Sprintf("look up what group %s committed of %s/%d", group, topic, p.Partition), "", p.Error)
			}
			if p.CommittedOffset >= 0 {
				found[p.Partition] = p.CommittedOffset
			}
		}
		return nil
	})
	return found, err
}

// Behind is how many records of a topic a group has not committed, in the partitions of
// which it has committed anything.
func (c *Client) Behind(ctx context.Context, group, topic string) (records int64, err error) {
	committed, err := c.CommittedOffsets(ctx, group, topic)
	for partition, next := range committed {
		first, end, err := c.Bounds(ctx, topic, partition)
		if err != nil {
			return 0, err
		}
		records += max(end-max(next, first), 0)
	}
	return records, err
}
