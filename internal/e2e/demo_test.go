package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// starts are how many of a clip's first frames are left out, so that the windows begin
// elsewhere in it: windows begin every 36 frames, four steps of 604.8 ms.
var starts = []int{0, 12, 24}

const (
	frameRate = 15 // of every demo clip
	// late is how long after an event's end its alert may come.
	late = 5 * time.Second
)

// What the demo promises: every staged fall, fight and climb, also the novel one on a
// ladder, raises one alert in time, and nothing else raises any, wherever the windows
// begin.
func TestDemoAlertsAreTheStagedEvents(t *testing.T) {
	t.Parallel()
	truths, err := demo.Truths()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range starts {
		t.Run(fmt.Sprintf("from frame %d", n), func(t *testing.T) { playsOnce(t, truths, cutPlays(t, n)) })
	}
}

// playsOnce watches every file from its beginning to its end.
func playsOnce(t *testing.T, truths map[string]demo.Truth, plays []string) {
	sim := start(t, append([]string{"camsim", "--listen", "127.0.0.1:0", "--on-demand", "--loops", "1"}, plays...)...)
	await(t, "the simulator's addresses", time.Minute, func() bool { return strings.Count(sim.output(), "rtsp://") == len(plays) })
	var cameras []string
	for _, url := range strings.Fields(sim.output()) {
		cameras = append(cameras, "--camera", url[strings.LastIndexByte(url, '/')+1:]+"="+url)
	}
	p, at := up(t, t.TempDir(), cameras...)
	await(t, "every play's end", 3*time.Minute, func() bool { return strings.Count(p.output(), "the camera ended the stream") >= len(plays) })
	// The last clips are still on their way.
	var recognitions []topics.Recognition
	await(t, "the last recognitions", time.Minute, func() bool {
		before := len(recognitions)
		recognitions, _ = kcatActions(t, at.Kafka)
		return len(recognitions) == before
	})
	alerts, published := kcatAlerts(t, at.Kafka)
	p.stop(t)
	compare(t, truths, epochs(recognitions), alerts, published)
}

// cutPlays makes the demo's clips begin n frames later.
func cutPlays(t testing.TB, n int) []string {
	t.Helper()
	need(t, "ffmpeg")
	clips, err := filepath.Glob(filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data", "*.mp4"))
	if err != nil || len(clips) == 0 {
		t.Fatalf("no demo clips: %v", err)
	}
	codec := []string{"-c", "copy"}
	if n > 0 { // a cut between keyframes needs encoding anew: nearly without loss
		codec = []string{"-vf", fmt.Sprintf("trim=start_frame=%d,setpts=PTS-STARTPTS", n), "-c:v", "libx264", "-preset", "veryfast", "-crf", "12"}
	}
	dir := t.TempDir()
	var files []string
	for _, clip := range clips {
		file := filepath.Join(dir, fmt.Sprintf("%s.%d.mp4", strings.TrimSuffix(filepath.Base(clip), ".mp4"), n))
		args := append([]string{"-v", "error", "-i", clip}, append(codec, file)...)
		if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
			t.Fatalf("ffmpeg: %v\n%s", err, out)
		}
		files = append(files, file)
	}
	return files
}

// play is the clip that a camera shows and how much later it begins.
func play(t *testing.T, camera string) (clip string, later time.Duration) {
	t.Helper()
	clip, frames, ok := strings.Cut(camera, ".")
	n, err := strconv.Atoi(frames)
	if !ok || err != nil {
		t.Fatalf("camera %q", camera)
	}
	return clip, time.Duration(n) * time.Second / frameRate
}

// epochs are the starts of each camera's unbroken streams, in order.
func epochs(rs []topics.Recognition) map[string][]time.Time {
	out := map[string][]time.Time{}
	for _, r := range rs {
		if !slices.ContainsFunc(out[r.Camera], r.Epoch.Equal) {
			out[r.Camera] = append(out[r.Camera], r.Epoch)
		}
	}
	for _, e := range out {
		slices.SortFunc(e, time.Time.Compare)
	}
	return out
}

// events are the actions that the demo's rules watch for; rules and actions
// share their names.
var events = []string{"fall", "fight", "fence", "ladder"}

// compare checks each alert against the labels of its clip.
func compare(t *testing.T, truths map[string]demo.Truth, began map[string][]time.Time, alerts []topics.Alert, published []time.Time) {
	t.Helper()
	raised := map[string]int{} // by camera and event
	for i, a := range alerts {
		if a.State != topics.AlertRaised {
			continue
		}
		clip, later := play(t, a.Camera)
		from := later + windowStart(t, a)
		event := slices.IndexFunc(truths[clip].Labels, func(l demo.Label) bool {
			return l.Action == a.Rule && l.Start < (from+4267*time.Millisecond).Seconds() && l.End > from.Seconds()
		})
		if event < 0 {
			t.Errorf("%s: %s raised on the clip at %v, where nothing of the kind is staged (%.2f)", a.Camera, a.Rule, from, a.Value())
			continue
		}
		raised[fmt.Sprint(a.Camera, event)]++
		end := began[a.Camera][0].Add(time.Duration(truths[clip].Labels[event].End*float64(time.Second)) - later)
		if d := published[i].Sub(end); d > late {
			t.Errorf("%s: %s came %v after the event's end", a.Camera, a.Rule, d)
		}
	}
	sought := 0
	for camera, streams := range began {
		if len(streams) != 1 {
			t.Errorf("%s: %d unbroken streams, want 1", camera, len(streams))
		}
		clip, _ := play(t, camera)
		for i, l := range truths[clip].Labels {
			if !slices.Contains(events, l.Action) {
				continue
			}
			sought++
			if got := raised[fmt.Sprint(camera, i)]; got != 1 {
				t.Errorf("%s: %s at %vs raised %d alerts", camera, l.Action, l.Start, got)
			}
		}
	}
	if sought != 6 {
		t.Errorf("%d events were looked for, the demo stages six", sought)
	}
}

var clipID = regexp.MustCompile(`-(\d+)-(\d+)$`)

// windowStart is when, counted from the stream's start, the clip that decided an alert starts.
func windowStart(t *testing.T, a topics.Alert) time.Duration {
	t.Helper()
	m := clipID.FindStringSubmatch(a.Clip)
	if m == nil {
		t.Fatalf("clip id %q", a.Clip)
	}
	ms, err := strconv.Atoi(m[2])
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(ms) * time.Millisecond
}
