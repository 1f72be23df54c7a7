package infer

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// clip is one clip on its way through the stage: read (lease.read), decoded
// (decodeLoop), recognised with others (batchLoop), published and committed
// (lease.publish).
type clip struct {
	topics.Clip
	msg     bus.Message
	lease   *lease
	service *service        // what recognises it
	ctx     context.Context // carries the clip's span, nothing else
	span    trace.Span
	age     time.Duration // when it was read, by the broker's clock

	// err is why there is no recognition of it: errTooOld, errOvertaken, or what
	// is wrong with it, which goes to the dead letters. It is set by whoever has the
	// clip at the time.
	err    error
	pixels []byte        // set by a decoder: [frames, side, side, 3]
	took   time.Duration // of decoding
	result bus.Message   // set by batchLoop: its recognition

	decoded chan struct{} // closed when a decoder has finished with it
	// recognised is closed when nothing but its lease uses the clip any more, with
	// result, err or dropped set.
	recognised chan struct{}
	// dropped is that it was left unrecognised: it is neither published nor
	// committed, and so is read again.
	dropped bool
}

var (
	// errTooOld is of a clip that is skipped, so that a backlog makes no alert late.
	errTooOld = errors.New("older than infer.max_age")
	// errOvertaken is of a clip from a worker that had lost its camera to another
	// without knowing it.
	errOvertaken = errors.New("its sender had lost the camera to another worker")
)

// newClip never fails: a clip that can't be used keeps its place in the order, so
// that its offset is committed after those before it.
func (l *lease) newClip(ctx context.Context, msg bus.Message) *clip {
	c := &clip{msg: msg, lease: l, service: l.services.bind(), age: l.Bus.Age(msg), decoded: make(chan struct{}), recognised: make(chan struct{})}
	parent := l.Propagator.Extract(context.WithoutCancel(ctx), bus.HeaderCarrier{Headers: &msg.Headers})
	c.ctx, c.span = l.Tracer.Start(parent, "infer.recognise", trace.WithSpanKind(trace.SpanKindConsumer))
	c.Clip, c.err = topics.DecodeClip(msg.Value)
	switch {
	case c.err != nil:
	case l.senders.overtaken(c.Camera, msg):
		c.err = errOvertaken
	case l.tooOld(c.age):
		c.err = errTooOld
	}
	return c
}

func (s *Stage) tooOld(age time.Duration) bool { return s.MaxAge > 0 && age > s.MaxAge }

// finish ends what the stage does with a clip; the rest is its lease's.
func (c *clip) finish() {
	c.pixels, c.Frames = nil, nil
	c.lease.services.release(c.service)
	close(c.recognised)
}

// drop leaves a clip to whoever holds its partition next.
func (c *clip) drop() {
	c.dropped = true
	c.finish()
}

// end is the last that its lease does with a clip, also where it did not wait for
// the stage to finish with it.
func (c *clip) end() {
	select {
	case <-c.recognised:
		if c.err != nil {
			c.span.SetStatus(codes.Error, c.err.Error())
		}
	default:
	}
	c.span.End()
	c.lease.room.Release(c.weight())
}

// weight is what a clip takes of Stage.room.
func (c *clip) weight() int64 { return min(int64(len(c.msg.Value)), c.lease.roomBytes) }
