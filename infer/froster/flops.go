package froster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// ClipFLOPs is the number of floating-point operations that a clip takes in
// matrix products, two for each multiplication and addition. It counts what
// this package computes: keys and values once per frame, and only the class
// token in the last block.
func (d Dims) ClipFLOPs() float64 {
	if d.Architecture == PECore {
		return d.peFLOPs()
	}
	w, frames := float64(d.VisionWidth), float64(d.Frames)
	rows := frames * float64(d.tokens())
	seen := 3 * float64(d.tokens()) // by a query: of its frame and of those beside it
	if d.Framewise {
		seen = float64(d.tokens())
	}
	block := func(queries float64) float64 {
		linear := 2*rows + 2*queries + 8*queries // keys, values; query, output; MLP
		return 2*w*w*linear + 4*w*queries*seen
	}
	patches := 2 * frames * float64(d.grid()*d.grid()*3*d.PatchSize*d.PatchSize) * w
	return patches + float64(d.VisionLayers-1)*block(rows) + block(frames) + 2*frames*w*float64(d.EmbedDim)
}

// peFLOPs is ClipFLOPs of a Perception Encoder: the pool reads all tokens of the last
// block.
func (d Dims) peFLOPs() float64 {
	w, n, patches := float64(d.VisionWidth), float64(d.tokens()), float64(d.grid()*d.grid())
	block := n*(4*w*w+2*w*float64(d.visionMLP())) + 2*n*n*w
	pool := 2*n*w*float64(d.PoolHeads) + 2*w*w + 8*w*w // scores and weighted sums; values and output; MLP
	return 2 * float64(d.Frames) * (patches*float64(3*d.PatchSize*d.PatchSize)*w + float64(d.VisionLayers)*block + pool + w*float64(d.EmbedDim))
}

// MatMulRate measures the FLOP/s that ONNX Runtime reaches on this machine in
// the model's largest products, a clip's rows (a frame's, if it is framewise) times the two
// layers of an MLP. No model can be faster than that. As in EmbedClips, a processor has one
// clip, or frame, in each run and as many runs at once as threads; a GPU has all clips in one
// run.
func (r *Runtime) MatMulRate(ctx context.Context, d Dims, p Precision, clips int, lasting time.Duration) (float64, error) {
	const layers = 4
	rows, runs := d.Frames*d.tokens(), r.options.Threads
	switch {
	case r.onGPU():
		rows, runs = rows*clips, 1
	case d.Framewise:
		rows = d.tokens()
	}
	graph, err := productsGraph(d, p, rows, layers)
	if err != nil {
		return 0, err
	}
	s, err := r.load(graph, "", []string{"x"}, []string{"y"})
	if err != nil {
		return 0, fmt.Errorf("measure matrix products: %w", err)
	}
	x := input{[]int{1, d.VisionWidth}, randomValues(d.VisionWidth)}
	var done atomic.Int64
	begun := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for range runs {
		g.Go(func() error {
			for ctx.Err() == nil && time.Since(begun) < lasting {
				if _, err := s.run(x); err != nil {
					return err
				}
				done.Add(1)
			}
			return ctx.Err()
		})
	}
	if err := errors.Join(g.Wait(), s.close()); err != nil {
		return 0, fmt.Errorf("measure matrix products: %w", err)
	}
	each := 2 * layers * 2 * float64(rows) * 4 * float64(d.VisionWidth*d.VisionWidth)
	return each * float64(done.Load()) / time.Since(begun).Seconds(), nil
}

// productsGraph is a chain of MLPs without their activation. All rows are
// copies of the one that is passed in, so that a GPU does not wait for data to
// be copied to it.
func productsGraph(d Dims, p Precision, rows, layers int) ([]byte, error) {
	width := d.VisionWidth
	layer := func(out, in int) checkpoint.Tensor {
		return checkpoint.Tensor{Shape: []int{out, in}, Data: randomValues(out * in)}
	}
	bias := func(n int) checkpoint.Tensor { return checkpoint.Tensor{Shape: []int{n}, Data: make([]float32, n)} }
	up, down := layer(4*width, width), layer(width, 4*width)
	b := newBuilder("products", weights{}, d, p)
	x := b.Op("Cast", []string{b.Input("x", onnx.Float, 1, width)}, onnx.Int("to", int(b.real())))
	x = b.add("Expand", x, b.Int64s("", rows, width))
	for i := range layers {
		x = b.affine(x, fmt.Sprintf("up.%d", i), up, fmt.Sprintf("up.%d.bias", i), bias(4*width))
		x = b.affine(x, fmt.Sprintf("down.%d", i), down, fmt.Sprintf("down.%d.bias", i), bias(width))
	}
	b.As("y", "Cast", []string{b.add("Slice", x, b.Int64s("", 0), b.Int64s("", 1))}, onnx.Int("to", int(onnx.Float)))
	b.Output("y", onnx.Float, 1, width)
	return b.Marshal()
}

// randomValues are small, so that products of products stay finite in float16.
func randomValues(n int) []float32 {
	random := rand.New(rand.NewPCG(1, 2))
	out := make([]float32, n)
	for i := range out {
		out[i] = (random.Float32() - 0.5) / 16
	}
	return out
}
