// Package eval measures a model on labelled video files, using the same code
// that serves cameras: media decodes, resizes and compresses frames, infer
// decodes them again, froster embeds them and scoring scores them. Its own are
// the choice of frames, which is that of FROSTER's test code (sampling.go), the
// reading of data sets' lists, and the figures.
package eval

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/media/pixels"
)

// Model is the model to measure.
type Model interface {
	EmbedClips(ctx context.Context, frames []byte, batch int) (froster.ClipEmbeddings, error)
	EmbedLabels(ctx context.Context, texts []string) (vectors [][]float32, problems []error, err error)
	EmbedLabelsBy(ctx context.Context, by froster.Templates, texts []string) (vectors [][]float32, problems []error, err error)
	LogitScale() float32
	ID() string
	Dim() int
}

// Options for New. Those without a remark are required.
type Options struct {
	Model Model
	Side  int // pixels of the model's square image
	// Resize is how the model's own preprocessing makes it.
	Resize   pixels.Resize
	Sampling Sampling
	Quality  int // of the JPEG in which frames are carried
	Batch    int // clips given to the model in one call
	Decoders int // videos decoded at the same time; 0: one for each core
	// Templates are the texts of each class; nil: the model's own.
	Templates froster.Templates
	Work      string // folder that keeps embeddings, so that an interrupted run can go on; empty: nothing is kept
	// Rates are the false alarms a minute at which P_miss is measured; none: it is not.
	Rates []float64
	// Progress is called after every few texts and after each video, never by
	// two goroutines at once; nil: never.
	Progress func(Progress)
}

// Progress is how far a run is. The texts of classes are embedded first.
type Progress struct {
	Texts, AllTexts int // texts embedded in this run, and all that must be; 0 and 0 once that is over
	Done, Total     int // videos, including broken ones and those known from earlier runs
	Known, Broken   int
	Clips           int // clips embedded in this run
	Right, Answers  int // of the videos so far: right answers, and all labels
}

// Plan is what is to be measured.
type Plan struct {
	Protocol string
	Groups   []Group
}

// The protocols of the FROSTER paper.
const (
	CrossDataset = "cross-dataset"
	BaseToNovel  = "base-to-novel"
)

// Group is a set of classes and the splits of its videos. The accuracies of the
// splits are averaged.
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
	if err := checkRates(o.Rates); err != nil {
		return nil, err
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

// Run embeds every video of the plan once and computes the figures. A video
// that can't be read is in the report with the reason. If ctx ends, the work
// folder keeps what was embedded so far.
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
	report = t.figures(p, r.Model.ID())
	if len(r.Rates) == 0 {
		return report, nil
	}
	seconds, err := r.lengths(ctx, t.videos)
	if err != nil {
		return nil, err
	}
	t.addMisses(report, seconds)
	return report, nil
}

// video is a file, however many lists it is in.
type video struct {
	Video
	key    key
	uses   []use
	broken error
}

// use is where a video is listed: a split and the row in it.
type use struct{ sheet, row int }

// uniqueVideos returns the videos of all splits in order, each once.
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

// keyOf returns the key under which a video's embedding is stored.
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
