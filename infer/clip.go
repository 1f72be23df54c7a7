package infer

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// clip is one clip on its way through the stage: read (lease.read), decoded
// (decodeLoop), recognised together with others (batchLoop), published and
// committed (lease.publish).
type clip struct {
	topics.Clip
	msg     bus.Message
	lease   *lease
	service *service        // the model that recognises it
	ctx     context.Context // carries the clip's span and is never cancelled
	span    trace.Span
	age     time.Duration // when it was read, by the broker's clock

	// err is why it has no recognition: errTooOld, errOvertaken, or what is wrong
	// with it and goes to the dead letters. Whoever holds the clip sets it.
	err        error
	matrix     *scoring.Matrix // set by batchLoop: the vocabulary that it is scored against
	looks      []media.Look    // the squares of its picture that the model sees; none if it can't be used
	whole      int             // of them so many are of the whole picture; then come those of zones that rules name
	watch      cameraWatch     // what rules watch on its camera
	pixels     []byte          // set by a decoder: [looks, frames, side, side, 3]
	pieces     []piece         // in place of pixels, if the model is framewise: [looks, frames]
	took       time.Duration   // decoding
	seen       []scoring.Clip  // set by batchLoop: of each look
	embeddedAs string          // the clip whose embeddings seen are; empty: its own
	ran        time.Duration   // the model's runs that it was in
	batch      int             // squares in the largest of them
	result     bus.Message     // set by batchLoop: its recognition

	decoded chan struct{} // closed when a decoder has finished with it
	// recognised is closed when only its lease uses the clip any more; result, err
	// or dropped is set by then.
	recognised chan struct{}
	// dropped clips were not recognised. They are neither published nor committed,
	// so whoever holds the partition next reads them again.
	dropped bool
}

var (
	// errTooOld marks a clip that is skipped, so that a backlog delays no alert.
	errTooOld = errors.New("older than infer.max_age")
	// errOvertaken marks a clip from a worker that no longer had the camera and did
	// not know it yet.
	errOvertaken = errors.New("its sender had lost the camera to another worker")
)

// newClip never fails: a clip that can't be used keeps its place in the order, so
// that offsets are committed in order.
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
	default:
		c.looks = media.Looks(c.Clip, c.service.Side, c.service.Resize)
		c.whole = len(c.looks)
		c.watch = l.watched.of(c.Camera)
		c.looks = append(c.looks, media.ZoneLooks(c.Clip, c.service.Resize, c.watch.zone)...)
	}
	return c
}

func (s *Stage) tooOld(age time.Duration) bool { return s.MaxAge > 0 && age > s.MaxAge }

// finish returns a clip to its lease when the rest of the stage is done with it.
func (c *clip) finish() {
	c.dropPictures()
	c.pixels, c.pieces, c.matrix, c.seen = nil, nil, nil, nil
	c.lease.services.release(c.service)
	close(c.recognised)
}

// dropPictures drops the pictures that are decoded, or won't be.
func (c *clip) dropPictures() {
	c.Frames, c.Zoom = nil, nil
	for i := range c.Zones {
		c.Zones[i].Zoom = nil
	}
}

// drop returns a clip to its lease unrecognised.
func (c *clip) drop() {
	c.dropped = true
	c.finish()
}

// end is called once by its lease, which may not have waited until the clip was
// recognised.
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

// weight is how much of Stage.room a clip occupies, in bytes: its whole record, of
// which the key or the headers may be the largest part, and the pixels of its views
// beyond the first. (Those of the first are bounded by how many clips there are.)
func (c *clip) weight() int64 {
	n := len(c.msg.Key) + len(c.msg.Value)
	if more := len(c.looks) - 1; more > 0 {
		n += more * c.service.pictureBytes()
	}
	for _, h := range c.msg.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return min(int64(n), c.lease.roomBytes)
}
