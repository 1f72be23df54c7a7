package bus

import (
	"context"
	"slices"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/topics"
)

// SendFunc is Client.Send, or Partition.Send.
type SendFunc = func(ctx context.Context, msgs ...Message) ([]topics.RecordRef, error)

// SendError is returned by a Send if not all messages were acknowledged.
type SendError struct {
	Each []error // in the order of the messages; nil: acknowledged
}

// Error is that of the first message that can never be sent, or else of the first
// that was not sent.
func (e *SendError) Error() string {
	var first error
	for _, err := range e.Each {
		if err != nil && (first == nil || permanent(err) && !permanent(first)) {
			first = err
		}
	}
	return first.Error()
}

// Unwrap returns all errors.
func (e *SendError) Unwrap() []error {
	return slices.DeleteFunc(slices.Clone(e.Each), func(err error) bool { return err == nil })
}

// Send returns when every message is acknowledged by all in-sync replicas, with the
// position of each, in the order of msgs. It returns a *SendError when ctx has ended,
// or when Kafka refuses a message for good (see Permanent) and the fate of the others
// is known; the position of a message that was not acknowledged has no topic.
// Messages of one partition keep their order, also over successive calls. A message
// that was sent again because an answer was lost may be duplicated, so records have
// ids.
func (c *Client) Send(ctx context.Context, msgs ...Message) ([]topics.RecordRef, error) {
	refs, each := c.send(ctx, nil, msgs)
	return refs, joinEach(each)
}

func joinEach(each []error) error {
	if slices.ContainsFunc(each, func(err error) bool { return err != nil }) {
		return &SendError{each}
	}
	return nil
}

// permit is how a lease controls sending: may is called just before each attempt and
// returns an error if the messages must not be sent, and leave is called with how
// many are not in flight any more. nil: anything may be sent.
type permit struct {
	may   func() error
	leave func(n int)
}

// send hands the messages to the outboxes of their partitions, and waits.
func (c *Client) send(ctx context.Context, by *permit, msgs []Message) ([]topics.RecordRef, []error) {
	refs, each := make([]topics.RecordRef, len(msgs)), make([]error, len(msgs))
	all, err := c.parcels(ctx, by, msgs)
	if err == nil {
		err = c.post(all)
	}
	if err != nil {
		if by != nil {
			by.leave(len(msgs))
		}
		for i := range each {
			each[i] = err
		}
		return refs, each
	}
	for i, p := range all {
		select {
		case <-p.done:
		case <-ctx.Done():
		}
		if !p.finished() { // what is in flight may still arrive
			each[i] = p.unsent(ctx.Err())
		} else if each[i] = p.err; p.err == nil {
			refs[i] = topics.RecordRef{Topic: p.msg.Topic, Partition: p.msg.Partition, Offset: p.offset}
		}
	}
	return refs, each
}

func (c *Client) parcels(ctx context.Context, by *permit, msgs []Message) ([]*parcel, error) {
	all := make([]*parcel, len(msgs))
	for i, m := range msgs {
		partition, err := c.partitionOf(ctx, m)
		if err != nil {
			return nil, err
		}
		m.Partition = partition
		all[i] = newParcel(ctx, m, by)
	}
	return all, nil
}

// partitionOf is the partition that a message goes to: by PartitionBy, or else by its
// key. Messages with neither go to the partitions in turn.
func (c *Client) partitionOf(ctx context.Context, m Message) (int, error) {
	by := m.PartitionBy
	if by == nil {
		by = m.Key
	}
	if by != nil {
		return c.PartitionOf(ctx, m.Topic, by)
	}
	n, err := c.partitions(ctx, m.Topic)
	if err != nil {
		return 0, err
	}
	return int(c.spread.Add(1) % uint64(n)), nil
}

// PartitionOf returns the partition that records of the key go to, as Kafka's Java
// client chooses it by default, so that other producers send a camera's records to
// the same partition as ours. It waits for a topic that does not exist yet.
func (c *Client) PartitionOf(ctx context.Context, topic string, key []byte) (int, error) {
	n, err := c.partitions(ctx, topic)
	if err != nil {
		return 0, err
	}
	return partitionOfKey(key, n), nil
}

// partitions returns how many the topic has; it waits while the broker is away.
func (c *Client) partitions(ctx context.Context, topic string) (n int, err error) {
	err = c.retry(ctx, "look up topic", func() (err error) { n, err = c.Partitions(ctx, topic); return err })
	return n, err
}

func toHeaders(hs []Header) []kafka.Header {
	out := make([]kafka.Header, len(hs))
	for i, h := range hs {
		out[i] = kafka.Header{Key: h.Key, Value: h.Value}
	}
	return out
}
