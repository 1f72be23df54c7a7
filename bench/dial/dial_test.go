package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	apart  = 2 * time.Second
	length = 4 * time.Second
)

// camera records hours of clips that have a low contrast but where values say
// otherwise, by hour and clip.
func camera(name string, hours int, values map[[2]int]float64) (out []record) {
	for hour := range hours {
		epoch := start.Add(time.Duration(hour) * time.Hour)
		for i := range 1700 {
			at := epoch.Add(time.Duration(i) * apart)
			contrast := 0.001
			if v, ok := values[[2]int{hour, i}]; ok {
				contrast = v
			}
			out = append(out, record{Time: at.Add(length), Value: topics.Recognition{
				Camera: name, ClipID: topics.ClipID(name, epoch, at.Sub(epoch)), Epoch: epoch, Sequence: uint64(i), Start: at, End: at.Add(length),
				Labels: []topics.LabelScore{{Label: "falling down", Contrast: contrast}},
			}})
		}
	}
	return out
}

// happened is an event from the clip i of an hour to the clip j.
func happened(camera string, hour, i, j int) staged {
	at := start.Add(time.Duration(hour) * time.Hour)
	return staged{camera, "falling down", at.Add(time.Duration(i) * apart), at.Add(time.Duration(j)*apart + length)}
}

// twoCameras have two hours each, and clips of an event. The gate has a false alarm at
// 0.5 in the first hour and two in the second, and an event that reaches 0.4; the ward
// has false alarms at 0.05, and its events reach 0.3 and 0.01.
func twoCameras(t *testing.T) *proof {
	t.Helper()
	p := &proof{recorded: &recorded{
		labels: []vocab.Label{{Name: "falling down"}}, cameras: []string{"gate", "ward"}, first: start,
		hours: map[string][]record{
			"gate": camera("gate", 2, map[[2]int]float64{{0, 100}: .5, {1, 100}: .5, {1, 500}: .5, {1, 900}: .4}),
			"ward": camera("ward", 2, map[[2]int]float64{{1, 100}: .05, {1, 500}: .05, {1, 599}: .05, {1, 602}: .3}),
		},
		events: map[string][]record{"ward": camera("ward", 1, map[[2]int]float64{{0, 50}: .01})},
		staged: []staged{happened("gate", 1, 899, 901), happened("ward", 1, 600, 603)}, stagedEvents: []staged{happened("ward", 0, 49, 52)},
	}}
	p.learn, p.judge = 1, 1
	p.rule = alerts.Rule{Clips: alerts.ClipsRule{N: 1, M: 1}, FalseAlarms: alerts.Budget{Count: 1, Per: time.Hour}}
	var err error
	if p.rules, err = p.rulesWith(1); err != nil {
		t.Fatal(err)
	}
	return p
}

// What no event explains in the judged hour is false; events of both recordings count.
func TestAlertsAreJudged(t *testing.T) {
	p := twoCameras(t)
	s := split{learn: []int{0}, judge: []int{1}}
	for level, want := range map[float64]sum{
		.35: {False: 2, Staged: 3, Caught: 1}, // the gate's alone
		.2:  {False: 2, Staged: 3, Caught: 2},
		.04: {False: 5, Staged: 3, Caught: 2}, // one false just before the ward's event
		.01: {False: 5, Staged: 3, Caught: 3},
	} {
		j, err := p.run(t.Context(), p.rules, p.fixed([]float64{logit(level * .999)}, measure{}), s, measure{})
		if err != nil {
			t.Fatal(err)
		}
		if got := j.sum(""); got != want {
			t.Errorf("at %v: %+v, want %+v", level, got, want)
		}
	}
}

// One threshold for all cameras is found where it is as good as something else.
func TestOneThresholdIsFound(t *testing.T) {
	p := twoCameras(t)
	c := &curve{proof: p, split: split{learn: []int{0}, judge: []int{1}}}
	than := judgement{{Rule: "falling-down", False: 4, Caught: 3}}
	j, err := c.equalFalse(t.Context(), than)
	if got := j.sum(""); err != nil || got.False != 2 || got.Caught != 2 {
		t.Errorf("with at most 4 false alarms: %+v, %v", got, err)
	}
	j, err = c.equalRecall(t.Context(), than)
	if got := j.sum(""); err != nil || got.Caught != 3 || got.False != 5 {
		t.Errorf("with all events caught: %+v, %v", got, err)
	}
}

// Each hour is judged once, by thresholds from others.
func TestSplits(t *testing.T) {
	p := twoCameras(t)
	got, err := p.splits()
	if err != nil || len(got) != 2 || got[0].String() != "learn [0] judge [1]" || got[1].String() != "learn [1] judge [0]" {
		t.Errorf("%v, %v", got, err)
	}
	p.learn = 2
	if _, err := p.splits(); err == nil {
		t.Error("three hours are needed, and two are enough")
	}
}

// The table counts cameras and rules by how far they are from what is allowed.
func TestSummary(t *testing.T) {
	r := &report{Hours: 2, Expected: 8}
	for _, s := range []string{"a", "b"} {
		r.Ways = append(r.Ways, way{Split: s, Budget: 4, Measure: "contrast", Pairs: judgement{
			{Rule: "x", False: 3, Found: "least"}, {Rule: "x", False: 4, Found: "counted"}, {Rule: "y", False: 16, Found: "counted", Staged: 3, Caught: 1},
			{Rule: "y", False: 17, Found: "extrapolated"},
		}})
	}
	r.summarise(1)
	want := summary{Split: "all", Way: "budget 4", Rule: "all", Pairs: 8, Kept: 4, Many: 2, Few: 2, Least: 2, KeptOthers: 4, False: 80, Allowed: 64, Staged: 6, Caught: 2}
	found := false
	for _, s := range r.Summary {
		found = found || s == want
	}
	if !found || len(r.Summary) != 9 {
		t.Errorf("%+v, want %+v among them", r.Summary, want)
	}
	dir := t.TempDir()
	if err := r.save(dir); err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(dir, "dial.csv"))
	if err != nil || strings.Count(string(table), "\n") != 9 {
		t.Errorf("%s, %v", table, err)
	}
}
