package alerts

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/frostwatch/frostwatch/topics"
)

func benchLabels() []string {
	return []string{
		"walking", "falling down", "two people fighting", "two people hugging", "climbing over a fence", "climbing a ladder",
		"riding a bicycle", "carrying a box", "sitting down", "sweeping the floor",
	}
}

// alikeLabels begin and end with the same words.
func alikeLabels() (out []string) {
	for _, what := range []string{"walk", "fall", "fight", "hugg", "climb", "jump", "rid", "carry", "sitt", "sweep"} {
		out = append(out, "a person who is "+what+"ing in the building")
	}
	return out
}

// benchStream is what 20 cameras send in half an hour, as infer writes it: ten
// labels each, the best first. Every second minute something happens on every
// camera.
func benchStream(labels []string) []topics.Recognition {
	const cameras, clips = 20, 744
	out := make([]topics.Recognition, 0, cameras*clips)
	for i := range clips {
		for c := range cameras {
			name := fmt.Sprintf("cam-%d", c)
			start := t0.Add(time.Duration(i) * 2419200 * time.Microsecond)
			rec := topics.Recognition{
				ClipID: topics.ClipID(name, t0, start.Sub(t0)), Camera: name, Epoch: t0, Sequence: uint64(i),
				Start: start, End: start.Add(4267 * time.Millisecond), Model: "abc", Vocab: topics.VocabRef{Name: "default", Version: "v1"},
			}
			for l := range 10 {
				score := .1 / float64(l+2)
				if l == 0 && i%50 < 5 {
					score = .9
				}
				rec.Labels = append(rec.Labels, topics.LabelScore{
					Label: labels[(l+i)%10], Score: score, Similarity: .2,
					Novel: l%2 == 0, Tags: []string{"care", "indoor"},
				})
			}
			out = append(out, rec)
		}
	}
	return out
}

// The engine alone, with eight rules of which seven are for each camera.
func BenchmarkEngineOfACrowd(b *testing.B) {
	for _, of := range []struct {
		name   string
		labels []string
	}{{"demo", benchLabels()}, {"alike", alikeLabels()}} {
		b.Run(of.name, func(b *testing.B) { benchEngine(b, benchRules(b, of.labels), benchStream(of.labels)) })
	}
}

func benchRules(b *testing.B, labels []string) *RuleSet {
	action := func(i int) []string { return labels[i : i+1] }
	return ruleSet(b,
		Rule{Name: "fall", Actions: action(1), Clips: ClipsRule{2, 3}, Cooldown: 2 * time.Minute},
		Rule{Name: "fight", Actions: labels[2:4], Clips: ClipsRule{2, 3}, Severity: "critical"},
		Rule{Name: "fence", Actions: action(4), Clips: ClipsRule{3, 5}},
		Rule{Name: "ladder", Actions: action(5), Score: &Levels{Raise: .6, Clear: .4}},
		Rule{Name: "night", Actions: action(6), Schedule: &Schedule{Days: "mon-fri", From: "22:00", To: "06:00", Timezone: "Europe/Berlin"}},
		Rule{Name: "care", Tags: []string{"care"}, Clips: ClipsRule{4, 8}, Score: &Levels{Raise: .95}},
		Rule{Name: "new", Novel: true, Cameras: []string{"cam-1*"}, Score: &Levels{Raise: .8}},
		Rule{Name: "elsewhere", Cameras: []string{"door-*"}, Actions: action(1)},
	)
}

func benchEngine(b *testing.B, rules *RuleSet, stream []topics.Recognition) {
	alerts := 0
	b.ReportAllocs()
	busy := -cpu(b)
	for b.Loop() {
		e := NewEngine(rules, time.Minute)
		for _, rec := range stream {
			alerts += len(e.Evaluate(rec))
		}
	}
	busy += cpu(b)
	b.ReportMetric(float64(len(stream)*b.N)/b.Elapsed().Seconds(), "recognitions/s")
	b.ReportMetric(float64(len(stream)*b.N)/busy.Seconds(), "recognitions/cpu-s")
	b.ReportMetric(float64(alerts)/float64(b.N), "alerts")
}

// cpu is the processor time that the process has used: what is measured beside other
// work is comparable by it.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
