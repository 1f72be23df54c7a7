package bus

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// cursor reads one partition outside any group. It is used by one goroutine.
type cursor struct {
	client *Client
	r      *kafka.Reader
}

func (c *Client) cursor(topic string, partition int, from int64) *cursor {
	r := kafka.NewReader(c.readerConfig(topic, partition))
	_ = r.SetOffset(from) // it fails on a closed reader alone
	return &cursor{client: c, r: r}
}

func (r *cursor) close() { _ = r.r.Close() }

func (r *cursor) seek(offset int64) { _ = r.r.SetOffset(offset) }

// next waits for a record. It returns an error only when ctx ends.
func (r *cursor) next(ctx context.Context) (Message, error) {
	const patience = time.Minute
	var logged time.Time
	for {
		m, err := r.r.FetchMessage(ctx)
		if err == nil {
			return fromMessage(m), nil
		}
		if ctx.Err() != nil {
			return Message{}, ctx.Err()
		}
		if time.Since(logged) > patience {
			r.client.Logger.WarnContext(ctx, "kafka: reading again", "topic", r.r.Config().Topic, "partition", r.r.Config().Partition, "error", err)
			logged = time.Now()
		}
		if !pause.For(ctx, 100*time.Millisecond) {
			return Message{}, ctx.Err()
		}
	}
}

// readTo calls fn for the records before end, which is there already.
func (r *cursor) readTo(ctx context.Context, end int64, fn func(Message) error) error {
	for r.r.Offset() < end {
		m, more, err := r.nextBefore(ctx)
		if err != nil || !more || m.Offset >= end {
			return err
		}
		if err := fn(m); err != nil {
			return err
		}
	}
	return nil
}

// nextBefore reads one record. Compaction and retention leave holes, also just
// before the end: where nothing comes for a while and the broker says that it
// has nothing from there on, that was all.
func (r *cursor) nextBefore(ctx context.Context) (Message, bool, error) {
	const quiet = 2 * time.Second
	for {
		wait, cancel := context.WithTimeout(ctx, quiet)
		m, err := r.next(wait)
		cancel()
		if err == nil {
			return m, true, nil
		}
		if ctx.Err() != nil {
			return Message{}, false, ctx.Err()
		}
		if r.nothingLeft(ctx) {
			return Message{}, false, nil
		}
	}
}

// nothingLeft is whether the broker has no record at or after the offset; false
// also where it does not answer.
func (r *cursor) nothingLeft(ctx context.Context) bool {
	resp, err := r.client.client.Fetch(ctx, &kafka.FetchRequest{
		Topic: r.r.Config().Topic, Partition: r.r.Config().Partition, Offset: r.r.Offset(),
		MinBytes: 1, MaxBytes: int64(2 * r.client.MaxRecordBytes), MaxWait: 500 * time.Millisecond,
	})
	if err != nil || resp.Error != nil {
		return false
	}
	_, err = resp.Records.ReadRecord()
	return errors.Is(err, io.EOF)
}

func fromMessage(m kafka.Message) Message {
	hs := make([]Header, len(m.Headers))
	for i, h := range m.Headers {
		hs[i] = Header{Key: h.Key, Value: h.Value}
	}
	return Message{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Key: m.Key, Value: m.Value, Headers: hs, Time: m.Time}
}
