// Package framer cuts cameras' frames into clips as FROSTER sees them: eight
// frames spread evenly over each window, picked by presentation time whatever
// the frame rate, resized, written as JPEG and published.
package framer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Options of a Framer. All are required but those that name a default.
type Options struct {
	Names      topics.Names
	Window     time.Duration // of video in one clip; where the camera doesn't say
	Stride     topics.Stride // between window starts; where the camera doesn't say
	ShortSide  int           // pixels of a carried frame's short side
	Quality    int           // of JPEG, 1 to 100
	Views      []topics.View // that clips are recognised by; where the camera doesn't say; none: topics.DefaultViews
	Queue      int           // clips of one camera that may wait for Kafka; a full queue drops the oldest
	Logger     *slog.Logger
	Meter      metric.Meter
	Tracer     trace.Tracer
	Propagator propagation.TextMapPropagator

	// MaxDrift is how far the times of clips may lie behind this machine's before a
	// new epoch is begun; smaller differences are worked off. 0: 5 s; negative: any,
	// and stream times are not touched.
	MaxDrift time.Duration
	// AcceptView is how long a camera has to show another view than usual until that is
	// a usual one too. 0: an hour.
	AcceptView time.Duration
	// Reporter gets a warning of each camera that loses clips; nil: nobody does.
	Reporter telemetry.Reporter
	Now      func() time.Time // nil: time.Now
}

func (o *Options) check() error {
	switch {
	case o.Logger == nil || o.Meter == nil || o.Tracer == nil || o.Propagator == nil:
		return errors.New("framer: logger, meter, tracer and propagator are required")
	case o.ShortSide < topics.MinShortSide || o.ShortSide > topics.MaxShortSide:
		return fmt.Errorf("framer: short side of %d pixels: want %d to %d", o.ShortSide, topics.MinShortSide, topics.MaxShortSide)
	case o.Quality < 1 || o.Quality > 100:
		return fmt.Errorf("framer: JPEG quality %d: want 1 to 100", o.Quality)
	case o.Queue < 1:
		return fmt.Errorf("framer: queue of %d clips: want at least 1", o.Queue)
	}
	if err := topics.CheckTimes(o.Window, o.Stride); err != nil {
		return fmt.Errorf("framer: %w", err)
	}
	if err := topics.CheckViews(o.Views); err != nil {
		return fmt.Errorf("framer: %w", err)
	}
	o.fill()
	return nil
}

func (o *Options) fill() {
	if o.MaxDrift == 0 {
		o.MaxDrift = 5 * time.Second
	}
	if o.AcceptView == 0 {
		o.AcceptView = time.Hour
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Framer makes a Stream for each camera.
type Framer struct {
	Options
	metrics  metrics
	canvases *media.Canvases
}

// New checks the options.
func New(o Options) (*Framer, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Meter)
	if err != nil {
		return nil, fmt.Errorf("framer: %w", err)
	}
	return &Framer{Options: o, metrics: m, canvases: media.NewCanvases(runtime.GOMAXPROCS(0))}, nil
}

// Stream returns the sink of one camera's frames; its clips go to send. The error
// is about the camera's window or stride.
func (f *Framer) Stream(c topics.Camera, send bus.SendFunc) (*Stream, error) {
	window, stride := cmp.Or(time.Duration(c.Window), f.Window), cmp.Or(c.Stride, f.Stride)
	if err := topics.CheckTimes(window, stride); err != nil {
		return nil, err
	}
	e, err := media.NewFrameEncoder(f.ShortSide, f.Quality)
	if err != nil {
		return nil, fmt.Errorf("frame camera %s: %w", c.Name, err)
	}
	e.Bound(pictureMost)
	e.Share(f.canvases)
	e.Mask(c.Masks)
	log := f.Logger.With("camera", c.Name)
	s := &Stream{
		Framer: f, camera: c, sender: send, log: log,
		sampler: newSampler(window, stride),
		encoder: e,
		queue:   newQueue(f.Queue),
		losses:  &losses{log: log, reporter: f.Reporter, part: "clips of " + c.Name},
		faults:  faults{lens: lens{accept: f.AcceptView}},
	}
	if s.views = c.Views; len(s.views) == 0 {
		s.views = f.Views
	}
	s.zooms, s.zones = slices.Contains(s.views, topics.ViewZoom), topics.ZonesOf(c.Zones)
	s.cuts = s.zooms || len(s.zones) > 0
	if slices.Equal(s.views, topics.DefaultViews()) {
		s.views = nil
	}
	s.Retag(c.Tags, c.Vocabulary)
	f.metrics.begin(context.Background(), c.Name)
	s.coverage = newCoverage(s.sampler.window, f.Now(), func(reason string, d time.Duration) {
		f.metrics.gap(context.Background(), c.Name, reason, d)
	})
	return s, nil
}
