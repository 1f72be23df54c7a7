package froster

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/sync/errgroup"
)

// ClipEmbeddings are the outputs of one run.
type ClipEmbeddings struct {
	dim, frames int
	clip, frame []float32
}

// Clip is the embedding of clip i, [dim]: the mean of its frames' unit
// embeddings, itself not of unit length.
func (e ClipEmbeddings) Clip(i int) []float32 { return e.clip[i*e.dim : (i+1)*e.dim] }

// Frame is the unit embedding of frame k of clip i, [dim].
func (e ClipEmbeddings) Frame(i, k int) []float32 {
	at := (i*e.frames + k) * e.dim
	return e.frame[at : at+e.dim]
}

// EmbedClips runs the video tower over packed RGB frames, [batch, frames, size,
// size, 3]. A clip's result is the same whatever else is in the batch: to the
// bit on a processor.
func (m *Model) EmbedClips(ctx context.Context, frames []byte, batch int) (ClipEmbeddings, error) {
	d := m.bundle.Dims
	if want := batch * d.clipValues(); batch < 1 || len(frames) != want {
		return ClipEmbeddings{}, fmt.Errorf("embed clips: %d bytes for %d clips, want %d", len(frames), batch, want)
	}
	return embed(ctx, m, frames, batch)
}

// clipValues is how many bytes, or values, a clip's frames are.
func (d Dims) clipValues() int { return d.Frames * d.ImageSize * d.ImageSize * 3 }

func embed[T uint8 | float32](ctx context.Context, m *Model, frames []T, batch int) (ClipEmbeddings, error) {
	d := m.bundle.Dims
	e := ClipEmbeddings{dim: d.EmbedDim, frames: d.Frames,
		clip: make([]float32, batch*d.EmbedDim), frame: make([]float32, batch*d.Frames*d.EmbedDim)}
	defer m.pace.clips()()
	run := embedApart[T]
	if m.together {
		run = embedTogether[T]
	}
	if err := run(ctx, m, frames, batch, e); err != nil {
		return ClipEmbeddings{}, fmt.Errorf("embed clips: %w", err)
	}
	return e, nil
}

// embedApart is for processors: each clip is a run of its own on one thread, and
// as many run at once as there are threads. One clip's matrices are large enough
// to be multiplied at full speed, and threads that share a run would wait for
// each other between its operators, worst where something else wants the cores.
func embedApart[T uint8 | float32](ctx context.Context, m *Model, frames []T, batch int, e ClipEmbeddings) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(m.threads)
	size := m.bundle.Dims.clipValues()
	for i := range batch {
		g.Go(func() error { return runClips(ctx, m, frames[i*size:(i+1)*size], 1, e, i) })
	}
	return g.Wait()
}

// embedTogether is for GPUs: one run, filled up with empty clips to a power of
// two, so that a device sees few shapes.
func embedTogether[T uint8 | float32](ctx context.Context, m *Model, frames []T, batch int, e ClipEmbeddings) error {
	full := 1 << bits.Len(uint(batch-1))
	frames = append(slices.Clip(frames), make([]T, (full-batch)*m.bundle.Dims.clipValues())...)
	return runClips(ctx, m, frames, full, e, 0)
}

// runClips is one run of the graph over batch clips, whose results belong at
// place at; those beyond the end of e are dropped.
func runClips[T uint8 | float32](ctx context.Context, m *Model, frames []T, batch int, e ClipEmbeddings, at int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := m.bundle.Dims
	out, err := m.video.run(input{[]int{batch, d.Frames, d.ImageSize, d.ImageSize, 3}, frames})
	if err != nil {
		return err
	}
	copy(e.clip[at*e.dim:], out[0])
	copy(e.frame[at*e.frames*e.dim:], out[1])
	return nil
}
