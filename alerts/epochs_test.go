package alerts

import (
	"slices"
	"testing"
	"time"
)

func TestEpochs(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, 2}}
	later := t0.Add(time.Minute)
	t.Run("a window does not span two", func(t *testing.T) {
		e := newEngine(t, rule)
		a, _ := play(e, t0, 0, .1, .9)
		b, _ := play(e, later, 0, .9, .9)
		if len(a) != 0 || !slices.Equal(b, []string{"raised 0-1"}) {
			t.Errorf("got %q, then %q", a, b)
		}
	})
	t.Run("an alert does", func(t *testing.T) {
		e := newEngine(t, rule)
		play(e, t0, 0, .9, .9)
		if got, _ := play(e, later, 0, .9, .1, .1); !slices.Equal(got, []string{"cleared 2"}) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a clip sent again changes nothing", func(t *testing.T) {
		e := newEngine(t, rule)
		play(e, t0, 0, .1, .9)
		play(e, later, 0, .1)
		for range 3 {
			if got, _ := play(e, t0, 0, .9, .9); len(got) != 0 {
				t.Errorf("the epoch before: %q", got)
			}
			if got, _ := play(e, later, 0, .9); len(got) != 0 {
				t.Errorf("this epoch: %q", got)
			}
		}
	})
	t.Run("a clock set back", func(t *testing.T) {
		e := newEngine(t, rule)
		play(e, t0.Add(24*time.Hour), 0, .1)
		if got, _ := play(e, t0, 0, .9, .9); !slices.Equal(got, []string{"raised 0-1"}) {
			t.Errorf("one clip from the future mutes the camera: %q", got)
		}
	})
	t.Run("many", func(t *testing.T) {
		e := newEngine(t, rule)
		for i := range 100 {
			play(e, t0.Add(time.Duration(i)*time.Minute), 0, .1)
		}
		if n := len(e.cameras["lobby"].epochs); n > maxEpochs {
			t.Errorf("%d are remembered", n)
		}
	})
}
