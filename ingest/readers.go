package ingest

import (
	"encoding/json"
	"errors"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// Readers says by which processes cameras are read, so that a crash of what parses and
// decodes video takes neither this process nor most cameras with it. All fields are
// required but those that name a default.
type Readers struct {
	Most int // such processes, while none has crashed
	Each int // cameras of one before another is begun; 0: 16
	// Setup is what the other process builds its options from (Read).
	Setup json.RawMessage
	// Catalog has the instruments of Options.Meter and of the sinks'.
	Catalog    *telemetry.Catalog
	Tracer     trace.Tracer // of clips
	Propagator propagation.TextMapPropagator

	// Send receives the clips in place of the cameras' partitions; nil: those.
	Send bus.SendFunc

	times readerTimes // the zero value: those below
}

// ReadCommand is the subcommand of `frostwatch ingest` that calls Read.
const ReadCommand = "read"

// readerTimes are how long a fleet of readers waits for what.
type readerTimes struct {
	hang       time.Duration // without a sign of life, until a process is ended
	quarantine time.Duration // until a camera that is in quarantine is tried again
	hold       time.Duration // a process of one camera lives, until the camera is like others again
	recent     time.Duration // two crashes are at most apart to be of one cause
	finish     time.Duration // a process may take to end
}

func (t *readerTimes) fill() {
	if *t == (readerTimes{}) {
		*t = readerTimes{hang: 10 * time.Second, quarantine: 10 * time.Minute, hold: 10 * time.Minute, recent: time.Hour, finish: 2500 * time.Millisecond}
	}
}

const (
	// apartMost bounds the processes for cameras that are suspected of crashes.
	apartMost = 4
	// crashesMost is how often a camera may crash its process before it is in quarantine.
	crashesMost = 2
	// pulseEvery is how often a process reports that it lives, and what it has counted.
	pulseEvery = 500 * time.Millisecond
	// idleMost is how long a process without cameras is kept.
	idleMost = 5 * time.Second
)

func (r *Readers) check() error {
	switch {
	case r == nil:
		return nil
	case r.Most < 1 || r.Setup == nil || r.Catalog == nil || r.Tracer == nil || r.Propagator == nil:
		return errors.New("ingest: readers need a number of processes, a setup, a catalog, a tracer and a propagator")
	}
	if r.Each == 0 {
		r.Each = 16
	}
	r.times.fill()
	return nil
}
