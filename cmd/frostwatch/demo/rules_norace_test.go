//go:build !race

package demo_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/topics"
)

// skip is how many of a film's first frames are left out, so that its windows begin
// elsewhere than in the end-to-end test.
const skip = 4

// demoRules are those of the demo's pipeline.yaml.
func demoRules(t *testing.T) *alerts.RuleSet {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(path, demo.Config(), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := calibrate.CompileRules(path)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// evaluate is what rules raise and clear on recognitions.
func evaluate(rules *alerts.RuleSet, thresholds []topics.Threshold, recs []topics.Recognition) (out []topics.Alert) {
	e := alerts.NewEngine(rules, time.Minute)
	for _, t := range thresholds {
		e.SetThreshold(t.Camera, t.Rule, &t)
	}
	for _, r := range recs {
		out = append(out, e.Evaluate(r)...)
	}
	return out
}

// Each staged event raises one alert, and nothing else raises any. Rules and staged
// actions share their names.
func TestTheDemosRulesRaiseWhatIsStaged(t *testing.T) {
	m, rules := demoModel(t), demoRules(t)
	truths, err := demo.Truths()
	if err != nil {
		t.Fatal(err)
	}
	films, err := demo.Clips()
	if err != nil {
		t.Fatal(err)
	}
	words := watchVocabulary(t, m, demo.Vocabulary()...)
	for _, film := range films {
		raised := map[int]int{} // by event
		for _, a := range evaluate(rules, nil, words.score(record(t, m, film, skip), nil)) {
			if a.State != topics.AlertRaised {
				continue
			}
			until := a.At.Sub(t0).Seconds()
			event := slices.IndexFunc(truths[film].Labels, func(l demo.Label) bool {
				return l.Action == a.Rule && l.Start < until && l.End > until-4.267
			})
			if event < 0 {
				t.Errorf("%s: %s raised at %.1f s (contrast %.3f), where nothing of the kind is staged", film, a.Rule, until, a.Contrast)
			}
			raised[event]++
		}
		for i, l := range truths[film].Labels {
			if slices.Contains(rules.Names(), l.Action) && raised[i] != 1 {
				t.Errorf("%s: %s at %.1f s raised %d alerts", film, l.Action, l.Start, raised[i])
			}
		}
	}
}
