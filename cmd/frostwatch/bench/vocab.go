package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
)

// vocabFigures is what a vocabulary costs: by embedding its texts while clips
// are embedded, and by its size.
type vocabFigures struct {
	Model    string  `json:"model"`
	Alone    float64 `json:"clips_per_s_alone"`
	Beside   float64 `json:"clips_per_s_beside_labels"`
	Ratio    float64 `json:"ratio"` // median over the rounds of the ratio of the two rates
	Worst    float64 `json:"ratio_min"`
	Best     float64 `json:"ratio_max"`
	Labels   float64 `json:"labels_per_s_beside_clips"`
	LabelMax float64 `json:"longest_wait_for_a_label_s"`
	Thousand float64 `json:"thousand_labels_s"` // computed from the rate of labels beside clips
	Rounds   int     `json:"rounds"`

	Large largeFigures `json:"large"`
}

const (
	// vocabPhase is how long clips are embedded alone, and then beside labels,
	// in turn: so the machine's other load is about the same for both.
	vocabPhase = 2 * time.Second
	vocabBatch = 8
)

func (b *bench) vocab(ctx context.Context) (out *vocabFigures, err error) {
	path, err := b.bundle()
	if err != nil {
		return nil, err
	}
	bundle, err := froster.OpenBundle(path)
	if err != nil {
		return nil, err
	}
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: b.Runtime, Provider: b.Provider, Threads: config.Default().Infer.Threads})
	if err != nil {
		return nil, err
	}
	model, err := rt.Load(bundle)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	out = &vocabFigures{Model: bundle.Name}
	if err := b.besideLabels(ctx, model, out); err != nil {
		return nil, err
	}
	out.Large, err = b.largeVocabulary(ctx, model, out.Alone)
	return out, err
}

// besideLabels alternates between clips alone and clips beside labels.
func (b *bench) besideLabels(ctx context.Context, m *froster.Model, out *vocabFigures) error {
	d := m.Bundle().Dims
	frames := randomFrames(vocabBatch * d.Frames * d.ImageSize * d.ImageSize * 3)
	clips := func() error {
		_, err := m.EmbedClips(ctx, frames, vocabBatch)
		return err
	}
	phase := min(vocabPhase, b.Time/2)
	texts := &labelStream{model: m}
	var alone, beside []float64
	for begun := time.Now(); out.Rounds == 0 || time.Since(begun)+2*phase <= b.Time; out.Rounds++ {
		b.say("vocab: clips alone and beside labels, round %d", out.Rounds+1)
		r, err := rate(phase, vocabBatch, clips)
		if err != nil {
			return err
		}
		alone = append(alone, r)
		stop := texts.start(ctx)
		r, err = rate(phase, vocabBatch, clips)
		if err = errors.Join(err, stop()); err != nil {
			return err
		}
		beside = append(beside, r)
	}
	out.Alone, out.Beside = mean(alone), mean(beside)
	ratios := make([]float64, out.Rounds)
	for i := range ratios {
		ratios[i] = beside[i] / alone[i]
	}
	slices.Sort(ratios)
	out.Ratio, out.Worst, out.Best = percentile(ratios, 50), ratios[0], ratios[len(ratios)-1]
	out.Labels, out.LabelMax = float64(texts.done)/texts.spent.Seconds(), texts.longest.Seconds()
	if texts.done > 0 {
		out.Thousand = 1000 / out.Labels
	}
	return nil
}

// labelStream embeds one label after the other, all different, as for a new
// vocabulary of a thousand labels.
type labelStream struct {
	model          *froster.Model
	done           int
	spent, longest time.Duration
}

// start embeds labels until stop is called; stop waits for the end.
func (s *labelStream) start(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var failed error
	var running sync.WaitGroup
	running.Go(func() {
		begun := time.Now()
		for ctx.Err() == nil && failed == nil {
			before := time.Now()
			_, problems, err := s.model.EmbedLabels(ctx, []string{fmt.Sprintf("a person busy with thing number %d", s.done)})
			if ctx.Err() != nil {
				break
			}
			failed = errors.Join(append(problems, err)...)
			s.done++
			s.longest = max(s.longest, time.Since(before))
		}
		s.spent += time.Since(begun)
	})
	return func() error {
		cancel()
		running.Wait()
		return failed
	}
}

func randomFrames(size int) []byte {
	frames := make([]byte, size)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range frames {
		frames[i] = byte(random.Uint32())
	}
	return frames
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func (v vocabFigures) print(row func(...string)) {
	row()
	row("vocab", v.Model)
	row("  clips", fmt.Sprintf("%.1f clips/s alone, %.1f beside labels: %.0f%% (median of %d rounds, %.0f to %.0f%%)",
		v.Alone, v.Beside, 100*v.Ratio, v.Rounds, 100*v.Worst, 100*v.Best))
	row("  labels", fmt.Sprintf("%.2f labels/s beside clips, 1,000 in %.0f s, one waits %.1f s at most", v.Labels, v.Thousand, v.LabelMax))
	l := v.Large
	row(fmt.Sprintf("  %d labels", l.Labels), fmt.Sprintf("scored in %.2f ms per clip (dim %d): %.2f%% of the model's %.1f ms on one core", l.Score, l.Dim, 100*l.Share, l.ModelCore))
	row("", fmt.Sprintf("%.1f MB of memory, loaded from Redis in %.0f ms, an edit in force after %.0f ms", l.MB, l.Load, l.Edit))
}
