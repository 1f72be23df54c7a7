package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// proof judges thresholds by hours that they were not found from.
type proof struct {
	options
	*recorded
	texts *texts
	rules *alerts.RuleSet // those that thresholds which are the same on every camera are for
}

// split is which hours thresholds are found from, and which they are judged by.
type split struct{ learn, judge []int }

func (s split) String() string { return fmt.Sprintf("learn %v judge %v", s.learn, s.judge) }

// splits take turns with which hours are judged, the last ones first: an hour is no
// more like its neighbour than like any other.
func (p *proof) splits() (out []split, err error) {
	hours := 0
	for _, camera := range p.cameras {
		all := p.hours[camera]
		hours = max(hours, p.hour(all[len(all)-1].Value.Start)+1)
	}
	if hours < p.learn+p.judge {
		return nil, fmt.Errorf("%d hours are recorded, want %d", hours, p.learn+p.judge)
	}
	for last := hours; last-p.judge >= 0; last -= p.judge {
		var s split
		for hour := range hours {
			switch {
			case hour >= last-p.judge && hour < last:
				s.judge = append(s.judge, hour)
			case len(s.learn) < p.learn:
				s.learn = append(s.learn, hour)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// of are the records of some hours.
func (p *proof) of(hours []int) view {
	return view{records: p.hours, want: func(r record) bool { return slices.Contains(hours, p.hour(r.Value.Start)) }}
}

// rulesWith makes a rule for each label, with so many false alarms allowed in the
// budget's time.
func (p *proof) rulesWith(budget int) (*alerts.RuleSet, error) {
	var all []alerts.Rule
	for _, l := range p.labels {
		r := p.rule
		r.Name, r.Actions, r.FalseAlarms.Count = ruleOf(l.Name), []string{l.Name}, budget
		all = append(all, r)
	}
	return alerts.NewRuleSet(all...)
}

// ruleOf is what the rule about a label is called.
func ruleOf(label string) string { return strings.ReplaceAll(label, " ", "-") }

// thresholds are those that the stage calibrate finds from the hours to learn from,
// where people marked every staged event as true.
func (p *proof) thresholds(ctx context.Context, rules *alerts.RuleSet, s split, least float64) ([]topics.Threshold, error) {
	words := &vocab.Vocabulary{Name: "default", Version: "proof", Labels: p.labels}
	wanted := map[string][]alerts.Budgeted{}
	for _, camera := range p.cameras {
		wanted[camera] = rules.Budgeted(camera, nil)
	}
	var marks []topics.Mark
	for i, e := range p.staged {
		marks = append(marks, topics.Mark{
			Alert: fmt.Sprint(i), Camera: e.camera, Rule: ruleOf(e.label), Label: e.label, True: true, Onset: e.start, Ended: e.end, At: e.end,
		})
	}
	return calibrate.Thresholds(ctx, calibrate.DialOptions{
		Past: p.of(s.learn), Model: p.model, Words: func(string) *vocab.Vocabulary { return words }, Wanted: wanted, Marks: marks, Least: least,
		Embedder: func(calibrate.Model) (calibrate.Embedder, error) { return p.texts, nil },
		Now:      p.first.Add(time.Duration(len(s.learn)+len(s.judge)) * time.Hour),
	})
}

// judged is what a rule did on a camera in the judged hours and in clips of events.
type judged struct {
	Camera string  `json:"camera"`
	Rule   string  `json:"rule"`
	Raise  float64 `json:"raise"`
	Found  string  `json:"found"`        // as a threshold's Tail
	False  int     `json:"false_alarms"` // in the judged hours
	Staged int     `json:"staged"`       // events that were not learnt from
	Caught int     `json:"caught"`       // those of them with an alert
	Open   int     `json:"open"`         // others during which an alert was open that had begun before
}

// judgement are all of them, by camera and rule.
type judgement []*judged

func (j judgement) of(camera, rule string) *judged {
	i := slices.IndexFunc(j, func(o *judged) bool { return o.Camera == camera && o.Rule == rule })
	return j[i]
}

// run runs the rules with thresholds over the judged hours and the clips of events.
func (p *proof) run(ctx context.Context, rules *alerts.RuleSet, all []topics.Threshold, s split, m measure) (judgement, error) {
	var out judgement
	for _, t := range all {
		out = append(out, &judged{Camera: t.Camera, Rule: t.Rule, Raise: t.Raise, Found: t.Tail})
	}
	hours, clips := p.of(s.judge), view{records: p.events}
	hours.change, clips.change = m.of, m.of
	for _, past := range []view{hours, clips} {
		replayed, err := calibrate.Replay(ctx, calibrate.ReplayOptions{Past: past, Rules: rules, Thresholds: all})
		if err != nil {
			return nil, err
		}
		events := p.stagedEvents
		if past.want != nil {
			events = slices.DeleteFunc(slices.Clone(p.staged), func(e staged) bool { return !slices.Contains(s.judge, p.hour(e.start)) })
		}
		p.judgeAlerts(out, replayed.Alerts, events, past.want != nil)
	}
	return out, nil
}

// judgeAlerts counts the alerts that no staged event explains as false, and the events
// that have one as caught.
func (p *proof) judgeAlerts(out judgement, all []topics.Alert, events []staged, countFalse bool) {
	cleared := map[string]time.Time{}
	for _, a := range all {
		if a.State == topics.AlertCleared {
			cleared[a.ID] = a.At
		}
	}
	caught, open := map[int]bool{}, map[int]bool{}
	for _, a := range all {
		if a.State != topics.AlertRaised {
			continue
		}
		explained := false
		for i, e := range events {
			if e.camera != a.Camera || ruleOf(e.label) != a.Rule {
				continue
			}
			if p.shows(a, e) {
				caught[i], explained = true, true
			}
			if end, over := cleared[a.ID]; a.At.Before(e.end) && (!over || end.After(e.start)) {
				open[i] = true
			}
		}
		if countFalse && !explained {
			out.of(a.Camera, a.Rule).False++
		}
	}
	for i, e := range events {
		o := out.of(e.camera, ruleOf(e.label))
		o.Staged++
		if caught[i] {
			o.Caught++
		} else if open[i] {
			o.Open++
		}
	}
}

// shows is whether one of the clips that raised an alert shows some of an event.
func (p *proof) shows(a topics.Alert, e staged) bool {
	window, slack := p.window(), time.Millisecond // times in tables are rounded
	return !a.Onset.After(e.end.Add(slack-window)) && !a.At.Add(-window).Before(e.start.Add(-slack))
}

// window is how long the clips are.
func (p *proof) window() time.Duration {
	r := p.hours[p.cameras[0]][0].Value
	return r.End.Sub(r.Start)
}
