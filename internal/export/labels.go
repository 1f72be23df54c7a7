package export

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// span is the time of one label on one camera: intervals that overlap or touch
// are one.
type span struct {
	start, end time.Time
	rows       []int // of Intervals.List
}

// stretch is what goes to one side of the split as a whole: a span, or a block
// of time where there is none.
type stretch struct {
	camera, label string
	start         time.Time
}

// block is how long a stretch is that no interval bounds.
const block = 5 * time.Minute

// maxCameras bounds what a topic of made-up names can cost.
const maxCameras = 10_000

// labeller decides what a clip shows.
type labeller struct {
	Options
	cameras map[string]map[string][]span // per camera and label, in order of time
	met     []bool                       // for each interval: whether a clip got its label from it
	ties    []string                     // the first few, in words
}

func newLabeller(o Options) *labeller {
	l := &labeller{Options: o, cameras: map[string]map[string][]span{}}
	if o.Intervals != nil {
		l.met = make([]bool, len(o.Intervals.List))
	}
	return l
}

// label is the stretch of a clip with the given window; ok is false, and what
// was in the way counted, where it has none.
func (l *labeller) label(camera string, start, end time.Time, c *Counts) (_ stretch, ok bool, err error) {
	if l.Intervals == nil {
		return stretch{camera, l.Labels[0], start.Truncate(block)}, true, nil
	}
	spans, err := l.of(camera)
	if err != nil {
		return stretch{}, false, err
	}
	best, tied, touched := l.best(spans, start, end)
	switch {
	case tied != "":
		c.Ties++
		l.tie(camera, start, best.label, tied)
		return stretch{}, false, nil
	case best.label != "":
		for _, row := range best.rows {
			l.met[row] = true
		}
		return stretch{camera, best.label, best.start}, true, nil
	case touched:
		c.Partly++
		return stretch{}, false, nil
	case l.Background == "":
		c.Unlabelled++
		return stretch{}, false, nil
	}
	return stretch{camera, l.Background, start.Truncate(block)}, true, nil
}

// candidate is the span of a label that covers most of a clip.
type candidate struct {
	span
	label   string
	covered time.Duration
}

// best is the label that covers the most of the window, if that is enough; tied
// is another one that covers as much. touched is whether any interval, also of a
// label that is not wanted, has a part in the window.
func (l *labeller) best(spans map[string][]span, start, end time.Time) (best candidate, tied string, touched bool) {
	least := l.Overlap * float64(end.Sub(start))
	for _, label := range slices.Sorted(maps.Keys(spans)) {
		s, covered := most(spans[label], start, end)
		touched = touched || covered > 0
		if covered == 0 || float64(covered) < least || len(l.Labels) > 0 && !slices.Contains(l.Labels, label) {
			continue
		}
		switch {
		case covered > best.covered:
			best, tied = candidate{s, label, covered}, ""
		case covered == best.covered:
			tied = label
		}
	}
	return best, tied, touched
}

// most is the span that covers the longest part of the window.
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

// of is a camera's spans, worked out when it is first seen.
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

// unmet names the intervals that no clip got its label from: the first few.
func (l *labeller) unmet() (count int, first []string) {
	const told = 5
	for row, met := range l.met {
		i := l.Intervals.List[row]
		if met || len(l.Labels) > 0 && !slices.Contains(l.Labels, i.Label) {
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
