package froster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Model is a bundle loaded into ONNX Runtime. Safe for concurrent use.
type Model struct {
	bundle    *Bundle
	tokenizer *Tokenizer
	video     *session
	text      *session
	pace      *pace
}

// Load opens both towers.
func (r *Runtime) Load(b *Bundle) (*Model, error) {
	return r.loadChanged(b, func(graph []byte) ([]byte, error) { return graph, nil })
}

// loadChanged lets the check of a bundle change the video graph before it is loaded.
func (r *Runtime) loadChanged(b *Bundle, change func([]byte) ([]byte, error)) (*Model, error) {
	tokenizer, err := NewTokenizer(b.Dims.Context)
	if err != nil {
		return nil, err
	}
	m := &Model{bundle: b, tokenizer: tokenizer, pace: r.pace}
	video, err := b.graph(videoFile)
	if err != nil {
		return nil, err
	}
	if video, err = change(video); err != nil {
		return nil, fmt.Errorf("load %s: %w", videoFile, err)
	}
	if m.video, err = r.load(video, []string{inFrames}, []string{outClip, outFrames}); err != nil {
		return nil, fmt.Errorf("load %s: %w", videoFile, err)
	}
	text, err := b.graph(textFile)
	if err == nil {
		m.text, err = r.load(text, []string{inTokens, inEnds}, []string{outText})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load %s: %w", textFile, err), m.video.close())
	}
	return m, nil
}

// Close frees the sessions; no run may be under way.
func (m *Model) Close() error { return errors.Join(m.video.close(), m.text.close()) }

// Bundle is what the model was loaded from.
func (m *Model) Bundle() *Bundle { return m.bundle }

// ID is the hash of the weights.
func (m *Model) ID() string { return m.bundle.ID }

// Dim is the length of an embedding.
func (m *Model) Dim() int { return m.bundle.Dims.EmbedDim }

// LogitScale multiplies similarities before the softmax.
func (m *Model) LogitScale() float32 { return m.bundle.LogitScale }

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

// EmbedClips runs the video tower once over packed RGB frames,
// [batch, frames, size, size, 3].
func (m *Model) EmbedClips(ctx context.Context, frames []byte, batch int) (ClipEmbeddings, error) {
	d := m.bundle.Dims
	if want := batch * d.Frames * d.ImageSize * d.ImageSize * 3; batch < 1 || len(frames) != want {
		return ClipEmbeddings{}, fmt.Errorf("embed clips: %d bytes for %d clips, want %d", len(frames), batch, want)
	}
	return m.embed(ctx, frames, batch)
}

func (m *Model) embed(ctx context.Context, frames any, batch int) (ClipEmbeddings, error) {
	d := m.bundle.Dims
	if err := ctx.Err(); err != nil {
		return ClipEmbeddings{}, err
	}
	defer m.pace.clips()()
	out, err := m.video.run(input{[]int{batch, d.Frames, d.ImageSize, d.ImageSize, 3}, frames})
	if err != nil {
		return ClipEmbeddings{}, fmt.Errorf("embed clips: %w", err)
	}
	return ClipEmbeddings{dim: d.EmbedDim, frames: d.Frames, clip: out[0], frame: out[1]}, nil
}

// textBatch is how many labels are embedded in one run: 29 texts each.
const textBatch = 4

// EmbedLabels gives the unit embedding of each class text ("label" or "label:
// description") through the prompt ensemble, [dim]. A text that can't be read
// has a nil embedding and its reason, a *TextError, in problems at its place;
// err is for what concerns them all. It stops between runs when ctx ends. While
// clips are being embedded it takes a small share of the time only.
func (m *Model) EmbedLabels(ctx context.Context, texts []string) (vectors [][]float32, problems []error, err error) {
	vectors, problems = make([][]float32, len(texts)), make([]error, len(texts))
	var ready []int
	tokens := make([][][]int, len(texts))
	for i, text := range texts {
		if tokens[i], problems[i] = m.tokens(text); problems[i] == nil {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		busy, ended, err := m.pace.texts(ctx)
		if err != nil {
			return nil, nil, err
		}
		chunk := ready[:min(textBatch, len(ready))]
		if busy {
			chunk = ready[:1]
		}
		ready = ready[len(chunk):]
		var all [][]int
		for _, i := range chunk {
			all = append(all, tokens[i]...)
		}
		features, err := m.embedTokens(all)
		ended()
		if err != nil {
			return nil, nil, fmt.Errorf("embed labels: %w", err)
		}
		for k, i := range chunk {
			vectors[i] = ensemble(features[k*promptsPerLabel : (k+1)*promptsPerLabel])
		}
	}
	return vectors, problems, nil
}

func (m *Model) tokens(text string) ([][]int, error) {
	out := make([][]int, 0, promptsPerLabel)
	for _, prompt := range Prompts(text) {
		ids, err := m.tokenizer.Encode(prompt)
		if err != nil {
			var long *TextError
			if errors.As(err, &long) {
				// The user wrote the label, not the prompt around it.
				return nil, &TextError{Text: text, Tokens: long.Tokens, Limit: long.Limit}
			}
			return nil, err
		}
		out = append(out, ids)
	}
	return out, nil
}

// embedTokens runs the text tower over texts cut after the longest.
func (m *Model) embedTokens(texts [][]int) ([][]float32, error) {
	length := 0
	for _, ids := range texts {
		length = max(length, len(ids))
	}
	tokens, ends := make([]int64, len(texts)*length), make([]int64, 0, 2*len(texts))
	end := int64(m.tokenizer.ids[endToken])
	for row, ids := range texts {
		at := -1
		for k, id := range ids {
			tokens[row*length+k] = int64(id)
			// The first end token is where the feature is read, also where the
			// text itself contains one.
			if at < 0 && int64(id) == end {
				at = k
			}
		}
		ends = append(ends, int64(row), int64(at))
	}
	out, err := m.text.run(input{[]int{len(texts), length}, tokens}, input{[]int{len(texts), 2}, ends})
	if err != nil {
		return nil, err
	}
	return slices.Collect(slices.Chunk(out[0], m.bundle.Dims.EmbedDim)), nil
}

// ensemble is the unit mean of unit vectors.
func ensemble(features [][]float32) []float32 {
	sum := make([]float64, len(features[0]))
	for _, f := range features {
		for d, v := range f {
			sum[d] += float64(v)
		}
	}
	length := 0.0
	for _, v := range sum {
		length += v * v
	}
	length = math.Sqrt(length)
	out := make([]float32, len(sum))
	for d, v := range sum {
		out[d] = float32(v / length)
	}
	return out
}
