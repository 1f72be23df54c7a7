package froster

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/sync/errgroup"
)

// ClipEmbeddings are the outputs for one batch of clips.
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
// size, 3]. A clip's result does not depend on the rest of the batch; on a
// processor it is the same to the bit.
func (m *Model) EmbedClips(ctx context.Context, frames []byte, batch int) (ClipEmbeddings, error) {
	d := m.bundle.Dims
	if want := batch * d.clipValues(); batch < 1 || len(frames) != want {
		return ClipEmbeddings{}, fmt.Errorf("embed clips: %d bytes for %d clips, want %d", len(frames), batch, want)
	}
	return embed(ctx, m, frames, batch)
}

// clipValues is the number of bytes, or values, of a clip's frames.
func (d Dims) clipValues() int { return d.Frames * d.ImageSize * d.ImageSize * 3 }

func embed[T uint8 | float32](ctx context.Context, m *Model, frames []T, batch int) (ClipEmbeddings, error) {
	d := m.bundle.Dims
	defer m.pace.clips()()
	if d.Framewise {
		frame, err := embedFrames(ctx, m, frames, batch*d.Frames)
		if err != nil {
			return ClipEmbeddings{}, fmt.Errorf("embed clips: %w", err)
		}
		return MeanOfFrames(d.EmbedDim, d.Frames, frame)
	}
	e := ClipEmbeddings{dim: d.EmbedDim, frames: d.Frames,
		clip: make([]float32, batch*d.EmbedDim), frame: make([]float32, batch*d.Frames*d.EmbedDim)}
	run := embedApart[T]
	if m.together {
		run = embedTogether[T]
	}
	if err := run(ctx, m, frames, batch, e); err != nil {
		return ClipEmbeddings{}, fmt.Errorf("embed clips: %w", err)
	}
	return e, nil
}

// embedApart is for processors: each clip is a run of its own on one thread,
// with as many runs at the same time as there are threads. One clip's matrices
// are large enough to be multiplied at full speed. Threads that share a run
// would wait for each other between its operators, and worst when another
// program uses the cores too.
func embedApart[T uint8 | float32](ctx context.Context, m *Model, frames []T, batch int, e ClipEmbeddings) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(m.threads)
	size := m.bundle.Dims.clipValues()
	for i := range batch {
		g.Go(func() error { return runClips(ctx, m, frames[i*size:(i+1)*size], 1, e, i) })
	}
	return g.Wait()
}

// embedTogether is for GPUs: one run for all clips, padded with empty clips to
// a power of two so that the device sees only a few shapes.
func embedTogether[T uint8 | float32](ctx context.Context, m *Model, frames []T, batch int, e ClipEmbeddings) error {
	full := 1 << bits.Len(uint(batch-1))
	frames = append(slices.Clip(frames), make([]T, (full-batch)*m.bundle.Dims.clipValues())...)
	return runClips(ctx, m, frames, full, e, 0)
}

// runClips runs the graph once over batch clips. Their results go to e from
// position at on; those beyond the end of e belong to padding and are dropped.
func runClips[T uint8 | float32](ctx context.Context, m *Model, frames []T, batch int, e ClipEmbeddings, at int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := m.bundle.Dims
	out, err := m.video.run(input{[]int{batch, d.Frames, d.ImageSize, d.ImageSize, 3}, frames})
	if err != nil {
		return err
	}
	if err := errors.Join(sized("clips", out[0], batch*e.dim), sized("frames", out[1], batch*e.frames*e.dim)); err != nil {
		return err
	}
	copy(e.clip[at*e.dim:], out[0])
	copy(e.frame[at*e.frames*e.dim:], out[1])
	return nil
}
