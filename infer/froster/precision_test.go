package froster

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

func cosine(a, b []float32) float64 { return dot(a, b) / math.Sqrt(dot(a, a)*dot(b, b)) }

// loadAs imports and loads a checkpoint; where this processor must not compute
// in a precision, the refusal is what is tested, and nil comes back.
func loadAs(t *testing.T, rt *Runtime, o ImportOptions, p Precision) *Model {
	t.Helper()
	o.Precision = p
	m, err := rt.Load(importBundle(t, o))
	if refused := p.Servable("cpu"); refused != nil {
		if err == nil || !strings.Contains(err.Error(), "VNNI") {
			t.Errorf("loaded in spite of %q: %v", refused, err)
		}
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// On the trained demo model and its clips: random weights lack the outlying
// channels that make bytes hard.
func TestPrecisionsStayNearFloat32(t *testing.T) {
	rt := openRuntime(t)
	demo := ImportOptions{Checkpoint: shared.Path(t, "model", "frost-mini.pth"), Card: shared.Path(t, "model", "frost-mini.json")}
	exact := loadAs(t, rt, demo, Float32)
	labels, _, err := exact.EmbedLabels(t.Context(), []string{"walking", "falling down", "two people fighting", "climbing over a fence"})
	if err != nil {
		t.Fatal(err)
	}
	var windows [][]byte
	for _, w := range readExpected(t).Windows {
		windows = append(windows, decodeWindow(t, w.Clip, w.Frames, exact.bundle.Dims.ImageSize))
	}
	want, err := exact.EmbedClips(t.Context(), slices.Concat(windows...), len(windows))
	if err != nil {
		t.Fatal(err)
	}
	for p, least := range map[Precision]float64{Float16: 0.9995, Int8: 0.995} {
		t.Run(string(p), func(t *testing.T) {
			m := loadAs(t, rt, demo, p)
			if m == nil {
				return
			}
			if m.ID() == exact.ID() {
				t.Error("has the model id of float32")
			}
			got, err := m.EmbedClips(t.Context(), slices.Concat(windows...), len(windows))
			if err != nil {
				t.Fatal(err)
			}
			worst, logit := 1.0, 0.0
			for i := range windows {
				a, b := got.Clip(i), want.Clip(i)
				worst = min(worst, cosine(a, b))
				for _, l := range labels {
					logit = max(logit, math.Abs(dot(a, l)-dot(b, l))*float64(m.LogitScale()))
				}
			}
			t.Logf("%d windows: least cosine %.6f, largest error of a logit %.3f", len(windows), worst, logit)
			if worst < least {
				t.Errorf("cosine %v, want at least %v", worst, least)
			}
		})
	}
}

// A clip's result must not hang on those that happen to come with it.
func TestABatchChangesNothing(t *testing.T) {
	rt := openRuntime(t)
	checkpoint := gunzip(t, "parity", "tiny_froster.pth.gz")
	for _, p := range []Precision{Float32, Float16, Int8} {
		t.Run(string(p), func(t *testing.T) {
			m := loadAs(t, rt, ImportOptions{Checkpoint: checkpoint}, p)
			if m == nil {
				return
			}
			size := m.bundle.Dims.clipValues()
			frames := make([]byte, 5*size)
			for i := range frames {
				frames[i] = byte(i*i/7 + i*(i/size)) // each clip another, with other ranges
			}
			clear(frames[size : 2*size])
			all, err := m.EmbedClips(t.Context(), frames, 5)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				alone, err := m.EmbedClips(t.Context(), frames[i*size:(i+1)*size], 1)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(all.Clip(i), alone.Clip(0)) || !slices.Equal(all.Frame(i, 3), alone.Frame(0, 3)) {
					t.Errorf("clip %d has another embedding alone than among five", i)
				}
			}
			if p == Int8 {
				return // never runs together
			}
			// As GPUs are fed: one run, filled up to a power of two.
			m.together = true
			filled, err := m.EmbedClips(t.Context(), frames, 5)
			if err != nil {
				t.Fatal(err)
			}
			if d := maxDiff(filled.clip, all.clip); len(filled.clip) != len(all.clip) || d > 1e-3 || p == Float32 && d > 1e-6 {
				t.Errorf("filled up, the embeddings are off by %v", d)
			}
		})
	}
}

func TestUnknownPrecisionIsRefused(t *testing.T) {
	_, err := Import(t.Context(), ImportOptions{Checkpoint: "x", Out: t.TempDir() + "/b", Precision: "bfloat16"})
	if err == nil || !strings.Contains(err.Error(), "bfloat16") || !strings.Contains(err.Error(), "int8") {
		t.Errorf("got %v", err)
	}
}
