package infer

import (
	"testing"
	"time"
)

// A slow model gets as many clips at once as there are cores for them, a fast one as many as
// are allowed, and one whose batches were small by chance gets more again.
func TestPace(t *testing.T) {
	p := pace{most: 8, least: 2}
	if n := p.squares(); n != 2 {
		t.Errorf("the first batch has %d squares, want 2", n)
	}
	for _, c := range []struct {
		each time.Duration
		want int
	}{{3 * time.Second, 2}, {700 * time.Millisecond, 2}, {250 * time.Millisecond, 4}, {10 * time.Millisecond, 8}} {
		for range 40 { // of which the last ones count
			n := p.squares()
			p.note(time.Duration(n)*c.each, n)
		}
		if n := p.squares(); n != c.want {
			t.Errorf("a batch of squares that take %v each has %d, want %d", c.each, n, c.want)
		}
	}
	p.note(0, 8) // all were known
	if n := p.squares(); n != 8 {
		t.Errorf("%d squares after some that took nothing", n)
	}
	p.note(8*time.Second, 8)
	if n := p.squares(); n != 2 {
		t.Errorf("%d squares right after some that took a second each, want 2", n)
	}
}
