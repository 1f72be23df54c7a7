package scoring

import (
	"errors"
	"math"
	"slices"
)

// Word is a label made ready to be compared with clips, live or recorded. It never
// changes.
type Word struct {
	vectors [][]float32 // of length 1, one for each of the label's texts
	refs    *References // nil: it has no contrast
	// course is the difference of the vectors of how the label ends and begins; nil:
	// it does not say.
	course []float32
	close  []int // reference texts that say about the same, ascending
}

// NewWord makes a word of the vectors of a label's texts, each of length 1. refs
// may be nil.
func NewWord(vectors [][]float32, refs *References) (*Word, error) {
	if len(vectors) == 0 {
		return nil, errors.New("compare a label with clips: it has no texts")
	}
	for _, v := range vectors {
		if !isUnit(v) || len(v) != len(vectors[0]) || refs != nil && len(v) != len(refs.vectors[0]) {
			return nil, errors.New("compare a label with clips: its embeddings are not unit vectors of the model's length")
		}
	}
	w := &Word{vectors: vectors, refs: refs}
	if refs != nil {
		for _, v := range vectors {
			w.leaveOut(refs.tooClose(v))
		}
	}
	return w, nil
}

// leaveOut adds texts to those that are too close.
func (w *Word) leaveOut(texts []int) {
	w.close = append(w.close, texts...)
	slices.Sort(w.close)
	w.close = slices.Compact(w.close)
}

// Course makes the word one that tells its label from the same action backwards, by
// the vectors of how it begins and ends, each of length 1.
func (w *Word) Course(begins, ends []float32) error {
	if len(begins) != w.Dim() || len(ends) != w.Dim() || !isUnit(begins) || !isUnit(ends) {
		return errors.New("compare a label with clips: how it begins or ends has no unit vector of the model's length")
	}
	w.course = course(begins, ends)
	return nil
}

func course(begins, ends []float32) []float32 {
	out := make([]float32, len(ends))
	for i := range out {
		out[i] = ends[i] - begins[i]
	}
	return out
}

// HasCourse is whether the label says how it begins and ends, so that its contrast
// depends on a clip's first and last frames.
func (w *Word) HasCourse() bool { return w.course != nil }

// courseWeight is how much of the course of a clip is added to its similarity. It was
// chosen by measurement (docs/accuracy.md, "Contrast").
const courseWeight = 0.5

// along is what the course of a clip adds to its similarity: how much it changes from
// how the label begins to how it ends; negative for a clip that does the reverse.
func (w *Word) along(c Clip) float64 {
	if w.course == nil || len(c.First) != len(w.course) || len(c.Last) != len(w.course) {
		return 0
	}
	return courseWeight * (float64(Dot(c.Last, w.course)) - float64(Dot(c.First, w.course)))
}

// Dim is the length of a clip's embedding.
func (w *Word) Dim() int { return len(w.vectors[0]) }

// Close are the reference texts that say about the same as the label, and are left
// out of its contrast.
func (w *Word) Close() (texts []string) {
	for _, i := range w.close {
		texts = append(texts, w.refs.texts[i])
	}
	return texts
}

// Clip is a clip's embedding, and the means of its first and last three frames', which
// tell it from the same clip backwards; each [dim], these two nil if not known.
type Clip struct{ Mean, First, Last []float32 }

// Similarity is the dot product of a clip's embedding, [dim], and the most similar
// of the label's texts.
func (w *Word) Similarity(clip []float32) float64 {
	best := Dot(clip, w.vectors[0])
	for _, v := range w.vectors[1:] {
		best = max(best, Dot(clip, v))
	}
	return float64(best)
}

// remainder is the share of the sum below which what is left after subtracting
// texts that are too close would be mostly rounding.
const remainder = 1e-6

// Contrast is the label's softmax against the reference texts that are not too
// close to it: between 0 and 1, and 0 without references. logit is
// References.Logit of the same clip; NaN if it is not known, which takes a dot
// product for each reference text. For a label that says how it begins and ends, half
// of the clip's course is added to its similarity.
func (w *Word) Contrast(clip Clip, scale float32, logit float64) float64 {
	_, contrast := w.Compare(clip, scale, logit)
	return contrast
}

// Compare returns the label's Similarity and Contrast.
func (w *Word) Compare(c Clip, scale float32, logit float64) (similarity, contrast float64) {
	clip := c.Mean
	similarity = w.Similarity(clip)
	if w.refs == nil {
		return similarity, 0
	}
	left := 1.0
	for _, i := range w.close {
		left -= math.Exp(float64(scale)*float64(Dot(clip, w.refs.vectors[i])) - logit)
	}
	if math.IsNaN(logit) || left < remainder {
		logit = w.refs.logit(clip, scale, w.close)
	} else {
		logit += math.Log(left)
	}
	return similarity, 1 / (1 + math.Exp(logit-float64(scale)*(similarity+w.along(c))))
}
