package eval

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// recordedSampling is what the official decoder picked.
type recordedSampling struct {
	Frames int64           `json:"frames"`
	FPS    json.RawMessage `json:"fps"` // a number, or "30000/1001"
	Decode string          `json:"decode"`
	Views  [][]int64       `json:"views"`
}

// rate is the frame rate, and a time base's ticks for each frame and second.
func (r recordedSampling) rate(t *testing.T) (fps float64, perFrame, perSecond int64) {
	t.Helper()
	text := strings.Trim(string(r.FPS), `"`)
	num, den, ok := strings.Cut(text, "/")
	if !ok {
		fps, err := strconv.ParseFloat(num, 64)
		if err != nil {
			t.Fatal(err)
		}
		return fps, 512, int64(fps * 512)
	}
	n, err1 := strconv.ParseInt(num, 10, 64)
	d, err2 := strconv.ParseInt(den, 10, 64)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return float64(n) / float64(d), d, n
}

func TestFramesAreThoseOfTheOfficialDecoder(t *testing.T) {
	raw, err := os.ReadFile(shared.Path(t, "parity", "tiny_froster_io.json"))
	if err != nil {
		t.Fatal(err)
	}
	var fixture struct {
		Sampling []recordedSampling `json:"sampling"`
	}
	if err := json.Unmarshal(raw, &fixture); err != nil {
		t.Fatal(err)
	}
	if len(fixture.Sampling) < 20 {
		t.Fatalf("%d cases", len(fixture.Sampling))
	}
	for _, c := range fixture.Sampling {
		fps, perFrame, perSecond := c.rate(t)
		s := Sampling{Frames: 8, Step: 16, Views: len(c.Views), Crops: 1}
		var views []*window
		at := func(frame int64) int64 { return frame }
		if c.Decode == "window" {
			var ok bool
			views, ok = s.windows(media.FileInfo{Frames: c.Frames, Duration: c.Frames * perFrame, Tick: 1 / float64(perSecond), FPS: fps})
			if !ok {
				t.Fatal("the container says too little")
			}
			at = func(frame int64) int64 { return frame * perFrame }
		} else {
			views = s.counted(c.Frames, fps)
		}
		for v, w := range views {
			if got := picked(t, w, c.Frames, at); !slices.Equal(got, c.Views[v]) {
				t.Errorf("%d frames at %s, %s, view %d: %v, want %v", c.Frames, c.FPS, c.Decode, v, got, c.Views[v])
			}
		}
	}
}

// picked are the numbers of the frames that a window takes out of total.
func picked(t *testing.T, w *window, total int64, at func(int64) int64) []int64 {
	t.Helper()
	var got []int64
	for i := range total {
		err := w.offer(at(i), i == total-1, func() (topics.ClipFrame, error) {
			got = append(got, i)
			return topics.ClipFrame{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func TestOneViewAndMany(t *testing.T) {
	one := Sampling{Frames: 8, Step: 16, Views: 1, Crops: 1}
	if got := one.windowStart(300, 30, 0); got != 0 {
		t.Errorf("a single window begins at %v, the official one at 0", got)
	}
	if got := one.wholeStart(300, 30, 0); got != 86 {
		t.Errorf("a single clip of a counted video begins at %v, want 86, in the middle", got)
	}
	ten := Sampling{Frames: 8, Step: 16, Views: 10, Crops: 1}
	if got := ten.windowStart(300, 30, 9); got != 169.2 {
		t.Errorf("the last of ten windows begins at %v, want 169.2", got)
	}
	if got := ten.wholeStart(300, 30, 9); got != 171 {
		t.Errorf("the last of ten clips begins at %v, want 171", got)
	}
}

// What a container says may be anything.
func TestMadeUpLengthsAreNoTrouble(t *testing.T) {
	s := Sampling{Frames: 8, Step: 16, Views: 3, Crops: 1}
	for _, i := range []media.FileInfo{
		{Frames: 1 << 62, Duration: 1, FPS: 1e300, Tick: 1},
		{Frames: 1, Duration: 1 << 62, FPS: 1e-300, Tick: 1e-300},
		{Frames: 300, Duration: 300, FPS: 1e9, Tick: 1},
	} {
		views, ok := s.windows(i)
		if !ok {
			t.Fatalf("%+v", i)
		}
		for _, w := range views {
			if got := picked(t, w, 20, func(n int64) int64 { return w.from + n }); len(got) != 8 || !slices.IsSorted(got) {
				t.Errorf("%+v: %v", i, got)
			}
		}
	}
	if _, ok := s.windows(media.FileInfo{Frames: 10, FPS: 30}); ok {
		t.Error("a container without a duration was believed")
	}
}
