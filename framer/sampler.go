package framer

import (
	"math"
	"math/bits"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// trainedRate is the frames a second of which FROSTER's windows are made.
const trainedRate = 30

// tolerance lets a frame that comes a little after a target still be the one on
// display: containers and cameras round their times to milliseconds, and 30
// frames a second must give frame 127 for a target at exactly 127/30 s.
const tolerance = 2 * time.Millisecond

// sampler decides which frames belong to which windows. A window's targets lie
// a step apart, the first at its start. Windows begin a stride apart; where that
// is a whole number of steps, all targets are on one grid, and windows share
// those of equal number to the nanosecond, and with them their frames.
type sampler struct {
	window time.Duration
	step   ratio     // between two targets
	steps  uint64    // between window starts; 0: stride counts
	stride ratio     // between window starts
	next   uint64    // the first window that has not begun
	open   []*window // begun and incomplete, oldest first
}

// window is a clip in the making.
type window struct {
	number uint64
	start  time.Duration
	frames []topics.ClipFrame
	stills []*media.Still // of the frames, where squares are cut out of them, until it is complete; all of one size, as an epoch's frames are
	busy   bool           // something moved by one of its pictures, or may have
	zoom   *topics.Zoom   // once it is complete
	zones  []topics.ClipZone
}

func newSampler(window time.Duration, stride topics.Stride) *sampler {
	length := exact(window)
	return &sampler{
		window: length.times(1),
		step:   ratio{length.num * (topics.WindowSpan - 1), length.den * topics.WindowSpan * (topics.ClipFrames - 1)},
		steps:  uint64(max(stride.Steps, 0)),
		stride: exact(stride.Time),
	}
}

// ratio is num/den nanoseconds, so that multiples of it do not drift.
type ratio struct{ num, den uint64 }

// times is n times the ratio, rounded to the nearest nanosecond: exact for
// centuries.
func (r ratio) times(n uint64) time.Duration {
	high, low := bits.Mul64(n, r.num)
	low, carry := bits.Add64(low, r.den/2, 0)
	whole, _ := bits.Div64(high+carry, low, r.den)
	return time.Duration(whole)
}

// exact undoes the rounding of a configured time to milliseconds: a time within half a millisecond of a whole number of frames at 30 a second is taken
// as just that. So 2.133s is 64/30 s, and at 15 frames a second every window
// begins on a frame, however long the epoch.
func exact(d time.Duration) ratio {
	frames := math.Round(d.Seconds() * trainedRate)
	if whole := time.Duration(math.Round(frames * 1e9 / trainedRate)); (d - whole).Abs() <= time.Millisecond/2 {
		return ratio{uint64(frames) * uint64(time.Second), trainedRate}
	}
	return ratio{uint64(d), 1}
}

// stepTime is the time between two targets.
func (s *sampler) stepTime() time.Duration { return s.step.times(1) }

func (s *sampler) start(n uint64) time.Duration { return s.at(n, 0) }

// at is target k of window n on the epoch's clock.
func (s *sampler) at(n uint64, k int) time.Duration {
	if s.steps > 0 {
		return s.step.times(n*s.steps + uint64(k))
	}
	return s.stride.times(n) + s.step.times(uint64(k))
}

func (s *sampler) target(w *window) time.Duration { return s.at(w.number, len(w.frames)) }

// see is given a frame on display from pts until the given time, and calls pick
// for each window that the frame belongs to, once for each of its targets. pick
// appends to the window's frames; see returns the windows that are complete,
// oldest first.
func (s *sampler) see(until time.Duration, pick func(*window) error) ([]*window, error) {
	for s.start(s.next)+tolerance < until {
		s.open = append(s.open, &window{number: s.next, start: s.start(s.next)})
		s.next++
	}
	var complete []*window
	kept := s.open[:0]
	for _, w := range s.open {
		for len(w.frames) < topics.ClipFrames && s.target(w)+tolerance < until {
			if err := pick(w); err != nil {
				return nil, err
			}
		}
		if len(w.frames) == topics.ClipFrames {
			complete = append(complete, w)
		} else {
			kept = append(kept, w)
		}
	}
	clear(s.open[len(kept):])
	s.open = kept
	return complete, nil
}

// reset begins a new epoch, and returns how many windows of the one before stay
// incomplete.
func (s *sampler) reset() int {
	left := len(s.open)
	s.open, s.next = nil, 0
	return left
}
