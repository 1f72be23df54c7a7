package eval

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// A video in several lists is read once, whatever it is called in each; what
// can't be read is listed with its reason and its line, and fails nothing else.
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
