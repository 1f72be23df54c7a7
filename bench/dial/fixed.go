package main

import (
	"context"

	"github.com/frostwatch/frostwatch/topics"
)

// clearShare is how far below raise a rule clears that says nothing of it, as in the
// alerts stage.
const clearShare = 2.0 / 3

// fixed are thresholds that are the same on every camera, one for each label, in log
// odds.
func (p *proof) fixed(levels []float64, m measure) (out []topics.Threshold) {
	for _, camera := range p.cameras {
		for i, r := range p.rules.Budgeted(camera, nil) {
			raise := logistic(levels[i])
			low := clearShare * raise
			if m.below > 0 {
				low = logistic(levels[i] - m.below)
			}
			out = append(out, topics.Threshold{Camera: camera, Rule: r.Name, RuleHash: r.Hash, Raise: raise, Clear: low, Tail: "fixed"})
		}
	}
	return out
}

// curve is what rules do with one threshold for all cameras, at levels that descend: at
// levels so low that alerts never end there are few again, so that no level can be
// looked for from below.
type curve struct {
	*proof
	split   split
	measure measure
	steps   []judgement // from highest on, stride apart; worked out as they are needed
}

const (
	highest, lowest = 12.0, -20.0
	stride          = 1
	halvings        = 7
)

func (c *curve) at(ctx context.Context, step int) (judgement, error) {
	for len(c.steps) <= step {
		levels := make([]float64, len(c.labels))
		for i := range levels {
			levels[i] = highest - stride*float64(len(c.steps))
		}
		j, err := c.run(ctx, c.rules, c.fixed(levels, c.measure), c.split, c.measure)
		if err != nil {
			return nil, err
		}
		c.steps = append(c.steps, j)
	}
	return c.steps[step], nil
}

// search finds for each label the first level, as close as it gets, at which passed is
// true, and returns what the rules do there, or, with before, just above it.
func (c *curve) search(ctx context.Context, before bool, passed func(sum) bool) (judgement, error) {
	low, high := make([]float64, len(c.labels)), make([]float64, len(c.labels))
	for i, label := range c.labels {
		for step := 0; ; step++ {
			j, err := c.at(ctx, step)
			if err != nil {
				return nil, err
			}
			if low[i] = highest - stride*float64(step); passed(j.sum(ruleOf(label.Name))) || low[i] <= lowest {
				break
			}
		}
		high[i] = low[i] + stride
	}
	for range halvings {
		middle := make([]float64, len(c.labels))
		for i := range middle {
			middle[i] = (low[i] + high[i]) / 2
		}
		j, err := c.run(ctx, c.rules, c.fixed(middle, c.measure), c.split, c.measure)
		if err != nil {
			return nil, err
		}
		for i, label := range c.labels {
			if passed(j.sum(ruleOf(label.Name))) {
				low[i] = middle[i]
			} else {
				high[i] = middle[i]
			}
		}
	}
	if before {
		low = high
	}
	return c.run(ctx, c.rules, c.fixed(low, c.measure), c.split, c.measure)
}

// equalFalse is one threshold for all cameras with no more false alarms in all.
func (c *curve) equalFalse(ctx context.Context, than judgement) (judgement, error) {
	return c.search(ctx, true, func(o sum) bool { return o.False > than.sum(o.Rule).False })
}

// equalRecall is one threshold for all cameras that catches no fewer events.
func (c *curve) equalRecall(ctx context.Context, than judgement) (judgement, error) {
	return c.search(ctx, false, func(o sum) bool { return o.Caught >= than.sum(o.Rule).Caught })
}

// sum is what a rule did on all cameras.
type sum struct {
	Rule                        string
	False, Staged, Caught, Open int
}

// sum adds up a rule's, or all rules' if it is empty.
func (j judgement) sum(rule string) sum {
	out := sum{Rule: rule}
	for _, o := range j {
		if rule == "" || o.Rule == rule {
			out.False, out.Staged, out.Caught, out.Open = out.False+o.False, out.Staged+o.Staged, out.Caught+o.Caught, out.Open+o.Open
		}
	}
	return out
}
