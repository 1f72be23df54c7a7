package calibrate

import (
	"cmp"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// watchedFor are the labels that tests with views watch for, one of them with a course.
func watchedFor() []vocab.Label {
	return []vocab.Label{
		{Name: "fall", Begins: "a person standing", Ends: "lying on the floor"},
		{Name: "leaves a bag", Aliases: []string{"puts a bag down"}},
	}
}

// labelOf is what a recognition has of a label.
func labelOf(t *testing.T, r topics.Recognition, name string) topics.LabelScore {
	t.Helper()
	i := slices.IndexFunc(r.Labels, func(l topics.LabelScore) bool { return l.Label == name })
	if i < 0 {
		t.Fatalf("clip %s lacks %q", r.ClipID, name)
	}
	return r.Labels[i]
}

// bare is an alert as far as it follows from embeddings.
func bare(all []topics.Alert) []topics.Alert {
	out := slices.Clone(all)
	for i := range out {
		a := &out[i]
		a.Score, a.Vocab, a.Tags, a.NearestBase, a.Novel = 0, topics.VocabRef{}, nil, "", false
	}
	return out
}

// Whatever is worked out from the embeddings of a clip's views is what was scored live,
// to the last bit and with its place, from records as from files.
func TestThePastOfViewsIsWhatWasScored(t *testing.T) {
	m := liveMatrix(t, append(watchedFor(), vocab.Label{Name: "a person walking", Background: true}, vocab.Label{Name: "a plant"})...)
	past := lively(m)
	refs := someReferences(t)
	model := Model{ID: "m", Dims: dims, Scale: 10, References: refs.Hash()}
	w, err := NewWords(t.Context(), vectors{refs}, model, watchedFor())
	if err != nil {
		t.Fatal(err)
	}
	files, stripped := past.files(t), past.without()
	strippedFiles := stripped.files(t)
	rules := ruleSet(t,
		alerts.Rule{Name: "fall", Actions: []string{"fall"}, Contrast: &alerts.Levels{Raise: .5}},
		alerts.Rule{Name: "bag", Actions: []string{"leaves a bag"}, Contrast: &alerts.Levels{Raise: .6}, Clips: alerts.ClipsRule{N: 2, M: 3}},
	)
	live, err := Replay(t.Context(), ReplayOptions{Past: past, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	places := map[topics.View]int{}
	for _, a := range live.Alerts {
		if a.State == topics.AlertRaised {
			places[a.View]++
		}
	}
	if places["zoom"] < 5 || places["tiles"] < 5 || places[""] < 5 {
		t.Fatalf("alerts by view: %v", places)
	}
	for name, o := range map[string]ReplayOptions{
		"labels of files": {Past: files}, "words of records": {Past: stripped, Words: w}, "words of files": {Past: strippedFiles, Words: w},
	} {
		o.Rules = rules
		got, err := Replay(t.Context(), o)
		if err != nil || !reflect.DeepEqual(bare(got.Alerts), bare(live.Alerts)) || (o.Words != nil) != (got.Filled.Labels > 2000) || got.Filled.Other > 0 {
			t.Errorf("%s: %d alerts, want %d; %+v, %v", name, len(got.Alerts), len(live.Alerts), got.Filled, err)
		}
	}
	tryIt(t, strippedFiles, w, live.Alerts)
	explainIt(t, rules, past, strippedFiles, w)
	for _, label := range []string{"fall", "leaves a bag"} {
		searchIt(t, past, strippedFiles, refs, label)
		checkIt(t, past, strippedFiles, refs, label)
	}
	columnsOfIt(t, past, strippedFiles, w)
}

func tryIt(t *testing.T, past Past, w *Words, live []topics.Alert) {
	t.Helper()
	rule := alerts.Rule{Name: "fall", Actions: []string{"fall"}, Contrast: &alerts.Levels{Raise: .5}}
	got, err := Try(t.Context(), TryOptions{Past: past, Words: w, Rule: rule})
	if err != nil {
		t.Fatal(err)
	}
	live = slices.DeleteFunc(slices.Clone(live), func(a topics.Alert) bool { return a.Rule != "fall" })
	if !reflect.DeepEqual(bare(got.Alerts), bare(live)) {
		t.Errorf("tried: %d alerts, want %d", len(got.Alerts), len(live))
	}
}

func explainIt(t *testing.T, rules *alerts.RuleSet, past, stripped Past, w *Words) {
	t.Helper()
	m := Moment{ReplayOptions: ReplayOptions{Past: past, Rules: rules}, Camera: "door", At: t0.Add(12*stride + time.Second)}
	want, err := Explain(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	m.Past, m.Words = stripped, w
	got, err := Explain(t.Context(), m)
	if err != nil || len(want.Rules) != 2 {
		t.Fatalf("%+v, %v", want, err)
	}
	for i, rule := range want.Rules {
		for k, clip := range rule.Clips {
			if a, b := got.Rules[i].Clips[k].Labels[0], clip.Labels[0]; a.Value != b.Value {
				t.Errorf("explained: %s has %v in clip %d, want %v", rule.Rule, a.Value, k, b.Value)
			}
		}
		if got.Rules[i].Why != rule.Why || len(rule.Clips) < 3 {
			t.Errorf("explained: %s, want %s", got.Rules[i].Why, rule.Why)
		}
	}
}

// searchIt asks for all clips, the best hundred among them after a screen.
func searchIt(t *testing.T, live *recorded, stripped Past, refs *scoring.References, label string) {
	t.Helper()
	type hit struct {
		clip                 string
		similarity, contrast float64
		view                 topics.View
	}
	var want []hit
	for _, all := range live.actions {
		for _, r := range all {
			l := labelOf(t, r.Value, label)
			h := hit{r.Value.ClipID, l.Similarity, l.Contrast, ""}
			if seen := l.SeenIn(r.Value.Views); seen != nil {
				h.view = seen.View
			}
			want = append(want, h)
		}
	}
	slices.SortFunc(want, func(a, b hit) int { return cmp.Or(cmp.Compare(b.contrast, a.contrast), cmp.Compare(a.clip, b.clip)) })
	labels := watchedFor()
	w, err := NewWords(t.Context(), vectors{refs}, Model{ID: "m", Dims: dims, Scale: 10, References: refs.Hash()}, labels[slices.IndexFunc(labels, func(l vocab.Label) bool { return l.Name == label }):][:1])
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{100, len(want)} {
		found, err := Search(t.Context(), SearchOptions{Query: Query{Words: w}, Past: stripped, Measure: "contrast", Limit: limit, Apart: time.Nanosecond})
		if err != nil || found.Scored != len(want) || len(found.Hits) != limit {
			t.Fatalf("found %d of %d, %v", len(found.Hits), found.Scored, err)
		}
		var got []hit
		for _, h := range found.Hits {
			if (h.Box != nil) != (h.View != "") {
				t.Errorf("hit %+v", h)
			}
			got = append(got, hit{h.Clip, h.Similarity, *h.Contrast, h.View})
		}
		slices.SortFunc(got, func(a, b hit) int { return cmp.Or(cmp.Compare(b.contrast, a.contrast), cmp.Compare(a.clip, b.clip)) })
		if !reflect.DeepEqual(got, want[:limit]) {
			t.Errorf("%s: the best %d that are found are not those that were scored best", label, limit)
		}
	}
	// The most similar view is another question.
	found, err := Search(t.Context(), SearchOptions{Query: Query{Words: w}, Past: stripped, Measure: "similarity", Limit: 50, Apart: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	highest := 0.0
	for _, all := range live.actions {
		for _, r := range all {
			for i := range max(len(r.Value.Views), 1) {
				v := r.Value.Embedding
				if i > 0 {
					v = r.Value.Views[i].Embedding
				}
				highest = max(highest, w.list[0].Similarity(v))
			}
		}
	}
	if found.Hits[0].Similarity != highest || !slices.ContainsFunc(found.Hits, func(h Hit) bool { return h.View == "zoom" }) {
		t.Errorf("%s: by similarity the best has %v, want %v", label, found.Hits[0].Similarity, highest)
	}
}

func checkIt(t *testing.T, live *recorded, stripped Past, refs *scoring.References, label string) {
	t.Helper()
	over, highest := 0, 0.0
	for _, all := range live.actions {
		for _, r := range all {
			l := labelOf(t, r.Value, label)
			if highest = max(highest, l.Contrast); l.Contrast >= .5 {
				over++
			}
		}
	}
	labels := watchedFor()
	if label != labels[0].Name {
		slices.Reverse(labels)
	}
	w, err := NewWords(t.Context(), vectors{refs}, Model{ID: "m", Dims: dims, Scale: 10, References: refs.Hash()}, labels)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Check(t.Context(), CheckOptions{Past: stripped, Phrase: &Phrase{Words: w, Cosines: make([]float64, 2)}, Raise: .5})
	if err != nil || got.Over != over || got.Highest != highest || over < 20 {
		t.Errorf("%s: checked %d over %v, highest %v; want %d, %v; %v", label, got.Over, .5, got.Highest, over, highest, err)
	}
}

// columnsOfIt are what thresholds rest on.
func columnsOfIt(t *testing.T, live *recorded, stripped Past, w *Words) {
	t.Helper()
	got, err := gather(t.Context(), stripped, archive.Range{}, gatherOptions{model: w.model, columns: map[string][]column{"door": {{w, 0, 1, nil}, {w, 1, 2, nil}}}})
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for _, r := range live.actions[1] {
		if r.Value.Camera != "door" {
			continue
		}
		for c, label := range []string{"fall", "leaves a bag"} {
			if want := float32(logit(labelOf(t, r.Value, label).Contrast)); got.series["door"].columns[c][i] != want {
				t.Fatalf("clip %d: %s has log odds of %v, want %v", i, label, got.series["door"].columns[c][i], want)
			}
		}
		i++
	}
}

// A clip is like another if one of its views is.
func TestSearchForAClipThatIsLikeAView(t *testing.T) {
	past := &recorded{}
	for i := range 60 {
		past.add(0, "hall", i, func(r *topics.Recognition) {
			looksLike("an empty hall", .05, i, nil)(r)
			zoomed := "a person walking"
			if i == 20 || i == 50 {
				zoomed = "leaves a bag"
			}
			var zoom topics.Recognition
			looksLike(zoomed, .05, 100+i, nil)(&zoom)
			r.Views = []topics.SeenView{
				{View: "centre", Box: topics.Box{Left: .25, Width: .5, Height: 1}},
				{View: "zoom", Box: topics.Box{Left: .1, Width: .2, Height: .3}, Embedding: zoom.Embedding, First: zoom.Embedding, Last: zoom.Embedding},
			}
		})
	}
	like, err := InView(past.actions[0][20].Value, "zoom")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Search(t.Context(), SearchOptions{Query: Query{Like: like, Model: Model{ID: "m", Dims: dims}}, Past: past.files(t), Limit: 2, Apart: time.Nanosecond})
	if err != nil || len(got.Hits) != 2 || got.Hits[1].Clip != past.actions[0][50].Value.ClipID || got.Hits[1].View != "zoom" {
		t.Errorf("%+v, %v", got, err)
	}
	if own, err := InView(past.actions[0][3].Value, "centre"); err != nil || !slices.Equal(own, past.actions[0][3].Value.Embedding) {
		t.Errorf("the first view: %v", err)
	}
	if _, err := InView(past.actions[0][3].Value, "tiles"); err == nil {
		t.Error("a view is found that the clip has not")
	}
}
