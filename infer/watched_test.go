package infer

import (
	"fmt"
	"image/color"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// A rule sees the label that it names also when it is not among the best.
func TestLabelsThatRulesNameAreAlwaysScored(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	put := func(key string, value []byte) {
		t.Helper()
		table := r.client.Table(r.names.Of(topics.Watched))
		var err error
		if value == nil {
			err = table.Delete(t.Context(), key, "a")
		} else {
			_, err = table.Put(t.Context(), key, value, "a")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	value, err := topics.EncodeWatched(topics.WatchedLabels{Camera: "a", Rule: "fall", Labels: []string{"FALL"}, Tags: []string{"danger"}})
	if err != nil {
		t.Fatal(err)
	}
	put("a/fall", value)
	put("a/other", []byte("no record"))
	put("b/fall", value) // of another camera than its key says
	m := r.model("model")
	unit := func(d int) []float32 { v := make([]float32, fakeDim); v[d] = 1; return v }
	m.matrix, err = scoring.NewMatrix("default", []vocab.Label{{Name: "best"}, {Name: "fall"}, {Name: "knife", Tags: []string{"danger"}}, {Name: "other"}},
		map[string][]float32{"best": unit(0), "fall": unit(1), "knife": unit(2), "other": unit(3)})
	if err != nil {
		t.Fatal(err)
	}
	o := r.options(m.recogniser())
	o.TopK, o.Watched = 1, r.client.Table(r.names.Of(topics.Watched))
	_, stop := start(t, o)
	good, now := jpegOf(t, 48, 32, color.White), time.Now()
	listed := func(camera string, n int) (names []string) {
		r.send(camera, clipOf(t, camera, n, good, now))
		stagetest.Await(t, "the recognition", func() bool { return len(r.recognitions()[camera]) > n })
		for _, l := range r.recognitions()[camera][n].Labels {
			names = append(names, l.Label)
		}
		return names
	}
	if got := listed("a", 0); !slices.Equal(got, []string{"best", "fall", "knife"}) {
		t.Errorf("a: %q", got)
	}
	if got := listed("b", 0); !slices.Equal(got, []string{"best"}) {
		t.Errorf("b: %q", got)
	}
	put("a/fall", nil)
	n := 0
	stagetest.Await(t, "the rule is gone", func() bool { n++; return len(listed("a", n)) == 1 })
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// The record must give whoever scores the past the scores of the live clip.
func TestScoresAreThoseOfTheRecordedEmbedding(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	model := demoModel(t)
	d, matrix := model.Bundle().Dims, matrixOf(t, model)
	o := r.options(Recogniser{Model: model, Vocabulary: fixed{matrix}, Frames: d.Frames, Side: d.ImageSize, Close: func() error { return nil }})
	r.send("a", clipOf(t, "a", 0, jpegOf(t, 48, 32, color.RGBA{200, 100, 50, 255}), time.Now()))
	runUntil(t, o, func() bool { return len(r.recognitions()["a"]) > 0 })
	rec := r.recognitions()["a"][0]
	again := matrix.Score(scoring.Clip{Mean: rec.Embedding, First: rec.First, Last: rec.Last}, model.LogitScale(), o.TopK, nil)
	for i, l := range again.Labels {
		if l.Score != rec.Labels[i].Score || l.Similarity != rec.Labels[i].Similarity {
			t.Errorf("%+v from the record, %+v live", l, rec.Labels[i])
		}
	}
}

// Whoever may write to Kafka can add any number of rules for one camera; infer waits
// for the table before its first clip.
func TestManyRulesOfOneCameraAreReadAtOnce(t *testing.T) {
	w := newWatched()
	labels := make([]string, topics.MaxLabels)
	for i := range labels {
		labels[i] = fmt.Sprint("label ", i)
	}
	refused := 0
	for i := range 2 * maxTexts / len(labels) {
		if w.put("lobby", fmt.Sprint("rule ", i), topics.WatchedLabels{Labels: labels, Score: .5}, false) != nil {
			refused++
		}
	}
	if w.texts != maxTexts || refused != maxTexts/len(labels) {
		t.Errorf("%d texts, %d entries refused", w.texts, refused)
	}
	for i := range 2 * maxTexts / len(labels) {
		if err := w.put("lobby", fmt.Sprint("rule ", i), topics.WatchedLabels{}, true); err != nil {
			t.Fatal(err)
		}
	}
	if w.texts != 0 || w.entries != 0 || w.of("lobby").Watched != nil {
		t.Errorf("%d texts of %d entries are left", w.texts, w.entries)
	}
	if err := w.put("lobby", "fall", topics.WatchedLabels{Labels: labels[:1]}, false); err != nil || !w.of("lobby").Means(topics.LabelScore{Label: "LABEL 0"}) {
		t.Errorf("a rule after that: %v", err)
	}
}
