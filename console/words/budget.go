package words

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// lately is the past since a time: what a budget rests on here is the time that was
// asked for, however far back it would look by itself.
type lately struct {
	calibrate.Past
	since time.Time
}

func (p lately) Scan(ctx context.Context, g archive.Range, fn func(archive.Batch) error) (archive.Counts, error) {
	if g.Since.Before(p.since) {
		g.Since = p.since
	}
	return p.Past.Scan(ctx, g, fn)
}

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
		Past: lately{a.Past, since}, Model: m, Now: a.Now, Wanted: wanted, Least: calibrate.LeastContrast,
		Embedder: func(m calibrate.Model) (calibrate.Embedder, error) { return a.remote(m) },
		Words:    func(string) *vocab.Vocabulary { return only },
	})
}
