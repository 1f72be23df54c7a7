package infer

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/internal/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// job is one clip on its way through the stage.
type job struct {
	msg  bus.Message
	clip topics.Clip
	ctx  context.Context // carries the clip's span, nothing else
	span trace.Span

	pixels  []byte        // set by a decoder: [frames, side, side, 3]
	err     error         // why the clip can't be used; goes to dead-letter
	took    time.Duration // of decoding
	read    time.Time
	decoded chan struct{} // closed by the decoder
	done    chan struct{} // closed when all that follows from the clip is acknowledged
}

// drainTime bounds what a stopping stage may still spend on acknowledging.
const drainTime = 3 * time.Second

// partition reads one partition's clips and commits them in order.
func (s *Stage) partition(work context.Context) func(context.Context, *bus.Partition) error {
	return func(ctx context.Context, p *bus.Partition) error {
		// Bounded: it holds no more than is in the stage's own queues.
		pending := make(chan *job, cap(s.order)+s.MaxBatch)
		var g errgroup.Group
		g.Go(func() error { s.commitLoop(ctx, work, p, pending); return nil })
		g.Go(func() error {
			defer close(pending)
			return s.fetchLoop(ctx, work, p, pending)
		})
		return g.Wait()
	}
}

func (s *Stage) fetchLoop(ctx, work context.Context, p *bus.Partition, pending chan<- *job) error {
	for {
		msg, err := p.Fetch(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		j := s.newJob(ctx, msg)
		for _, queue := range []chan<- *job{s.order, s.decode, pending} {
			select {
			case queue <- j:
			case <-work.Done():
				return nil
			}
		}
	}
}

// newJob never fails: a clip that can't be used keeps its place in the order,
// so that its offset is committed after those before it.
func (s *Stage) newJob(ctx context.Context, msg bus.Message) *job {
	j := &job{msg: msg, read: s.Now(), decoded: make(chan struct{}), done: make(chan struct{})}
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

// commitLoop commits each clip once its recognition is acknowledged.
func (s *Stage) commitLoop(ctx, work context.Context, p *bus.Partition, pending <-chan *job) {
	for j := range pending {
		select {
		case <-j.done:
		case <-work.Done():
			continue
		}
		commit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		if err := p.Commit(commit, j.msg.Offset+1); err != nil {
			// The clip will be read again and its recognition repeated under the
			// same id.
			s.Logger.WarnContext(j.ctx, "commit clip", "partition", p.ID(), "offset", j.msg.Offset, "error", err)
		}
		cancel()
	}
}
