package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/internal/config"
)

// Parts of the benchmark, in the order measured: ingest's memory is read while
// the process holds little else.
const (
	benchIngest = "ingest"
	benchInfer  = "infer"
	benchVocab  = "vocab"
	benchUp     = "up"
)

// benchFlags are the flags of `bench`.
type benchFlags struct {
	model, checkpoint, runtime, provider string
	videos                               []string
	cameras, rounds                      int
	time                                 time.Duration
	json                                 bool
}

// bench is one run of the benchmark.
type bench struct {
	Program
	benchFlags
	dir string // for everything that is written; removed at the end
}

// benchReport is what --json prints. A part that was not asked for is absent.
type benchReport struct {
	Machine machine       `json:"machine"`
	Ingest  []ingestBench `json:"ingest,omitempty"` // of each video
	Infer   *inferBench   `json:"infer,omitempty"`
	Vocab   *vocabBench   `json:"vocab,omitempty"`
	Up      *upBench      `json:"up,omitempty"`
}

func (p Program) benchCommand() *cobra.Command {
	f := benchFlags{}
	parts := []string{benchIngest, benchInfer, benchVocab, benchUp}
	cmd := &cobra.Command{
		Use: "bench [ingest] [infer] [vocab] [up]", Short: "Measure this machine: cameras, clips and delays",
		Long: "Measures the parts named, or all:\n" +
			"  ingest  CPU time and memory of each camera, the simulator running in a process of its own\n" +
			"  infer   clips and labels a second in each precision, beside what matrix products reach alone; stages of a clip\n" +
			"  vocab   clips beside labels that are being embedded; ten thousand labels\n" +
			"  up      delay from a frame to its recognition and its alert in `frostwatch up`",
		ValidArgs: parts, Args: cobra.OnlyValidArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = parts
			}
			return p.bench(cmd.Context(), f, args)
		},
	}
	cmd.Flags().StringVar(&f.model, "model", "", "bundle to measure with (default: the demo model)")
	cmd.Flags().StringVar(&f.checkpoint, "checkpoint", "", "checkpoint that infer measures in each precision (default: the demo's)")
	cmd.Flags().StringVar(&f.runtime, "runtime", "", "path of ONNX Runtime's shared library")
	cmd.Flags().StringVar(&f.provider, "provider", "cpu", "cpu, cuda or tensorrt: what infer and vocab compute on")
	cmd.Flags().StringArrayVar(&f.videos, "video", nil, "file to read as a camera; repeatable (default: demo clips)")
	cmd.Flags().IntVar(&f.cameras, "cameras", 4, "cameras that ingest reads at the same time")
	cmd.Flags().IntVar(&f.rounds, "rounds", 3, "how often infer measures each rate, in turn; the medians are printed")
	cmd.Flags().DurationVar(&f.time, "for", time.Minute, "how long ingest, with each video, vocab and up are measured")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON instead of a table")
	return cmd
}

func (p Program) bench(ctx context.Context, f benchFlags, parts []string) (err error) {
	if f.cameras < 1 || f.rounds < 1 || f.time < time.Second {
		return fmt.Errorf("--cameras %d, --rounds %d, --for %v: want at least 1, 1 and 1s", f.cameras, f.rounds, f.time)
	}
	dir, err := os.MkdirTemp("", "frostwatch-bench-*")
	if err != nil {
		return fmt.Errorf("make a place for the benchmark: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{Program: p, benchFlags: f, dir: dir}
	report, err := b.measure(ctx, parts)
	if err != nil {
		return err
	}
	if f.json {
		e := json.NewEncoder(p.Out)
		e.SetIndent("", "  ")
		return e.Encode(report)
	}
	return report.print(p.Out)
}

func (b *bench) measure(ctx context.Context, parts []string) (r benchReport, err error) {
	r.Machine = thisMachine(b.Version)
	if err := demo.Unpack(filepath.Join(b.dir, "demo")); err != nil {
		return r, err
	}
	if slices.Contains(parts, benchIngest) {
		if r.Ingest, err = b.ingest(ctx); err != nil {
			return r, fmt.Errorf("measure ingest: %w", err)
		}
	}
	if slices.Contains(parts, benchInfer) {
		if r.Infer, err = b.infer(ctx); err != nil {
			return r, fmt.Errorf("measure infer: %w", err)
		}
	}
	if slices.Contains(parts, benchVocab) {
		if r.Vocab, err = b.vocab(ctx); err != nil {
			return r, fmt.Errorf("measure vocab: %w", err)
		}
	}
	if slices.Contains(parts, benchUp) {
		if r.Up, err = b.up(ctx); err != nil {
			return r, fmt.Errorf("measure up: %w", err)
		}
	}
	return r, nil
}

// bundle is the folder of the model to be measured.
func (b *bench) bundle() (string, error) {
	h := home{Program: b.Program, cfg: config.Default(), flags: upFlags{data: b.dir, model: b.model}}
	err := h.findModel()
	return h.cfg.Infer.Bundle, err
}

// say tells on Err what is going on: the whole takes minutes.
func (b *bench) say(format string, args ...any) {
	// The benchmark goes on without anyone to tell.
	_, _ = fmt.Fprintf(b.Err, format+"\n", args...)
}
