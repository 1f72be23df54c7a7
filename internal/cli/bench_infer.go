package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
)

// inferBench is the model alone, on frames that are decoded already.
type inferBench struct {
	Model       string     `json:"model"`
	ONNXRuntime string     `json:"onnx_runtime"`
	Provider    string     `json:"provider"`
	Clips       []clipRate `json:"clips"`
	Labels      float64    `json:"labels_per_s"`
	Texts       float64    `json:"texts_per_s"` // each label is many prompts
}

type clipRate struct {
	Batch int     `json:"batch"`
	Rate  float64 `json:"clips_per_s"`
}

// inferTime is how long each rate of the model is measured, at most.
const inferTime = 5 * time.Second

func (b *bench) infer(ctx context.Context) (out *inferBench, err error) {
	path, err := b.bundle()
	if err != nil {
		return nil, err
	}
	bundle, err := froster.OpenBundle(path)
	if err != nil {
		return nil, err
	}
	c := config.Default().Infer
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: b.runtime, Provider: c.Provider, Threads: c.Threads})
	if err != nil {
		return nil, err
	}
	model, err := rt.Load(bundle)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	out = &inferBench{Model: bundle.Name, ONNXRuntime: rt.Version(), Provider: c.Provider}
	for _, batch := range []int{1, 8} {
		b.say("infer: clips in batches of %d", batch)
		rate, err := b.clipsPerSecond(ctx, model, batch)
		if err != nil {
			return nil, err
		}
		out.Clips = append(out.Clips, clipRate{batch, rate})
	}
	b.say("infer: labels")
	if out.Labels, err = b.labelsPerSecond(ctx, model); err != nil {
		return nil, err
	}
	out.Texts = out.Labels * float64(len(froster.Prompts("")))
	return out, nil
}

func (b *bench) clipsPerSecond(ctx context.Context, m *froster.Model, batch int) (float64, error) {
	d := m.Bundle().Dims
	frames := make([]byte, batch*d.Frames*d.ImageSize*d.ImageSize*3)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range frames {
		frames[i] = byte(random.Uint32())
	}
	return rate(min(inferTime, b.time), batch, func() error {
		_, err := m.EmbedClips(ctx, frames, batch)
		return err
	})
}

func (b *bench) labelsPerSecond(ctx context.Context, m *froster.Model) (float64, error) {
	labels := []string{"a person falling down", "two people fighting", "climbing over a fence", "somebody riding a bicycle indoors"}
	return rate(min(inferTime, b.time), len(labels), func() error {
		_, problems, err := m.EmbedLabels(ctx, labels)
		return errors.Join(append(problems, err)...)
	})
}

// rate calls do, which handles n things, for at least d, once more before that
// for warming up, and gives things a second.
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
