package eval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster"
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

// realVideos lists what lies beside the checkout, labelled at will.
func realVideos(t *testing.T) (list string) {
	t.Helper()
	var lines strings.Builder
	for i, name := range []string{"model/demo/room_fall.mp4", "model/demo/street_walk.mp4", "videos/gm_Subject_4_Fall_03.mp4", "model/demo/yard_fence.mp4", "videos/gm_Subject_2_Fall_12.mp4", "model/demo/office_sit.mp4"} {
		fmt.Fprintf(&lines, "%s %d\n", shared.Path(t, name), i)
	}
	return write(t, filepath.Join(t.TempDir(), "list.txt"), lines.String())
}

// figuresOf is what two runs of one plan have in common.
func figuresOf(t *testing.T, r *Report) string {
	t.Helper()
	same := *r
	same.Known, same.Clips, same.Seconds = 0, 0, 0
	raw, err := json.Marshal(same)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// An interrupted run goes on where it was, a torn line notwithstanding, and ends
// as one that was left alone.
func TestAnInterruptedRunGoesOn(t *testing.T) {
	m := loadDemo(t)
	classes := write(t, filepath.Join(t.TempDir(), "classes.txt"), demoClasses)
	plan := readPlan(t, "/", classes, realVideos(t))
	want := evaluate(t, testOptions(m), plan)
	if want.Clips != 18 {
		t.Fatalf("%d clips embedded, want 3 of each of 6 videos", want.Clips)
	}

	o := testOptions(m)
	o.Work, o.Batch, o.Decoders = filepath.Join(t.TempDir(), "work"), 1, 1
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(p Progress) {
		if p.Done == 2 {
			cancel()
		}
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(ctx, plan); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	file := filepath.Join(o.Work, storeFile)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(before), "\n"), "\n")
	write(t, file, string(before)+lines[len(lines)-1][:100]) // power was lost

	o.Progress = nil
	clips, texts := m.clips.Load(), m.texts.Load()
	got := evaluate(t, o, plan)
	if got.Known < 2 || got.Known > 5 || got.Clips != 18-3*got.Known || m.clips.Load()-clips != int64(got.Clips) {
		t.Errorf("%d videos known, %d clips embedded again", got.Known, m.clips.Load()-clips)
	}
	if m.texts.Load() != texts {
		t.Errorf("%d texts embedded again", m.texts.Load()-texts)
	}
	if figuresOf(t, got) != figuresOf(t, want) {
		t.Errorf("gone on with:\n%s\nin one go:\n%s", figuresOf(t, got), figuresOf(t, want))
	}
	again := evaluate(t, o, plan)
	if again.Known != 6 || again.Clips != 0 || figuresOf(t, again) != figuresOf(t, want) {
		t.Errorf("a third run: %d known, %d clips\n%s", again.Known, again.Clips, figuresOf(t, again))
	}
	o.Sampling.Views = 1
	if one := evaluate(t, o, plan); one.Known != 0 || one.Clips != 6 {
		t.Errorf("another sampling: %d known, %d clips", one.Known, one.Clips)
	}
}

// A video that was replaced is embedded again; a work file that isn't one of
// ours, or is in use, is left alone.
func TestTheWorkFolderIsNotTrustedBlindly(t *testing.T) {
	m := loadDemo(t)
	dir := t.TempDir()
	video := filepath.Join(dir, "a.mp4")
	ffmpeg(t, "-i", shared.Path(t, "model", "demo", "room_fall.mp4"), "-t", "2", "-c", "copy", video)
	list := write(t, filepath.Join(dir, "list.txt"), "a.mp4 1\n")
	plan := readPlan(t, "", write(t, filepath.Join(dir, "classes.txt"), demoClasses), list)
	o := testOptions(m)
	o.Work = filepath.Join(dir, "work")
	if first := evaluate(t, o, plan); first.Clips != 1 {
		t.Fatalf("%d clips: three equal views are one", first.Clips)
	}
	ffmpeg(t, "-i", shared.Path(t, "model", "demo", "street_walk.mp4"), "-t", "2", "-c", "copy", video)
	if second := evaluate(t, o, plan); second.Known != 0 || second.Clips != 1 {
		t.Errorf("the video that was replaced: %d known", second.Known)
	}
	held, err := openStore(o.Work, m.ID(), m.Dim())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(o.Work, m.ID(), m.Dim()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("opened twice: %v", err)
	}
	if err := held.close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(o.Work, storeFile)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ bad, want string }{
		{"hello\n", "not an embedding"},
		{`{"model":"` + m.ID() + `","video":"x","vector":"AAAA"}` + "\n", "not an embedding of 128"},
		{`{"model":"` + m.ID() + `","video":"x","vector":"` + strings.Repeat("AADAfwAAwH8AAMB/", 43)[:684] + `"}` + "\n", "embedding"},
		{strings.Repeat("x", 2<<20) + "\n", "the line has more than"},
	} {
		write(t, file, c.bad+string(good))
		if _, err := openStore(o.Work, m.ID(), m.Dim()); err == nil || !strings.Contains(err.Error(), storeFile+":1: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: %v, want line 1 and %q", c.bad, err, c.want)
		}
	}
}

// A video in several lists is read once, whatever it is called in each; what
// can't be read is told with its reason and its line, and fails nothing.
func TestSplitsShareVideosAndBrokenOnesAreListed(t *testing.T) {
	m := loadDemo(t)
	dir := t.TempDir()
	for i, name := range []string{"room_fall", "street_walk", "yard_fence"} {
		ffmpeg(t, "-ss", "8", "-i", shared.Path(t, "model", "demo", name+".mp4"), "-t", "4", "-c:v", "libx264", "-qp", "4", filepath.Join(dir, fmt.Sprintf("%d.mp4", i)))
	}
	write(t, filepath.Join(dir, "torn.mp4"), "no video")
	write(t, filepath.Join(dir, "classes.txt"), demoClasses)
	one := write(t, filepath.Join(dir, "one.csv"), "0.mp4,3\ntorn.mp4,0\n1.mp4,0\n")
	two := write(t, filepath.Join(dir, "two.csv"), "absent.mp4,3\n./2.mp4,6\n../"+filepath.Base(dir)+"/0.mp4,4\n")
	report := evaluate(t, testOptions(m), readPlan(t, "", "", one, two))
	if got := m.clips.Load(); got != 9 {
		t.Errorf("%d clips embedded, want 3 of each of 3 videos", got)
	}
	if report.Videos != 5 || len(report.Broken) != 2 {
		t.Fatalf("%d videos, broken %v", report.Videos, report.Broken)
	}
	for i, want := range []Broken{{filepath.Join(dir, "torn.mp4"), one + ":2", "not a video"}, {filepath.Join(dir, "absent.mp4"), two + ":1", "no such file"}} {
		if got := report.Broken[i]; got.Path != want.Path || got.Where != want.Where || !strings.Contains(got.Reason, want.Reason) {
			t.Errorf("broken: %+v, want %+v", got, want)
		}
	}
	g := report.Groups[0]
	if g.Splits[0].Videos != 2 || g.Splits[1].Videos != 2 || g.Splits[0].Broken != 1 || g.Splits[1].Broken != 1 {
		t.Errorf("splits %+v", g.Splits)
	}
	var out strings.Builder
	if err := report.Print(&out, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"mean", "±", "torn.mp4: what comes is not a video", "absent.mp4: no such file", "2 of 5 videos could not be read"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// failing is a model that gives up.
type failing struct{ *demoModel }

func (failing) EmbedClips(context.Context, []byte, int) (froster.ClipEmbeddings, error) {
	return froster.ClipEmbeddings{}, errors.New("out of memory")
}

func TestAModelThatFailsEndsTheRun(t *testing.T) {
	m := loadDemo(t)
	o := testOptions(m)
	o.Model = failing{m}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	classes := write(t, filepath.Join(t.TempDir(), "classes.txt"), demoClasses)
	if _, err := r.Run(t.Context(), readPlan(t, "/", classes, realVideos(t))); err == nil || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("got %v", err)
	}
	long := write(t, filepath.Join(t.TempDir(), "classes.txt"), demoClasses+strings.Repeat("a very long class ", 30)+"\n")
	if _, err := r.Run(t.Context(), readPlan(t, "/", long, realVideos(t))); err == nil || !strings.Contains(err.Error(), "a very long class") || !strings.Contains(err.Error(), "77") {
		t.Errorf("a class of too many tokens: %v", err)
	}
}

func TestABatchHasALimit(t *testing.T) {
	for _, batch := range []int{0, 1025, 1e17} {
		o := Options{Model: failing{}, Side: 112, Quality: 90, Batch: batch, Sampling: Sampling{Frames: 8, Step: TrainedStep, Views: 3, Crops: 1}}
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "1 to 1024") {
			t.Errorf("batch %d: %v", batch, err)
		}
	}
}
