package calibrate

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func areaOf(t *testing.T, text string) (p topics.Polygon) {
	t.Helper()
	if err := p.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return p
}

// yardOf is an hour of a camera with two zones that a rule names: what happens is in the
// middle, or at the gate, or at the fence at the edge of the picture, where the middle of the
// zoom lies beside the zone.
func yardOf(m *scoring.Matrix, zones map[string]topics.Polygon) *recorded {
	past, random := &recorded{}, rand.New(rand.NewPCG(4, 4))
	for i := range 240 {
		looks := []string{"a plant", "an empty hall", "a closed door"}
		if i%12 < 3 {
			looks[i/12%3] = []string{"fall", "leaves a bag"}[i%2]
		}
		past.add(0, "yard", i, func(r *topics.Recognition) {
			seenBy(m, random, []topics.View{"centre"}, looks...)(r)
			r.Views[0].Box = topics.Box{Left: .2, Width: .6, Height: 1}
			clips := []scoring.Clip{{Mean: r.Embedding, First: r.First, Last: r.Last}}
			boxes := []topics.Box{r.Views[0].Box, {Left: .5, Top: .5, Width: .2, Height: .3}, {Left: 0, Top: .4, Width: .2, Height: .3}}
			var of []scoring.Zone
			for k, z := range topics.ZonesOf(zones) {
				ref := z.Ref()
				if i%5 == k { // nothing moves there
					continue
				}
				c := scoring.Clip{Mean: vectorOf(looks[1+k]), First: vectorOf("a person standing"), Last: vectorOf(looks[1+k])}
				clips = append(clips, c)
				box := boxes[1]
				if z.Name == "fence" {
					box = boxes[2]
				}
				r.Views = append(r.Views, topics.SeenView{View: "zoom", Box: box, Zone: &ref, Embedding: c.Mean, First: c.First, Last: c.Last})
				of = append(of, scoring.Zone{Ref: ref, Views: []int{len(clips) - 1}, Watched: scoring.NewWatched([]string{"fall", "leaves a bag"}, nil, false)})
			}
			for k := range clips {
				for _, v := range []*[]float32{&clips[k].Mean, &clips[k].First, &clips[k].Last} {
					*v = topics.RoundFloat16(*v)
				}
				if k > 0 {
					r.Views[k].Embedding, r.Views[k].First, r.Views[k].Last = clips[k].Mean, clips[k].First, clips[k].Last
				}
			}
			scored := m.ScoreViews(clips[:1], float32(r.LogitScale), 2, scoring.NewWatched([]string{"fall", "leaves a bag"}, nil, false))
			m.ScoreZones(&scored, clips, float32(r.LogitScale), of)
			r.Labels, r.References = scored.Labels, scored.References
			for k := 1; k < len(clips); k++ {
				r.Views[k].Logit = scored.Logits[k]
			}
		})
	}
	return past
}

// What is worked out of zones from recorded views is what was scored live, to the last bit
// and with its place; zones that are new, or drawn anew, are judged by the views that lie in
// them.
func TestThePastOfZonesIsWhatWasScored(t *testing.T) {
	zones := map[string]topics.Polygon{"fence": areaOf(t, "0,0 0.08,1"), "gate": areaOf(t, "0.45,0.4 0.8,0.9")}
	m := liveMatrix(t, append(watchedFor(), vocab.Label{Name: "a plant"})...)
	past, refs := yardOf(m, zones), someReferences(t)
	model := Model{ID: "m", Dims: dims, Scale: 10, References: refs.Hash()}
	w, err := NewWords(t.Context(), vectors{refs}, model, watchedFor())
	if err != nil {
		t.Fatal(err)
	}
	stripped := past.without()
	now := func(z map[string]topics.Polygon) Zones {
		return func(camera string) map[string]topics.Polygon {
			if camera != "yard" {
				return nil
			}
			return z
		}
	}
	rules := ruleSet(t,
		alerts.Rule{Name: "fence", Actions: []string{"fall"}, Zone: alerts.ZoneNames{"fence"}, Contrast: &alerts.Levels{Raise: .5}},
		alerts.Rule{Name: "both", Actions: []string{"leaves a bag"}, Zone: alerts.ZoneNames{"fence", "gate"}, Contrast: &alerts.Levels{Raise: .5}},
		alerts.Rule{Name: "whole", Actions: []string{"fall"}, Contrast: &alerts.Levels{Raise: .5}},
	)
	replayed := func(past Past, words *Words, zones Zones) []topics.Alert {
		got, err := Replay(t.Context(), ReplayOptions{Past: past, Rules: rules, Words: words, Zones: zones})
		if err != nil || got.Filled.Other > 0 {
			t.Fatalf("%v, %+v", err, got)
		}
		return bare(got.Alerts)
	}
	live := replayed(past, nil, nil)
	raised := map[string]int{}
	for _, a := range live {
		if a.State == topics.AlertRaised {
			raised[a.Rule+" "+a.Zone]++
		}
	}
	if raised["fence fence"] < 2 || raised["both fence"] < 2 || raised["both gate"] < 2 || raised["whole "] < 2 {
		t.Fatalf("alerts: %v", raised)
	}
	files, strippedFiles := past.files(t), stripped.files(t)
	for name, got := range map[string][]topics.Alert{
		"labels of files":  replayed(files, w, now(zones)),
		"words of records": replayed(stripped, w, now(zones)),
		"words of files":   replayed(strippedFiles, w, now(zones)),
	} {
		if !reflect.DeepEqual(got, live) {
			t.Errorf("%s: %d alerts, want %d", name, len(got), len(live))
		}
	}
	tried, err := Try(t.Context(), TryOptions{Past: strippedFiles, Words: w, Zones: now(zones), Rule: rules.Rules()[1]})
	if want := slices.DeleteFunc(slices.Clone(live), func(a topics.Alert) bool { return a.Rule != "both" }); err != nil || !reflect.DeepEqual(bare(tried.Alerts), want) {
		t.Errorf("tried: %d alerts, want %d, %v", len(tried.Alerts), len(want), err)
	}
	columns := []column{{w, 0, 1, now(zones).of("yard", rules.Rules()[0])}, {w, 0, 1, nil}, {w, 0, 1, now(zones).of("yard", alerts.Rule{Zone: alerts.ZoneNames{"none"}})}}
	got, err := gather(t.Context(), strippedFiles, archive.Range{}, gatherOptions{model: model, columns: map[string][]column{"yard": columns}})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range past.actions[0] {
		for c, zone := range []string{"fence", "", "none"} {
			want := float32(-limit)
			for _, l := range r.Value.Labels {
				if l.Label == "fall" && (l.Zone == nil && zone == "" || l.Zone.Names(zone)) {
					want = float32(logit(l.Contrast))
				}
			}
			if have := got.series["yard"].columns[c][i]; have != want {
				t.Fatalf("clip %d, zone %q: log odds of %v, want %v", i, zone, have, want)
			}
		}
	}
	// The fence is drawn wider, so that the middle of its zoom lies in it, and the gate where
	// nothing was seen.
	redrawn := map[string]topics.Polygon{"fence": areaOf(t, "0,0 0.2,1"), "gate": areaOf(t, "0.9,0 1,0.1")}
	count := func(all []topics.Alert, rule, zone string) (n int) {
		for _, a := range all {
			if a.State == topics.AlertRaised && a.Rule == rule && a.Zone == zone {
				n++
			}
		}
		return n
	}
	for name, past := range map[string]Past{"records": past, "files": files} {
		all := replayed(past, w, now(redrawn))
		if count(all, "fence", "fence") != raised["fence fence"] || count(all, "both", "gate") != 0 {
			t.Errorf("%s, zones drawn anew: %d at the fence, want %d; %d at the gate", name, count(all, "fence", "fence"), raised["fence fence"], count(all, "both", "gate"))
		}
		narrow := map[string]topics.Polygon{"fence": areaOf(t, "0,0 0.07,1")}
		if n := count(replayed(past, w, now(narrow)), "fence", "fence"); n != 0 {
			t.Errorf("%s: %d alerts of a zone that no view of its time shows", name, n)
		}
	}
}

// A budget of a rule about a zone is found anew when the zone is drawn anew.
func TestAThresholdRestsOnItsZone(t *testing.T) {
	v := &vocab.Vocabulary{Name: "default", Labels: watchedFor()}
	r := alerts.Rule{Name: "r", Actions: []string{"fall"}, Zone: alerts.ZoneNames{"gate"}}
	if err := r.FalseAlarms.UnmarshalText([]byte("1 per week")); err != nil {
		t.Fatal(err)
	}
	want := wanted(ruleSet(t, r), map[string][]string{"yard": nil})
	texts := func(area string) string {
		_, texts := able(want, func(string) *vocab.Vocabulary { return v }, func(string) map[string]topics.Polygon {
			return map[string]topics.Polygon{"gate": areaOf(t, area)}
		})
		return texts[topics.RuleKey("yard", "r")]
	}
	before, after := texts("0,0 0.5,0.5"), texts("0,0 0.5,0.6")
	if before == after || withoutZones(before) != withoutZones(after) || before != texts("0,0 0.5,0.5") {
		t.Errorf("%s, then %s", before, after)
	}
}
