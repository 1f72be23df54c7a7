//go:build !race

package demo_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// t0 is when every film begins.
var t0 = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// demoModel is the demo's model as `up` runs it.
func demoModel(t *testing.T) *froster.Model {
	t.Helper()
	root, dir := shared.Root(t), t.TempDir()
	if err := demo.Unpack(dir); err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(dir, "bundle")
	if err := demo.ImportModel(dir, bundle); err != nil {
		t.Fatal(err)
	}
	b, err := froster.OpenBundle(bundle)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: filepath.Join(root, ".native", "onnxruntime", "libonnxruntime.so"), Provider: "cpu", Threads: 2})
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

// record makes of a film what a camera that shows it from frame skip on has recorded:
// its recognitions without labels.
func record(t *testing.T, m *froster.Model, film string, skip int) (out []topics.Recognition) {
	t.Helper()
	decoder, err := media.NewClipDecoder(media.NewFrameCache(16 << 20))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	d := m.Bundle().Dims
	for _, c := range clips(t, film, skip, d.ImageSize) {
		rgb, _, err := decoder.Decode(t.Context(), c, media.View{Frames: d.Frames, Side: d.ImageSize})
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.EmbedClips(t.Context(), rgb, 1)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, topics.Recognition{
			ClipID: c.ID, Camera: c.Camera, Epoch: c.Epoch, Sequence: c.Sequence, Start: c.StartTime(), End: c.EndTime(),
			Embedding: topics.RoundFloat16(e.Clip(0)), First: mean(e, 0, 3), Last: mean(e, d.Frames-3, d.Frames),
			Model: m.ID(), LogitScale: float64(m.LogitScale()),
		})
	}
	return out
}

// mean is that of a clip's frame embeddings, as it is recorded.
func mean(e froster.ClipEmbeddings, from, to int) []float32 {
	sum := make([]float32, len(e.Frame(0, 0)))
	for k := from; k < to; k++ {
		for i, v := range e.Frame(0, k) {
			sum[i] += v / float32(to-from)
		}
	}
	return topics.RoundFloat16(sum)
}

// clips are those that the framer cuts a film into from frame skip on.
func clips(t *testing.T, film string, skip, side int) (out []topics.Clip) {
	t.Helper()
	f, err := framer.New(framer.Options{
		Names: topics.Names{Prefix: "t."}, Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4}, ShortSide: side, Quality: 90, Queue: 1000,
		Logger: slog.New(slog.DiscardHandler), Meter: noop.NewMeterProvider().Meter("t"), Tracer: tracenoop.NewTracerProvider().Tracer("t"), Propagator: propagation.TraceContext{},
		MaxDrift: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := f.Stream(topics.Camera{Name: film, URL: "file:"}, func(_ context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
		for _, m := range msgs {
			c, err := topics.DecodeClip(m.Value)
			if err != nil {
				return nil, err
			}
			out = append(out, c)
		}
		return make([]topics.RecordRef, len(msgs)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := media.OpenStream(t.Context(), "file:"+filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data", film+".mp4"),
		media.StreamOptions{Transport: "tcp", Open: time.Minute, Read: time.Minute, Watchdog: time.Minute, Threads: 1, OnBytes: func(int) {}, OnBadPacket: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for n := 0; ; n++ {
		frame, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if frame.Arrived = t0.Add(frame.PTS); n >= skip {
			if err := stream.Frame(t.Context(), frame); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // it sends what is queued, and ends
	stream.Run(ctx)
	return out
}
