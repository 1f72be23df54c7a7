package froster

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// embedFor spends the time given on clip runs with pauses between them, while
// texts are embedded in runs of 100 ms, and says what share of the time those
// took.
func embedFor(t *testing.T, span, clipRun, pause time.Duration) (share float64) {
	t.Helper()
	p := newPace(time.Now, 0.15)
	ctx, stop := context.WithTimeout(t.Context(), span)
	defer stop()
	if clipRun > 0 {
		go func() {
			for ctx.Err() == nil {
				ended := p.clips()
				time.Sleep(clipRun)
				ended()
				time.Sleep(pause)
			}
		}()
	}
	var spent time.Duration
	for {
		_, ended, err := p.texts(ctx)
		if err != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
		spent += 100 * time.Millisecond
		ended()
	}
	time.Sleep(clipRun + pause)
	return spent.Seconds() / span.Seconds()
}

func TestTextsTakeTheShareThatClipsLeave(t *testing.T) {
	for _, c := range []struct {
		name           string
		clipRun, pause time.Duration
		least, most    float64
	}{
		{"no clips", 0, 0, 0.99, 1.01},
		{"clips without a pause", 50 * time.Millisecond, time.Microsecond, 0.13, 0.18},
		{"clips half of the time", 50 * time.Millisecond, 50 * time.Millisecond, 0.2, 0.4},
		{"a clip now and then", 50 * time.Millisecond, 10 * time.Second, 0.9, 1.01},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := embedFor(t, time.Minute, c.clipRun, c.pause); got < c.least || got > c.most {
					t.Errorf("texts took %.2f of the time, want %.2f to %.2f", got, c.least, c.most)
				}
			})
		})
	}
}

func TestTheTextsShareIsWhatTheyCost(t *testing.T) {
	for _, c := range []struct {
		o    RuntimeOptions
		want float64
	}{
		{RuntimeOptions{Threads: 1}, 0.12},
		{RuntimeOptions{Provider: "cpu", Threads: 2}, 0.18},
		{RuntimeOptions{Threads: 32}, 1}, // one thread of 33 costs less than may be
		{RuntimeOptions{Provider: "cuda", Threads: 32}, 0.12},
	} {
		if got := textShare(c.o); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%+v: %v, want %v", c.o, got, c.want)
		}
	}
}

// However slow a run is and however busy the clips, the next label comes soon.
func TestNoLabelStarves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(time.Now, 0.15)
		defer p.clips()()
		time.Sleep(time.Hour)
		for i, most := range []time.Duration{0, maxRest} {
			begun := time.Now()
			busy, ended, err := p.texts(t.Context())
			if err != nil || !busy {
				t.Fatal(busy, err)
			}
			if waited := time.Since(begun); waited > most {
				t.Errorf("run %d began after %v, want at most %v", i, waited, most)
			}
			time.Sleep(time.Minute)
			ended()
		}
	})
}

// Models that serve side by side share the texts' share.
func TestTextRunsComeOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(time.Now, 0.15)
		_, ended, err := p.texts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		begun := make(chan error, 1)
		go func() {
			_, ended, err := p.texts(t.Context())
			if err == nil {
				ended()
			}
			begun <- err
		}()
		synctest.Wait()
		if len(begun) != 0 {
			t.Error("a second run began during the first")
		}
		ended()
		if err := <-begun; err != nil {
			t.Error(err)
		}
	})
}

func TestAPaceGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(time.Now, 0.15)
		ctx, stop := context.WithCancel(t.Context())
		stop()
		for range 20 { // both ways may be open, and one is taken by chance
			if _, _, err := p.texts(ctx); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		_, ended, err := p.texts(t.Context())
		if err != nil {
			t.Fatal("the turn was lost:", err)
		}
		defer ended()
		ctx, stop = context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if _, _, err := p.texts(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestLoadIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(time.Now, 0.15)
		ended := p.clips()
		time.Sleep(time.Hour)
		if got := p.loadNow(); math.Abs(got-1) > 1e-9 {
			t.Errorf("after an hour of clips: %v", got)
		}
		ended()
		time.Sleep(loadMemory)
		if got := p.loadNow(); math.Abs(got-math.Exp(-1)) > 1e-9 {
			t.Errorf("a little later: %v", got)
		}
		time.Sleep(10 * loadMemory)
		if got := p.loadNow(); got > quiet {
			t.Errorf("long after: %v", got)
		}
	})
}
