package export

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Clips of labels in turn, with background between, on several cameras: whatever
// the draw, no frame is on both sides.
func TestSidesShareNoFrame(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var lines []string
		var records memory
		for camera := range 2 {
			name := fmt.Sprintf("cam-%d", camera)
			for at := t0; at.Before(t0.Add(10 * time.Minute)); {
				end := at.Add(time.Duration(3+rng.IntN(30)) * time.Second)
				lines = append(lines, line(name, at, end, fmt.Sprintf("label %d", rng.IntN(3))))
				at = end.Add(time.Duration(rng.IntN(40)) * time.Second)
			}
			records = append(records, recording(t, "clips", name, t0, t0.Add(10*time.Minute))...)
		}
		o := options(records, "clips", filepath.Join(t.TempDir(), "set"), t0)
		o.Intervals, o.Labels, o.Background, o.Val, o.MaxClips = intervals(t, lines...), nil, "nothing", 0.2, 10_000
		set, err := Clips(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		train, val := listedClips(t, o.Out, trainFile), listedClips(t, o.Out, valFile)
		if share := float64(set.Val) / float64(set.Train+set.Val); share < 0.1 || share > 0.3 || set.Val != len(val) || set.Train != len(train) {
			t.Errorf("%d to train and %d to validate, want about a fifth", set.Train, set.Val)
		}
		for clip := range val {
			for other := range train {
				if filepath.Dir(clip) == filepath.Dir(other) && startOf(t, clip).Sub(startOf(t, other)).Abs() < window {
					t.Errorf("%s and %s share frames", clip, other)
				}
			}
		}
		o.Out = filepath.Join(t.TempDir(), "again")
		if _, err := Clips(t.Context(), o); err != nil || !maps.Equal(val, listedClips(t, o.Out, valFile)) {
			t.Errorf("another split the second time: %v", err)
		}
	}
}

func startOf(t testing.TB, clip string) time.Time {
	t.Helper()
	name := filepath.Base(clip)
	at, err := time.Parse("-20060102T150405.000Z.avi", name[strings.LastIndex(name, "-"):])
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestShareOfALabel(t *testing.T) {
	for _, c := range []struct {
		name  string
		sizes []int
		share float64
		want  int // groups to validate
	}{
		{"one interval trains", []int{9}, 0.5, 0},
		{"two give one", []int{9, 3}, 0.1, 1},
		{"many", []int{5, 5, 5, 5, 5, 5, 5, 5, 5, 5}, 0.3, 3},
		{"half of two", []int{5, 5}, 0.5, 1},
		{"none", []int{5, 5}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			groups := map[stretch]*group{}
			for i, n := range c.sizes {
				s := stretch{"lobby", "falling", time.Unix(int64(i), 0)}
				groups[s] = &group{stretch: s, clips: n}
			}
			split(groups, c.share)
			got := 0
			for _, g := range groups {
				if g.val {
					got++
				}
			}
			if got != c.want {
				t.Errorf("%d groups to validate, want %d", got, c.want)
			}
		})
	}
}

// However long an export without intervals is, about the share asked for is for
// validation, in stretches that do not lose much where sides meet.
func TestShortExportsMeetTheirShare(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 3, 10, 0, time.UTC)
	for _, lasting := range []time.Duration{2 * time.Minute, 320 * time.Second, 12 * time.Minute, 31 * time.Minute, 2 * time.Hour} {
		var clips []*kept
		for at := t0; at.Before(t0.Add(lasting)); at = at.Add(window / 2) {
			clips = append(clips, &kept{start: at, end: at.Add(window), of: stretch{camera: "lobby", label: "nothing"}})
		}
		split(grouped(clips, "nothing"), 0.1)
		drop(clips)
		val, dropped := 0, 0
		for _, k := range clips {
			if k.dropped {
				dropped++
			} else if k.group.val {
				val++
			}
		}
		left := len(clips) - dropped
		if share := float64(val) / float64(left); share < 0.06 || share > 0.15 || dropped*14 > len(clips) {
			t.Errorf("%v: %d of %d clips to validate, %d dropped", lasting, val, left, dropped)
		}
	}
}

func TestBackgroundGivesWay(t *testing.T) {
	clip := func(start int, g *group) *kept {
		return &kept{start: time.Unix(int64(start), 0), end: time.Unix(int64(start+4), 0), group: g}
	}
	of := func(label string, background, val bool) *group {
		return &group{stretch: stretch{camera: "lobby", label: label}, background: background, val: val}
	}
	rare, nothing, other := of("falling", false, false), of("nothing", true, true), of("walking", false, true)
	a, b, c, d, e := clip(0, nothing), clip(2, rare), clip(4, nothing), clip(6, rare), clip(8, other)
	drop([]*kept{e, d, c, b, a})
	if !a.dropped || b.dropped || !c.dropped || !d.dropped || e.dropped {
		t.Errorf("dropped: %v %v %v %v %v", a.dropped, b.dropped, c.dropped, d.dropped, e.dropped)
	}
}
