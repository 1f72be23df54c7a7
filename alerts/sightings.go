package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// reportAgain is how soon a partition that has come no further says so again: well
	// before it is no longer waited for.
	reportAgain = missed / 3
	// readAgain is how long it takes until sightings that can't be read are tried again.
	readAgain = 30 * time.Second
)

// counting is what a worker has of the rules that count cameras: its cameras' sightings,
// which it sends, and the counts of the rules whose partition of the topic it holds.
type counting struct {
	counter  *Counter
	found    []topics.Sighting // in the recognition that is evaluated
	reported map[string]reported
	limited  bool // that Kafka refuses sightings was said
}

// reported is how far the partition said it has come for a rule, and when.
type reported struct{ through, at time.Time }

func newCounting(rules *RuleSet) *counting {
	c := &counting{counter: NewCounter(rules), reported: map[string]reported{}}
	c.counter.Warm()
	return c
}

// news is what there is about the sightings of this partition.
type news struct {
	record bus.Message
	starts bool // records from the past follow
	// ends: those that there were have come. Before since some may be missing.
	ends  bool
	since time.Time
}

// followSightings gives the sightings of the partition's rules to the loop until ctx
// ends, once there is a rule that counts cameras. While they can't be read such rules
// raise and clear nothing, and a warning says so.
func (w *worker) followSightings(ctx context.Context, out chan<- news) error {
	if !w.await(ctx, func(rules *RuleSet) bool { return len(rules.Counting()) > 0 }) {
		return ctx.Err()
	}
	part := fmt.Sprintf("sightings of partition %d", w.p.ID())
	defer w.Reporter.Warning(part, nil)
	for {
		err := w.readSightings(ctx, func(n news) error {
			if n.ends {
				w.Reporter.Warning(part, nil)
			}
			select {
			case out <- n:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.Reporter.Warning(part, fmt.Errorf("rules that count cameras raise and clear nothing: %w", err))
		if !pause.For(ctx, readAgain) {
			return ctx.Err()
		}
	}
}

func (w *worker) readSightings(ctx context.Context, give func(news) error) error {
	topic, id := w.Names.Of(topics.Sightings), w.p.ID()
	if err := w.compareWith(ctx, topics.Sightings); err != nil {
		return err
	}
	first, end, err := w.Bus.Bounds(ctx, topic, id)
	if err != nil {
		return err
	}
	from, since := first, time.Time{}
	if end > first {
		newest := w.Now()
		if m, err := w.Bus.FetchOne(ctx, topic, id, end-1); err == nil {
			newest = m.Time
		}
		since = newest.Add(-w.reach())
		if from, err = w.Bus.OffsetAt(ctx, topic, id, since); err != nil {
			return err
		}
		since = since.Add(maxAhead) // a clip may be dated later than its record
	}
	record := func(m bus.Message) error { return give(news{record: m}) }
	if err := give(news{starts: true}); err != nil {
		return err
	}
	if err := w.Bus.Replay(ctx, topic, id, from, end, record); err != nil {
		return err
	}
	if err := give(news{ends: true, since: since}); err != nil {
		return err
	}
	return w.Bus.Follow(ctx, topic, id, end, record)
}

// reach is how far back sightings are read: those that may still count together with the
// newest ones, and as much before them.
func (w *worker) reach() time.Duration {
	rules, _ := w.current()
	longest := time.Duration(0)
	for _, name := range rules.Counting() {
		longest = max(longest, rules.counting(name).Count.Within)
	}
	return 2*longest + 2*maxAhead
}

// count lets the counter take what there is, and publishes what follows.
func (w *worker) count(ctx context.Context, n news) error {
	ctx, cancel := finishing(ctx)
	defer cancel()
	switch {
	case n.starts:
		w.counting.counter.Warm()
		return nil
	case n.ends:
		return w.publish(ctx, w.counting.counter.Warmed(n.since), nil)
	}
	s, err := w.sighting(ctx, n.record)
	if err != nil {
		w.Logger.WarnContext(ctx, "sighting skipped", "partition", n.record.Partition, "offset", n.record.Offset, "error", err)
		return nil
	}
	return w.publish(ctx, w.counting.counter.See(s, n.record.Time), nil)
}

// sighting decodes a record of the topic, and checks that it may be what it says.
func (w *worker) sighting(ctx context.Context, m bus.Message) (topics.Sighting, error) {
	s, err := topics.DecodeSighting(m.Value)
	if err != nil {
		return s, err
	}
	if string(m.Key) != s.Rule {
		return s, fmt.Errorf("key %.80q: the record is of rule %.80q", m.Key, s.Rule)
	}
	if s.Seen != nil {
		if err := checkDate(m, s.Seen.End); err != nil {
			return s, err
		}
	}
	home, err := w.Bus.PartitionOf(ctx, m.Topic, m.Key)
	if err == nil && home != m.Partition {
		err = fmt.Errorf("rule %.80q belongs in partition %d", s.Rule, home)
	}
	return s, err
}

// report sends how far the partition has come with the cameras of each rule that counts
// them, unless that has been said. Where a rule's alert is open its partition always says
// so: otherwise no record would come once all of its cameras are gone.
func (w *worker) report(ctx context.Context) error {
	rules, _ := w.current()
	var all []topics.Sighting
	now := w.Now()
	for _, name := range rules.Counting() {
		through := w.engine.Through(name)
		last, said := w.counting.reported[name]
		same := said && through.Equal(last.through) && (through.IsZero() || now.Sub(last.at) < reportAgain)
		if same && !w.counting.counter.opened(name) {
			continue
		}
		w.counting.reported[name] = reported{through, now}
		all = append(all, topics.Sighting{Rule: name, RuleHash: rules.counting(name).hash, Through: through})
	}
	return w.sendSightings(ctx, all)
}

// sendSightings sends sightings of this partition's cameras. Where Kafka refuses them for
// good, that is a warning: other rules go on.
func (w *worker) sendSightings(ctx context.Context, all []topics.Sighting) error {
	var msgs []bus.Message
	for _, s := range all {
		s.Partition = w.p.ID()
		value, err := topics.EncodeSighting(s)
		if err != nil {
			w.Logger.ErrorContext(ctx, "sighting not sent", "rule", s.Rule, "error", err)
			continue
		}
		msgs = append(msgs, bus.Message{Topic: w.Names.Of(topics.Sightings), Key: []byte(s.Rule), Value: value})
	}
	if len(msgs) == 0 {
		return nil
	}
	_, err := w.p.Send(ctx, msgs...)
	if bus.Permanent(err) && !errors.Is(err, bus.ErrMoved) {
		w.counting.limited = true
		w.Reporter.Warning("sightings", fmt.Errorf("rules that count cameras can't count those of this worker: %w", err))
		return nil
	}
	if err != nil {
		return fmt.Errorf("send sightings: %w", err)
	}
	if w.counting.limited {
		w.counting.limited = false
		w.Reporter.Warning("sightings", nil)
	}
	return nil
}
