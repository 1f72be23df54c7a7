package media

import (
	"fmt"
	"time"
)

// Watched is what was seen of a stream's packets for a while.
type Watched struct {
	Facts
	FPS      float64       // frames a second that came
	Interval time.Duration // the longest from one keyframe to the next; 0: there was no second one
	Whole    bool          // pictures begin at keyframes, and are not refreshed part by part
	Key      int           // mean bytes of a keyframe
	Other    int           // and of the others
}

// Restless are the reasons for which all pictures of a stream would be decoded even while
// nothing happens (StreamOptions.OnDemand); none: it can rest.
func (w Watched) Restless() (why []string) {
	add := func(is bool, format string, args ...any) {
		if is {
			why = append(why, fmt.Sprintf(format, args...))
		}
	}
	known := w.Codec == "h264" || w.Codec == "hevc"
	add(!known, "its codec is neither H.264 nor H.265")
	add(known && w.Interval == 0, "no second keyframe came")
	add(known && w.Interval > SkipMost, "a keyframe comes each %.3g s only, and has to each %.3g s", w.Interval.Seconds(), SkipMost.Seconds())
	add(known && w.FPS > 0 && w.FPS < groupLeast, "it has fewer than %d frames a second", groupLeast)
	add(w.Interlaced, "it is interlaced")
	add(known && !w.Whole, "it refreshes parts of the picture in turn")
	add(w.Clock != ClockRight || w.Mended > 0, "its times can't be believed")
	add(w.Lost > 0, "packets were lost")
	add(known && w.Key > 0 && sunk*w.Other > w.Key, "packets were not small beside keyframes: something moved meanwhile, or the bit rate is constant")
	return why
}
