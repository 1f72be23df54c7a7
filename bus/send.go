package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/topics"
)

// SendFunc is Client.Send, or Partition.Send.
type SendFunc = func(ctx context.Context, msgs ...Message) ([]topics.RecordRef, error)

// Send returns when every message is acknowledged by all in-sync replicas, with
// where each now lies, in the order of msgs. It returns an error when ctx has
// ended, or when a message can never be taken (see Permanent), once what happens
// to the others is known; the position of one that was not acknowledged has no
// topic. Messages of one partition keep their order, also over calls that follow
// each other. A message that was sent again after an answer was lost may be there
// twice, so records carry ids.
func (c *Client) Send(ctx context.Context, msgs ...Message) ([]topics.RecordRef, error) {
	return c.send(ctx, nil, msgs)
}

// send hands the messages to the outboxes of their partitions. may, where given,
// is asked just before each attempt whether they may still be sent.
func (c *Client) send(ctx context.Context, may func() error, msgs []Message) ([]topics.RecordRef, error) {
	refs := make([]topics.RecordRef, len(msgs))
	if len(msgs) == 0 {
		return refs, nil
	}
	all := make([]*parcel, len(msgs))
	for i, m := range msgs {
		partition, err := c.partitionOf(ctx, m)
		if err != nil {
			return refs, err
		}
		m.Partition = partition
		all[i] = newParcel(ctx, m, may)
	}
	if err := c.post(all); err != nil {
		return refs, err
	}
	var errs error
	for i, p := range all {
		select {
		case <-p.done:
		case <-ctx.Done():
			// What is on the wire may still arrive.
			if !p.finished() {
				return refs, fmt.Errorf("send to kafka topic %s: %w", p.msg.Topic, errors.Join(ctx.Err(), p.lastError()))
			}
		}
		if p.err == nil {
			refs[i] = topics.RecordRef{Topic: p.msg.Topic, Partition: p.msg.Partition, Offset: p.offset}
		} else if errs == nil || permanent(p.err) && !permanent(errs) {
			errs = p.err
		}
	}
	return refs, errs
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

func partitionOfKey(key []byte, n int) int {
	if key == nil {
		key = []byte{} // kafka-go would take any
	}
	return kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: key}, upTo(n)...)
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
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
