// Package timeline reduces what was recognised on a camera to what fits on a screen: for
// each label the highest value in each step of time, and where there were no clips.
package timeline

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// Least is from which value on a label that no rule watches is of interest.
	Least = 0.1
	// dust is what is not told from nothing.
	dust = 0.0005
	// maxSeen bounds the labels of which values are kept while a stretch of time is read:
	// there may be any number of them in it.
	maxSeen = 1000
	// maxKept bounds those that are kept of it then.
	maxKept = 40
)

// Clip is one that had the highest value.
type Clip struct {
	ID  string
	End time.Time
}

// Band is a label's highest values.
type Band struct {
	// Sample is the label without values, as rules select labels; it may have a zone.
	Sample  topics.LabelScore
	Measure alerts.Measure
	Watched bool // by a rule
	Top     float64
	Values  []float32 // by step; 0: the label was not seen
	Best    []*Clip   // nil where the value is 0
}

// Name is how the label is shown.
func (b *Band) Name() string {
	if z := b.Sample.Zone; z != nil {
		return topics.Clean(b.Sample.Label + " in " + z.Name)
	}
	return topics.Clean(b.Sample.Label)
}

// key is what tells bands apart.
type key struct{ label, zone string }

func keyOf(l *topics.LabelScore) key {
	if l.Zone == nil {
		return key{label: l.Label}
	}
	return key{l.Label, l.Zone.Name}
}

// Heights are the highest values from a time on, in steps of equal length.
type Heights struct {
	Begin time.Time
	Step  time.Duration
	Clips []int32 // how many ended in each step
	Last  []*Clip // one of them, of which pictures can be shown
	bands map[key]*Band
	runs  []Run // of all partitions
}

// watching is the rules that a label counts for.
type watching func(*topics.LabelScore) []alerts.Nearness

// reading collects the recognitions of one camera. Partitions are read at the same time.
type reading struct {
	watch watching
	mu    sync.Mutex
	out   *Heights
	runs  map[int]*runs // by partition
	join  time.Duration
}

func newReading(begin time.Time, step time.Duration, steps int, join time.Duration, watch watching) *reading {
	return &reading{
		watch: watch, join: join, runs: map[int]*runs{},
		out: &Heights{Begin: begin, Step: step, Clips: make([]int32, steps), Last: make([]*Clip, steps), bands: map[key]*Band{}},
	}
}

// add takes over recognitions of one partition, in their order.
func (r *reading) add(l archive.Labelled) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	own := r.runs[l.Partition]
	if own == nil {
		own = &runs{join: r.join}
		r.runs[l.Partition] = own
	}
	for i := range l.Records {
		rec := &l.Records[i].Value
		if rec.End.Before(r.out.Begin) {
			continue
		}
		step := int(rec.End.Sub(r.out.Begin) / r.out.Step)
		if step >= len(r.out.Clips) {
			continue
		}
		if own.add(rec) {
			r.out.Clips[step]++
		}
		clip := r.labels(rec, step)
		if last := r.out.Last[step]; last == nil || clip != nil && rec.End.After(last.End) {
			if clip == nil {
				clip = clipOf(rec)
			}
			r.out.Last[step] = clip
		}
	}
	return nil
}

// clipOf copies the id, which is part of the text of a whole segment.
func clipOf(rec *topics.Recognition) *Clip { return &Clip{strings.Clone(rec.ClipID), rec.End} }

// labels takes over a clip's labels; the clip is nil if none of them is the highest.
func (r *reading) labels(rec *topics.Recognition, step int) (clip *Clip) {
	for i := range rec.Labels {
		l := &rec.Labels[i]
		b := r.band(l, rec.References != nil)
		if b == nil {
			continue
		}
		v := valueOf(b.Measure, l)
		if v < dust || float32(v) <= b.Values[step] {
			continue
		}
		if clip == nil {
			clip = clipOf(rec)
		}
		b.Values[step], b.Best[step], b.Top = float32(v), clip, max(b.Top, v)
	}
	return clip
}

// band is a label's; nil: it has none.
func (r *reading) band(l *topics.LabelScore, contrasts bool) *Band {
	k := keyOf(l)
	if b, known := r.out.bands[k]; known {
		return b
	}
	by := r.watch(l)
	if len(by) == 0 && (l.Background || l.Zone != nil || len(r.out.bands) >= maxSeen) || len(r.out.bands) >= 2*maxSeen {
		return nil
	}
	b := &Band{Sample: *l, Watched: len(by) > 0, Measure: measureOf(by, contrasts), Values: make([]float32, len(r.out.Clips)), Best: make([]*Clip, len(r.out.Clips))}
	b.Sample.Score, b.Sample.Contrast, b.Sample.Similarity, b.Sample.View = 0, 0, 0, 0
	r.out.bands[k] = b
	return b
}

// measureOf is what a band shows: what rules compare, of several contrast.
func measureOf(by []alerts.Nearness, contrasts bool) alerts.Measure {
	for _, n := range by {
		if n.Measure == alerts.ByContrast {
			return n.Measure
		}
	}
	switch {
	case len(by) > 0:
		return by[0].Measure
	case contrasts:
		return alerts.ByContrast
	}
	return alerts.ByScore
}

func valueOf(m alerts.Measure, l *topics.LabelScore) float64 {
	switch m {
	case alerts.ByContrast:
		return l.Contrast
	case alerts.BySimilarity:
		return l.Similarity
	}
	return l.Score
}

// done is what was read, without labels that nobody wants.
func (r *reading) done() *Heights {
	for _, own := range r.runs {
		r.out.runs = append(r.out.runs, own.list...)
	}
	kept := r.out.Bands(nil, maxKept)
	r.out.bands = make(map[key]*Band, len(kept))
	for _, b := range kept {
		r.out.bands[keyOf(&b.Sample)] = b
	}
	return r.out
}

// Bands are those that rules watch, then the highest others that reach Least, at most so
// many; with names those of these names.
func (h *Heights) Bands(names []string, most int) []*Band {
	var out []*Band
	for _, b := range h.bands {
		if len(names) > 0 && slices.Contains(names, b.Name()) || len(names) == 0 && (b.Watched || b.Top >= Least) {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b *Band) int {
		return cmp.Or(boolean(b.Watched)-boolean(a.Watched), cmp.Compare(b.Top, a.Top), strings.Compare(a.Name(), b.Name()))
	})
	return out[:min(len(out), most)]
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// size is about how many bytes it takes.
func (h *Heights) size() int {
	n := 1000 + 100*len(h.Clips) + 100*len(h.runs)
	var last *Clip
	for _, b := range h.bands {
		n += 300 + 12*len(b.Values)
		for _, c := range b.Best {
			if c != nil && c != last {
				n += 48 + len(c.ID)
				last = c
			}
		}
	}
	return n
}

// merge takes over other heights, whose steps lie within ours.
func (h *Heights) merge(o *Heights) {
	at := func(i int) int {
		d := o.Begin.Add(time.Duration(i) * o.Step).Sub(h.Begin)
		if d < 0 || d >= h.Step*time.Duration(len(h.Clips)) {
			return -1
		}
		return int(d / h.Step)
	}
	for i, n := range o.Clips {
		if to := at(i); to >= 0 {
			h.Clips[to] += n
			if last := o.Last[i]; last != nil && (h.Last[to] == nil || last.End.After(h.Last[to].End)) {
				h.Last[to] = last
			}
		}
	}
	for k, b := range o.bands {
		own := h.bands[k]
		if own == nil {
			own = &Band{Sample: b.Sample, Measure: b.Measure, Watched: b.Watched, Values: make([]float32, len(h.Clips)), Best: make([]*Clip, len(h.Clips))}
			h.bands[k] = own
		}
		for i, v := range b.Values {
			if to := at(i); to >= 0 && v > own.Values[to] {
				own.Values[to], own.Best[to], own.Top = v, b.Best[i], max(own.Top, float64(v))
			}
		}
	}
	h.runs = append(h.runs, o.runs...)
}
