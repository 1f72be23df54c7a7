package framer

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// job is a complete clip that waits to be published.
type job struct {
	clip topics.Clip
	made time.Time
}

// farewell bounds how long Run goes on publishing after its context has ended.
const farewell = 2 * time.Second

// push queues a clip. A full queue loses its oldest: what is seen now matters
// more.
func (s *Stream) push(ctx context.Context, c topics.Clip) {
	j := job{clip: c, made: time.Now()}
	for {
		select {
		case s.queue <- j:
			return
		default:
		}
		select {
		case <-s.queue:
			s.metrics.drop(ctx, s.camera.Name)
		default:
		}
	}
}

// Run publishes clips until ctx ends, and then what is queued, for two seconds
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
	for {
		select {
		case j := <-s.queue:
			s.publish(sending, j)
			continue
		default:
		}
		select {
		case j := <-s.queue:
			s.publish(sending, j)
		case <-ctx.Done():
			if len(s.queue) == 0 {
				return
			}
		}
	}
}

// publish sends one clip in a trace of its own, which the record's headers hand
// on.
func (s *Stream) publish(ctx context.Context, j job) {
	c := j.clip
	ctx, span := s.Tracer.Start(ctx, "framer.clip", trace.WithTimestamp(j.made), trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attribute.String("camera", c.Camera), attribute.String("clip", c.ID)))
	defer span.End()
	if err := s.send(ctx, c); err != nil {
		span.SetStatus(codes.Error, err.Error())
		s.metrics.drop(ctx, c.Camera)
		s.log.WarnContext(ctx, "clip is lost", "clip", c.ID, "error", err)
		return
	}
	s.metrics.publish(ctx, c.Camera)
}

func (s *Stream) send(ctx context.Context, c topics.Clip) error {
	value, err := topics.EncodeClip(c)
	if err != nil {
		return err
	}
	m := bus.Message{Topic: s.Names.Of(topics.Clips), Key: []byte(c.Camera), Value: value}
	s.Propagator.Inject(ctx, bus.HeaderCarrier{Headers: &m.Headers})
	_, err = s.Send(ctx, m)
	return err
}
