package infer

import (
	"context"
	"math"
	"path/filepath"
	"sync"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/vocab"
)

// fakeModel embeds a clip by the brightness of its first pixel, and can be made to
// misbehave.
type fakeModel struct {
	t      testing.TB
	id     string
	matrix *scoring.Matrix
	fault  func(frames []byte, batch int) error // nil: none
	spoil  bool                                 // embeddings are not numbers
	signed bool                                 // a dark clip has the opposite embedding of a bright one
	// gate, unless nil, is received from once in each run; begun gets a value at the
	// beginning of each.
	gate, begun chan struct{}

	mu     sync.Mutex
	busy   int
	runs   int
	closed int
}

const (
	fakeFrames, fakeSide = 8, 16
	fakeDim              = 4
)

// model makes a fake model with a vocabulary named after its id.
func (r *rig) model(id string) *fakeModel {
	return &fakeModel{t: r.t, id: id, matrix: &scoring.Matrix{Name: "default", Version: "of " + id}, begun: make(chan struct{}, 1000)}
}

func (m *fakeModel) LogitScale() float32 { return 100 }

func (m *fakeModel) ID() string { return m.id }

func (m *fakeModel) Current() *scoring.Matrix { return m.matrix }

// Of is the default vocabulary whatever the name.
func (m *fakeModel) Of(context.Context, string) *scoring.Matrix { return m.matrix }

func (m *fakeModel) All() []*scoring.Matrix {
	if m.matrix == nil {
		return nil
	}
	return []*scoring.Matrix{m.matrix}
}

// Ready is closed if there is a vocabulary.
func (m *fakeModel) Ready() <-chan struct{} {
	if m.matrix == nil {
		return nil
	}
	return closed()
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func (m *fakeModel) EmbedClips(ctx context.Context, frames []byte, batch int) (froster.ClipEmbeddings, error) {
	m.count(1)
	defer m.count(-1)
	m.begun <- struct{}{}
	if m.gate != nil {
		select {
		case <-m.gate:
		case <-ctx.Done():
			return froster.ClipEmbeddings{}, ctx.Err()
		}
	}
	if m.fault != nil {
		if err := m.fault(frames, batch); err != nil {
			return froster.ClipEmbeddings{}, err
		}
	}
	if len(frames) != batch*fakeFrames*fakeSide*fakeSide*3 {
		m.t.Errorf("%d bytes for %d clips", len(frames), batch)
	}
	clip, frame := make([]float32, batch*fakeDim), make([]float32, batch*fakeFrames*fakeDim)
	for i := range batch {
		clip[i*fakeDim] = float32(frames[i*len(frames)/batch])
		if m.signed {
			clip[i*fakeDim] = clip[i*fakeDim]/128 - 1
		}
	}
	if m.spoil {
		clip[len(clip)-1] = float32(math.NaN())
	}
	return froster.NewClipEmbeddings(fakeDim, fakeFrames, clip, frame)
}

func (m *fakeModel) count(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy += n
	m.runs += max(n, 0)
	if m.closed > 0 {
		m.t.Errorf("model %s runs when it is closed", m.id)
	}
}

// Close counts its calls.
func (m *fakeModel) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed++
	if m.busy > 0 || m.closed > 1 {
		m.t.Errorf("model %s is closed %d times, %d runs being under way", m.id, m.closed, m.busy)
	}
	return nil
}

func (m *fakeModel) hasRun() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.runs > 0
}

func (m *fakeModel) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed > 0
}

func (m *fakeModel) recogniser() Recogniser {
	return Recogniser{Model: m, Vocabulary: m, Frames: fakeFrames, Side: fakeSide, Close: m.Close}
}

func demoModel(t *testing.T) *froster.Model {
	t.Helper()
	root := shared.Root(t)
	data := filepath.Join(root, "cmd", "frostwatch", "demo", "data")
	out := filepath.Join(t.TempDir(), "bundle")
	b, err := froster.Import(t.Context(), froster.ImportOptions{Checkpoint: filepath.Join(data, "frost-mini.pth"), Card: filepath.Join(data, "frost-mini.json"), Out: out})
	if err != nil {
		t.Fatal(err)
	}
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: filepath.Join(root, ".native", "onnxruntime", "libonnxruntime.so"), Provider: "cpu", Threads: 1})
	if err != nil {
		shared.Missing(t, err.Error())
	}
	m, err := rt.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// matrixOf is a vocabulary of three labels.
func matrixOf(t *testing.T, m *froster.Model) *scoring.Matrix {
	t.Helper()
	texts := []string{"falling down", "hugging", "walking"}
	labels, vectors := make([]vocab.Label, len(texts)), map[string][]float32{}
	embedded, _, err := m.EmbedLabels(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		labels[i], vectors[text] = vocab.Label{Name: text}, embedded[i]
	}
	matrix, err := scoring.NewMatrix("default", labels, vectors)
	if err != nil {
		t.Fatal(err)
	}
	matrix.Version = "first"
	return matrix
}
