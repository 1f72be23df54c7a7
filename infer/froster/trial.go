package froster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Tried is what one run of a bundle took.
type Tried struct{ Load, Clip, Text time.Duration }

// Trial loads a bundle, by which its hashes are verified, and runs both of its towers once,
// on noise and on a text. It says whether the model works here, and not whether it is right:
// Check does.
func Trial(ctx context.Context, rt *Runtime, b *Bundle) (t Tried, err error) {
	begun := time.Now()
	m, err := rt.Load(b)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	load := time.Since(begun)
	t, err = m.Try(ctx)
	t.Load = load
	return t, err
}

// Try runs both towers of a model once, on noise and on a text, and says whether it works.
func (m *Model) Try(ctx context.Context) (t Tried, err error) {
	begun := time.Now()
	frames, noise := make([]byte, m.bundle.Dims.clipValues()), rand.New(rand.NewPCG(1, 2))
	for i := range frames {
		frames[i] = byte(noise.Uint32())
	}
	e, err := m.EmbedClips(ctx, frames, 1)
	if err != nil {
		return t, err
	}
	t.Clip, begun = time.Since(begun), time.Now()
	if err := unit(e.Frame(0, 0)); err != nil {
		return t, fmt.Errorf("the embedding of a frame of noise: %w", err)
	}
	vectors, problems, err := m.EmbedLabels(ctx, []string{"a person walking"})
	if err = errors.Join(err, errors.Join(problems...)); err != nil {
		return t, err
	}
	t.Text = time.Since(begun)
	if err := unit(vectors[0]); err != nil {
		return t, fmt.Errorf("the embedding of a text: %w", err)
	}
	return t, nil
}

// unit is an error unless a vector has the length 1.
func unit(v []float32) error {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if length := math.Sqrt(sum); !(math.Abs(length-1) < 0.01) {
		return fmt.Errorf("its length is %g, want 1", length)
	}
	return nil
}
