package infer

import (
	"image/color"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// A zone that a rule names is seen in its own zoom, which costs a run of the model and
// changes nothing about the whole picture; a zone that none names is not looked at.
func TestZonesThatRulesNameAreSeen(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	table := r.client.Table(r.names.Of(topics.Watched))
	for key, w := range map[string]topics.WatchedLabels{
		"a/door": {Camera: "a", Rule: "door", Labels: []string{"bright"}, Zones: []string{"door", "gone"}},
		"a/dark": {Camera: "a", Rule: "dark", Labels: []string{"dark"}, Zones: []string{"door", "still"}},
	} {
		value, err := topics.EncodeWatched(w)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := table.Put(t.Context(), key, value, "a"); err != nil {
			t.Fatal(err)
		}
	}
	now, white := time.Now(), jpegOf(t, 16, 16, color.White)
	for _, camera := range []string{"a", "b"} {
		c, err := topics.DecodeClip(wideClip(t, camera, 0, now, nil))
		if err != nil {
			t.Fatal(err)
		}
		area := topics.Polygon{{X: 0, Y: 0}, {X: .1, Y: 1}}
		for _, name := range []string{"door", "unasked"} {
			c.Zones = append(c.Zones, topics.ClipZone{Zone: topics.Zone{Name: name, Area: area}, Zoom: zoomOf(white)})
		}
		c.Zones = append(c.Zones, topics.ClipZone{Zone: topics.Zone{Name: "still", Area: area}})
		b, err := topics.EncodeClip(c)
		if err != nil {
			t.Fatal(err)
		}
		r.send(camera, b)
	}
	m := r.model("first")
	m.brightAndDark(t)
	o := r.options(m.recogniser())
	o.Watched = table
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) == 2 })
	got := r.recognitions()
	if b := got["b"][0]; len(b.Labels) != 2 || len(b.Views) != 0 {
		t.Errorf("of a camera whose zones no rule names: %+v", b)
	}
	a := got["a"][0]
	if len(a.Views) != 2 || !a.Views[1].Zone.Names("door") || a.Views[1].Zone.Polygon == "" || a.Views[0].Zone != nil || a.Embedding[0] > -.9 {
		t.Fatalf("views %+v, the first %v", a.Views, a.Embedding)
	}
	if len(a.Labels) != 4 {
		t.Fatalf("labels %+v", a.Labels)
	}
	for i, want := range []struct {
		label  string
		zoned  bool
		likely bool
	}{{"dark", false, true}, {"bright", false, false}, {"bright", true, true}, {"dark", true, false}} {
		l := a.Labels[i]
		if l.Label != want.label || (l.Zone != nil) != want.zoned || (l.Score > .9) != want.likely || (l.View == 1) != want.zoned || want.zoned && *l.Zone != *a.Views[1].Zone {
			t.Errorf("label %d: %+v, want %+v", i, l, want)
		}
	}
}
