package froster

import (
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// frameGraph is the visual tower of a framewise model: CLIP's own, over single frames.
// Their mean is worked out in Go (MeanOfFrames), so that it is the same whether a frame was
// embedded for this clip or for an earlier one.
func frameGraph(w weights, d Dims, p Precision) *onnx.Graph {
	b := newBuilder("clip_frames", w, d, p)
	in := b.Input(inFrames, onnx.Uint8, batchDim, d.ImageSize, d.ImageSize, 3)
	x := b.tower(in, d)
	norm := b.Op("ReduceL2", []string{x, b.Int64s("", -1)}, onnx.Int("keepdims", 1))
	b.As(outFrames, "Div", []string{x, norm})
	b.Output(outFrames, onnx.Float, batchDim, d.EmbedDim)
	return b.Graph
}

// visualGraph is the graph of a model's visual tower.
func visualGraph(w weights, d Dims, p Precision) *onnx.Graph {
	if d.Framewise {
		return frameGraph(w, d, p)
	}
	return videoGraph(w, d, p)
}
