// Package eval measures a model over labelled video files by the code that
// serves it: decoded, resized and compressed by media, decoded again by infer,
// embedded by froster, scored by scoring. What is its own is the choice of
// frames, which is that of FROSTER's test code (sampling.go), the lists that
// data sets come with, and the figures.
package eval

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
)

// Model is what is measured.
type Model interface {
	EmbedClips(ctx context.Context, frames []byte, batch int) (froster.ClipEmbeddings, error)
	EmbedLabels(ctx context.Context, texts []string) (vectors [][]float32, problems []error, err error)
	LogitScale() float32
	ID() string
	Dim() int
}

// Options for New. Those without a remark are required.
type Options struct {
	Model    Model
	Side     int // pixels of the model's square image
	Sampling Sampling
	Quality  int    // of the JPEG that frames are carried as
	Batch    int    // clips that the model is given at once
	Decoders int    // videos decoded at once; 0: one for each core
	Work     string // folder of what interrupted runs have done; empty: nothing is kept
	// Progress is told after each few texts and each video, by one goroutine at a
	// time; nil: nobody.
	Progress func(Progress)
}

// Progress is how far a run is. Texts of classes come first.
type Progress struct {
	Texts, AllTexts int // embedded in this run; 0 and 0 once that is over
	Done, Total     int // videos, broken ones and those known from earlier runs included
	Known, Broken   int
	Clips           int // embedded in this run
	Right, Answers  int // among the labels of the videos so far
}

// Plan is what is to be measured.
type Plan struct {
	Protocol string
	Groups   []Group
}

// Protocols of the FROSTER paper.
const (
	CrossDataset = "cross-dataset"
	BaseToNovel  = "base-to-novel"
)

// Group is a set of classes and the splits of its videos, whose accuracies are
// averaged.
type Group struct {
	Name   string // "", or base and novel
	Splits []Split
}

// Split is one list of videos.
type Split struct {
	Name string
	Listing
}

// Runner measures one model.
type Runner struct{ Options }

// New checks the options.
func New(o Options) (*Runner, error) {
	if o.Model == nil || o.Side < 1 || o.Batch < 1 || o.Batch > config.MaxBatch || o.Quality < 1 || o.Quality > 100 {
		return nil, fmt.Errorf("eval: a model, its side (%d), a batch (%d) of 1 to %d and a quality (%d) of 1 to 100 are required", o.Side, o.Batch, config.MaxBatch, o.Quality)
	}
	if err := o.Sampling.check(); err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	if o.Decoders < 1 {
		o.Decoders = runtime.GOMAXPROCS(0)
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return &Runner{o}, nil
}

// Run embeds every video of the plan once and works out the figures. A video
// that can't be read is in the report with its reason. What was embedded before
// ctx ended is in the work folder.
func (r *Runner) Run(ctx context.Context, p Plan) (report *Report, err error) {
	s, err := openStore(r.Work, r.Model.ID(), r.Model.Dim())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	sheets, err := r.sheets(ctx, s, p)
	if err != nil {
		return nil, err
	}
	t := &run{Runner: r, store: s, sheets: sheets, videos: uniqueVideos(p)}
	if err := t.all(ctx); err != nil {
		return nil, err
	}
	return t.figures(p, r.Model.ID()), nil
}

// video is a file, however many lists it is in.
type video struct {
	Video
	key    key
	uses   []use
	broken error
}

// use is a video's place in a split.
type use struct{ sheet, row int }

// uniqueVideos are those of all splits, in order.
func uniqueVideos(p Plan) []*video {
	var out []*video
	byPath := map[string]*video{}
	sheet := 0
	for _, g := range p.Groups {
		for _, s := range g.Splits {
			for row, v := range s.Videos {
				u := byPath[v.Path]
				if u == nil {
					u = &video{Video: v}
					byPath[v.Path] = u
					out = append(out, u)
				}
				u.uses = append(u.uses, use{sheet, row})
			}
			sheet++
		}
	}
	return out
}

// keyOf is what a video's embedding is kept under.
func (r *Runner) keyOf(path string) (key, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return key{}, errors.New("no such file")
	}
	if err != nil {
		return key{}, err
	}
	s := r.Sampling
	return key{
		Model: r.Model.ID(), Video: path, Size: info.Size(), Changed: info.ModTime().UnixNano(),
		Sampling: fmt.Sprintf("%dx%d views=%d crops=%d side=%d jpeg=%d", s.Frames, s.Step, s.Views, s.Crops, r.Side, r.Quality),
	}, nil
}
