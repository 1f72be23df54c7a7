package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
)

// inferFigures measures the model alone, on frames that are already decoded.
type inferFigures struct {
	ONNXRuntime string         `json:"onnx_runtime"`
	Provider    string         `json:"provider"`
	Threads     int            `json:"threads"`
	Models      []modelFigures `json:"models"` // a checkpoint in each precision, or a bundle
}

type modelFigures struct {
	Model     string            `json:"model"`
	Precision froster.Precision `json:"precision"`
	Framewise bool              `json:"framewise,omitempty"`
	GFLOPs    float64           `json:"gflops_per_clip"`            // of its matrix products
	MatMul    float64           `json:"matmul_gflops_s"`            // rate of the same matrix products alone
	Clips     []clipRate        `json:"clips"`                      // one for each size of batch
	Known     []clipRate        `json:"clips_half_known,omitempty"` // of a framewise model, if half of each clip's frames are known from the clip before
	Labels    float64           `json:"labels_per_s"`               // in float32, whatever the precision
	Texts     float64           `json:"texts_per_s"`                // each label is embedded by many prompts
	LoadS     float64           `json:"load_s"`                     // until ready
	Stages    stageTimes        `json:"stages_per_clip"`
}

type clipRate struct {
	Batch int     `json:"batch"`
	Rate  float64 `json:"clips_per_s"`
	Share float64 `json:"share_of_matmul"` // of the rate of the products alone, measured right before or after
}

// inferTime is how long each rate is measured, at most, in each round. Rates
// are measured in turn, so that a ratio compares measurements made at nearly
// the same time.
const inferTime = 2 * time.Second

func (b *bench) infer(ctx context.Context) (out *inferFigures, err error) {
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: b.Runtime, Provider: b.Provider, Threads: config.Default().Infer.Threads})
	if err != nil {
		return nil, err
	}
	bundles, err := b.bundles(ctx)
	if err != nil {
		return nil, err
	}
	out = &inferFigures{ONNXRuntime: rt.Version(), Provider: b.Provider, Threads: rt.Threads()}
	var measured []*modelRates
	defer func() {
		for _, m := range measured {
			err = errors.Join(err, m.model.Close())
		}
	}()
	for _, bundle := range bundles {
		begun := time.Now()
		model, err := rt.Load(bundle)
		if err != nil {
			return nil, err
		}
		measured = append(measured, &modelRates{model: model, load: time.Since(begun), clips: map[int][]float64{}, shares: map[int][]float64{}, known: map[int][]float64{}})
	}
	// Labels are measured before any clips, because texts are held back while
	// clips are embedded.
	for _, m := range measured {
		b.say("infer: labels of %s in %s", m.model.Bundle().Name, m.model.Bundle().Precision)
		if m.labels, err = labelsPerSecond(ctx, m.model, min(3*inferTime, b.Time)); err != nil {
			return nil, err
		}
	}
	for round := range b.Rounds {
		for _, m := range measured {
			b.say("infer: %s in %s, round %d of %d", m.model.Bundle().Name, m.model.Bundle().Precision, round+1, b.Rounds)
			if err := b.inferRound(ctx, rt, m); err != nil {
				return nil, err
			}
		}
	}
	for _, m := range measured {
		r := m.report()
		if r.Stages, err = b.stages(m, r.Clips[len(r.Clips)-1].Rate); err != nil {
			return nil, err
		}
		out.Models = append(out.Models, r)
	}
	return out, nil
}

// bundles returns the bundle of --model, or bundles made from a checkpoint,
// --checkpoint's or the demo's, in each precision that the provider can run.
func (b *bench) bundles(ctx context.Context) ([]*froster.Bundle, error) {
	if b.Model != "" {
		bundle, err := froster.OpenBundle(b.Model)
		return []*froster.Bundle{bundle}, err
	}
	o := froster.ImportOptions{Checkpoint: b.Checkpoint}
	if o.Checkpoint == "" {
		o = demo.Checkpoint(b.demoDir())
	}
	var out []*froster.Bundle
	for _, p := range b.precisions() {
		if err := p.Servable(b.Provider); err != nil {
			b.say("infer: %v", err)
			continue
		}
		for _, o.Framewise = range b.framewise() {
			o.Precision, o.Out = p, filepath.Join(b.dir, "bundles", fmt.Sprint(p, o.Framewise))
			bundle, err := froster.Import(ctx, o)
			if err != nil {
				return nil, err
			}
			out = append(out, bundle)
		}
	}
	return out, nil
}

// framewise is whether a checkpoint is measured as a framewise model.
func (b *bench) framewise() []bool {
	if b.Framewise {
		return []bool{false, true}
	}
	return []bool{false}
}

func (b *bench) onGPU() bool { return b.Provider != "cpu" }

func (b *bench) precisions() []froster.Precision {
	if b.onGPU() {
		return []froster.Precision{froster.Float16, froster.Float32}
	}
	return []froster.Precision{froster.Float32, froster.Int8}
}

// batches are only a few sizes on a processor, where each clip is a run of its
// own.
func (b *bench) batches() []int {
	if b.onGPU() {
		return []int{1, 8, 32}
	}
	return []int{1, 8}
}

// modelRates are one model's figures, one for each round.
type modelRates struct {
	model         *froster.Model
	load          time.Duration
	matmul        []float64
	clips, shares map[int][]float64 // by batch
	known         map[int][]float64 // likewise; of a framewise model
	labels        float64
}

func (b *bench) inferRound(ctx context.Context, rt *froster.Runtime, m *modelRates) error {
	lasting, bundle := min(inferTime, b.Time), m.model.Bundle()
	most, err := rt.MatMulRate(ctx, bundle.Dims, bundle.Precision, slices.Max(b.batches()), lasting)
	if err != nil {
		return err
	}
	m.matmul = append(m.matmul, most)
	for _, batch := range b.batches() {
		r, err := clipsPerSecond(ctx, m.model, batch, lasting)
		if err != nil {
			return err
		}
		m.clips[batch] = append(m.clips[batch], r)
		m.shares[batch] = append(m.shares[batch], r*bundle.Dims.ClipFLOPs()/most)
		if bundle.Dims.Framewise {
			if r, err = knownPerSecond(ctx, m.model, batch, lasting); err != nil {
				return err
			}
			m.known[batch] = append(m.known[batch], r)
		}
	}
	return nil
}

func (m *modelRates) report() modelFigures {
	bundle := m.model.Bundle()
	r := modelFigures{Model: bundle.Name, Precision: bundle.Precision, Framewise: bundle.Dims.Framewise, GFLOPs: bundle.Dims.ClipFLOPs() / 1e9,
		MatMul: median(m.matmul) / 1e9, Labels: m.labels, LoadS: m.load.Seconds()}
	r.Texts = r.Labels * float64(len(froster.Prompts("")))
	for _, batch := range slices.Sorted(maps.Keys(m.clips)) {
		r.Clips = append(r.Clips, clipRate{batch, median(m.clips[batch]), median(m.shares[batch])})
		if bundle.Dims.Framewise {
			half := median(m.known[batch])
			r.Known = append(r.Known, clipRate{batch, half, half * bundle.Dims.ClipFLOPs() / 2 / median(m.matmul)})
		}
	}
	return r
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return percentile(sorted, 50)
}

func clipsPerSecond(ctx context.Context, m *froster.Model, batch int, lasting time.Duration) (float64, error) {
	d := m.Bundle().Dims
	frames := randomFrames(batch * d.Frames * d.ImageSize * d.ImageSize * 3)
	return rate(lasting, batch, func() error {
		_, err := m.EmbedClips(ctx, frames, batch)
		return err
	})
}

// knownPerSecond is clips a second of a framewise model if half of each clip's frames were
// embedded with the clip before: the others are embedded, and the clips' means worked out.
func knownPerSecond(ctx context.Context, m *froster.Model, batch int, lasting time.Duration) (float64, error) {
	d := m.Bundle().Dims
	fresh := d.Frames - d.Frames/2
	frames := randomFrames(batch * fresh * d.ImageSize * d.ImageSize * 3)
	joined := make([]float32, batch*d.Frames*d.EmbedDim)
	return rate(lasting, batch, func() error {
		units, err := m.EmbedFrames(ctx, frames, batch*fresh)
		if err != nil {
			return err
		}
		copy(joined, units)
		_, err = froster.MeanOfFrames(d.EmbedDim, d.Frames, joined)
		return err
	})
}

func labelsPerSecond(ctx context.Context, m *froster.Model, lasting time.Duration) (float64, error) {
	// Labels of typical length, enough to keep every thread busy.
	labels := []string{"a person falling down", "two people fighting", "climbing over a fence", "somebody riding a bicycle indoors",
		"leaving a bag behind", "opening a window", "smoking", "carrying a ladder"}
	return rate(lasting, len(labels), func() error {
		_, problems, err := m.EmbedLabels(ctx, labels)
		return errors.Join(append(problems, err)...)
	})
}

// rate calls do, which handles n things, for at least d and returns things per
// second. It calls do once before that to warm up.
func rate(d time.Duration, n int, do func() error) (float64, error) {
	if err := do(); err != nil {
		return 0, fmt.Errorf("warm up: %w", err)
	}
	done, begun := 0, time.Now()
	for time.Since(begun) < d {
		if err := do(); err != nil {
			return 0, err
		}
		done += n
	}
	return float64(done) / time.Since(begun).Seconds(), nil
}
