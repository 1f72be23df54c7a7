package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// GroupOptions say which group reads which topic.
type GroupOptions struct {
	Group, Topic string
	// StartFirst begins at the oldest record where the group has committed
	// nothing; else at the newest.
	StartFirst bool
	// SessionTimeout is after what silence a member counts as dead; 0: 6 s.
	SessionTimeout time.Duration
}

// Consume joins the group and calls handle for each partition that this member
// is given, each in a goroutine of its own, with a context that ends when the
// partition is taken away. A handler runs until then. Handlers are waited for
// before the member joins anew or leaves, which it does when ctx ends, so that
// others take over at once. An error from a handler, other than of its ended
// context, ends Consume; a broker that is away does not.
func (c *Client) Consume(ctx context.Context, o GroupOptions, handle func(context.Context, *Partition) error) error {
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for run.Err() == nil {
		err := c.member(run, o, handle, cancel)
		if run.Err() != nil {
			break
		}
		c.Logger.WarnContext(ctx, "kafka: joining the group again", "group", o.Group, "error", err)
		pause.For(run, 500*time.Millisecond)
	}
	if ctx.Err() == nil {
		return context.Cause(run)
	}
	return nil
}

// member is one membership of the group, through as many generations as it
// lasts.
func (c *Client) member(ctx context.Context, o GroupOptions, handle func(context.Context, *Partition) error, fail context.CancelCauseFunc) error {
	group, err := kafka.NewConsumerGroup(c.groupConfig(o))
	if err != nil {
		return fmt.Errorf("join group %s: %w", o.Group, err)
	}
	defer func() {
		if err := group.Close(); err != nil {
			c.Logger.DebugContext(ctx, "kafka: leave group", "group", o.Group, "error", err)
		}
	}()
	for {
		gen, err := group.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.Logger.DebugContext(ctx, "kafka: wait for the group", "group", o.Group, "error", err)
			if errors.Is(err, kafka.ErrGroupClosed) {
				return err
			}
			pause.For(ctx, 100*time.Millisecond)
			continue
		}
		for _, a := range gen.Assignments[o.Topic] {
			gen.Start(func(own context.Context) {
				if err := c.own(own, ctx, o, gen, a, handle); err != nil && own.Err() == nil {
					fail(err)
				}
			})
		}
	}
}

// own runs the handler of one partition. The handler's context ends with the
// generation or with the whole call.
func (c *Client) own(gen, call context.Context, o GroupOptions, g *kafka.Generation, a kafka.PartitionAssignment, handle func(context.Context, *Partition) error) error {
	ctx, cancel := context.WithCancel(gen)
	defer cancel()
	defer context.AfterFunc(call, cancel)()
	r := c.cursor(o.Topic, a.ID, a.Offset)
	defer r.close()
	p := &Partition{
		client: c, topic: o.Topic, id: a.ID, committed: max(a.Offset, -1), startFirst: o.StartFirst, generation: int(g.ID), r: r,
		commit: func(next int64) error {
			return g.CommitOffsets(map[string]map[int]int64{o.Topic: {a.ID: next}})
		},
	}
	err := handle(ctx, p)
	if err != nil && ctx.Err() == nil {
		return err
	}
	if ctx.Err() == nil {
		return fmt.Errorf("handler of %s/%d ended on its own", o.Topic, a.ID)
	}
	return nil
}

func (c *Client) groupConfig(o GroupOptions) kafka.ConsumerGroupConfig {
	start := kafka.LastOffset
	if o.StartFirst {
		start = kafka.FirstOffset
	}
	session := o.SessionTimeout
	if session == 0 {
		session = 6 * time.Second
	}
	return kafka.ConsumerGroupConfig{
		ID: o.Group, Brokers: c.Brokers, Topics: []string{o.Topic}, StartOffset: start,
		Dialer: c.dialer(),
		// Measured on kafka-go 0.4.51: with its own defaults (5 to 30 s) a member
		// that joins or dies is noticed far too late for live video.
		HeartbeatInterval: 500 * time.Millisecond,
		SessionTimeout:    session,
		RebalanceTimeout:  2 * time.Second,
		JoinGroupBackoff:  250 * time.Millisecond,
		Timeout:           5 * time.Second,
		ErrorLogger:       debugLogger{c.Logger},
	}
}

// firstByte is how long a fetch waits for the first byte of its answer. kafka-go
// asks the broker to hold an empty answer back for a second less than this, so
// that much is left for a slow broker, and closing a reader may take the rest.
const firstByte = 1500 * time.Millisecond

func (c *Client) readerConfig(topic string, partition int) kafka.ReaderConfig {
	return kafka.ReaderConfig{
		Brokers: c.Brokers, Topic: topic, Partition: partition, Dialer: c.dialer(),
		MinBytes: 1, MaxBytes: 2 * c.MaxRecordBytes, MaxWait: firstByte,
		// Records wait here decoded from the wire: a few, for they hold video.
		QueueCapacity:   4,
		ReadBackoffMin:  5 * time.Millisecond,
		ReadBackoffMax:  250 * time.Millisecond,
		ReadLagInterval: -1,
		ErrorLogger:     debugLogger{c.Logger},
	}
}

func (c *Client) dialer() *kafka.Dialer {
	return &kafka.Dialer{ClientID: c.ClientID, Timeout: 2 * time.Second, DualStack: true}
}

// debugLogger takes kafka-go's own messages: what matters of them comes back as
// errors.
type debugLogger struct{ log *slog.Logger }

func (l debugLogger) Printf(format string, args ...any) {
	l.log.Debug("kafka-go: " + fmt.Sprintf(format, args...))
}
