package froster

import (
	"fmt"

	"github.com/frostwatch/frostwatch/media/pixels"
)

// The architectures.
const (
	// FROSTER is CLIP with temporal attention: what a bundle has that names none.
	FROSTER = ""
	// PECore is Meta's Perception Encoder with pool and text tower
	// (facebookresearch/perception_models, core/vision_encoder). It sees each frame by itself.
	PECore = "pe-core"
)

// colours are the mean and deviation by which a model normalises RGB of 0 to 1.
type colours struct{ mean, std [3]float32 }

func (d Dims) colours() colours {
	if d.Architecture == PECore {
		return colours{[3]float32{.5, .5, .5}, [3]float32{.5, .5, .5}}
	}
	return colours{pixels.Mean, pixels.Std}
}

// Resize is the model's own way to make its square of a picture.
func (d Dims) Resize() pixels.Resize {
	if d.Architecture == PECore {
		return pixels.Squashing
	}
	return pixels.Cropping
}

// preprocessing says in words what the framer, infer and the graph do together.
func (d Dims) preprocessing() string {
	if d.Architecture == PECore {
		return fmt.Sprintf("squashed to %d by %d by PIL's bilinear filter, with antialiasing; RGB/255, mean and deviation 0.5", d.ImageSize, d.ImageSize)
	}
	return fmt.Sprintf("RGB/255, CLIP's mean and deviation; short side to %d by bilinear with half-pixel centres and no antialiasing; centre crop", d.ImageSize)
}

// classTokens is how many tokens a frame has beside its patches.
func (d Dims) classTokens() int {
	if d.Architecture == PECore && !d.ClassToken {
		return 0
	}
	return 1
}
