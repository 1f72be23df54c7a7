// Package framer cuts cameras' frames into clips as FROSTER sees them: eight
// frames spread evenly over each window, picked by presentation time whatever
// the frame rate, resized, written as JPEG and published.
package framer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Options of a Framer. All are required but those that name a default.
type Options struct {
	Names      topics.Names
	Window     time.Duration // of video in one clip; where the camera doesn't say
	Stride     time.Duration // between window starts; where the camera doesn't say
	ShortSide  int           // pixels of a carried frame's short side
	Quality    int           // of JPEG, 1 to 100
	Queue      int           // clips of one camera that may wait for Kafka; a full queue drops the oldest
	Send       func(context.Context, ...bus.Message) error
	Logger     *slog.Logger
	Meter      metric.Meter
	Tracer     trace.Tracer
	Propagator propagation.TextMapPropagator

	// MaxDrift is how far a camera's clock may run from this machine's before a
	// new epoch is begun, so that clips' wall-clock times stay true. 0: 5 s;
	// negative: any.
	MaxDrift time.Duration
}

// Limits of what a camera's record may ask for.
const (
	minWindow = 100 * time.Millisecond
	maxWindow = 5 * time.Minute
	minStride = 50 * time.Millisecond
	maxStride = time.Hour
	maxOpen   = 100 // windows at the same time
)

func (o *Options) check() error {
	switch {
	case o.Send == nil || o.Logger == nil || o.Meter == nil || o.Tracer == nil || o.Propagator == nil:
		return errors.New("framer: send, logger, meter, tracer and propagator are required")
	case o.ShortSide < 16 || o.ShortSide > 2048:
		return fmt.Errorf("framer: short side of %d pixels: want 16 to 2048", o.ShortSide)
	case o.Quality < 1 || o.Quality > 100:
		return fmt.Errorf("framer: JPEG quality %d: want 1 to 100", o.Quality)
	case o.Queue < 1:
		return fmt.Errorf("framer: queue of %d clips: want at least 1", o.Queue)
	}
	if o.MaxDrift == 0 {
		o.MaxDrift = 5 * time.Second
	}
	if err := checkTimes(o.Window, o.Stride); err != nil {
		return fmt.Errorf("framer: %w", err)
	}
	return nil
}

func checkTimes(window, stride time.Duration) error {
	if window < minWindow || window > maxWindow {
		return fmt.Errorf("window of %v: want %v to %v", window, minWindow, maxWindow)
	}
	if stride < minStride || stride > maxStride {
		return fmt.Errorf("stride of %v: want %v to %v", stride, minStride, maxStride)
	}
	if window/stride > maxOpen {
		return fmt.Errorf("stride of %v in a window of %v: want at least a hundredth", stride, window)
	}
	return nil
}

// Framer makes a Stream for each camera.
type Framer struct {
	Options
	metrics metrics
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
	return &Framer{Options: o, metrics: m}, nil
}

// Stream is the sink of one camera's frames. Its error is about the camera's
// window or stride.
func (f *Framer) Stream(c topics.Camera) (*Stream, error) {
	window, stride := f.Window, f.Stride
	if c.Window != 0 {
		window = time.Duration(c.Window)
	}
	if c.Stride != 0 {
		stride = time.Duration(c.Stride)
	}
	if err := checkTimes(window, stride); err != nil {
		return nil, err
	}
	e, err := media.NewFrameEncoder(f.ShortSide, f.Quality)
	if err != nil {
		return nil, fmt.Errorf("frame camera %s: %w", c.Name, err)
	}
	return &Stream{
		Framer: f, camera: c, log: f.Logger.With("camera", c.Name),
		sampler: newSampler(window, stride),
		encoder: e,
		queue:   make(chan job, f.Queue),
	}, nil
}
