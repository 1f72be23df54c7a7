//go:build !race

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
