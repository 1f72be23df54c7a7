package calibrate

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// busy are recordings of an afternoon: labels whose values go up and down, some of them
// not listed with every clip, and some clips of another model.
func busy(refs *scoring.References) *recorded {
	past, random := &recorded{}, rand.New(rand.NewPCG(5, 5))
	for i := range 900 {
		for partition, camera := range []string{"hall", "ward"} {
			past.add(partition, camera, i, func(r *topics.Recognition) {
				text := "an empty hall"
				if i%100 > 90 {
					text = "leaves a bag"
				}
				looksLike(text, .1, i, refs)(r)
				for _, label := range []string{"fall", "fight", "walking"} {
					if random.IntN(4) > 0 {
						score := random.Float64()
						r.Labels = append(r.Labels, topics.LabelScore{Label: label, Similarity: float64(float32(score / 3)), Score: score, Contrast: score * score, Tags: []string{"care"}})
					}
				}
				if i%50 == 7 {
					r.Model = "old"
				}
			})
		}
	}
	return past
}

// From files a replay reads columns, and embeddings only where they are wanted: the
// alerts are those of the whole records.
func TestAReplayOfFilesIsThatOfTheRecords(t *testing.T) {
	refs := someReferences(t)
	past := busy(refs)
	bucket, err := archive.OpenBucket(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bucket.Close() }()
	for partition, records := range past.actions {
		if _, err := bucket.Import(t.Context(), partition, 0, records); err != nil {
			t.Fatal(err)
		}
	}
	files, err := archive.NewReader(archive.ReaderOptions{Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	rules := ruleSet(t,
		alerts.Rule{Name: "fall", Actions: []string{"fall"}, Score: &alerts.Levels{Raise: .9}, Clips: alerts.ClipsRule{N: 2, M: 3}, Cooldown: time.Minute},
		alerts.Rule{Name: "care", Tags: []string{"care"}, Contrast: &alerts.Levels{Raise: .95}},
		alerts.Rule{Name: "walk", Absent: &alerts.Absent{Actions: []string{"walking"}, For: 10 * time.Second}, Contrast: &alerts.Levels{Raise: .8}},
		alerts.Rule{Name: "bag", Actions: []string{"leaves a bag"}, Contrast: &alerts.Levels{Raise: .5}},
	)
	for _, w := range []*Words{nil, words(t, past, refs, "leaves a bag")} {
		o := ReplayOptions{Past: past, Rules: rules, Words: w, Since: t0.Add(10 * time.Minute)}
		want, err := Replay(t.Context(), o)
		if err != nil || len(want.Alerts) < 100 || (w != nil) != (want.Filled.Labels > 0) {
			t.Fatalf("%d alerts, %+v, %v", len(want.Alerts), want.Filled, err)
		}
		o.Past = files
		got, err := Replay(t.Context(), o)
		if err != nil || !reflect.DeepEqual(got.Alerts, want.Alerts) || got.Filled != want.Filled || got.Recognitions != want.Recognitions || !got.First.Equal(want.First) || !got.Last.Equal(want.Last) {
			t.Errorf("%d alerts, %+v, %v; want %d, %+v", len(got.Alerts), got.Filled, err, len(want.Alerts), want.Filled)
		}
		m := Moment{ReplayOptions: o, Camera: "hall", At: t0.Add(15 * time.Minute)}
		byFiles, err := Explain(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		m.Past = past
		if byRecords, err := Explain(t.Context(), m); err != nil || !reflect.DeepEqual(byFiles.Rules, byRecords.Rules) || byFiles.Filled != byRecords.Filled || byFiles.After != byRecords.After {
			t.Errorf("explained %+v, %v; want %+v", byFiles, err, byRecords)
		}
	}
}
