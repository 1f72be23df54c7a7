package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// The number of cameras is doubled until clips are late, and then closed in on.
func TestCapacityClosesIn(t *testing.T) {
	for _, c := range []struct {
		serves, most, want int
		tried              []int
	}{
		{21, 256, 20, []int{4, 8, 16, 32, 24, 20, 22}},
		{300, 64, 64, []int{4, 8, 16, 32, 64}},
		{1, 64, 1, []int{4, 2, 1}},
	} {
		f, tried := capacityFigures{}, []int{}
		for next := 4; next > 0 && len(tried) < capacitySteps; next = f.next(c.most) {
			tried = append(tried, next)
			f.take(capacityStep{Cameras: next, Served: next <= c.serves})
		}
		if f.Cameras != c.want || !slices.Equal(tried, c.tried) {
			t.Errorf("of %d: found %d by %v, want %d by %v", c.serves, f.Cameras, tried, c.want, c.tried)
		}
	}
}

// A clip that never came is noticed between others, at the end, and where none came.
func TestLostClipsAreCounted(t *testing.T) {
	const stride = 2 * time.Second
	from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		ends  []int
		until int
		want  int
	}{
		"all came": {[]int{2, 4, 6, 8}, 10, 0}, "one between": {[]int{2, 4, 8, 10}, 12, 1},
		"none any more": {[]int{2, 4}, 21, 5}, "none at all": {nil, 17, 5},
	} {
		k := course{}
		for _, s := range c.ends {
			end := from.Add(time.Duration(s) * time.Second)
			k.see(topics.Recognition{End: end}, end, stride)
		}
		if got := k.end(from, from.Add(time.Duration(c.until)*time.Second), stride); got != c.want {
			t.Errorf("%s: %d lost, want %d", name, got, c.want)
		}
	}
}

// A clip in which a quiet spell begins or ends waits for a keyframe, as those within it do.
func TestLateClipsAreCounted(t *testing.T) {
	type clip struct {
		quiet bool
		took  float64 // seconds
	}
	for name, c := range map[string]struct {
		clips []clip
		want  int
	}{
		"in time":                {[]clip{{false, .1}, {false, 1.9}, {false, .1}}, 0},
		"slow while busy":        {[]clip{{false, .1}, {false, 2.1}, {false, .1}}, 1},
		"a quiet spell":          {[]clip{{false, .1}, {false, 2.5}, {true, 3.9}, {true, 6}, {false, 3.9}, {false, 2.1}, {false, .1}}, 0},
		"too slow even for that": {[]clip{{true, 7.1}, {false, 7.1}, {false, .1}}, 2},
		"slow after it":          {[]clip{{true, 1}, {false, 3}, {false, .1}, {false, 3}, {false, .1}}, 1},
	} {
		k, end := course{}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		for _, one := range c.clips {
			end = end.Add(2 * time.Second)
			k.see(topics.Recognition{End: end, Quiet: one.quiet}, end.Add(time.Duration(one.took*float64(time.Second))), 2*time.Second)
		}
		if k.late != c.want {
			t.Errorf("%s: %d late, want %d", name, k.late, c.want)
		}
	}
}
