package framer_test

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fasterThanTime is for recordings that are played faster than they are: their
// clock runs away from ours.
func fasterThanTime(o *framer.Options) { o.MaxDrift = -1 }

// stride is the default, 4 of a window's 7 steps, in seconds.
const stride = 4. / 7 * 127 / 30

// shown is, for each whole window of a video, the times in seconds of the frames
// that are on display at FROSTER's eight times. It is worked out from ffprobe's list
// of frames, without any of the code under test.
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
	r := newRig(t, kafkatest.StartEmbedded(t).Addr(), fasterThanTime)
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
	sim := simulate(t, func(add func(string, string, camsim.FileOptions)) {
		for _, c := range cameras {
			if c.transport != "" {
				add(c.name, c.path, camsim.FileOptions{OnDemand: true, Loops: 1, Speed: 2})
			}
		}
	})
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

// A stream that pauses and goes on later is a new epoch, whose windows
// begin with it.
func TestAGapInTheStreamBeginsAnEpoch(t *testing.T) {
	r := newRig(t, kafkatest.StartEmbedded(t).Addr(), fasterThanTime)
	path := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 8)
	sim := simulate(t, func(add func(string, string, camsim.FileOptions)) {
		add("cam", path, camsim.FileOptions{OnDemand: true, Loops: 2, LoopGap: 5 * time.Second, Speed: 4})
	})
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
