package infer

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// job is one clip on its way through the stage.
type job struct {
	msg  bus.Message
	clip topics.Clip
	term *term           // who recognises it
	ctx  context.Context // carries the clip's span, nothing else
	span trace.Span
	// moved is whether another worker reads the clip now.
	moved func() bool

	pixels  []byte        // set by a decoder: [frames, side, side, 3]
	err     error         // why the clip can't be used; goes to dead-letter
	took    time.Duration // of decoding
	read    time.Time
	decoded chan struct{} // closed by the decoder
	dropped bool          // left to another worker: not to be committed; set before done
	done    chan struct{} // closed when all that follows from the clip is acknowledged
}

const (
	// drainTime bounds what a stopping stage may still spend on acknowledging.
	drainTime = 3 * time.Second
	// handOver bounds what a partition that was taken away waits for the run that
	// its clips are in. Beyond it the group would go on without this worker
	// (internal/bus: 2 s); they are then read again.
	handOver = 1500 * time.Millisecond
)

// partition reads one partition's clips and commits them in order. Taken away,
// it leaves those that are not in a run to whom it is given.
func (s *Stage) partition(work, consume context.Context) func(context.Context, *bus.Partition) error {
	return func(ctx context.Context, p *bus.Partition) error {
		// In this order: when consuming ends, so does ctx.
		moved := func() bool { return ctx.Err() != nil && consume.Err() == nil }
		late, cancel := context.WithCancel(work)
		defer cancel()
		defer context.AfterFunc(ctx, func() {
			if moved() {
				time.AfterFunc(handOver, cancel)
			}
		})()
		// Bounded: it holds no more than is in the stage's own queues.
		pending := make(chan *job, cap(s.order)+s.MaxBatch)
		var g errgroup.Group
		g.Go(func() error { s.commitLoop(late, p, pending); return nil })
		g.Go(func() error {
			defer close(pending)
			return s.fetchLoop(ctx, work, p, pending, moved)
		})
		return g.Wait()
	}
}

func (s *Stage) fetchLoop(ctx, work context.Context, p *bus.Partition, pending chan<- *job, moved func() bool) error {
	for {
		msg, err := p.Fetch(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		j := s.newJob(ctx, msg)
		j.moved = moved
		select {
		case s.order <- j:
		case <-ctx.Done():
			s.drop(j)
			return nil
		case <-work.Done():
			return nil
		}
		// What is in order must be decoded, whatever has ended. Decoders never wait.
		s.decode <- j
		select {
		case pending <- j:
		case <-ctx.Done():
			// It is recognised and not committed: the next reader repeats it.
			return nil
		case <-work.Done():
			return nil
		}
	}
}

// newJob never fails: a clip that can't be used keeps its place in the order,
// so that its offset is committed after those before it.
func (s *Stage) newJob(ctx context.Context, msg bus.Message) *job {
	j := &job{msg: msg, term: s.terms.bind(), read: s.Now(), decoded: make(chan struct{}), done: make(chan struct{})}
	parent := s.Propagator.Extract(context.WithoutCancel(ctx), bus.HeaderCarrier{Headers: &msg.Headers})
	j.ctx, j.span = s.Tracer.Start(parent, "infer.recognise", trace.WithSpanKind(trace.SpanKindConsumer))
	j.clip, j.err = topics.DecodeClip(msg.Value)
	if j.err == nil && s.MaxAge > 0 && j.read.Sub(j.clip.EndTime()) > s.MaxAge {
		j.err = errTooOld
	}
	return j
}

// errTooOld marks a clip that is skipped, so that a backlog makes no alert
// late.
var errTooOld = errors.New("older than infer.max_age")

// drop leaves a clip to whoever reads its partition next.
func (s *Stage) drop(j *job) {
	j.dropped = true
	s.leave(j)
}

// leave ends a clip's way.
func (s *Stage) leave(j *job) {
	j.pixels = nil
	j.span.End()
	s.terms.release(j.term)
	close(j.done)
}

// commitLoop commits each clip once its recognition is acknowledged, until late
// ends.
func (s *Stage) commitLoop(late context.Context, p *bus.Partition, pending <-chan *job) {
	dropped := false
	for j := range pending {
		select {
		case <-j.done:
		case <-late.Done():
			dropped = true
		}
		// To commit what follows a dropped clip would lose it.
		if dropped = dropped || j.dropped; dropped {
			continue
		}
		commit, cancel := context.WithTimeout(late, drainTime)
		err := p.Commit(commit, j.msg.Offset+1)
		cancel()
		switch {
		case errors.Is(err, bus.ErrMoved):
			dropped = true
			s.Logger.DebugContext(j.ctx, "commit clip", "partition", p.ID(), "offset", j.msg.Offset, "error", err)
		case err != nil:
			// The clip will be read again and its recognition repeated under the
			// same id.
			s.Logger.WarnContext(j.ctx, "commit clip", "partition", p.ID(), "offset", j.msg.Offset, "error", err)
		}
	}
}
