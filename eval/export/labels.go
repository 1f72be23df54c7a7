package export

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// span is the time of one label on one camera. Intervals that overlap or touch
// are merged into one span.
type span struct {
	start, end time.Time
	rows       []int // indexes in Intervals.List
}

// stretch is a stretch of time that goes to one side of the split as a whole: a
// span, or a block of time where there is no span.
type stretch struct {
	camera, label string
	start         time.Time // zero for a block until all clips are known
}

// maxCameras bounds the memory that a topic of made-up camera names can take.
const maxCameras = 10_000

// labeller decides what a clip shows.
type labeller struct {
	Options
	cameras map[string]map[string][]span // by camera and label, in order of time
	met     []bool                       // for each interval: whether a clip got its label from it
	ties    []string                     // descriptions of the first few
}

func newLabeller(o Options) *labeller {
	l := &labeller{Options: o, cameras: map[string]map[string][]span{}}
	if o.Intervals != nil {
		l.met = make([]bool, len(o.Intervals.List))
	}
	return l
}

// label returns the stretch of a clip with the given window. If the clip has
// none, ok is false and the reason is counted in c.
func (l *labeller) label(camera string, start, end time.Time, c *Counts) (_ stretch, ok bool, err error) {
	if l.Intervals == nil {
		return stretch{camera: camera, label: l.Labels[0]}, true, nil
	}
	spans, err := l.of(camera)
	if err != nil {
		return stretch{}, false, err
	}
	f := l.find(spans, start, end)
	switch {
	case f.tied != "":
		c.Ties++
		l.tie(camera, start, f.label, f.tied)
		return stretch{}, false, nil
	case f.label != "":
		for _, row := range f.rows {
			l.met[row] = true
		}
		return stretch{camera, f.label, f.start}, true, nil
	case f.otherwise:
		c.Otherwise++
		return stretch{}, false, nil
	case f.touched:
		c.Partly++
		return stretch{}, false, nil
	case l.Background == "":
		c.Unlabelled++
		return stretch{}, false, nil
	}
	return stretch{camera: camera, label: l.Background}, true, nil
}

// found is the span of a label that covers the largest part of a clip, if that
// is enough; otherwise its label is empty.
type found struct {
	span
	label     string
	covered   time.Duration
	tied      string // another label that covers as much
	touched   bool   // any interval, even of a label not asked for, overlaps the clip
	otherwise bool   // a label that is not asked for covers enough
}

func (l *labeller) find(spans map[string][]span, start, end time.Time) (f found) {
	least := l.Overlap * float64(end.Sub(start))
	for _, label := range slices.Sorted(maps.Keys(spans)) {
		s, covered := most(spans[label], start, end)
		f.touched = f.touched || covered > 0
		switch {
		case covered == 0 || float64(covered) < least:
		case !l.wanted(label):
			f.otherwise = true
		case covered > f.covered:
			f.span, f.label, f.covered, f.tied = s, label, covered, ""
		case covered == f.covered:
			f.tied = label
		}
	}
	return f
}

func (l *labeller) wanted(label string) bool {
	return len(l.Labels) == 0 || slices.Contains(l.Labels, label)
}

// most returns the span that covers the longest part of the window.
func most(spans []span, start, end time.Time) (best span, covered time.Duration) {
	first, _ := slices.BinarySearchFunc(spans, start, func(s span, t time.Time) int {
		if s.end.After(t) {
			return 1
		}
		return -1
	})
	for _, s := range spans[first:] {
		if !s.start.Before(end) {
			break
		}
		from, to := later(s.start, start), earlier(s.end, end)
		if d := to.Sub(from); d > covered {
			best, covered = s, d
		}
	}
	return best, covered
}

// of returns a camera's spans, computed when the camera is first seen.
func (l *labeller) of(camera string) (map[string][]span, error) {
	if spans, ok := l.cameras[camera]; ok {
		return spans, nil
	}
	if len(l.cameras) == maxCameras {
		return nil, fmt.Errorf("clips of more than %d cameras", maxCameras)
	}
	spans := map[string][]span{}
	for row, i := range l.Intervals.List {
		if matches([]string{i.Camera}, camera) {
			spans[i.Label] = append(spans[i.Label], span{i.Start, i.End, []int{row}})
		}
	}
	for label, s := range spans {
		spans[label] = merged(s)
	}
	l.cameras[camera] = spans
	return spans, nil
}

func merged(spans []span) []span {
	slices.SortStableFunc(spans, func(a, b span) int { return a.start.Compare(b.start) })
	out := spans[:1]
	for _, s := range spans[1:] {
		last := &out[len(out)-1]
		if s.start.After(last.end) {
			out = append(out, s)
			continue
		}
		last.end = later(last.end, s.end)
		last.rows = append(last.rows, s.rows...)
	}
	return out
}

func (l *labeller) tie(camera string, start time.Time, one, other string) {
	const told = 5
	if len(l.ties) < told {
		l.ties = append(l.ties, fmt.Sprintf("%s at %s: %q and %q cover it equally", camera, stamp(start), one, other))
	}
}

// unmet returns how many intervals gave no clip its label, and describes the
// first few.
func (l *labeller) unmet() (count int, first []string) {
	const told = 5
	for row, met := range l.met {
		i := l.Intervals.List[row]
		if met || !l.wanted(i.Label) {
			continue
		}
		if count++; count <= told {
			first = append(first, fmt.Sprintf("%s:%d: no clip of %s from %s to %s got %q", l.Intervals.File, i.Line, i.Camera, stamp(i.Start), stamp(i.End), i.Label))
		}
	}
	return count, first
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
