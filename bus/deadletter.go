package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// DeadLetter returns the dead letter for m, a record that a stage can't use: its key,
// value and headers unchanged, and more headers with the reason and the position of
// m. It is some 700 bytes larger than m, so Kafka may refuse it for good (see
// Permanent).
func (m Message) DeadLetter(topic, stage string, why error) Message {
	add := func(key, value string) Header { return Header{Key: key, Value: []byte(value)} }
	return Message{
		Topic: topic, Key: m.Key, Value: m.Value,
		Headers: append(m.Headers[:len(m.Headers):len(m.Headers)],
			add(topics.HeaderReason, topics.Clean(why.Error())),
			add(topics.HeaderStage, stage),
			add(topics.HeaderTopic, m.Topic),
			add(topics.HeaderPartition, strconv.Itoa(m.Partition)),
			add(topics.HeaderOffset, strconv.FormatInt(m.Offset, 10))),
	}
}

// DeadLetterOptions say where a stage's dead letters go. All are required.
type DeadLetterOptions struct {
	Send   SendFunc
	Topic  string // full name
	Stage  string
	Logger *slog.Logger
	Meter  metric.Meter
	// Reporter lists the newest dead letter for a while.
	Reporter telemetry.Reporter
}

// DeadLetters sends the dead letters of a stage. Safe for concurrent use.
type DeadLetters struct {
	o          DeadLetterOptions
	stage      metric.MeasurementOption
	sent, lost metric.Int64Counter
}

// NewDeadLetters checks the options.
func NewDeadLetters(o DeadLetterOptions) (*DeadLetters, error) {
	if o.Send == nil || o.Topic == "" || o.Stage == "" || o.Logger == nil || o.Meter == nil || o.Reporter == nil {
		return nil, errors.New("dead letters: send, topic, stage, logger, meter and reporter are required")
	}
	d := &DeadLetters{o: o, stage: metric.WithAttributes(attribute.String("stage", o.Stage))}
	i := telemetry.Instruments{Meter: o.Meter}
	d.sent = i.CounterBy("frostwatch.dead_letters", "{record}", "records that a stage could not use, by stage")
	d.lost = i.CounterBy("frostwatch.dead_letters_lost", "{record}", "of those, refused even as dead letters, by stage")
	if err := i.Err(); err != nil {
		return nil, err
	}
	d.sent.Add(context.Background(), 0, d.stage) // so that they are exported before the first
	d.lost.Add(context.Background(), 0, d.stage)
	return d, nil
}

// Add sends a record to the dead letters, in a call of its own, because Kafka
// refuses a whole call for one record that is too large. A record that is refused
// for good is skipped and counted as lost: one record must not block its partition.
// An error means that Kafka did not acknowledge the dead letter in time; the record
// still has to be dealt with.
func (d *DeadLetters) Add(ctx context.Context, m Message, why error) error {
	key, reason := topics.Clean(string(m.Key)), topics.Clean(why.Error())
	log := d.o.Logger.With("topic", m.Topic, "partition", m.Partition, "offset", m.Offset, "key", key)
	log.WarnContext(ctx, "a record goes to the dead letters", "error", reason)
	d.o.Reporter.Incident("dead letters of "+d.o.Stage, fmt.Errorf("a record of %s with key %q can't be used: %s", m.Topic, key, reason))
	d.sent.Add(ctx, 1, d.stage)
	_, err := d.o.Send(ctx, m.DeadLetter(d.o.Topic, d.o.Stage, why))
	if Permanent(err) {
		d.lost.Add(ctx, 1, d.stage)
		log.ErrorContext(ctx, "the dead letter is refused, the record is skipped", "error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("send dead letter: %w", err)
	}
	return nil
}

// By returns the same dead letters sent by another function: Partition.Send of the
// partition that the records come from, so that a worker that has lost the partition
// sends none.
func (d *DeadLetters) By(send SendFunc) *DeadLetters {
	by := *d
	by.o.Send = send
	return &by
}

// Outcome is a record that results from another.
type Outcome struct{ From, Msg Message }

// Send sends records that result from others. If Kafka refuses one for good, for
// example because it is too large, the record that it results from goes to the dead
// letters instead, and the position is empty. An error means that Kafka did not
// acknowledge all of them in time, or that this worker is not allowed to send.
func (d *DeadLetters) Send(ctx context.Context, outcomes ...Outcome) ([]topics.RecordRef, error) {
	msgs := make([]Message, len(outcomes))
	for i, o := range outcomes {
		msgs[i] = o.Msg
	}
	refs, err := d.o.Send(ctx, msgs...)
	if err == nil {
		return refs, nil
	}
	each := []error{err} // a Send other than Client.Send may return one error for all
	var all *SendError
	if errors.As(err, &all) {
		each = all.Each
	}
	for i, err := range each {
		if err == nil {
			continue
		}
		if !RecordRefused(err) {
			return refs, err
		}
		if err := d.Add(ctx, outcomes[i].From, err); err != nil {
			return refs, err
		}
	}
	return refs, nil
}
