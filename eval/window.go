package eval

import (
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// window picks a clip's frames while a video is decoded. Frames count from the
// first that lies at or after from; the first one after to is the last that is
// looked at, and stands for targets beyond it, as the video's last frame does.
type window struct {
	from, to int64   // in the container's ticks, or numbers of frames
	targets  []int64 // rising numbers of frames
	seen     int64
	frames   []topics.ClipFrame
}

func (w *window) done() bool { return len(w.frames) == len(w.targets) }

// offer takes the next frame; pick is called once for each of the clip's
// frames that it is.
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

// windows are the views of a video by what its container says; ok is false
// where that is not enough and the video has to be decoded to be counted.
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

// counted are the views of a video of total frames, which are found by their
// numbers.
func (s Sampling) counted(total int64, fps float64) []*window {
	views := make([]*window, s.Views)
	for v := range views {
		views[v] = &window{to: total, targets: s.targets(s.wholeStart(total, fps, v), fps)}
	}
	return views
}

// complete is the view of a video that has just the frames of a clip.
func (s Sampling) complete() []*window {
	w := &window{to: int64(s.Frames)}
	for i := range s.Frames {
		w.targets = append(w.targets, int64(i))
	}
	return []*window{w}
}
