package scoring

import "math"

// Screen decides quickly that a recorded clip can't reach a value of a word, so that
// a search compares only few clips exactly. It multiplies the clip with all of the
// word's vectors at once, which gives other last bits than Dot, and takes off what the
// two may differ by. Not safe for concurrent use.
type Screen struct {
	vectors []float32 // [n, dim]: the word's texts, the references that are too close, zeros; n is a multiple of four
	dots    []float32 // [n]
	texts   int
	close   int
	dim     int
	unsure  float64 // how far a dot product may be off, in lengths of the clip

	least, odds float64 // the last value that was asked for, and its log odds, a little lower
}

// NewScreen makes a screen for a word. It is nil, and excludes nothing, where the
// processor lacks the instructions, for embeddings that are no multiple of sixteen
// numbers, and for words that say how they begin and end.
func NewScreen(w *Word) *Screen {
	if !canScreen(w.Dim()) || w.course != nil {
		return nil
	}
	all := append([][]float32{}, w.vectors...)
	if w.refs != nil {
		for _, i := range w.close {
			all = append(all, w.refs.vectors[i])
		}
	}
	n := (len(all) + 3) &^ 3
	s := &Screen{
		vectors: make([]float32, n*w.Dim()), dots: make([]float32, n), texts: len(w.vectors), close: len(all) - len(w.vectors),
		dim: w.Dim(), odds: math.Inf(-1),
	}
	longest := 0.0
	for i, v := range all {
		copy(s.vectors[i*s.dim:], v)
		longest = max(longest, math.Sqrt(float64(Dot(v, v))))
	}
	// A sum of n products in float32 is off by n · 2^-24 · the lengths of the vectors at
	// most, in whatever order (Higham, Accuracy and Stability of Numerical Algorithms,
	// 3.1). Two sums are compared, and the lengths are rounded too.
	s.unsure = 2.1 * float64(s.dim) * 0x1p-24 * longest
	return s
}

// multiply fills dots, and returns how far these may be from those of Dot.
func (s *Screen) multiply(clip []byte) (off float64) {
	clip = clip[:2*s.dim]
	var out [5]float32
	for i := 0; i < len(s.dots); i += 4 {
		dots4(&out, &clip[0], &s.vectors[i*s.dim], s.dim)
		copy(s.dots[i:], out[:4])
	}
	return s.unsure * math.Sqrt(float64(out[4]))
}

// most is the highest of some dot products.
func most(dots []float32) float64 {
	m := dots[0]
	for _, d := range dots[1:] {
		m = max(m, d)
	}
	return float64(m)
}

// Similarity is whether a clip's similarity may be at least a value. clip is its
// embedding in float16, little endian.
func (s *Screen) Similarity(clip []byte, least float64) bool {
	if s == nil {
		return true
	}
	off := s.multiply(clip)
	return !(most(s.dots[:s.texts])+off < least)
}

// Contrast is whether a clip's contrast may be at least a value. clip is its embedding
// in float16, little endian; the others are as for Word.Contrast.
func (s *Screen) Contrast(clip []byte, factor float32, logit, least float64) bool {
	scale := float64(factor)
	if s == nil || !(scale > 0) || math.IsNaN(logit) {
		return true
	}
	if least != s.least {
		s.least, s.odds = least, oddsBelow(least)
	}
	off := s.multiply(clip)
	above := scale*(most(s.dots[:s.texts])+off) - logit
	left := 1.0 // at least, of the sum of all references
	if s.close > 0 {
		dots := s.dots[s.texts : s.texts+s.close]
		// Usually the texts that are too close have less than half of the sum.
		if above < s.odds-math.Ln2 && scale*(most(dots)+off)-logit < -math.Ln2-math.Log(float64(s.close)) {
			return false
		}
		for _, d := range dots {
			left -= math.Exp(scale*(float64(d)+off) - logit)
		}
	}
	return left < 2*remainder || !(above-math.Log(left) < s.odds)
}

// oddsBelow are log odds that are so much lower than a contrast's that no rounding
// matters. Contrasts close to 1 have too few digits to be told apart by.
func oddsBelow(contrast float64) float64 {
	return min(math.Log(contrast)-math.Log1p(-contrast), 20) - 1e-6
}
