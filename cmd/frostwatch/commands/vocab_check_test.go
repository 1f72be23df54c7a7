package commands

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Somebody asks whether cameras can tell what a phrase describes: of what they show all
// the time, what they showed a few times, and what they never did.
func TestVocabCheck(t *testing.T) {
	s := serve(t, fakeModel{like: map[string]string{"somebody brushes teeth": "brushing teeth"}},
		"brushing teeth", "", "an empty room", `{"background": true}`, "endless", "")
	from := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour)
	ward := slices.Concat(times(300, "an empty room"), times(2, "somebody lies on the floor"), times(20, "an empty room"))
	s.show(t, "ward", from, ward...)
	s.show(t, "hall", from, times(100, "an empty room")...)
	for i, id := range []string{"fall/before", "fall/of-the-ward"} {
		onset := from.Add(time.Duration(200+99*i) * 2 * time.Second)
		a := topics.Alert{ID: id, State: topics.AlertRaised, Rule: "fall", Severity: "warning", Camera: "ward", Label: "fall", Onset: onset, At: onset.Add(4 * time.Second), OnsetClip: "c", Clip: "c", Score: .5}
		s.alert(t, a)
		a.State, a.At, a.Reason = topics.AlertCleared, onset.Add(time.Minute), "the score fell"
		s.alert(t, a)
	}
	for _, c := range []struct {
		args string
		want []string
	}{
		{"somebody lies on the floor|--camera|ward", []string{
			"\"somebody lies on the floor\": sometimes reached\n", "Look at the clips that come closest",
			"322 clips of 1 camera: 2 at one time reach a contrast of 0.2, from which on a rule raises.",
			"brushing teeth", "-602000  fall/of-the-ward\n",
		}},
		{"somebody lies on the floor", []string{"hall    100    0         0", "too little is recorded\n"}},
		{"somebody brushes teeth|--camera|ward", []string{
			": stands out, but see the advice on how the model reads it\n", "does not prove that it would be recognised: either it has not happened here, or the model did not recognise it", "none reaches a contrast of 0.2",
			"advice: label: to the model it says nearly the same as \"brushing teeth\" (cosine ", "brushing teeth  1.00",
		}},
		{"somebody brushes teeth|--camera|hall", []string{": too little is recorded, but see", "at least 250 clips of a camera"}},
		{"an empty room|--camera|w*", []string{": often reached\n", "unless it really happens that often", "320 at one time reach"}},
		{"nobody not wearing a helmet", []string{"advice: label: \"not\" is hardly taken into account"}},
		{"persn faling down", []string{"was \"falling\" meant?"}},
		{"человек падает", []string{"letters of another script (Cyrillic)"}},
		{"brushing teeth|--verbose", []string{"an empty room"}}, // a label of the vocabulary, which is not compared with itself
		{"brushing teeth|--raise|1.5", []string{"! want more than 0, and 1 at most"}},
		{"brushing teeth|--camera|nowhere", []string{"! nothing is recorded in this time by a camera that matches [\"nowhere\"]"}},
		{"brushing teeth|--description|" + strings.Repeat("standing around ", 50), []string{"! it is longer than the 77 tokens that the model reads: shorten it"}},
		{"endless", []string{"! the model does not take \"endless\": 99 tokens: at most 77"}},
	} {
		out, ok := s.run(t, append([]string{"vocab", "check"}, strings.Split(c.args, "|")...)...)
		for _, want := range c.want {
			text, fails := strings.CutPrefix(want, "! ")
			if ok == fails || !strings.Contains(out, text) {
				t.Errorf("vocab check %s: got %v\n%s\nwant %q", c.args, ok, out, want)
			}
		}
		if strings.HasPrefix(c.args, "brushing teeth|--verbose") && strings.Contains(out, "brushing teeth  1.00") {
			t.Errorf("a label is compared with itself: %s", out)
		}
	}
}

// The JSON has the figures, and --out writes the pictures of the closest clips where
// Kafka still has them.
func TestVocabCheckWritesWhatItFound(t *testing.T) {
	s := serve(t, fakeModel{}, "an empty room", "")
	from := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour)
	clips := s.show(t, "ward", from, slices.Concat(times(1, "somebody falls"), times(299, "an empty room"))...)
	dir := filepath.Join(t.TempDir(), "closest")
	out, ok := s.run(t, "vocab", "check", "somebody falls", "--json", "--out", dir)
	begin := strings.Index(out, "{")
	if !ok || begin < 0 {
		t.Fatal(out)
	}
	var got struct {
		Verdict string
		Clips   int
		Over    int
		Closest []struct {
			Clip     string `json:"clip_id"`
			Contrast float64
			Pictures string
		}
		Labels []struct {
			Label  string
			Cosine float64
			Clips  int
		}
	}
	if err := json.Unmarshal([]byte(out[begin:]), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got.Verdict != "sometimes reached" || got.Clips != 300 || got.Over != 1 || len(got.Labels) != 1 || got.Labels[0].Clips != 300 {
		t.Errorf("%+v", got)
	}
	if c := got.Closest[0]; c.Clip != clips[0] || c.Contrast < .2 || c.Pictures != filepath.Join(dir, "1") || readFile(t, filepath.Join(dir, "1", "frame-8.jpg")) != "jpeg7" {
		t.Errorf("%+v", c)
	}
	if !strings.Contains(out[:begin], "no pictures of ") || got.Closest[1].Pictures != "" {
		t.Errorf("clips that Kafka does not have: %s", out)
	}
}
