package froster

import (
	"errors"
	"fmt"
)

// Model is a bundle loaded into ONNX Runtime. It is safe for concurrent use.
type Model struct {
	bundle    *Bundle
	tokenizer *Tokenizer
	video     *session
	text      *session
	pace      *pace
	templates Templates
	prefixes  []prefixes
	threads   int  // how many runs at once
	together  bool // a batch is one run, not one for each clip
}

// Load loads both towers of a bundle. The caller closes the model.
func (r *Runtime) Load(b *Bundle) (*Model, error) {
	return r.loadChanged(b, func(graph []byte) ([]byte, error) { return graph, nil })
}

// loadChanged loads the bundle; change may alter the video graph first, which
// the check of a bundle needs.
func (r *Runtime) loadChanged(b *Bundle, change func([]byte) ([]byte, error)) (*Model, error) {
	tokenizer, err := newTokenizer(b.Dims.Context, dialectOf(b.Dims.Architecture))
	if err != nil {
		return nil, err
	}
	if err := b.Precision.Servable(r.options.Provider); err != nil {
		return nil, fmt.Errorf("load model %s: %w", b.Name, err)
	}
	m := &Model{bundle: b, tokenizer: tokenizer, templates: b.templates(), pace: r.pace, threads: r.options.Threads, together: r.onGPU()}
	video, err := b.graph(videoFile)
	if err != nil {
		return nil, err
	}
	if video, err = change(video); err != nil {
		return nil, fmt.Errorf("load %s: %w", videoFile, err)
	}
	outputs := []string{outClip, outFrames}
	if b.Dims.Framewise {
		outputs = []string{outFrames}
	}
	if m.video, err = r.load(video, b.dir, []string{inFrames}, outputs); err != nil {
		return nil, fmt.Errorf("load %s: %w", videoFile, err)
	}
	text, err := b.graph(textFile)
	if err == nil {
		m.text, err = r.load(text, b.dir, textInputs(), []string{outText, outStates})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load %s: %w", textFile, err), m.video.close())
	}
	if err := m.learnPrefixes(); err != nil {
		return nil, errors.Join(fmt.Errorf("load %s: %w", textFile, err), m.Close())
	}
	return m, nil
}

// Close frees both towers. No run may be under way.
func (m *Model) Close() error { return errors.Join(m.video.close(), m.text.close()) }

// Bundle is the bundle that the model was loaded from.
func (m *Model) Bundle() *Bundle { return m.bundle }

// ID identifies the weights and the precision; see Bundle.ID.
func (m *Model) ID() string { return m.bundle.ID }

// Dim is the length of an embedding.
func (m *Model) Dim() int { return m.bundle.Dims.EmbedDim }

// LogitScale is the factor of similarities before the softmax.
func (m *Model) LogitScale() float32 { return m.bundle.LogitScale }
