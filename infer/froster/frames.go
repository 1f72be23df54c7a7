package froster

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/sync/errgroup"
)

var errMixed = errors.New("embed frames: the model's frames see one another, so that none has an embedding of its own")

// EmbedFrames runs the video tower of a framewise model over n packed RGB frames, [n,
// size, size, 3], and returns their embeddings, [n, dim], each of length 1. On a processor
// the embedding of a frame is the same to the bit whatever it is embedded with, int8's
// scales included; kernels of GPUs may round otherwise in larger runs.
func (m *Model) EmbedFrames(ctx context.Context, frames []byte, n int) ([]float32, error) {
	d := m.bundle.Dims
	if !d.Framewise {
		return nil, errMixed
	}
	if want := n * d.frameValues(); n < 1 || len(frames) != want {
		return nil, fmt.Errorf("embed frames: %d bytes for %d frames, want %d", len(frames), n, want)
	}
	defer m.pace.clips()()
	out, err := embedFrames(ctx, m, frames, n)
	if err != nil {
		return nil, fmt.Errorf("embed frames: %w", err)
	}
	return out, nil
}

// frameValues is the number of bytes, or values, of a frame.
func (d Dims) frameValues() int { return d.ImageSize * d.ImageSize * 3 }

// embedFrames has a run of its own for each frame on a processor, as many at once as there
// are threads, so that a clip alone uses all of them; see embedApart. GPUs get one run,
// filled up to a power of two; see embedTogether.
func embedFrames[T uint8 | float32](ctx context.Context, m *Model, frames []T, n int) ([]float32, error) {
	d := m.bundle.Dims
	out := make([]float32, n*d.EmbedDim)
	if m.together {
		full := 1 << bits.Len(uint(n-1))
		frames = append(slices.Clip(frames), make([]T, (full-n)*d.frameValues())...)
		return out, runFrames(ctx, m, frames, full, out)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(m.threads)
	size := d.frameValues()
	for i := range n {
		g.Go(func() error {
			return runFrames(ctx, m, frames[i*size:(i+1)*size], 1, out[i*d.EmbedDim:(i+1)*d.EmbedDim])
		})
	}
	return out, g.Wait()
}

// runFrames runs the graph once over n frames. What does not fit into out belongs to
// padding.
func runFrames[T uint8 | float32](ctx context.Context, m *Model, frames []T, n int, out []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := m.bundle.Dims
	got, err := m.video.run(input{[]int{n, d.ImageSize, d.ImageSize, 3}, frames})
	if err != nil {
		return err
	}
	if err := sized("frames", got[0], n*d.EmbedDim); err != nil {
		return err
	}
	copy(out, got[0])
	return nil
}

// MeanOfFrames makes the embeddings of clips of a framewise model: frame is [batch, frames,
// dim], in the order of presentation, in which it is added up, so that a clip's embedding is
// the same to the bit wherever its frames' come from.
func MeanOfFrames(dim, frames int, frame []float32) (ClipEmbeddings, error) {
	if dim < 1 || frames < 1 || len(frame)%(dim*frames) != 0 {
		return ClipEmbeddings{}, fmt.Errorf("clips of frames: %d numbers for clips of %d frames of %d", len(frame), frames, dim)
	}
	e := ClipEmbeddings{dim: dim, frames: frames, frame: frame, clip: make([]float32, len(frame)/frames)}
	for i := range len(e.clip) / dim {
		sum := e.Clip(i)
		for k := range frames {
			for at, v := range e.Frame(i, k) {
				sum[at] += v / float32(frames)
			}
		}
	}
	return e, nil
}
