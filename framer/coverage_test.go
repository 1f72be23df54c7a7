package framer

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// The seconds that are counted as without a clip are those of a film whose
// frames' numbers are in no clip's window: before a camera connects, while it is
// away, where its video leaps, where clips are lost, and at its end.
func TestGapSecondsAreThoseOfTheFilm(t *testing.T) {
	const frames = 60 * FilmRate
	out := &clips{}
	at := time.Duration(0) // in the film
	start := time.Unix(1_700_000_000, 0)
	s, counts := testStream(t, out, func(o *Options) {
		o.Stride, o.Now = topics.Stride{Steps: 4}, func() time.Time { return start.Add(at) }
	})
	sent := 0
	s.sender = func(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
		if sent++; sent >= 12 && sent < 15 {
			return nil, errors.New("not this one")
		}
		return out.send(ctx, msgs...)
	}
	f, err := media.OpenFile(t.Context(), NumberedFilm(t, frames), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var zero time.Duration // the connection's first frame
	for i := range frames {
		frame, err := f.Next()
		if err != nil {
			t.Fatal(err)
		}
		at = frame.PTS
		switch i {
		case 1 * FilmRate, 20 * FilmRate: // the camera answers
			s.Connected(media.StreamInfo{})
			zero = at
		case 15 * FilmRate: // and is away for five seconds
			s.Disconnected("it does not answer")
		}
		away := i < 1*FilmRate || i >= 15*FilmRate && i < 20*FilmRate
		leap := i >= 45*FilmRate && i < 49*FilmRate // its video has a hole
		if away || leap {
			continue
		}
		shown := media.Frame{PTS: at - zero, Until: frame.Until - zero, Arrived: start.Add(at), Width: frame.Width, Height: frame.Height, RGB: frame.RGB}
		if err := s.Frame(t.Context(), &shown); err != nil {
			t.Fatal(err)
		}
	}
	s.Disconnected(media.ErrStopped.Error())
	publish(s)

	covered := 0.
	for _, in := range Covered(t, out.all, frames) {
		if in {
			covered += 1. / FilmTicks / FilmRate
		}
	}
	if covered < 30 || covered > 45 {
		t.Fatalf("%.2f seconds of the film are in clips", covered)
	}
	gaps := counts.seconds(t, "frostwatch.framer.gap")
	sum := 0.
	for _, d := range gaps {
		sum += d
	}
	// At each of the ten edges the first frame's number says when its window
	// began, to within a frame.
	if d := float64(frames)/FilmRate - covered - sum; d > 10./FilmRate || d < -10./FilmRate {
		t.Errorf("%.2f s of the film are in no clip, and %.2f are counted: %v", float64(frames)/FilmRate-covered, sum, gaps)
	}
	// Each cut-off window adds less than a stride and the window's last frame.
	for reason, least := range map[string]float64{gapNotConnected: 1 + 5, breakGap: 4, gapRefused: 2*2.419 + 0.572, gapStopped: 0.1} {
		if got := gaps[reason]; got < least-0.2 || got > least+2.6 {
			t.Errorf("%s: %.2f s, want %.2f and what it cuts off", reason, got, least)
		}
	}
	if len(gaps) != 4 {
		t.Errorf("reasons %v", gaps)
	}
}

// Whatever is lost in whatever order, what is counted is what the published
// windows leave uncovered.
func TestCoverageIsWhatNoWindowCovers(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		window := time.Duration(100+r.IntN(400)) * time.Millisecond
		stride := time.Duration(50+r.IntN(500)) * time.Millisecond
		start := time.Unix(1_700_000_000, 0)
		counted := time.Duration(0)
		c := newCoverage(window, start, func(_ string, d time.Duration) { counted += d })
		covered := make([]bool, 40_000) // milliseconds
		type pending struct {
			s *span
			n uint64
		}
		var waiting []pending
		settle := func(all bool) {
			for len(waiting) > 0 && (all || r.IntN(3) > 0) {
				if i := r.IntN(len(waiting)); r.IntN(3) == 0 {
					c.lost(waiting[i].s, waiting[i].n, "lost")
					waiting = append(waiting[:i], waiting[i+1:]...)
					continue
				}
				w := waiting[0]
				waiting = waiting[1:]
				c.published(w.s, w.n)
				from := w.s.opens(w.n).Sub(start)
				for ms := from.Milliseconds(); ms < (from + window).Milliseconds(); ms++ {
					covered[ms] = true
				}
			}
		}
		at := time.Duration(0)
		for range 1 + r.IntN(4) {
			at += time.Duration(r.IntN(2000)) * time.Millisecond // away
			c.pass(start.Add(at / 2))
			s := c.begin(start.Add(at), func(n uint64) time.Duration { return time.Duration(n) * stride })
			length := time.Duration(r.IntN(6000)) * time.Millisecond
			for n := uint64(0); time.Duration(n)*stride+window <= length; n++ {
				c.complete(s)
				waiting = append(waiting, pending{s, n})
				settle(false)
			}
			at += length
			c.end(start.Add(at), "ended")
			settle(false)
		}
		settle(true)
		c.pass(start.Add(at))
		want := time.Duration(0)
		for ms := range int(at.Milliseconds()) {
			if !covered[ms] {
				want += time.Millisecond
			}
		}
		if (counted - want).Abs() > 0 {
			t.Fatalf("seed %d: windows of %v every %v: counted %v, want %v", seed, window, stride, counted, want)
		}
	}
}
