package infer

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// BenchmarkFramewise is the whole stage with a CLIP (FROSTWATCH_CHECKPOINT), from the embedded broker and back: clips of eight frames of 16:9, of
// which four are those of the clip before. In turn with FROSTER's attention, frame by frame
// with each clip embedded anew, and frame by frame with shared frames embedded once.
// FROSTWATCH_PRECISION is float32 or int8. With -benchtime 1x: what comes again is known.
func BenchmarkFramewise(b *testing.B) {
	if os.Getenv("FROSTWATCH_CHECKPOINT") == "" {
		b.Skip("FROSTWATCH_CHECKPOINT names no CLIP")
	}
	dir := b.TempDir()
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: filepath.Join(shared.Root(b), ".native", "onnxruntime", "libonnxruntime.so"), Provider: "cpu"})
	if err != nil {
		b.Fatal(err)
	}
	load := func(framewise bool) *froster.Model {
		o := froster.ImportOptions{Checkpoint: os.Getenv("FROSTWATCH_CHECKPOINT"), Precision: froster.Precision(os.Getenv("FROSTWATCH_PRECISION")), Framewise: framewise, Out: filepath.Join(dir, fmt.Sprint(framewise))}
		bundle, err := froster.Import(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		m, err := rt.Load(bundle)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = m.Close() })
		return m
	}
	mixed, each := load(false), load(true)
	side := each.Bundle().Dims.ImageSize
	for _, c := range []struct {
		name  string
		model *froster.Model
		each  FrameModel
	}{{"with attention over time", mixed, nil}, {"frame by frame, anew", each, nil}, {"frame by frame, once", each, each}} {
		b.Run(c.name, func(b *testing.B) {
			r := newRig(b, 1)
			words := r.model("words")
			o := r.options(Recogniser{Model: c.model, Vocabulary: words, EachFrame: c.each, Frames: topics.ClipFrames, Side: side, Close: func() error { return nil }})
			o.MaxBatch, o.MaxAge = 8, 0
			_, stop := start(b, o)
			msgs := cameraClips(b, r.names, side, 8)
			before := cpuTime(b)
			for n := 0; b.Loop(); n++ {
				if _, err := r.client.Send(b.Context(), msgs...); err != nil {
					b.Fatal(err)
				}
				for len(r.read(topics.Actions)) < (n+1)*len(msgs) {
					time.Sleep(20 * time.Millisecond)
				}
			}
			clips := float64(len(msgs) * b.N)
			b.ReportMetric(clips/b.Elapsed().Seconds(), "clips/s")
			b.ReportMetric(clips/(cpuTime(b)-before).Seconds(), "clips/CPU-s")
			if err := stop(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// cameraClips are n clips of a camera whose windows share half of their frames.
func cameraClips(b *testing.B, names topics.Names, side, n int) (out []bus.Message) {
	b.Helper()
	e, err := jpeg.NewEncoder()
	if err != nil {
		b.Fatal(err)
	}
	w, h := side*16/9, side
	random := rand.New(rand.NewPCG(1, 2))
	frames := make([][]byte, 0, 4*(n+1))
	for range cap(frames) {
		rgb := make([]byte, 3*w*h)
		for i := range rgb {
			rgb[i] = byte((7*int(rgb[max(i-3, 0)]) + random.IntN(256)) / 8)
		}
		data, err := e.Encode(rgb, w, h, 90, jpeg.Full)
		if err != nil {
			b.Fatal(err)
		}
		frames = append(frames, data)
	}
	now := time.Now()
	for i := range n {
		c := topics.Clip{Camera: "a", Epoch: now, Sequence: uint64(i), Start: time.Duration(i) * time.Second, Window: time.Second, Width: w, Height: h}
		c.ID = topics.ClipID(c.Camera, c.Epoch, c.Start)
		for k := range topics.ClipFrames {
			c.Frames = append(c.Frames, topics.ClipFrame{JPEG: frames[4*i+k], Stream: c.Start + time.Duration(k)*time.Millisecond, Captured: now})
		}
		value, err := topics.EncodeClip(c)
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, bus.Message{Topic: names.Of(topics.Clips), Key: []byte(c.Camera), Value: value})
	}
	return out
}

// cpuTime is what the process has spent on all cores.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
