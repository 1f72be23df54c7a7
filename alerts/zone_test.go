package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// in is a label as it is seen in a zone.
func in(zone string, l topics.LabelScore) topics.LabelScore {
	l.Zone, l.View = &topics.ZoneRef{Name: zone, Polygon: "1f"}, 1
	return l
}

// zonedClip has a zoom on a zone beside the picture's middle.
func zonedClip(camera string, i int, labels ...topics.LabelScore) topics.Recognition {
	rec := clipAt(t0, i, labels...)
	rec.Camera, rec.ClipID = camera, topics.ClipID(camera, t0, time.Duration(i)*2*time.Second)
	rec.Views = []topics.SeenView{{View: topics.ViewCentre, Box: topics.Box{Left: .2, Width: .6, Height: 1}},
		{View: topics.ViewZoom, Box: topics.Box{Left: .1, Top: .2, Width: .2, Height: .3}, Zone: &topics.ZoneRef{Name: "fence", Polygon: "1f"}}}
	return rec
}

// What happens beside a zone raises nothing there, and what happens in it raises nothing
// for the whole picture; whatever the kind of rule.
func TestRulesAboutZones(t *testing.T) {
	zone := ZoneNames{"fence", "gate"}
	rules := []Rule{
		{Name: "anywhere", Actions: []string{"fall"}},
		{Name: "there", Actions: []string{"fall"}, Zone: zone, Escalate: &Escalate{After: 5 * time.Second}},
		{Name: "tagged", Tags: []string{"danger"}, Zone: zone, Clips: ClipsRule{2, 2}},
		{Name: "after", Actions: []string{"run"}, Then: &Then{[]string{"fall"}, time.Minute}, Zone: zone},
		{Name: "similar", Actions: []string{"fall"}, Zone: zone, Similarity: &Levels{Raise: .3}},
	}
	e := newEngine(t, rules...)
	high, low, run := fall(.9), fall(.1), topics.LabelScore{Label: "run", Score: .9}
	high.Tags, high.Similarity, high.NearestBase = []string{"danger"}, .4, "lying"
	low.Tags, low.Similarity = high.Tags, .1
	var got []string
	for i, labels := range [][]topics.LabelScore{
		{high, run},                              // elsewhere
		{low, in("yard", high), in("yard", run)}, // in a zone of another name
		{low, in("gate", run)},
		{low, in("fence", high)},
		{low, in("fence", high), in("gate", low)},
		{high, in("fence", low)},
		{low, in("fence", low)},
	} {
		for _, a := range e.Evaluate(zonedClip("lobby", i, slices.Clone(labels)...)) {
			got = append(got, fmt.Sprintf("%d %s %s %s", i, a.Rule, a.State, a.Zone))
			if err := a.Validate(); err != nil {
				t.Error(err)
			}
			if a.Rule == "there" && a.State == topics.AlertRaised && (a.View != topics.ViewZoom || a.Box == nil || a.Box.Left != .1) {
				t.Errorf("seen in %s %v", a.View, a.Box)
			}
		}
	}
	want := []string{
		"0 anywhere raised ", "1 anywhere cleared ",
		"3 there raised fence", "3 after raised fence", "3 similar raised fence",
		"4 tagged raised fence",
		"5 anywhere raised ", "5 there cleared fence", "5 after cleared fence", "5 similar cleared fence",
		"6 anywhere cleared ", "6 tagged cleared fence",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// An absence in a zone goes on while the label is seen beside it.
func TestAnAbsenceInAZone(t *testing.T) {
	guard := topics.LabelScore{Label: "guard", Score: .9}
	e := newEngine(t, Rule{Name: "r", Absent: &Absent{[]string{"guard"}, 10 * time.Second}, Zone: ZoneNames{"gate"}})
	var got []string
	for i := range 12 {
		l := guard
		if i == 10 {
			l = in("gate", guard)
		}
		for _, a := range e.Evaluate(zonedClip("lobby", i, l)) {
			got = append(got, fmt.Sprint(i, a.State, a.Zone))
		}
	}
	if want := []string{"5raisedgate", "10clearedgate"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Cameras are counted by what each shows in its zone of that name.
func TestZonesOfSeveralCamerasAreCounted(t *testing.T) {
	rules := ruleSet(t, Rule{Name: "r", Actions: []string{"fall"}, Count: &Count{2, time.Minute}, Zone: ZoneNames{"gate"}})
	e := NewEngine(rules, time.Minute)
	var found []topics.Sighting
	e.SetSighted(func(s topics.Sighting) {
		b, err := topics.EncodeSighting(s)
		if err != nil {
			t.Fatal(err)
		}
		if s, err = topics.DecodeSighting(b); err != nil {
			t.Fatal(err)
		}
		found = append(found, s)
	})
	e.Evaluate(zonedClip("a", 0, in("gate", fall(.9))))
	e.Evaluate(zonedClip("b", 0, fall(.9)))
	if all := CountAll(rules, found, t0.Add(time.Minute)); len(found) != 1 || len(all) != 0 {
		t.Fatalf("%d cameras count, %d alerts", len(found), len(all))
	}
	e.Evaluate(zonedClip("b", 1, in("gate", fall(.9))))
	if all := CountAll(rules, found, t0.Add(time.Minute)); len(all) == 0 || all[0].Zone != "gate" || all[0].Box == nil {
		t.Errorf("%+v", all)
	}
}

// Whoever writes a rule hears at once of what can't be, and of cameras that lack its zone.
func TestZonesOfRulesAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"actions: [fall]\nzone: gate":                                                        "",
		"actions: [fall]\nzone: [gate, fence]":                                               "",
		"actions: [fall]\nzone: [gate, gate]":                                                "zone: gate is named twice",
		"actions: [fall]\nzone: 'the gate'":                                                  `zone "the gate": want a name of 1 to 64`,
		"actions: [fall]\nzone: [" + strings.Repeat("z, ", 20) + "z]":                        "zone: 21 zones, want at most 8",
		"stream: black for 1m\nzone: gate":                                                   "a rule on streams",
		"actions: [fall]\nzone: gate\noverrides: [{cameras: [a], clips: 2 of 3}]":            "",
		"actions: [fall]\nzone: gate\nfalse_alarms: 1 per week\nclips: 2 of 3\ncooldown: 1m": "",
	} {
		_, err := ParseRule("r", text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	area := map[string]topics.Polygon{"gate": {{X: 0, Y: 0}, {X: 1, Y: 1}}}
	around := Surroundings{Cameras: map[string][]string{"yard": nil, "lobby": nil, "hall": nil}, Zones: map[string]map[string]topics.Polygon{"yard": area, "hall": nil}}
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{Actions: []string{"fall"}, Zone: ZoneNames{"fence", "gate"}, Cameras: []string{"yard"}}, ""},
		{Rule{Actions: []string{"fall"}, Zone: ZoneNames{"gate"}}, "no zone gate on hall, lobby: add it with `frostwatch camera set CAMERA --zone`"},
		{Rule{Actions: []string{"fall"}}, ""},
	} {
		c.rule.Name = "r"
		got := ""
		if err := ruleSet(t, c.rule).WithoutEffect(around)["r"]; err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.rule, got, c.want)
		}
	}
}

// A rule that is tried elsewhere than in the engine says why it raises nothing.
func TestAClipWithoutItsZoneIsExplained(t *testing.T) {
	e := newEngine(t, Rule{Name: "r", Actions: []string{"fall"}, Zone: ZoneNames{"fence"}})
	var why []string
	e.SetTrace(func(tr Trace) { why = append(why, tr.Why) })
	e.Evaluate(zonedClip("lobby", 0, fall(.9)))
	e.Evaluate(zonedClip("lobby", 1, in("fence", fall(.1))))
	if len(why) != 2 || !strings.Contains(why[0], "nothing moved in its zone") || !strings.Contains(why[1], `"fall" has 0.100 in zone fence`) {
		t.Errorf("%q", why)
	}
}
