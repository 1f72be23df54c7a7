package froster

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

func tinyFramewise(t *testing.T, rt *Runtime, p Precision) *Model {
	t.Helper()
	return loadAs(t, rt, ImportOptions{Checkpoint: gunzip(t, "parity", "tiny_clip.pt.gz"), Framewise: true}, p)
}

// pictures are n frames, each another.
func pictures(d Dims, n int) []byte {
	out := make([]byte, n*d.frameValues())
	for i := range out {
		k := i / d.frameValues()
		out[i] = byte(i*i/(7+k) + i*k)
	}
	clear(out[:d.frameValues()])
	return out
}

// FROSTER's own network, which is held to the official code, shows what a frame is by
// itself: in a clip of one frame repeated its neighbours' keys are the frame's own, and a
// softmax over three copies of a set is that over the set. Only the zeros beyond the clip's
// ends differ, and they get one frame further with each block; with three blocks frames 3
// and 4 are untouched.
func TestAFrameByItselfIsThatOfAStillClip(t *testing.T) {
	rt := openRuntime(t)
	clip := loadAs(t, rt, ImportOptions{Checkpoint: gunzip(t, "parity", "tiny_clip.pt.gz")}, Float32)
	m := tinyFramewise(t, rt, Float32)
	d := m.bundle.Dims
	if m.ID() == clip.ID() || !d.Framewise || m.bundle.Format != formatNewest || clip.bundle.Format != formatContrib {
		t.Errorf("ids %s and %s, formats %d and %d", m.ID(), clip.ID(), m.bundle.Format, clip.bundle.Format)
	}
	if !slices.Contains(m.bundle.Notes, frozenFrames) || slices.Contains(m.bundle.Notes, frozenCLIP) {
		t.Errorf("notes: %q", m.bundle.Notes)
	}
	frames := pictures(d, 5)
	got, err := m.EmbedFrames(t.Context(), frames, 5)
	if err != nil {
		t.Fatal(err)
	}
	for i, frame := range slices.Collect(slices.Chunk(frames, d.frameValues())) {
		still, err := clip.EmbedClips(t.Context(), bytes.Repeat(frame, d.Frames), 1)
		if err != nil {
			t.Fatal(err)
		}
		own := got[i*d.EmbedDim : (i+1)*d.EmbedDim]
		if off := max(maxDiff(own, still.Frame(0, 3)), maxDiff(own, still.Frame(0, 4))); off > 1e-6 {
			t.Errorf("frame %d is off by %v", i, off)
		}
		if off := maxDiff(own, still.Frame(0, 0)); off < 1e-3 {
			t.Errorf("frame %d: at a clip's end it is off by %v alone: the test compares nothing", i, off)
		}
	}
}

// A frame's embedding must not hang on what it runs with: it is taken for that of the same
// frame in another clip.
func TestAFrameIsTheSameWhateverItRunsWith(t *testing.T) {
	rt := openRuntime(t)
	for _, p := range []Precision{Float32, Float16, Int8} {
		t.Run(string(p), func(t *testing.T) {
			m := tinyFramewise(t, rt, p)
			if m == nil {
				return
			}
			d := m.bundle.Dims
			frames := pictures(d, d.Frames)
			all, err := m.EmbedFrames(t.Context(), frames, d.Frames)
			if err != nil {
				t.Fatal(err)
			}
			for i := range d.Frames {
				alone, err := m.EmbedFrames(t.Context(), frames[i*d.frameValues():(i+1)*d.frameValues()], 1)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(alone, all[i*d.EmbedDim:(i+1)*d.EmbedDim]) {
					t.Errorf("frame %d has another embedding alone than among %d", i, d.Frames)
				}
			}
			clip, err := m.EmbedClips(t.Context(), frames, 1)
			if err != nil {
				t.Fatal(err)
			}
			joined, err := MeanOfFrames(d.EmbedDim, d.Frames, all)
			if err != nil || !slices.Equal(joined.Clip(0), clip.Clip(0)) || !slices.Equal(joined.Frame(0, 7), clip.Frame(0, 7)) {
				t.Errorf("a clip is not the mean of its frames: %v", err)
			}
			if p == Int8 {
				return // never runs together
			}
			m.together = true
			filled, err := m.EmbedFrames(t.Context(), frames[:5*d.frameValues()], 5)
			if err != nil {
				t.Fatal(err)
			}
			if off := maxDiff(filled, all[:5*d.EmbedDim]); len(filled) != 5*d.EmbedDim || off > 1e-3 || p == Float32 && off > 1e-6 {
				t.Errorf("in one run, filled up, frames are off by %v", off)
			}
		})
	}
}

func TestFramewiseIsRefusedWithAReason(t *testing.T) {
	rt := openRuntime(t)
	froster := ImportOptions{Checkpoint: gunzip(t, "parity", "tiny_froster.pth.gz"), Out: t.TempDir() + "/b", Framewise: true}
	if _, err := Import(t.Context(), froster); err == nil || !strings.Contains(err.Error(), "temporal attention") {
		t.Errorf("FROSTER's weights: %v", err)
	}
	m := loadAs(t, rt, ImportOptions{Checkpoint: gunzip(t, "parity", "tiny_clip.pt.gz")}, Float32)
	if _, err := m.EmbedFrames(t.Context(), make([]byte, m.bundle.Dims.frameValues()), 1); err == nil || !strings.Contains(err.Error(), "see one another") {
		t.Errorf("frames of a model of clips: %v", err)
	}
	each := tinyFramewise(t, rt, Float32)
	for _, n := range []int{-1, 0, 2} {
		if _, err := each.EmbedFrames(t.Context(), make([]byte, each.bundle.Dims.frameValues()), n); err == nil {
			t.Errorf("one frame's bytes are taken for %d", n)
		}
	}
	// A bundle that says something else than its format is none.
	if err := each.bundle.save(t.TempDir()+"/b", map[string]*onnx.Graph{}, maxInside); err != nil {
		t.Fatal(err)
	}
	about := filepath.Join(each.bundle.dir, bundleFile)
	raw, err := os.ReadFile(about)
	if err == nil {
		err = os.WriteFile(about, bytes.Replace(raw, []byte(`"format": 3`), []byte(`"format": 2`), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBundle(each.bundle.dir); err == nil || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("a framewise bundle of the older format: %v", err)
	}
}
