package eval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// realVideos is a list of videos beside the checkout, with arbitrary labels.
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
