package infer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// batchLoop takes clips in the order they were read and settles them batch by
// batch. It is alone in calling the model, so that clips are published in
// order; the decoders work on the next batch meanwhile.
func (s *Stage) batchLoop(ctx context.Context) error {
	for {
		batch, more := s.collect(ctx)
		if err := s.settle(ctx, batch); err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
}

// collect waits for a first clip, then for at most MaxWait for others.
func (s *Stage) collect(ctx context.Context) (batch []*job, more bool) {
	full := (<-chan time.Time)(nil)
	for len(batch) < s.MaxBatch {
		select {
		case j, ok := <-s.order:
			if !ok {
				return batch, false
			}
			<-j.decoded
			batch = append(batch, j)
			if full == nil {
				timer := time.NewTimer(s.MaxWait)
				defer timer.Stop()
				full = timer.C
			}
		case <-full:
			return batch, true
		case <-ctx.Done():
			return batch, false
		}
	}
	return batch, true
}

// settle publishes what follows from each clip and marks it done.
func (s *Stage) settle(ctx context.Context, batch []*job) error {
	var usable []*job
	for _, j := range batch {
		switch {
		case j.err == nil:
			usable = append(usable, j)
		case errors.Is(j.err, errTooOld):
			s.metrics.skipped.Add(ctx, 1, metric.WithAttributes(attribute.String("camera", j.clip.Camera)))
		default:
			s.Logger.WarnContext(j.ctx, "clip to dead-letter", "partition", j.msg.Partition, "offset", j.msg.Offset, "error", j.err)
			s.metrics.dead.Add(ctx, 1)
			if err := s.bury(ctx, j); err != nil {
				return err
			}
		}
	}
	recognised, err := s.recognise(ctx, usable)
	if err != nil {
		return err
	}
	if len(recognised) > 0 {
		if err := s.Bus.Send(ctx, recognised...); err != nil {
			return fmt.Errorf("publish recognitions: %w", err)
		}
	}
	for _, j := range batch {
		s.finish(ctx, j)
	}
	return nil
}

// bury sends a clip to dead-letter, in a call of its own: Kafka refuses a call
// whole for one record that is too large. One that it refuses for good is gone.
func (s *Stage) bury(ctx context.Context, j *job) error {
	err := s.Bus.Send(ctx, j.msg.DeadLetter(s.Names.Of(topics.DeadLetter), "infer", j.err))
	if bus.Permanent(err) {
		s.Logger.ErrorContext(j.ctx, "clip passed over, dead-letter refuses it", "partition", j.msg.Partition, "offset", j.msg.Offset, "error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish dead letter: %w", err)
	}
	return nil
}

func (s *Stage) finish(ctx context.Context, j *job) {
	if j.err != nil {
		j.span.SetStatus(codes.Error, j.err.Error())
	} else {
		s.metrics.clips.Add(ctx, 1)
		s.metrics.latency.Record(ctx, s.Now().Sub(j.clip.EndTime()).Seconds())
	}
	j.span.End()
	close(j.done)
}

// recognise runs the model once over the clips and scores each.
func (s *Stage) recognise(ctx context.Context, jobs []*job) ([]bus.Message, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	embedded, took, err := s.embed(ctx, jobs)
	if err != nil {
		return nil, err
	}
	// One vocabulary for the whole batch.
	matrix := s.Vocabulary.Current()
	out := make([]bus.Message, 0, len(jobs))
	for i, j := range jobs {
		msg, err := s.recognition(j, embedded, i, matrix, timing{model: took, batch: len(jobs)})
		if err != nil {
			return nil, err
		}
		out = append(out, msg)
	}
	return out, nil
}

// embed is the model's run. Its span is in no clip's trace and links to all.
func (s *Stage) embed(ctx context.Context, jobs []*job) (froster.ClipEmbeddings, time.Duration, error) {
	frames := make([]byte, 0, len(jobs)*len(jobs[0].pixels))
	links := make([]trace.Link, 0, len(jobs))
	for _, j := range jobs {
		frames = append(frames, j.pixels...)
		j.pixels = nil
		links = append(links, trace.LinkFromContext(j.ctx))
	}
	ctx, span := s.Tracer.Start(ctx, "infer.batch", trace.WithLinks(links...), trace.WithNewRoot(),
		trace.WithAttributes(attribute.Int("clips", len(jobs))))
	defer span.End()
	began := s.Now()
	e, err := s.Model.EmbedClips(ctx, frames, len(jobs))
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		return froster.ClipEmbeddings{}, 0, fmt.Errorf("embed %d clips: %w", len(jobs), err)
	}
	took := s.Now().Sub(began)
	s.metrics.batch.Record(ctx, int64(len(jobs)))
	s.metrics.model.Record(ctx, took.Seconds())
	return e, took, nil
}
