package bus

import (
	"context"
	"slices"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/topics"
)

// SendFunc is Client.Send, or Partition.Send.
type SendFunc = func(ctx context.Context, msgs ...Message) ([]topics.RecordRef, error)

// SendError is that of a Send of which not all was acknowledged.
type SendError struct {
	Each []error // as the messages; nil: acknowledged
}

// Error names the one that decides: that of a message that can never be sent, if
// there is any.
func (e *SendError) Error() string {
	var first error
	for _, err := range e.Each {
		if err != nil && (first == nil || permanent(err) && !permanent(first)) {
			first = err
		}
	}
	return first.Error()
}

// Unwrap gives all of them.
func (e *SendError) Unwrap() []error {
	return slices.DeleteFunc(slices.Clone(e.Each), func(err error) bool { return err == nil })
}

// Send returns when every message is acknowledged by all in-sync replicas, with
// where each now lies, in the order of msgs. It returns a *SendError when ctx has
// ended, or when a message can never be taken (see Permanent), once what happens
// to the others is known; the position of one that was not acknowledged has no
// topic. Messages of one partition keep their order, also over calls that follow
// each other. A message that was sent again after an answer was lost may be there
// twice, so records carry ids.
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

// permit is that of a lease: may is asked just before each attempt whether the
// messages may be sent, and leave is called with how many are not in flight any
// more. nil: anything may be sent.
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
		if !p.finished() { // what is on the wire may still arrive
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

// partitionOf is where a message goes: by PartitionBy, else by its key; one with
// neither goes to any.
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

// PartitionOf is the partition to which records of the key go: that of the Java
// client's default partitioner, so that producers which are not ours put a
// camera's records where ours do. It waits for a topic that is not there yet.
func (c *Client) PartitionOf(ctx context.Context, topic string, key []byte) (int, error) {
	n, err := c.partitions(ctx, topic)
	if err != nil {
		return 0, err
	}
	return partitionOfKey(key, n), nil
}

// partitions is how many the topic has, however long the broker is away.
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
