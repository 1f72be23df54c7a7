package framer

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Stream cuts one camera's frames into clips. It fits ingest.Sink.
//
// An epoch is a stretch of stream time without a break. Its wall-clock time is
// the arrival of its first frame, and a frame's capture time is that plus its
// stream time: jitter of the network does not move it, the camera's own delay
// does.
type Stream struct {
	*Framer
	camera   topics.Camera
	marks    atomic.Pointer[marks] // of the clips to come
	sender   bus.SendFunc
	log      *slog.Logger
	sampler  *sampler
	encoder  *media.FrameEncoder
	queue    *queue
	losses   *losses
	coverage *coverage

	in     bool // an epoch has begun
	span   *span
	epoch  time.Time
	zero   time.Duration // the stream's time of the epoch's first frame
	last   time.Duration // the latest frame, on the epoch's clock
	step   time.Duration // the interval before it
	shown  time.Duration // until when the latest frame is on display
	width  int           // of the epoch's frames as they come
	height int
	drift  drift
	gap    time.Duration // that ends the epoch
	whole  bool          // a window of the epoch was complete
	broken atomic.Pointer[string]
	faults faults
}

// Picture is that of ingest.Sink.
func (s *Stream) Picture() *topics.PictureFaults { return s.faults.now() }

// Broken is that of ingest.Sink.
func (s *Stream) Broken() string {
	if why := s.broken.Load(); why != nil {
		return *why
	}
	return ""
}

// marks are what a camera's record has copied to its clips.
type marks struct {
	tags       []string
	vocabulary string
}

// Retag sets tags and vocabulary of clips that are completed from now on; the epoch
// goes on. Any goroutine may call it.
func (s *Stream) Retag(tags []string, vocabulary string) { s.marks.Store(&marks{tags, vocabulary}) }

// Connected ends the epoch: the new connection has a clock of its own.
func (s *Stream) Connected(media.StreamInfo) {
	s.endEpoch(context.Background(), gapNotConnected)
	s.faults.reset()
}

// Disconnected drops incomplete windows.
func (s *Stream) Disconnected(reason string) {
	why := gapNotConnected
	if reason == media.ErrStopped.Error() || reason == io.EOF.Error() {
		why = gapStopped
	}
	s.endEpoch(context.Background(), why)
}

// Frame gives a frame to the windows that it belongs to.
func (s *Stream) Frame(ctx context.Context, f *media.Frame) error {
	if s.in {
		if why := s.breaks(f); why != "" {
			s.endEpoch(ctx, why)
		}
	}
	if !s.in {
		s.startEpoch(ctx, f)
	}
	at := f.PTS - s.zero
	if at > s.last {
		s.step = at - s.last
	}
	s.last, s.shown = at, s.until(f)
	return s.cut(ctx, f, at, s.shown)
}

func (s *Stream) startEpoch(ctx context.Context, f *media.Frame) {
	s.in, s.epoch, s.zero, s.last, s.step = true, f.Arrived, f.PTS, 0, 0
	s.width, s.height = f.Width, f.Height
	s.drift = drift{limit: s.MaxDrift}
	s.whole = false
	s.sampler.reset()
	s.span = s.coverage.begin(s.epoch, s.sampler.start)
	s.log.DebugContext(ctx, "epoch begins", "epoch", s.epoch)
}

func (s *Stream) endEpoch(ctx context.Context, why string) {
	if !s.in {
		return
	}
	s.in = false
	if !s.whole {
		s.explain(why)
	}
	left := s.sampler.reset()
	s.coverage.end(s.epoch.Add(s.shown), why)
	s.metrics.epoch(ctx, s.camera.Name, why, left)
	s.log.DebugContext(ctx, "epoch ends", "reason", why, "incomplete", left)
}

// explain notes why an epoch that ends has made no clip.
func (s *Stream) explain(why string) {
	if why == breakGap {
		why = fmt.Sprintf("no frame for %v", s.gap.Round(10*time.Millisecond))
	}
	text := fmt.Sprintf("its video broke off after %v (%s), and a clip takes %v without a break", s.shown.Round(10*time.Millisecond), why, s.sampler.window.Round(time.Millisecond))
	s.broken.Store(&text)
}

// The reasons why an epoch ends before its connection does.
const (
	breakBackwards = "time ran backwards"
	breakGap       = "gap"
	breakSize      = "resolution changed"
	breakDrift     = "the clocks drifted apart"
)

// breaks says why a frame can't belong to the epoch of the one before it; "" if it
// can.
func (s *Stream) breaks(f *media.Frame) string {
	at := f.PTS - s.zero
	switch {
	case f.Width != s.width || f.Height != s.height:
		return breakSize
	case at < s.last:
		return breakBackwards
	case at-s.last > s.sampler.stepTime():
		s.gap = at - s.last
		return breakGap
	case s.drift.exceeds(at, f.Arrived.Sub(s.epoch)):
		return breakDrift
	}
	return ""
}

// until is how long a frame counts as on display, on the epoch's clock: until
// its successor, or as long as the one before it where a gap follows.
func (s *Stream) until(f *media.Frame) time.Duration {
	if d := f.Until - f.PTS; d > 0 && d <= s.sampler.stepTime() {
		return f.Until - s.zero
	}
	return f.PTS - s.zero + max(s.step, tolerance)
}

// cut adds the frame to the windows that have a target while it is on display. It is
// converted and compressed once, however many they are.
func (s *Stream) cut(ctx context.Context, f *media.Frame, at, until time.Duration) error {
	var picture topics.ClipFrame
	var w, h int
	complete, err := s.sampler.see(until, func(win *window) error {
		if picture.JPEG == nil {
			begun := time.Now()
			data, width, height, err := s.encoder.Encode(f)
			if err != nil {
				return err
			}
			s.metrics.encoded(ctx, time.Since(begun))
			s.faults.see(s.encoder.Seen(), s.epoch.Add(at))
			picture = topics.ClipFrame{JPEG: data, Stream: at, Captured: s.epoch.Add(at)}
			w, h = width, height
		}
		win.frames = append(win.frames, picture)
		return nil
	})
	of := s.marks.Load()
	for _, win := range complete {
		s.whole = true
		s.broken.Store(nil)
		s.push(ctx, topics.Clip{
			ID: topics.ClipID(s.camera.Name, s.epoch, win.start), Camera: s.camera.Name, Tags: of.tags, Vocabulary: of.vocabulary,
			Epoch: s.epoch, Sequence: win.number, Start: win.start, Window: s.sampler.window,
			Width: w, Height: h, Frames: win.frames,
		})
	}
	return err
}
