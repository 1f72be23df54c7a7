package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/demo"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	loops = 3
	// shift begins each loop at a later keyframe, so that windows fall
	// differently: the clips have one every two seconds.
	shift = 2 * time.Second
	// late is how long after an event's end its alert may come.
	late = 5 * time.Second
)

// The product's promise on its own demo: every staged fall, fight and climb
// raises one alert in time, and nothing else raises any.
func TestDemoAlertsAreTheStagedEvents(t *testing.T) {
	t.Parallel()
	truths, err := demo.Truths()
	if err != nil {
		t.Fatal(err)
	}
	sim := start(t, append([]string{"camsim", "--listen", "127.0.0.1:0", "--on-demand", "--loops", strconv.Itoa(loops), "--shift", shift.String()}, clipFiles(t)...)...)
	await(t, "the simulator's addresses", time.Minute, func() bool { return strings.Count(sim.output(), "rtsp://") == len(truths) })
	var cameras []string
	for _, url := range strings.Fields(sim.output()) {
		cameras = append(cameras, "--camera", url[strings.LastIndexByte(url, '/')+1:]+"="+url)
	}
	p, at := up(t, t.TempDir(), cameras...)

	longest := 0.0
	for _, truth := range truths {
		longest = max(longest, truth.Seconds)
	}
	playing := time.Duration(loops*(longest+2)) * time.Second
	time.Sleep(playing) // real time is what is being watched
	await(t, "the end of the last loop", time.Minute, func() bool {
		rs, when := kcatActions(t, at.Kafka)
		return len(rs) > 0 && time.Since(when[len(when)-1]) > 0 && finished(rs, len(truths))
	})
	recognitions, _ := kcatActions(t, at.Kafka)
	alerts, published := kcatAlerts(t, at.Kafka)
	p.stop(t)
	compare(t, truths, epochs(recognitions), alerts, published)
}

func clipFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shared.Root(t), "internal", "demo", "data", "*.mp4"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no demo clips: %v", err)
	}
	return files
}

// epochs are the starts of each camera's loops, in order.
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

func finished(rs []topics.Recognition, cameras int) bool {
	e := epochs(rs)
	for _, starts := range e {
		if len(starts) < loops {
			return false
		}
	}
	newest := time.Time{}
	for _, r := range rs {
		if r.End.After(newest) {
			newest = r.End
		}
	}
	return len(e) == cameras && time.Since(newest) > 6*time.Second
}

var alertActions = map[string]string{"fall": "fall", "fight": "fight", "fence": "fence"} // by rule

// compare holds each alert against the labels of its clip, on the loop that its
// onset lies in.
func compare(t *testing.T, truths map[string]demo.Truth, starts map[string][]time.Time, alerts []topics.Alert, published []time.Time) {
	t.Helper()
	raised := map[string]int{} // by camera, loop and event
	for i, a := range alerts {
		if a.State != topics.AlertRaised {
			continue
		}
		loop, from := place(t, a, starts[a.Camera])
		event := slices.IndexFunc(truths[a.Camera].Labels, func(l demo.Label) bool {
			return l.Action == alertActions[a.Rule] && l.Start < (from+4267*time.Millisecond).Seconds() && l.End > from.Seconds()
		})
		if event < 0 {
			t.Errorf("%s: %s raised in loop %d on the clip at %v, where nothing of the kind is staged (score %.2f)", a.Camera, a.Rule, loop, from, a.Score)
			continue
		}
		raised[fmt.Sprint(a.Camera, loop, event)]++
		end := starts[a.Camera][loop].Add(seconds(truths[a.Camera].Labels[event].End) - time.Duration(loop)*shift)
		if d := published[i].Sub(end); d > late {
			t.Errorf("%s: %s in loop %d came %v after the event's end", a.Camera, a.Rule, loop, d)
		}
	}
	events := 0
	for camera, truth := range truths {
		if len(starts[camera]) != loops {
			t.Errorf("%s: %d unbroken plays, want %d", camera, len(starts[camera]), loops)
		}
		for i, l := range truth.Labels {
			if _, watched := alertActions[l.Action]; !watched {
				continue
			}
			for loop := range loops {
				events++
				if n := raised[fmt.Sprint(camera, loop, i)]; n != 1 {
					t.Errorf("%s: %s at %vs in loop %d raised %d alerts", camera, l.Action, l.Start, loop, n)
				}
			}
		}
	}
	if events != 15 {
		t.Errorf("%d events were looked for, the demo stages five a loop", events)
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

var clipID = regexp.MustCompile(`-(\d+)-(\d+)$`)

// place finds where in its file an alert's deciding clip starts.
func place(t *testing.T, a topics.Alert, starts []time.Time) (loop int, from time.Duration) {
	t.Helper()
	m := clipID.FindStringSubmatch(a.Clip)
	if m == nil {
		t.Fatalf("clip id %q", a.Clip)
	}
	epoch, _ := strconv.ParseInt(m[1], 10, 64) // digits by the pattern
	start, _ := strconv.ParseInt(m[2], 10, 64)
	loop = slices.IndexFunc(starts, func(s time.Time) bool { return s.UnixMilli() == epoch })
	if loop < 0 {
		t.Fatalf("clip id %q is of no stream epoch", a.Clip)
	}
	return loop, time.Duration(loop)*shift + time.Duration(start)*time.Millisecond
}
