package froster

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// ArrayError is by how much one recorded array differs: its largest absolute
// difference, or 1 - the least cosine of its vectors, in which case its name
// says so.
type ArrayError struct {
	Name      string
	Error     float64
	Tolerance float64
}

// Report is the result of checking a bundle against recorded outputs.
type Report struct {
	Arrays  []ArrayError
	Tokens  int      // how many texts' tokens were compared
	Wrong   []string // texts whose tokens differ
	Skipped []string // arrays that the reference lacks
}

// OK reports whether every error is within its tolerance and every token right.
func (r Report) OK() bool {
	return len(r.Arrays) > 0 && len(r.Wrong) == 0 &&
		!slices.ContainsFunc(r.Arrays, func(a ArrayError) bool { return !(a.Error <= a.Tolerance) })
}

// Print writes the report as a table.
func (r Report) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-22s %12s %12s\n", "array", "largest error", "tolerance")
	for _, a := range r.Arrays {
		verdict := ""
		if !(a.Error <= a.Tolerance) {
			verdict = "  OVER"
		}
		fmt.Fprintf(&b, "%-22s %12.3g %12.3g%s\n", a.Name, a.Error, a.Tolerance, verdict)
	}
	fmt.Fprintf(&b, "tokens                 %d of %d texts differ\n", len(r.Wrong), r.Tokens)
	for _, t := range r.Wrong {
		fmt.Fprintf(&b, "  differs: %q\n", t)
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "skipped: %s is not in the reference\n", s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// defaultTolerances are the tolerances for float32 (parity/README.md measured
// 2.3e-7 on embeddings).
func defaultTolerances() map[string]float64 {
	return map[string]float64{
		"pixels": 1e-5, "frame_embeddings": 1e-5, "clip_embeddings": 1e-5,
		"template_embeddings": 1e-5, "class_embeddings": 1e-5, "logits": 5e-4, "probabilities": 1e-4,
	}
}

// angles is how much of the cosine of a clip's or a frame's embedding other
// precisions may lose.
func angles() map[Precision]float64 { return map[Precision]float64{Float16: 0.0005, Int8: 0.005} }

// looser sets the tolerances for another precision. Embeddings are compared by
// their angle. Unit vectors whose cosine is 1-a are at most sqrt(2a) apart, so
// a logit with a unit class vector is off by at most that many times the logit
// scale. A probability can then be anything, so its tolerance is 1.
func (c *checker) looser(p Precision) {
	a, other := angles()[p]
	if !other {
		return
	}
	c.tolerances["logits"] = float64(c.model.LogitScale()) * math.Sqrt(2*a)
	c.tolerances["probabilities"] = 1
	c.angle = a
}

// turned is 1 - the least cosine between corresponding vectors of dim values.
func turned(got, want []float32, dim int) float64 {
	if len(got) != len(want) || dim < 1 || len(got)%dim != 0 {
		return math.Inf(1)
	}
	worst := 0.0
	for at := 0; at < len(got); at += dim {
		ab, aa, bb := 0.0, 0.0, 0.0
		for i := at; i < at+dim; i++ {
			g, w := float64(got[i]), float64(want[i])
			ab, aa, bb = ab+g*w, aa+g*g, bb+w*w
		}
		if off := 1 - ab/math.Sqrt(aa*bb); off > worst || math.IsNaN(off) {
			worst = off
		}
	}
	if math.IsNaN(worst) {
		return math.Inf(1)
	}
	return worst
}

// maxDiff is the largest absolute difference, or infinite if the lengths differ
// or a value is not a number.
func maxDiff(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	worst := 0.0
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst = max(worst, d)
	}
	return worst
}
