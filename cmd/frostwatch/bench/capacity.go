package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/pause"
)

// capacityFigures are how many simulated cameras this machine serves.
type capacityFigures struct {
	// Cameras is the largest number that was tried of which no clip was late or lost; Beyond
	// is the least that was too many, 0: none was.
	Cameras int            `json:"cameras"`
	Beyond  int            `json:"too_many,omitempty"`
	Limit   string         `json:"limit"`
	Stream  string         `json:"stream"`
	Model   string         `json:"model"`
	Steps   []capacityStep `json:"steps"` // in the order in which they were measured
}

const (
	// capacitySettle is how long cameras may take to come to rest, once all of them are
	// recognised, before anything counts.
	capacitySettle = 25 * time.Second
	// capacitySteps bounds how many numbers of cameras are tried, and capacityNear how far
	// the largest that is served may be from the least that is not, as a part of it.
	capacitySteps = 9
	capacityNear  = 8
)

// capacity raises the number of cameras until clips are late or lost, and then closes in.
func (b *bench) capacity(ctx context.Context) (out *capacityFigures, err error) {
	dir, err := b.bundle()
	if err != nil {
		return nil, err
	}
	bundle, err := froster.OpenBundle(dir)
	if err != nil {
		return nil, err
	}
	if err := bundle.Precision.Servable(b.Provider); err != nil {
		return nil, err
	}
	films, err := b.capacityFilms(ctx)
	if err != nil {
		return nil, err
	}
	r, err := b.startCapacity(ctx, films, dir, bundle.Dims.ImageSize)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.end()) }()
	out = &capacityFigures{
		Stream: fmt.Sprintf("%s %s 30 fps, something moves in a tenth of the time", b.Codec, b.Size),
		Model:  fmt.Sprintf("%s in %s", bundle.Name, bundle.Precision),
	}
	b.say("capacity: load the model, and have it embed ten labels and the reference texts: minutes with a large one")
	for next := b.Cameras; next > 0 && len(out.Steps) < capacitySteps; next = out.next(b.Most) {
		if err := r.have(ctx, next); err != nil {
			return nil, err
		}
		if err := r.begun(ctx); err != nil {
			return nil, err
		}
		if !pause.For(ctx, capacitySettle) {
			return nil, context.Cause(ctx)
		}
		b.say("capacity: %d cameras, %v", next, b.Time)
		step, err := r.measure(ctx, next, b.Time)
		if err != nil {
			return nil, err
		}
		b.say("capacity: %d cameras: %d clips, %d late, %d lost", next, step.Recognised, step.Late, step.Lost)
		out.take(step)
	}
	out.Limit = out.limits(thisMachine(b.Version))
	return out, nil
}

func (f *capacityFigures) take(s capacityStep) {
	f.Steps = append(f.Steps, s)
	switch {
	case s.Served:
		f.Cameras = max(f.Cameras, s.Cameras)
	case f.Beyond == 0 || s.Cameras < f.Beyond:
		f.Beyond = s.Cameras
	}
}

// next is how many cameras to try next; 0: it is known well enough.
func (f *capacityFigures) next(most int) int {
	switch {
	case f.Beyond == 0 && f.Cameras >= most:
		return 0
	case f.Beyond == 0:
		return min(2*f.Cameras, most)
	case f.Beyond-f.Cameras <= max(f.Beyond/capacityNear, 1):
		return 0
	}
	return (f.Cameras + f.Beyond) / 2
}

// limits says what there was too little of with the least number that was too many.
func (f *capacityFigures) limits(m machine) string {
	for _, s := range f.Steps {
		if s.Served || s.Cameras != f.Beyond {
			continue
		}
		all := s.Ingest + s.Infer + s.Simulate + s.Other
		switch {
		case s.IngestMB+s.InferMB > 0.8*float64(m.MemoryMB):
			return "memory"
		case all < 0.8*float64(m.Cores):
			return fmt.Sprintf("other work on the machine: all processes of the benchmark had %.2f of %d cores (load %s)", all, m.Cores, s.Load)
		case s.Infer > s.Ingest:
			return "CPU, most of it infer's"
		}
		return "CPU, most of it ingest's"
	}
	return "not found: all were served"
}

// stepOf is the step of the largest number that was served.
func (f *capacityFigures) stepOf() (step capacityStep, ok bool) {
	for _, s := range f.Steps {
		if s.Served && s.Cameras == f.Cameras {
			return s, true
		}
	}
	return step, false
}

func (f *capacityFigures) print(row func(...string)) {
	row()
	row("capacity", fmt.Sprintf("%d cameras (%s), model %s", f.Cameras, f.Stream, f.Model))
	if f.Beyond > 0 {
		row("  limit", fmt.Sprintf("%d are too many: %s", f.Beyond, f.Limit))
	} else {
		row("  limit", f.Limit)
	}
	if s, ok := f.stepOf(); ok {
		n := float64(s.Cameras)
		row("  each camera", fmt.Sprintf("ingest %.1f millicores and %.1f MB, infer %.1f millicores", 1000*s.Ingest/n, s.IngestMB/n, 1000*s.Infer/n))
	}
	for _, s := range f.Steps {
		row(fmt.Sprintf("  %d cameras", s.Cameras), fmt.Sprintf("%d clips, %d of them seen by the model, %d late, %d lost; to recognition p99 %.0f ms, quiet %.0f ms",
			s.Recognised, s.Seen, s.Late, s.Lost, s.Busy.P99, s.Quiet.P99))
		row("", fmt.Sprintf("cores: ingest %.2f, infer %.2f, simulator %.2f, broker %.2f; MB: ingest %.0f, infer %.0f; load %s",
			s.Ingest, s.Infer, s.Simulate, s.Other, s.IngestMB, s.InferMB, s.Load))
	}
}

// settings of the two stages that are measured.
const capacityConfig = `
kafka: {brokers: [%q], partitions: 4}
redis: {address: %q}
log: {level: error}
ingest: {decode: %s, allow: ["127.0.0.1"], record: none}
framer: {short_side: %d}
infer: {bundle: %q, provider: %s}
`

// configure writes the configuration of the stages.
func (b *bench) configure(kafka, redis, bundle string, side int) (path, text string, err error) {
	bundle, err = filepath.Abs(bundle)
	if err != nil {
		return "", "", err
	}
	decode := "demand"
	if len(b.Decode) > 0 {
		decode = b.Decode[0]
	}
	text = fmt.Sprintf(capacityConfig, kafka, redis, decode, min(config.Default().Framer.ShortSide, side), bundle, b.Provider)
	return filepath.Join(b.dir, "capacity.yaml"), text, nil
}
