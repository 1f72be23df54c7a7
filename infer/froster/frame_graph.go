package froster

import (
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// frameGraph is the visual tower of a framewise model: over single frames.
// Their mean is worked out in Go (MeanOfFrames), so that it is the same whether a frame was
// embedded for this clip or for an earlier one.
func frameGraph(name string, w weights, d Dims, p Precision, tower func(b builder, frames string, d Dims) string) *onnx.Graph {
	b := newBuilder(name, w, d, p)
	b.unit(tower(b, b.Input(inFrames, onnx.Uint8, batchDim, d.ImageSize, d.ImageSize, 3), d))
	b.Output(outFrames, onnx.Float, batchDim, d.EmbedDim)
	return b.Graph
}

// visualGraph is the graph of a model's visual tower.
func visualGraph(w weights, d Dims, p Precision) *onnx.Graph {
	switch {
	case d.Architecture == PECore:
		return frameGraph("pe_core_frames", w, d, p, builder.peTower)
	case d.Framewise:
		return frameGraph("clip_frames", w, d, p, builder.tower)
	}
	return videoGraph(w, d, p)
}
