package alerts

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// A sighting says where it was seen by itself: it has no list of views.
func TestASightingSaysWhereItWasSeen(t *testing.T) {
	l := topics.LabelScore{Label: "running", Score: .9, View: 1}
	rec := clipAt(t0, 0, l)
	rec.Views = []topics.SeenView{{View: topics.ViewCentre}, {View: topics.ViewZoom, Box: topics.Box{Left: .7, Width: .25, Height: .5}}}
	e := newEngine(t, Rule{Name: "run", Actions: []string{"running"}})
	e.Evaluate(rec)
	s := e.cameras["lobby"].rules[0].sighting(&rec, rec.Labels[0])
	if s.Seen.View != topics.ViewZoom || s.Seen.Box == nil || s.Seen.Box.Left != .7 || s.Seen.Label.View != 0 {
		t.Errorf("%+v", s.Seen)
	}
	if _, err := topics.EncodeSighting(s); err != nil {
		t.Error(err)
	}
}

// No clip decides that fewer cameras count, so that clear has neither values nor a place.
func TestTheClearOfACountHasNoPlace(t *testing.T) {
	set := ruleSet(t, crowd(2, 10*time.Second))
	all := []topics.Sighting{sees(set, "a", 0), sees(set, "b", 1)}
	for _, s := range all {
		s.Seen.View, s.Seen.Box = topics.ViewZoom, &topics.Box{Left: .7, Width: .25, Height: .5}
	}
	got := CountAll(set, all, t0.Add(time.Minute))
	if len(got) != 2 || got[0].View != topics.ViewZoom || got[0].Box == nil || got[1].State != topics.AlertCleared || got[1].View != "" || got[1].Box != nil {
		t.Errorf("%+v", got)
	}
}
