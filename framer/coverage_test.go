package framer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	filmRate = 15
	filmBits = 10 // blocks of 8 pixels, the lowest bit first
)

// numberedFilm draws each frame's number into it.
func numberedFilm(t *testing.T, frames int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "numbers.mp4")
	source := fmt.Sprintf("color=black:size=%dx32:rate=%d,geq=lum='if(mod(floor(N/pow(2,floor(X/8))),2),220,30)':cb=128:cr=128", 8*filmBits, filmRate)
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", fmt.Sprint(frames), "-c:v", "libx264", "-qp", "4", path).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return path
}

// numberOf reads a frame's number.
func numberOf(t *testing.T, d *jpeg.Decoder, f topics.ClipFrame) int {
	t.Helper()
	w, h, err := d.Size(f.JPEG)
	if err != nil {
		t.Fatal(err)
	}
	rgb := make([]byte, 3*w*h)
	if err := d.Decode(f.JPEG, rgb, w, h); err != nil {
		t.Fatal(err)
	}
	n := 0
	for bit := range filmBits {
		if rgb[3*(h/2*w+bit*8+4)] > 125 {
			n |= 1 << bit
		}
	}
	return n
}

// The seconds that are counted as without a clip are those of a film whose
// frames' numbers are in no clip's window: before a camera connects, while it is
// away, where its video leaps, where clips are lost, and at its end.
func TestGapSecondsAreThoseOfTheFilm(t *testing.T) {
	const frames = 60 * filmRate
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
	f, err := media.OpenFile(t.Context(), numberedFilm(t, frames), 1)
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
		case 1 * filmRate, 20 * filmRate: // the camera answers
			s.Connected(media.StreamInfo{})
			zero = at
		case 15 * filmRate: // and is away for five seconds
			s.Disconnected("it does not answer")
		}
		away := i < 1*filmRate || i >= 15*filmRate && i < 20*filmRate
		leap := i >= 47*filmRate && i < 49*filmRate // its video has a hole
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

	covered := covered(t, out.all, frames)
	if covered < 30 || covered > 45 {
		t.Fatalf("%.2f seconds of the film are in clips", covered)
	}
	gaps := counts.seconds(t, "frostwatch.framer.gap_seconds")
	sum := 0.
	for _, d := range gaps {
		sum += d
	}
	// At each of the ten edges the first frame's number says when its window
	// began, to within a frame.
	if d := float64(frames)/filmRate - covered - sum; d > 10./filmRate || d < -10./filmRate {
		t.Errorf("%.2f s of the film are in no clip, and %.2f are counted: %v", float64(frames)/filmRate-covered, sum, gaps)
	}
	// Each cut-off window adds less than a stride and the window's last frame.
	for reason, least := range map[string]float64{gapNotConnected: 1 + 5, breakGap: 2, gapRefused: 2*2.419 + 0.572, gapStopped: 0.1} {
		if got := gaps[reason]; got < least-0.2 || got > least+2.6 {
			t.Errorf("%s: %.2f s, want %.2f and what it cuts off", reason, got, least)
		}
	}
	if len(gaps) != 4 {
		t.Errorf("reasons %v", gaps)
	}
}

// covered is how many seconds of the film lie in clips' windows, by the numbers
// in their first frames.
func covered(t *testing.T, all []topics.Clip, frames int) float64 {
	t.Helper()
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	in := make([]bool, 10*frames) // tenths of a frame
	for _, c := range all {
		from := 10 * numberOf(t, d, c.Frames[0])
		for i := from; i < len(in) && float64(i-from)/10/filmRate < c.Window.Seconds(); i++ {
			in[i] = true
		}
	}
	n := 0
	for _, yes := range in {
		if yes {
			n++
		}
	}
	return float64(n) / 10 / filmRate
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
