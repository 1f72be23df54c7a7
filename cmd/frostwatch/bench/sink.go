package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// sink counts the framer's clips and throws them away.
type sink struct {
	clips atomic.Int64

	mu   sync.Mutex
	seen map[string]bool // cameras that have sent a clip
	calm map[string]bool // cameras of which keyframes alone are decoded
	info media.StreamInfo

	turns *media.Turns
}

// resting is how many cameras have learned what is usual for them, and are decoded
// keyframe by keyframe.
func (r *sink) resting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.calm) - r.turns.Waiting()
}

// rested waits until all cameras rest, or until no more of them have come to rest for a
// while: films in which something moves never do.
func (r *sink) rested(ctx context.Context, cameras int) (resting int, err error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for since := time.Now(); time.Since(since) < calmTime; {
		if n := r.resting(); n > resting {
			resting, since = n, time.Now()
		}
		if resting >= cameras {
			return resting, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	return resting, nil
}

func (r *sink) send(_ context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
	r.clips.Add(int64(len(msgs)))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range msgs {
		r.seen[string(m.Key)] = true
	}
	return make([]topics.RecordRef, len(msgs)), nil
}

// settled waits until every camera has sent a clip.
func (r *sink) settled(ctx context.Context, cameras int) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime+time.Duration(cameras)*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		r.mu.Lock()
		n := len(r.seen)
		r.mu.Unlock()
		if n == cameras {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d cameras have sent a clip: %w", n, cameras, context.Cause(ctx))
		}
	}
}

func (r *sink) stream() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.info.Codec == "" {
		return "read by other processes"
	}
	s := fmt.Sprintf("%s %dx%d", r.info.Codec, r.info.Width, r.info.Height)
	if r.info.FPS > 0 {
		s += fmt.Sprintf(" %.4g fps", r.info.FPS)
	}
	return s
}

// watched is a framer's stream that records what is passed to it.
type watched struct {
	*framer.Stream
	r      *sink
	camera string
}

func (w watched) Frame(ctx context.Context, f *media.Frame) error {
	w.r.mu.Lock()
	if f.Skipped > 0 {
		w.r.calm[w.camera] = true
	} else {
		delete(w.r.calm, w.camera)
	}
	w.r.mu.Unlock()
	return w.Stream.Frame(ctx, f)
}

func (w watched) Connected(info media.StreamInfo) {
	w.r.mu.Lock()
	w.r.info = info
	w.r.mu.Unlock()
	w.Stream.Connected(info)
}

// withIngest calls do while the ingest stage runs and sends its clips to the
// sink.
func (b *bench) withIngest(ctx context.Context, pr *process.Process, do func(context.Context, *sink) error) error {
	r := &sink{seen: map[string]bool{}, calm: map[string]bool{}, turns: ingest.DefaultTurns()}
	o := process.IngestOptions{Send: r.send, Turns: r.turns}
	if pr.Config.Ingest.Processes == 0 {
		o.Wrap = func(c topics.Camera, s *framer.Stream) ingest.Sink { return watched{s, r, c.Name} }
	}
	s, err := pr.NewIngest(o)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	ended := make(chan error, 1)
	go func() {
		err := s.Run(ctx)
		stop(errors.Join(errors.New("ingest ended on its own"), err))
		ended <- err
	}()
	err = do(ctx, r)
	stop(nil)
	return errors.Join(err, <-ended)
}
