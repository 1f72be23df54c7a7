package alerts

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// anyLevels gives rules measures, budgets and selections that anyRule does not.
func anyLevels(r *rand.Rand, set *RuleSet) (rules []Rule) {
	for _, rule := range set.Rules() {
		switch r.IntN(7) {
		case 0:
			rule.Contrast, rule.Overrides = nil, nil
			rule.FalseAlarms = Budget{1, 24 * time.Hour, false}
		case 1:
			rule.Contrast, rule.SeverityFrom, rule.Overrides = nil, nil, nil
			rule.Similarity = &Levels{Raise: .3, Clear: -.1}
		case 2:
			rule.Contrast = nil // the label's own threshold, or the default
		case 3:
			rule.Contrast = nil
			rule.Score = &Levels{Raise: .6, Clear: .55}
		case 4:
			if len(rule.Actions) > 0 && rule.Then == nil {
				rule.Actions, rule.Novel = nil, true
			}
		case 5:
			if rule.Absent == nil {
				rule.Count, rule.Overrides, rule.Escalate, rule.SeverityFrom = &Count{2, time.Minute}, nil, nil, nil
				rule.InhibitedBy = nil
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// Rules are not shown clips in which nothing reaches what matters to them: whatever the
// rules and the stream, and whatever changes on the way, they raise, clear and count the
// same as if they were shown all, as they are while somebody traces them. Labels lie in
// memory that is used again, as those of an archive do.
func TestQuietClipsThatAreNotShownToRulesChangeNothing(t *testing.T) {
	passed := 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 18))
		sets := []*RuleSet{anyRules(t, r), anyRules(t, r)}
		for i := range sets {
			tried, err := NewRuleSet(anyLevels(r, sets[i])...)
			if err == nil { // else the combination is refused
				sets[i] = tried
			}
		}
		var got, want []string
		var room []topics.LabelScore
		fast, slow := NewEngine(sets[0], time.Minute), NewEngine(sets[0], time.Minute)
		fast.SetSighted(func(s topics.Sighting) { got = append(got, fmt.Sprint(s.Rule, s.Seen.ClipID, s.Seen.Threshold)) })
		slow.SetSighted(func(s topics.Sighting) { want = append(want, fmt.Sprint(s.Rule, s.Seen.ClipID, s.Seen.Threshold)) })
		slow.SetTrace(func(Trace) {})
		both := func(do func(e *Engine) []topics.Alert) {
			for _, a := range do(fast) {
				got = append(got, told(a)+fmt.Sprint(a.Threshold))
			}
			for _, a := range do(slow) {
				want = append(want, told(a)+fmt.Sprint(a.Threshold))
			}
		}
		for i, rec := range anyStream(r, true) {
			switch r.IntN(40) {
			case 0:
				rules := sets[r.IntN(2)]
				both(func(e *Engine) []topics.Alert { return e.SetRules(rules) })
			case 1:
				rule := fmt.Sprint("r", r.IntN(3))
				threshold := &topics.Threshold{Raise: .2 + .6*r.Float64(), Clear: .2}
				if b := slices.IndexFunc(sets[0].Rules(), func(x Rule) bool { return x.Name == rule }); b >= 0 {
					threshold.RuleHash = sets[0].find(rule).hash
				}
				both(func(e *Engine) []topics.Alert { e.SetThreshold(rec.Camera, rule, threshold); return nil })
			case 2:
				at := rec.End.Add(time.Duration(r.IntN(60)) * time.Second)
				both(func(e *Engine) []topics.Alert { return e.Tick(at) })
			}
			for l := range rec.Labels {
				label := &rec.Labels[l]
				label.Similarity, label.Novel, label.Background = label.Score-.3, r.IntN(2) == 0, r.IntN(4) == 0
				label.Threshold = []float64{0, 0, .1, .45}[r.IntN(4)]
			}
			room = append(room[:0], rec.Labels...)
			whole := rec
			rec.Labels = room
			if c := fast.cameras[rec.Camera]; c != nil && fast.isQuiet(c, &rec) {
				passed++
			}
			both(func(e *Engine) []topics.Alert {
				if e == fast {
					return e.EvaluateAt(&rec)
				}
				return e.Evaluate(whole)
			})
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, clip %d: %s", seed, i, firstDifference(got, want))
			}
		}
		if !reflect.DeepEqual(fast.Open(), slow.Open()) {
			t.Fatalf("seed %d: open are %+v and %+v", seed, fast.Open(), slow.Open())
		}
	}
	if passed < 400 {
		t.Errorf("only %d clips were quiet", passed)
	}
}

// A window that becomes longer by an edit holds no clip again that it had dropped.
func TestALongerWindowHoldsNoOlderClips(t *testing.T) {
	rule := func(m int) Rule {
		return Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, m}, Contrast: &Levels{Raise: .5}}
	}
	e := newEngine(t, rule(2))
	play(e, t0, 0, .9, .1, .1)
	e.SetRules(ruleSet(t, rule(4)))
	if events, _ := play(e, t0, 3, .9); len(events) > 0 {
		t.Errorf("got %v: the first clip was no longer among the last two", events)
	}
	if events, _ := play(e, t0, 4, .1, .9); !slices.Equal(events, []string{"raised 3-5"}) {
		t.Errorf("got %v", events)
	}
}

// More labels than are told apart, and names that are forgotten, change nothing either.
func TestManyLabelsRaiseTheSame(t *testing.T) {
	e := newEngine(t, Rule{Name: "any", Novel: true, Contrast: &Levels{Raise: .5}})
	raised := 0
	for i := range 3 * maxNames {
		value := .1
		if i%100 < 2 { // two clips each 200 s
			value = .9
		}
		label := topics.LabelScore{Label: fmt.Sprint("label ", i), Novel: true, Contrast: value, Score: value}
		for _, a := range e.Evaluate(clipAt(t0, i, label)) {
			if a.State == topics.AlertRaised {
				raised++
			}
		}
	}
	if want := (3*maxNames + 99) / 100; raised != want {
		t.Errorf("raised %d alerts, want %d", raised, want)
	}
}
