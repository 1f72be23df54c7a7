package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// Send returns when every message is acknowledged by all in-sync replicas, or
// ctx has ended, or a message can never be taken (too large, say). Messages of
// one key keep their order. A retried send may leave a record twice, so records
// carry ids.
func (c *Client) Send(ctx context.Context, msgs ...Message) error {
	left := make([]kafka.Message, len(msgs))
	for i, m := range msgs {
		left[i] = kafka.Message{Topic: m.Topic, Key: m.Key, Value: m.Value, Headers: toHeaders(m.Headers), Time: m.Time}
	}
	return c.retry(ctx, "send to kafka", func() error {
		err := c.writer.WriteMessages(ctx, left...)
		var each kafka.WriteErrors
		if errors.As(err, &each) && len(each) == len(left) {
			return keepFailed(&left, each)
		}
		if err != nil {
			return fmt.Errorf("send to kafka: %w", err)
		}
		return nil
	})
}

// keepFailed leaves only the messages that were not acknowledged, so that the
// others are not sent twice.
func keepFailed(left *[]kafka.Message, each kafka.WriteErrors) error {
	var failed []kafka.Message
	var first error
	for i, err := range each {
		if err == nil {
			continue
		}
		failed = append(failed, (*left)[i])
		// One that can never be sent decides.
		if first == nil || permanent(err) {
			first = fmt.Errorf("send to kafka topic %s: %w", (*left)[i].Topic, err)
		}
	}
	*left = failed
	return first
}

func toHeaders(hs []Header) []kafka.Header {
	out := make([]kafka.Header, len(hs))
	for i, h := range hs {
		out[i] = kafka.Header{Key: h.Key, Value: h.Value}
	}
	return out
}

func fromMessage(m kafka.Message) Message {
	hs := make([]Header, len(m.Headers))
	for i, h := range m.Headers {
		hs[i] = Header{Key: h.Key, Value: h.Value}
	}
	return Message{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Key: m.Key, Value: m.Value, Headers: hs, Time: m.Time}
}
