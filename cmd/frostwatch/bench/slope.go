package bench

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// slope is how fast something grows, with its confidence.
type slope struct {
	Mean    float64 `json:"mean"`
	PerHour float64 `json:"per_hour"`
	// The truth is so far from PerHour, at most, with slopeConfidence; 0: there were too few
	// values.
	Within  float64 `json:"within"`
	Most    float64 `json:"most"` // what is allowed in an hour
	Verdict string  `json:"verdict"`
	short   bool    // too few values to lay a line through
}

// The verdicts about a slope: the whole of its interval is above what is allowed, or below
// it, or neither, as where the time was too short to tell.
const (
	grows     = "grows"
	flat      = "flat"
	undecided = "undecided"
)

const (
	slopeConfidence = .95
	// slopeBlocks is of how many parts of the time the means are taken, through which the
	// line is laid: one value and the next depend on each other (garbage is collected now
	// and then), so that a line through all would seem more certain than it is.
	slopeBlocks = 12
)

// slopeOf lays the line of least squares through the means of slopeBlocks parts. seconds are
// the times of the values, ascending; most is by how much they may grow in an hour. The
// interval is that of Student's t for a line's slope, with two degrees of freedom fewer than
// means.
func slopeOf(seconds, values []float64, most float64) slope {
	out := slope{Most: most, Verdict: undecided}
	if len(values) == 0 {
		return out
	}
	out.Mean = stat.Mean(values, nil)
	if out.short = len(values) < slopeBlocks; out.short {
		return out
	}
	var x, y []float64
	for i := range slopeBlocks {
		from, to := i*len(values)/slopeBlocks, (i+1)*len(values)/slopeBlocks
		x = append(x, stat.Mean(seconds[from:to], nil)/3600)
		y = append(y, stat.Mean(values[from:to], nil))
	}
	at, per := stat.LinearRegression(x, y, nil, false)
	var apart, spread float64
	middle := stat.Mean(x, nil)
	for i := range x {
		apart += (y[i] - at - per*x[i]) * (y[i] - at - per*x[i])
		spread += (x[i] - middle) * (x[i] - middle)
	}
	t := distuv.StudentsT{Sigma: 1, Nu: slopeBlocks - 2}.Quantile(1 - (1-slopeConfidence)/2)
	out.PerHour, out.Within = per, t*math.Sqrt(apart/(slopeBlocks-2)/spread)
	switch {
	case per-out.Within > most:
		out.Verdict = grows
	case per+out.Within < most:
		out.Verdict = flat
	}
	return out
}
