package framer_test

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a broker with an ingest worker on it, and what came out.
type rig struct {
	client *bus.Client
	names  topics.Names
	spans  *tracetest.InMemoryExporter

	mu     sync.Mutex
	clips  map[string][]topics.Clip
	traces map[string]string // traceparent by clip id
	status map[string]topics.StreamStatus
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{
		names: topics.Names{Prefix: "t."}, spans: tracetest.NewInMemoryExporter(),
		clips: map[string][]topics.Clip{}, traces: map[string]string{}, status: map[string]topics.StreamStatus{},
	}
	log := slog.New(slog.DiscardHandler)
	broker := kafkatest.StartEmbedded(t)
	client, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "t", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	r.client = client
	var specs []bus.TopicSpec
	for _, s := range topics.Specs(2, 1) {
		specs = append(specs, bus.TopicSpec{Name: r.names.Of(s.Topic), Partitions: s.Partitions, Replication: 1, Config: s.Config})
	}
	if err := client.Ensure(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		done.Wait()
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans))
	f, err := framer.New(framer.Options{
		// As in pipeline.yaml, rounded to milliseconds.
		Names: r.names, Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4}, ShortSide: 224, Quality: 90, Queue: 8,
		Logger: log, Meter: noop.NewMeterProvider().Meter("t"),
		Tracer: provider.Tracer("t"), Propagator: propagation.TraceContext{},
		MaxDrift: -1, // files are played faster than they are
	})
	if err != nil {
		t.Fatal(err)
	}
	stage, err := ingest.New(ingest.Options{
		Bus: client, Names: r.names, Group: "g", Worker: "w",
		NewSink: func(c topics.Camera, send bus.SendFunc) (ingest.Sink, error) { return f.Stream(c, send) },
		Window:  4267 * time.Millisecond, Stride: topics.Stride{Steps: 4},
		Trust:     ingest.Trust{Allow: []string{"file", "127.0.0.1"}},
		Transport: "tcp", Protocols: []string{"rtsp", "file"}, OpenTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		Watchdog: 15 * time.Second, DecodeThreads: 1,
		Backoff: ingest.Backoff{Min: 100 * time.Millisecond, Max: time.Second, ResetAfter: time.Second},
		Logger:  log, Meter: noop.NewMeterProvider().Meter("t"), FilesAtOnce: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	done.Go(func() {
		if err := stage.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	follow := func(topic topics.Topic, fn func(bus.Message) error) {
		done.Go(func() {
			if err := client.ReadAll(ctx, r.names.Of(topic), time.Time{}, true, fn); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	follow(topics.Clips, r.onClip)
	follow(topics.Status, r.onStatus)
	return r
}

func (r *rig) onClip(m bus.Message) error {
	c, err := topics.DecodeClip(m.Value)
	if err != nil {
		return err
	}
	if string(m.Key) != c.Camera {
		return fmt.Errorf("clip of %s has key %s", c.Camera, m.Key)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clips[c.Camera] = append(r.clips[c.Camera], c)
	r.traces[c.ID] = bus.HeaderCarrier{Headers: &m.Headers}.Get("traceparent")
	return nil
}

func (r *rig) onStatus(m bus.Message) error {
	s, err := topics.DecodeStatus(m.Value)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status[s.Camera] = s
	return nil
}

func (r *rig) put(t *testing.T, c topics.Camera) {
	t.Helper()
	value, err := topics.EncodeCamera(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Send(t.Context(), bus.Message{Topic: r.names.Of(topics.Cameras), Key: []byte(c.Name), Value: value}); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) until(t *testing.T, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		r.mu.Lock()
		done := ok()
		r.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(deadline) {
			r.mu.Lock()
			defer r.mu.Unlock()
			t.Fatalf("waited %v for %s; status %+v", limit, what, r.status)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// stride is the default, 4 of a window's 7 steps, in seconds.
const stride = 4. / 7 * 127 / 30

// shown is, for each whole window of a video, the times of the frames that are
// on display at FROSTER's eight times: worked out from ffprobe's list of
// frames, in fractions of a second, without any of the code under test.
func shown(t *testing.T, path string) [][]float64 {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var times []float64
	for _, line := range strings.Fields(string(out)) {
		var v float64
		if _, err := fmt.Sscan(strings.Trim(line, ","), &v); err != nil {
			t.Fatal(err)
		}
		times = append(times, v)
	}
	first, n := times[0], len(times)
	end := 2*times[n-1] - times[n-2] - first
	var windows [][]float64
	for n := 0; float64(n)*stride+127./30+0.002 < end; n++ {
		start := float64(n) * stride
		var frames []float64
		for k := range 8 {
			target := start + float64(k)/7*127/30
			i, _ := slices.BinarySearch(times, first+target+0.002)
			frames = append(frames, times[max(i-1, 0)]-first)
		}
		windows = append(windows, frames)
	}
	return windows
}

func cut(t *testing.T, path string, seconds int) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "cut.mp4")
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", path, "-an", "-c", "copy", "-t", fmt.Sprint(seconds), out)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, b)
	}
	return out
}

// Real videos, played as cameras and as files, give the clips that their own
// timestamps say.
func TestClipsAreThoseOfTheFile(t *testing.T) {
	r := newRig(t)
	sim, err := camsim.New(camsim.Options{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	demo := shared.Path(t, "model", "demo", "yard_fence.mp4")
	falls := shared.Path(t, "videos", "gm_Subject_2_Fall_12.mp4")
	people := cut(t, shared.Path(t, "videos", "one-by-one-person-detection.mp4"), 20)
	shop := cut(t, shared.Path(t, "videos", "Retail02_short.mp4"), 9)
	type camera struct {
		name, path, transport string
		width                 int
	}
	cameras := []camera{
		{"demo-tcp", demo, "tcp", 398}, {"demo-udp", demo, "udp", 398}, {"demo-file", demo, "", 398},
		{"falls", falls, "tcp", 298}, {"falls-file", falls, "", 298},
		{"people", people, "tcp", 398}, {"shop", shop, "tcp", 398},
	}
	for _, c := range cameras {
		if c.transport == "" {
			continue
		}
		if err := sim.AddFile(c.name, c.path, camsim.FileOptions{OnDemand: true, Loops: 1, Speed: 2}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := sim.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	for _, c := range cameras {
		url := "file://" + c.path
		if c.transport != "" {
			url = sim.URL(c.name)
		}
		r.put(t, topics.Camera{Name: c.name, URL: url, Transport: c.transport, Tags: []string{"test"}})
	}
	for _, c := range cameras {
		want := shown(t, c.path)
		if len(want) == 0 {
			t.Fatalf("%s is too short for a window", c.path)
		}
		r.until(t, c.name, time.Minute, func() bool {
			s := r.status[c.name].State
			return len(r.clips[c.name]) >= len(want) && (s == topics.StreamStopped || s == topics.StreamWaiting || s == topics.StreamConnecting)
		})
		r.mu.Lock()
		checkClips(t, c.name, r.clips[c.name], want, c.width)
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, clips := range r.clips {
		for _, c := range clips {
			if !slices.ContainsFunc(r.spans.GetSpans(), func(s tracetest.SpanStub) bool {
				return s.Name == "framer.clip" && strings.Contains(r.traces[c.ID], s.SpanContext.TraceID().String()+"-"+s.SpanContext.SpanID().String())
			}) {
				t.Fatalf("clip %s travels with trace %q, which no span has", c.ID, r.traces[c.ID])
			}
		}
	}
}

// A stream that stands still and goes on later is a new epoch, whose windows
// begin with it.
func TestAGapInTheStreamBeginsAnEpoch(t *testing.T) {
	r := newRig(t)
	path := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 8)
	sim, err := camsim.New(camsim.Options{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.AddFile("cam", path, camsim.FileOptions{OnDemand: true, Loops: 2, LoopGap: 2 * time.Second, Speed: 4}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := sim.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	r.put(t, topics.Camera{Name: "cam", URL: sim.URL("cam"), Tags: []string{"test"}})
	want := shown(t, path)
	r.until(t, "two loops", time.Minute, func() bool {
		return len(r.clips["cam"]) >= 2*len(want) && r.status["cam"].State != topics.StreamStreaming
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.clips["cam"]
	checkClips(t, "cam", all[:len(want)], want, 398)
	checkClips(t, "cam", all[len(want):], want, 398)
	if !all[len(want)].Epoch.After(all[0].Epoch) {
		t.Errorf("epochs %v and %v", all[0].Epoch, all[len(want)].Epoch)
	}
}

func checkClips(t *testing.T, name string, got []topics.Clip, want [][]float64, width int) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d clips, want %d", name, len(got), len(want))
		return
	}
	for n, c := range got {
		if start := time.Duration(float64(n) * stride * 1e9); c.Sequence != uint64(n) || (c.Start-start).Abs() > time.Microsecond {
			t.Errorf("%s: clip %d is number %d from %v, want from %v", name, n, c.Sequence, c.Start, start)
		}
		if c.Width != width || c.Height != 224 || c.Epoch != got[0].Epoch || c.Tags[0] != "test" || c.ID != topics.ClipID(name, c.Epoch, c.Start) {
			t.Errorf("%s: clip %+v", name, c.ID)
		}
		for k, f := range c.Frames {
			if d := f.Stream.Seconds() - want[n][k]; d > 1e-4 || d < -1e-4 {
				t.Errorf("%s: clip %d frame %d at %v, want %.4f s", name, n, k, f.Stream, want[n][k])
			}
			if !f.Captured.Equal(c.Epoch.Add(f.Stream)) {
				t.Errorf("%s: clip %d frame %d captured at %v", name, n, k, f.Captured)
			}
			im, err := jpeg.DecodeConfig(bytes.NewReader(f.JPEG))
			if err != nil || im.Width != width || im.Height != 224 {
				t.Errorf("%s: clip %d frame %d: %v %+v", name, n, k, err, im)
			}
		}
	}
}
