package froster

import "fmt"

// NewClipEmbeddings makes ClipEmbeddings from another model's outputs: clip is
// [batch, dim], frame [batch, frames, dim].
func NewClipEmbeddings(dim, frames int, clip, frame []float32) (ClipEmbeddings, error) {
	if dim < 1 || frames < 1 || len(clip)%dim != 0 || len(frame) != len(clip)*frames {
		return ClipEmbeddings{}, fmt.Errorf("clip embeddings: %d and %d numbers for %d frames of %d", len(clip), len(frame), frames, dim)
	}
	return ClipEmbeddings{dim: dim, frames: frames, clip: clip, frame: frame}, nil
}
