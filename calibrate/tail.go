package calibrate

import (
	"math"
	"slices"
)

// tail is a generalised Pareto distribution of how far peaks exceed a start.
type tail struct {
	start float64 // log odds
	count int     // peaks that exceed it
	scale float64
	shape float64
}

const (
	// minTail is how many peaks a tail is fitted to at least, maxTail at most, and of
	// all that there are no more than a third: fewer say little, and more are no longer
	// extreme.
	minTail, maxTail, tailShare = 20, 120, 3
	// usualShape is what a shape is drawn towards: a little below that of an exponential
	// tail, as log odds are nearly normal. It counts as much as an estimate from
	// shapeWeight peaks, since the shape decides how far an extrapolation goes and is
	// the least certain. Of the values that were tried on exponential, normal and
	// heavier tails, these keep most budgets (docs/trust.md).
	usualShape, shapeWeight = -0.1, 40
	// Shapes are kept within these bounds.
	lowestShape, highestShape = -0.5, 0.3
	// minScale, in log odds, keeps a threshold above values that hardly differ.
	minScale = 0.02
)

// fitTail fits to the highest of the peaks, which come highest first; ok is false for
// too few of them. It uses probability-weighted moments (Hosking and Wallis, Parameter
// and Quantile Estimation for the Generalized Pareto Distribution, Technometrics 29,
// 1987), with the shape drawn towards the usual one.
func fitTail(peaks []float64) (t tail, ok bool) {
	if t.count = min(max(len(peaks)/tailShare, minTail), maxTail); t.count >= len(peaks) {
		return t, false
	}
	t.start = peaks[t.count]
	over := make([]float64, t.count)
	for i := range over {
		over[i] = peaks[i] - t.start
	}
	slices.Sort(over)
	var mean, weighted float64
	n := float64(t.count)
	for i, v := range over {
		mean += v / n
		weighted += v * (1 - (float64(i)+0.65)/n) / n
	}
	shape := usualShape
	if spread := mean - 2*weighted; mean > 0 && spread > 0 {
		estimate := min(max(2-mean/spread, lowestShape), highestShape)
		shape = (n*estimate + shapeWeight*usualShape) / (n + shapeWeight)
	}
	t.shape, t.scale = shape, max(mean*(1-shape), minScale)
	return t, true
}

// level is what so many peaks are expected to exceed.
func (t tail) level(expected float64) float64 {
	ratio := float64(t.count) / expected
	if math.Abs(t.shape) < 1e-6 {
		return t.start + t.scale*math.Log(ratio)
	}
	return t.start + t.scale/t.shape*(math.Pow(ratio, t.shape)-1)
}

// expected is how many peaks exceed a level that is not below the start.
func (t tail) expected(level float64) float64 {
	z := (level - t.start) / t.scale
	if math.Abs(t.shape) < 1e-6 {
		return float64(t.count) * math.Exp(-z)
	}
	return float64(t.count) * math.Pow(max(1+t.shape*z, 0), -1/t.shape)
}
