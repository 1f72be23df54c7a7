package alerts

import "github.com/frostwatch/frostwatch/topics"

// Nearness is how near a label's value is to what a rule raises at.
type Nearness struct {
	Rule    string
	Measure Measure // what the rule compares
	Value   float64 // of the label
	Raise   float64 // from this value on the label counts for raising
}

// Nearest is what the rules compare on one camera: for people who want to see how near
// an alert is. It is used by one goroutine.
type Nearest struct {
	judges []nearJudge
}

type nearJudge struct {
	judge
	name string
}

// Nearest are the rules that watch a camera with these tags for what is seen, with those
// of the thresholds that keep a budget there. Rules about what is not seen and about
// streams are left out.
func (s *RuleSet) Nearest(camera string, tags []string, thresholds map[string]topics.Threshold) Nearest {
	var n Nearest
	if s == nil {
		return n
	}
	for _, base := range s.rules {
		r := base.on(camera, tags)
		if r == nil || r.Absent != nil || r.Stream != nil {
			continue
		}
		var own *Levels
		if t, known := thresholds[topics.RuleKey(camera, r.Name)]; known && t.RuleHash == r.hash && r.FalseAlarms != (Budget{}) {
			own = &Levels{Raise: t.Raise, Clear: t.Clear}
		}
		for _, part := range r.Parts() {
			n.judges = append(n.judges, nearJudge{judge: judge{rule: part, own: own}, name: r.Name})
		}
	}
	return n
}

// Of is the rule that a label is nearest to raising an alert of; false: none is about it.
func (n Nearest) Of(l *topics.LabelScore) (best Nearness, ok bool) {
	for i := range n.judges {
		j := &n.judges[i]
		if !j.rule.selects(l) {
			continue
		}
		raise, _ := j.levels(l)
		of := Nearness{Rule: j.name, Measure: j.rule.Measure(), Value: j.value(l), Raise: raise}
		if !ok || of.Value*best.Raise > best.Value*of.Raise {
			best, ok = of, true
		}
	}
	return best, ok
}

// All are the rules that a label counts for, in their order.
func (n Nearest) All(l *topics.LabelScore) (all []Nearness) {
	for i := range n.judges {
		j := &n.judges[i]
		if !j.rule.selects(l) {
			continue
		}
		raise, _ := j.levels(l)
		all = append(all, Nearness{Rule: j.name, Measure: j.rule.Measure(), Value: j.value(l), Raise: raise})
	}
	return all
}
