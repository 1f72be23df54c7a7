package calibrate

import (
	"context"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// LearnOptions say for which model to find thresholds before it takes another's place. All
// are required but Marks.
type LearnOptions struct {
	Past     Past  // what the model makes of recorded clips
	Model    Model // that made it
	Embedder Embedder
	Rules    *alerts.RuleSet
	Cameras  map[string]topics.Camera
	Words    WordsOf
	Marks    []topics.Mark
	Now      time.Time
}

// Learn finds thresholds for the budgets of rules with a model that does not serve yet, as
// the stage does for the one that serves: of cameras with enough of a past alone. What was
// found for another model says nothing about this one, and so does not count.
func Learn(ctx context.Context, o LearnOptions) ([]topics.Threshold, error) {
	tags := map[string][]string{}
	for name, c := range o.Cameras {
		tags[name] = c.Tags
	}
	zones := func(camera string) map[string]topics.Polygon { return o.Cameras[camera].Zones }
	sound, _ := able(wanted(o.Rules, tags), o.Words, zones)
	found, err := Thresholds(ctx, DialOptions{
		Past: o.Past, Model: o.Model, Embedder: func(Model) (Embedder, error) { return o.Embedder, nil }, Words: o.Words, Now: o.Now,
		Wanted: sound, Zones: zones, Fleet: fleet(sound), Marks: o.Marks, Least: LeastContrast,
	})
	return slices.DeleteFunc(found, func(t topics.Threshold) bool { return t.Learning }), err
}

// carry is a threshold that was found, with what was found before for a model that is to
// come. Once that model serves it stands in for what is found of its own past, as long as it
// rests on more.
func carry(found topics.Threshold, before topics.Threshold, now time.Time) topics.Threshold {
	next := before.Next
	if next == nil || next.RuleHash != found.RuleHash || next.Words != found.Words || now.Sub(next.At) > lookBack {
		return found
	}
	switch {
	case next.Model != found.Model:
		found.Next = next
		return found
	case next.References == found.References && (found.Learning || next.Days >= found.Days):
		stands := *next
		stands.Next = next
		return stands
	}
	return found
}
