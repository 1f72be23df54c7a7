package froster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/infer/froster/onnx"
	"github.com/frostwatch/frostwatch/media/pixels"
)

// Check runs the bundle on the recorded inputs in the file reference and
// compares the results with what the reference implementation gave.
func Check(ctx context.Context, rt *Runtime, b *Bundle, reference string) (Report, error) {
	f, err := openFixture(reference)
	if err != nil {
		return Report{}, err
	}
	if f.Dims.ImageSize != b.Dims.ImageSize || f.Dims.EmbedDim != b.Dims.EmbedDim {
		return Report{}, fmt.Errorf("check model: the reference was recorded with %d px and %d dimensions, the bundle has %d and %d",
			f.Dims.ImageSize, f.Dims.EmbedDim, b.Dims.ImageSize, b.Dims.EmbedDim)
	}
	m, err := rt.loadChanged(b, func(graph []byte) ([]byte, error) { return onnx.WithInputType(graph, inFrames, onnx.Float) })
	if err != nil {
		return Report{}, err
	}
	c := &checker{fixture: f, model: m, tolerances: defaultTolerances()}
	maps.Copy(c.tolerances, f.Tolerance)
	c.looser(b.Precision)
	err = c.run(ctx)
	return c.report, errors.Join(err, m.Close())
}

type checker struct {
	fixture    *fixture
	model      *Model
	tolerances map[string]float64
	angle      float64 // above 0: embeddings are compared by their angle, and this is the tolerance
	report     Report
}

func (c *checker) run(ctx context.Context) error {
	c.tokens()
	clips, err := c.video(ctx)
	if err != nil {
		return err
	}
	classes, err := c.text(ctx)
	if err != nil {
		return err
	}
	if clips != nil && classes != nil {
		c.scores(clips, classes)
	}
	return nil
}

// compare records by how much got differs from a recorded array.
func (c *checker) compare(name string, got []float32) {
	want, err := c.fixture.floats(name)
	if err != nil {
		c.report.Skipped = append(c.report.Skipped, name)
		return
	}
	off := ArrayError{Name: name, Error: maxDiff(got, want), Tolerance: c.tolerances[name]}
	if c.angle > 0 && (name == "frame_embeddings" || name == "clip_embeddings") {
		off = ArrayError{Name: name + " angle", Error: turned(got, want, c.model.Dim()), Tolerance: c.angle}
	}
	c.report.Arrays = append(c.report.Arrays, off)
}

func (c *checker) tokens() {
	for _, k := range c.fixture.Tokenizer {
		c.report.Tokens++
		ids, err := c.model.tokenizer.Encode(k.Text)
		same := slices.Equal(ids, k.IDs)
		if k.Error != nil {
			same = err != nil
		}
		if !same {
			c.report.Wrong = append(c.report.Wrong, k.Text)
		}
	}
}

// video preprocesses the recorded source frames and embeds them without
// rounding to bytes.
func (c *checker) video(ctx context.Context) ([][]float32, error) {
	var all []float32
	batch := 0
	for ; ; batch++ {
		name := fmt.Sprintf("frames_%d", batch)
		source, err := c.fixture.bytes(name)
		if err != nil {
			break
		}
		shape := c.fixture.Arrays[name].Shape
		if len(shape) != 4 || shape[0] != c.model.bundle.Dims.Frames {
			return nil, fmt.Errorf("check model: %s has shape %v", name, shape)
		}
		size := len(source) / shape[0]
		for frame := range slices.Chunk(source, size) {
			all = append(all, preprocess(frame, shape[2], shape[1], c.model.bundle.Dims)...)
		}
	}
	if batch == 0 {
		c.report.Skipped = append(c.report.Skipped, "frames_0")
		return nil, nil
	}
	c.compare("pixels", byChannel(all, batch, c.model.bundle.Dims))
	e, err := embed(ctx, c.model, denormalise(all, c.model.bundle.Dims.colours()), batch)
	if err != nil {
		return nil, err
	}
	c.compare("frame_embeddings", e.frame)
	c.compare("clip_embeddings", e.clip)
	return slices.Collect(slices.Chunk(e.clip, e.dim)), nil
}

// preprocess makes a frame what the tower sees, packed. FROSTER's code normalises before
// it resizes and crops; Perception Encoder's after.
func preprocess(frame []byte, w, h int, d Dims) []float32 {
	if d.Resize() == pixels.Squashing {
		square := make([]byte, d.ImageSize*d.ImageSize*3)
		pixels.Square(frame, w, h, d.ImageSize, pixels.Squashing.Own(), square)
		return normalise(square, d.colours())
	}
	resized, rw, rh := pixels.ResizeShortSideFloat(normalise(frame, d.colours()), w, h, d.ImageSize)
	return pixels.CenterCrop(resized, rw, rh, d.ImageSize, nil)
}

// normalise turns RGB of 0 to 255 into what the tower sees.
func normalise(src []byte, of colours) []float32 {
	out := make([]float32, len(src))
	for i, v := range src {
		out[i] = (float32(v)/255 - of.mean[i%3]) / of.std[i%3]
	}
	return out
}

// denormalise restores the range of 0 to 255 that the graph expects.
func denormalise(packed []float32, of colours) []float32 {
	out := make([]float32, len(packed))
	for i, v := range packed {
		out[i] = (v*of.std[i%3] + of.mean[i%3]) * 255
	}
	return out
}

// byChannel reorders packed frames to [batch, 3, frames, size, size].
func byChannel(packed []float32, batch int, d Dims) []float32 {
	plane := d.ImageSize * d.ImageSize
	out := make([]float32, len(packed))
	for b := range batch {
		for f := range d.Frames {
			for p := range plane {
				for ch := range 3 {
					out[((b*3+ch)*d.Frames+f)*plane+p] = packed[((b*d.Frames+f)*plane+p)*3+ch]
				}
			}
		}
	}
	return out
}

// planar reorders one packed frame to [3, size, size].
func planar(packed []float32) []float32 {
	plane := len(packed) / 3
	out := make([]float32, len(packed))
	for p := range plane {
		for ch := range 3 {
			out[ch*plane+p] = packed[p*3+ch]
		}
	}
	return out
}

// promptsRecorded are the prompts of a class in the recordings: FROSTER's, for every
// model.
const promptsRecorded = 29

// text embeds the recorded token ids rather than ours, so that a difference
// between the tokenizers shows in the tokens only, not in the embeddings too.
// The classes are then embedded from the same ids.
func (c *checker) text(ctx context.Context) ([][]float32, error) {
	ids, err := c.fixture.ints("token_ids")
	if err != nil {
		c.report.Skipped = append(c.report.Skipped, "token_ids")
		return nil, nil
	}
	end := c.model.tokenizer.end
	var templates []float32
	var classes [][]float32
	context := c.model.bundle.Dims.Context
	for class := range slices.Chunk(ids, promptsRecorded*context) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var texts [][]int
		for row := range slices.Chunk(class, context) {
			texts = append(texts, trim(row, end))
		}
		features, err := c.model.embedTokens(texts, c.model.threads)
		if err != nil {
			return nil, fmt.Errorf("check model: %w", err)
		}
		templates = append(templates, slices.Concat(features...)...)
		classes = append(classes, ensemble(features))
	}
	c.compare("template_embeddings", templates)
	c.compare("class_embeddings", slices.Concat(classes...))
	return classes, c.ownTokens(ids, context)
}

// trim cuts what follows the first end token. That changes nothing: the feature
// is read at the end token, and the causal mask hides what comes after it.
func trim(row []int, end int) []int {
	if i := slices.Index(row, end); i >= 0 {
		return row[:i+1]
	}
	return row
}

// ownTokens compares our tokens for the classes' prompts with the recorded
// ones.
func (c *checker) ownTokens(ids []int, context int) error {
	end := c.model.tokenizer.end
	for i, class := range c.fixture.Classes {
		for k, prompt := range Prompts(class) {
			c.report.Tokens++
			at := (i*promptsRecorded + k) * context
			if at+context > len(ids) {
				return errors.New("check model: fewer token ids than classes")
			}
			got, err := c.model.tokenizer.Encode(prompt)
			want := trim(ids[at:at+context], end)
			if err == nil && slices.Equal(trim(got, end), want) {
				continue
			}
			c.report.Wrong = append(c.report.Wrong, prompt)
		}
	}
	return nil
}

func (c *checker) scores(clips, classes [][]float32) {
	scale := float64(c.model.LogitScale())
	var logits, probabilities []float32
	for _, clip := range clips {
		row := make([]float64, len(classes))
		top, sum := math.Inf(-1), 0.0
		for i, class := range classes {
			for d := range clip {
				row[i] += float64(clip[d]) * float64(class[d])
			}
			row[i] *= scale
			top = max(top, row[i])
		}
		for _, v := range row {
			sum += math.Exp(v - top)
		}
		for _, v := range row {
			logits = append(logits, float32(v))
			probabilities = append(probabilities, float32(math.Exp(v-top)/sum))
		}
	}
	c.compare("logits", logits)
	c.compare("probabilities", probabilities)
}
