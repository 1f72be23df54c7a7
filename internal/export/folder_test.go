package export

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/bus"
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
				if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
					t.Fatal(err)
				}
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

// A link that lies in an earlier set leads nowhere.
func TestLinksAreNotFollowed(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, "kept"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
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

func (i interrupted) ReadSince(ctx context.Context, topic string, partition int, since time.Time, fn func(bus.Message) error) error {
	left := len(i.memory) / 2
	return i.memory.ReadSince(ctx, topic, partition, since, func(m bus.Message) error {
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
