package infer

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/bus"
)

// batchLoop takes clips in the order they were read and settles them batch by
// batch. It is alone in calling the model, so that clips are published in
// order; the decoders work on the next batch meanwhile.
func (s *Stage) batchLoop(ctx context.Context) error {
	var next *job
	for {
		var batch []*job
		var more bool
		batch, next, more = s.collect(ctx, next)
		if err := s.settle(ctx, batch); err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
}

// collect waits for a first clip, then for at most MaxWait for others of the
// same serving. The first of another begins the next batch.
func (s *Stage) collect(ctx context.Context, first *job) (batch []*job, next *job, more bool) {
	j := first
	if j == nil {
		if j, more = s.next(ctx, ctx); j == nil {
			return nil, nil, more
		}
	}
	full, cancel := context.WithTimeout(ctx, s.MaxWait)
	defer cancel()
	for batch = []*job{j}; len(batch) < s.MaxBatch; batch = append(batch, j) {
		if j, more = s.next(ctx, full); j == nil {
			return batch, nil, more
		}
		if j.term != batch[0].term {
			return batch, j, true
		}
	}
	return batch, nil, true
}

// next is the next clip, decoded; nil where none has come before full ended, or,
// with more false, where none will come. What has come already is given also
// after full ended: a busy worker's batches are whole.
func (s *Stage) next(ctx, full context.Context) (j *job, more bool) {
	select {
	case j = <-s.order:
	default:
		select {
		case j = <-s.order:
		case <-full.Done():
			return nil, ctx.Err() == nil
		}
	}
	if j == nil { // order is closed
		return nil, false
	}
	select {
	case <-j.decoded:
		return j, true
	case <-ctx.Done():
		return nil, false
	}
}

// settle publishes what follows from each clip and marks it done.
func (s *Stage) settle(ctx context.Context, batch []*job) error {
	var usable, own []*job
	for _, j := range batch {
		if j.moved() {
			s.drop(j)
			continue
		}
		own = append(own, j)
		if j.err == nil {
			usable = append(usable, j)
		}
	}
	recognised, err := s.recognise(ctx, usable)
	if err != nil {
		return err
	}
	for _, j := range own {
		if err := s.tellBad(ctx, j); err != nil {
			return err
		}
	}
	if len(recognised) > 0 {
		if _, err := s.Bus.Send(ctx, recognised...); err != nil {
			return fmt.Errorf("publish recognitions: %w", err)
		}
	}
	for _, j := range own {
		s.finish(ctx, j)
	}
	return nil
}

// tellBad counts a clip that is skipped and buries one that can't be used.
func (s *Stage) tellBad(ctx context.Context, j *job) error {
	switch {
	case j.err == nil:
		return nil
	case errors.Is(j.err, errTooOld):
		s.metrics.skipped.Add(ctx, 1, metric.WithAttributes(attribute.String("camera", j.clip.Camera)))
		return nil
	}
	return s.dead.Bury(ctx, j.msg, j.err)
}

func (s *Stage) finish(ctx context.Context, j *job) {
	if j.err != nil {
		j.span.SetStatus(codes.Error, j.err.Error())
	} else {
		s.metrics.clips.Add(ctx, 1)
		s.metrics.latency.Record(ctx, s.Now().Sub(j.clip.EndTime()).Seconds())
	}
	s.leave(j)
}

// recognise runs the model over clips of one serving and scores each. A clip
// that the model, or the record of it, does not bear gets the reason as its err.
func (s *Stage) recognise(ctx context.Context, jobs []*job) ([]bus.Message, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	runs, err := s.embed(ctx, jobs)
	if err != nil {
		return nil, err
	}
	// One vocabulary for the whole batch.
	matrix := jobs[0].term.Vocabulary.Current()
	var out []bus.Message
	for _, r := range runs {
		for i, j := range r.jobs {
			msg, err := s.recognition(r, i, matrix)
			if err != nil {
				j.err = err
				continue
			}
			out = append(out, msg)
		}
	}
	return out, nil
}
