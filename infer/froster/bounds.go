package froster

import "fmt"

// vocabSize is how many tokens CLIP's vocabulary has, which all models share.
const vocabSize = 49408

const (
	// contextCLIP is how many tokens CLIP's text models read, start and end included.
	contextCLIP = 77
	// leastContext and mostContext bound it for every model.
	leastContext, mostContext = 4, 1024
)

// bounds are the least and the most of what a model's dimensions may be, by its bundle: what is
// allocated goes by them, before a graph says that they are not its own. The largest released
// Perception Encoder has 50 layers, a width of 1536 and MLPs of 8960. The side is what ingest
// can carry.
func (d Dims) bounds() error {
	for _, b := range []struct {
		what            string
		is, least, most int
	}{
		{"image_size", d.ImageSize, 16, 1536}, {"patch_size", d.PatchSize, 1, max(d.ImageSize, 1)},
		{"vision_width", d.VisionWidth, 1, 8192}, {"vision_layers", d.VisionLayers, 1, 128}, {"vision_heads", d.VisionHeads, 1, 128},
		{"text_width", d.TextWidth, 1, 8192}, {"text_layers", d.TextLayers, 1, 128}, {"text_heads", d.TextHeads, 1, 128},
		{"embed_dim", d.EmbedDim, 1, 8192}, {"context_length", d.Context, leastContext, mostContext}, {"vocab_size", d.VocabSize, vocabSize, vocabSize},
		{"frames", d.Frames, 1, 64}, {"vision_mlp", d.VisionMLP, 0, 65536}, {"pool_heads", d.PoolHeads, 0, 128},
	} {
		switch {
		case b.is >= b.least && b.is <= b.most:
		case b.least == b.most:
			return fmt.Errorf("impossible dimensions: %s of %d: want %d", b.what, b.is, b.most)
		default:
			return fmt.Errorf("impossible dimensions: %s of %d: want %d to %d", b.what, b.is, b.least, b.most)
		}
	}
	return nil
}

// sized is an error unless a graph gave as many numbers as the bundle says.
func sized(what string, got []float32, want int) error {
	if len(got) != want {
		return fmt.Errorf("the graph gives %d numbers for %s, and its bundle.json says %d: import the checkpoint again", len(got), what, want)
	}
	return nil
}
