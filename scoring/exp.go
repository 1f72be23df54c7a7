package scoring

import "math"

// expTable computes powers of e for softmax weights, several times as fast as
// math.Exp, which would take as long as comparing the vectors.
type expTable struct {
	whole [expWhole]float64 // e^-i
	part  [expParts]float64 // e^-(i/expParts)
}

const (
	expWhole = 64 // a weight below e^-64 of the largest one counts as 0
	expParts = 64 // steps between two whole exponents
)

func newExpTable() *expTable {
	t := &expTable{}
	for i := range t.whole {
		t.whole[i] = math.Exp(-float64(i))
	}
	for i := range t.part {
		t.part[i] = math.Exp(-float64(i) / expParts)
	}
	return t
}

// of is e^x for x ≤ 0, with a relative error of at most 3e-9: a product of two
// table entries times the Taylor polynomial of the rest, which is below 1/64.
func (t *expTable) of(x float64) float64 {
	if !(x > -expWhole) {
		return 0
	}
	n := uint(int(-x * expParts))
	r := x + float64(n)/expParts // in (-1/expParts, 0]
	return t.whole[n/expParts] * t.part[n%expParts] * (1 + r*(1+r*(1./2+r*(1./6))))
}
