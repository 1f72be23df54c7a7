package infer

import (
	"image/color"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// clipFor is a clip that names a vocabulary.
func clipFor(t *testing.T, camera, vocabulary string, n int, frame []byte) []byte {
	t.Helper()
	c, err := topics.DecodeClip(clipOf(t, camera, n, frame, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	c.Vocabulary = vocabulary
	b, err := topics.EncodeClip(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Two cameras have two vocabularies, a third one has one that does not exist. An edit
// of one vocabulary leaves version and scores of the other as they are, to the bit.
func TestEachCameraHasItsVocabulary(t *testing.T) {
	t.Parallel()
	r, s := newRig(t, 1), redistest.Start(t)
	s.HSet(t, "vocab:default", "falling down", "", "walking", "")
	s.HSet(t, "vocab:hospital", "walking", "", "hugging", "", "waving", "")
	model := demoModel(t)
	serving, _ := liveRecogniser(t, s, model)
	o := r.options(serving)
	reports := stagetest.NewReports()
	o.Reporter, o.TopK = reports, 10
	o.VocabularyOf = func(c topics.Camera) string {
		if c.Name == "store" {
			return "missing"
		}
		return c.Vocabulary
	}
	stage, stop := start(t, o)
	frame := jpegOf(t, 48, 32, color.RGBA{200, 100, 50, 255})
	sent := 0
	send := func() map[string][]topics.Recognition {
		t.Helper()
		r.send("hall", clipFor(t, "hall", "", sent, frame))
		r.send("ward", clipFor(t, "ward", "hospital", sent, frame))
		r.send("store", clipFor(t, "store", "hospital", sent, frame))
		sent++
		stagetest.Await(t, "the recognitions", func() bool { return len(r.read(topics.Actions)) == 3*sent })
		return r.recognitions()
	}
	names := func(rec topics.Recognition) map[string]bool {
		out := map[string]bool{}
		for _, l := range rec.Labels {
			out[l.Label] = true
		}
		return out
	}
	before := send()
	hall, ward, store := before["hall"][0], before["ward"][0], before["store"][0]
	if got := names(hall); hall.Vocab.Name != "default" || len(got) != 2 || !got["falling down"] {
		t.Errorf("hall: %+v, %v", hall.Vocab, got)
	}
	if got := names(ward); ward.Vocab.Name != "hospital" || len(got) != 3 || !got["hugging"] {
		t.Errorf("ward: %+v, %v", ward.Vocab, got)
	}
	if store.Vocab != (topics.VocabRef{Name: "missing"}) || len(store.Labels) > 0 || len(store.Embedding) == 0 {
		t.Errorf("store: %+v, labels %v, embedding of %d", store.Vocab, store.Labels, len(store.Embedding))
	}
	stagetest.Await(t, "the vocabularies in the worker's record", func() bool {
		var w topics.Worker
		stage.describe(&w)
		return w.Vocab == hall.Vocab && slices.Equal(w.Further, []topics.VocabRef{ward.Vocab, store.Vocab})
	})
	s.HSet(t, "vocab:hospital", "sitting down", "")
	stagetest.Await(t, "the edit", func() bool { return len(stage.services.inService().Vocabulary.All()[1].Labels()) == 4 })
	s.HSet(t, "vocab:missing", "walking", "")
	stagetest.Await(t, "the vocabulary that was missing", func() bool {
		return stage.services.inService().Vocabulary.All()[2].Version != ""
	})
	after := send()
	if now := after["ward"][1]; now.Vocab.Version == ward.Vocab.Version || len(now.Labels) != 4 || now.Labels[0].Score == ward.Labels[0].Score {
		t.Errorf("ward before %+v %+v, now %+v %+v", ward.Vocab, ward.Labels, now.Vocab, now.Labels)
	}
	if now := after["store"][1]; now.Vocab.Version == "" || len(now.Labels) != 1 {
		t.Errorf("store: %+v, labels %v", now.Vocab, now.Labels)
	}
	now := after["hall"][1]
	if now.Vocab != hall.Vocab || len(now.Labels) != len(hall.Labels) {
		t.Fatalf("hall: %+v, %v", now.Vocab, now.Labels)
	}
	for i, l := range now.Labels {
		if was := hall.Labels[i]; l.Label != was.Label || l.Score != was.Score || l.Contrast != was.Contrast || l.Similarity != was.Similarity {
			t.Errorf("hall: %+v before, %+v now", was, l)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// While a vocabulary that has come into use is embedded, clips wait for it.
func TestTheFirstClipsWaitForTheirVocabulary(t *testing.T) {
	t.Parallel()
	r, s := newRig(t, 1), redistest.Start(t)
	s.HSet(t, "vocab:default", "walking", "")
	s.HSet(t, "vocab:hospital", "hugging", "", "waving", "")
	serving, _ := liveRecogniser(t, s, demoModel(t))
	_, stop := start(t, r.options(serving))
	r.send("ward", clipFor(t, "ward", "hospital", 0, jpegOf(t, 48, 32, color.White)))
	stagetest.Await(t, "the recognition", func() bool { return len(r.read(topics.Actions)) == 1 })
	if rec := r.recognitions()["ward"][0]; rec.Vocab.Name != "hospital" || len(rec.Labels) != 2 {
		t.Errorf("%+v, labels %v", rec.Vocab, rec.Labels)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
