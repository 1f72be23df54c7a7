package framer

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

const (
	trainedWindow = 128 * time.Second / 30
	halfWindow    = 64 * time.Second / 30
)

// sample runs frames at the given times through a sampler and returns the frame
// numbers of each complete window, by window number.
func sample(s *sampler, times []time.Duration) map[uint64][]int {
	got := map[uint64][]int{}
	for i, at := range times {
		until := at + 100*time.Millisecond
		if i+1 < len(times) {
			until = times[i+1]
		} else if i > 0 {
			until = at + at - times[i-1]
		}
		complete, _ := s.see(until, func(w *window) error {
			got[w.number] = append(got[w.number], i)
			w.frames = append(w.frames, topics.ClipFrame{})
			return nil
		})
		_ = complete
	}
	for n, frames := range got {
		if len(frames) < topics.ClipFrames {
			delete(got, n)
		}
	}
	return got
}

func at(fps float64, seconds int) []time.Duration {
	var out []time.Duration
	for i := range int(fps*float64(seconds) + 0.5) {
		out = append(out, time.Duration(float64(i)/fps*1e9+0.5))
	}
	return out
}

// At 30 frames a second the frames are those of FROSTER's own sampling,
// linspace(0, 127, 8) floored; at other rates those on display at its times.
func TestFramesAreThoseOnDisplay(t *testing.T) {
	for _, c := range []struct {
		name  string
		times []time.Duration
		want  []int
	}{
		{"30 fps", at(30, 6), []int{0, 18, 36, 54, 72, 90, 108, 127}},
		{"15 fps", at(15, 6), []int{0, 9, 18, 27, 36, 45, 54, 63}},
		{"10 fps", at(10, 6), []int{0, 6, 12, 18, 24, 30, 36, 42}},
		{"25 fps", at(25, 6), []int{0, 15, 30, 45, 60, 75, 90, 105}},
		{"60 fps", at(60, 6), []int{0, 36, 72, 108, 145, 181, 217, 254}},
		{"29.97 fps", at(30000./1001, 6), []int{0, 18, 36, 54, 72, 90, 108, 126}},
		{"2 fps", at(2, 6), []int{0, 1, 2, 3, 4, 6, 7, 8}},
		{"30 fps, rounded up to ms", rounded(at(30, 6), time.Millisecond), []int{0, 18, 36, 54, 72, 90, 108, 127}},
		{"uneven", []time.Duration{0, 500e6, 610e6, 1200e6, 1215e6, 1800e6, 2300e6, 2500e6, 3100e6, 3627e6, 4100e6, 4235e6, 4300e6},
			[]int{0, 1, 3, 5, 6, 7, 9, 11}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := sample(newSampler(trainedWindow, topics.Stride{Time: halfWindow}), c.times)[0]; !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func rounded(times []time.Duration, to time.Duration) []time.Duration {
	for i := range times {
		times[i] = (times[i] + to - 1).Truncate(to)
	}
	return times
}

// As configured in milliseconds, windows still begin on frames after an hour.
func TestWindowsStayOnFrames(t *testing.T) {
	got := sample(newSampler(4267*time.Millisecond, topics.Stride{Time: 2133 * time.Millisecond}), at(15, 3600))
	if len(got) < 1685 {
		t.Fatalf("%d windows in an hour", len(got))
	}
	for n, frames := range got {
		if frames[0] != int(n)*32 || frames[7] != int(n)*32+63 {
			t.Fatalf("window %d has frames %v", n, frames)
		}
	}
}

func TestWindowsAreAsConfigured(t *testing.T) {
	got := sample(newSampler(2*time.Second, topics.Stride{Time: time.Second}), at(30, 5))
	want := map[uint64][]int{
		0: {0, 8, 17, 25, 34, 42, 51, 59}, 1: {30, 38, 47, 55, 64, 72, 81, 89},
		2: {60, 68, 77, 85, 94, 102, 111, 119}, 3: {90, 98, 107, 115, 124, 132, 141, 149},
	}
	if len(got) != len(want) {
		t.Errorf("%d windows, want %d", len(got), len(want))
	}
	for n, w := range want {
		if !slices.Equal(got[n], w) {
			t.Errorf("window %d: %v, want %v", n, got[n], w)
		}
	}
}

// uneven are times of frames at random distances of at most 0.4 s.
func uneven(seconds int) []time.Duration {
	r := rand.New(rand.NewPCG(1, 2))
	var out []time.Duration
	for at := time.Duration(0); at < time.Duration(seconds)*time.Second; at += time.Duration(r.Int64N(int64(400 * time.Millisecond))) {
		out = append(out, at)
	}
	return out
}

// With a stride of four steps, adjacent windows have exactly four of their eight
// frames in common, whatever the camera's rate and the window's length.
func TestWindowsShareFourFrames(t *testing.T) {
	films := map[string][]time.Duration{"uneven": uneven(120)}
	for fps := 5; fps <= 60; fps++ {
		films[fmt.Sprintf("%d fps", fps)] = at(float64(fps), 60)
		films[fmt.Sprintf("%d fps in ms", fps)] = rounded(at(float64(fps), 60), time.Millisecond)
	}
	films["29.97 fps"] = at(30000./1001, 60)
	for name, times := range films {
		for _, length := range []time.Duration{4267 * time.Millisecond, 8 * time.Second, 3333 * time.Millisecond} {
			got := sample(newSampler(length, topics.Stride{Steps: 4}), times)
			if len(got) < 12 {
				t.Fatalf("%s, windows of %v: only %d", name, length, len(got))
			}
			for n := range uint64(len(got) - 1) {
				if !slices.Equal(got[n][4:], got[n+1][:4]) {
					t.Fatalf("%s, windows of %v: %v and then %v", name, length, got[n], got[n+1])
				}
			}
		}
	}
}

// Weeks into an epoch the targets are still exact, compared with ones worked out
// here in fractions, and equal grid points of two windows are the same nanosecond.
func TestTargetsDoNotDrift(t *testing.T) {
	for _, c := range []struct {
		name   string
		stride topics.Stride
		start  *big.Rat // between window starts, seconds
	}{
		{"4 steps", topics.Stride{Steps: 4}, big.NewRat(4*128*127, 30*128*7)},
		{"64/30 s", topics.Stride{Time: 2133 * time.Millisecond}, big.NewRat(64, 30)},
		{"1.7 s", topics.Stride{Time: 1700 * time.Millisecond}, big.NewRat(17, 10)},
	} {
		s := newSampler(4267*time.Millisecond, c.stride)
		for _, n := range []uint64{0, 1, 2, 3, 7, 40_503, 1_000_003, 107_142_861} {
			for k := range topics.ClipFrames {
				exact := new(big.Rat).Mul(c.start, new(big.Rat).SetUint64(n))
				exact.Add(exact, big.NewRat(int64(k)*128*127, 30*128*7))
				exact.Mul(exact, big.NewRat(1e9, 1))
				got := s.at(n, k)
				off := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(got)), exact)
				if off.Abs(off).Cmp(big.NewRat(1, 1)) > 0 { // start and step are rounded, half a nanosecond each
					t.Errorf("%s: target %d of window %d is at %v, want %s ns", c.name, k, n, got, exact.FloatString(2))
				}
				if c.stride.Steps == 4 && k >= 4 && got != s.at(n+1, k-4) {
					t.Errorf("target %d of window %d is at %v, target %d of the next at %v", k, n, got, k-4, s.at(n+1, k-4))
				}
			}
		}
	}
}
