package calibrate

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
)

// CheckOptions say what to check. All but Range are required.
type CheckOptions struct {
	Past   Past
	Phrase *Phrase
	Range  archive.Range
	Raise  float64 // contrast from which on an alert would be raised
}

// Checked is what recordings say about a phrase: how high its contrast gets on what the
// cameras showed. What it would be on the thing itself, they can't say.
type Checked struct {
	Verdict Verdict `json:"verdict"`
	Clips   int     `json:"clips"`      // that were compared
	Over    int     `json:"over"`       // of these, how many reach Raise
	Times   int     `json:"times"`      // how often it is reached: clips of a camera that begin within pause of each other count once
	Highest float64 `json:"highest"`    // contrast of a clip
	OneIn   float64 `json:"one_in_100"` // contrast that one clip in 100 reaches
	// Cameras are sorted by how many clips reach Raise, then by how high they get.
	Cameras []CheckedCamera `json:"cameras"`
	// Labels are the other labels that were compared, the closest first.
	Labels []CheckedLabel `json:"labels"`
	// LeftOut are the reference texts that say about the same as the phrase.
	LeftOut []string `json:"left_out"`
	// Other counts recordings by models other than the one the phrase was embedded by:
	// they can't be compared.
	Other  map[string]int `json:"other_models,omitempty"`
	Counts archive.Counts `json:"-"`
}

// CheckedCamera is how high the contrast gets on what one camera showed.
type CheckedCamera struct {
	Camera  string    `json:"camera"`
	Verdict Verdict   `json:"verdict"`
	Clips   int       `json:"clips"`
	Over    int       `json:"over"`
	Times   int       `json:"times"`
	Highest float64   `json:"highest"`
	last    time.Time // start of the last clip
	reached time.Time // start of the last clip that reached Raise
}

// CheckedLabel is another label, and what the phrase does on clips that this label
// fits better than the others that were compared.
type CheckedLabel struct {
	Label   string  `json:"label"`
	Cosine  float64 `json:"cosine"` // of its texts and the phrase's, the most similar ones
	Clips   int     `json:"clips"`
	Over    int     `json:"over"`    // of these, how many reach Raise with the phrase
	Highest float64 `json:"highest"` // contrast of the phrase
}

const (
	// steps is how finely contrasts are counted.
	steps = 1000
	// pause is how far apart clips begin that are not taken for the same happening:
	// two of FROSTER's windows, and a little more.
	pause = 10 * time.Second
)

// checked is what was found in one partition.
type checked struct {
	*CheckOptions
	clip    *reading
	counts  [steps + 1]int // by contrast
	labels  []CheckedLabel // by word
	cameras map[string]*CheckedCamera
	other   otherModels
}

// Check compares every recording of a range with a phrase. Its memory does not grow
// with the range.
func Check(ctx context.Context, o CheckOptions) (*Checked, error) {
	words := o.Phrase.Words
	if !words.HasContrast() {
		return nil, errors.New("the recordings have no contrasts")
	}
	found := partitions[checked]{fresh: func() *checked {
		return &checked{CheckOptions: &o, clip: newReading(words.model), labels: make([]CheckedLabel, len(words.list)), cameras: map[string]*CheckedCamera{}, other: otherModels{}}
	}}
	o.Range.Ends, o.Range.Views = words.ends, true
	counts, err := o.Past.Scan(ctx, o.Range, func(b archive.Batch) error { return found.of(b.Partition).batch(b) })
	if err != nil {
		return nil, err
	}
	out := o.sum(found.all)
	out.Counts = counts
	return out, nil
}

func (p *checked) batch(b archive.Batch) error {
	model := p.Phrase.Words.model
	for i := range b.Rows {
		row := &b.Rows[i]
		if !model.made(b, row) {
			p.other.note(row)
			continue
		}
		c := p.cameras[row.Camera]
		if c == nil {
			if len(p.cameras) >= maxCameras {
				return errors.New("there are too many cameras: name some")
			}
			c = &CheckedCamera{Camera: row.Camera}
			p.cameras[row.Camera] = c
		}
		if row.Start.Equal(c.last) { // recorded twice
			continue
		}
		c.last = row.Start
		p.row(c, b, i)
	}
	return nil
}

// row counts one clip.
func (p *checked) row(c *CheckedCamera, b archive.Batch, i int) {
	w, row, clip := p.Phrase.Words, &b.Rows[i], p.clip.of(b, i).views
	contrast := w.values(0, clip, row.LogitScale).Contrast
	if math.IsNaN(contrast) {
		return
	}
	l := &p.labels[w.nearest(clip)]
	for _, of := range []struct {
		clips, over *int
		highest     *float64
	}{{&c.Clips, &c.Over, &c.Highest}, {&l.Clips, &l.Over, &l.Highest}} {
		*of.clips++
		*of.highest = max(*of.highest, contrast)
		if contrast >= p.Raise {
			*of.over++
		}
	}
	p.counts[int(contrast*steps)]++
	if contrast >= p.Raise {
		if row.Start.Sub(c.reached).Abs() >= pause {
			c.Times++
		}
		c.reached = row.Start
	}
}

// nearest is the word after the first that is most similar to a view of a clip, 0 if
// there is none.
func (w *Words) nearest(clip []scoring.View) (best int) {
	highest := math.Inf(-1)
	for j := 1; j < len(w.list); j++ {
		if s, _ := w.list[j].MostSimilar(clip); s > highest {
			best, highest = j, s
		}
	}
	return best
}

// sum puts together what was found in all partitions.
func (o *CheckOptions) sum(all map[int]*checked) *Checked {
	w := o.Phrase.Words
	other := otherModels{}
	out := &Checked{Verdict: TooLittle, LeftOut: w.list[0].Close(), Other: other, Cameras: []CheckedCamera{}, Labels: []CheckedLabel{}}
	var counts [steps + 1]int
	labels := make([]CheckedLabel, len(w.list))
	for _, p := range all {
		for i, n := range p.counts {
			counts[i] += n
			out.Clips += n
		}
		for i, l := range p.labels {
			labels[i].Clips, labels[i].Over, labels[i].Highest = labels[i].Clips+l.Clips, labels[i].Over+l.Over, max(labels[i].Highest, l.Highest)
		}
		for _, c := range p.cameras {
			c.Verdict = verdict(c.Clips, c.Over, c.Highest, o.Raise)
			out.Verdict = worst(out.Verdict, c.Verdict)
			out.Over, out.Times, out.Highest = out.Over+c.Over, out.Times+c.Times, max(out.Highest, c.Highest)
			out.Cameras = append(out.Cameras, *c)
		}
		other.add(p.other)
	}
	slices.SortFunc(out.Cameras, func(a, b CheckedCamera) int {
		return cmp.Or(cmp.Compare(b.Over, a.Over), cmp.Compare(b.Highest, a.Highest), strings.Compare(a.Camera, b.Camera))
	})
	for above, i := 0, steps; i >= 0 && out.Clips > 0; i-- {
		if above += counts[i]; 100*above >= out.Clips {
			out.OneIn = float64(i) / steps
			break
		}
	}
	for i, l := range labels[1:] {
		l.Label, l.Cosine = w.list[i+1].label.Label, o.Phrase.Cosines[i+1]
		out.Labels = append(out.Labels, l)
	}
	return out
}
