package media

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A camera whose picture has a clock rests as others do, and nothing of what happens is
// missing; what changes each second elsewhere, or in a larger part, keeps it awake.
func TestAClockInThePictureLetsACameraRest(t *testing.T) {
	const (
		digit  = "drawbox=x=262:y=170:w=8:h=12:color=white:t=fill:enable='lt(mod(t,2),1)'"
		tens   = "drawbox=x=252:y=170:w=8:h=12:color=white:t=fill:enable='lt(mod(t,20),10)'" // beside it, each ten seconds
		middle = "drawbox=x=200:y=90:w=8:h=12:color=white:t=fill:enable='lt(mod(t,2),1)'"
		large  = "drawbox=x=60:y=160:w=120:h=30:color=white:t=fill:enable='lt(mod(t,2),1)'"
	)
	for name, c := range map[string]struct {
		changes string
		least   int // frames that are skipped; 0: it never rests
	}{
		"clock": {digit, 60}, "its tens": {digit + "," + tens, 20}, "in the middle": {middle, 0}, "a large part": {large, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "clock.mp4")
			picture := "smptebars=size=320x192:rate=15:duration=44," + c.changes + "[b];color=white:size=24x60:rate=15:duration=44[v];" +
				"[b][v]overlay=x='40+80*(t-40)':y=60:enable='gte(t,39.99)*lt(t,41.99)',format=yuv420p"
			ffmpeg(t, append([]string{"-f", "lavfi", "-i", picture}, append(strings.Fields("-c:v libx264 -preset ultrafast -g 30 -keyint_min 30 -sc_threshold 0 -bf 0"), path)...)...)
			all, _ := shownBy(t, path, false)
			some, skipped := shownBy(t, path, true)
			if len(some)+skipped != len(all) || skipped < c.least || c.least == 0 && skipped > 0 {
				t.Errorf("%d frames of %d, %d were skipped, want %d or more, and none for 0", len(some), len(all), skipped, c.least)
			}
			for pts, f := range all {
				if got := some[pts]; pts >= 40*time.Second && pts < 42*time.Second && got != f {
					t.Errorf("the frame at %v, when somebody comes, is another one or missing", pts)
				}
			}
		})
	}
}

// Somebody who moves at the edge of the picture for long is no clock, and beside a clock they
// are seen.
func TestSomebodyAtTheEdgeIsNoClock(t *testing.T) {
	const clock = ",drawbox=x=296:y=174:w=6:h=10:color=white:t=fill:enable='lt(mod(t,2),1)'"
	for name, c := range map[string]struct {
		film     string
		from, to time.Duration
	}{
		"head and hands": {"[b];color=white:size=24x60:rate=15:duration=40[v];color=white:size=14x20:rate=15:duration=40[h];" +
			"[b][v]overlay=x='80*(t-12)':y=60:enable='gte(t,12)*lt(t,14)'[c];[c][h]overlay=x='150+6*sin(6*t)':y=172:enable='gte(t,14)',format=yuv420p", 14 * time.Second, 40 * time.Second},
		"beside a clock": {clock + "[b];color=gray:size=24x12:rate=15:duration=40[v];[b][v]overlay=x='256+3*(t-26)':y=178:enable='gte(t,26)*lt(t,38)',format=yuv420p", 26 * time.Second, 38 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "edge.mp4")
			ffmpeg(t, append([]string{"-f", "lavfi", "-i", "smptebars=size=320x192:rate=15:duration=40" + c.film}, append(strings.Fields("-c:v libx264 -preset ultrafast -g 30 -keyint_min 30 -sc_threshold 0 -bf 0"), path)...)...)
			all, _ := shownBy(t, path, false)
			some, _ := shownBy(t, path, true)
			lacking := 0
			for pts := range all {
				if _, shown := some[pts]; !shown && pts >= c.from && pts < c.to {
					lacking++
				}
			}
			if lacking > 0 {
				t.Errorf("%d frames of somebody were not decoded", lacking)
			}
		})
	}
}

// A clock is known for as long as it changes, and only near the edge.
func TestBlocksThatTick(t *testing.T) {
	const columns, rows = 64, 36
	var k ticking
	look := func(at time.Duration, moving ...int) []float64 {
		blocks := make([]float64, columns*rows)
		for _, b := range moving {
			blocks[b] = 1
		}
		k.learn(blocks, columns, at)
		return blocks
	}
	clock, middle := 34*columns+50, 18*columns+30
	at := time.Duration(0)
	for range 14 {
		at += time.Second
		look(at, clock, clock-64)
	}
	blocks := func(all ...int) []float64 {
		out := make([]float64, columns*rows)
		for _, b := range all {
			out[b] = 1
		}
		return out
	}
	for name, c := range map[string]struct {
		moving []float64
		want   bool
	}{
		"the clock": {blocks(clock), false}, "its tens": {blocks(clock - 2), false}, "its minutes": {blocks(clock - 6), true}, "another row": {blocks(clock - 3*columns), true},
		"the middle": {blocks(middle), true}, "the other side": {blocks(34*columns + 5), true},
	} {
		if k.any(c.moving) != c.want {
			t.Errorf("%s: taken for something that moves: %v, want %v", name, !c.want, c.want)
		}
	}
	// A rest of a minute, in which nothing is learned, is no pause of the clock.
	if at += time.Minute; k.any(look(at, clock)) {
		t.Error("after a rest the clock is no clock any more")
	}
	for range 7 {
		at += time.Second
		look(at)
	}
	if !k.any(blocks(clock)) {
		t.Error("what stands still stays a clock")
	}
}
