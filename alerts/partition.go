package alerts

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/internal/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// finishTime bounds what a stopping partition may spend on the recognition in
// hand.
const finishTime = 2 * time.Second

// worker evaluates the recognitions of one partition: all those of its cameras.
type worker struct {
	*Stage
	p         *bus.Partition
	engine    *Engine
	published map[string]bool      // event ids on the alerts topic
	arrived   map[string]time.Time // of each camera's newest recognition, by our clock
}

// partition runs from the assignment of a partition until it is taken away.
func (s *Stage) partition(ctx context.Context, p *bus.Partition) error {
	rules, changed := s.current()
	engine, err := NewEngine(rules)
	if err != nil {
		return err
	}
	w := &worker{Stage: s, p: p, engine: engine, published: map[string]bool{}, arrived: map[string]time.Time{}}
	if err := w.rebuild(ctx, rules); err != nil {
		return stopped(ctx, fmt.Errorf("rebuild the state of partition %d: %w", p.ID(), err))
	}
	fetched := make(chan bus.Message)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		for {
			m, err := p.Fetch(ctx)
			if err != nil {
				return err
			}
			select {
			case fetched <- m:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	g.Go(func() error { return w.loop(ctx, fetched, changed) })
	return stopped(ctx, g.Wait())
}

// stopped is nil where an error is only that of a context that ended.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil // taken away or stopping: what was not committed is done again
	}
	return err
}

func (w *worker) loop(ctx context.Context, fetched <-chan bus.Message, changed <-chan struct{}) error {
	tick := time.NewTicker(w.Silence / 12)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-fetched:
			err = w.handle(ctx, m)
		case <-changed:
			var rules []Rule
			rules, changed = w.current()
			var cleared []topics.Alert
			if cleared, err = w.engine.SetRules(rules); err == nil {
				err = w.publish(ctx, cleared, nil)
			}
		case <-tick.C:
			err = w.dropSilent(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// handle evaluates one recognition, publishes what follows, and commits.
func (w *worker) handle(ctx context.Context, m bus.Message) error {
	// The one in hand is finished when the partition is taken away.
	ctx, cancel := finishing(ctx)
	defer cancel()
	parent := w.Propagator.Extract(ctx, bus.HeaderCarrier{Headers: &m.Headers})
	traced, span := w.Tracer.Start(parent, "alerts.evaluate", trace.WithSpanKind(trace.SpanKindConsumer))
	defer span.End()
	rec, err := topics.DecodeRecognition(m.Value)
	if err != nil {
		w.metrics.dead.Add(ctx, 1)
		w.Logger.WarnContext(traced, "recognition to dead-letter", "partition", m.Partition, "offset", m.Offset, "error", err)
		if err := w.Bus.Send(ctx, m.DeadLetter(w.Names.Of(topics.DeadLetter), "alerts", err)); err != nil {
			return err
		}
		return w.commit(ctx, m)
	}
	w.arrived[rec.Camera] = w.Now()
	if err := w.publish(traced, w.engine.Evaluate(rec), &rec); err != nil {
		return err
	}
	w.metrics.evaluated.Add(ctx, 1)
	return w.commit(ctx, m)
}

// finishing is ctx with its end put off by finishTime.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(finishTime, cancel) })
	return own, func() { stop(); cancel() }
}

func (w *worker) commit(ctx context.Context, m bus.Message) error {
	if err := w.p.Commit(ctx, m.Offset+1); err != nil {
		// It will be evaluated again by whoever has the partition, who finds its
		// alerts published.
		w.Logger.DebugContext(ctx, "commit recognition", "partition", m.Partition, "offset", m.Offset, "error", err)
	}
	return nil
}

// publish sends the alerts that are not on the topic yet, each raise after its
// evidence. rec is the recognition that led to them, nil where none did.
func (w *worker) publish(ctx context.Context, alerts []topics.Alert, rec *topics.Recognition) error {
	for _, a := range alerts {
		if w.published[a.EventID()] {
			continue
		}
		var out []bus.Message
		if a.State == topics.AlertRaised && rec != nil {
			if evidence, ok := w.evidence(ctx, a, rec.Clip); ok {
				out = append(out, evidence)
			} else {
				a.Evidence = nil
			}
		}
		value, err := topics.EncodeAlert(a)
		if err != nil {
			return err
		}
		msg := bus.Message{Topic: w.Names.Of(topics.Alerts), Key: []byte(a.Camera), Value: value,
			Headers: []bus.Header{{Key: "content-type", Value: []byte(topics.ContentType)}}}
		w.Propagator.Inject(ctx, bus.HeaderCarrier{Headers: &msg.Headers})
		if err := w.Bus.Send(ctx, append(out, msg)...); err != nil {
			return fmt.Errorf("publish alert %s: %w", a.ID, err)
		}
		w.published[a.EventID()] = true
		w.metrics.alerts.Add(ctx, 1, metric.WithAttributes(attribute.String("rule", a.Rule), attribute.String("state", string(a.State))))
		w.metrics.latency.Record(ctx, w.Now().Sub(a.At).Seconds())
		w.Logger.InfoContext(ctx, "alert", "id", a.ID, "state", a.State, "rule", a.Rule, "camera", a.Camera, "label", a.Label, "score", a.Score)
	}
	return nil
}

// evidence is a copy of the clip, under the alert's id: the clips topic forgets
// after a day.
func (w *worker) evidence(ctx context.Context, a topics.Alert, ref topics.RecordRef) (bus.Message, bool) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	clip, err := w.Bus.FetchOne(ctx, ref.Topic, ref.Partition, ref.Offset)
	if err != nil || ref.Topic != w.Names.Of(topics.Clips) {
		w.Logger.WarnContext(ctx, "alert without evidence", "id", a.ID, "error", err)
		return bus.Message{}, false
	}
	return bus.Message{Topic: w.Names.Of(topics.Evidence), Key: []byte(a.ID), Value: clip.Value, Headers: clip.Headers}, true
}

func (w *worker) dropSilent(ctx context.Context) error {
	for _, camera := range w.engine.Active() {
		since, ok := w.arrived[camera]
		if !ok { // raised before a restart
			w.arrived[camera] = w.Now()
			continue
		}
		if w.Now().Sub(since) <= w.Silence {
			continue
		}
		if err := w.publish(ctx, w.engine.Drop(camera, fmt.Sprintf("no clip for %s", w.Silence)), nil); err != nil {
			return err
		}
	}
	return nil
}
