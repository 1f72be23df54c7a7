package scoring

import (
	"math"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// A clip and the same clip backwards have one embedding: only how a label begins and
// ends tells sitting down from standing up.
func TestALabelIsToldFromItsReverse(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "sitting down", `{"begins":"a person standing","ends":"a person on a chair"}`, "standing up", `{"begins":"a person on a chair","ends":"a person standing"}`, "walking", "")
	w := watch(t, s, setup{References: sentences(30)})
	w.awaitLabels(t, "sitting down", "standing up", "walking")
	m := w.Current()
	standing, sitting := vectorOf("a person standing"), vectorOf("a person on a chair")
	mean := unit(sum(standing, sitting))
	contrasts := func(first, last []float32) map[string]topics.LabelScore {
		out := map[string]topics.LabelScore{}
		for _, l := range m.Score(Clip{Mean: mean, First: first, Last: last}, 10, 3, nil).Labels {
			out[l.Label] = l
		}
		return out
	}
	down, up, unknown := contrasts(standing, sitting), contrasts(sitting, standing), contrasts(nil, nil)
	for label, more := range map[string]map[string]topics.LabelScore{"sitting down": down, "standing up": up} {
		less := up
		if label == "standing up" {
			less = down
		}
		if more[label].Contrast <= unknown[label].Contrast || less[label].Contrast >= unknown[label].Contrast {
			t.Errorf("%s: contrast %v forwards, %v backwards, %v where nothing is known of the ends", label, more[label].Contrast, less[label].Contrast, unknown[label].Contrast)
		}
		if more[label].Similarity != less[label].Similarity || more[label].Score != less[label].Score {
			t.Errorf("%s: similarity or score depend on the course", label)
		}
	}
	if down["walking"].Contrast != up["walking"].Contrast {
		t.Error("a label that does not say how it begins depends on the course")
	}
	// By the formula that was measured.
	l := down["sitting down"]
	logit := math.Log(1/l.Contrast-1) + 10*(l.Similarity+.5*2*(1-cosine(standing, sitting)))
	plain := math.Log(1/unknown["sitting down"].Contrast-1) + 10*l.Similarity
	if math.Abs(logit-plain) > 1e-4 {
		t.Errorf("the references' sum is %v and %v", logit, plain)
	}
}

func TestACourseNeedsUnitVectors(t *testing.T) {
	w, err := NewWord([][]float32{vectorOf("a")}, referencesOf(t, sentences(5)...))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]float32{nil, make([]float32, testDim), vectorOf("b")[:3]} {
		if w.Course(vectorOf("b"), bad) == nil || w.Course(bad, vectorOf("b")) == nil || w.HasCourse() {
			t.Errorf("%v is accepted", bad)
		}
	}
	if err := w.Course(vectorOf("b"), vectorOf("c")); err != nil || !w.HasCourse() {
		t.Error(err)
	}
}

// The texts must be embedded before the label is in force, and one that the model
// refuses skips the label.
func TestTextsOfACourseAreEmbedded(t *testing.T) {
	labels := []vocab.Label{{Name: "sit", Begins: "up", Ends: "down"}}
	vectors := map[string][]float32{"sit": vectorOf("sit"), "up": vectorOf("up")}
	if _, err := NewMatrix("default", labels, vectors); err == nil {
		t.Error("a matrix without the vector of how a label ends")
	}
	s := redistest.Start(t)
	set(t, s, "sit", `{"begins":"endless","ends":"down"}`, "walk", "")
	w := watch(t, s, setup{})
	w.awaitLabels(t, "walk")
	if p := w.Current().Problems; !slices.ContainsFunc(p, func(p vocab.Problem) bool { return p.Label == "sit" }) {
		t.Errorf("problems %v", p)
	}
}
