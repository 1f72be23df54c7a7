// Package framer cuts cameras' frames into clips as FROSTER sees them: eight
// frames spread evenly over each window, picked by presentation time whatever
// the frame rate, resized, written as JPEG and published.
package framer

import (
	"cmp"
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
	Stride     topics.Stride // between window starts; where the camera doesn't say
	ShortSide  int           // pixels of a carried frame's short side
	Quality    int           // of JPEG, 1 to 100
	Queue      int           // clips of one camera that may wait for Kafka; a full queue drops the oldest
	Send       bus.SendFunc
	Logger     *slog.Logger
	Meter      metric.Meter
	Tracer     trace.Tracer
	Propagator propagation.TextMapPropagator

	// MaxDrift is how far a camera's clock may run from this machine's before a
	// new epoch is begun, so that clips' wall-clock times stay true. 0: 5 s;
	// negative: any.
	MaxDrift time.Duration
}

func (o *Options) check() error {
	switch {
	case o.Send == nil || o.Logger == nil || o.Meter == nil || o.Tracer == nil || o.Propagator == nil:
		return errors.New("framer: send, logger, meter, tracer and propagator are required")
	case o.ShortSide < topics.MinShortSide || o.ShortSide > topics.MaxShortSide:
		return fmt.Errorf("framer: short side of %d pixels: want %d to %d", o.ShortSide, topics.MinShortSide, topics.MaxShortSide)
	case o.Quality < 1 || o.Quality > 100:
		return fmt.Errorf("framer: JPEG quality %d: want 1 to 100", o.Quality)
	case o.Queue < 1:
		return fmt.Errorf("framer: queue of %d clips: want at least 1", o.Queue)
	}
	if o.MaxDrift == 0 {
		o.MaxDrift = 5 * time.Second
	}
	if err := topics.CheckTimes(o.Window, o.Stride); err != nil {
		return fmt.Errorf("framer: %w", err)
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
	window, stride := cmp.Or(time.Duration(c.Window), f.Window), cmp.Or(c.Stride, f.Stride)
	if err := topics.CheckTimes(window, stride); err != nil {
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
