package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/topics"
)

// soakFigures is what a long run with cameras that come, go, freeze and change showed.
type soakFigures struct {
	Cameras   int            `json:"cameras"`
	Seconds   float64        `json:"seconds"`
	Left      float64        `json:"left_out_seconds"` // at the start
	Seed      uint64         `json:"seed"`
	Done      map[string]int `json:"done"` // to cameras, by kind
	Clips     int            `json:"clips_recognised"`
	Silent    []string       `json:"silent_cameras"` // at the end, without a clip for soakSilent
	Processes []soakProcess  `json:"processes"`
	Load      string         `json:"load"`
}

// soakProcess is how one process fared.
type soakProcess struct {
	Name   string `json:"name"`
	Memory slope  `json:"resident_mb"`
	// Heap and Native are parts of Memory, which says whether a run fails.
	Heap   slope `json:"go_heap_mb"`
	Native slope `json:"c_allocated_mb"`

	Goroutines slope `json:"goroutines"`
	Files      slope `json:"open_files"`
}

const (
	soakEvery  = 5 * time.Second // between two looks at the processes
	soakAct    = 7 * time.Second // between two things that are done to cameras
	soakSilent = 90 * time.Second
	// soakFreeze is for how long all cameras send nothing: long enough that streams break
	// off, too short for ingest to connect anew.
	soakFreeze = 6 * time.Second
	// soakLeft is the part of the time that is left out at the start: caches fill.
	soakLeft = 4
)

// What may grow in an hour: a part of the memory, and so many of the others.
const (
	soakMemory = .05
	soakCount  = 5
)

// errSoak is that something grew, or a camera was lost.
var errSoak = errors.New("soak: something grows, or a camera gives no clips any more: see the report")

func (f *soakFigures) failed() error {
	for _, p := range f.Processes {
		for _, s := range []slope{p.Memory, p.Goroutines, p.Files} {
			if s.Verdict == grows {
				return errSoak
			}
		}
	}
	if len(f.Silent) > 0 || f.Clips == 0 {
		return errSoak
	}
	return nil
}

// soak has cameras come and go, freeze, and change what they show for b.Time, and looks at
// ingest and infer meanwhile.
func (b *bench) soak(ctx context.Context) (out *soakFigures, err error) {
	dir, err := b.bundle()
	if err != nil {
		return nil, err
	}
	bundle, err := froster.OpenBundle(dir)
	if err != nil {
		return nil, err
	}
	films, err := b.soakFilms(ctx)
	if err != nil {
		return nil, err
	}
	b.Most = max(b.Cameras, len(films)) // URLs
	r, err := b.startCapacity(ctx, films, dir, bundle.Dims.ImageSize)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.end()) }()
	if err := r.have(ctx, b.Cameras); err != nil {
		return nil, err
	}
	if err := r.begun(ctx); err != nil {
		return nil, err
	}
	b.say("soak: %d cameras for %v, seed %d", b.Cameras, b.Time, b.Seed)
	out = &soakFigures{Cameras: b.Cameras, Seed: b.Seed, Seconds: b.Time.Seconds(), Left: b.Time.Seconds() / soakLeft}
	s := &soaking{capacityRig: r, r: rand.New(rand.NewPCG(b.Seed, 0)), done: map[string]int{}}
	seen, err := s.run(ctx, b.Time, b.say)
	if err != nil {
		return nil, err
	}
	out.Done, out.Load = s.done, loadAverage()
	for _, p := range seen {
		out.Processes = append(out.Processes, p.figures(out.Left))
	}
	out.Clips, out.Silent, err = s.clips(ctx, time.Now().Add(-b.Time), b.Cameras)
	return out, err
}

// soakFilms are small: what is tried is how streams begin and end. Of one the size changes,
// again and again.
func (b *bench) soakFilms(ctx context.Context) (films []string, err error) {
	var parts []string
	for _, small := range []string{"640x360", "480x270"} {
		for _, film := range []string{FilmBusy, FilmQuiet} {
			name := filepath.Join(b.dir, fmt.Sprintf("soak-%s-%s.ts", film, small))
			if err := b.film(ctx, film, small, watchRate, name); err != nil {
				return nil, err
			}
			parts = append(parts, name)
		}
	}
	changing := filepath.Join(b.dir, "soak-changing.ts")
	if err := ffmpeg(ctx, "-i", "concat:"+parts[0]+"|"+parts[2], "-c", "copy", changing); err != nil {
		return nil, err
	}
	return append(parts, changing), nil
}

// clips are how many were recognised since a time, and which cameras have had none of late.
func (s *soaking) clips(ctx context.Context, since time.Time, cameras int) (n int, silent []string, err error) {
	newest := map[string]time.Time{}
	_, err = s.past.Actions(ctx, archive.Range{Since: since}, func(a archive.Record[topics.Recognition]) error {
		n++
		newest[a.Value.Camera] = a.Time
		return nil
	})
	if err != nil {
		return 0, nil, fmt.Errorf("read recognitions: %w", err)
	}
	for i := range cameras {
		if time.Since(newest[cameraName(i)]) > soakSilent {
			silent = append(silent, cameraName(i))
		}
	}
	return n, silent, nil
}

// deeds are what was done to cameras, as people read it.
func deeds(done map[string]int) string {
	out := []string{}
	for _, what := range slices.Sorted(maps.Keys(done)) {
		out = append(out, fmt.Sprintf("%d %s", done[what], what))
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}

func (f *soakFigures) print(row func(...string)) {
	row()
	row("soak", fmt.Sprintf("%d cameras for %.0f s, the first %.0f s left out, seed %d; done: %s; %d clips", f.Cameras, f.Seconds, f.Left, f.Seed, deeds(f.Done), f.Clips))
	for _, p := range f.Processes {
		for _, q := range []struct {
			name string
			of   slope
		}{{"MB", p.Memory}, {"MB of it Go's heap", p.Heap}, {"MB allocated by C", p.Native}, {"goroutines", p.Goroutines}, {"open files", p.Files}} {
			if q.of.short {
				row("  "+p.Name, fmt.Sprintf("%.1f %s; %s: too short a time to tell how it grows", q.of.Mean, q.name, q.of.Verdict))
				continue
			}
			row("  "+p.Name, fmt.Sprintf("%.1f %s, %+.2f an hour, %.0f%% confident within %.2f; %.1f allowed: %s",
				q.of.Mean, q.name, q.of.PerHour, 100*slopeConfidence, q.of.Within, q.of.Most, q.of.Verdict))
		}
	}
	for _, c := range f.Silent {
		row("  "+c, fmt.Sprintf("no clip for %v", soakSilent))
	}
	row("  load", f.Load)
}
