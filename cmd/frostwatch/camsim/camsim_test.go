package camsim

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server with one camera, "cam", until the test ends.
func serve(t *testing.T, o Options, path string, f FileOptions) *Server {
	t.Helper()
	o.Addr, o.Logger = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddFile("cam", path, f); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// probe asks ffprobe for the presentation times of the decoded frames, in
// seconds since the first.
func probe(t *testing.T, args ...string) []float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	args = append([]string{"-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0"}, args...)
	cmd := exec.CommandContext(ctx, "ffprobe", args...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffprobe: %v: %s", err, complaints.String())
	}
	var times []float64
	for _, line := range strings.Fields(string(out)) {
		// libav's parser loses the time of an RTP stream's first frame, from which
		// it counts.
		if len(times) == 0 && strings.HasPrefix(line, "N/A") {
			line = "0"
		}
		v, err := strconv.ParseFloat(strings.Trim(line, ","), 64)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, v)
	}
	if len(times) == 0 {
		t.Fatalf("ffprobe shows no frames: %s", complaints.String())
	}
	for i := len(times) - 1; i >= 0; i-- {
		times[i] -= times[0]
	}
	return times
}

func sameTimes(t *testing.T, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i := range want {
		if d := got[i] - want[i]; d > 1e-4 || d < -1e-4 {
			t.Fatalf("frame %d at %.5f s, want %.5f s", i, got[i], want[i])
		}
	}
}

// cut copies the first seconds of a video.
func cut(t *testing.T, path string, seconds int) string {
	t.Helper()
	out := t.TempDir() + "/cut.mp4"
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", path, "-an", "-c", "copy", "-t", fmt.Sprint(seconds), out)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, b)
	}
	return out
}

// An independent client sees each frame of the file, at the file's times.
func TestAClientSeesTheFile(t *testing.T) {
	fenced := shared.Path(t, "model", "demo", "yard_fence.mp4")
	for _, c := range []struct {
		name, path, transport string
		options               Options
		file                  FileOptions
	}{
		{"h264 with B-frames over tcp", fenced, "tcp", Options{}, FileOptions{}},
		{"h264 with B-frames over udp", fenced, "udp", Options{}, FileOptions{}},
		{"variable frame rate, password, wrapping timestamps", shared.Path(t, "videos", "gm_Subject_4_Fall_03.mp4"), "tcp", Options{},
			FileOptions{User: "viewer", Password: "p@ss/word:1", FirstRTP: 1<<32 - 90_000}},
		{"hevc 1080p over rtsps", shared.Path(t, "videos", "Retail02_short.mp4"), "tcp", Options{TLS: stagetest.SelfSigned(t)}, FileOptions{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := cut(t, c.path, 4)
			c.file.OnDemand, c.file.Loops, c.file.Speed = true, 1, 2
			s := serve(t, c.options, path, c.file)
			sameTimes(t, probe(t, "-rtsp_transport", c.transport, s.URL("cam")), probe(t, path))
		})
	}
}

// A file's times may begin before 0, and anywhere.
func TestFilesThatBeginBeforeZero(t *testing.T) {
	path := filepath.Join(t.TempDir(), "before.mkv")
	cmd := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10:duration=2", "-c:v", "libx264", "-bf", "0", "-g", "100",
		"-output_ts_offset", "-5", "-avoid_negative_ts", "disabled", path)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, b)
	}
	if length, err := Length(path, time.Minute); err != nil || length.Round(time.Second/10) != 2*time.Second {
		t.Errorf("it lasts %v: %v", length, err)
	}
	s := serve(t, Options{}, path, FileOptions{OnDemand: true, Loops: 1, Speed: 2})
	if got := probe(t, "-rtsp_transport", "tcp", s.URL("cam")); len(got) != 20 {
		t.Errorf("%d frames, want 20", len(got))
	}
}

// A file that can no longer be read ends its own camera and no other.
func TestAFileThatBreaksEndsNoOther(t *testing.T) {
	good := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 4)
	bad := filepath.Join(t.TempDir(), "bad.mp4")
	raw, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	var log stagetest.Log
	s, err := New(Options{Addr: "127.0.0.1:0", Logger: log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{s.AddFile("good", good, FileOptions{OnDemand: true, Loops: 1, Speed: 4}), s.AddFile("bad", bad, FileOptions{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(bad, []byte("no film"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for end := time.Now().Add(30 * time.Second); !strings.Contains(log.String(), "camera=bad") && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if got := probe(t, "-rtsp_transport", "tcp", s.URL("good")); len(got) < 50 || !strings.Contains(log.String(), "camera=bad") {
		t.Errorf("%d frames of the good file; the log: %s", len(got), log.String())
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLoops(t *testing.T) {
	path := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 4)
	file := probe(t, path)
	const step = 1.0 / 15
	length := file[len(file)-1] + step
	for _, c := range []struct {
		name   string
		file   FileOptions
		second float64 // start of the second loop
		from   float64 // of the file
	}{
		{"seamless", FileOptions{}, length, 0},
		{"gap", FileOptions{LoopGap: 3 * time.Second}, length + 3, 0},
		{"shifted to the next keyframe", FileOptions{Shift: time.Second}, length, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.file.OnDemand, c.file.Loops, c.file.Speed = true, 2, 4
			s := serve(t, Options{}, path, c.file)
			want := append([]float64(nil), file...)
			for _, at := range file {
				if at >= c.from {
					want = append(want, c.second+at-c.from)
				}
			}
			sameTimes(t, probe(t, "-rtsp_transport", "tcp", s.URL("cam")), want)
		})
	}
}

func TestRefusals(t *testing.T) {
	s := serve(t, Options{}, shared.Path(t, "model", "demo", "yard_fence.mp4"), FileOptions{User: "viewer", Password: "secret"})
	s.Stop("cam")
	for _, c := range []struct{ url, want string }{
		{"rtsp://viewer:wrong@" + s.Addr() + "/cam", "401"},
		{"rtsp://" + s.Addr() + "/other", "404"},
		{s.URL("cam"), "404"},
	} {
		out, err := exec.Command("ffprobe", "-v", "error", "-rtsp_transport", "tcp", c.url).CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v: %s, want %s", c.url, err, out, c.want)
		}
	}
}
