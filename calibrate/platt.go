package calibrate

import (
	"math"

	"github.com/frostwatch/frostwatch/topics"
)

// Platt turns a contrast into a probability that an alert is true: the logistic
// function of A · log odds + B.
type Platt struct{ A, B float64 }

// LeastMarks is how many marks a label needs before its alerts get a probability, and
// leastOfEach how many of them have to be true, and false.
const (
	LeastMarks  = 20
	leastOfEach = 3
)

// FitPlatt fits to what people said of alerts of a label. ok is false for too few
// marks, or where hardly any are true, or false. It is Platt's method (Probabilistic
// Outputs for Support Vector Machines, 1999) with the targets and the Newton method of
// Lin, Lin and Weng (A Note on Platt's Probabilistic Outputs, Machine Learning 68,
// 2007). A higher contrast never gets a lower probability.
func FitPlatt(marks []topics.Mark) (p Platt, ok bool) {
	var x []float64
	var isTrue []bool
	positive := 0
	for _, m := range marks {
		if m.Contrast == 0 { // of an alert without a contrast
			continue
		}
		x, isTrue = append(x, logit(m.Contrast)), append(isTrue, m.True)
		if m.True {
			positive++
		}
	}
	negative := len(x) - positive
	if len(x) < LeastMarks || positive < leastOfEach || negative < leastOfEach {
		return p, false
	}
	high, low := (float64(positive)+1)/(float64(positive)+2), 1/(float64(negative)+2)
	target := make([]float64, len(x))
	for i := range target {
		if target[i] = low; isTrue[i] {
			target[i] = high
		}
	}
	p = minimise(x, target, Platt{B: math.Log((float64(positive) + 1) / (float64(negative) + 1))})
	if p.A < 0 { // the marks say the opposite of the contrast: it tells nothing
		p = Platt{B: math.Log((float64(positive) + 1) / (float64(negative) + 1))}
	}
	return p, true
}

// Of is the probability at a contrast.
func (p Platt) Of(contrast float64) float64 { return logistic(p.A*logit(contrast) + p.B) }

// loss is the negative log likelihood.
func (p Platt) loss(x, target []float64) (sum float64) {
	for i := range x {
		z := p.A*x[i] + p.B
		// log(1+e^z) without overflow.
		sum += max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - target[i]*z
	}
	return sum
}

// minimise is Newton's method with a line search, on the two parameters.
func minimise(x, target []float64, p Platt) Platt {
	const ridge, steps, enough = 1e-12, 100, 1e-7
	loss := p.loss(x, target)
	for range steps {
		ga, gb, haa, hab, hbb := 0.0, 0.0, ridge, 0.0, ridge
		for i := range x {
			q := logistic(p.A*x[i] + p.B)
			d, w := q-target[i], q*(1-q)
			ga, gb = ga+d*x[i], gb+d
			haa, hab, hbb = haa+w*x[i]*x[i], hab+w*x[i], hbb+w
		}
		det := haa*hbb - hab*hab
		if math.Abs(ga) < enough && math.Abs(gb) < enough || det <= 0 {
			return p
		}
		da, db := -(hbb*ga-hab*gb)/det, -(haa*gb-hab*ga)/det
		step := 1.0
		for ; step > 1e-10; step /= 2 {
			next := Platt{p.A + step*da, p.B + step*db}
			if now := next.loss(x, target); now < loss+1e-4*step*(ga*da+gb*db) {
				p, loss = next, now
				break
			}
		}
		if step <= 1e-10 {
			return p
		}
	}
	return p
}
