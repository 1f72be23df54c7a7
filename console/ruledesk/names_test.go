package ruledesk

import (
	"reflect"
	"testing"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/vocab"
)

// A name that nothing has is named with its field, and what may have been meant; those that
// there are are offered, as far as commas can stand between them.
func TestNamesThatNothingHas(t *testing.T) {
	day := vocab.Vocabulary{Name: "day", Labels: []vocab.Label{{Name: "running"}, {Name: "falling down"}, {Name: "here, there"}}}
	night := vocab.Vocabulary{Name: "night", Labels: []vocab.Label{{Name: "sleeping"}}}
	around := Around{Contents: Contents{of: map[string]*vocab.Vocabulary{"day": &day, "night": &night}, cfg: config.Vocab{Name: "day"}}, ReceiverNames: []string{"ops"}}
	around.Surroundings.Words = around.Contents.Words
	around.Cameras = map[string][]string{"ward-1": {"indoor"}, "yard": nil}
	around.Vocabularies = map[string]string{"yard": "night"}
	around.Receivers = func(_, _, _ string) string { return "" }
	if got, want := around.Known(), (Known{[]string{"falling down", "running", "sleeping"}, []string{"ward-1", "yard"}, []string{"indoor"}, []string{"ops"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	for _, c := range []struct {
		rule string
		want []Stranger
	}{
		{"actions: [RUNNING, here, there]\ncameras: [ward-*]\ncamera_tags: [indoor]\nnotify: [ops]", []Stranger{{"actions", "here", "here, there"}, {"actions", "there", ""}}},
		{"actions: [rumning]\ncameras: [ward-*, hall]\ncamera_tags: [indor]\nnotify: [ops, opps]", []Stranger{{"actions", "rumning", "running"}, {"cameras", "hall", ""}, {"camera_tags", "indor", "indoor"}, {"notify", "opps", "ops"}}},
		{"actions: [running]\ncameras: [yard]", []Stranger{{"actions", "running", ""}}},
		{"absent: {actions: [sleeping], for: 1h}\ncameras: [ward-1]", []Stranger{{"actions", "sleeping", ""}}},
	} {
		r, err := alerts.ParseRule("r", c.rule)
		if err != nil {
			t.Fatal(err)
		}
		if got := around.Strangers(r); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v", c.rule, got)
		}
	}
	around.Cameras, around.Receivers = nil, nil
	around.Surroundings.Words = func(string) *vocab.Vocabulary { return nil }
	around.of = nil
	if r, err := alerts.ParseRule("r", "actions: [x]\ncameras: [x]\nnotify: [x]"); err != nil || len(around.Strangers(r)) > 0 {
		t.Errorf("what is not known is no mistake: %v %+v", err, around.Strangers(r))
	}
}
