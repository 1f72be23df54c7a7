package calibrate

import (
	"cmp"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// Reported is what people said so far of the alerts of a rule about a label.
type Reported struct {
	Rule     string `json:"rule"`
	Label    string `json:"label"`
	Absent   bool   `json:"absent,omitempty"` // the label was not seen
	Raised   int    `json:"raised"`
	True     int    `json:"marked_true"`
	False    int    `json:"marked_false"`
	Unmarked int    `json:"unmarked"`
	// Precision is the share of true ones among the marked; nil: none is marked.
	Precision *float64 `json:"precision,omitempty"`
	// Even is the contrast at which an alert about the label is as likely true as
	// false; nil: there are fewer than LeastMarks marks of the label, or they say
	// nothing of that.
	Even *float64 `json:"even_contrast,omitempty"`
}

// Report counts raises and what people said of them, by rule and label. marks may be
// of other alerts, too.
func Report(raises []topics.Alert, marks map[string]topics.Mark) []Reported {
	type key struct{ rule, label string }
	found := map[key]*Reported{}
	for _, a := range raises {
		k := key{a.Rule, a.Label}
		r := found[k]
		if r == nil {
			r = &Reported{Rule: a.Rule, Label: a.Label, Absent: a.Absent}
			found[k] = r
		}
		r.Raised++
		switch m, marked := marks[a.ID]; {
		case !marked:
			r.Unmarked++
		case m.True:
			r.True++
		default:
			r.False++
		}
	}
	fits := Probabilities(marks)
	out := []Reported{}
	for _, r := range found {
		if n := r.True + r.False; n > 0 {
			share := float64(r.True) / float64(n)
			r.Precision = &share
		}
		if p, ok := fits[r.Label]; ok && p.A > 0 && !r.Absent {
			even := logistic(-p.B / p.A)
			r.Even = &even
		}
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Reported) int { return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Label, b.Label)) })
	return out
}

// Probabilities are the fits of all labels with enough marks.
func Probabilities(marks map[string]topics.Mark) map[string]Platt {
	byLabel := map[string][]topics.Mark{}
	for _, m := range marks {
		byLabel[m.Label] = append(byLabel[m.Label], m)
	}
	out := map[string]Platt{}
	for label, all := range byLabel {
		if p, ok := FitPlatt(all); ok {
			out[label] = p
		}
	}
	return out
}

// Probability is that of an alert to be true by what people said of others of its label;
// nil: they have not said enough, or the alert has no contrast to tell by.
func Probability(marks map[string]topics.Mark, a topics.Alert) *float64 {
	if !(a.Contrast > 0) || a.Absent {
		return nil
	}
	var all []topics.Mark
	for _, m := range marks {
		if m.Label == a.Label {
			all = append(all, m)
		}
	}
	fit, ok := FitPlatt(all)
	if !ok {
		return nil
	}
	probability := fit.Of(a.Contrast)
	return &probability
}
