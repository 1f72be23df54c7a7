package infer

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/bus"
	"github.com/frostwatch/frostwatch/internal/embedded"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// jpegOf is one frame of the given size and colour.
func jpegOf(t *testing.T, w, h int, c color.Color) []byte {
	t.Helper()
	var img interface {
		image.Image
		Set(x, y int, c color.Color)
	} = image.NewRGBA(image.Rect(0, 0, w, h))
	if _, grey := c.(color.Gray); grey {
		img = image.NewGray(image.Rect(0, 0, w, h))
	}
	for i := range w * h {
		img.Set(i%w, i/w, c)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func clipOf(t *testing.T, camera string, n int, frame []byte, begun time.Time) []byte {
	t.Helper()
	c := topics.Clip{
		Camera: camera, Epoch: begun, Sequence: uint64(n), Start: time.Duration(n) * time.Second, Window: time.Second,
		Width: 48, Height: 32,
	}
	c.ID = topics.ClipID(camera, c.Epoch, c.Start)
	for k := range 8 {
		c.Frames = append(c.Frames, topics.ClipFrame{JPEG: frame, Stream: c.Start + time.Duration(k)*time.Millisecond, Captured: begun})
	}
	b, err := topics.EncodeClip(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A real model, broker and vocabulary: what is asked is order, dead letters and
// going on.
func TestStage(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	broker := kafkatest.StartEmbedded(t)
	client, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	names := topics.Names{Prefix: "t."}
	for _, s := range topics.Specs(2) {
		if err := client.Ensure(ctx, []bus.TopicSpec{{Name: names.Of(s.Topic), Partitions: 2, Replication: 1, Config: s.Config}}); err != nil {
			t.Fatal(err)
		}
	}
	model := demoModel(t)
	watcher := watch(t, model)

	now := time.Now()
	good := jpegOf(t, 48, 32, color.RGBA{200, 100, 50, 255})
	send := func(camera string, value []byte) {
		t.Helper()
		if err := client.Send(ctx, bus.Message{Topic: names.Of(topics.Clips), Key: []byte(camera), Value: value,
			Headers: []bus.Header{{Key: "traceparent", Value: []byte("00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")}}}); err != nil {
			t.Fatal(err)
		}
	}
	const each = 12
	for n := range each {
		for _, camera := range []string{"a", "b", "c"} {
			send(camera, clipOf(t, camera, n, good, now))
		}
		if n == 3 {
			send("a", []byte("no clip"))
			send("b", clipOf(t, "b", 50, []byte("no JPEG"), now))
			send("c", clipOf(t, "c", 51, jpegOf(t, 64, 64, color.White), now))
			send("a", clipOf(t, "a", 52, jpegOf(t, 48, 32, color.Gray{9}), now))
			send("b", clipOf(t, "b", 0, good, now.Add(-time.Hour))) // too old
		}
	}
	read := func(topic topics.Topic) (out []bus.Message) {
		t.Helper()
		if err := client.ReadAll(ctx, names.Of(topic), time.Time{}, false, func(m bus.Message) error { out = append(out, m); return nil }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	options := Options{
		Bus: client, Names: names, Group: "infer", Model: model, Vocabulary: watcher, Frames: 8, Side: model.Bundle().Dims.ImageSize,
		MaxBatch: 4, MaxWait: 20 * time.Millisecond, MaxAge: time.Minute, TopK: 2, Decoders: 3,
		Logger: log, Tracer: sdktrace.NewTracerProvider().Tracer("test"), Meter: metricnoop.Meter{}, Propagator: propagation.TraceContext{},
	}
	runUntil(t, options, func() bool { return len(read(topics.Actions)) >= 3*each && len(read(topics.DeadLetter)) >= 4 })

	next := map[string]uint64{}
	for _, m := range read(topics.Actions) {
		r, err := topics.DecodeRecognition(m.Value)
		if err != nil {
			t.Fatal(err)
		}
		if r.Sequence != next[r.Camera] {
			t.Errorf("%s: clip %d follows %d", r.Camera, r.Sequence, next[r.Camera])
		}
		next[r.Camera] = r.Sequence + 1
		if len(r.Labels) != 2 || r.Vocab.Version == "" || r.Model != model.ID() {
			t.Errorf("recognition %+v", r)
		}
		if trace := (bus.HeaderCarrier{Headers: &m.Headers}).Get("traceparent"); !strings.Contains(trace, "0123456789abcdef0123456789abcdef") {
			t.Errorf("the trace is broken: %q", trace)
		}
	}
	if fmt.Sprint(next) != fmt.Sprintf("map[a:%d b:%d c:%d]", each, each, each) {
		t.Errorf("recognised up to %v", next)
	}
	for _, want := range []string{"decode clip", "invalid JPEG", "JPEG of 64x64 in a clip of 48x32", "not in colour"} {
		found := false
		for _, m := range read(topics.DeadLetter) {
			found = found || strings.Contains((bus.HeaderCarrier{Headers: &m.Headers}).Get(topics.HeaderReason), want)
		}
		if !found {
			t.Errorf("no dead letter says %q", want)
		}
	}
	// What was committed is not read again.
	before := len(read(topics.Actions))
	send("a", clipOf(t, "a", 99, good, now))
	runUntil(t, options, func() bool { return len(read(topics.Actions)) > before })
	if after := len(read(topics.Actions)); after != before+1 {
		t.Errorf("%d recognitions of one new clip", after-before)
	}
}

// runUntil runs a stage until ok and wants a clean, prompt end.
func runUntil(t *testing.T, o Options, ok func() bool) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the stage does not get on")
		}
	}
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the stage does not stop")
	}
}

func demoModel(t *testing.T) *froster.Model {
	t.Helper()
	root := shared.Root(t)
	data := filepath.Join(root, "internal", "demo", "data")
	out := filepath.Join(t.TempDir(), "bundle")
	b, err := froster.Import(froster.ImportOptions{Checkpoint: filepath.Join(data, "frost-mini.pth"), Card: filepath.Join(data, "frost-mini.json"), Out: out})
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

// watch is a vocabulary of three labels.
func watch(t *testing.T, m *froster.Model) *vocab.Watcher {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	server, err := embedded.StartRedis(t.Context(), embedded.RedisOptions{Dir: t.TempDir(), Port: port, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		shared.Missing(t, err.Error())
	}
	t.Cleanup(server.Close)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	if err := vocab.NewStore(client, "").Put(t.Context(), "default", vocab.Label{Name: "walking"}, vocab.Label{Name: "falling down"}, vocab.Label{Name: "hugging"}); err != nil {
		t.Fatal(err)
	}
	w, err := vocab.NewWatcher(vocab.Options{
		Client: client, Name: "default", Embedder: m, Poll: 50 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler), Meter: metricnoop.Meter{},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = client.Close()
	})
	return w
}
