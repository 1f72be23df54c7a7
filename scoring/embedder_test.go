package scoring

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const testDim = 8

// embedder is a fake model: each text has a unit vector of its own.
type embedder struct {
	id    string // "": model
	mu    sync.Mutex
	asked []string
	gate  func(ctx context.Context, texts []string) error // called before each call's work
	bend  func(text string, v []float32) []float32
}

func (e *embedder) ID() string { return cmp.Or(e.id, "model") }

func (e *embedder) Dim() int { return testDim }

func (e *embedder) EmbedLabels(ctx context.Context, texts []string) ([][]float32, []error, error) {
	if e.gate != nil {
		if err := e.gate(ctx, texts); err != nil {
			return nil, nil, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, texts...)
	vectors, problems := make([][]float32, len(texts)), make([]error, len(texts))
	for i, t := range texts {
		if strings.Contains(t, "endless") {
			problems[i] = errors.New("99 tokens: at most 77")
			continue
		}
		if vectors[i] = vectorOf(t); e.bend != nil {
			vectors[i] = e.bend(t, vectors[i])
		}
	}
	return vectors, problems, nil
}

// valve holds back calls of the model while it is shut. The zero value is open.
type valve struct {
	shut atomic.Bool
	pass chan struct{} // lets one call through
}

func (v *valve) gate(ctx context.Context, _ []string) error {
	for v.shut.Load() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.pass:
			return nil
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// texts are those asked for since the last call, sorted.
func (e *embedder) texts() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := slices.Sorted(slices.Values(e.asked))
	e.asked = nil
	return out
}

func vectorOf(text string) []float32 {
	sum := sha256.Sum256([]byte(text))
	v := make([]float32, testDim)
	for i := range v {
		v[i] = float32(sum[i]) - 127.5
	}
	return unit(v)
}

func unit(v []float32) []float32 {
	norm := 0.0
	for _, x := range v {
		norm += float64(x) * float64(x)
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / math.Sqrt(norm))
	}
	return out
}
