package words

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Kept are the thresholds that would keep a budget of false alarms for a word on cameras,
// by what they have recorded since a time.
func (a Asker) Kept(ctx context.Context, label vocab.Label, budget alerts.Budget, cameras []string, since time.Time, m calibrate.Model) ([]topics.Threshold, error) {
	rules, err := alerts.NewRuleSet(alerts.Rule{Name: "try", Actions: []string{label.Name}, FalseAlarms: budget})
	if err != nil {
		return nil, err
	}
	wanted := map[string][]alerts.Budgeted{}
	for _, camera := range cameras {
		wanted[camera] = rules.Budgeted(camera, nil)
	}
	only := &vocab.Vocabulary{Name: "try", Labels: []vocab.Label{label}}
	return calibrate.Thresholds(ctx, calibrate.DialOptions{
		Past: ruledesk.Lately{Past: a.Past, Since: since}, Model: m, Now: a.Now, Wanted: wanted, Least: calibrate.LeastContrast,
		Embedder: func(m calibrate.Model) (calibrate.Embedder, error) { return a.Remote(m) },
		Words:    func(string) *vocab.Vocabulary { return only },
	})
}
