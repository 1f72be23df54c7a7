package framer

import (
	"math"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// FROSTER was trained on 8 frames by linspace(0, 127, 8) of 128 frames at 30
// frames a second: the last target lies one frame before the window's end.
const (
	clipFrames   = 8
	trainedSpan  = 128
	trainedRate  = 30
	trainedReach = trainedSpan - 1
)

// tolerance lets a frame that comes a little after a target still be the one on
// display: containers and cameras round their times to milliseconds, and 30
// frames a second must give frame 127 for a target at exactly 127/30 s.
const tolerance = 2 * time.Millisecond

// sampler decides which frames belong to which windows. Window n begins at
// n·stride on the epoch's clock, and its k-th target lies k/7 of the reach
// after that.
type sampler struct {
	window, stride time.Duration
	reach          time.Duration // from the first target to the last
	next           uint64        // the first window that has not begun
	open           []*window     // begun and incomplete, oldest first
}

// window is a clip in the making.
type window struct {
	number uint64
	start  time.Duration
	frames []topics.ClipFrame
}

func newSampler(window, stride time.Duration) *sampler {
	window, stride = exact(window), exact(stride)
	return &sampler{window: window, stride: stride, reach: window * trainedReach / trainedSpan}
}

// exact undoes the rounding of a configured time to milliseconds: one that is
// within half a millisecond of a whole number of frames at 30 a second is taken
// as just that. So 2.133s is 64/30 s, and at 15 frames a second every window
// begins on a frame, however long the epoch.
func exact(d time.Duration) time.Duration {
	frames := math.Round(d.Seconds() * trainedRate)
	if whole := time.Duration(math.Round(frames * 1e9 / trainedRate)); (d - whole).Abs() <= time.Millisecond/2 {
		return whole
	}
	return d
}

// step is the time between two targets.
func (s *sampler) step() time.Duration { return s.reach / (clipFrames - 1) }

func (s *sampler) start(n uint64) time.Duration { return time.Duration(n) * s.stride }

func (s *sampler) target(w *window) time.Duration {
	return w.start + time.Duration(len(w.frames))*s.reach/(clipFrames-1)
}

// see is told of a frame on display from pts until the given time, and calls
// pick for each window that the frame belongs to, once for each of its targets.
// pick appends to the window's frames; see returns the windows that are
// complete, oldest first.
func (s *sampler) see(until time.Duration, pick func(*window) error) ([]*window, error) {
	for s.start(s.next)+tolerance < until {
		s.open = append(s.open, &window{number: s.next, start: s.start(s.next)})
		s.next++
	}
	var complete []*window
	kept := s.open[:0]
	for _, w := range s.open {
		for len(w.frames) < clipFrames && s.target(w)+tolerance < until {
			if err := pick(w); err != nil {
				return nil, err
			}
		}
		if len(w.frames) == clipFrames {
			complete = append(complete, w)
		} else {
			kept = append(kept, w)
		}
	}
	clear(s.open[len(kept):])
	s.open = kept
	return complete, nil
}

// reset begins a new epoch and says how many windows it leaves incomplete.
func (s *sampler) reset() int {
	left := len(s.open)
	s.open, s.next = nil, 0
	return left
}
