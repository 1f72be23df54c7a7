package eval

import (
	"fmt"
	"math"
)

// trainedRate is the frame rate at which steps between frames are counted.
const trainedRate = 30

// TrainedStep is how many frames lie between two sampled ones, at 30 frames a
// second.
const TrainedStep = 16

// Sampling is which frames of a video the model sees.
type Sampling struct {
	Frames int `json:"frames"` // in one clip
	Step   int `json:"step"`   // from one sampled frame to the next, at 30 frames a second
	Views  int `json:"views"`  // clips per video, spread over its length
	Crops  int `json:"crops"`  // squares of each frame: 1, the centre, or 3
}

// MaxViews is the most clips that one video may be sampled in.
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

// span is how many of a video's frames a clip covers: 128 at 30 frames a
// second.
func (s Sampling) span(fps float64) float64 {
	return max(1, float64(s.Frames*s.Step)/trainedRate*fps)
}

// targets are the numbers of a clip's frames, counted from start, in float32
// and computed from both ends inwards as torch.linspace does. They may lie
// beyond the end of the video.
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

// windowStart is the frame at which a view begins, in a video whose container
// states its length. A view never begins at the very end; a single one begins
// at the start.
func (s Sampling) windowStart(total int64, fps float64, view int) float64 {
	return float64(max(total-s.window(fps), 0)) * float64(view) / float64(s.Views)
}

// wholeStart is the frame at which a view begins, in a video that is decoded to
// find its length. Views are spread from beginning to end; a single one is in
// the middle.
func (s Sampling) wholeStart(total int64, fps float64, view int) float64 {
	rest := max(float64(total)-s.span(fps), 0)
	if s.Views == 1 {
		return math.Floor(rest / 2)
	}
	return float64(view) * math.Floor(rest/float64(s.Views-1))
}

// whole drops the fraction of a number that comes from the container and may be
// nonsense.
func whole(v float64) int64 {
	const most = 1 << 52
	if math.IsNaN(v) {
		return 0
	}
	return int64(max(min(v, most), -most))
}
