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
		digit   = "drawbox=x=262:y=170:w=8:h=12:color=white:t=fill:enable='lt(mod(t,2),1)'"
		minutes = "drawbox=x=240:y=170:w=8:h=12:color=white:t=fill:enable='lt(mod(t,30),22)'" // beside it, once
		middle  = "drawbox=x=200:y=90:w=8:h=12:color=white:t=fill:enable='lt(mod(t,2),1)'"
		large   = "drawbox=x=60:y=160:w=120:h=30:color=white:t=fill:enable='lt(mod(t,2),1)'"
	)
	for name, c := range map[string]struct {
		changes string
		rests   bool
	}{
		"clock": {digit, true}, "its minutes": {digit + "," + minutes, true}, "in the middle": {middle, false}, "a large part": {large, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "clock.mp4")
			picture := "smptebars=size=320x192:rate=15:duration=32," + c.changes + "[b];color=white:size=24x60:rate=15:duration=32[v];" +
				"[b][v]overlay=x='40+80*(t-28)':y=60:enable='gte(t,27.99)*lt(t,29.99)',format=yuv420p"
			ffmpeg(t, append([]string{"-f", "lavfi", "-i", picture}, append(strings.Fields("-c:v libx264 -preset ultrafast -g 30 -keyint_min 30 -sc_threshold 0 -bf 0"), path)...)...)
			all, _ := shownBy(t, path, false)
			some, skipped := shownBy(t, path, true)
			if len(some)+skipped != len(all) || (skipped > 60) != c.rests || !c.rests && skipped > 0 {
				t.Errorf("%d frames of %d, %d were skipped; it rests: %v", len(some), len(all), skipped, c.rests)
			}
			for pts, f := range all {
				if got := some[pts]; pts >= 28*time.Second && pts < 30*time.Second && got != f {
					t.Errorf("the frame at %v, when somebody comes, is another one or missing", pts)
				}
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
	for range 12 {
		at += time.Second
		look(at, clock, middle)
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
		"the clock": {blocks(clock), false}, "its minutes": {blocks(clock - 6), false}, "another row": {blocks(clock - 3*columns), true},
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
	for range 4 {
		at += time.Second
		look(at)
	}
	if !k.any(blocks(clock)) {
		t.Error("what stands still stays a clock")
	}
}
