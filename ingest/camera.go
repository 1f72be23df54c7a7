package ingest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// runner keeps one camera's stream going.
type runner struct {
	*Stage
	camera topics.Camera
	sink   Sink
	log    *slog.Logger

	// What metrics ask for, from another goroutine.
	state atomic.Pointer[topics.StreamStatus]
	fps   atomic.Int64 // thousandths

	failures int // in a row, for the backoff
	attempt  int // tries since frames last came
	warned   string
}

// start runs a camera until stop is called, which waits for its end.
func (s *Stage) start(ctx context.Context, c topics.Camera, delay time.Duration) (stop func(reason string)) {
	r := &runner{Stage: s, camera: c, log: s.Logger.With("camera", c.Name)}
	ctx, cancel := context.WithCancel(ctx)
	s.live.add(r)
	var done sync.WaitGroup
	done.Go(func() { r.run(ctx, delay) })
	return func(reason string) {
		cancel()
		done.Wait()
		s.live.remove(r)
		r.status(topics.StreamStatus{State: topics.StreamStopped, Reason: reason})
	}
}

func (r *runner) run(ctx context.Context, delay time.Duration) {
	if !pause.For(ctx, delay) {
		return
	}
	sink, err := r.NewSink(r.camera)
	if err != nil {
		r.status(topics.StreamStatus{State: topics.StreamStopped, Reason: err.Error()})
		return
	}
	r.sink = sink
	// The sink outlives the stream: it finishes what it was handed.
	sinking, stopSink := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	done.Go(func() { sink.Run(sinking) })
	r.stream(ctx)
	stopSink()
	done.Wait()
}

// stream connects, and connects again, until ctx ends or there is nothing more
// to be had.
func (r *runner) stream(ctx context.Context) {
	for {
		r.attempt++
		r.status(topics.StreamStatus{State: topics.StreamConnecting, Attempt: r.attempt})
		lasted, err := r.connection(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, io.EOF) && !r.RepeatFiles {
			r.status(topics.StreamStatus{State: topics.StreamStopped, Reason: "end of file"})
			return
		}
		if errors.Is(err, io.EOF) {
			r.failures, r.attempt = 0, 0
			continue
		}
		var f *media.Fault
		if !errors.As(err, &f) {
			f = &media.Fault{Kind: media.KindOther, Text: err.Error()}
		}
		if f.Kind == media.KindAddress {
			// Nothing but another record will help.
			r.status(topics.StreamStatus{State: topics.StreamStopped, Reason: f.Text})
			return
		}
		if !r.wait(ctx, f, lasted) {
			return
		}
	}
}

// wait passes the time until the next try.
func (r *runner) wait(ctx context.Context, f *media.Fault, lasted time.Duration) bool {
	if lasted >= r.Backoff.ResetAfter {
		r.failures = 0
	}
	r.failures++
	d := r.Backoff.wait(r.failures)
	if f.Kind == media.KindCredentials {
		// Cameras lock users out after too many tries.
		d = r.Backoff.Max
	}
	r.metrics.reconnect(ctx, r.camera.Name, f.Kind)
	r.status(topics.StreamStatus{
		State: topics.StreamWaiting, Reason: f.Text, Attempt: r.attempt, RetryAt: r.Now().Add(d).UTC(),
	})
	return pause.For(ctx, d)
}

// connection opens the stream and hands its frames on until it ends, and says
// for how long frames came.
func (r *runner) connection(ctx context.Context) (lasted time.Duration, err error) {
	a, err := r.resolve(ctx)
	if err != nil {
		return 0, err
	}
	s, err := media.OpenStream(ctx, a.raw, media.StreamOptions{
		Transport: r.transport(), Open: r.OpenTimeout, Read: r.ReadTimeout, Watchdog: r.Watchdog, Threads: r.DecodeThreads,
		OnBytes:     func(n int) { r.metrics.bytes(ctx, r.camera.Name, n) },
		OnBadPacket: func() { r.metrics.bad(ctx, r.camera.Name) },
	})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	f, err := s.Next()
	if errors.Is(err, io.EOF) {
		err = media.NewFault(media.KindNotVideo, "the file holds no picture that can be decoded")
	}
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	err = r.frames(ctx, s, f)
	return time.Since(begun), err
}

// resolve makes the address, and looks its host up: libav's own look-up can't
// be interrupted.
func (r *runner) resolve(ctx context.Context) (address, error) {
	a, err := resolve(r.camera.URL, r.Protocols, r.Getenv)
	if err != nil || a.host == "" || net.ParseIP(a.host) != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.OpenTimeout)
	defer cancel()
	if _, err := net.DefaultResolver.LookupHost(ctx, a.host); err != nil {
		return address{}, dnsFault(ctx, a.host)
	}
	return a, nil
}

func (r *runner) transport() string {
	if r.camera.Transport != "" {
		return r.camera.Transport
	}
	return r.Transport
}

// frames hands f and what follows to the sink.
func (r *runner) frames(ctx context.Context, s *media.Stream, f *media.Frame) (err error) {
	info := s.Info()
	info.Width, info.Height = f.Width, f.Height
	r.attempt, r.warned = 0, ""
	r.log.InfoContext(ctx, "streaming", "url", telemetry.RedactURL(r.camera.URL), "codec", info.Codec,
		"width", info.Width, "height", info.Height)
	r.streaming(info)
	r.sink.Connected(info)
	defer func() { r.sink.Disconnected(err.Error()) }()
	p := pace{start: time.Now(), on: info.Recorded && !r.FilesAtOnce}
	m := meter{told: info.FPS > 0}
	for {
		if !p.wait(ctx, f.PTS) {
			return media.ErrStopped
		}
		if m.see(f.PTS) {
			info.FPS = m.fps
			r.streaming(info)
		}
		r.fps.Store(int64(m.fps * 1000))
		r.metrics.frame(ctx, r.camera.Name)
		if err := r.sink.Frame(ctx, f); err != nil {
			return err
		}
		if f, err = s.Next(); err != nil {
			return err
		}
	}
}

func (r *runner) streaming(i media.StreamInfo) {
	r.status(topics.StreamStatus{State: topics.StreamStreaming, Codec: i.Codec, Width: i.Width, Height: i.Height, FPS: i.FPS})
}

// status publishes where the stream stands; it never blocks.
func (r *runner) status(st topics.StreamStatus) {
	st.Camera, st.Worker, st.Since = r.camera.Name, r.Worker, r.Now().UTC()
	// A detail of the same state does not make it younger.
	if was := r.state.Load(); was != nil && was.State == st.State {
		st.Since = was.Since
	}
	r.state.Store(&st)
	if st.State != topics.StreamStreaming {
		r.fps.Store(0)
	}
	level := slog.LevelDebug
	if st.State == topics.StreamWaiting && st.Reason != r.warned {
		// Once for each reason: a camera may be away for weeks.
		level, r.warned = slog.LevelWarn, st.Reason
	}
	r.log.Log(context.Background(), level, "stream", "state", st.State, "reason", st.Reason)
	r.board.post(st)
}
