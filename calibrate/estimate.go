package calibrate

import "math"

// normal95 is the quantile of the normal distribution for intervals of 95%.
const normal95 = 1.959964

// Estimate is a share or a rate with its 95% confidence interval.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// share is an estimate from n of all independent cases, by Wilson's score interval
// (Probable Inference, JASA 22, 1927).
func share(n, all int) Estimate {
	if all == 0 {
		return Estimate{High: 1}
	}
	const z2 = normal95 * normal95
	k, p := float64(all), float64(n)/float64(all)
	middle := (p + z2/(2*k)) / (1 + z2/k)
	half := normal95 / (1 + z2/k) * math.Sqrt(p*(1-p)/k+z2/(4*k*k))
	return Estimate{p, max(middle-half, 0), min(middle+half, 1)}
}

// rate is an estimate from n events of a Poisson process in a time, by Byar's
// approximation of the exact interval (Breslow and Day, Statistical Methods in Cancer
// Research II, 1987, p. 69).
func rate(n int, time float64) Estimate {
	bound := func(n, sign float64) float64 {
		if n == 0 {
			return 0
		}
		return n * math.Pow(1-1/(9*n)+sign*normal95/(3*math.Sqrt(n)), 3)
	}
	return Estimate{float64(n) / time, max(bound(float64(n), -1), 0) / time, bound(float64(n+1), 1) / time}
}
