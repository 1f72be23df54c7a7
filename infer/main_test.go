package infer

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patient   = time.Minute // for what happens within seconds on an idle machine
	clipTrace = "0123456789abcdef0123456789abcdef"
)

// rig is a broker with topics.
type rig struct {
	t      testing.TB
	broker kafkatest.Broker
	client *bus.Client
	names  topics.Names
}

func newRig(t testing.TB, partitions int) *rig {
	t.Helper()
	r := &rig{t: t, broker: kafkatest.StartEmbedded(t), names: topics.Names{Prefix: "t."}}
	r.client = r.newClient()
	for _, s := range topics.Specs(partitions, 1) {
		// So that a test can send a record that is old.
		s.Config["message.timestamp.type"] = "CreateTime"
		err := r.client.Ensure(t.Context(), []bus.TopicSpec{{Name: r.names.Of(s.Topic), Partitions: partitions, Replication: 1, Config: s.Config}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *rig) newClient() *bus.Client {
	r.t.Helper()
	c, err := bus.New(bus.Options{Brokers: []string{r.broker.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// send publishes a clip, with further headers as pairs of key and value.
func (r *rig) send(camera string, value []byte, headers ...string) {
	r.t.Helper()
	r.sendAt(camera, value, time.Time{}, headers...)
}

// sendAt is send at another time.
func (r *rig) sendAt(camera string, value []byte, at time.Time, headers ...string) {
	r.t.Helper()
	m := bus.Message{Topic: r.names.Of(topics.Clips), Key: []byte(camera), Value: value, Time: at,
		Headers: []bus.Header{{Key: "traceparent", Value: []byte("00-" + clipTrace + "-0123456789abcdef-01")}}}
	for i := 0; i < len(headers); i += 2 {
		m.Headers = append(m.Headers, bus.Header{Key: headers[i], Value: []byte(headers[i+1])})
	}
	if _, err := r.client.Send(r.t.Context(), m); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) read(topic topics.Topic) (out []bus.Message) {
	r.t.Helper()
	err := r.client.ReadAll(r.t.Context(), r.names.Of(topic), time.Time{}, false, func(m bus.Message) error {
		out = append(out, m)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// recognitions are those published, by camera, in order.
func (r *rig) recognitions() map[string][]topics.Recognition {
	r.t.Helper()
	out := map[string][]topics.Recognition{}
	for _, m := range r.read(topics.Actions) {
		rec, err := topics.DecodeRecognition(m.Value)
		if err != nil {
			r.t.Fatal(err)
		}
		out[rec.Camera] = append(out[rec.Camera], rec)
	}
	return out
}

// wantEach wants each clip of each camera recognised once, in order.
func (r *rig) wantEach(clips map[string]int) {
	r.t.Helper()
	got := r.recognitions()
	if len(got) != len(clips) {
		r.t.Errorf("recognitions of %d cameras, want %d", len(got), len(clips))
	}
	for camera, n := range clips {
		if len(got[camera]) != n {
			r.t.Errorf("%s: %d recognitions of %d clips", camera, len(got[camera]), n)
		}
		for i, rec := range got[camera] {
			if rec.Sequence != uint64(i) {
				r.t.Errorf("%s: clip %d comes at place %d", camera, rec.Sequence, i)
			}
		}
	}
}

func (r *rig) options(first Recogniser) Options {
	return Options{
		Bus: r.client, Names: r.names, Group: "infer", First: first,
		MaxBatch: 4, MaxWait: 20 * time.Millisecond, MaxAge: time.Minute, TopK: 2, Decoders: 3,
		Logger: slog.New(slog.DiscardHandler), Tracer: sdktrace.NewTracerProvider().Tracer("test"),
		Meter: metricnoop.Meter{}, Propagator: propagation.TraceContext{},
	}
}

// fakeModel sees how bright a clip begins, and is told how to misbehave.
type fakeModel struct {
	t      testing.TB
	id     string
	matrix *scoring.Matrix
	fault  func(frames []byte, batch int) error // nil: none
	spoil  bool                                 // embeddings are not numbers
	signed bool                                 // a dark clip is the opposite of a bright one
	// gate, where not nil, is read once in each run; begun hears of each.
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

// model has a vocabulary of its own, by its id.
func (r *rig) model(id string) *fakeModel {
	return &fakeModel{t: r.t, id: id, matrix: &scoring.Matrix{Name: "default", Version: "of " + id}, begun: make(chan struct{}, 1000)}
}

func (m *fakeModel) LogitScale() float32 { return 100 }

func (m *fakeModel) ID() string { return m.id }

func (m *fakeModel) Current() *scoring.Matrix { return m.matrix }

// Ready is closed where there is a vocabulary.
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

// Close counts.
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

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patient); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// start runs a stage; the returned function stops it, if it has not ended, and
// gives its error.
func start(t testing.TB, o Options) (*Stage, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop := func() (err error) {
		once.Do(func() {
			cancel()
			select {
			case err = <-done:
			case <-time.After(patient):
				err = errors.New("the stage does not stop")
			}
		})
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return s, stop
}

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

func demoModel(t *testing.T) *froster.Model {
	t.Helper()
	root := shared.Root(t)
	data := filepath.Join(root, "cmd", "frostwatch", "demo", "data")
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

// counted is a meter, and the sums of its counters so far.
func counted() (sums func(*testing.T) map[string]int64, m metric.Meter) {
	reader := sdkmetric.NewManualReader()
	sums = func(t *testing.T) map[string]int64 {
		t.Helper()
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		out := map[string]int64{}
		for _, scope := range all.ScopeMetrics {
			for _, m := range scope.Metrics {
				if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
					for _, p := range sum.DataPoints {
						out[m.Name] += p.Value
					}
				}
			}
		}
		return out
	}
	return sums, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
}
