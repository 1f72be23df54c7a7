package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/frostwatch/frostwatch/topics"
)

// marked are marks of alerts that are true with a known probability.
func marked(n int, of func(x float64) float64) (all []topics.Mark) {
	random := rand.New(rand.NewPCG(8, 8))
	for i := range n {
		x := 6*random.Float64() - 1
		all = append(all, topics.Mark{Alert: fmt.Sprint(i), Label: "fall", Contrast: logistic(x), True: random.Float64() < of(x)})
	}
	return all
}

// The probability is that with which alerts are true, and there is none of a few
// marks, or of marks that are all alike.
func TestProbabilitiesOfMarks(t *testing.T) {
	truth := func(x float64) float64 { return logistic(1.5*x - 3) }
	p, ok := FitPlatt(marked(4000, truth))
	if !ok {
		t.Fatal("no fit of 4,000 marks")
	}
	for _, x := range []float64{0, 1, 2, 3, 4} {
		if got := p.Of(logistic(x)); math.Abs(got-truth(x)) > 0.05 {
			t.Errorf("%.3f at %v, want %.3f", got, x, truth(x))
		}
	}
	if _, ok := FitPlatt(marked(LeastMarks-1, truth)); ok {
		t.Error("a probability of too few marks")
	}
	if _, ok := FitPlatt(marked(50, func(float64) float64 { return 1 })); ok {
		t.Error("a probability, although all are true")
	}
	opposite, ok := FitPlatt(marked(100, func(x float64) float64 { return logistic(2 - x) }))
	if !ok || opposite.Of(0.9) < opposite.Of(0.1) {
		t.Errorf("a higher contrast has a lower probability: %+v", opposite)
	}
	// Marks that a threshold separates: the probability is no certainty.
	sharp, ok := FitPlatt(marked(30, func(x float64) float64 { return math.Round(logistic(5 * (x - 2))) }))
	if !ok || sharp.Of(0.999) > 0.9999 || math.IsNaN(sharp.Of(0.5)) {
		t.Errorf("%+v", sharp)
	}
}

// Precision is of what is marked alone.
func TestReportCountsMarks(t *testing.T) {
	var all []topics.Alert
	marks := map[string]topics.Mark{}
	for i := range 6 {
		id := fmt.Sprint(i)
		all = append(all, topics.Alert{ID: id, Rule: "r", Label: "fall"})
		if i < 4 {
			marks[id] = topics.Mark{Alert: id, Label: "fall", Contrast: .8, True: i < 3}
		}
	}
	got := Report(all, marks)
	if len(got) != 1 || got[0].Raised != 6 || got[0].True != 3 || got[0].False != 1 || got[0].Unmarked != 2 || got[0].Precision == nil || *got[0].Precision != 0.75 || got[0].Even != nil {
		t.Errorf("%+v", got)
	}
	if none := Report(all[4:], nil); none[0].Precision != nil {
		t.Errorf("a precision of nothing: %+v", none)
	}
}
