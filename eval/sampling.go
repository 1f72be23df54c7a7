package eval

import (
	"fmt"
	"math"
)

// trainedRate is what the step between frames is counted at, frames a second.
const trainedRate = 30

// TrainedStep is between the frames of a clip, at 30 a second.
const TrainedStep = 16

// Sampling is which frames of a video the model sees.
type Sampling struct {
	Frames int `json:"frames"` // of one clip
	Step   int `json:"step"`   // between frames, at 30 a second
	Views  int `json:"views"`  // clips of a video, spread over its time
	Crops  int `json:"crops"`  // squares of each frame: 1, the centre, or 3
}

// MaxViews bounds the clips of one video.
const MaxViews = 64

func (s Sampling) check() error {
	switch {
	case s.Frames < 1 || s.Step < 1:
		return fmt.Errorf("clips of %d frames, %d apart: both must be at least 1", s.Frames, s.Step)
	case s.Views < 1 || s.Views > MaxViews:
		return fmt.Errorf("%d views: want 1 to %d", s.Views, MaxViews)
	case s.Crops != 1 && s.Crops != 3:
		return fmt.Errorf("%d crops: want 1 or 3", s.Crops)
	}
	return nil
}

// window is how many of a video's frames the official code decodes for a clip.
func (s Sampling) window(fps float64) int64 {
	return max(1, whole(math.Ceil(float64(s.Step*(s.Frames-1))/trainedRate*fps)))
}

// span is how many of a video's frames a clip stands for: 128 at 30 a second.
func (s Sampling) span(fps float64) float64 {
	return max(1, float64(s.Frames*s.Step)/trainedRate*fps)
}

// targets are the numbers of a clip's frames from start on, in float32 and from
// both ends inwards as torch.linspace has them. They may lie beyond the end.
func (s Sampling) targets(start, fps float64) []int64 {
	from, to := float32(start), float32(start+s.span(fps)-1)
	out := make([]int64, s.Frames)
	if s.Frames == 1 {
		out[0] = max(whole(float64(from)), 0)
		return out
	}
	step := (to - from) / float32(s.Frames-1)
	for i := range out {
		at := from + step*float32(i)
		if i >= s.Frames/2 {
			at = to - step*float32(s.Frames-1-i)
		}
		out[i] = max(whole(float64(at)), 0)
	}
	return out
}

// windowStart is where a view begins in a video whose container tells its
// length, in frames: never at the very end, and a single view at the beginning.
func (s Sampling) windowStart(total int64, fps float64, view int) float64 {
	return float64(max(total-s.window(fps), 0)) * float64(view) / float64(s.Views)
}

// wholeStart is where a view begins in a video that is decoded to know its
// length: from the beginning to the end, a single view in the middle.
func (s Sampling) wholeStart(total int64, fps float64, view int) float64 {
	rest := max(float64(total)-s.span(fps), 0)
	if s.Views == 1 {
		return math.Floor(rest / 2)
	}
	return float64(view) * math.Floor(rest/float64(s.Views-1))
}

// whole cuts off the fraction of what a container may have made up.
func whole(v float64) int64 {
	const most = 1 << 52
	if math.IsNaN(v) {
		return 0
	}
	return int64(max(min(v, most), -most))
}
