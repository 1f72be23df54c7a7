package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a sink and a bus: it keeps what a camera gave.
type recorder struct {
	mu     sync.Mutex
	times  map[string][]time.Duration // of the current epoch's frames, by camera
	untils map[string][]time.Duration
	epochs map[string]int
	sizes  map[string]string
	status map[string][]topics.StreamStatus
	gone   map[string]int    // tombstones of statuses
	warned map[string]string // by part, what the reporter was told and not yet told over
	checks map[string]func() error
	left   []bus.Message     // on the status topic
	tags   map[string]string // of the clips to come
	dead   []bus.Message
	ended  map[string][]string
}

func newRecorder() *recorder {
	return &recorder{
		times: map[string][]time.Duration{}, untils: map[string][]time.Duration{}, epochs: map[string]int{},
		sizes: map[string]string{}, gone: map[string]int{}, warned: map[string]string{}, checks: map[string]func() error{}, tags: map[string]string{}, status: map[string][]topics.StreamStatus{}, ended: map[string][]string{},
	}
}

type recorderSink struct {
	*recorder
	name string
	send bus.SendFunc
}

func (r *recorderSink) Retag(tags []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags[r.name] = strings.Join(tags, ",")
}

func (r *recorderSink) Run(ctx context.Context) { <-ctx.Done() }

func (r *recorderSink) Connected(i media.StreamInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epochs[r.name]++
	r.times[r.name], r.untils[r.name] = nil, nil
	r.sizes[r.name] = fmt.Sprintf("%s %dx%d", i.Codec, i.Width, i.Height)
}

func (r *recorderSink) Frame(_ context.Context, f *media.Frame) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times[r.name] = append(r.times[r.name], f.PTS)
	r.untils[r.name] = append(r.untils[r.name], f.Until)
	return nil
}

func (r *recorderSink) Disconnected(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended[r.name] = append(r.ended[r.name], reason)
}

func (r *recorder) Consume(context.Context, bus.GroupOptions, func(context.Context, *bus.Partition) error) error {
	return errors.New("not a broker")
}

func (r *recorder) Send(_ context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range msgs {
		if strings.HasSuffix(m.Topic, "dead-letter") {
			r.dead = append(r.dead, m)
			continue
		}
		if len(m.Value) == 0 {
			r.gone[string(m.Key)]++
			continue
		}
		s, err := topics.DecodeStatus(m.Value)
		if err != nil {
			return nil, err
		}
		r.status[s.Camera] = append(r.status[s.Camera], s)
	}
	return make([]topics.RecordRef, len(msgs)), nil
}

// Replay gives what the test said earlier workers had left.
func (r *recorder) Replay(_ context.Context, _ string, _ int, _, _ int64, fn func(bus.Message) error) error {
	r.mu.Lock()
	left := r.left
	r.mu.Unlock()
	for _, m := range left {
		if err := fn(m); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) PartitionOf(_ context.Context, _ string, key []byte) (int, error) {
	if strings.HasPrefix(string(key), "other") {
		return 1, nil
	}
	return 0, nil
}

func (r *recorder) Problem(string, error) {}

func (r *recorder) Warning(part string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.warned, part)
	if err != nil {
		r.warned[part] = err.Error()
	}
}

func (r *recorder) Check(part string, ask func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks[part] = ask
}

func (r *recorder) Describe(func(*topics.Worker)) {}

func (r *recorder) warning(part string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.warned[part]
}

func (r *recorder) frames(camera string) []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.times[camera])
}

func (r *recorder) last(camera string) topics.StreamStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all := r.status[camera]; len(all) > 0 {
		return all[len(all)-1]
	}
	return topics.StreamStatus{}
}

// saw says whether a status with this state and reason has been published.
func (r *recorder) saw(camera string, state topics.StreamState, reason string) func() bool {
	return func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.ContainsFunc(r.status[camera], func(s topics.StreamStatus) bool {
			return s.State == state && strings.Contains(s.Reason, reason)
		})
	}
}

// until waits for a condition.
func until(t *testing.T, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", limit, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func testOptions(r *recorder) Options {
	return Options{
		Bus: r, Names: topics.Names{Prefix: "t."}, Group: "g", Worker: "w",
		NewSink: func(c topics.Camera, send bus.SendFunc) (Sink, error) {
			s := &recorderSink{recorder: r, name: c.Name, send: send}
			s.Retag(c.Tags)
			return s, nil
		},
		Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4},
		Trust:     Trust{Allow: []string{"file", "127.0.0.0/8", "::1"}, Env: []string{"CAM"}},
		Transport: "tcp", Protocols: []string{"rtsp", "rtsps", "http", "https", "file"},
		OpenTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, Watchdog: 10 * time.Second, DecodeThreads: 1,
		Backoff:  Backoff{Min: 50 * time.Millisecond, Max: 500 * time.Millisecond, ResetAfter: time.Second},
		Reporter: r,
		Logger:   slog.New(slog.DiscardHandler), Meter: noop.NewMeterProvider().Meter("t"),
	}
}

// watch runs cameras until the test ends, as records of one partition.
func watch(t *testing.T, o Options, cameras ...topics.Camera) *Stage {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p := newTape(0)
	p.send = o.Bus.Send
	for _, c := range cameras {
		value, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		p.write(c.Name, string(value))
	}
	hold(t, s, p)
	return s
}

// hold gives a stage a partition until the test ends, or give is called.
func hold(t *testing.T, s *Stage, p partition) (give func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := s.own(ctx, p); err == nil || ctx.Err() == nil {
			t.Errorf("own ended with %v", err)
		}
	})
	give = func() { cancel(); done.Wait() }
	t.Cleanup(give)
	return give
}

// simulate serves until the test ends.
func simulate(t *testing.T, o camsim.Options, add func(*camsim.Server)) *camsim.Server {
	t.Helper()
	o.Addr, o.Logger = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	s, err := camsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	add(s)
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		done.Wait()
	})
	return s
}

func addFile(t *testing.T, s *camsim.Server, name, path string, o camsim.FileOptions) {
	t.Helper()
	if err := s.AddFile(name, path, o); err != nil {
		t.Fatal(err)
	}
}

// cut copies the first seconds of a video into a new container.
func cut(t *testing.T, path string, seconds int, ext string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "cut."+ext)
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", path, "-an", "-c", "copy", "-t", fmt.Sprint(seconds), out)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, b)
	}
	return out
}

// probe is when ffprobe shows each frame of a file, since the first.
func probe(t *testing.T, path string) []time.Duration {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var times []time.Duration
	for _, line := range strings.Fields(string(out)) {
		v, err := time.ParseDuration(strings.Trim(line, ",") + "s")
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, v)
	}
	for i := len(times) - 1; i >= 0; i-- {
		times[i] -= times[0]
	}
	return times
}

func sameTimes(t *testing.T, got, want []time.Duration) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i := range want {
		if d := (got[i] - want[i]).Abs(); d > 100*time.Microsecond {
			t.Fatalf("frame %d at %v, want %v", i, got[i], want[i])
		}
	}
}

// Every frame of a file comes out at its time, whatever carries it.
func TestEveryFrameComesAtItsTime(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	fall := shared.Path(t, "videos", "gm_Subject_4_Fall_03.mp4")
	shop := shared.Path(t, "videos", "Retail02_short.mp4")
	people := shared.Path(t, "videos", "one-by-one-person-detection.mp4")
	for _, c := range []struct {
		name, path, via string
		want            string
		file            camsim.FileOptions
	}{
		{"h264 with B-frames, tcp", cut(t, fence, 4, "mp4"), "tcp", "h264 640x360", camsim.FileOptions{}},
		{"h264 with B-frames, udp", cut(t, fence, 4, "mp4"), "udp", "h264 640x360", camsim.FileOptions{}},
		{"variable frame rate, RTP time wraps", cut(t, fall, 4, "mp4"), "tcp", "h264 640x480", camsim.FileOptions{FirstRTP: 1<<32 - 90_000}},
		{"password with specials", cut(t, fall, 2, "mp4"), "tcp", "h264 640x480", camsim.FileOptions{User: "viewer", Password: "p@ss/w:rd?%#"}},
		{"hevc 1080p", cut(t, shop, 3, "mp4"), "tcp", "hevc 1920x1080", camsim.FileOptions{}},
		{"10 fps", cut(t, people, 5, "mp4"), "tcp", "h264 768x432", camsim.FileOptions{}},
		{"file mp4", cut(t, fence, 4, "mp4"), "file", "h264 640x360", camsim.FileOptions{}},
		{"file mkv", cut(t, fall, 4, "mkv"), "file", "h264 640x480", camsim.FileOptions{}},
		{"file ts", cut(t, fence, 4, "ts"), "file", "h264 640x360", camsim.FileOptions{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			o := testOptions(r)
			o.FilesAtOnce = true
			camera := topics.Camera{Name: "cam", URL: "file://" + c.path}
			if c.via != "file" {
				c.file.OnDemand, c.file.Loops, c.file.Speed = true, 1, 2
				sim := simulate(t, camsim.Options{}, func(s *camsim.Server) { addFile(t, s, "cam", c.path, c.file) })
				camera.URL, camera.Transport = sim.URL("cam"), c.via
			}
			watch(t, o, camera)
			until(t, "the end", 30*time.Second, func() bool {
				r.mu.Lock()
				defer r.mu.Unlock()
				return len(r.ended["cam"]) == 1
			})
			sameTimes(t, r.frames("cam"), probe(t, c.path))
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.sizes["cam"] != c.want {
				t.Errorf("got %s, want %s", r.sizes["cam"], c.want)
			}
			times, untils := r.times["cam"], r.untils["cam"]
			for i := range times[1:] {
				if untils[i] != times[i+1] {
					t.Fatalf("frame %d is shown until %v, the next comes at %v", i, untils[i], times[i+1])
				}
			}
			if n := len(times); untils[n-1] != 2*times[n-1]-times[n-2] {
				t.Errorf("the last frame at %v is shown until %v", times[n-1], untils[n-1])
			}
		})
	}
}

// deadPort is an address where nobody listens.
func deadPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
