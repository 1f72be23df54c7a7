package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// finishTime bounds what a stopping partition may spend on the recognition that it
// is working on; the rest of the grace is for ending the handler.
const finishTime = bus.Grace * 2 / 3

// worker evaluates the recognitions of one partition: all those of its cameras.
type worker struct {
	*Stage
	p       *bus.Partition
	engine  *Engine
	streams *streams
	heard   int // version of the statuses that streams have been shown
	// open are the alerts that are raised and not cleared, as they were published but
	// with the severity that they have now, by id.
	open     map[string]topics.Alert
	counted  *openCount
	table    openTable
	watched  watchedTable
	counting *counting
	applied  map[string]ownThresholds // what the engine has of the table of thresholds, by camera
	warnings warnings
	homes    map[string]int // partitions of cameras
	// unreadable is how many recognitions in a row could not be read.
	unreadable int
}

// partition runs from the assignment of a partition until it is taken away.
func (s *Stage) partition(ctx context.Context, p *bus.Partition) error {
	s.held.add(p, s.Now())
	defer s.held.remove(p)
	err := s.evaluate(ctx, p)
	if errors.Is(err, bus.ErrMoved) { // another worker has it: ctx ends soon
		<-ctx.Done()
	}
	return stopped(ctx, err)
}

func (s *Stage) evaluate(ctx context.Context, p *bus.Partition) error {
	if err := s.samePartitions(ctx); err != nil {
		return err
	}
	select {
	case <-s.budgets.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	rules, changed := s.current()
	w := &worker{
		Stage: s, p: p, engine: NewEngine(rules, s.NoClips), streams: newStreams(rules), open: map[string]topics.Alert{}, counted: newOpenCount(), table: openTable{},
		watched: watchedTable{}, counting: newCounting(rules), applied: map[string]ownThresholds{},
		warnings: warnings{s.Reporter, map[string]bool{}}, homes: map[string]int{},
	}
	w.engine.SetSighted(func(found topics.Sighting) { w.counting.found = append(w.counting.found, found) })
	if s.Vocabularies != nil {
		w.engine.SetWords(s.Vocabularies.Current)
	}
	if err := w.restore(ctx, rules); err != nil {
		return fmt.Errorf("restore the state of partition %d: %w", p.ID(), err)
	}
	defer s.opened.list(w.counted)()
	if err := w.readWatched(ctx); err != nil {
		return fmt.Errorf("read the watched labels of partition %d: %w", p.ID(), err)
	}
	fetched := make(chan bus.Message)
	g, own := errgroup.WithContext(ctx)
	g.Go(func() error { return p.FetchInto(own, fetched) })
	sightings := make(chan news)
	g.Go(func() error { return w.followSightings(own, sightings) })
	g.Go(func() error { return w.loop(own, fetched, sightings, changed) })
	return g.Wait()
}

// stopped drops an error that only comes from the end of ctx.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // taken away or stopping: what was not committed is done again
	}
	return err
}

func (w *worker) loop(ctx context.Context, fetched <-chan bus.Message, sightings <-chan news, changed <-chan struct{}) error {
	tick, report := time.NewTicker(TickEvery(w.NoClips)), time.NewTicker(ProgressEvery)
	defer tick.Stop()
	defer report.Stop()
	_, moved := w.fleet.cameras()
	err := w.listWatched(ctx)
	var statuses <-chan struct{}
	if err == nil {
		statuses, err = w.judge(ctx)
	}
	for err == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-fetched:
			err = w.handle(ctx, m)
		case <-changed:
			var rules *RuleSet
			rules, changed = w.current()
			if err = w.publish(ctx, w.setRules(rules), nil); err == nil {
				err = w.listWatched(ctx)
			}
		case n := <-sightings:
			err = w.count(ctx, n)
		case <-report.C:
			err = w.report(ctx)
		case <-statuses:
			statuses, err = w.judge(ctx)
		case <-moved:
			_, moved = w.fleet.cameras()
			err = w.listWatched(ctx)
		case <-tick.C:
			if err = w.tick(ctx); err == nil {
				statuses, err = w.judge(ctx)
			}
		}
	}
	return err
}

// setRules replaces the rules and returns the clears that follow.
func (w *worker) setRules(rules *RuleSet) []topics.Alert {
	tags := func(camera string) []string {
		tags, _ := w.fleet.tagsOf(camera)
		return tags
	}
	return slices.Concat(w.engine.SetRules(rules), w.counting.counter.SetRules(rules), w.streams.setRules(rules, tags))
}

// tick lets time pass for the engine, as long as Kafka answers: an outage is no
// absence of clips.
func (w *worker) tick(ctx context.Context) error {
	if len(w.open) > 0 && !w.reachable(ctx) {
		return nil
	}
	return w.publish(ctx, w.engine.Tick(w.Now()), nil)
}

// reachable is whether Kafka answers for this partition about as soon as the
// next tick is due.
func (w *worker) reachable(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, max(TickEvery(w.NoClips), time.Second))
	defer cancel()
	_, _, err := w.p.Bounds(ctx)
	return err == nil
}

// handle evaluates one recognition, publishes what follows, and commits.
func (w *worker) handle(ctx context.Context, m bus.Message) error {
	// A recognition that was begun is finished although the partition is taken away.
	ctx, cancel := finishing(ctx)
	defer cancel()
	parent := w.Propagator.Extract(ctx, bus.HeaderCarrier{Headers: &m.Headers})
	traced, span := w.Tracer.Start(parent, "alerts.evaluate", trace.WithSpanKind(trace.SpanKindConsumer))
	defer span.End()
	rec, err := decode(m)
	w.look(ctx, m, rec, err)
	if err != nil {
		return w.bury(traced, m, err)
	}
	w.applyBudgets(rec.Camera)
	w.counting.found = nil
	strange := w.engine.cameras[rec.Camera] == nil
	if err := w.publish(traced, w.engine.Evaluate(rec), &rec); err != nil {
		return err
	}
	if err := w.sendSightings(traced, w.counting.found); err != nil {
		return err
	}
	w.metrics.evaluated.Add(ctx, 1)
	if strange {
		if err := w.listCamera(ctx, rec.Camera); err != nil {
			return err
		}
	}
	return w.commit(ctx, m)
}

// bury sends a record that can't be used to the dead letters. If even that is
// refused the record is skipped: one record must not stop its partition.
func (w *worker) bury(ctx context.Context, m bus.Message, why error) error {
	if err := w.dead.Add(ctx, m, why); err != nil {
		return err
	}
	return w.commit(ctx, m)
}

// finishing returns a context that ends finishTime after ctx.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(finishTime, cancel) })
	return own, func() { stop(); cancel() }
}

func (w *worker) commit(ctx context.Context, m bus.Message) error {
	w.held.moved(m.Partition, w.Now(), w.Bus.Age(m))
	err := w.p.Commit(ctx, m.Offset+1)
	if errors.Is(err, bus.ErrMoved) {
		return err
	}
	if err != nil {
		// The partition's next worker will evaluate it again, and finds its alerts
		// published.
		w.Logger.DebugContext(ctx, "commit recognition", "partition", m.Partition, "offset", m.Offset, "error", err)
	}
	return nil
}
