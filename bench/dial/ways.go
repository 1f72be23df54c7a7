package main

import (
	"context"
	"fmt"

	"github.com/frostwatch/frostwatch/calibrate"
)

// way is one way of setting thresholds, and what came of it.
type way struct {
	Split string `json:"split"`
	// Budget is how many false alarms are allowed in an hour; Least the contrast below
	// which no threshold is.
	Budget int     `json:"budget"`
	Least  float64 `json:"least"`
	// Equal is for one threshold on all cameras: it catches as many events as the
	// budget does ("recall"), or raises as many false alarms ("false alarms").
	Equal   string    `json:"one_threshold_of_equal,omitempty"`
	Measure string    `json:"measure"`
	Pairs   judgement `json:"pairs"`
}

const (
	recall      = "recall"
	falseAlarms = "false alarms"
)

func (w way) name() string {
	out := fmt.Sprintf("budget %d", w.Budget)
	if w.Least > 0 {
		out += fmt.Sprintf(", least %v", w.Least)
	}
	if w.Equal != "" {
		out = fmt.Sprintf("one for all, as many %s as %s: %s", map[string]string{recall: "events", falseAlarms: falseAlarms}[w.Equal], out, w.Measure)
	}
	return out
}

// tried are the bounds and the budgets that are compared, besides those that are
// judged.
func (p *proof) tried() (least []float64, budgets []int) {
	n := p.rule.FalseAlarms.Count
	return []float64{0, 0.003, calibrate.LeastContrast, 0.02, 0.05, 0.1}, []int{max(n/4, 1), max(n/2, 1), 2 * n}
}

// ways judges by one split.
func (p *proof) ways(ctx context.Context, s split) (out []way, err error) {
	least, budgets := p.tried()
	add := func(budget int, least float64) error {
		rules, err := p.rulesWith(budget)
		if err != nil {
			return err
		}
		all, err := p.thresholds(ctx, rules, s, least)
		if err != nil {
			return err
		}
		j, err := p.run(ctx, rules, all, s, measure{})
		out = append(out, way{Split: s.String(), Budget: budget, Least: least, Measure: "contrast", Pairs: j})
		return err
	}
	for _, l := range least {
		if err := add(p.rule.FalseAlarms.Count, l); err != nil {
			return nil, err
		}
	}
	for _, budget := range budgets {
		for _, l := range []float64{0, calibrate.LeastContrast} {
			if err := add(budget, l); err != nil {
				return nil, err
			}
		}
	}
	fixed, err := p.fixedWays(ctx, s, out)
	return append(out, fixed...), err
}

// fixedWays compare budgets with one threshold for all cameras.
func (p *proof) fixedWays(ctx context.Context, s split, with []way) (out []way, err error) {
	curves := []*curve{{proof: p, split: s, measure: measure{name: "contrast"}}}
	if p.unusual {
		for _, m := range p.measures(s) {
			curves = append(curves, &curve{proof: p, split: s, measure: m})
		}
	}
	for _, w := range with {
		if w.Least != 0 && w.Least != calibrate.LeastContrast {
			continue
		}
		for _, c := range curves {
			if c != curves[0] && (w.Budget != p.rule.FalseAlarms.Count || w.Least != 0) {
				continue
			}
			j, err := c.equalFalse(ctx, w.Pairs)
			if err != nil {
				return nil, err
			}
			out = append(out, way{w.Split, w.Budget, w.Least, falseAlarms, c.measure.name, j})
		}
		if w.Budget == p.rule.FalseAlarms.Count {
			j, err := curves[0].equalRecall(ctx, w.Pairs)
			if err != nil {
				return nil, err
			}
			out = append(out, way{w.Split, w.Budget, w.Least, recall, curves[0].measure.name, j})
		}
	}
	return out, nil
}
