package twomodels

import (
	"fmt"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/calibrate"
)

// Result is how two models differ on the clips that both saw.
type Result struct {
	A Seen `json:"a"`
	B Seen `json:"b"`
	// Since and Until are the times of the first and of the last clip.
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Clips   int       `json:"clips"`
	Cameras []Camera  `json:"cameras"`
	Labels  []Label   `json:"labels"`
	// Differ are the clips on which the models are farthest apart, the farthest first; of
	// clips of a camera that begin within calibrate.Apart of each other the first of them.
	Differ []Difference `json:"differ"`
	Rules  []Rule       `json:"rules"`
	// Notes say what could not be compared, and what is to be known beside.
	Notes []string `json:"notes,omitempty"`
}

// Seen is a model, and where what it saw comes from.
type Seen struct {
	Model string `json:"model"`
	ID    string `json:"model_id"`
	// Recorded clips have been seen by the model when they came; the others were embedded
	// for the comparison.
	Recorded int `json:"recorded"`
}

// Camera is how often both models give the same label the highest score on a camera.
type Camera struct {
	Camera string `json:"camera"`
	Clips  int    `json:"clips"`
	Same   int    `json:"same_best_label"`
}

// Label is how alike both models rank the clips by one label.
type Label struct {
	Label string `json:"label"`
	Clips int    `json:"clips"`
	// Rank is Spearman's rank correlation of the contrasts; nil where all are equal.
	Rank *float64 `json:"rank_correlation"`
	// A and B are the means of the contrasts, Apart that of their absolute differences.
	A     float64 `json:"mean_contrast_a"`
	B     float64 `json:"mean_contrast_b"`
	Apart float64 `json:"mean_difference"`
}

// Difference is a clip with the label whose contrasts are farthest apart.
type Difference struct {
	Camera string    `json:"camera"`
	Clip   string    `json:"clip_id"`
	Start  time.Time `json:"start"`
	Label  string    `json:"label"`
	A      float64   `json:"contrast_a"`
	B      float64   `json:"contrast_b"`
	BestA  string    `json:"best_label_a"`
	BestB  string    `json:"best_label_b"`
}

// Rule is how many alerts a rule would have raised with each model on these clips.
type Rule struct {
	Rule string `json:"rule"`
	A    int    `json:"alerts_a"`
	B    int    `json:"alerts_b"`
	Both int    `json:"alerts_both"` // about one happening
}

// result is what is known before anything is scored.
func (c *comparison) result() *Result {
	first, last := c.pairs[0].of[0], c.pairs[0].of[0]
	short := 0
	for _, p := range c.pairs {
		if p.of[0].Start.Before(first.Start) {
			first = p.of[0]
		}
		if p.of[0].End.After(last.End) {
			last = p.of[0]
		}
		if p.small {
			short++
		}
	}
	r := &Result{
		A: Seen{c.A.Name, c.A.ID, c.recorded[0]}, B: Seen{c.B.Name, c.B.ID, c.recorded[1]},
		Since: first.Start, Until: last.End, Clips: len(c.pairs),
		Cameras: []Camera{}, Labels: []Label{}, Differ: []Difference{}, Rules: []Rule{},
	}
	if len(c.pairs) < c.Clips {
		r.note("these are all clips of this time whose pictures Kafka still keeps")
	}
	if c.undecoded > 0 {
		r.note("%d clips have pictures that can't be decoded", c.undecoded)
	}
	if c.cut {
		r.note("not all cameras are in each minute, since their pictures don't fit into %d MB: name some cameras", maxStretch>>20)
	}
	if short > 0 {
		r.note("%d clips carry frames smaller than the %d px that %s takes: it may do better on larger ones", short, c.B.single.Side, c.B.Name)
	}
	return r
}

func (r *Result) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// rules counts alerts by rule.
func (r *Result) rules(of *alerts.RuleSet, all []calibrate.Compared) {
	at := map[string]int{}
	for _, rule := range of.Rules() {
		if rule.Stream != nil {
			continue
		}
		if rule.Measure() == alerts.ByScore {
			r.note("rule %s is about scores, which depend on the whole vocabulary: its alerts are not counted", rule.Name)
			continue
		}
		at[rule.Name] = len(r.Rules)
		r.Rules = append(r.Rules, Rule{Rule: rule.Name})
	}
	for _, a := range all {
		i, known := at[a.Rule]
		if !known {
			continue
		}
		switch a.Found {
		case calibrate.InBoth:
			r.Rules[i].A, r.Rules[i].B, r.Rules[i].Both = r.Rules[i].A+1, r.Rules[i].B+1, r.Rules[i].Both+1
		case calibrate.InBacktest:
			r.Rules[i].B++
		case calibrate.InLive:
			r.Rules[i].A++
		}
	}
}

// apart adds a difference where it is among the farthest.
func (r *Result) apart(all []Difference) {
	slices.SortStableFunc(all, func(x, y Difference) int {
		switch dx, dy := x.distance(), y.distance(); {
		case dx > dy:
			return -1
		case dx < dy:
			return 1
		}
		return x.Start.Compare(y.Start)
	})
	for _, d := range all {
		if len(r.Differ) == maxDiffer {
			return
		}
		near := slices.ContainsFunc(r.Differ, func(o Difference) bool {
			return o.Camera == d.Camera && o.Start.Sub(d.Start).Abs() < calibrate.Apart
		})
		if !near {
			r.Differ = append(r.Differ, d)
		}
	}
}

// maxDiffer bounds the clips that are listed.
const maxDiffer = 20

func (d Difference) distance() float64 {
	if d.A > d.B {
		return d.A - d.B
	}
	return d.B - d.A
}
