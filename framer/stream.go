package framer

import (
	"context"
	"errors"
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
// An epoch is a stretch of stream time without a break. A frame's capture time is
// the epoch's begin plus the frame's time on the epoch's clock (anchor): jitter of
// the network does not move it, the camera's own delay does.
type Stream struct {
	*Framer
	camera   topics.Camera
	views    []topics.View         // of its clips; none: the default
	zooms    bool                  // the view zoom is among them
	zones    []topics.Zone         // of the camera
	cuts     bool                  // squares are cut out of pictures at full size: for the view zoom, or for zones
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
	anchor anchor
	last   time.Duration // the latest frame, on the stream's clock
	step   time.Duration // the interval before it
	shown  time.Duration // until when the latest frame is on display
	quiet  bool          // frames after it were not decoded, since nothing happened
	width  int           // of the epoch's frames as they come
	height int
	early  []early       // complete windows that wait for the epoch's begin to be known
	gap    time.Duration // that ends the epoch
	whole  bool          // a window of the epoch was complete
	coarse bool          // it was said that pictures have less quality than is configured
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

// Accounted is until when the camera's time is counted, or covered by clips.
func (s *Stream) Accounted() time.Time { return s.coverage.accounted() }

// Resume counts the time since then: the process that read the camera has crashed.
func (s *Stream) Resume(since time.Time) { s.coverage.resume(since) }

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
	set := s.anchor.set
	at, apart := s.anchor.see(f.PTS, f.Arrived)
	if apart {
		s.endEpoch(ctx, breakDrift)
		s.startEpoch(ctx, f)
		set, at = false, 0
	}
	if s.anchor.set && !set {
		s.settle(ctx)
	}
	if f.PTS > s.last {
		s.step = f.PTS - s.last
	}
	s.last, s.quiet = f.PTS, f.Skipped > 0
	s.shown = at + s.display(f)
	return s.cut(ctx, f, at, s.shown)
}

func (s *Stream) startEpoch(ctx context.Context, f *media.Frame) {
	s.in, s.last, s.step, s.quiet = true, f.PTS, 0, false
	s.width, s.height = f.Width, f.Height
	s.anchor.limit = s.MaxDrift
	s.anchor.begin(f.PTS, f.Arrived)
	s.whole = false
	s.sampler.reset()
	s.span = s.coverage.begin(f.Arrived, s.sampler.start)
	s.log.DebugContext(ctx, "epoch begins", "arrived", f.Arrived)
}

func (s *Stream) endEpoch(ctx context.Context, why string) {
	if !s.in {
		return
	}
	s.in = false
	if !s.anchor.set {
		s.anchor.settle()
		s.settle(ctx)
	}
	if !s.whole {
		s.explain(why)
	}
	left := s.sampler.reset()
	s.coverage.end(s.anchor.epoch.Add(s.shown), why)
	s.metrics.epoch(ctx, s.camera.Name, why, left)
	s.log.DebugContext(ctx, "epoch ends", "reason", why, "incomplete", left)
}

// settle is called when it is known when the epoch began.
func (s *Stream) settle(ctx context.Context) {
	s.coverage.move(s.span, s.anchor.epoch)
	for _, w := range s.sampler.open {
		s.date(w.frames)
	}
	for _, e := range s.early {
		s.date(e.window.frames)
		s.push(ctx, s.clip(e.window, e.w, e.h))
	}
	s.early = nil
}

// date sets the capture times of frames that were picked before the epoch's begin was
// known.
func (s *Stream) date(frames []topics.ClipFrame) {
	for i := range frames {
		frames[i].Captured = s.anchor.epoch.Add(frames[i].Stream)
	}
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
	switch {
	case f.Width != s.width || f.Height != s.height:
		return breakSize
	case f.PTS < s.last:
		return breakBackwards
	case f.PTS-s.last > s.longest(s.quiet):
		s.gap = f.PTS - s.last
		return breakGap
	}
	return ""
}

// onDisplay is how long a frame stays on display at least before what comes next is a gap:
// some cameras send a frame a second, or one in two seconds while nothing happens.
const onDisplay = 3500 * time.Millisecond

// longest is for how long a frame stays on display at most. quiet is whether others came
// after it that were not decoded, since nothing happened.
func (s *Stream) longest(quiet bool) time.Duration {
	if quiet {
		// A little more, since that is by the packets' times.
		return max(media.SkipMost+time.Second, onDisplay, s.sampler.stepTime())
	}
	return max(onDisplay, s.sampler.stepTime())
}

// display is how long a frame is on display: until its successor comes, or as long as
// the one before it where a gap follows.
func (s *Stream) display(f *media.Frame) time.Duration {
	if d := f.Until - f.PTS; d >= 0 && d <= s.longest(f.Skipped > 0) {
		return d
	}
	return max(s.step, tolerance)
}

// cut adds the frame to the windows that have a target while it is on display. It is
// converted and compressed once, however many they are.
func (s *Stream) cut(ctx context.Context, f *media.Frame, at, until time.Duration) error {
	defer s.encoder.Rest()
	var picture topics.ClipFrame
	var still *media.Still
	var w, h int
	complete, err := s.sampler.see(until, func(win *window) error {
		if picture.JPEG == nil {
			var err error
			if picture, w, h, err = s.encode(ctx, f, at); err != nil {
				return err
			}
			if s.cuts {
				if still, err = s.encoder.Still(); err != nil {
					return err
				}
			}
		}
		win.frames = append(win.frames, picture)
		if f.Skipped == 0 && !f.Still {
			win.busy = true
		}
		if s.cuts {
			win.stills = append(win.stills, still)
		}
		return nil
	})
	for _, win := range complete {
		s.whole = true
		s.broken.Store(nil)
		err = errors.Join(err, s.zoomIn(ctx, win))
		if !s.anchor.set {
			s.early = append(s.early, early{win, w, h})
			continue
		}
		s.push(ctx, s.clip(win, w, h))
	}
	if len(s.early) >= s.Queue {
		s.anchor.settle()
		s.settle(ctx)
	}
	return err
}

// encode makes a clip's picture of a frame, and its size.
func (s *Stream) encode(ctx context.Context, f *media.Frame, at time.Duration) (picture topics.ClipFrame, w, h int, err error) {
	begun := time.Now()
	data, w, h, err := s.encoder.Encode(f)
	if err != nil {
		return picture, 0, 0, err
	}
	s.metrics.encoded(ctx, time.Since(begun))
	if q := s.encoder.Quality(); q < s.Quality && !s.coarse {
		s.coarse = true
		s.log.WarnContext(ctx, "pictures are compressed more than framer.jpeg_quality says, so that a clip fits into a record: a smaller framer.short_side shows more", "quality", q)
	}
	captured := s.anchor.epoch.Add(at)
	s.faults.see(s.encoder.Seen(), captured)
	return topics.ClipFrame{JPEG: data, Stream: at, Captured: captured}, w, h, nil
}

// early is a window that is complete before it is known when its epoch began: a camera
// has sent all of it at once.
type early struct {
	window *window
	w, h   int // of its pictures
}

func (s *Stream) clip(win *window, w, h int) topics.Clip {
	of := s.marks.Load()
	return topics.Clip{
		ID: topics.ClipID(s.camera.Name, s.anchor.epoch, win.start), Camera: s.camera.Name, Tags: of.tags, Vocabulary: of.vocabulary,
		Epoch: s.anchor.epoch, Sequence: win.number, Start: win.start, Window: s.sampler.window,
		Width: w, Height: h, Frames: win.frames, Views: s.views, Zoom: win.zoom, Zones: win.zones, Quiet: !win.busy,
	}
}
