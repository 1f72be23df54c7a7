package framer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

// Clips are dated by when their frames were captured, whatever a camera's clock does
// and whenever its frames come. In these cases it is known when they were made.
func TestClipsAreDatedByWhenTheirFramesWereMade(t *testing.T) {
	const frames = 15 * 120
	right := func(i int) time.Duration { return time.Duration(i) * tick }
	for _, c := range []struct {
		name   string
		stream func(i int) time.Duration // time
		came   func(i int) time.Duration // of a frame that is made at i*tick
		off    time.Duration             // that captured may be behind what is true
		within time.Duration             // after which it may be behind by tardy alone
	}{
		{"as it should be", right, right, 0, 0},
		{"the last eight seconds at once", right, func(i int) time.Duration { return max(right(i), 8*time.Second) }, 0, 0},
		{"the first frames are late", right, func(i int) time.Duration { return max(right(i), 700*time.Millisecond) }, 0, 0},
		{"the first frames are later than a second", right, func(i int) time.Duration {
			return right(i) + max(3*time.Second-right(i)/4, 0)
		}, 3 * time.Second, 13 * time.Second},
		{"held up for six seconds", right, func(i int) time.Duration {
			if i > 400 && i < 490 {
				return right(490)
			}
			return right(i)
		}, 0, 0},
		{"jitter", right, func(i int) time.Duration { return right(i) + time.Duration(i*7919%200)*time.Millisecond }, 0, 0},
		{"the clock gains a hundredth", func(i int) time.Duration { return right(i) * 101 / 100 }, right, 0, 0},
		{"the clock loses a hundredth", func(i int) time.Duration { return right(i) * 99 / 100 }, right, 150 * time.Millisecond, 0},
		{"the clock loses a thirtieth", func(i int) time.Duration { return right(i) * 29 / 30 }, right, 400 * time.Millisecond, 0},
		{"the clock loses two seconds", func(i int) time.Duration { return right(i) - time.Duration(i/600)*2*time.Second }, right, 4 * time.Second, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := anchor{limit: 5 * time.Second}
			start := time.Unix(1_700_000_000, 0)
			var at []time.Duration
			a.begin(c.stream(0), start.Add(c.came(0)))
			for i := range frames {
				came := start.Add(c.came(i))
				got, apart := a.see(c.stream(i), came)
				if apart {
					t.Fatalf("a new epoch at frame %d", i)
				}
				if i > 0 && got < at[i-1] {
					t.Fatalf("frame %d runs backwards, from %v to %v", i, at[i-1], got)
				}
				at = append(at, got)
			}
			if !a.set {
				t.Fatal("the epoch's begin is not known")
			}
			for i, at := range at {
				captured, made, came := a.epoch.Add(at), start.Add(right(i)), start.Add(c.came(i))
				if captured.After(came.Add(punctual)) {
					t.Fatalf("frame %d is captured %v after it came", i, captured.Sub(came))
				}
				off := c.off
				if c.within > 0 && right(i) > c.within {
					off = 0
				}
				if d := captured.Sub(made); d < -off-tardy || d > off+tardy {
					t.Fatalf("frame %d is captured %v after it was made", i, d)
				}
			}
		})
	}
}

// Whatever comes, an epoch's clock does not run backwards, and nothing is captured
// after it came.
func TestNothingIsCapturedInTheFuture(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		a := anchor{limit: 5 * time.Second}
		pts, came, last := time.Duration(0), time.Unix(1_700_000_000, 0), time.Duration(0)
		spread, steps := r.Int64N(2000)+1, r.Int64N(2000)+1
		a.begin(pts, came)
		for range r.IntN(2000) {
			pts += time.Duration(r.Int64N(steps)) * time.Millisecond
			came = came.Add(time.Duration(r.Int64N(spread)) * time.Millisecond)
			at, apart := a.see(pts, came)
			if apart {
				a.begin(pts, came)
				at, last = 0, 0
			}
			if at < last {
				t.Fatalf("from %v to %v", last, at)
			}
			if a.set && a.epoch.Add(at).After(came.Add(punctual)) {
				t.Fatalf("captured %v after it came", a.epoch.Add(at).Sub(came))
			}
			last = at
		}
	}
}

// A camera that sends what it had stored has clips of that at once, dated by when it
// was.
func TestWhatACameraHadStoredIsDatedRight(t *testing.T) {
	out := &clips{}
	s, _ := testStream(t, out, nil)
	f := newFilm(t, s)
	for i := range 15 * 20 {
		f.frame(f.at(i), max(0, f.at(i)-8*time.Second))
	}
	s.Disconnected("over")
	publish(s)
	if got := out.sequences(); !slices.Equal(got, upTo(8)) {
		t.Errorf("clips %v", got)
	}
	for _, c := range out.all {
		for _, p := range c.Frames {
			if made := f.start.Add(p.Stream - 8*time.Second); p.Captured.Sub(made).Abs() > time.Microsecond || !p.Captured.Equal(c.Epoch.Add(p.Stream)) {
				t.Fatalf("clip %d: captured at %v, and made at %v", c.Sequence, p.Captured, made)
			}
		}
	}
	// It ends before that is known: its clips are made all the same.
	s.Connected(media.StreamInfo{})
	out.all = nil
	for i := range 15 * 6 {
		f.frame(f.at(i), 0)
	}
	s.Disconnected("over")
	publish(s)
	if got := out.sequences(); !slices.Equal(got, upTo(1)) {
		t.Errorf("clips %v", got)
	}
}
