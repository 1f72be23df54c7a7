// Package bench measures this machine: cameras, clips, labels, searches and delays.
package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
)

// The parts of the benchmark.
const (
	Ingest = "ingest"
	Infer  = "infer"
	Vocab  = "vocab"
	Search = "search"
	Up     = "up"
	// Capacity is measured only when it is asked for: it takes ten minutes.
	Capacity = "capacity"
	// Soak too: an hour.
	Soak = "soak"
)

// Parts returns all parts in the order in which they are measured. Ingest comes
// first: its memory is read while the process holds little else.
func Parts() []string { return []string{Ingest, Infer, Vocab, Search, Up} }

// Options are what a user chooses of the benchmark.
type Options struct {
	Model      string   // bundle to measure with; empty: the demo's
	Checkpoint string   // infer measures it in each precision; empty: the demo's
	Framewise  bool     // infer measures Checkpoint frame by frame as well
	Runtime    string   // path of ONNX Runtime's shared library
	Provider   string   // cpu, cuda or tensorrt
	Videos     []string // to read as cameras; empty: a demo clip
	Films      []string // FilmQuiet, FilmBusy: made for ingest, and read before Videos, each with ffmpeg beside it
	Size       string   // of Films, such as 1920x1080
	Codec      string   // of Films: h264 or hevc
	Beside     bool     // ffmpeg runs beside ingest whatever it reads
	Cameras    int      // that ingest reads at the same time; with how many capacity begins
	Most       int      // cameras that capacity tries
	Views      []string // of ingest's cameras; empty: the default
	// Watch is the size of a smaller stream beside each film, which is looked at while the
	// film is kept without being decoded: measured after the film alone. Empty: it isn't.
	Watch  string
	Decode []string // which pictures of ingest's cameras are decoded: each is measured in turn; empty: the default
	// Processes are by how many processes ingest's cameras are read, at most: each is measured in turn; empty: 0, the benchmark's own.
	Processes []int
	Rounds    int    // how often infer measures each rate
	Seed      uint64 // of what soak does to cameras
	Time      time.Duration
	JSON      bool

	Out, Err io.Writer // Out gets the report, Err the progress
	Version  string    // of the program
}

// bench is one run of the benchmark.
type bench struct {
	Options
	dir string // all files are written here; removed at the end
}

// Report is what --json prints. A part that was not asked for is absent.
type Report struct {
	Machine machine         `json:"machine"`
	Ingest  []ingestFigures `json:"ingest,omitempty"` // of each video
	Infer   *inferFigures   `json:"infer,omitempty"`
	Vocab   *vocabFigures   `json:"vocab,omitempty"`
	Search  *searchFigures  `json:"search,omitempty"`
	Up      *upFigures      `json:"up,omitempty"`

	Capacity *capacityFigures `json:"capacity,omitempty"`
	Soak     *soakFigures     `json:"soak,omitempty"`
}

// Run measures the parts and prints the report.
func Run(ctx context.Context, o Options, parts []string) (err error) {
	if o.Cameras < 1 || o.Rounds < 1 || o.Time < time.Second {
		return fmt.Errorf("--cameras %d, --rounds %d, --for %v: want at least 1, 1 and 1s", o.Cameras, o.Rounds, o.Time)
	}
	dir, err := os.MkdirTemp("", "frostwatch-bench-*")
	if err != nil {
		return fmt.Errorf("make a place for the benchmark: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{Options: o, dir: dir}
	measured, err := b.measure(ctx, parts)
	if err != nil {
		return err
	}
	if o.JSON {
		e := json.NewEncoder(o.Out)
		e.SetIndent("", "  ")
		err = e.Encode(measured)
	} else {
		err = measured.Print(o.Out)
	}
	if err == nil && measured.Soak != nil {
		err = measured.Soak.failed()
	}
	return err
}

func (b *bench) measure(ctx context.Context, parts []string) (r Report, err error) {
	r.Machine = thisMachine(b.Version)
	if err := demo.Unpack(b.demoDir()); err != nil {
		return r, err
	}
	if slices.Contains(parts, Ingest) {
		if r.Ingest, err = b.ingest(ctx); err != nil {
			return r, fmt.Errorf("measure ingest: %w", err)
		}
	}
	if slices.Contains(parts, Infer) {
		if r.Infer, err = b.infer(ctx); err != nil {
			return r, fmt.Errorf("measure infer: %w", err)
		}
	}
	if slices.Contains(parts, Vocab) {
		if r.Vocab, err = b.vocab(ctx); err != nil {
			return r, fmt.Errorf("measure vocab: %w", err)
		}
	}
	if slices.Contains(parts, Search) {
		if r.Search, err = b.search(ctx); err != nil {
			return r, fmt.Errorf("measure search: %w", err)
		}
	}
	if slices.Contains(parts, Up) {
		if r.Up, err = b.up(ctx); err != nil {
			return r, fmt.Errorf("measure up: %w", err)
		}
	}
	if slices.Contains(parts, Capacity) {
		if r.Capacity, err = b.capacity(ctx); err != nil {
			return r, fmt.Errorf("measure capacity: %w", err)
		}
	}
	if slices.Contains(parts, Soak) {
		if r.Soak, err = b.soak(ctx); err != nil {
			return r, fmt.Errorf("soak: %w", err)
		}
	}
	return r, nil
}

// bundle returns the folder of the model to measure.
func (b *bench) bundle() (string, error) {
	if b.Model != "" {
		return b.Model, nil
	}
	out := filepath.Join(b.dir, "models", demo.ModelName)
	return out, demo.ImportModel(b.demoDir(), out)
}

func (b *bench) demoDir() string { return filepath.Join(b.dir, "demo") }

// say prints progress to Err, because the whole benchmark takes minutes.
func (b *bench) say(format string, args ...any) {
	// Errors are ignored: the benchmark goes on even if nobody can read this.
	_, _ = fmt.Fprintf(b.Err, format+"\n", args...)
}
