package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
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
	"github.com/frostwatch/frostwatch/topics"
)

// TestMain is also a process that reads cameras, as `frostwatch ingest read` is, and a
// worker that has one.
func TestMain(m *testing.M) {
	switch {
	case slices.Equal(os.Args[1:], []string{"ingest", ReadCommand}):
		if err := readForTest(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case slices.Equal(os.Args[1:], []string{"ingest", ProbeCommand}):
		if err := probeForTest(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case slices.Equal(os.Args[1:], []string{workerForTest}):
		workWithReader()
	default:
		goleak.VerifyTestMain(m)
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
			s.Retag(c.Tags, c.Vocabulary)
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

func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	if b, err := exec.Command("ffmpeg", append([]string{"-v", "error"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, b)
	}
}
