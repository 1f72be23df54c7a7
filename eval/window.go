package eval

import (
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// window picks a clip's frames while a video is decoded. Frames are counted
// from the first one at or after from. The first one after to is the last that
// is looked at; it is used for all targets beyond it, just as the video's last
// frame is.
type window struct {
	from, to int64   // in the container's ticks, or numbers of frames
	targets  []int64 // numbers of frames, ascending
	seen     int64
	frames   []topics.ClipFrame
}

func (w *window) done() bool { return len(w.frames) == len(w.targets) }

// offer takes the next frame. pick is called once for each frame of the clip
// that this frame serves as.
func (w *window) offer(at int64, last bool, pick func() (topics.ClipFrame, error)) error {
	if w.done() || at < w.from {
		return nil
	}
	number := w.seen
	w.seen++
	final := last || at > w.to
	for !w.done() && (final || w.targets[len(w.frames)] <= number) {
		f, err := pick()
		if err != nil {
			return err
		}
		w.frames = append(w.frames, f)
	}
	return nil
}

// windows returns the views of a video from what its container says. ok is
// false if that is not enough, and the video must be decoded to count its
// frames.
func (s Sampling) windows(i media.FileInfo) (views []*window, ok bool) {
	if i.Frames < 1 || i.Duration < 1 || i.FPS <= 0 {
		return nil, false
	}
	ticks := float64(i.Duration) / float64(i.Frames)
	for v := range s.Views {
		start := s.windowStart(i.Frames, i.FPS, v)
		end := start + float64(s.window(i.FPS)) - 1
		views = append(views, &window{
			from: i.Start + whole(start*ticks), to: i.Start + whole(end*ticks), targets: s.targets(0, i.FPS),
		})
	}
	return views, true
}

// counted returns the views of a video of total frames, which are found by
// their numbers.
func (s Sampling) counted(total int64, fps float64) []*window {
	views := make([]*window, s.Views)
	for v := range views {
		views[v] = &window{to: total, targets: s.targets(s.wholeStart(total, fps, v), fps)}
	}
	return views
}

// complete returns the one view of a video that has exactly the frames of a
// clip.
func (s Sampling) complete() []*window {
	w := &window{to: int64(s.Frames)}
	for i := range s.Frames {
		w.targets = append(w.targets, int64(i))
	}
	return []*window{w}
}
