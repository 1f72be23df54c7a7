package ruledesk

import (
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/vocab"
)

func TestLabelsOfRulesByVocabulary(t *testing.T) {
	rules, err := alerts.NewRuleSet(alerts.Rule{Name: "r", Actions: []string{"fall", "Wash  hands", "new"}})
	if err != nil {
		t.Fatal(err)
	}
	c := Contents{cfg: config.Vocab{Name: "default"}, of: map[string]*vocab.Vocabulary{
		"default":   {Name: "default", Labels: []vocab.Label{{Name: "fall"}, {Name: "other"}}},
		"hospital":  {Name: "hospital", Labels: []vocab.Label{{Name: "fall"}, {Name: "wash hands"}}},
		"logistics": {Name: "logistics", Labels: []vocab.Label{{Name: "fall", Description: "of a box"}}},
	}}
	// A rule in force raises nothing for a label that no vocabulary has.
	if labels, _ := c.About(rules, false); slices.ContainsFunc(labels, func(l vocab.Label) bool { return l.Name == "new" }) {
		t.Errorf("in force: %+v", labels)
	}
	labels, in := c.About(rules, true)
	want := map[string][]string{"fall": {"default", "hospital"}, "fall: of a box": {"logistics"}, "wash hands": {"hospital"}, "new": nil}
	for i, l := range labels {
		text := l.Texts()[0]
		if got, ok := want[text]; !ok || !slices.Equal(got, in[i]) {
			t.Errorf("%q is in %q", text, in[i])
		}
		delete(want, text)
	}
	if len(want) > 0 {
		t.Errorf("missing are %v", want)
	}
}
