package ingest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// runner keeps one camera's stream going.
type runner struct {
	*Stage
	camera topics.Camera // as it was when the stream was begun
	board  *board
	send   bus.SendFunc
	log    *slog.Logger
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu   sync.Mutex
	sink Sink // nil before it is made
	// Of the clips to come.
	tags       []string
	vocabulary string

	health health
	reel   *reel // nil: its packets are not kept

	// Read by metrics and by the progress watch, from other goroutines.
	state   atomic.Pointer[topics.StreamStatus]
	main    atomic.Pointer[topics.MainStream] // nil: none is read
	fps     atomic.Int64                      // thousandths
	clipped atomic.Int64                      // when Kafka acknowledged the newest clip, Unix nanoseconds; 0: none yet

	counted time.Time // until when the camera's time is accounted for, by the process before; zero: it was not read

	failures int           // in a row, for the backoff
	length   time.Duration // of the video that the latest connection gave
	attempt  int           // tries since frames last came
	warned   string        // the reason that was logged last, "" since frames last came
}

// start runs a camera until stop or giveUp is called. It begins when after is
// closed (nil: at once), and the delay has passed. offline is since when the camera
// was offline for the worker before; zero: it was not.
func (s *Stage) start(ctx context.Context, c topics.Camera, delay time.Duration, offline time.Time, after <-chan struct{}, b *board, send bus.SendFunc) *runner {
	return s.begin(ctx, c, before{delay: delay, offline: offline, after: after}, b, send)
}

// before is what was before a camera's start.
type before struct {
	delay   time.Duration
	offline time.Time
	after   <-chan struct{}
	counted time.Time
}

// begin is start.
func (s *Stage) begin(ctx context.Context, c topics.Camera, was before, b *board, send bus.SendFunc) *runner {
	r := &runner{Stage: s, camera: c, tags: c.Tags, vocabulary: c.Vocabulary, board: b, log: s.Logger.With("camera", c.Name), counted: was.counted}
	r.health.offline = was.offline
	r.send = func(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
		refs, err := send(ctx, msgs...)
		if err == nil {
			r.clipped.Store(r.Now().UnixNano())
		}
		return refs, err
	}
	ctx, r.cancel = context.WithCancel(ctx)
	s.live.add(r)
	s.metrics.begin(ctx, c.Name)
	r.done.Go(func() {
		if was.after != nil {
			<-was.after
		}
		label(ctx, c.Name)
		if r.reel = r.films.reel(c); r.reel != nil && c.Watch != "" {
			r.done.Go(func() { r.keepMain(ctx, was.delay) })
		}
		r.run(ctx, was.delay)
	})
	return r
}

// cameraLabel is the label of goroutines that work for a camera.
const cameraLabel = "camera"

// label marks this goroutine, and those that it starts, so that a crash says by which
// camera it came. pprof.Do would take the label off before a panic is reported.
func label(ctx context.Context, camera string) {
	pprof.SetGoroutineLabels(pprof.WithLabels(ctx, pprof.Labels(cameraLabel, camera)))
}

// stop ends the camera and waits for it.
func (r *runner) stop() {
	r.cancel()
	r.done.Wait()
	r.films.close(r.camera.Name, r.reel)
	r.health.end()
	r.live.remove(r)
	r.progress.forget(r)
}

// giveUp stops the camera and publishes why.
func (r *runner) giveUp(reason string) {
	r.stop()
	r.publish(topics.StreamStatus{State: topics.StreamStopped, Reason: reason})
}

// part is the camera's name in the worker's readiness.
func (r *runner) part() string { return partOf(r.camera.Name) }

func partOf(camera string) string { return "camera " + camera }

// retag sets the tags and the vocabulary of clips made from now on; the stream goes on.
func (r *runner) retag(tags []string, vocabulary string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags, r.vocabulary = tags, vocabulary
	if r.sink != nil {
		r.sink.Retag(tags, vocabulary)
	}
}

// broken is what the sink says of the video (Sink.Broken).
func (r *runner) broken() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sink == nil {
		return ""
	}
	return r.sink.Broken()
}

func (r *runner) newSink() (Sink, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.camera
	c.Tags, c.Vocabulary = r.tags, r.vocabulary
	var err error
	if r.sink, err = r.NewSink(c, r.send); err != nil {
		return nil, err
	}
	if a, can := r.sink.(accountant); can && !r.counted.IsZero() {
		a.Resume(r.counted)
		r.counted = time.Time{}
	}
	return r.sink, nil
}

// accounted is until when the camera's time is accounted for; zero: it is not known.
func (r *runner) accounted() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, can := r.sink.(accountant); can {
		return a.Accounted()
	}
	return time.Time{}
}

func (r *runner) run(ctx context.Context, delay time.Duration) {
	if !pause.For(ctx, delay) {
		return
	}
	for {
		own := r.resolver.trust.owns(r.camera)
		stopped := r.watch(ctx)
		if !stopped || own || !r.resolver.trust.await(ctx, r.camera) {
			return
		}
		r.log.InfoContext(ctx, "camera tried again: it is one of this worker's own now")
	}
}

// watch opens the stream, again and again, until ctx ends or the stream does.
// stopped is whether only an edit, of its record or of Trust.Own, can make it open.
func (r *runner) watch(ctx context.Context) (stopped bool) {
	sink, err := r.newSink()
	if err != nil {
		r.fail(err.Error())
		return true
	}
	// The sink outlives the stream: it finishes what it was handed.
	sinking, stopSink := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	done.Go(func() { sink.Run(sinking) })
	stopped = r.stream(ctx, sink)
	stopSink()
	done.Wait()
	return stopped
}

// stream connects, and connects again, until ctx ends or another try would be of
// no use. stopped is as for watch.
func (r *runner) stream(ctx context.Context, sink Sink) (stopped bool) {
	for {
		r.attempt++
		r.status(topics.StreamStatus{State: topics.StreamConnecting, Attempt: r.attempt})
		lasted, err := r.connection(ctx, sink)
		if ctx.Err() != nil {
			return false
		}
		if errors.Is(err, io.EOF) {
			r.ended(ctx)
			return false
		}
		var f *media.Fault
		if !errors.As(err, &f) {
			f = &media.Fault{Kind: media.KindOther, Text: err.Error()}
		}
		if f.Kind == media.KindAddress {
			// Only another record can help.
			r.fail(f.Text)
			return true
		}
		if !r.wait(ctx, f, lasted) {
			return false
		}
	}
}

// fail reports why the camera is not tried again, as a warning: somebody must act.
func (r *runner) fail(reason string) {
	r.log.Warn("camera stopped, and not tried again until it is changed", "reason", reason)
	r.health.away(r.Now())
	r.status(topics.StreamStatus{State: topics.StreamStopped, Reason: reason})
	r.Reporter.Warning(r.part(), errors.New(reason))
}

// wait waits until the next try; false where ctx ends before.
func (r *runner) wait(ctx context.Context, f *media.Fault, lasted time.Duration) bool {
	if lasted >= r.Backoff.ResetAfter {
		r.failures = 0
	}
	r.failures++
	d := r.Backoff.after(r.failures, lasted, r.window())
	if f.Kind == media.KindCredentials || f.Kind == kindRefused {
		// Many cameras lock a user out after too many tries, and where a host's name
		// leads seldom changes.
		d = r.Backoff.Max
	}
	r.metrics.reconnect(ctx, r.camera.Name, f.Kind)
	r.Reporter.Warning(r.part(), f)
	if f.Text != r.warned {
		// Once for each reason: a camera may be away for weeks.
		r.warned = f.Text
		r.log.WarnContext(ctx, "stream", "state", topics.StreamWaiting, "reason", f.Text)
	}
	r.status(topics.StreamStatus{
		State: topics.StreamWaiting, Reason: f.Text, Attempt: r.attempt, RetryAt: r.Now().Add(d).UTC(),
	})
	return pause.For(ctx, d)
}

// waits publishes why a stream that is open shows nothing yet.
func (r *runner) waits(ctx context.Context, reason string) {
	r.Reporter.Warning(r.part(), errors.New(reason))
	if reason != r.warned {
		r.warned = reason
		r.log.WarnContext(ctx, "stream", "state", topics.StreamConnecting, "reason", reason)
	}
	r.status(topics.StreamStatus{State: topics.StreamConnecting, Reason: reason, Attempt: r.attempt})
}

// connection opens the stream and hands its frames on until it ends. lasted is for
// how long frames came.
func (r *runner) connection(ctx context.Context, sink Sink) (lasted time.Duration, err error) {
	a, err := r.address(ctx)
	if err != nil {
		return 0, err
	}
	s, err := r.opener().open(ctx, r.camera, a, r.streamOptions(ctx))
	if err != nil {
		return 0, err
	}
	defer s.Close()
	r.lookedReel().connected(s.Track())
	f, err := s.Next()
	if errors.Is(err, io.EOF) {
		err = media.NewFault(media.KindNotVideo, "the file holds no picture that can be decoded")
	}
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	err = r.frames(ctx, sink, s, f)
	return time.Since(begun), err
}

// address is where to connect now.
func (r *runner) address(ctx context.Context) (address, error) {
	return r.addressOf(ctx, r.camera.Looked(), r.failures)
}

// addressOf is where one of the camera's URLs leads now; turn is as for reach.
func (r *runner) addressOf(ctx context.Context, raw string, turn int) (address, error) {
	a, err := r.resolver.resolve(r.camera, raw)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.OpenTimeout)
	defer cancel()
	return r.resolver.reach(ctx, a, turn)
}

// window is of how much video the camera's clips are.
func (r *runner) window() time.Duration {
	return cmp.Or(time.Duration(r.camera.Window), r.Window)
}

// onDemand is whether only keyframes are decoded while nothing happens.
func (r *runner) onDemand() bool {
	return cmp.Or(r.camera.Decode, r.Decode) == topics.DecodeDemand
}

func (r *runner) transport() string {
	if r.camera.Transport != "" {
		return r.camera.Transport
	}
	return r.Transport
}

// status publishes the stream's state; it never blocks.
func (r *runner) status(st topics.StreamStatus) {
	st = r.publish(st)
	if st.State != topics.StreamStreaming {
		r.fps.Store(0)
	}
	r.log.Debug("stream", "state", st.State, "reason", st.Reason)
}
