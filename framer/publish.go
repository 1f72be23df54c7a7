package framer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// farewell bounds how long Run goes on publishing after its context has ended:
// half of what there is before the camera's partition goes to another worker.
const farewell = bus.Grace / 2

// passEvery is how often the time without a connection is counted. The latest
// passBehind is left out, since a connection's first frame is handed over a little
// after it arrived.
const (
	passEvery  = time.Second
	passBehind = 2 * time.Second
)

// besidePictures is more than a clip's record takes beside its pictures.
const besidePictures = 64 << 10

// pictureMost is the most bytes of a picture, so that Kafka takes a clip of them.
const pictureMost = (topics.MaxRecordBytes - besidePictures) / topics.ClipFrames

// push queues a clip.
func (s *Stream) push(ctx context.Context, c topics.Clip) {
	s.coverage.complete(s.span)
	if j, full := s.queue.push(job{clip: c, made: s.Now(), span: s.span}); full {
		s.lose(ctx, j, gapQueueFull, errQueueFull)
	}
}

// lose counts a clip that won't be published.
func (s *Stream) lose(ctx context.Context, j job, reason string, err error) {
	s.metrics.drop(ctx, s.camera.Name, reason)
	s.coverage.lost(j.span, j.clip.Sequence, reason)
	s.losses.add(ctx, reason, j.clip.ID, err)
}

// Run publishes clips until ctx ends, and then those that are queued, for farewell
// at most.
func (s *Stream) Run(ctx context.Context) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		timer := time.NewTimer(farewell)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-sending.Done():
		}
	})()
	defer s.losses.forget()
	tick := time.NewTicker(passEvery)
	defer tick.Stop()
	for {
		if j, ok := s.queue.take(); ok {
			s.publish(sending, j)
			continue
		}
		select {
		case <-s.queue.ready:
		case <-tick.C:
			s.coverage.pass(s.Now().Add(-passBehind))
		case <-ctx.Done():
			if s.queue.empty() {
				s.coverage.pass(s.Now())
				return
			}
		}
	}
}

// publish sends one clip, and begins its trace, which the record's headers carry on.
func (s *Stream) publish(ctx context.Context, j job) {
	c := j.clip
	ctx, span := s.Tracer.Start(ctx, "framer.clip", trace.WithTimestamp(j.made), trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attribute.String("camera", c.Camera), attribute.String("clip", c.ID)))
	defer span.End()
	if err := s.send(ctx, j); err != nil {
		span.SetStatus(codes.Error, err.Error())
		reason := gapRefused
		switch {
		case errors.Is(err, bus.ErrMoved):
			reason = gapMoved
		case ctx.Err() != nil:
			reason = gapStopped
		}
		s.lose(ctx, j, reason, err)
		return
	}
	s.metrics.publish(ctx, c.Camera)
	s.coverage.published(j.span, c.Sequence)
	if s.queue.roomy() {
		s.losses.end(ctx)
	}
}

func (s *Stream) send(ctx context.Context, j job) error {
	value, err := topics.EncodeClip(j.clip)
	if err != nil {
		return err
	}
	if len(value) > topics.MaxRecordBytes {
		return fmt.Errorf("a clip has %d bytes, and Kafka takes %d at most: lower framer.short_side or framer.jpeg_quality", len(value), topics.MaxRecordBytes)
	}
	m := bus.Message{Topic: s.Names.Of(topics.Clips), Key: []byte(j.clip.Camera), Value: value, Since: j.made}
	s.Propagator.Inject(ctx, bus.HeaderCarrier{Headers: &m.Headers})
	_, err = s.sender(ctx, m)
	return err
}
