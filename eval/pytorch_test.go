package eval

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// expected are answers of the model's makers, worked out by PyTorch from the
// clips' pixels without any JPEG.
type expected struct {
	Classes []string `json:"classes"`
	Windows []struct {
		Clip   string    `json:"clip"`
		Frames []int     `json:"frames"`
		Probs  []float64 `json:"probs"`
		Top1   string    `json:"top1"`
	} `json:"windows"`
}

const demoClasses = "walking\nstanding still\nsitting on a chair\nfalling down\nlying on the floor\ntwo people fighting\nclimbing over a fence\nan empty scene with nobody\n"

// staged is what a clip shows, by time.
type staged struct {
	FPS    float64 `json:"fps"`
	Labels []struct {
		Action string  `json:"action"`
		Start  float64 `json:"start_s"`
		End    float64 `json:"end_s"`
	} `json:"labels"`
}

// action is the one that fills most of the time between two frames.
func (s staged) action(first, last int) string {
	best, most := "", 0.0
	for _, l := range s.Labels {
		if shown := min(l.End, float64(last+1)/s.FPS) - max(l.Start, float64(first)/s.FPS); shown > most {
			best, most = l.Action, shown
		}
	}
	return best
}

// cutWindows cuts the demo's windows out, each a file of eight frames, without
// loss, and labels them with what was staged. right counts the windows for which
// PyTorch's answer is that, by class.
func cutWindows(t *testing.T) (list string, e expected, right, all map[string]int) {
	t.Helper()
	readJSON(t, &e, "model", "expected.json")
	truth := map[string]staged{}
	readJSON(t, &truth, "model", "demo", "labels.json")
	dir := t.TempDir()
	right, all = map[string]int{}, map[string]int{}
	var lines strings.Builder
	cuts := map[string][]string{} // ffmpeg's arguments for each clip: its windows are cut at once
	for i, w := range e.Windows {
		var frames []string
		for _, f := range w.Frames {
			frames = append(frames, fmt.Sprintf(`eq(n\,%d)`, f))
		}
		name := fmt.Sprintf("w%02d.mp4", i)
		cuts[w.Clip] = append(cuts[w.Clip], "-vf", "select="+strings.Join(frames, "+")+",setpts=N/15/TB", "-r", "15",
			"-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-pix_fmt", "yuv420p", filepath.Join(dir, name))
		action := truth[w.Clip].action(w.Frames[0], w.Frames[7])
		all[action]++
		if w.Top1 == action {
			right[action]++
		}
		fmt.Fprintf(&lines, "%s,%d\n", name, slices.Index(e.Classes, action))
	}
	for clip, args := range cuts {
		ffmpeg(t, append([]string{"-i", shared.Path(t, "model", "demo", clip)}, args...)...)
	}
	write(t, filepath.Join(dir, "classes.txt"), demoClasses)
	return write(t, filepath.Join(dir, "list.csv"), lines.String()), e, right, all
}

// The accuracy of the demo's windows is what PyTorch's answers give, and so are
// the scores, to what JPEG costs.
func TestAccuracyIsPyTorchs(t *testing.T) {
	list, e, right, all := cutWindows(t)
	m := loadDemo(t)
	report := evaluate(t, testOptions(m), readPlan(t, "", "", list))
	sum := func(of map[string]int) (n int) {
		for _, v := range of {
			n += v
		}
		return n
	}
	got := report.Groups[0].Splits[0]
	t.Logf("top-1 %s, top-5 %s, ECE %s", percent(got.Top1), percent(got.Top5), percent(got.ECE))
	if len(report.Broken) != 0 || got.Videos != len(e.Windows) {
		t.Fatalf("%d videos, broken %v", got.Videos, report.Broken)
	}
	if want := float64(sum(right)) / float64(sum(all)); math.Abs(*got.Top1-want) > 1e-9 || want < 0.5 || want > 0.99 {
		t.Errorf("top-1 %v, PyTorch's is %v", *got.Top1, want)
	}
	for i, action := range e.Classes {
		c := got.PerClass[i]
		if c.Videos != all[action] || (c.Accuracy == nil) != (all[action] == 0) {
			t.Errorf("%s: %d videos, want %d", c.Class, c.Videos, all[action])
		} else if c.Accuracy != nil && math.Abs(*c.Accuracy-float64(right[action])/float64(all[action])) > 1e-9 {
			t.Errorf("%s: %v of %d, PyTorch has %d right", c.Class, *c.Accuracy, c.Videos, right[action])
		}
	}
	sure, ours := 0.0, 0.0
	for _, w := range e.Windows {
		sure += slices.Max(w.Probs)
	}
	for _, b := range got.Bins {
		ours += b.Score * float64(b.Videos)
	}
	if n := float64(len(e.Windows)); math.Abs(sure-ours)/n > 0.005 {
		t.Errorf("mean score %.4f, PyTorch's is %.4f", ours/n, sure/n)
	}
	if clips := m.clips.Load(); clips != int64(len(e.Windows)) {
		t.Errorf("%d clips embedded for %d videos of one clip each", clips, len(e.Windows))
	}
}
