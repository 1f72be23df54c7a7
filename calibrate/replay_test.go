package calibrate

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// falls records a fall at the given clips of a camera.
func falls(r *recorded, partition int, camera string, clips int, at ...int) {
	for i := range clips {
		score := .05
		if slices.Contains(at, i) {
			score = .9
		}
		r.add(partition, camera, i, labelled("fall", score))
	}
}

// told is what a replay says, in words.
func told(all []topics.Alert) (out []string) {
	for _, a := range all {
		word := string(a.State)
		if a.State == topics.AlertCleared && strings.HasPrefix(a.Reason, "no clip") {
			word = "dropped"
		}
		out = append(out, fmt.Sprintf("%s %s %d", a.Camera, word, int(a.At.Sub(t0.Add(4*time.Second))/stride)))
	}
	return out
}

func onScore(name string) alerts.Rule {
	return alerts.Rule{Name: name, Actions: []string{"fall"}, Score: &alerts.Levels{Raise: .6, Clear: .3}}
}

// A replay raises and clears what the stage would have: cameras that sent no more clips
// are cleared, although nothing else was recorded after them.
func TestReplay(t *testing.T) {
	past := &recorded{}
	falls(past, 1, "lobby", 100, 10, 11, 40)
	falls(past, 2, "ward", 30, 29) // and no more
	o := ReplayOptions{Past: past, Rules: ruleSet(t, onScore("fall")), Until: t0.Add(time.Hour)}
	got, err := Replay(t.Context(), o)
	want := []string{"lobby raised 10", "lobby cleared 12", "ward raised 29", "ward dropped 29", "lobby raised 40", "lobby cleared 41"}
	if err != nil || !slices.Equal(told(got.Alerts), want) || got.Recognitions != 130 {
		t.Errorf("got %q of %d, %v; want %q", told(got.Alerts), got.Recognitions, err, want)
	}
	// Months without a record after it change nothing, and take no time.
	o.Until = t0.AddDate(100, 0, 0)
	if got, _ := Replay(t.Context(), o); !slices.Equal(told(got.Alerts), want) {
		t.Errorf("until a hundred years later: got %q", told(got.Alerts))
	}
	// At its end the ward's alert is open still.
	o.Until = t0.Add(70 * time.Second)
	if got, _ := Replay(t.Context(), o); !slices.Equal(told(got.Alerts), want[:3]) {
		t.Errorf("until 70 s: got %q", told(got.Alerts))
	}
}

// Cameras of all partitions are counted together, and an alert that was raised by another
// of them is the same.
func TestCamerasAreCountedOverPartitions(t *testing.T) {
	past := &recorded{}
	falls(past, 1, "lobby", 60, 10, 40)
	falls(past, 2, "ward", 60, 12)
	falls(past, 3, "yard", 60, 13, 41)
	rule := onScore("falls")
	rule.Score.Clear, rule.Count = 0, &alerts.Count{Cameras: 3, Within: 5 * stride}
	o := ReplayOptions{Past: past, Rules: ruleSet(t, rule), Until: t0.Add(time.Hour)}
	got, err := Replay(t.Context(), o)
	if want := []string{"yard raised 13", "yard cleared 15"}; err != nil || !slices.Equal(told(got.Alerts), want) {
		t.Fatalf("got %q, %v; want %q", told(got.Alerts), err, want)
	}
	live := got.Alerts[0]
	live.ID, live.Camera = "falls/another", "ward"
	past.alerts = append(past.alerts, archive.Record[topics.Alert]{Time: live.At, Value: live})
	b, err := Backtest(t.Context(), o)
	if err != nil || len(b.Alerts) != 1 || b.Alerts[0].Found != InBoth || !slices.Equal(b.Alerts[0].Cameras, []string{"lobby", "ward", "yard"}) {
		t.Errorf("%+v, %v", b, err)
	}
}

// What had been raised before the range began is not raised again in it: the replay
// begins earlier.
func TestAReplayBeginsBeforeItsRange(t *testing.T) {
	past := &recorded{}
	falls(past, 1, "lobby", 100, 44, 45, 46, 47, 48, 49, 50, 51, 52, 80)
	o := ReplayOptions{Past: past, Rules: ruleSet(t, onScore("fall")), Since: t0.Add(50 * stride)}
	var traced []string
	o.Trace = func(t alerts.Trace) { traced = append(traced, t.Clip) }
	got, err := Replay(t.Context(), o)
	if want := []string{"lobby raised 80", "lobby cleared 81"}; err != nil || !slices.Equal(told(got.Alerts), want) {
		t.Errorf("got %q, %v; want %q", told(got.Alerts), err, want)
	}
	if len(traced) != 52 || traced[0] != topics.ClipID("lobby", t0, 48*stride) { // clip 48 ends after clip 50 begins
		t.Errorf("%d clips are traced, from %s", len(traced), traced[0])
	}
}

// The same records give the same alerts, in whatever order partitions are read.
func TestReplaysDoNotDependOnTheOrderOfPartitions(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	past := &recorded{}
	for p := range 6 {
		for c := range 3 {
			var at []int
			for i := range 200 {
				if random.IntN(12) == 0 {
					at = append(at, i, i+1)
				}
			}
			falls(past, p, fmt.Sprintf("cam-%d-%d", p, c), 150+random.IntN(100), at...)
		}
	}
	second := onScore("both")
	second.Clips, second.Cooldown = alerts.ClipsRule{N: 2, M: 3}, 20*time.Second
	o := ReplayOptions{Past: past, Rules: ruleSet(t, onScore("fall"), second)}
	want, err := Replay(t.Context(), o)
	if err != nil || len(want.Alerts) < 100 {
		t.Fatalf("%d alerts, %v", len(want.Alerts), err)
	}
	for range 5 {
		past.order = random.Perm(6)
		if got, err := Replay(t.Context(), o); err != nil || !reflect.DeepEqual(got.Alerts, want.Alerts) {
			t.Fatalf("in the order %v: %d alerts, want %d; %v", past.order, len(got.Alerts), len(want.Alerts), err)
		}
	}
}

// A label that was not among a clip's best is computed from the recorded embedding,
// with the contrast that it would have had.
func TestAReplayFillsInWhatWasNotRecorded(t *testing.T) {
	refs := someReferences(t)
	past := &recorded{}
	for i := range 20 {
		past.add(0, "hall", i, func(r *topics.Recognition) {
			text := "an empty hall"
			if i == 7 {
				text = "leaves a bag"
			}
			looksLike(text, 0, i, refs)(r)
			r.Labels = []topics.LabelScore{{Label: "other", Score: .9, Contrast: .1}}
			if i == 3 {
				r.Model = "old"
			}
		})
	}
	w := words(t, past, refs, "leaves a bag", "Other")
	var seen []alerts.Trace
	rule := alerts.Rule{Name: "bag", Actions: []string{"Leaves a Bag"}}
	got, err := Replay(t.Context(), ReplayOptions{Past: past, Rules: ruleSet(t, rule), Words: w, Trace: func(t alerts.Trace) { seen = append(seen, t) }})
	if err != nil || got.Filled != (Filled{Labels: 19, Recognitions: 19, Other: 1}) {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, trace := range seen {
		if has := len(trace.Labels) == 1; has != (i != 3) {
			t.Errorf("clip %d has the labels %+v", i, trace.Labels)
		}
	}
	clip := past.actions[0][7].Value
	apart := w.In([][]string{{"hospital"}, nil}, func(camera string, _ []string) string { return map[string]string{"ward": "hospital"}[camera] })
	for camera, want := range map[string]int{"ward": 2, "lobby": 1} {
		other := clip
		other.Camera, other.Labels = camera, slices.Clone(clip.Labels)
		if labels := filled(t, apart, other); len(labels) != want {
			t.Errorf("%s has the labels %+v", camera, labels)
		}
	}
	if labels := filled(t, w, clip); len(labels) != 2 || labels[1].Contrast < .5 || labels[1].Score != 0 {
		t.Errorf("labels %+v", labels)
	}
}

// filled are a clip's labels with those that it lacks.
func filled(t *testing.T, w *Words, clip topics.Recognition) []topics.LabelScore {
	t.Helper()
	b := archive.Labelled{Records: []archive.Record[topics.Recognition]{{Value: clip}}}
	if err := w.filler(nil, nil).fill(b); err != nil {
		t.Fatal(err)
	}
	return b.Records[0].Value.Labels
}
