package froster

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster/onnx"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/media/pixels"
)

// footage are eight frames, a step of FROSTER's apart, as decoded.
type footage struct {
	w, h   int
	frames [][]byte
}

func readFootage(t *testing.T, file string) footage {
	t.Helper()
	for _, tool := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(tool); err != nil {
			shared.Missing(t, tool)
		}
	}
	size, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0:s=x", file).Output()
	var f footage
	if err == nil {
		_, err = fmt.Sscanf(string(size), "%dx%d", &f.w, &f.h)
	}
	var raw []byte
	if err == nil {
		raw, err = exec.Command("ffmpeg", "-v", "error", "-i", file, "-vf", "fps=30/16", "-frames:v", "8", "-f", "rawvideo", "-pix_fmt", "rgb24", "-").Output()
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	n := f.w * f.h * 3
	for at := 0; at+n <= len(raw); at += n {
		f.frames = append(f.frames, raw[at:at+n])
	}
	for len(f.frames) < 8 { // a short one stands still at its end
		f.frames = append(f.frames, f.frames[len(f.frames)-1])
	}
	return f
}

// official is the reference: full frames resized in floats, never rounded.
func (f footage) official(side int) []float32 {
	var out []float32
	for _, frame := range f.frames {
		values := make([]float32, len(frame))
		for i, v := range frame {
			values[i] = float32(v)
		}
		resized, w, h := pixels.ResizeShortSideFloat(values, f.w, f.h, side)
		out = append(out, pixels.CenterCrop(resized, w, h, side, nil)...)
	}
	return out
}

// carried is the product's way: resized by the framer to short, JPEG, resized by
// infer where the model is smaller. Quality 0 leaves the JPEG out.
func (f footage) carried(t *testing.T, side, short, quality int, s jpeg.Sampling) (out []byte, size int) {
	t.Helper()
	e, err := jpeg.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, frame := range f.frames {
		small, w, h := pixels.ResizeShortSide(frame, f.w, f.h, short, nil)
		if quality > 0 {
			data, err := e.Encode(small, w, h, quality, s)
			if err != nil {
				t.Fatal(err)
			}
			size += len(data)
			small = make([]byte, 3*w*h)
			if err := d.Decode(data, small, w, h); err != nil {
				t.Fatal(err)
			}
		}
		small, w, h = pixels.ResizeShortSide(small, w, h, side, nil)
		out = append(out, pixels.CenterCrop(small, w, h, side, nil)...)
	}
	return out, size
}

func psnr(a []byte, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}

// What carrying frames as JPEG costs: the table of docs/benchmarks.md, by
// `go test ./infer/froster -run WhatJPEGCosts -v`. The demo model is the only
// trained one here; of the real videos it understands nothing, but how far its
// embedding moves still tells how much of the picture is lost to such a network.
func TestWhatJPEGCosts(t *testing.T) {
	rt := openRuntime(t)
	b := importBundle(t, ImportOptions{Checkpoint: shared.Path(t, "model", "frost-mini.pth")})
	m, err := rt.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	reference, err := rt.loadChanged(b, func(graph []byte) ([]byte, error) { return onnx.WithInputType(graph, inFrames, onnx.Float) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reference.Close() }()
	sets := map[string][]footage{}
	for name, pattern := range map[string]string{"demo": shared.Path(t, "model", "demo"), "real": shared.Path(t, "videos")} {
		files, err := filepath.Glob(filepath.Join(pattern, "*.mp4"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no videos in %s: %v", pattern, err)
		}
		for _, file := range files {
			sets[name] = append(sets[name], readFootage(t, file))
		}
	}
	side := b.Dims.ImageSize
	var table strings.Builder
	for _, set := range []string{"demo", "real"} {
		for _, short := range []int{side, 2 * side} {
			for _, c := range []struct {
				quality  int
				sampling jpeg.Sampling
				name     string
			}{{0, 0, "none"}, {60, jpeg.Quarter, "60 4:2:0"}, {75, jpeg.Quarter, "75 4:2:0"}, {85, jpeg.Quarter, "85 4:2:0"},
				{90, jpeg.Quarter, "90 4:2:0"}, {95, jpeg.Quarter, "95 4:2:0"}, {98, jpeg.Quarter, "98 4:2:0"},
				{85, jpeg.Full, "85 4:4:4"}, {90, jpeg.Full, "90 4:4:4"}, {95, jpeg.Full, "95 4:4:4"}} {
				carries := c.name == "90 4:4:4" && short == side // what the product does
				if !carries && !testing.Verbose() {
					continue
				}
				noise, least, mean, bytes := 0.0, 1.0, 0.0, 0
				for _, f := range sets[set] {
					official := f.official(side)
					got, size := f.carried(t, side, short, c.quality, c.sampling)
					want, err := embed(t.Context(), reference, official, 1)
					if err != nil {
						t.Fatal(err)
					}
					own, err := m.EmbedClips(t.Context(), got, 1)
					if err != nil {
						t.Fatal(err)
					}
					n := float64(len(sets[set]))
					alike := cosine(own.Clip(0), want.Clip(0))
					noise, least, mean, bytes = noise+psnr(got, official)/n, min(least, alike), mean+alike/n, bytes+size/len(sets[set])
				}
				fmt.Fprintf(&table, "| %s | %d | %s | %.1f | %.5f | %.5f | %.1f |\n", set, short, c.name, noise, mean, least, float64(bytes)/1024)
				if carries && (noise < 35 || least < 0.999) {
					t.Errorf("%s at the default quality: %.1f dB, cosine %.4f", set, noise, mean)
				}
			}
		}
	}
	t.Log("\n| clips | short side | JPEG | PSNR dB | cosine, mean | least | KB a clip |\n|---|---|---|---|---|---|---|\n" + table.String())
}
