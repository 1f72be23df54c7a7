package scoring

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// In a zone, a watched label has just what it would have if the clip had no other views
// than those that count for the zone; what is said of the whole picture is as without zones.
func TestLabelsOfAZoneAreThoseOfItsViews(t *testing.T) {
	labels := []vocab.Label{{Name: "fall"}, {Name: "run"}, {Name: "sit"}, {Name: "walk", Background: true}}
	random := rand.New(rand.NewPCG(7, 8))
	door, hall, nothing := topics.ZoneRef{Name: "door", Polygon: "1"}, topics.ZoneRef{Name: "hall", Polygon: "2"}, topics.ZoneRef{Name: "nothing"}
	for name, r := range map[string]*References{"contrast": referencesOf(t, sentences(40)...), "score": nil} {
		m := contrastMatrix(t, r, labels...)
		for range 30 {
			views := []Clip{{Mean: randomClip(random)}, {Mean: randomClip(random)}, {Mean: randomClip(random)}, {Mean: randomClip(random)}}
			whole := m.ScoreViews(views[:2], 14.3, 4, nil)
			got := m.ScoreViews(views[:2], 14.3, 4, nil)
			m.ScoreZones(&got, views, 14.3, []Zone{
				{door, []int{3}, NewWatched([]string{"FALL"}, nil, false)},
				{hall, []int{1, 2}, NewWatched([]string{"run", "fall"}, nil, false)},
				{nothing, nil, NewWatched([]string{"run"}, nil, false)},
			})
			if !reflect.DeepEqual(got.Labels[:4], whole.Labels) || len(got.Labels) != 7 || r != nil && len(got.Logits) != 4 {
				t.Fatalf("%s: %+v", name, got)
			}
			for i, want := range []struct {
				label string
				zone  topics.ZoneRef
				views []int
			}{{"fall", door, []int{3}}, {"fall", hall, []int{1, 2}}, {"run", hall, []int{1, 2}}} {
				var own []Clip
				for _, v := range want.views {
					own = append(own, views[v])
				}
				alone := m.ScoreViews(own, 14.3, 0, NewWatched([]string{want.label}, nil, false)).Labels[0]
				alone.View, alone.Zone = want.views[alone.View], &want.zone
				if l := got.Labels[4+i]; !reflect.DeepEqual(l, alone) {
					t.Errorf("%s: %+v, want %+v", name, l, alone)
				}
			}
		}
	}
}
