package framer

import (
	"bytes"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

// While nothing happens a keyframe each two to five seconds makes clips without a gap, which
// say that they are quiet; one that shows something else does not.
func TestKeyframesMakeQuietClips(t *testing.T) {
	for _, apart := range []time.Duration{2 * time.Second, 4 * time.Second, 5 * time.Second} {
		c := &clips{}
		s, counts := testStream(t, c, nil)
		f := newFilm(t, s)
		f.run(0, 150, 0) // ten seconds of which all is decoded
		at := 10 * time.Second
		for range 8 {
			f.keyframe(at, at+apart, int(apart/tick)-1)
			at += apart
		}
		f.run(int(at/tick)+1, int(at/tick)+76, 0)
		publish(s)
		if n := counts.value(t, "frostwatch.framer.epochs"); n > 0 {
			t.Errorf("a keyframe in %v: %d epochs ended", apart, n)
		}
		if gaps := counts.seconds(t, "frostwatch.framer.gap"); gaps[breakGap] > 0 {
			t.Errorf("a keyframe in %v: gaps %v", apart, gaps)
		}
		quiet := 0
		for i, clip := range c.all {
			if int(clip.Sequence) != i {
				t.Fatalf("a keyframe in %v: clip %d has the number %d", apart, i, clip.Sequence)
			}
			within := clip.Start >= 10*time.Second && clip.Start+clip.Window <= at
			if around := clip.Start+clip.Window < 10*time.Second || clip.Start > at; clip.Quiet && around || within && !clip.Quiet {
				t.Errorf("a keyframe in %v: the clip from %v on is quiet: %v", apart, clip.Start, clip.Quiet)
			}
			if clip.Quiet {
				quiet++
			}
		}
		if quiet < 5 {
			t.Errorf("a keyframe in %v: %d quiet clips of %d", apart, quiet, len(c.all))
		}
	}
}

// Where all is decoded, a clip is quiet as well if nothing moved by any of its pictures.
func TestClipsOfStillPicturesAreQuiet(t *testing.T) {
	c := &clips{}
	s, _ := testStream(t, c, nil)
	f := newFilm(t, s)
	f.run(0, 150, 0)
	f.still = true
	f.run(150, 450, 0) // from the tenth second to the thirtieth
	f.still = false
	f.run(450, 525, 0)
	publish(s)
	quiet := 0
	for _, clip := range c.all {
		within := clip.Start >= 10*time.Second && clip.Start+clip.Window <= 30*time.Second
		if around := clip.Start < 9900*time.Millisecond || clip.Start+clip.Window > 31*time.Second; clip.Quiet && around || within && !clip.Quiet {
			t.Errorf("the clip from %v on is quiet: %v", clip.Start, clip.Quiet)
		}
		if clip.Quiet {
			quiet++
		}
	}
	if quiet < 3 {
		t.Errorf("%d quiet clips of %d", quiet, len(c.all))
	}
}

// keyframe shows a frame after which others came that were not decoded.
func (f *film) keyframe(pts, until time.Duration, skipped int) {
	f.t.Helper()
	err := f.s.Frame(f.t.Context(), &media.Frame{
		PTS: pts, Until: until, Arrived: f.start.Add(pts), Width: f.width, Height: f.height, Skipped: skipped, Kept: true,
		RGB: func(dst []byte) ([]byte, error) {
			return append(dst[:0], bytes.Repeat([]byte{1}, f.width*f.height*3)...), nil
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
}
