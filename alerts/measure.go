package alerts

import (
	"errors"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// Measure is what a rule compares of a label.
type Measure string

// The measures of a label's result (topics.LabelScore).
const (
	ByContrast   Measure = "contrast"   // other labels do not change it
	ByScore      Measure = "score"      // the softmax over the vocabulary
	BySimilarity Measure = "similarity" // -1 to 1
)

// Levels are the hysteresis: a label counts for raising an alert from Raise on, and
// keeps it open from Clear on. Raise 0 means the label's own threshold, or the
// measure's default; Clear 0 means two thirds of Raise.
type Levels struct {
	Raise float64 `yaml:"raise"`
	Clear float64 `yaml:"clear"`
}

// What to raise at where neither the rule nor the label says. That of contrast was
// measured on one small model (docs/accuracy.md, "Contrast"): for each label a
// false clip in some 40 minutes of everyday background.
const (
	DefaultRaise    = 0.5 // score
	DefaultContrast = 0.2
)

// Measure is what the rule compares: contrast unless it says otherwise.
func (r *Rule) Measure() Measure {
	switch {
	case r.Score != nil:
		return ByScore
	case r.Similarity != nil:
		return BySimilarity
	}
	return ByContrast
}

// Levels are those that the rule gives for its measure.
func (r *Rule) Levels() Levels {
	switch {
	case r.Contrast != nil:
		return *r.Contrast
	case r.Score != nil:
		return *r.Score
	case r.Similarity != nil:
		return *r.Similarity
	}
	return Levels{}
}

// of is a label's value by the measure.
func (m Measure) of(l *topics.LabelScore) float64 {
	switch m {
	case ByScore:
		return l.Score
	case BySimilarity:
		return l.Similarity
	}
	return l.Contrast
}

// lowest is the lowest value that there is; the highest is 1.
func (m Measure) lowest() float64 {
	if m == BySimilarity {
		return -1
	}
	return 0
}

// checkMeasure refuses more than one measure, and levels that can't be reached.
func (r Rule) checkMeasure(wrong func(string, ...any)) {
	given := 0
	for name, l := range map[string]*Levels{"contrast": r.Contrast, "score": r.Score, "similarity": r.Similarity} {
		if l == nil {
			continue
		}
		given++
		l.check(name, wrong)
	}
	if r.FalseAlarms != (Budget{}) {
		given++
	}
	if given > 1 {
		wrong("false_alarms: want at most one of contrast, score, similarity and false_alarms")
	}
	if r.Similarity != nil && r.Similarity.Raise == 0 {
		wrong("similarity: raise is missing: what is usual differs from model to model, so that there is no default")
	}
}

func (l Levels) check(measure string, wrong func(string, ...any)) {
	low, high := Measure(measure).lowest(), 1.0
	inside := func(v float64) bool { return v >= low && v <= high } // false for NaN
	if !inside(l.Raise) {
		wrong(measure+": raise %v: want %v to %v", l.Raise, low, high)
	}
	if !inside(l.Clear) {
		wrong(measure+": clear %v: want %v to %v", l.Clear, low, high)
	}
	if inside(l.Raise) && inside(l.Clear) && l.Raise != 0 && l.Clear != 0 && l.Clear > l.Raise {
		wrong(measure+": raise %v, clear %v: want clear not above raise", l.Raise, l.Clear)
	}
}

// judge compares what clips of one camera scored with what a rule wants.
type judge struct {
	rule Rule
	own  *Levels // what keeps the rule's budget on this camera; nil: not known yet
	// names are the engine's, nil: there is none. picked is what the rule selects of them.
	names  *labelNames
	picked picked
	// indexes is the memory of selected.
	indexes []int
}

// selected are the indexes of the labels that the rule is about, valid until the next
// call.
func (j *judge) selected(labels []topics.LabelScore) []int {
	j.indexes = j.indexes[:0]
	if j.names.are(labels) && len(j.rule.named()) > 0 {
		j.indexes = j.picked.indexes(j.indexes, &j.rule, j.names)
		return j.indexes
	}
	for i := range labels {
		if j.rule.selects(&labels[i]) {
			j.indexes = append(j.indexes, i)
		}
	}
	return j.indexes
}

// levels are the values of a label to raise at and to clear below.
func (j *judge) levels(l *topics.LabelScore) (raise, low float64) {
	given := j.rule.Levels()
	if j.own != nil {
		given = *j.own
	}
	raise = given.Raise
	if raise == 0 && j.rule.FalseAlarms == (Budget{}) {
		raise = l.Threshold
	}
	if raise == 0 {
		raise = DefaultRaise
		if j.rule.Measure() == ByContrast {
			raise = DefaultContrast
		}
	}
	if low = given.Clear; low == 0 {
		low = raise * 2 / 3
	}
	return raise, min(low, raise)
}

// value is what the rule compares of a label.
func (j *judge) value(l *topics.LabelScore) float64 { return j.rule.Measure().of(l) }

// best returns the matching label with the highest value of those that reach their
// own raise value, or of all that match where none does, nil where none matches; and
// whether any reaches its raise value or its clear value.
func (j *judge) best(rec *topics.Recognition) (top *topics.LabelScore, raises, sustains bool) {
	highest, measure := 0.0, j.rule.Measure()
	for _, i := range j.selected(rec.Labels) {
		l := &rec.Labels[i]
		raise, low := j.levels(l)
		value := measure.of(l)
		reaches := value >= raise
		better := top == nil || top.Label == "" || value > highest
		if reaches && (better || !raises) || !raises && better {
			top, highest = l, value
		}
		raises = raises || reaches
		sustains = sustains || value >= low
	}
	return top, raises, sustains
}

// unmeasured is why rules on contrast can't judge a clip; nil where they can, or
// none watches the camera.
func (w *worker) unmeasured(rec topics.Recognition) error {
	rules, _ := w.current()
	if rec.References != nil || len(rec.Labels) == 0 || !slices.ContainsFunc(rules.all(), func(r *rule) bool {
		there := r.on(rec.Camera, rec.Tags)
		return there != nil && there.Measure() == ByContrast
	}) {
		return nil
	}
	return errors.New("its recognitions have no contrast, so that rules that name no measure raise nothing: update infer, or name score in the rules")
}
