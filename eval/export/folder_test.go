package export

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

func TestOnlyAnEarlierSetIsReplaced(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	set := func(t *testing.T, dir string, replace bool, from time.Time) error {
		o := options(memory(recording(t, "clips", "lobby", t0, t0.Add(time.Minute))), "clips", dir, from)
		o.Replace = replace
		_, err := Clips(t.Context(), o)
		return err
	}
	t.Run("an earlier set", func(t *testing.T) {
		dir := t.TempDir()
		for _, c := range []struct {
			replace bool
			from    time.Time
			want    string
			clips   int
		}{
			{false, t0, "", 30},
			{false, t0.Add(50 * time.Second), "--force replaces it", 30},
			{true, t0.Add(2 * time.Minute), "no clip is left to train on", 30},
			{true, t0.Add(50 * time.Second), "", 5},
		} {
			err := set(t, dir, c.replace, c.from)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if got := len(listedClips(t, dir, trainFile)); got != c.clips {
				t.Errorf("%d clips, want %d", got, c.clips)
			}
		}
	})
	for name, files := range map[string][]string{
		"files of others": {"set.json", "holiday.avi"}, "no export's files": {"clips", "train.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range files {
				put(t, filepath.Join(dir, f))
			}
			if err := set(t, dir, true, t0); err == nil || !strings.Contains(err.Error(), "is not empty") {
				t.Errorf("got %v", err)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != len(files) {
				t.Errorf("%v, %v", entries, err)
			}
		})
	}
}

// Whatever a person has put among the clips stays, and an export that can't
// replace them says so and leaves the earlier set.
func TestFilesAmongTheClipsStay(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	o := options(memory(recording(t, "clips", "lobby", t0, t0.Add(time.Minute))), "clips", t.TempDir(), t0)
	o.Val, o.Replace = 0.3, true
	if _, err := Clips(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	notes := filepath.Join(o.Out, clipsFolder, "lobby", "notes.txt")
	o.Recorded = during{o.Recorded, func() { put(t, notes) }}
	for _, when := range []string{"while it runs", "before"} {
		if _, err := Clips(t.Context(), o); err == nil || !strings.Contains(err.Error(), notes+" is not part of the earlier set") {
			t.Errorf("a file put there %s: %v", when, err)
		}
		if _, err := os.Stat(notes); err != nil {
			t.Error(err)
		}
		if len(listedClips(t, o.Out, trainFile)) == 0 || len(listedClips(t, o.Out, valFile)) == 0 {
			t.Error("the earlier set is gone")
		}
	}
	if err := os.Remove(notes); err != nil {
		t.Fatal(err)
	}
	o.Recorded = o.Recorded.(during).Recorded
	if _, err := Clips(t.Context(), o); err != nil {
		t.Errorf("without it: %v", err)
	}
}

// An export that was cut off while its files moved can be replaced.
func TestAHalfMovedSetIsReplaced(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	o := options(memory(recording(t, "clips", "lobby", t0, t0.Add(time.Minute))), "clips", t.TempDir(), t0)
	if _, err := Clips(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(o.Out, partFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{trainFile, classesFile, setFile} {
		if err := os.Rename(filepath.Join(o.Out, name), filepath.Join(o.Out, partFolder, name)); err != nil {
			t.Fatal(err)
		}
	}
	o.Replace = true
	if _, err := Clips(t.Context(), o); err != nil {
		t.Error(err)
	}
	if got := len(listedClips(t, o.Out, trainFile)); got != 30 {
		t.Errorf("%d clips, want 30", got)
	}
}

// during is a past that something happens beside when it is read.
type during struct {
	Recorded
	do func()
}

func (d during) Clips(ctx context.Context, g archive.Range, fn func(archive.Record[topics.Clip]) error) (archive.Counts, error) {
	d.do()
	return d.Recorded.Clips(ctx, g, fn)
}

func put(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTwoExportsDoNotShareAFolder(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	o := options(memory(recording(t, "clips", "lobby", t0, t0.Add(time.Minute))), "clips", filepath.Join(t.TempDir(), "set"), t0)
	o.Replace = true
	second := o
	o.Recorded = during{o.Recorded, func() {
		if _, err := Clips(t.Context(), second); err == nil || !strings.Contains(err.Error(), "another export is writing in "+o.Out) {
			t.Errorf("the second: %v", err)
		}
	}}
	if _, err := Clips(t.Context(), o); err != nil {
		t.Errorf("the first: %v", err)
	}
	if got := len(listedClips(t, o.Out, trainFile)); got != 30 {
		t.Errorf("%d clips, want 30", got)
	}
	if _, err := Clips(t.Context(), second); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// A link that lies in an earlier set leads nowhere.
func TestLinksAreNotFollowed(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	put(t, filepath.Join(elsewhere, "kept"))
	for _, name := range []string{clipsFolder, partFolder} {
		if err := os.Symlink(elsewhere, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	o := options(memory(recording(t, "clips", "lobby", t0, t0.Add(time.Minute))), "clips", dir, t0)
	o.Replace = true
	if _, err := Clips(t.Context(), o); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestAnInterruptedExportLeavesNothing(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	records := recording(t, "clips", "lobby", t0, t0.Add(time.Minute))
	ctx, cancel := context.WithCancel(t.Context())
	o := options(interrupted{records, cancel}, "clips", filepath.Join(t.TempDir(), "set"), t0)
	if _, err := Clips(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(o.Out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

// interrupted is a topic in the middle of which Ctrl-C is pressed.
type interrupted struct {
	memory
	cancel context.CancelFunc
}

func (i interrupted) Replay(ctx context.Context, topic string, partition int, from, to int64, fn func(bus.Message) error) error {
	left := len(i.memory) / 2
	return i.memory.Replay(ctx, topic, partition, from, to, func(m bus.Message) error {
		if left--; left == 0 {
			i.cancel()
		}
		return fn(m)
	})
}

func TestTooManyClipsAreAnError(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	o := options(memory(recording(t, "clips", "lobby", t0, t0.Add(time.Minute))), "clips", t.TempDir(), t0)
	o.MaxClips = 29
	if _, err := Clips(t.Context(), o); err == nil || !strings.Contains(err.Error(), "more than 29 clips: narrow") {
		t.Errorf("got %v", err)
	}
}
