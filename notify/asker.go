package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// askerName stands for a receiver in the name of the asker's group; no receiver is called so.
const askerName = "@verify"

// asker asks for second opinions on the alerts of a stage, and puts them on the topic
// verdicts. It has a consumer group of its own, so that each alert is asked about once,
// whatever becomes of its deliveries.
type asker struct {
	*Stage
	*Verifier
	breaker *breaker
	slots   chan struct{} // one for each question that may be asked at a time
}

// secondOpinions asks, and follows what all workers have heard, until ctx ends.
func (s *Stage) secondOpinions(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		s.followVerdicts(ctx)
		return nil
	})
	g.Go(func() error { return s.askAll(ctx) })
	return g.Wait()
}

// askAll asks until ctx ends, whomever the configuration names.
func (s *Stage) askAll(ctx context.Context) error {
	defer s.Reporter.Warning(partOpinion, nil)
	for ctx.Err() == nil {
		v, replaced := s.opinions.current()
		s.Reporter.Warning(partOpinion, nil)
		g, own := errgroup.WithContext(ctx)
		own, stop := context.WithCancel(own)
		if v != nil {
			q := &asker{s, v, &breaker{rest: s.Rest}, make(chan struct{}, v.Parallel)}
			g.Go(func() error { return q.run(own) })
		}
		g.Go(func() error {
			select {
			case <-own.Done():
			case <-replaced:
			}
			stop()
			return nil
		})
		err := g.Wait()
		stop()
		if err != nil {
			return err
		}
	}
	return nil
}

// partOpinion is the name of the model in reports.
const partOpinion = "second opinion"

func (q *asker) run(ctx context.Context) error {
	group := GroupOf(q.Group, askerName)
	err := q.Bus.Consume(ctx, bus.GroupOptions{Group: group, Topic: q.Names.Of(topics.Alerts)}, q.partition)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("ask for second opinions: %w", err)
	}
	return nil
}

// partition asks about one partition's alerts until ctx ends. An alert's offset is
// committed when it is asked about: one whose worker ends is delivered unverified, and
// not asked about again.
func (q *asker) partition(ctx context.Context, p *bus.Partition) error {
	g, own := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := q.begin(own, p); err != nil {
			return err
		}
		for {
			m, err := p.Fetch(own)
			if err != nil {
				return err
			}
			if err := q.take(own, g, p, m); err != nil {
				return err
			}
			if err := p.Commit(own, m.Offset+1); err != nil {
				return err
			}
		}
	})
	err := g.Wait()
	if errors.Is(err, bus.ErrMoved) { // another worker has it: ctx ends soon
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// begin sets where to go on: no delivery waits for what is said of older alerts.
func (q *asker) begin(ctx context.Context, p *bus.Partition) error {
	if p.Committed() < 0 {
		_, end, err := p.Bounds(ctx)
		if err != nil {
			return err
		}
		return errors.Join(p.SeekOffset(end), p.Commit(ctx, end))
	}
	_, err := p.SkipOlder(ctx, q.Timeout)
	return err
}

// take asks about an alert if it is to be asked about, by another goroutine of g.
func (q *asker) take(ctx context.Context, g *errgroup.Group, p lease, m bus.Message) error {
	a, err := topics.DecodeAlert(m.Value)
	if err != nil || !q.asks(a) { // deliveries count what can't be read
		return nil
	}
	if _, known := q.opinions.of(a.ID); known { // its record was sent again
		return nil
	}
	wait, try := q.breaker.allow(time.Now())
	if try {
		g.Go(func() error {
			q.opinion(ctx, a, q.Timeout, true) // people are told without it
			return nil
		})
	}
	if !wait {
		return q.settle(ctx, p, a, q.verdict(a, "the model has not answered lately"))
	}
	if !q.slot(ctx, q.Timeout-max(q.Bus.Age(m), 0)) {
		return q.settle(ctx, p, a, q.verdict(a, "there was no time to ask"))
	}
	left := q.Timeout - max(q.Bus.Age(m), 0) // a clock may have been set back
	g.Go(func() error {
		defer func() { <-q.slots }()
		return q.settle(ctx, p, a, q.opinion(ctx, a, left, false))
	})
	return nil
}

// slot waits for leave to ask a question, at most so long.
func (q *asker) slot(ctx context.Context, most time.Duration) bool {
	if most <= 0 {
		return false
	}
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return false
	case q.slots <- struct{}{}:
		return true
	}
}

// opinion asks about an alert, and is done in so much time. trial: the breaker has let it
// try whether the model answers again.
func (q *asker) opinion(ctx context.Context, a topics.Alert, left time.Duration, trial bool) topics.Verdict {
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	v := q.verdict(a, "")
	strip, err := q.pictures(ctx, a)
	if err != nil {
		q.breaker.done(untold, trial, time.Now())
		q.Logger.WarnContext(ctx, "an alert is not verified", "alert", topics.Clean(a.ID), "error", topics.Clean(err.Error()))
		v.Reason = "its pictures can't be read"
		return v
	}
	q.metrics.asked.Add(ctx, 1)
	begun := time.Now()
	says, reason, err := q.ask(ctx, v.Question, strip)
	took := time.Since(begun)
	q.metrics.opinionTime.Record(ctx, took.Seconds())
	v.At, v.Seconds = time.Now().UTC(), took.Round(time.Millisecond).Seconds()
	q.heard(ctx, a, err, trial, left)
	switch {
	case errors.Is(err, errNonsense):
		v.Reason = "the model has not answered as it was asked to"
	case err != nil:
		v.Reason = "the model has not answered"
	default:
		v.Says, v.Reason = says, reason
	}
	return v
}

// pictures are those of the clip that raised an alert, as one JPEG.
func (q *asker) pictures(ctx context.Context, a topics.Alert) ([]byte, error) {
	if q.Evidence == nil {
		return nil, errors.New("nothing reads clips here")
	}
	clip, err := q.Evidence(ctx, a)
	if err != nil {
		return nil, err
	}
	return media.Filmstrip(clip, a.Box)
}

// heard notes whether the model has answered a question that had so much time.
func (q *asker) heard(ctx context.Context, a topics.Alert, err error, trial bool, left time.Duration) {
	if errors.Is(ctx.Err(), context.Canceled) { // it was not waited for
		q.breaker.done(untold, trial, time.Now())
		return
	}
	how := answered
	switch {
	case err == nil || errors.Is(err, errNonsense):
	case left < q.Timeout/2: // it had to wait for others, and is no proof
		how = untold
	default:
		how = failed
	}
	q.breaker.done(how, trial, time.Now())
	if err != nil {
		err = fmt.Errorf("ask for a second opinion: %w", err)
		q.Logger.WarnContext(ctx, "an alert is not verified", "alert", topics.Clean(a.ID), "error", topics.Clean(err.Error()))
	}
	q.Reporter.Warning(partOpinion, err)
}

// settle makes a verdict known to this worker and to all others.
func (q *asker) settle(ctx context.Context, p lease, a topics.Alert, v topics.Verdict) error {
	q.metrics.verdicts.Add(ctx, 1, metric.WithAttributes(attribute.String("verdict", string(v.Says))))
	value, err := topics.EncodeVerdict(v)
	if err != nil {
		q.Logger.ErrorContext(ctx, "verdict not published", "alert", topics.Clean(v.Alert), "error", topics.Clean(err.Error()))
		return nil
	}
	q.opinions.note(v)
	q.open.wake()
	_, err = p.Send(ctx, bus.Message{Topic: q.Names.Of(topics.Verdicts), Key: []byte(v.Alert), PartitionBy: []byte(a.Key()), Value: value})
	if bus.Permanent(err) && !errors.Is(err, bus.ErrMoved) {
		q.Logger.ErrorContext(ctx, "verdict not published", "alert", topics.Clean(v.Alert), "error", topics.Clean(err.Error()))
		q.Reporter.Incident(partOpinion+", record", fmt.Errorf("publish a verdict: %w", err))
		return nil
	}
	return err
}
